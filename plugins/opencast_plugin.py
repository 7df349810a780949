"""Airflow's plugin: the pages of this package, the tab of each run, and the timetable of back-fills."""

from importlib import import_module
from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin
from airflow.settings import LAZY_LOAD_PLUGINS
from opencast.links.report import PAGES
from opencast.timetables.periods import PeriodTimetable
from opencast.web.late import pages

if not LAZY_LOAD_PLUGINS:
    # Otherwise a task loads the plugin, which has imported what it needs, and nothing of the other tasks.
    import_module("opencast.operators.preloaded")


class OpencastPlugin(AirflowPlugin):
    """Pages under ``/opencast`` and a report tab on every DAG run."""

    name = "opencast_plugin"
    # Airflow asks the class, but declares what an instance has.
    fastapi_apps: ClassVar = [{"app": pages, "url_prefix": PAGES, "name": "Opencast"}]  # type: ignore[misc]
    timetables: ClassVar = [PeriodTimetable]  # type: ignore[misc]
    external_views: ClassVar = [  # type: ignore[misc]
        {
            "name": "Report",
            "href": f"{PAGES}/report?dag_id={{DAG_ID}}&run_id={{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "opencast-report",
        }
    ]
