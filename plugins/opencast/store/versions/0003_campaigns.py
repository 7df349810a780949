"""Campaigns: runs that belong together, waves of a plan, limits, the pace of a target, readings of a library."""

import sqlalchemy as sa
from alembic import op
from opencast.store.base import UtcDateTime

revision = "0003_campaigns"
down_revision = "0002_catalogue"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and add what plans and their items have in addition."""
    op.create_table(
        "allowance",
        sa.Column("name", sa.String(length=600), nullable=False),
        sa.Column("used_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_allowance")),
    )
    op.create_table(
        "library_reading",
        sa.Column("source", sa.String(length=512), nullable=False),
        sa.Column("reader", sa.String(length=512), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("complete", UtcDateTime(), nullable=True),
        sa.Column("recent", UtcDateTime(), nullable=True),
        sa.Column("unreadable", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_library_reading")),
    )
    op.create_table(
        "target_pace",
        sa.Column("target", sa.String(length=512), nullable=False),
        sa.Column("allowed", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_target_pace")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name=op.f("fk_campaign_pair_id_pair")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("pair_id", "name", name=op.f("uq_campaign_pair_id_name")),
    )
    # Never recreated: dropping the old table would delete the items of every plan with it.
    with op.batch_alter_table("plan", recreate="never") as batch_op:
        batch_op.add_column(sa.Column("state", sa.String(length=16), nullable=False, server_default="closed"))
        batch_op.add_column(sa.Column("root_key", sa.String(length=512), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("wave", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("campaign_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_plan_campaign_id"), ["campaign_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_root_key"), ["root_key"], unique=False)
    op.execute("UPDATE plan SET root_key = key")
    with op.batch_alter_table("plan_item", recreate="never") as batch_op:
        batch_op.add_column(sa.Column("series", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("wave_key", sa.String(length=512), nullable=True))
        batch_op.create_index("ix_plan_item_kind_identifier", ["kind", "identifier"], unique=False)
        batch_op.create_index("ix_plan_item_plan_key_wave_key", ["plan_key", "wave_key"], unique=False)
    op.execute("UPDATE plan_item SET wave_key = plan_key")


def downgrade() -> None:
    """Take away what ``upgrade`` added."""
    with op.batch_alter_table("plan_item", recreate="never") as batch_op:
        batch_op.drop_index("ix_plan_item_plan_key_wave_key")
        batch_op.drop_index("ix_plan_item_kind_identifier")
        batch_op.drop_column("wave_key")
        batch_op.drop_column("series")
    with op.batch_alter_table("plan", recreate="never") as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_root_key"))
        batch_op.drop_index(batch_op.f("ix_plan_campaign_id"))
        batch_op.drop_column("campaign_id")
        batch_op.drop_column("wave")
        batch_op.drop_column("root_key")
        batch_op.drop_column("state")
    for table in ("campaign", "target_pace", "library_reading", "allowance"):
        op.drop_table(table)
