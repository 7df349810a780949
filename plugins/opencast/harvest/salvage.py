"""Read a damaged page as far as it is certain that nothing is lost by it.

Two kinds of damage can be told from a truncated page: text before or after a complete document, and records that are
not well-formed inside of an envelope that is. Everything else stays unreadable.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import NamedTuple

from opencast.errors import UnreadablePage
from opencast.harvest import datestamps
from opencast.harvest.limits import clipped, fits_index
from opencast.harvest.page import OaiRecord, Page, read_page
from opencast.harvest.raw import digest_of

# The name of an element as bytes, with its prefix; the document must be in an encoding that contains ASCII.
_ROOT = re.compile(rb"<((?:[A-Za-z_][\w.-]*:)?)OAI-PMH[\s>]")
_START = b"<%srecord"
_END = re.compile(rb"</%srecord\s*>")
_IDENTIFIER = re.compile(rb"<(?:[\w.-]+:)?identifier\s*>([^<&]{1,4000})</")
_DATESTAMP = re.compile(rb"<(?:[\w.-]+:)?datestamp\s*>([^<&]{1,100})</")
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)


class Salvaged(NamedTuple):
    """A page of which some records are unreadable.

    :param damage: the same for two answers with the same damaged records.
    """

    page: Page
    damage: bytes


def trimmed(body: bytes) -> bytes | None:
    """Cut text before and after the document away, such as the warnings of a PHP script.

    :returns: the document; None when there is nothing to cut, or more than one document in the body.
    """
    root = _ROOT.search(body)
    if root is None or _DOCTYPE.search(body):
        return None
    end = b"</%sOAI-PMH>" % root.group(1)
    if len(_ROOT.findall(body)) != 1 or body.count(end) != 1:
        return None
    declaration = body.rfind(b"<?xml ", 0, root.start())
    begin = root.start() if declaration < 0 else declaration
    document = body[begin : body.index(end) + len(end)]
    return document if len(document) < len(body.strip()) else None


def salvage(body: bytes, verb: str, *, charset: str | None = None) -> Salvaged | None:
    """Read a page record by record.

    The page without its records must be well-formed, and each record must be there from its first to its last byte,
    with nothing between them: then the damaged ones cannot have swallowed others.

    :returns: None when that is not so, or when no single record is the cause.
    """
    root = _ROOT.search(body)
    if verb != "ListRecords" or root is None or _DOCTYPE.search(body):
        return None
    pieces = _pieces(body, root.group(1))
    if pieces is None:
        return None
    head, slices, tail = pieces
    try:
        frame = read_page(head + tail, verb, charset=charset)
    except UnreadablePage:
        return None
    records: list[OaiRecord] = []
    damage = hashlib.blake2b(digest_size=16)
    for piece in slices:
        try:
            records.extend(read_page(head + piece + tail, verb, charset=charset).records)
        except UnreadablePage as error:
            records.append(_unreadable(piece, error))
            damage.update(piece)
    findings = [finding for finding in frame.findings if not finding.startswith("empty-list")]
    findings.append("damaged-records: a page holds records that are not well-formed; they are kept as they came")
    return Salvaged(replace(frame, records=tuple(records), findings=tuple(findings)), damage.digest())


def _pieces(body: bytes, prefix: bytes) -> tuple[bytes, list[bytes], bytes] | None:
    """Cut a page into what comes before its records, the records, and what follows them."""
    starts = [found.start() for found in re.finditer(re.escape(_START % prefix) + rb"[\s>]", body)]
    ends = [found.end() for found in re.finditer(_END.pattern % re.escape(prefix), body)]
    if not starts or len(starts) != len(ends):
        return None
    slices = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        following = starts[number + 1] if number + 1 < len(starts) else len(body)
        if not start < end <= following or (number + 1 < len(starts) and body[end:following].strip()):
            return None
        slices.append(body[start:end])
    return body[: starts[0]], slices, body[ends[-1] :]


def _unreadable(piece: bytes, error: UnreadablePage) -> OaiRecord:
    """Build the record of a piece that is not well-formed; its header is found by its looks, if at all."""
    identifier = _text(_IDENTIFIER.search(piece))
    stamp = _text(_DATESTAMP.search(piece))
    return OaiRecord(
        identifier=identifier if fits_index(identifier) else "",
        stamp=stamp,
        datestamp=datestamps.read(stamp),
        # Nobody's recording is taken away on the word of a damaged record.
        deleted=False,
        sets=(),
        xml=piece,
        digest=digest_of(piece),
        metadata=None,
        error=clipped(f"it is not well-formed: {error.message}", 400),
    )


def _text(found: re.Match[bytes] | None) -> str:
    if found is None:
        return ""
    try:
        return found.group(1).decode("utf-8").strip()
    except UnicodeDecodeError:
        return ""
