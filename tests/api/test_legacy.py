"""The archives of old servers. Their answers follow the contract, because no such server was recorded."""

from __future__ import annotations

import pytest
from opencast.api.legacy import LegacyArchiveService
from opencast.api.opencast import Opencast
from opencast.errors import InvalidAnswer, NotFound

from tests.api.scripted_server import ScriptedServer, xml_answer

PACKAGE = '<mediapackage xmlns="http://mediapackage.opencastproject.org" id="{}"><title>Old</title></mediapackage>'
RESULTS = (
    '<ns2:search-results xmlns:ns2="http://archive.opencastproject.org" total="3">'
    "<ns2:query>x</ns2:query>{}</ns2:search-results>"
)


def _result(identifier: str, package: str | None = None) -> str:
    inner = PACKAGE.format(identifier) if package is None else package
    return f'<ns2:result id="{identifier}" org="o">{inner}</ns2:result>'


@pytest.mark.parametrize(("major", "service"), [(1, "/episode"), (2, "/archive"), (3, "/archive")])
def test_each_generation_has_its_own_path(server: ScriptedServer, opencast: Opencast, major: int, service: str) -> None:
    server.on("GET", f"{service}/archive/mediapackage/a", xml_answer(PACKAGE.format("a")))
    archive = LegacyArchiveService(opencast.client, major=major)
    assert archive.episode("a").title == "Old"
    assert archive.find("b") is None
    with pytest.raises(NotFound):
        archive.episode("b")


def test_all_packages_are_listed_once(server: ScriptedServer, opencast: Opencast) -> None:
    results = _result("a") + _result("b") + _result("a") + _result("c", "")
    server.on("GET", "/archive/episode.xml", xml_answer(RESULTS.format(results)))
    hits = list(LegacyArchiveService(opencast.client, major=2).episodes())
    assert [hit.package().id for hit in hits] == ["a", "b"]
    assert server.last.query["onlyLatest"] == "true"


def test_another_document_is_refused(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/archive/episode.xml", xml_answer("<x/>"))
    with pytest.raises(InvalidAnswer):
        list(LegacyArchiveService(opencast.client, major=2).episodes())
