"""What tasks are forked from has all that they import; where it has not, a task loads nothing that it does not use."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.airflow_home import ROOT

DAGS = sorted(path.stem for path in (ROOT / "dags").glob("*.py"))
#: As a task does: Airflow, its plugins, then the DAG file.
START = """
import importlib, json, sys
import airflow
from airflow.sdk.plugins_manager import integrate_macros_plugins

def loaded():
    return {name for name in sys.modules if name.split(".")[0] in {"opencast", "fastapi", "alembic"}}

parent = loaded()
integrate_macros_plugins()
plugin = loaded()
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps([sorted(parent), sorted(plugin - parent), sorted(loaded() - plugin)]))
"""


def imported(*, lazy: bool) -> tuple[list[str], list[str], list[str]]:
    """Start a Python and return what it has imported with Airflow, with the plugin, and with all DAG files."""
    paths = os.pathsep.join([str(ROOT / "dags"), str(ROOT / "plugins")])
    variables = os.environ | {"AIRFLOW__CORE__LAZY_LOAD_PLUGINS": str(lazy), "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", START, *DAGS], env=variables, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    parent, plugin, dags = json.loads(done.stdout.splitlines()[-1])
    return parent, plugin, dags


def test_a_task_imports_nothing_of_this_package_that_its_parent_has_not() -> None:
    parent, plugin, dags = imported(lazy=False)
    assert "opencast.migration.mediapackage" in parent and "opencast.harvest.harvester" in parent
    assert plugin == [] and dags == []


def test_the_plugin_brings_a_task_no_page_and_no_other_task() -> None:
    parent, plugin, dags = imported(lazy=True)
    assert not {"opencast.web.app", "opencast.migration.mediapackage"} & {*parent, *plugin}
    assert "opencast.migration.mediapackage" in dags
    assert not {name for name in (*parent, *plugin, *dags) if name.startswith(("alembic", "fastapi"))}
