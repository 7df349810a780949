"""One module for each service; :data:`ROUTERS` is what the application mounts, in this order."""

from tests.simulator.routes import (
    api_events,
    api_series,
    api_workflows,
    assets,
    control,
    event_views,
    files,
    info,
    recordings,
    series,
    static,
    workflow,
)  # fmt: skip

ROUTERS = (
    info.router,
    api_events.router,
    event_views.router,
    api_series.router,
    api_workflows.router,
    assets.router,
    control.router,
    files.router,
    recordings.router,
    series.router,
    static.router,
    workflow.router,
)
