"""The operations that really do something; each takes a :class:`Run` and changes its package.

To add one: write ``def operation(run: Run) -> None`` in a module here and enter it in ``HANDLERS``.
"""

from tests.simulator.workflows.operations.cleanup import cleanup
from tests.simulator.workflows.operations.download import ingest_download, publication_channel_to_workspace
from tests.simulator.workflows.operations.inspect import inspect
from tests.simulator.workflows.operations.oaipmh import publish_oaipmh, retract_oaipmh
from tests.simulator.workflows.operations.properties import defaults, include, log
from tests.simulator.workflows.operations.publish import publish_configure, publish_engage
from tests.simulator.workflows.operations.retract import retract_configure, retract_engage
from tests.simulator.workflows.operations.run import OperationFailed, Run, Skipped
from tests.simulator.workflows.operations.snapshot import asset_delete, snapshot
from tests.simulator.workflows.operations.tag import tag

HANDLERS = {
    "asset-delete": asset_delete,
    "cleanup": cleanup,
    "defaults": defaults,
    "include": include,
    "ingest-download": ingest_download,
    "inspect": inspect,
    "log": log,
    "publication-channel-to-workspace": publication_channel_to_workspace,
    "publish-configure": publish_configure,
    "publish-engage": publish_engage,
    "publish-oaipmh": publish_oaipmh,
    "retract-configure": retract_configure,
    "retract-engage": retract_engage,
    "retract-oaipmh": retract_oaipmh,
    "snapshot": snapshot,
    "tag": tag,
}

__all__ = ["HANDLERS", "OperationFailed", "Run", "Skipped"]
