"""Read one answer of a repository, strictly and once: what is not certain to be complete is not read at all.

OAI-PMH 2.0, section 3.2: every answer is one ``OAI-PMH`` element with ``responseDate``, ``request``, and either
``error`` elements or one element named like the verb.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from lxml import etree

from opencast.errors import InvalidMediaPackage, UnreadablePage
from opencast.harvest import datestamps
from opencast.harvest.limits import fits_index
from opencast.harvest.matterhorn import MatterhornData
from opencast.harvest.namespaces import OAI, tag
from opencast.harvest.raw import cut_records, digest_of
from opencast.harvest.refusals import refusal

_ENVELOPE = tag(OAI, "OAI-PMH")
_RESPONSE_DATE = tag(OAI, "responseDate")
_REQUEST = tag(OAI, "request")
_ERROR = tag(OAI, "error")
_RECORD = tag(OAI, "record")
_HEADER = tag(OAI, "header")
_METADATA = tag(OAI, "metadata")
_ABOUT = tag(OAI, "about")
_IDENTIFIER = tag(OAI, "identifier")
_DATESTAMP = tag(OAI, "datestamp")
_SET = tag(OAI, "setSpec")
_TOKEN = tag(OAI, "resumptionToken")

#: Bytes in which a document type is looked for when a page could not be parsed.
_PROLOG = 4096
#: What each verb lists; the other verbs have no list.
ITEMS = {"ListRecords": _RECORD, "GetRecord": _RECORD, "ListIdentifiers": _HEADER}


class Token(NamedTuple):
    """A resumption token (OAI-PMH 2.0, section 3.5).

    :param value: empty when the list ends here.
    :param complete_list_size: how many records there are in all, as the repository believes.
    :param cursor: how many came before this page.
    """

    value: str
    complete_list_size: int | None = None
    cursor: int | None = None


class OaiRecord(NamedTuple):
    """A record or a header of a list.

    :param identifier: empty when there is none; then ``error`` says so.
    :param stamp: the datestamp as it was sent.
    :param datestamp: the same, understood; None when it cannot be.
    :param sets: the ``setSpec`` of the header.
    :param xml: the whole element, complete with namespaces; of an unreadable record the bytes as they came.
    :param digest: of the XML.
    :param metadata: the one element inside of ``metadata``; None for headers, deleted and unreadable records.
    :param error: why the record cannot be used; empty when it can.
    :param content: what the metadata says, or why it cannot be used; None while nobody has read it.
    """

    identifier: str
    stamp: str
    datestamp: datetime | None
    deleted: bool
    sets: tuple[str, ...]
    xml: bytes
    digest: bytes
    metadata: etree._Element | None
    error: str
    content: MatterhornData | InvalidMediaPackage | None = None


@dataclass(frozen=True)
class Page:
    """One answer that was read completely.

    :param response_date: the repository's clock; None when it does not tell.
    :param payload: the element named like the verb.
    :param records: for the verbs that list records or headers.
    :param token: None when the answer has no ``resumptionToken`` at all.
    :param findings: what was odd but lost nothing, each as ``<kind>: <sentence>``.
    """

    verb: str
    response_date: datetime | None
    payload: etree._Element
    records: tuple[OaiRecord, ...] = ()
    token: Token | None = None
    findings: tuple[str, ...] = ()

    @property
    def next_token(self) -> str:
        """The token of the next page; empty when this is the last one."""
        return self.token.value if self.token else ""

    def with_findings(self, *findings: str) -> Page:
        """Give the same page with more findings."""
        return replace(self, findings=self.findings + findings)


def parse(body: bytes, *, charset: str | None = None) -> etree._Element:
    """Parse a page and return its root; no entity is resolved, nothing else is loaded, no part is guessed.

    :param charset: encoding to assume where the document declares none.
    :raises UnreadablePage: not well-formed, or with a document type.
    """
    try:
        parser = etree.XMLParser(
            encoding=charset,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            recover=False,
            remove_comments=True,
            remove_pis=True,
            collect_ids=False,
        )
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        if b"<!DOCTYPE" in body[:_PROLOG]:
            raise _with_document_type() from None
        reason = error.msg if isinstance(error, etree.XMLSyntaxError) else str(error)
        raise UnreadablePage(f"The page is not well-formed XML: {reason}.") from None
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        raise _with_document_type()
    return root


def _with_document_type() -> UnreadablePage:
    error = UnreadablePage("The page declares a document type, which is never accepted.")
    error.retriable = False
    return error


def read_page(body: bytes, verb: str, *, charset: str | None = None) -> Page:
    """Parse an answer, read its envelope, and the list in it.

    :param verb: the verb that was asked for.
    :param charset: encoding to assume where the document declares none.
    :raises OaiError: the repository answers with an error; the subclass of its code.
    :raises UnreadablePage: the answer breaks the protocol in a way that may hide records.
    """
    root = parse(body, charset=charset)
    if root.tag != _ENVELOPE:
        raise UnreadablePage(f"The page is no OAI-PMH 2.0 answer: its root is {_shown(root)}.")
    response_date: datetime | None = None
    errors: list[tuple[str, str]] = []
    payloads: list[etree._Element] = []
    for child in root:
        if child.tag == _RESPONSE_DATE:
            response_date = datestamps.read(child.text)
        elif child.tag == _ERROR:
            errors.append((child.get("code", ""), "".join(map(str, child.itertext()))))
        elif child.tag != _REQUEST:
            payloads.append(child)
    if errors and payloads:
        raise UnreadablePage("The page holds both an error and a list: which of them is true cannot be known.")
    if errors:
        raise refusal(errors, response_date)
    if len(payloads) != 1 or payloads[0].tag != tag(OAI, verb):
        found = ", ".join(_shown(payload) for payload in payloads) or "nothing"
        raise UnreadablePage(f"The page answers {verb} with {found}.")
    page = Page(verb, response_date, payloads[0], token=_read_token(payloads[0]))
    if response_date is None:
        page = page.with_findings("no-response-date: an answer does not tell the repository's time")
    return _with_list(page, body) if verb in ITEMS else page


def _with_list(page: Page, body: bytes) -> Page:
    wanted = ITEMS[page.verb]
    nodes: list[etree._Element] = []
    for node in page.payload:
        if node.tag == wanted:
            nodes.append(node)
        elif node.tag != _TOKEN:
            raise UnreadablePage(f"The list of {page.verb} holds {_shown(node)}, which may be a lost record.")
    if not nodes:
        return page.with_findings(f"empty-list: {page.verb} was answered with a list of nothing")
    if wanted == _HEADER:
        return replace(page, records=tuple([_read_header(node) for node in nodes]))
    cut = cut_records(body, page.payload, len(nodes)) or [_written(node) for node in nodes]
    return replace(page, records=tuple([_read_record(node, xml) for node, xml in zip(nodes, cut, strict=True)]))


def _written(node: etree._Element) -> bytes:
    return etree.tostring(node, encoding="utf-8", with_tail=False)


def _read_token(payload: etree._Element) -> Token | None:
    nodes = payload.findall(_TOKEN)
    tokens = {(node.text or "").strip() for node in nodes}
    if len(tokens) > 1 or any(len(node) for node in nodes):
        raise UnreadablePage(
            "What the next page is cannot be known: there are two resumption tokens, or one with elements."
        )
    if not nodes:
        return None
    return Token(tokens.pop(), _number(nodes[0].get("completeListSize")), _number(nodes[0].get("cursor")))


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _read_header(node: etree._Element) -> OaiRecord:
    return _record(node, None, "", _written(node), is_header=True)


def _read_record(node: etree._Element, xml: bytes) -> OaiRecord:
    header: etree._Element | None = None
    metadata: etree._Element | None = None
    error = ""
    for child in node:
        name = child.tag
        if name == _HEADER and header is None:
            header = child
        elif name == _METADATA and metadata is None:
            metadata = child
        elif name != _ABOUT:
            error = f"the record holds {_shown(child)}{' twice' if name in (_HEADER, _METADATA) else ''}"
    return _record(header, metadata, error, xml)


def _record(
    header: etree._Element | None, metadata: etree._Element | None, error: str, xml: bytes, *, is_header: bool = False
) -> OaiRecord:
    """Build a record from its parts; whatever is wrong with them costs this record only."""
    names, stamp, sets = _read_parts(header)
    deleted = header is not None and header.get("status", "").strip().lower() == "deleted"
    identifier = names[0] if names else ""
    content: etree._Element | None = None
    if len(names) > 1 and len(set(names)) > 1:
        # Which of them names the record cannot be known.
        error = error or "its header has several identifiers"
        identifier = ""
    elif not identifier or not fits_index(identifier):
        error = error or ("its identifier is too long" if identifier else "it has no identifier")
        identifier = ""
    elif not is_header and not deleted:
        if metadata is not None and len(metadata) == 1:
            content = metadata[0]
        else:
            error = error or _metadata_error(metadata)
    return OaiRecord(
        identifier,
        stamp,
        datestamps.read(stamp),
        deleted,
        sets,
        xml,
        digest_of(xml),
        None if error else content,
        error,
    )


def _read_parts(header: etree._Element | None) -> tuple[list[str], str, tuple[str, ...]]:
    """Give a header's identifiers, of which there should be one, its datestamp, and its sets."""
    names: list[str] = []
    sets: list[str] = []
    stamp = ""
    for child in header if header is not None else ():
        name = child.tag
        if name == _IDENTIFIER:
            names.append((child.text or "").strip())
        elif name == _DATESTAMP:
            stamp = (child.text or "").strip()
        elif name == _SET:
            sets.append((child.text or "").strip())
    return names, stamp, tuple(sets)


def _metadata_error(metadata: etree._Element | None) -> str:
    if metadata is None:
        return "it has no metadata although it is not deleted"
    return "its metadata is empty" if len(metadata) == 0 else "its metadata holds more than one element"


def _shown(node: etree._Element) -> str:
    """Name an element for a message, shortened: names come from the server as well."""
    return f"<{str(node.tag)[:120]}>"
