"""Feature spaces, regions, appearances, kinds of instances, words of transcripts, the library's own id.

No vector is copied or changed: the table of features gets new names, and each frame becomes the region of
kind "frame" with the same number.
"""

import uuid

import sqlalchemy as sa
from alembic import op

from thisismy.store.dialects import dialect_of
from thisismy.store.spoken_words import spoken_words

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring a library of three tables of pictures to regions in feature spaces."""
    _spaces()
    _regions()
    _files()
    op.add_column("instances", sa.Column("kind", sa.String, nullable=False, server_default="thing"))
    op.execute("UPDATE instances SET kind = 'person' WHERE lower(category) = 'person'")
    _appearances()
    _words()
    settings = sa.table("settings", sa.column("key", sa.String), sa.column("value", sa.JSON))
    op.execute(settings.insert().values(key="library_id", value=uuid.uuid4().hex))


def _spaces() -> None:
    op.rename_table("encoders", "spaces")
    op.alter_column("spaces", "embed_dim", new_column_name="dim")
    op.add_column("spaces", sa.Column("modality", sa.String, nullable=False, server_default="image-text"))


def _regions() -> None:
    op.create_table(
        "new_regions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("media_id", sa.Integer, sa.ForeignKey("media.id", ondelete="CASCADE"), nullable=False),
        sa.Column("shot_id", sa.Integer, sa.ForeignKey("shots.id", ondelete="CASCADE")),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("start", sa.Float, nullable=False),
        sa.Column("end", sa.Float, nullable=False),
        sa.Column("left", sa.Float),
        sa.Column("top", sa.Float),
        sa.Column("right", sa.Float),
        sa.Column("bottom", sa.Float),
        sa.Column("track", sa.Integer),
        sa.Column("quality", sa.Float),
    )
    op.execute(
        'INSERT INTO new_regions (id, media_id, shot_id, kind, start, "end") '
        "SELECT frames.id, shots.media_id, shots.id, 'frame', frames.time, frames.time "
        "FROM frames JOIN shots ON shots.id = frames.shot_id"
    )
    # What refers to frames follows the name; then the table of that name is the new one.
    op.rename_table("frames", "regions")
    op.drop_table("regions")
    op.rename_table("new_regions", "regions")
    op.create_index("regions_by_media", "regions", ["media_id"])
    op.create_index("regions_by_shot", "regions", ["shot_id"])
    op.drop_index("features_by_encoder", "features")
    op.rename_table("features", "vectors")
    op.alter_column("vectors", "frame_id", new_column_name="region_id")
    op.alter_column("vectors", "encoder_id", new_column_name="space_id")


def _files() -> None:
    op.create_table(
        "new_files",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("path", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("media_id", sa.Integer, sa.ForeignKey("media.id", ondelete="SET NULL")),
        sa.Column("missing", sa.Boolean, nullable=False),
        sa.Column("failed_stage", sa.String),
        sa.Column("failed_error", sa.String),
    )
    columns = "id, path, size, mtime_ns, media_id, missing, failed_stage, failed_error"
    op.execute(f"INSERT INTO new_files ({columns}) SELECT {columns} FROM files")
    op.drop_table("files")
    op.rename_table("new_files", "files")
    op.create_index("ix_files_media_id", "files", ["media_id"])


def _appearances() -> None:
    op.create_table(
        "appearances",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "instance_id", sa.Integer, sa.ForeignKey("instances.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("content_hash", sa.String(32), nullable=False),
        sa.Column("start", sa.Float, nullable=False),
        sa.Column("end", sa.Float, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.UniqueConstraint("instance_id", "content_hash", "start", "end"),
    )
    op.create_index("ix_appearances_content_hash", "appearances", ["content_hash"])


def _words() -> None:
    connection = op.get_bind()
    dialect = dialect_of(connection)
    dialect.create_word_index(connection)
    columns: list[sa.ColumnClause[str]] = [sa.column(name) for name in ("media_id", "position", "text")]
    segments = sa.table("segments", *columns, sa.column("words", sa.JSON))
    for media_id in connection.execute(sa.select(segments.c.media_id).distinct()).scalars().all():
        said = sa.select(segments.c.text, segments.c.words).where(segments.c.media_id == media_id)
        rows = connection.execute(said.order_by(segments.c.position)).all()
        words = [word for row in rows for word in spoken_words(row.text, row.words)]
        dialect.put_words(connection, media_id, words)
