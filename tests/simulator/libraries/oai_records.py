"""Fills the OAI-PMH repository: with recorded records, then with made up ones up to any number."""

from __future__ import annotations

import glob
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lxml import etree

from tests.simulator import clock, mediapackage, xmlio
from tests.simulator import storage as files
from tests.simulator.mediapackage import Element, MediaPackage
from tests.simulator.oaipmh import InlinedElement, OaiContents, OaiRecord
from tests.simulator.recordings import Recordings
from tests.simulator.settings import DEFAULT_ORGANIZATION

if TYPE_CHECKING:
    from tests.simulator.server import Simulator

REPOSITORY, CHANNEL = "default", "oaipmh-default"
FIRST_MADE_UP = datetime(2026, 1, 1, tzinfo=UTC)
#: So many made up records share a second.
IN_A_SECOND = 3
_SMALL = ("oaipmh/records_inlined",)
_LARGE = tuple(f"oaipmh/paged/ListRecords_matterhorn-inlined_{page}" for page in (0, 1))


def load_recorded(simulator: Simulator, recordings: Recordings, number: int | None) -> None:
    """Load recorded records.

    :param number: of records; None loads those of the small recorded repository. Where there are fewer recorded ones,
        made up ones follow.
    """
    many = number is not None and (recordings.root / f"{_LARGE[0]}.json").exists()
    seconds: Counter[str] = Counter()
    loaded = 0
    for name in _LARGE if many else _SMALL:
        root = _parsed(recordings.text(name, simulator.url))
        for record in root.iter("{*}record"):
            if number is None or loaded < number:
                _load(simulator, record, seconds)
                loaded += 1
    load_made_up(simulator, (number or 0) - loaded)


def _parsed(text: str) -> etree._Element:
    return etree.fromstring(text.encode(), etree.XMLParser(remove_blank_text=True, resolve_entities=False))


def _load(simulator: Simulator, record: etree._Element, seconds: Counter[str]) -> None:
    """Load a record; those of one second keep their order by milliseconds that are made up."""
    identifier, stamp = str(record.findtext(".//{*}identifier")), str(record.findtext(".//{*}datestamp"))
    modified = (clock.parse(stamp) or clock.now()) + timedelta(milliseconds=10 * seconds[stamp])
    seconds[stamp] += 1
    inlined = record.find("{*}metadata/{*}inlined")
    children = [] if inlined is None else list(inlined)
    contents = OaiContents(
        xmlio.copy_of(children[0], "").replace("<mediapackage", f'<mediapackage xmlns="{_namespace(children[0])}"', 1),
        tuple(InlinedElement(xmlio.local(e), str(e.get("type")), _standing_alone(e[0])) for e in children[1:]),
    )
    simulator.state.oai.put(
        OaiRecord(REPOSITORY, identifier, DEFAULT_ORGANIZATION, modified, lambda: contents)
    )  # fmt: skip
    _publish(simulator, contents)


def _publish(simulator: Simulator, contents: OaiContents) -> None:
    """Link the files of a record, which were not recorded, to those of other channels that came out of the same run."""
    package = mediapackage.parse(contents.package)
    home = simulator.storage.downloads / DEFAULT_ORGANIZATION
    for element in package.elements:
        place = f"{package.id}/{unquote(urlsplit(str(element.url)).path).split(f'/{package.id}/')[-1]}"
        twin = next((path for path in sorted(home.glob(f"*/{glob.escape(place)}")) if path.is_file()), None)
        if twin is not None:
            files.link(twin, home / CHANNEL / place)


def _namespace(element: etree._Element) -> str:
    return str(etree.QName(element).namespace)


def _standing_alone(element: etree._Element) -> str:
    """Write an element with the namespaces that it uses, and not with all of the document around it."""
    twin = etree.fromstring(etree.tostring(element, with_tail=False))
    etree.cleanup_namespaces(twin)
    return etree.tostring(twin, encoding="unicode")


def load_made_up(simulator: Simulator, number: int) -> None:
    """Load made up records, whose contents are computed when they are asked for."""

    def contents(index: int) -> OaiContents:
        return _made_up(simulator.url, index)

    for index in range(number):
        modified = FIRST_MADE_UP + timedelta(seconds=index // IN_A_SECOND, milliseconds=100 * (index % IN_A_SECOND))
        simulator.state.oai.put(OaiRecord(
            REPOSITORY, f"oai-{index:06}", DEFAULT_ORGANIZATION, modified,
            partial(contents, index),
        ))  # fmt: skip


def _made_up(url: str, index: int) -> OaiContents:
    identifier, title = f"oai-{index:06}", f"Made up {index} – Übung"
    package = MediaPackage(identifier, clock.seconds(FIRST_MADE_UP - timedelta(days=index)), title=title)
    base = f"{url}/static/{DEFAULT_ORGANIZATION}/{CHANNEL}/{identifier}"
    for kind, element_id, flavor, mimetype, name in (
        ("track", "t", "presenter/delivery", "video/mp4", "v.mp4"),
        ("catalog", "c", "dublincore/episode", "text/xml", "dublincore.xml"),
    ):
        element = Element(kind, f"{element_id}-{index}", flavor, mimetype=mimetype)
        element.url = f"{base}/{element.id}/{name}"
        package.elements.append(element)
    catalog = (
        '<dublincore xmlns="http://www.opencastproject.org/xsd/1.0/dublincore/" '
        f'xmlns:dcterms="http://purl.org/dc/terms/"><dcterms:title>{title}</dcterms:title>'
        f"<dcterms:identifier>{identifier}</dcterms:identifier>"
        f"<dcterms:creator>Lecturer {index % 17}</dcterms:creator></dublincore>"
    )
    inlined = InlinedElement("catalog", "dublincore/episode", catalog)
    return OaiContents(package.to_xml(prolog=False), (inlined,))
