"""A server's own OAI-PMH repositories."""

from __future__ import annotations

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import InvalidAnswer, InvalidXml

from tests.api.recorded import replay
from tests.api.scripted_server import ScriptedServer, xml_answer

EVENT = "a-ev-oaipmh"
GET = "/oaipmh/default"


def test_a_repository_that_the_server_has_is_known(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "oaipmh/identify", "oaipmh/unknown_repository")
    assert opencast.oaipmh.has("default")
    assert not opencast.oaipmh.has("nope")


def test_a_record_is_read_with_the_ids_of_its_published_paths(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "oaipmh/get")
    package = opencast.oaipmh.mediapackage("default", EVENT)
    assert package is not None
    assert package.id == EVENT
    assert [element.id for element in package.elements] == [element.path_element_id for element in package.elements]


def test_what_is_not_there_is_none(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "oaipmh/get_unknown")
    assert opencast.oaipmh.mediapackage("default", "unknown") is None


def test_what_was_deleted_is_none(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "oaipmh/get_deleted")
    assert opencast.oaipmh.mediapackage("default", EVENT) is None


def test_another_error_is_an_error(server: ScriptedServer, opencast: Opencast) -> None:
    server.on(
        "GET",
        GET,
        xml_answer('<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><error code="badVerb"/></OAI-PMH>'),
    )
    with pytest.raises(InvalidAnswer, match="badVerb"):
        opencast.oaipmh.mediapackage("default", EVENT)


@pytest.mark.parametrize(
    ("text", "error"),
    [("<html/>", InvalidAnswer), ("<OAI-PMH", InvalidXml), ('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', InvalidXml)],
)
def test_what_is_no_repository_is_refused(
    server: ScriptedServer, opencast: Opencast, text: str, error: type[Exception]
) -> None:
    server.on("GET", GET, xml_answer(text))
    with pytest.raises(error):
        opencast.oaipmh.has("default")
