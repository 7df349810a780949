"""The migration's tables: pairs, inventory, plans, ledger, imports, staged objects, id map."""

import sqlalchemy as sa
from alembic import op
from opencast.store.base import UtcDateTime

revision = "0001_migration"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "inventory_event",
        sa.Column("source", sa.String(length=512), nullable=False),
        sa.Column("identifier", sa.String(length=255), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=True),
        sa.Column("start", UtcDateTime(), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("series", sa.String(length=255), nullable=True),
        sa.Column("status", sa.String(length=128), nullable=False),
        sa.Column("processing_state", sa.String(length=32), nullable=False),
        sa.Column("archive_version", sa.Integer(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("seen", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "identifier", name=op.f("pk_inventory_event")),
    )
    with op.batch_alter_table("inventory_event", schema=None) as batch_op:
        batch_op.create_index("ix_inventory_event_source_created", ["source", "created"], unique=False)
        batch_op.create_index("ix_inventory_event_source_series", ["source", "series"], unique=False)

    op.create_table(
        "inventory_series",
        sa.Column("source", sa.String(length=512), nullable=False),
        sa.Column("identifier", sa.String(length=255), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=True),
        sa.Column("seen", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "identifier", name=op.f("pk_inventory_series")),
    )
    op.create_table(
        "known_digest",
        sa.Column("source", sa.String(length=512), nullable=False),
        sa.Column("url_key", sa.String(length=64), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("source", "url_key", name=op.f("pk_known_digest")),
    )
    op.create_table(
        "pair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pair")),
        sa.UniqueConstraint("source", "target", name=op.f("uq_pair_source_target")),
    )
    op.create_table(
        "id_map",
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("target_id", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name=op.f("fk_id_map_pair_id_pair")),
        sa.PrimaryKeyConstraint("pair_id", "kind", "source_id", name=op.f("pk_id_map")),
    )
    op.create_table(
        "import_job",
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.String(length=255), nullable=False),
        sa.Column("target", sa.String(length=512), nullable=False),
        sa.Column("plan_key", sa.String(length=512), nullable=False),
        sa.Column("claimed", UtcDateTime(), nullable=False),
        sa.Column("touched", UtcDateTime(), nullable=False),
        sa.Column("package", sa.Text(), nullable=True),
        sa.Column("journal", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name=op.f("fk_import_job_pair_id_pair")),
        sa.PrimaryKeyConstraint("pair_id", "identifier", name=op.f("pk_import_job")),
    )
    with op.batch_alter_table("import_job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_job_target"), ["target"], unique=False)

    op.create_table(
        "ledger_entry",
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=255), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source_version", sa.String(length=64), nullable=True),
        sa.Column("plan_key", sa.String(length=512), nullable=True),
        sa.Column("started", UtcDateTime(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("bytes_read", sa.BigInteger(), nullable=False),
        sa.Column("bytes_written", sa.BigInteger(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name=op.f("fk_ledger_entry_pair_id_pair")),
        sa.PrimaryKeyConstraint("pair_id", "kind", "identifier", name=op.f("pk_ledger_entry")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entry_pair_id_state", ["pair_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_entry_plan_key"), ["plan_key"], unique=False)

    op.create_table(
        "ledger_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=255), nullable=False),
        sa.Column("plan_key", sa.String(length=512), nullable=True),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("workflow_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name=op.f("fk_ledger_step_pair_id_pair")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_step")),
    )
    with op.batch_alter_table("ledger_step", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_step_object", ["pair_id", "kind", "identifier"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_step_plan_key"), ["plan_key"], unique=False)

    op.create_table(
        "plan",
        sa.Column("key", sa.String(length=512), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("inventory_taken", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name=op.f("fk_plan_pair_id_pair")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_plan")),
    )
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_pair_id"), ["pair_id"], unique=False)

    op.create_table(
        "staged_reference",
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.String(length=255), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name=op.f("fk_staged_reference_pair_id_pair")),
        sa.PrimaryKeyConstraint("pair_id", "identifier", "md5", "size", name=op.f("pk_staged_reference")),
    )
    op.create_table(
        "plan_item",
        sa.Column("plan_key", sa.String(length=512), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source_version", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["plan_key"], ["plan.key"], name=op.f("fk_plan_item_plan_key_plan"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_key", "kind", "identifier", name=op.f("pk_plan_item")),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("plan_item")
    op.drop_table("staged_reference")
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_pair_id"))

    op.drop_table("plan")
    with op.batch_alter_table("ledger_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_step_plan_key"))
        batch_op.drop_index("ix_ledger_step_object")

    op.drop_table("ledger_step")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_entry_plan_key"))
        batch_op.drop_index("ix_ledger_entry_pair_id_state")

    op.drop_table("ledger_entry")
    with op.batch_alter_table("import_job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_job_target"))

    op.drop_table("import_job")
    op.drop_table("id_map")
    op.drop_table("pair")
    op.drop_table("known_digest")
    op.drop_table("inventory_series")
    with op.batch_alter_table("inventory_event", schema=None) as batch_op:
        batch_op.drop_index("ix_inventory_event_source_series")
        batch_op.drop_index("ix_inventory_event_source_created")

    op.drop_table("inventory_event")
