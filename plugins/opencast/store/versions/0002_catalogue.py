"""The harvest's tables: repositories, formats, streams, runs, records, series, tracks, items, playlists, changes."""

import sqlalchemy as sa
from alembic import op
from opencast.store.base import UtcDateTime

revision = "0002_catalogue"
down_revision = "0001_migration"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "playlist",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("feed_token", sa.String(length=64), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playlist")),
        sa.UniqueConstraint("feed_token", name=op.f("uq_playlist_feed_token")),
        sa.UniqueConstraint("name", name=op.f("uq_playlist_name")),
    )
    op.create_table(
        "repository",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.String(length=250), nullable=True),
        sa.Column("http_method", sa.String(length=4), nullable=False),
        sa.Column("prefixes", sa.JSON(), nullable=False),
        sa.Column("sets", sa.JSON(), nullable=False),
        sa.Column("interval_seconds", sa.Integer(), nullable=False),
        sa.Column("overlap_seconds", sa.Integer(), nullable=False),
        sa.Column("track_types", sa.JSON(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("ignore_deleted", sa.Boolean(), nullable=False),
        sa.Column("on_delete", sa.String(length=8), nullable=False),
        sa.Column("check_borders", sa.String(length=8), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(length=8), nullable=False),
        sa.Column("repository_name", sa.Text(), nullable=False),
        sa.Column("granularity", sa.Text(), nullable=False),
        sa.Column("deleted_record", sa.Text(), nullable=False),
        sa.Column("earliest_datestamp", sa.Text(), nullable=False),
        sa.Column("described", UtcDateTime(), nullable=True),
        sa.Column("stamps_by_day", sa.Boolean(), nullable=False),
        sa.Column("counts_unreliable", sa.Boolean(), nullable=False),
        sa.Column("lateness_seconds", sa.Integer(), nullable=False),
        sa.Column("next_due", UtcDateTime(), nullable=True),
        sa.Column("last_started", UtcDateTime(), nullable=True),
        sa.Column("last_success", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("announced_change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repository")),
        sa.UniqueConstraint("name", name=op.f("uq_repository_name")),
    )
    op.create_table(
        "catalogue_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("media_item_id", sa.BigInteger(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repository.id"],
            name=op.f("fk_catalogue_change_repository_id_repository"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_change")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "harvest_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("started", UtcDateTime(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("bytes_read", sa.BigInteger(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("new", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.BigInteger(), nullable=False),
        sa.Column("unreadable", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repository.id"],
            name=op.f("fk_harvest_run_repository_id_repository"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harvest_run")),
    )
    with op.batch_alter_table("harvest_run", schema=None) as batch_op:
        batch_op.create_index("ix_harvest_run_repository_id_started", ["repository_id", "started"], unique=False)

    op.create_table(
        "metadata_format",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.String(length=250), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("schema_url", sa.Text(), nullable=False),
        sa.Column("announced", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repository.id"],
            name=op.f("fk_metadata_format_repository_id_repository"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metadata_format")),
        sa.UniqueConstraint("repository_id", "prefix", name=op.f("uq_metadata_format_repository_id_prefix")),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("playlist_id", sa.Integer(), nullable=True),
        sa.Column("tags", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("users", sa.JSON(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("institutions", sa.JSON(), nullable=False),
        sa.Column("signed_in", sa.Boolean(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlist.id"], name=op.f("fk_series_playlist_id_playlist"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repository.id"], name=op.f("fk_series_repository_id_repository"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("repository_id", "identifier", name=op.f("uq_series_repository_id_identifier")),
    )
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_series_playlist_id"), ["playlist_id"], unique=False)

    op.create_table(
        "sink_cursor",
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("sink", sa.String(length=100), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("delivered", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repository.id"],
            name=op.f("fk_sink_cursor_repository_id_repository"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("repository_id", "sink", name=op.f("pk_sink_cursor")),
    )
    op.create_table(
        "harvest_stream",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("format_id", sa.Integer(), nullable=False),
        sa.Column("set_spec", sa.String(length=250), nullable=False),
        sa.Column("window", sa.String(length=60), nullable=False),
        sa.Column("watermark", UtcDateTime(), nullable=True),
        sa.Column("watermark_own", UtcDateTime(), nullable=True),
        sa.Column("pass_id", sa.BigInteger(), nullable=True),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("from_stamp", sa.String(length=30), nullable=True),
        sa.Column("until_stamp", sa.String(length=30), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("began", UtcDateTime(), nullable=True),
        sa.Column("began_own", UtcDateTime(), nullable=True),
        sa.Column("high_stamp", UtcDateTime(), nullable=True),
        sa.Column("ascending", sa.Boolean(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("complete_list_size", sa.BigInteger(), nullable=True),
        sa.Column("restarts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["format_id"],
            ["metadata_format.id"],
            name=op.f("fk_harvest_stream_format_id_metadata_format"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harvest_stream")),
        sa.UniqueConstraint(
            "format_id", "set_spec", "window", name=op.f("uq_harvest_stream_format_id_set_spec_window")
        ),
    )
    op.create_table(
        "record",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("format_id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("datestamp", UtcDateTime(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("in_sets", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("seen_pass", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["format_id"], ["metadata_format.id"], name=op.f("fk_record_format_id_metadata_format"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record")),
        sa.UniqueConstraint("format_id", "identifier", name=op.f("uq_record_format_id_identifier")),
    )
    op.create_table(
        "matterhorn_record",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("record_digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("mediapackage_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=True),
        sa.Column("creators", sa.JSON(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["record.id"], name=op.f("fk_matterhorn_record_record_id_record"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repository.id"],
            name=op.f("fk_matterhorn_record_repository_id_repository"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.id"], name=op.f("fk_matterhorn_record_series_id_series"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matterhorn_record")),
        sa.UniqueConstraint("repository_id", "identifier", name=op.f("uq_matterhorn_record_repository_id_identifier")),
    )
    with op.batch_alter_table("matterhorn_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_matterhorn_record_record_id"), ["record_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_matterhorn_record_series_id"), ["series_id"], unique=False)

    op.create_table(
        "record_content",
        sa.Column("record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("xml", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["record.id"], name=op.f("fk_record_content_record_id_record"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_record_content")),
    )
    op.create_table(
        "media_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("matterhorn_record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("published", UtcDateTime(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("source_url", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("updated", UtcDateTime(), nullable=False),
        sa.Column("users", sa.JSON(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("institutions", sa.JSON(), nullable=False),
        sa.Column("signed_in", sa.Boolean(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["matterhorn_record_id"],
            ["matterhorn_record.id"],
            name=op.f("fk_media_item_matterhorn_record_id_matterhorn_record"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_item")),
        sa.UniqueConstraint("matterhorn_record_id", name=op.f("uq_media_item_matterhorn_record_id")),
    )
    op.create_table(
        "playlist_item",
        sa.Column("playlist_id", sa.Integer(), nullable=False),
        sa.Column("media_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["media_item_id"],
            ["media_item.id"],
            name=op.f("fk_playlist_item_media_item_id_media_item"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlist.id"], name=op.f("fk_playlist_item_playlist_id_playlist"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("playlist_id", "media_item_id", name=op.f("pk_playlist_item")),
    )
    with op.batch_alter_table("playlist_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_playlist_item_media_item_id"), ["media_item_id"], unique=False)
        batch_op.create_index("ix_playlist_item_playlist_id_position", ["playlist_id", "position"], unique=False)

    op.create_table(
        "track",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("matterhorn_record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("flavor", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("mimetype", sa.Text(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("xml", sa.LargeBinary(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("media_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("updated", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["matterhorn_record_id"],
            ["matterhorn_record.id"],
            name=op.f("fk_track_matterhorn_record_id_matterhorn_record"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["media_item_id"], ["media_item.id"], name=op.f("fk_track_media_item_id_media_item"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track")),
        sa.UniqueConstraint(
            "matterhorn_record_id", "identifier", name=op.f("uq_track_matterhorn_record_id_identifier")
        ),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("track")
    with op.batch_alter_table("playlist_item", schema=None) as batch_op:
        batch_op.drop_index("ix_playlist_item_playlist_id_position")
        batch_op.drop_index(batch_op.f("ix_playlist_item_media_item_id"))

    op.drop_table("playlist_item")
    op.drop_table("media_item")
    op.drop_table("record_content")
    with op.batch_alter_table("matterhorn_record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_matterhorn_record_series_id"))
        batch_op.drop_index(batch_op.f("ix_matterhorn_record_record_id"))

    op.drop_table("matterhorn_record")
    op.drop_table("record")
    op.drop_table("harvest_stream")
    op.drop_table("sink_cursor")
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_series_playlist_id"))

    op.drop_table("series")
    op.drop_table("metadata_format")
    with op.batch_alter_table("harvest_run", schema=None) as batch_op:
        batch_op.drop_index("ix_harvest_run_repository_id_started")

    op.drop_table("harvest_run")
    op.drop_table("catalogue_change")
    op.drop_table("repository")
    op.drop_table("playlist")
