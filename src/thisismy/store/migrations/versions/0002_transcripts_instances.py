"""What is said, what was named, and what people decided about it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of transcripts, mentions, instances and examples."""
    op.create_table(
        "transcripts",
        sa.Column("media_id", sa.Integer, sa.ForeignKey("media.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("language", sa.String),
        sa.Column("notes", sa.JSON, nullable=False),
    )
    op.create_table(
        "segments",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("media_id", sa.Integer, sa.ForeignKey("media.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("start", sa.Float, nullable=False),
        sa.Column("end", sa.Float, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("speaker", sa.String),
        sa.Column("words", sa.JSON, nullable=False),
        sa.UniqueConstraint("media_id", "position"),
    )
    op.create_table(
        "instances",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("category_by", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
    )
    op.create_table(
        "names",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column(
            "instance_id", sa.Integer, sa.ForeignKey("instances.id", ondelete="CASCADE"), nullable=False
        ),
    )
    op.create_table(
        "examples",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "instance_id", sa.Integer, sa.ForeignKey("instances.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("content_hash", sa.String(32), nullable=False),
        sa.Column("start", sa.Float, nullable=False),
        sa.Column("end", sa.Float, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("decided_by", sa.String, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("box", sa.JSON),
        sa.UniqueConstraint("instance_id", "content_hash", "start", "end"),
    )
    op.create_table(
        "example_photos",
        sa.Column("content_hash", sa.String(32), primary_key=True),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "mentions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("content_hash", sa.String(32), nullable=False, index=True),
        sa.Column("start", sa.Float, nullable=False),
        sa.Column("end", sa.Float, nullable=False),
        sa.Column("sentence", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("category", sa.String),
        sa.Column("verdict", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("shot_start", sa.Float),
        sa.Column("shot_end", sa.Float),
        sa.Column("examples", sa.JSON, nullable=False),
        sa.Column("thresholds", sa.JSON, nullable=False),
        sa.Column("decision", sa.String),
        sa.Column("instance_id", sa.Integer, sa.ForeignKey("instances.id", ondelete="SET NULL")),
    )
