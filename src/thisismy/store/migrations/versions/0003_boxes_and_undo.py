"""When a box was drawn, and what an accepted mention can be taken back to."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add one column to examples and one to mentions."""
    op.add_column("examples", sa.Column("box_time", sa.Float))
    op.add_column("mentions", sa.Column("before", sa.JSON))
