"""The documents of OAI-PMH, indented as the recorded server wrote them."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from tests.simulator import clock, dublincore, xmlio
from tests.simulator.mediapackage import EPISODE
from tests.simulator.oaipmh import OaiContents, OaiRecord
from tests.simulator.xmlio import attributes, leaf

PREFIXES = ("oai_dc", "matterhorn", "matterhorn-inlined")
_PROLOG = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
_OAI = "http://www.openarchives.org/OAI/2.0/"
_XSI = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_HEAD = f'<OAI-PMH{_XSI} xsi:schemaLocation="{_OAI} {_OAI}OAI-PMH.xsd" xmlns="{_OAI}">'
_DC = (
    f'<oai_dc:dc xmlns:dc="http://purl.org/dc/elements/1.1/" xsi:schemaLocation="{_OAI}oai_dc/ {_OAI}oai_dc.xsd"'
    f' xmlns:oai_dc="{_OAI}oai_dc/">'
)
_INLINED = "http://www.opencastproject.org/oai/matterhorn-inlined"
_FORMATS = {
    "oai_dc": (f"{_OAI}oai_dc.xsd", f"{_OAI}oai_dc/"),
    "matterhorn": (
        "http://www.opencastproject.org/oai/matterhorn.xsd",
        "http://www.opencastproject.org/oai/matterhorn",
    ),
    "matterhorn-inlined": (f"{_INLINED}.xsd", _INLINED),
}
_TERMS = (
    "title", "creator", "subject", "description", "publisher", "contributor", "type", "format", "identifier", "source",
    "language", "relation", "coverage", "license",
)  # fmt: skip
MESSAGES = {
    "badVerb": "Illegal OAI verb or verb is missing.",
    "badArgument": "The request includes illegal arguments or is missing required arguments.",
    "badResumptionToken": "The value of the resumptionToken argument is either invalid or expired.",
    "cannotDisseminateFormat": "The metadata format identified by the value given for the metadataPrefix argument is "
    "not supported by the item or by the repository.",
    "idDoesNotExist": "The requested id {} does not exist in the repository.",
    "noRecordsMatch": "The combination of the values of the from, until, and set arguments results in an empty list.",
    "noSetHierarchy": "This repository does not support sets",
}


def document(url: str, body: str, request: list[tuple[str, str | None]]) -> bytes:
    """Write a whole answer.

    :param url: address of the repository.
    :param request: attributes of the ``request`` element; those that are None are left out.
    """
    head = leaf("responseDate", clock.seconds(clock.now()))
    head += f"<request{attributes(request)}>{xmlio.escape(url)}</request>"
    parser = etree.XMLParser(remove_blank_text=True, strip_cdata=False, resolve_entities=False, huge_tree=True)
    root = etree.fromstring(f"{_HEAD}{head}{body}</OAI-PMH>".encode(), parser)
    return _PROLOG.encode() + etree.tostring(root, encoding="UTF-8", pretty_print=True)


def error(url: str, verb: str | None, code: str, about: str = "") -> bytes:
    """Write an error, which comes with status 200."""
    body = f'<error code="{code}"><![CDATA[{MESSAGES[code].format(about)}]]></error>'
    return document(url, body, [("verb", verb)])


def identify(url: str, admin_email: str) -> str:
    """Describe the repository; its earliest date is a day although its dates have seconds."""
    fields = {
        "repositoryName": "Matterhorn OAI-PMH repository", "baseURL": url, "protocolVersion": "2.0",
        "adminEmail": admin_email, "earliestDatestamp": "2010-01-01", "deletedRecord": "transient",
        "granularity": "YYYY-MM-DDThh:mm:ssZ",
    }  # fmt: skip
    return f"<Identify>{''.join(leaf(name, value) for name, value in fields.items())}</Identify>"


def formats() -> str:
    """List the metadata formats."""
    inner = "".join(
        f"<metadataFormat>{leaf('metadataPrefix', prefix)}{leaf('schema', schema)}"
        f"{leaf('metadataNamespace', namespace)}</metadataFormat>"
        for prefix, (schema, namespace) in _FORMATS.items()
    )
    return f"<ListMetadataFormats>{inner}</ListMetadataFormats>"


def token(value: str | None) -> str:
    """Write a resumption token; None is the empty one at the end of a list of several pages."""
    return leaf("resumptionToken", value) if value else "<resumptionToken/>"


def headers(records: Iterable[OaiRecord]) -> str:
    """Write the headers of records."""
    return "".join(_header(record) for record in records)


def records(found: Iterable[OaiRecord], prefix: str) -> str:
    """Write records; deleted ones are a header alone."""
    return "".join(_record(record, prefix) for record in found)


def _header(record: OaiRecord) -> str:
    status = ' status="deleted"' if record.deleted else ""
    inner = leaf("identifier", record.package_id) + leaf("datestamp", clock.seconds(record.modified))
    return f"<header{status}>{inner}</header>"


def _record(record: OaiRecord, prefix: str) -> str:
    if record.deleted:
        return f"<record>{_header(record)}</record>"
    return f"<record>{_header(record)}<metadata>{_metadata(record, prefix)}</metadata></record>"


def _metadata(record: OaiRecord, prefix: str) -> str:
    contents = record.load()
    if prefix == "oai_dc":
        return _dc(record.package_id, contents)
    if prefix == "matterhorn":
        return contents.package
    # The root of the answer has declared this namespace already.
    inner = "".join(
        f"<{element.kind}{attributes([('type', element.flavor)])}>{element.xml.replace(_XSI, '')}</{element.kind}>"
        for element in contents.elements
    )
    return f'<inlined xmlns="{_INLINED}">{contents.package}{inner}</inlined>'


def _dc(package_id: str, contents: OaiContents) -> str:
    """Write Dublin Core; the prefix of its elements is bound to the namespace of OAI-PMH, which is a mistake."""
    catalog = next((element.xml for element in contents.elements if element.flavor == EPISODE), None)
    values: list[tuple[str, str, str | None]] = [("identifier", package_id, None)]
    if catalog is not None:
        held = dublincore.parse(catalog.encode()).values
        values = [(term, v.value, v.lang) for term in _TERMS for v in held if (v.namespace, v.name) == _term(term)]
    inner = "".join(
        f'<dc:{term} xmlns:dc="{_OAI}"{attributes([("xml:lang", lang)])}>{xmlio.escape(value)}</dc:{term}>'
        for term, value, lang in values
    )
    return f"{_DC}{inner}</oai_dc:dc>"


def _term(name: str) -> tuple[str, str]:
    return dublincore.TERMS, name
