"""The services against the simulator: what one writes, another reads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from opencast.api.client import Client
from opencast.api.opencast import Opencast
from opencast.api.server import Server
from opencast.errors import AuthenticationFailed, Conflict, NotFound
from opencast.model.workflow import WorkflowState

from tests.simulator import Simulator

Simulators = Callable[..., Simulator]
GENERATIONS = pytest.mark.parametrize(("generation", "prefix"), [(17, "a"), (15, "c")])
CATALOG = (
    b'<dublincore xmlns="http://www.opencastproject.org/xsd/1.0/dublincore/" '
    b'xmlns:dcterms="http://purl.org/dc/terms/"><dcterms:title>Sent</dcterms:title></dublincore>'
)
DEFINITION = (
    '<definition xmlns="http://workflow.opencastproject.org"><id>e2e</id><title>E</title><operations>'
    '<operation id="snapshot"><configurations/></operation></operations></definition>'
)


@pytest.fixture
def connect() -> Iterator[Callable[..., Opencast]]:
    made: list[Opencast] = []

    def make(simulator: Simulator, **settings: Any) -> Opencast:
        values: dict[str, Any] = {"username": "admin", "password": "opencast", **settings}
        made.append(Opencast(Client(Server(simulator.url, **values), sleep=lambda _seconds: None)))
        return made[-1]

    yield make
    for opencast in made:
        opencast.close()


Connect = Callable[..., Opencast]


@GENERATIONS
def test_the_whole_library_is_read(simulators: Simulators, connect: Connect, generation: int, prefix: str) -> None:
    opencast = connect(simulators("recorded", generation=generation))
    assert opencast.version == generation
    assert opencast.info.me().is_admin
    assert "publish-engage" in opencast.info.operations()
    events = {row.identifier: row for row in opencast.events.all(page_size=3)}
    assert events.keys() == {row.identifier for row in opencast.events.all()}
    assert f"{prefix}-ev-two-streams" in events
    series = list(opencast.series.list(page_size=2))
    assert len(series) == opencast.series.count()
    for row in series:
        assert opencast.series.dublincore(row.identifier).text("title") == row.title


@GENERATIONS
def test_every_archived_and_published_file_is_what_its_package_says(
    simulators: Simulators, connect: Connect, generation: int, prefix: str
) -> None:
    opencast = connect(simulators("recorded", generation=generation))
    for event in ("ev-two-streams", "ev-names"):
        package = opencast.assets.episode(f"{prefix}-{event}")
        published = [element for publication in package.publications for element in publication.elements]
        for element in (*package.elements, *published):
            assert element.url is not None
            with opencast.static.download(element.url) as download:
                data = b"".join(download.iter())
            if element.checksum is not None:
                assert hashlib.md5(data).hexdigest() == element.checksum.value
            assert opencast.static.probe(element.url).size == len(data)
        for element in package.elements:
            assert element.url is not None
            assert element.checksum is not None
            assert opencast.assets.matches(element.url, element.checksum.value)
            assert not opencast.assets.matches(element.url, "0" * 32)


@GENERATIONS
def test_a_file_is_sent_archived_and_read_back(
    simulators: Simulators, connect: Connect, generation: int, prefix: str
) -> None:
    simulator = simulators("empty", generation=generation)
    opencast = connect(simulator)
    md5 = hashlib.md5(CATALOG).hexdigest()
    assert not opencast.files.matches("e-1", "dc", "dublincore.xml", md5)
    url = opencast.files.put("e-1", "dc", "dublincore.xml", BytesIO(CATALOG), len(CATALOG))
    assert url.startswith(opencast.files.base_uri())
    assert opencast.files.matches("e-1", "dc", "dublincore.xml", md5)
    package = (
        '<mediapackage xmlns="http://mediapackage.opencastproject.org" id="e-1" start="2023-01-01T10:00:00Z">'
        f'<metadata><catalog id="dc" type="dublincore/episode"><mimetype>text/xml</mimetype><url>{url}</url>'
        "</catalog></metadata></mediapackage>"
    )
    instance = opencast.workflows.start(DEFINITION, package, {"note": "a b"})
    simulator.wait_for_workflows()
    assert opencast.workflows.get(instance.id).state is WorkflowState.SUCCEEDED
    assert opencast.workflows.instances("e-1") == ((instance.id, WorkflowState.SUCCEEDED),)
    assert not opencast.workflows.has_active("e-1")
    (catalog,) = opencast.assets.episode("e-1").elements
    assert catalog.checksum is not None
    assert catalog.checksum.value == md5
    assert opencast.assets.workflow_properties("e-1")["note"] == "a b"
    assert opencast.files.delete("e-1", "dc")
    assert not opencast.files.delete("e-1", "dc")


def test_a_second_workflow_for_a_package_is_a_conflict(simulators: Simulators, connect: Connect) -> None:
    simulator = simulators("recorded", operation_seconds=0.5)
    opencast = connect(simulator)
    package = opencast.assets.episode_xml("a-ev-fast")
    opencast.workflows.start(DEFINITION, package)
    with pytest.raises(Conflict):
        opencast.workflows.start(DEFINITION, package)
    simulator.wait_for_workflows()


def test_a_series_moves_from_one_server_to_another(simulators: Simulators, connect: Connect) -> None:
    source, target = connect(simulators("recorded")), connect(simulators("empty"))
    name = "a-series-algorithms"
    catalog, acl = source.series.dublincore(name), source.series.acl(name)
    assert acl is not None
    target.series.put_dublincore(catalog, acl=acl)
    for kind in source.series.elements(name):
        target.series.put_element(name, kind, source.series.element(name, kind))
    for key, value in source.series.properties(name).items():
        target.series.put_property(name, key, value)
    assert catalog.differences(target.series.dublincore(name)) == []
    assert acl.same_as(target.series.acl(name) or type(acl)())
    assert target.series.properties(name) == source.series.properties(name)
    assert target.series.element(name, "binary") == bytes(range(256))


def test_digest_works_for_reading_and_sending(simulators: Simulators, connect: Connect) -> None:
    simulator = simulators("recorded")
    opencast = connect(simulator, username="opencast_system_account", password="CHANGE_ME", auth="digest")
    assert not opencast.info.me().is_anonymous
    url = opencast.files.put("e-1", "dc", "a.xml", BytesIO(CATALOG), len(CATALOG))
    with opencast.static.download(url) as download:
        assert b"".join(download.iter()) == CATALOG


def test_a_wrong_password_is_noticed(simulators: Simulators, connect: Connect) -> None:
    opencast = connect(simulators("empty"), password="wrong")
    with pytest.raises(AuthenticationFailed):
        opencast.info.me()


def test_what_is_not_there_is_not_found(simulators: Simulators, connect: Connect) -> None:
    opencast = connect(simulators("empty"))
    for call in (opencast.assets.episode, opencast.events.get, opencast.series.acl, opencast.workflows.get):
        with pytest.raises(NotFound):
            call("404")
    assert list(opencast.events.all()) == []
    assert list(opencast.series.list()) == []
