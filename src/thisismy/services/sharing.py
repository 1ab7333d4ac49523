"""Instances as one file: names, categories, decisions, and a picture of every example.

With the pictures a file means something in another library too, where the videos are not known.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thisismy.core.atomic_files import write_text
from thisismy.core.errors import InstanceError, MediaError
from thisismy.core.span import Span
from thisismy.media.frames import frames_at
from thisismy.media.photos import read_photo
from thisismy.store import catalog
from thisismy.store import instances as rows
from thisismy.store.examples import KEPT_SIDE, jpeg_of, path_of, picture_of
from thisismy.store.folder import Store
from thisismy.store.instances import Example, Instance

if TYPE_CHECKING:
    from thisismy.store.database import Connection

FORMAT = "thisismy-instances/1"


def export_instances(store: Store, path: Path, names: Sequence[str] | None = None) -> int:
    """Write instances to a JSON file, whole or not at all, and give their number.

    Args:
        store: the library.
        path: the file; replaced when it exists.
        names: which; None writes all.

    Raises:
        InstanceError: there is no instance of a name, or the file cannot be written.
    """
    with store.read() as connection:
        every = rows.list_instances(connection)
        chosen = every if not names else [rows.find_instance(connection, name) for name in names]
    body = {"format": FORMAT, "instances": [_describe(store, instance) for instance in chosen]}
    try:
        write_text(path, json.dumps(body, ensure_ascii=False, indent=1), durable=True)
    except OSError as error:
        raise InstanceError(f"cannot write {path}: {error.strerror}") from error
    return len(chosen)


def import_instances(store: Store, path: Path) -> list[str]:
    """Read instances that ``export_instances`` wrote, and give their names; all or none.

    An instance whose name is known gets the examples beside its own; what was decided here stays.

    Raises:
        InstanceError: the file cannot be read, or is something else.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InstanceError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InstanceError(f"{path} holds no instances: it is not JSON ({error})") from error
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise InstanceError(f"{path} holds no instances: its format is not {FORMAT!r}")
    try:
        with store.write() as connection:
            return [_import(connection, described) for described in body["instances"]]
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise InstanceError(f"{path} is damaged: {error!r}") from error


def _describe(store: Store, instance: Instance) -> dict[str, Any]:
    with store.read() as connection:
        examples = rows.examples_of(connection, instance)
    return {
        "name": instance.name,
        "aliases": list(instance.aliases),
        "category": instance.category,
        "category_by": instance.category_by,
        "kind": instance.kind,
        "examples": [_describe_example(store, example) for example in examples],
    }


def _describe_example(store: Store, example: Example) -> dict[str, Any]:
    picture = _picture(store, example)
    return {
        "content_hash": example.content_hash,
        "start": example.span.start,
        "end": example.span.end,
        "state": example.state,
        "decided_by": example.decided_by,
        "score": example.score,
        "box": list(example.box) if example.box else None,
        "box_time": example.box_time,
        "picture": base64.b64encode(picture).decode() if picture else None,
    }


def _picture(store: Store, example: Example) -> bytes | None:
    with store.read() as connection:
        kept = rows.get_photo(connection, example.content_hash)
        path = path_of(connection, example.content_hash)
    if kept is not None or path is None:
        return kept
    try:
        if not example.span.duration:
            return jpeg_of(read_photo(path, KEPT_SIDE))
        return jpeg_of(frames_at(path, [example.span.middle], KEPT_SIDE)[0].image)
    except (MediaError, IndexError):
        return None


def _import(connection: Connection, described: dict[str, Any]) -> str:
    name = str(described["name"])
    if described["category_by"] not in (rows.USER, rows.JOB):
        raise ValueError(f"nobody is called {described['category_by']!r}")
    taken = {
        rows.name_key(alias)
        for item in rows.list_instances(connection)
        for alias in (item.name, *item.aliases)
    }
    if rows.instance_called(connection, name) is None:
        # Files of before there were kinds hold things only.
        kind = str(described.get("kind", rows.THING))
        rows.create_instance(connection, name, str(described["category"]), described["category_by"], kind)
    instance = rows.find_instance(connection, name)
    for alias in described["aliases"]:
        if rows.name_key(alias) not in taken:
            rows.add_alias(connection, instance, alias)
    for item in described["examples"]:
        example = _example(connection, item)
        if example is not None:
            rows.put_example(connection, instance, example, overwrite=False)
    return instance.name


def _example(connection: Connection, item: dict[str, Any]) -> Example | None:
    """The example, pointing at the library's own copy of the video, else at its picture, else None."""
    digest, span = str(item["content_hash"]), Span(float(item["start"]), float(item["end"]))
    if item["state"] not in (rows.CONFIRMED, rows.PROPOSED, rows.REJECTED):
        raise ValueError(f"no state is called {item['state']!r}")
    if item["decided_by"] not in (rows.USER, rows.JOB):
        raise ValueError(f"nobody is called {item['decided_by']!r}")
    if catalog.find_media_id(connection, digest) is None:
        if not item["picture"]:
            return None
        jpeg = base64.b64decode(item["picture"], validate=True)
        picture_of(jpeg)
        # A frame of a video that is not here becomes a photo of its own.
        digest = digest if not span.duration else hashlib.blake2b(jpeg, digest_size=16).hexdigest()
        span = Span(0, 0)
        rows.put_photo(connection, digest, jpeg)
    box = _box(item.get("box"))
    time = float(item.get("box_time") or 0.0) if box and span.duration else None
    return Example(digest, span, item["state"], item["decided_by"], "imported", item["score"], box, 0, time)


def _box(given: Any) -> tuple[float, float, float, float] | None:
    """A box as it was written.

    Raises:
        ValueError: it is none.
    """
    if given is None:
        return None
    left, top, right, bottom = (float(share) for share in given)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(f"no box: {given!r}")
    return left, top, right, bottom
