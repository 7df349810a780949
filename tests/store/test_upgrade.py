"""A store that is in use is brought to the newest schema without losing a row."""

from __future__ import annotations

from alembic import command
from opencast.store.database import Database
from opencast.store.ledger import Kind
from opencast.store.plans import Plans, PlanState
from opencast.store.upgrading import alembic_config
from sqlalchemy import text


def migrate_to(store: Database, revision: str) -> None:
    with store.engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        move = command.upgrade if revision == "head" else command.downgrade
        move(config, revision)
        connection.commit()


def test_plans_of_the_first_schema_keep_their_items_and_are_closed(store: Database) -> None:
    migrate_to(store, "0002_catalogue")
    with store.engine.begin() as connection:
        connection.execute(text("INSERT INTO pair (id, source, target) VALUES (1, 'a', 'b')"))
        connection.execute(
            text(
                "INSERT INTO plan (key, pair_id, created, params, notes) "
                "VALUES ('dag/old', 1, '2024-01-01 00:00:00', '{}', '{}')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO plan_item (plan_key, kind, identifier, position, title, action, reason) "
                "VALUES ('dag/old', 'mediapackage', 'e', 0, 'E', 'migrate', '')"
            )
        )
    migrate_to(store, "head")
    plans = Plans(store, 1)
    head = plans.head("dag/old")
    assert head is not None and (head.state, head.root_key, head.wave) == (PlanState.CLOSED, "dag/old", 1)
    item = plans.item("dag/old", Kind.MEDIAPACKAGE, "e")
    assert item is not None and item.wave_key == "dag/old"


def test_every_step_of_the_schema_can_be_taken_back(store: Database) -> None:
    migrate_to(store, "base")
    migrate_to(store, "head")
