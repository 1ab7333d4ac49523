"""Vectors of two halves become vectors of two regions.

Up to its third version the embedded encoder gave one vector of 768 columns: the whole frame, scaled by the
root of .99, and its rim, scaled by the root of .01. From the fourth on these are two unit vectors of 384
columns in one feature space, one of the region "frame", one of a region "rim" at the same time. The networks
are the same, so nothing has to be decoded or encoded again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from thisismy.encoders.base import unit

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection

OLD, NEW = "embedded-3-", "embedded-4-"
"""How the ids of the two versions begin; what follows names the constants and stays."""

HALF = 384
BATCH = 2000
"""Vectors in memory at once."""


def halves(vectors: NDArray[np.float16]) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """``(n, 768)`` as two times ``(n, 384)`` unit rows: of frames and of rims."""
    frame, rim = (unit(part) for part in np.split(vectors.astype(np.float32), [HALF], axis=1))
    return frame.astype(np.float16), rim.astype(np.float16)


def split_rims(connection: Connection) -> int:
    """Split the vectors of every space of the third version, and give their number.

    The space keeps its row under the id of the fourth version, and so do the notes of which media are done,
    the settings of indexing, and the encoder that searches use. A library that was indexed with both versions
    loses the vectors of the third.

    Args:
        connection: inside a writing transaction, of a library of schema 4.
    """
    split = 0
    spaces = connection.execute(
        sa.text("SELECT id, name FROM spaces WHERE name LIKE :old"), {"old": f"{OLD}%"}
    )
    for space_id, old in spaces.all():
        new = NEW + old.removeprefix(OLD)
        both = {"old": old, "new": new}
        if connection.execute(sa.text("SELECT 1 FROM spaces WHERE name = :new"), both).first():
            connection.execute(sa.text("DELETE FROM vectors WHERE space_id = :space"), {"space": space_id})
            connection.execute(sa.text("DELETE FROM spaces WHERE id = :space"), {"space": space_id})
            connection.execute(sa.text("DELETE FROM stages WHERE stage = 'features' AND key = :old"), both)
            continue
        split += _split(connection, space_id)
        connection.execute(
            sa.text("UPDATE spaces SET name = :new, dim = :dim WHERE id = :space"),
            {"new": new, "dim": HALF, "space": space_id},
        )
        connection.execute(
            sa.text("UPDATE stages SET key = :new WHERE stage = 'features' AND key = :old"), both
        )
        # JSON: the id stands in quotes, and nothing else in a setting can look like it.
        connection.execute(
            sa.text(
                "UPDATE settings SET value = replace(value, :old, :new) WHERE key IN ('index', 'search')"
            ),
            {"old": f'"{old}"', "new": f'"{new}"'},
        )
    if split:
        connection.execute(
            sa.text("UPDATE settings SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'")
        )
    return split


def _split(connection: Connection, space_id: int) -> int:
    chosen = sa.text(
        "SELECT regions.id, regions.media_id, regions.shot_id, regions.start, vectors.vector "
        "FROM vectors JOIN regions ON regions.id = vectors.region_id "
        "WHERE vectors.space_id = :space AND regions.kind = 'frame' AND regions.id > :after "
        "ORDER BY regions.id LIMIT :batch"
    )
    last = connection.execute(sa.text("SELECT max(id) FROM regions")).scalar() or 0
    # Rims are numbered after everything that is there.
    rim, after, count = int(last), 0, 0
    while True:
        rows = connection.execute(chosen, {"space": space_id, "after": after, "batch": BATCH}).all()
        if not rows:
            return count
        after = rows[-1].id
        stored = np.stack([np.frombuffer(row.vector, np.float16) for row in rows])
        frames, rims = halves(stored)
        connection.execute(
            sa.text("UPDATE vectors SET vector = :vector WHERE region_id = :region AND space_id = :space"),
            [
                {"vector": vector.tobytes(), "region": row.id, "space": space_id}
                for row, vector in zip(rows, frames, strict=True)
            ],
        )
        numbers = range(rim + 1, rim + 1 + len(rows))
        connection.execute(
            sa.text(
                'INSERT INTO regions (id, media_id, shot_id, kind, start, "end") '
                "VALUES (:id, :media, :shot, 'rim', :time, :time)"
            ),
            [
                {"id": number, "media": row.media_id, "shot": row.shot_id, "time": row.start}
                for number, row in zip(numbers, rows, strict=True)
            ],
        )
        connection.execute(
            sa.text("INSERT INTO vectors (region_id, space_id, vector) VALUES (:region, :space, :vector)"),
            [
                {"region": number, "space": space_id, "vector": vector.tobytes()}
                for number, vector in zip(numbers, rims, strict=True)
            ],
        )
        rim, count = rim + len(rows), count + len(rows)
