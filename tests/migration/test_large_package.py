"""A mediapackage whose XML is larger than a form may be comes over like any other."""

from __future__ import annotations

from opencast.api.forms import LARGEST_FORM
from opencast.api.opencast import Opencast
from opencast.store.ledger import State

from tests.migration.pair import Pair, server

EVENT = "a-ev-archive-only"


def test_a_package_beyond_the_limit_of_a_form_arrives(pair: Pair) -> None:
    """Tags are the plainest way to let a package grow; real ones grow by thousands of previews."""
    contents = pair.source.state.events[EVENT].latest
    assert contents is not None
    element = contents.load().package.elements[0]
    element.tags |= {f"tag-{number:06}-%41+ä" for number in range(60_000)}
    source = Opencast(server(pair.source))
    assert len(source.assets.episode_xml(EVENT)) > LARGEST_FORM
    entry = pair.migrate(EVENT)
    assert entry.state is State.DONE, entry.reason
    there = Opencast(server(pair.target)).assets.episode(EVENT).element(str(element.id))
    assert there is not None
    assert set(element.tags) <= set(there.tags)
