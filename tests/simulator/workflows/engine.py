"""Starts workflows and runs their operations in the background."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tests.simulator import clock, metadata, policies
from tests.simulator.assets import AssetManager
from tests.simulator.distribution import Distribution
from tests.simulator.faults import Faults
from tests.simulator.mediapackage import XACML_SERIES, MediaPackage
from tests.simulator.records import EventDocument
from tests.simulator.series_service import SeriesService
from tests.simulator.settings import Settings
from tests.simulator.state import State
from tests.simulator.workflows import conditions
from tests.simulator.workflows.definition import Definition
from tests.simulator.workflows.instance import FINAL, Instance, Operation
from tests.simulator.workflows.operations import HANDLERS, OperationFailed, Run, Skipped

logger = logging.getLogger(__name__)


class WorkflowActive(RuntimeError):
    """Another workflow is running on the package."""

    def __init__(self, title: str, package_id: str) -> None:
        super().__init__(
            f"Can't start workflow '{title}' for media package '{package_id}' because another workflow is "
            "currently active."
        )


class Engine:
    """The workflow service of one server.

    :param handlers: names of the operations that this installation has; those without an implementation here succeed
        without doing anything.
    """

    def __init__(
        self, settings: Settings, state: State, assets: AssetManager, distribution: Distribution,
        series: SeriesService, handlers: frozenset[str], faults: Faults,
    ) -> None:  # fmt: skip
        self.settings, self.state, self.assets = settings, state, assets
        self.distribution, self.series, self.handlers, self.faults = distribution, series, handlers, faults
        self.dispatch_seconds, self.operation_seconds = settings.dispatch_seconds, settings.operation_seconds
        self._pool = ThreadPoolExecutor(settings.running_workflows, "workflow")
        self._closing = threading.Event()

    def close(self) -> None:
        """End: running operations are finished, queued workflows stay as they are."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def start(
        self, definition: Definition, package: MediaPackage, properties: dict[str, str], org: str, user: str, name: str
    ) -> Instance:
        """Start a workflow in the real service's order: metadata, properties with a slim snapshot, then the check.

        :param user: login of the caller, ``name``: shown name.
        :raises WorkflowActive: when another one is running; the properties are stored by then.
        :raises metadata.UnreadableCatalog: when a Dublin Core catalog cannot be read.
        :raises SnapshotFailed: when the slim snapshot fails.
        """
        metadata.populate(package, self.assets.workspace.read)
        self.assets.store_properties(package, org, properties, name)
        with self.state.lock:
            if self.is_active(package.id):
                raise WorkflowActive(definition.title or "", package.id)
            stored = self.state.events[package.id].workflow_properties
            instance = Instance.of(self.state.next_job_id(), definition, package, user, org, stored)
            self.state.workflows[instance.id] = instance
        self.refresh(instance)
        instance.at_start = instance.to_xml()
        self._pool.submit(self._run, instance)
        return instance

    def is_active(self, package_id: str) -> bool:
        """Tell whether a workflow of the package is not over; the one that a deletion starts counts too."""
        running = any(workflow.active for workflow in self.state.workflows_of(package_id))
        return running or package_id in self.state.retracting

    def stop(self, instance: Instance) -> None:
        """Stop a workflow; the operation that is running is finished, no other one is started."""
        with self.state.lock:
            instance.state = "STOPPED"
            instance.completed = clock.now()
        for element in instance.package.elements:
            self.assets.workspace.delete(element.url)
        self._index(instance)

    def remove(self, instance: Instance) -> None:
        """Forget a workflow; the index goes by what is left of the event then."""
        with self.state.lock:
            self.state.workflows.pop(instance.id, None)

        def change(old: EventDocument | None) -> EventDocument | None:
            if old is None or old.workflow_id != instance.id:
                return old
            uploaded = old.scheduling is not None and old.scheduling.state in ("capture_finished", "upload_finished")
            processed = old.workflow_state == "SUCCEEDED" and uploaded
            return replace(old, workflow_id=None, workflow_state="", was_processed=processed)

        self.state.event_index.update(instance.package.id, change)

    def refresh(self, instance: Instance) -> None:
        """Do what every update of an instance does: head from the catalogs, policy of the series, index."""
        package = instance.package
        try:
            metadata.populate(package, self.assets.workspace.read)
        except metadata.UnreadableCatalog:
            logger.info("Metadata for media package %s could not be updated", package.id)
        else:
            self._inject_series_policy(instance)
        self._index(instance)

    def _inject_series_policy(self, instance: Instance) -> None:
        series = self.state.series.get(instance.package.series or "")
        if series is None or series.acl is None or instance.current is None:
            return
        held = metadata.policy(instance.package, XACML_SERIES, self.assets.workspace.read)
        if held is None or not policies.same(held, series.acl):
            self.series.inject_policy(instance.package, series.acl)

    def _index(self, instance: Instance) -> None:
        def change(old: EventDocument | None) -> EventDocument | None:
            document = old or EventDocument(instance.package.id, instance.org)
            return replace(document, workflow_id=instance.id, workflow_state=instance.state)

        if instance.package.id in self.state.events:
            self.state.event_index.update(instance.package.id, change)

    def _run(self, instance: Instance) -> None:
        try:
            if instance.state != "INSTANTIATED":
                return
            instance.state = "RUNNING"
            self.refresh(instance)
            while instance.state in ("RUNNING", "FAILING") and not self._closing.is_set():
                operation = instance.current
                if operation is None:
                    break
                self._step(instance, operation)
            self._finish(instance)
        except Exception:
            logger.exception("workflow %s broke the simulator", instance.id)
            instance.state, instance.completed = "FAILED", clock.now()
            self._index(instance)

    def _step(self, instance: Instance, operation: Operation) -> None:
        operation.id = self.state.next_job_id()
        self._pause(self.dispatch_seconds)
        if instance.state not in ("RUNNING", "FAILING"):
            return
        operation.state, operation.started, operation.host = "RUNNING", clock.now(), self.assets.workspace.base_url
        self._pause(self.operation_seconds)
        try:
            if self._disturbed(instance, operation):
                return
            outcome = self._execute(instance, operation)
        except OperationFailed as failure:
            logger.info("operation %s of workflow %s failed: %s", operation.template, instance.id, failure)
            self._fail(instance, operation)
        else:
            operation.completed, operation.time_in_queue = clock.now(), 0
            operation.state = outcome
        self.refresh(instance)

    def _disturbed(self, instance: Instance, operation: Operation) -> bool:
        """Let a fault happen; gives whether nothing more is done.

        :raises OperationFailed: when that is the fault.
        """
        fault = self.faults.for_operation(operation.template, instance.package.id)
        if fault is None:
            return False
        if fault.kind == "fail":
            raise OperationFailed("a fault was asked for")
        if fault.kind == "hang":
            self._index(instance)
            while instance.state in ("RUNNING", "FAILING") and not self._closing.is_set():
                if fault.released.wait(0.01):
                    break
            return instance.state not in ("RUNNING", "FAILING")
        if fault.kind == "pause":
            instance.state = operation.state = "PAUSED"
            self._index(instance)
        else:
            instance.state = "STOPPED"
            self.remove(instance)
        return True

    def _execute(self, instance: Instance, operation: Operation) -> str:
        """Run one operation; gives its final state.

        :raises OperationFailed: when it fails or nobody can run it.
        """

        def lookup(key: str) -> str | None:
            if key.startswith("org_"):
                return self.assets.workspace.base_url if key.endswith("_url") else None
            return instance.configuration.get(key)

        operation.condition = conditions.replace_variables(operation.condition, lookup)
        for key, value in operation.configuration.items():
            operation.configuration[key] = conditions.replace_variables(value, lookup) or ""
        try:
            if operation.condition and not conditions.holds(operation.condition):
                return "SKIPPED"
        except conditions.InvalidCondition as error:
            raise OperationFailed(str(error)) from error
        if operation.template not in self.handlers:
            raise OperationFailed(f"Unable to find a workflow handler for '{operation.template}'")
        handler = HANDLERS.get(operation.template)
        try:
            if handler is not None:
                handler(Run(instance, operation, self.state, self.assets, self.distribution, self.operation_seconds))
        except Skipped:
            return "SKIPPED"
        return "SUCCEEDED"

    def _fail(self, instance: Instance, operation: Operation) -> None:
        operation.failed_attempts += 1
        operation.completed, operation.state = clock.now(), "FAILED"
        if not operation.fail_on_error or instance.state == "STOPPED":
            return
        handler = self.state.definitions.get(operation.exception_handler or "")
        if handler is None or instance.state == "FAILING":
            instance.state = "FAILED"
            return
        del instance.operations[instance.operations.index(operation) + 1 :]
        instance.state, instance.template = "FAILING", handler.id
        instance.operations.extend(Operation.of(step) for step in handler.operations)

    def _finish(self, instance: Instance) -> None:
        if self._closing.is_set() and instance.current is not None:
            return
        with self.state.lock:
            if instance.state == "FAILING":
                instance.state = "FAILED"
            elif instance.state == "RUNNING":
                instance.state = "SUCCEEDED"
            if instance.state in FINAL:
                instance.completed = clock.now()
        self._index(instance)
        if instance.state in FINAL and self.faults.cleans(instance.package.id):
            self.remove(instance)

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds) if seconds < 0.01 else self._closing.wait(seconds)
