"""The rim of a frame becomes a region of its own."""

from alembic import op

from thisismy.store.rims import split_rims

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Split the vectors of the embedded encoder's third version."""
    split_rims(op.get_bind())
