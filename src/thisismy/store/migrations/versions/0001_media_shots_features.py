"""Media, shots, frames and their features."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "settings",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
    )
    op.create_table("roots", sa.Column("path", sa.LargeBinary, primary_key=True))
    op.create_table(
        "media",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("content_hash", sa.String(32), nullable=False, unique=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("duration", sa.Float, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("frame_rate", sa.String),
        sa.Column("rotation", sa.Integer, nullable=False),
        sa.Column("video_codec", sa.String),
        sa.Column("audio_codec", sa.String),
        sa.Column("hdr", sa.Boolean, nullable=False),
        sa.Column("created", sa.String),
        sa.Column("notes", sa.JSON, nullable=False),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("path", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("mtime_ns", sa.Integer, nullable=False),
        sa.Column("media_id", sa.Integer, sa.ForeignKey("media.id", ondelete="SET NULL"), index=True),
        sa.Column("missing", sa.Boolean, nullable=False),
        sa.Column("failed_stage", sa.String),
        sa.Column("failed_error", sa.String),
    )
    op.create_table(
        "stages",
        sa.Column("media_id", sa.Integer, sa.ForeignKey("media.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("stage", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("finished_at", sa.String, nullable=False),
    )
    op.create_table(
        "shots",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("media_id", sa.Integer, sa.ForeignKey("media.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("start", sa.Float, nullable=False),
        sa.Column("end", sa.Float, nullable=False),
        sa.UniqueConstraint("media_id", "position"),
    )
    op.create_table(
        "frames",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "shot_id", sa.Integer, sa.ForeignKey("shots.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("time", sa.Float, nullable=False),
    )
    op.create_table(
        "encoders",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("embed_dim", sa.Integer, nullable=False),
    )
    op.create_table(
        "features",
        sa.Column("frame_id", sa.Integer, sa.ForeignKey("frames.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "encoder_id", sa.Integer, sa.ForeignKey("encoders.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_index("features_by_encoder", "features", ["encoder_id"])
