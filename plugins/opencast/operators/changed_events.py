"""From the asset events of a harvest to the ids of the events that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowSkipException

from opencast.operators.harvest import CHANGES


class CollectChangedEventsOperator(BaseOperator):
    """Collect the identifiers of new and changed records from the asset events that started the run.

    :param repository: only of this repository; the run's param of the same name wins. None for all.
    """

    def __init__(self, *, repository: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.repository = repository

    def execute(self, context: Context) -> list[str]:
        """Return the identifiers, each once and in order; skip when there are none."""
        wanted = context["params"].get("repository") or self.repository
        identifiers = changed_events(_extras(context["triggering_asset_events"]), wanted)
        if not identifiers:
            raise AirflowSkipException("No event is new or changed.")
        self.log.info("%d events are new or changed.", len(identifiers))
        return identifiers


def changed_events(extras: Iterable[Mapping[str, Any]], repository: str | None) -> list[str]:
    """Give the identifiers of the records that the events leave as new or changed.

    :param extras: of the events, oldest first, see :func:`opencast.harvest.announcements.event_of`.
    :param repository: only of this one; None for all.
    """
    found: dict[str, None] = {}
    for extra in extras:
        if repository is not None and extra.get("repository") != repository:
            continue
        records = extra.get("records", {})
        for identifier in [*records.get("new", ()), *records.get("changed", ())]:
            found[identifier] = None
        for identifier in records.get("deleted", ()):
            found.pop(identifier, None)
    return list(found)


def _extras(triggering: Any) -> list[Mapping[str, Any]]:
    """Give the events' contents in the order in which they happened.

    An event stands under the repository's asset and under the alias: it is taken from the alias only, or, in a DAG that
    is scheduled by a repository's asset itself, from there.
    """
    events = list(triggering[CHANGES]) if CHANGES in triggering else [e for found in triggering.values() for e in found]
    return [event.extra for event in sorted(events, key=lambda event: event.timestamp)]
