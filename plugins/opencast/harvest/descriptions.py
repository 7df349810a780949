"""What a repository says of itself: Identify, its metadata formats, its sets (OAI-PMH 2.0, sections 4.2, 4.4, 4.6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from opencast.errors import UnreadablePage
from opencast.harvest import datestamps
from opencast.harvest.datestamps import Granularity
from opencast.harvest.limits import clipped
from opencast.harvest.namespaces import MATTERHORN, MATTERHORN_INLINED, OAI, OAI_DC, tag
from opencast.harvest.page import Page

#: Longest text of a description that is kept.
_LENGTH = 500


@dataclass(frozen=True)
class Identify:
    """The answer to ``Identify``.

    :param granularity: as it was said; see :attr:`finest`.
    :param deleted_record: ``no``, ``transient`` or ``persistent``.
    """

    name: str
    base_url: str
    protocol_version: str
    earliest_datestamp: str
    deleted_record: str
    granularity: str
    admin_emails: tuple[str, ...] = ()
    compressions: tuple[str, ...] = ()
    response_date: datetime | None = None

    @property
    def finest(self) -> Granularity:
        """The granularity to ask in."""
        return Granularity.of(self.granularity)

    @property
    def earliest(self) -> datetime | None:
        """The lower limit of all datestamps; Opencast names a day although it stamps by second."""
        return datestamps.read(self.earliest_datestamp)


@dataclass(frozen=True)
class Format:
    """A metadata format; what it is shows in its namespace, whatever the repository calls it."""

    prefix: str
    namespace: str = ""
    schema_url: str = ""

    @property
    def is_inlined(self) -> bool:
        """Whether its records hold a mediapackage of Opencast together with its catalogs and policies."""
        return self.namespace == MATTERHORN_INLINED

    @property
    def is_matterhorn(self) -> bool:
        """Whether its records hold a mediapackage of Opencast."""
        return self.namespace in {MATTERHORN, MATTERHORN_INLINED}

    @property
    def rank(self) -> int:
        """Place in the choice of the format that says most; lower is better."""
        order = (MATTERHORN_INLINED, MATTERHORN, OAI_DC)
        return order.index(self.namespace) if self.namespace in order else len(order)


@dataclass(frozen=True)
class SetInfo:
    """A set of records."""

    spec: str
    name: str = ""


def read_identify(page: Page) -> Identify:
    """Read the answer to ``Identify``.

    :raises UnreadablePage: another version of the protocol.
    """
    node = page.payload
    version = _text(node, "protocolVersion")
    if version and not version.startswith("2."):
        raise UnreadablePage(f"The repository speaks version {version[:20]} of OAI-PMH, not 2.0.")
    return Identify(
        name=_text(node, "repositoryName"),
        base_url=_text(node, "baseURL"),
        protocol_version=version,
        earliest_datestamp=_text(node, "earliestDatestamp"),
        deleted_record=_text(node, "deletedRecord").lower(),
        granularity=_text(node, "granularity"),
        admin_emails=_texts(node, "adminEmail"),
        compressions=_texts(node, "compression"),
        response_date=page.response_date,
    )


def read_formats(page: Page) -> tuple[Format, ...]:
    """Read the answer to ``ListMetadataFormats``; a format without prefix cannot be asked for and is left out."""
    formats = (
        Format(_text(node, "metadataPrefix"), _text(node, "metadataNamespace"), _text(node, "schema"))
        for node in page.payload.findall(tag(OAI, "metadataFormat"))
    )
    return tuple(found for found in formats if found.prefix)


def read_sets(page: Page) -> tuple[SetInfo, ...]:
    """Read one page of ``ListSets``."""
    sets = (SetInfo(_text(node, "setSpec"), _text(node, "setName")) for node in page.payload.findall(tag(OAI, "set")))
    return tuple(found for found in sets if found.spec)


def _text(node: etree._Element, name: str) -> str:
    return clipped((node.findtext(tag(OAI, name)) or "").strip(), _LENGTH)


def _texts(node: etree._Element, name: str) -> tuple[str, ...]:
    texts = (clipped((child.text or "").strip(), _LENGTH) for child in node.findall(tag(OAI, name)))
    return tuple(text for text in texts if text)
