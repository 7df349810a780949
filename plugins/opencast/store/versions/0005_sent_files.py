"""Large files that a target was sent, for mediapackages that share them."""

import sqlalchemy as sa
from alembic import op

revision = "0005_sent_files"
down_revision = "0004_audits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "sent_file",
        sa.Column("target", sa.String(length=512), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("target", "key", name=op.f("pk_sent_file")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("sent_file")
