"""The tables of a library.

Media are known by their content, files by their path: a renamed file finds its media again, two copies share
one. What jobs derive hangs on ``media`` and can always be made again; what a person decides never refers to a
derived row, only to content and time. Seconds are ``Float``, 64 bits wide in SQLite and in PostgreSQL.

The words of transcripts are indexed besides, by whatever the database has for it; see
`thisismy.store.dialects`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

HEAD = "0005"
"""The newest migration; kept here so that opening a current library needs no migration machinery."""

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", JSON, nullable=False),
)

roots = Table(
    "roots",
    metadata,
    Column("path", LargeBinary, primary_key=True),
)

media = Table(
    "media",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("content_hash", String(32), nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("duration", Float, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("frame_rate", String),
    Column("rotation", Integer, nullable=False),
    Column("video_codec", String),
    Column("audio_codec", String),
    Column("hdr", Boolean, nullable=False),
    Column("created", String),
    Column("notes", JSON, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    # Bytes, because a file name need not be text; see paths.py.
    Column("path", LargeBinary, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("media_id", Integer, ForeignKey("media.id", ondelete="SET NULL"), index=True),
    Column("missing", Boolean, nullable=False, default=False),
    Column("failed_stage", String),
    Column("failed_error", String),
)

stages = Table(
    "stages",
    metadata,
    Column("media_id", Integer, ForeignKey("media.id", ondelete="CASCADE"), primary_key=True),
    Column("stage", String, primary_key=True),
    # What the result depends on: the detector with its settings, or the encoder.
    Column("key", String, primary_key=True),
    Column("finished_at", String, nullable=False),
)

shots = Table(
    "shots",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("media_id", Integer, ForeignKey("media.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    UniqueConstraint("media_id", "position"),
)

# Something at a place and a time of a media. A library of 100 hours has a million and more of them, so they
# are narrow: no text beyond the kind, and what is not there costs nothing.
regions = Table(
    "regions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("media_id", Integer, ForeignKey("media.id", ondelete="CASCADE"), nullable=False),
    # None for what goes over cuts, such as a voice.
    Column("shot_id", Integer, ForeignKey("shots.id", ondelete="CASCADE")),
    # "frame" and "rim"; then "face", "track", "voice".
    Column("kind", String, nullable=False),
    # Seconds; of a single picture both are its time.
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    # The box as shares of the picture's sides, all None for the whole picture.
    Column("left", Float),
    Column("top", Float),
    Column("right", Float),
    Column("bottom", Float),
    # Regions of a media with the same number are one thing followed through time.
    Column("track", Integer),
    # How well it can be recognised, 0 to 1.
    Column("quality", Float),
    Index("regions_by_media", "media_id"),
    Index("regions_by_shot", "shot_id"),
)

spaces = Table(
    "spaces",
    metadata,
    Column("id", Integer, primary_key=True),
    # The id of the `FeatureSpace`.
    Column("name", String, nullable=False, unique=True),
    Column("dim", Integer, nullable=False),
    Column("modality", String, nullable=False, server_default="image-text"),
)

# No index by space: as a rule one space holds nearly all vectors, and SQLite would begin there.
vectors = Table(
    "vectors",
    metadata,
    Column("region_id", Integer, ForeignKey("regions.id", ondelete="CASCADE"), primary_key=True),
    Column("space_id", Integer, ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    # float16, as many as the space has dimensions, unit length before rounding.
    Column("vector", LargeBinary, nullable=False),
)

transcripts = Table(
    "transcripts",
    metadata,
    Column("media_id", Integer, ForeignKey("media.id", ondelete="CASCADE"), primary_key=True),
    # The sidecar with its hash, or the recogniser with its model.
    Column("source", String, nullable=False),
    Column("language", String),
    Column("notes", JSON, nullable=False),
)

segments = Table(
    "segments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("media_id", Integer, ForeignKey("media.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    Column("text", String, nullable=False),
    Column("speaker", String),
    # [text, start, end, probability or null] each.
    Column("words", JSON, nullable=False),
    UniqueConstraint("media_id", "position"),
)

instances = Table(
    "instances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("category", String, nullable=False),
    Column("category_by", String, nullable=False),
    Column("created_at", String, nullable=False),
    # "thing" or "person".
    Column("kind", String, nullable=False, server_default="thing"),
)

names = Table(
    "names",
    metadata,
    # Case folded; names and aliases of all instances, so that none means two things.
    Column("key", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("instance_id", Integer, ForeignKey("instances.id", ondelete="CASCADE"), nullable=False),
)

examples = Table(
    "examples",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("instance_id", Integer, ForeignKey("instances.id", ondelete="CASCADE"), nullable=False),
    # Content and time, never a derived row: a decision survives whatever is indexed again.
    Column("content_hash", String(32), nullable=False),
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("score", Float),
    Column("box", JSON),
    # The frame the box was drawn on, in seconds.
    Column("box_time", Float),
    UniqueConstraint("instance_id", "content_hash", "start", "end"),
)

example_photos = Table(
    "example_photos",
    metadata,
    Column("content_hash", String(32), primary_key=True),
    Column("jpeg", LargeBinary, nullable=False),
)

mentions = Table(
    "mentions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("content_hash", String(32), nullable=False, index=True),
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    Column("sentence", String, nullable=False),
    Column("name", String, nullable=False),
    Column("category", String),
    Column("verdict", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("score", Float),
    Column("shot_start", Float),
    Column("shot_end", Float),
    # [start, end, similarity] of further shots of the video.
    Column("examples", JSON, nullable=False),
    Column("thresholds", JSON, nullable=False),
    Column("decision", String),
    Column("instance_id", Integer, ForeignKey("instances.id", ondelete="SET NULL")),
    # What accepting it changed: {"created": bool, "examples": [rows that stood in its place]}.
    Column("before", JSON(none_as_null=True)),
)

appearances = Table(
    "appearances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("instance_id", Integer, ForeignKey("instances.id", ondelete="CASCADE"), nullable=False),
    # Content and time, as for examples: what a person confirmed survives whatever is indexed again.
    Column("content_hash", String(32), nullable=False, index=True),
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    # What speaks for it, each with its feature space, log-odds, time and box.
    Column("evidence", JSON, nullable=False),
    # "found" by a job; "confirmed" or "rejected" by a person.
    Column("state", String, nullable=False),
    UniqueConstraint("instance_id", "content_hash", "start", "end"),
)
