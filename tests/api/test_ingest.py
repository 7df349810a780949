"""Zipped mediapackages."""

from __future__ import annotations

from io import BytesIO

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import BadRequest, ServerFailure

from tests.api.recorded import replay
from tests.api.scripted_server import ScriptedServer


def test_a_zip_is_sent_after_the_properties_and_answers_the_workflow(
    server: ScriptedServer, opencast: Opencast
) -> None:
    replay(server, "writes/zip_deflated")
    instance = opencast.ingest.add_zipped("noop", BytesIO(b"PK.."), 4, configuration={"a": "Ü"})
    assert (instance.template, instance.mediapackage_id) == ("noop", "a-w12")
    body = server.last.body
    assert body.index(b'name="a"') < body.index(b'name="BODY"; filename="mediapackage.zip"')


@pytest.mark.parametrize(("name", "error"), [("zip_bad", BadRequest), ("zip_streamed_stored", ServerFailure)])
def test_a_zip_that_the_server_cannot_read_is_sent_once(
    server: ScriptedServer, opencast: Opencast, name: str, error: type[Exception]
) -> None:
    replay(server, f"writes/{name}")
    with pytest.raises(error):
        opencast.ingest.add_zipped("noop", BytesIO(b"PK.."), 4)
    assert len(server.requests) == 1
