"""All that a task of this package imports, for the process that tasks are forked from.

A task starts in a new process and reads its DAG file, whose imports cost half a second of CPU time. The scheduler
(LocalExecutor) and a Celery worker that have done them already hand them down: ``AIRFLOW__CORE__LAZY_LOAD_PLUGINS`` in
docs/operating.md.
"""

from opencast.operators import audit, changed_events, flow, harvest_params, period_params, staging
from opencast.triggers import importing

__all__ = ["audit", "changed_events", "flow", "harvest_params", "importing", "period_params", "staging"]
