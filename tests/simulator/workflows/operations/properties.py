"""``defaults``, ``include`` and ``log``."""

from __future__ import annotations

import logging

from tests.simulator.workflows.instance import Operation
from tests.simulator.workflows.operations.run import OperationFailed, Run

logger = logging.getLogger(__name__)


def defaults(run: Run) -> None:
    """Set workflow properties that are not set yet."""
    for key, value in run.operation.configuration.items():
        run.instance.configuration.setdefault(key, value)


def include(run: Run) -> None:
    """Insert the operations of another definition behind this one."""
    definition = run.state.definitions.get(run.text("workflow-id"))
    if definition is None:
        raise OperationFailed(f"Workflow definition '{run.text('workflow-id')}' not found")
    position = run.instance.operations.index(run.operation) + 1
    run.instance.operations[position:position] = [Operation.of(step) for step in definition.operations]


def log(run: Run) -> None:
    """Write the package to the log."""
    logger.info("workflow %s: %s", run.instance.id, run.package.to_xml())
