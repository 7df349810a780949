"""``/oaipmh``: the OAI-PMH server."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import clock, oaipmh_xml, responses
from tests.simulator.oaipmh import OaiRecord, OaiRepositories, SavedQuery
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of

router = APIRouter()
_TYPE = "text/xml;charset=utf-8"
_DATE = re.compile(r"(\d+)-(\d+)-(\d+)")
_MOMENT = re.compile(r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z")


class NoDate(ValueError):
    """An argument is no date, which the server does not expect: it answers 500."""


class OaiError(Exception):
    """An error of the protocol."""

    def __init__(self, code: str, about: str = "") -> None:
        super().__init__(code)
        self.code, self.about = code, about


class _Question:
    """One request; blank arguments count as missing."""

    def __init__(self, request: Request, repository: str, arguments: dict[str, str]) -> None:
        simulator = simulator_of(request)
        self._given = {name: value.strip() for name, value in arguments.items() if value.strip()}
        self.repository, self.org = repository, caller_of(request).organization.id
        self.url = f"{simulator.url}/oaipmh/{repository}"
        self.settings = simulator.settings
        self.records: OaiRepositories = simulator.state.oai

    def get(self, name: str) -> str | None:
        """Give an argument."""
        return self._given.get(name)

    def answer(self, body: str, *attributes: tuple[str, str | None]) -> bytes:
        """Write an answer."""
        return oaipmh_xml.document(self.url, body, [*attributes, ("verb", self.get("verb"))])


@router.api_route("/oaipmh", methods=[*READ, "POST"])
@router.api_route("/oaipmh/{path:path}", methods=[*READ, "POST"])
def oaipmh(request: Request, form: Form, path: str = "") -> Response:
    settings = simulator_of(request).settings
    repository = next((part for part in path.split("/") if part), settings.oai_repositories[0])
    if repository not in settings.oai_repositories:
        return responses.page(404, "Not Found", request.url.path, servlet="/oaipmh")
    question = _Question(request, repository, {**form, **request.query_params})
    verb = question.get("verb")
    try:
        body = _VERBS[verb or ""](question) if verb in _VERBS else None
    except OaiError as error:
        body = oaipmh_xml.error(question.url, verb, error.code, error.about)
    except NoDate:
        return responses.page(500, "Server Error", request.url.path, servlet="/oaipmh")
    if body is None:
        body = oaipmh_xml.error(question.url, None, "badVerb")
    return responses.chunked(body, _TYPE)


def _identify(question: _Question) -> bytes:
    return question.answer(oaipmh_xml.identify(question.url, question.settings.admin_email))


def _formats(question: _Question) -> bytes:
    return question.answer(oaipmh_xml.formats(), ("identifier", question.get("identifier")))


def _sets(question: _Question) -> bytes:
    raise OaiError("noSetHierarchy")


def _get_record(question: _Question) -> bytes:
    identifier, prefix = question.get("identifier"), question.get("metadataPrefix")
    if identifier is None or prefix is None:
        raise OaiError("badArgument")
    if prefix not in oaipmh_xml.PREFIXES:
        raise OaiError("cannotDisseminateFormat")
    if question.get("set"):
        raise OaiError("noRecordsMatch")
    record = question.records.get(question.org, question.repository, identifier)
    if record is None:
        raise OaiError("idDoesNotExist", identifier)
    body = f"<GetRecord>{oaipmh_xml.records([record], prefix)}</GetRecord>"
    return question.answer(body, ("identifier", identifier), ("metadataPrefix", prefix))


def _list_identifiers(question: _Question) -> bytes:
    return _list(question, lambda found, prefix: oaipmh_xml.headers(found))


def _list_records(question: _Question) -> bytes:
    return _list(question, oaipmh_xml.records)


_VERBS: dict[str, Callable[[_Question], bytes]] = {
    "Identify": _identify, "ListMetadataFormats": _formats, "ListSets": _sets, "GetRecord": _get_record,
    "ListIdentifiers": _list_identifiers, "ListRecords": _list_records,
}  # fmt: skip


def _list(question: _Question, write: Callable[[list[OaiRecord], str], str]) -> bytes:
    """Answer with one page; what a token stands for is looked up, whichever verb it was given to."""
    token, prefix, start, until = _arguments(question)
    shown_until, limit = until or clock.now(), question.settings.oai_page
    until = until or question.records.now()
    if token is not None:
        saved = question.records.saved(token)
        if saved is None:
            raise OaiError("badResumptionToken")
        prefix, start, until = saved.prefix, saved.last, saved.until
    found = question.records.search(
        question.org, question.repository, start, until, limit, resumed=token is not None
    )  # fmt: skip
    if not found:
        raise OaiError("noRecordsMatch")
    body = write(found, prefix)
    if len(found) == limit:
        body += oaipmh_xml.token(question.records.save(SavedQuery(prefix, found[-1].modified, until)))
    elif token is not None:
        body += oaipmh_xml.token(None)
    verb = str(question.get("verb"))
    shown = [("metadataPrefix", prefix), ("from", clock.seconds(start) if start and token is None else None)]
    return question.answer(f"<{verb}>{body}</{verb}>", *shown, ("until", clock.seconds(shown_until)))


def _arguments(question: _Question) -> tuple[str | None, str, datetime | None, datetime | None]:
    """Give token, prefix and limits of a list.

    :raises OaiError: for arguments that do not go together.
    """
    token, prefix = question.get("resumptionToken"), question.get("metadataPrefix")
    others = [question.get(name) for name in ("metadataPrefix", "from", "until", "set")]
    if question.get("set"):
        raise OaiError("noSetHierarchy")
    if (token is not None) == any(others):
        raise OaiError("badArgument")
    start, until = _date(question.get("from")), _date(question.get("until"))
    if start and until and not start < until:
        raise OaiError("badArgument")
    if token is None and prefix is None:
        raise OaiError("badArgument")
    if prefix is not None and prefix not in oaipmh_xml.PREFIXES:
        raise OaiError("cannotDisseminateFormat")
    return token, prefix or "", start, until


def _date(text: str | None) -> datetime | None:
    """Read a date as leniently as Java: what follows is not looked at, and the 45th of a month is in the next one.

    :raises NoDate: when it does not even begin like a date.
    """
    if text is None:
        return None
    found = _MOMENT.match(text) or _DATE.match(text)
    if found is None:
        raise NoDate(text)
    year, month, *rest = (int(number) for number in found.groups())
    day, hour, minute, second = (*rest, 0, 0, 0)[:4]
    years, months = divmod(year * 12 + month - 1, 12)
    try:
        return datetime(years, months + 1, 1, tzinfo=UTC) + timedelta(
            days=day - 1, hours=hour, minutes=minute, seconds=second
        )
    except (ValueError, OverflowError) as error:
        raise NoDate(text) from error
