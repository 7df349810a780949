"""Mails about runs: only when the settings name somebody, only for the DAGs of this package."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from opencast.operators.notices import add_notices
from opencast.operators.params import Tag
from opencast.settings import Settings


def told(dag_tags: list[str], **settings: Any) -> DAG:
    dag = DAG("some_dag", schedule=None, tags=dag_tags)
    add_notices(dag, Settings(**settings))
    return dag


def test_nobody_is_told_by_default() -> None:
    dag = told([Tag.MIGRATION])
    assert not dag.on_failure_callback and not dag.deadline


def test_a_failed_run_is_told_by_mail() -> None:
    dag = told([Tag.MIGRATION], notify_mail=("a@example.org", "b@example.org"))
    assert DagSerialization.to_dict(dag)["dag"]["has_on_failure_callback"], "the scheduler would not ask for it"
    assert isinstance(dag.on_failure_callback, list)
    (notifier,) = dag.on_failure_callback
    assert isinstance(notifier, SmtpNotifier)
    assert notifier.to == ["a@example.org", "b@example.org"]
    assert notifier.smtp_conn_id == "smtp_default"


def test_a_run_that_takes_too_long_is_told_by_mail() -> None:
    alerts = told([Tag.HARVEST], notify_mail=("a@example.org",), notify_after_hours=1.5).deadline
    assert isinstance(alerts, list)
    (alert,) = alerts
    assert alert.interval == timedelta(hours=1.5)
    assert alert.callback.path == f"{SmtpNotifier.__module__}.SmtpNotifier"
    assert alert.callback.kwargs["to"] == ["a@example.org"]


def test_other_dags_are_left_alone() -> None:
    assert not told(["billing"], notify_mail=("a@example.org",)).on_failure_callback


def test_what_a_dag_does_already_when_it_fails_stays() -> None:
    def own(context: Any) -> None: ...

    dag = DAG("some_dag", schedule=None, tags=[Tag.MIGRATION], on_failure_callback=own)
    add_notices(dag, Settings(notify_mail=("a@example.org",)))
    assert isinstance(dag.on_failure_callback, list)
    assert dag.on_failure_callback[0] is own and len(dag.on_failure_callback) == 2


def test_every_dag_of_the_package_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy is found on the path of plugins, without any configuration of Airflow."""
    from airflow.dag_processing.dagbag import DagBag

    from tests.airflow_home import ROOT

    monkeypatch.setenv("OPENCAST_NOTIFY_MAIL", "a@example.org")
    monkeypatch.setenv("OPENCAST_NOTIFY_AFTER_HOURS", "24")
    bag = DagBag(dag_folder=ROOT / "dags")
    assert bag.dags and not bag.import_errors
    assert [dag.dag_id for dag in bag.dags.values() if not dag.on_failure_callback or not dag.deadline] == []
