"""Tell people by mail of runs that failed, and of runs that take too long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from opencast.operators.params import Tag
from opencast.settings import Settings

#: Airflow's connection to the mail server; its extra ``from_email`` is the sender.
MAIL_CONNECTION = "smtp_default"
_OWN_TAGS = frozenset(Tag)


def add_notices(dag: Any, settings: Settings) -> None:
    """Let a DAG of this package tell of its runs as the settings say; other DAGs are left alone.

    :param dag: an ``airflow.sdk.DAG``, not yet serialized.
    """
    if not settings.notify_mail or not _OWN_TAGS & set(dag.tags):
        return
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier
    from airflow.sdk.definitions.callback import AsyncCallback
    from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

    failed = _mail(
        settings,
        "{{ dag_run.dag_id }} has failed",
        "<p>The run {{ dag_run.run_id }} of {{ dag_run.dag_id }} has failed. "
        "Its tab <i>Report</i> and the log of its first failed task say why.</p>",
    )
    dag.on_failure_callback = [*_as_list(dag.on_failure_callback), SmtpNotifier(**failed)]
    # Found out when the DAG was made; without it nobody asks for the callbacks (Airflow 3.3).
    dag.has_on_failure_callback = True
    if settings.notify_after_hours:
        late = _mail(
            settings,
            "{{ dag_run.dag_id }} has not ended",
            f"<p>The run {{{{ dag_run.dag_run_id }}}} of {{{{ dag_run.dag_id }}}} has not ended within "
            f"{settings.notify_after_hours:g} hours.</p>",
        )
        alert = DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(hours=settings.notify_after_hours),
            callback=AsyncCallback(SmtpNotifier, kwargs=late),
        )
        dag.deadline = [*(dag.deadline or []), alert]


def _mail(settings: Settings, subject: str, text: str) -> dict[str, Any]:
    return {
        "smtp_conn_id": MAIL_CONNECTION,
        "to": list(settings.notify_mail),
        "subject": f"Airflow: {subject}",
        "html_content": text,
    }


def _as_list(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
