"""Turn an answer of the network into a page, or into an error that says what it is instead."""

from __future__ import annotations

import re
from dataclasses import replace

from opencast.api import answers
from opencast.errors import BadRequest, UnreadablePage
from opencast.harvest.page import Page, read_page
from opencast.harvest.refusals import OaiError
from opencast.harvest.salvage import Salvaged, salvage, trimmed
from opencast.harvest.transport import Answer

_BOM = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"
_DECLARED = re.compile(rb"^\s*<\?xml[^>]*\bencoding\s*=")
_FORMS = (b'type="password"', b"type='password'", b"j_spring_security_check")


def read_answer(answer: Answer, verb: str) -> Page:
    """Read a whole answer strictly.

    Blanks before the document, and text before or after a complete one, are cut away and reported: they lose nothing.

    :raises OaiError: the repository answers with an error.
    :raises UnreadablePage: truncated, damaged, no OAI-PMH.
    :raises BadRequest: an error status with a page that is no OAI-PMH error.
    """
    body, findings = _begun(answer.body)
    try:
        page = read_page(body, verb)
    except UnreadablePage as error:
        page = _second_look(answer, body, verb, error)
    except OaiError as error:
        error.response_date = error.response_date or answer.date
        raise
    if page.response_date is None:
        page = replace(page, response_date=answer.date)
    if answer.status != 200:
        raise BadRequest(
            f"The repository answered {verb} with status {answer.status} and a list.", status=answer.status
        )
    return page.with_findings(*findings)


def salvage_answer(answer: Answer, verb: str) -> Salvaged | None:
    """Read what is certain of an answer that :func:`read_answer` refused; None when nothing is."""
    body, _ = _begun(answer.body)
    return salvage(body, verb, charset=_undeclared_charset(answer, body))


def _begun(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Cut blanks away before the XML declaration, which may only stand at the very beginning."""
    stripped = body.lstrip(_BLANKS)
    if stripped.startswith(_BOM):
        stripped = stripped[len(_BOM) :].lstrip(_BLANKS)
    if len(stripped) == len(body) or (body.startswith(_BOM) and len(body) - len(stripped) == len(_BOM)):
        return body, ()
    return stripped, ("leading-blanks: a page begins with blanks",)


def _second_look(answer: Answer, body: bytes, verb: str, error: UnreadablePage) -> Page:
    """Find out what a page is that could not be read: in another encoding, wrapped, or a web page."""
    if not body:
        raise UnreadablePage("The page is empty.") from None
    if answers.begins_like_html(body):
        raise _web_page(body) from None
    charset = _undeclared_charset(answer, body)
    if charset is not None:
        page = _attempt(body, verb, charset)
        if page is not None:
            return page.with_findings(f"charset: pages are in {charset[:40]}, which only the HTTP header says")
    document = trimmed(body)
    if document is not None:
        page = _attempt(document, verb, charset)
        if page is not None:
            return page.with_findings("surrounding-text: a page has text before or after the document")
    raise error


def _attempt(body: bytes, verb: str, charset: str | None) -> Page | None:
    try:
        return read_page(body, verb, charset=charset)
    except UnreadablePage:
        return None


def _undeclared_charset(answer: Answer, body: bytes) -> str | None:
    """Give the HTTP header's encoding where the document itself names none (XML 1.0, section 4.3.3)."""
    charset = answer.charset
    if charset is None or charset.lower().replace("-", "") == "utf8" or body.startswith(_BOM) or _DECLARED.match(body):
        return None
    return charset


def _web_page(body: bytes) -> UnreadablePage:
    said = answers.quote(body)
    login = any(form in body for form in _FORMS)
    error = UnreadablePage(f"A web page came instead of OAI-PMH: {said}")
    if login:
        error.retriable = False
        error.advice = "It is a login page: give the repository's settings a connection_id, or check its password."
    return error
