"""The tables of a library.

Media are known by their content, files by their path: a renamed file finds its media again, two copies share
one. What jobs derive hangs on ``media`` and can always be made anew; what a person decides never refers to a
derived row, only to content and time.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
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

HEAD = "0003"
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
    Column("size", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False),
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

frames = Table(
    "frames",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("shot_id", Integer, ForeignKey("shots.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("time", Float, nullable=False),
)

encoders = Table(
    "encoders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("embed_dim", Integer, nullable=False),
)

features = Table(
    "features",
    metadata,
    Column("frame_id", Integer, ForeignKey("frames.id", ondelete="CASCADE"), primary_key=True),
    Column("encoder_id", Integer, ForeignKey("encoders.id", ondelete="CASCADE"), primary_key=True),
    # float16, embed_dim numbers, unit length before rounding.
    Column("vector", LargeBinary, nullable=False),
    Index("features_by_encoder", "encoder_id"),
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
