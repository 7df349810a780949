"""Audits: what comparisons of two servers, and checks of one, found."""

import sqlalchemy as sa
from alembic import op
from opencast.store.base import UtcDateTime

revision = "0004_audits"
down_revision = "0003_campaigns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "audit",
        sa.Column("key", sa.String(length=512), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("begun", UtcDateTime(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_audit")),
    )
    op.create_table(
        "audit_finding",
        sa.Column("audit_key", sa.String(length=512), nullable=False),
        sa.Column("check", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=255), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["audit_key"], ["audit.key"], name=op.f("fk_audit_finding_audit_key_audit"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("audit_key", "check", "kind", "identifier", name=op.f("pk_audit_finding")),
    )
    with op.batch_alter_table("audit_finding") as batch_op:
        batch_op.create_index("ix_audit_finding_audit_key_outcome", ["audit_key", "outcome"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("audit_finding")
    op.drop_table("audit")
