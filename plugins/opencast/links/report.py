"""The link from a run's last task to its report."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from airflow.sdk import BaseOperatorLink

#: Where the plugin's pages are mounted on the API server.
PAGES = "/opencast"


class ReportLink(BaseOperatorLink):
    """Leads to the report page of the task's run."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the page's address, relative to the API server."""
        return report_address(ti_key.dag_id, ti_key.run_id)


def report_address(dag_id: str, run_id: str) -> str:
    """Return the address of a run's report page, relative to the API server."""
    return f"{PAGES}/report?{urlencode({'dag_id': dag_id, 'run_id': run_id})}"
