"""Airflow's cluster policies; it finds them here because the plugins folder is on its path.

A site with an ``airflow_local_settings.py`` of its own in ``$AIRFLOW_HOME/config`` wins: it should call
``opencast.operators.notices.add_notices`` in its ``dag_policy`` as is done here.
"""

from __future__ import annotations

from typing import Any

__all__ = ["dag_policy"]


def dag_policy(dag: Any) -> None:
    """Add mails about failed and late runs to the DAGs of this package, if the settings name somebody."""
    from opencast.operators.notices import add_notices
    from opencast.settings import load_settings

    add_notices(dag, load_settings())
