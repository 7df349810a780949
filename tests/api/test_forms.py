"""Forms of any size arrive as they were meant (``bin/setenv``: 1,500,000 bytes; contract 5.11: CXF and multipart)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote_plus

import pytest
from lxml import etree
from opencast.api.client import Client
from opencast.api.forms import LARGEST_FORM, written_form
from opencast.api.opencast import Opencast
from opencast.api.server import Server
from opencast.errors import BadRequest

from tests.simulator import Simulator

#: All that is written in another way in a query, in a part, or in XML.
AWKWARD = "ä€𝄞 %41 + & = < > \" ' \\ / ; \t # ~"


def test_a_usual_form_is_written_as_a_query() -> None:
    form = written_form({"a": AWKWARD, "b": True, "c": 7, "d": None})
    assert form.content_type == "application/x-www-form-urlencoded"
    assert form.body.endswith(b"&b=true&c=7")


def test_a_form_of_exactly_the_limit_is_not_cut_into_parts() -> None:
    assert written_form({"a": "x" * (LARGEST_FORM - 2)}).content_type == "application/x-www-form-urlencoded"
    assert written_form({"a": "x" * (LARGEST_FORM - 1)}).content_type.startswith("multipart/form-data")


@pytest.mark.parametrize("filling", ["x" * LARGEST_FORM, "<ü>" * 200_000])
def test_a_large_form_arrives_as_it_was_written(simulators: Callable[..., Simulator], filling: str) -> None:
    """What leaves no mark in the log of a test: the server's own property holds every character."""
    simulator = simulators()
    opencast = Opencast(Server(simulator.url, "admin", "opencast"))
    opencast.assets.set_workflow_properties("a-ev-fast", {"large": AWKWARD + filling + AWKWARD})
    assert opencast.assets.workflow_properties("a-ev-fast")["large"] == AWKWARD + filling + AWKWARD


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_a_large_document_arrives_however_often_it_is_decoded(times: int) -> None:
    """A real 17 decodes twice: a flavor ``security/xacml+series`` arrived with a blank in it."""
    document = f'<a b="security/xacml+series">100 %41 ä{" " * LARGEST_FORM}</a>'
    form = written_form({"mediapackage": document})
    value = form.body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0].decode()
    for _ in range(times):
        value = unquote_plus(value)
    arrived = etree.fromstring(value)
    assert (arrived.get("b"), (arrived.text or "").rstrip()) == ("security/xacml+series", "100 %41 ä")


def test_a_server_does_not_read_a_large_form_as_a_query(
    simulators: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencast.api.forms.LARGEST_FORM", 2 * LARGEST_FORM)
    client = Client(Server(simulators("empty").url, "admin", "opencast"))
    with pytest.raises(BadRequest, match="Unable to parse form content"):
        client.post_form("/workflow/start", {"mediapackage": "x" * LARGEST_FORM})
