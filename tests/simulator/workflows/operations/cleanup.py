"""``cleanup``."""

from __future__ import annotations

import time

from tests.simulator.mediapackage import flavor_matches
from tests.simulator.workflows.operations.run import Run


def cleanup(run: Run) -> None:
    """Remove all elements but the preserved flavors from the package, the workspace and the working file repository.

    The configured delay is real time on a server; here it is never longer than an operation's set length.
    """
    delay = run.text("delay", "1")
    time.sleep(min(float(delay) if delay.isdigit() else 1.0, run.longest_pause))
    preserved = run.words("preserve-flavors")
    for element in list(run.package.elements):
        if element.url is None or any(flavor_matches(pattern, element.flavor) for pattern in preserved):
            continue
        run.package.remove(element)
        run.assets.workspace.delete(element.url)
