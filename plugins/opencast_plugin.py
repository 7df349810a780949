"""Airflow's plugin: the pages of this package, the tab of each run, and the timetable of back-fills."""

from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin
from opencast.links.report import PAGES
from opencast.timetables.periods import PeriodTimetable
from opencast.web.app import app


class OpencastPlugin(AirflowPlugin):
    """Pages under ``/opencast`` and a report tab on every DAG run."""

    name = "opencast_plugin"
    # Airflow asks the class, but declares what an instance has.
    fastapi_apps: ClassVar = [{"app": app, "url_prefix": PAGES, "name": "Opencast"}]  # type: ignore[misc]
    timetables: ClassVar = [PeriodTimetable]  # type: ignore[misc]
    external_views: ClassVar = [  # type: ignore[misc]
        {
            "name": "Report",
            "href": f"{PAGES}/report?dag_id={{DAG_ID}}&run_id={{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "opencast-report",
        }
    ]
