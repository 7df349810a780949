"""An OAI-PMH server for tests, in the manner of Opencast or in the manner of most others. Independent of the product.

As Opencast does it: lists ascend by time of modification, pages have a fixed size, a token continues strictly after
the last record's time, tokens are kept in memory, and a set's list holds the records that are not in it as deleted.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tests.harvest.recordings import FORMATS, OAI, Recording

_TOKENS = 100


@dataclass
class Held:
    """A record on the server."""

    identifier: str
    recording: Recording
    modified: datetime
    deleted: bool = False
    sets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """What goes back to the client."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/xml;charset=utf-8"})


class Refusal(Exception):
    """An error of the protocol."""


@dataclass
class _Query:
    prefix: str
    set_spec: str
    first: datetime | None
    last: datetime
    after: datetime | None = None
    offset: int = 0


@dataclass
class OaiServer:
    """The server; everything that can be odd about one is a field.

    :param now: the server's clock.
    :param opencast: whether it pages like Opencast; otherwise by position, with ``completeListSize`` and ``cursor``.
    :param precision: what the times of modification are rounded down to in the database.
    :param skew: how much later the clock that stamps records is than the one that writes ``responseDate``.
    :param order: sorts the list of a server that is no Opencast.
    """

    now: Callable[[], datetime]
    opencast: bool = True
    page_size: int = 50
    by_day: bool = False
    granularity: str = ""
    precision: timedelta = timedelta(milliseconds=1)
    deleted_record: str = "transient"
    sets: tuple[str, ...] = ()
    skew: timedelta = timedelta(0)
    order: Callable[[Held], Any] = lambda held: held.identifier
    formats: dict[str, str] = field(default_factory=lambda: dict(FORMATS))
    records: dict[str, Held] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)
    before_reply: Callable[[dict[str, str]], Reply | None] | None = None
    _tokens: OrderedDict[str, _Query] = field(default_factory=OrderedDict)
    _serial: int = 0

    # --- the library -------------------------------------------------------------------------------------------------

    def put(
        self, identifier: str, recording: Recording, *, sets: tuple[str, ...] = (), at: datetime | None = None
    ) -> None:
        self.records[identifier] = Held(identifier, recording, self._stamp(at), sets=sets)

    def delete(self, identifier: str) -> None:
        held = self.records[identifier]
        held.deleted = True
        held.modified = self._stamp(None)

    def forget(self, identifier: str) -> None:
        """Delete a record without a trace."""
        del self.records[identifier]

    def restart(self) -> None:
        """Lose everything that is only in memory."""
        self._tokens.clear()

    def _stamp(self, at: datetime | None) -> datetime:
        moment = (at or self.now() + self.skew).astimezone(UTC)
        whole = int(moment.timestamp() * 1_000_000)
        step = int(self.precision.total_seconds() * 1_000_000)
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=whole - whole % step)

    # --- the protocol ------------------------------------------------------------------------------------------------

    def reply(self, arguments: dict[str, str]) -> Reply:
        self.requests.append(dict(arguments))
        if self.before_reply is not None and (special := self.before_reply(arguments)) is not None:
            return special
        verb = arguments.get("verb", "")
        handler = getattr(self, f"_{verb}", None)
        try:
            if handler is None or not verb.isalpha():
                raise Refusal("badVerb")
            body = handler({name: value for name, value in arguments.items() if name != "verb"})
        except Refusal as refusal:
            body = f"<error code={quoteattr(str(refusal))}>no</error>"
            if str(refusal) in {"badVerb", "badArgument"}:
                # Section 3.2 of the protocol: then the request element has no attributes.
                verb = ""
        return Reply(self.envelope(body, verb))

    def envelope(self, body: str, verb: str = "") -> bytes:
        request = f"<request{f' verb={quoteattr(verb)}' if verb else ''}>http://127.0.0.1/oaipmh/default</request>"
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
            f'<OAI-PMH xmlns="{OAI}"><responseDate>{self._second(self.now())}</responseDate>{request}{body}</OAI-PMH>'
        ).encode()

    def _Identify(self, _arguments: dict[str, str]) -> str:
        granularity = self.granularity or ("YYYY-MM-DD" if self.by_day else "YYYY-MM-DDThh:mm:ssZ")
        return (
            "<Identify><repositoryName>Test</repositoryName><baseURL>http://127.0.0.1/</baseURL>"
            "<protocolVersion>2.0</protocolVersion><adminEmail>admin@example.org</adminEmail>"
            f"<earliestDatestamp>2010-01-01</earliestDatestamp><deletedRecord>{self.deleted_record}</deletedRecord>"
            f"<granularity>{granularity}</granularity></Identify>"
        )

    def _ListMetadataFormats(self, _arguments: dict[str, str]) -> str:
        formats = "".join(
            f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix><schema>{space}.xsd</schema>"
            f"<metadataNamespace>{space}</metadataNamespace></metadataFormat>"
            for prefix, space in self.formats.items()
        )
        return f"<ListMetadataFormats>{formats}</ListMetadataFormats>"

    def _ListSets(self, _arguments: dict[str, str]) -> str:
        if not self.sets:
            raise Refusal("noSetHierarchy")
        sets = "".join(f"<set><setSpec>{name}</setSpec><setName>{name}</setName></set>" for name in self.sets)
        return f"<ListSets>{sets}</ListSets>"

    def _GetRecord(self, arguments: dict[str, str]) -> str:
        held = self.records.get(arguments.get("identifier", ""))
        if held is None or (held.deleted and self.deleted_record == "no"):
            raise Refusal("idDoesNotExist")
        return f"<GetRecord>{self._record(held, self._prefix(arguments), held.deleted)}</GetRecord>"

    def _ListRecords(self, arguments: dict[str, str]) -> str:
        return f"<ListRecords>{self._list(arguments, self._record)}</ListRecords>"

    def _ListIdentifiers(self, arguments: dict[str, str]) -> str:
        return f"<ListIdentifiers>{self._list(arguments, self._header_of)}</ListIdentifiers>"

    # --- lists -------------------------------------------------------------------------------------------------------

    def _list(self, arguments: dict[str, str], write: Callable[[Held, str, bool], str]) -> str:
        token = arguments.get("resumptionToken")
        query = self._resumed(arguments, token) if token is not None else self._begun(arguments)
        found = list(self._matching(query))
        page = found[query.offset : query.offset + self.page_size]
        if not page:
            raise Refusal("noRecordsMatch")
        items = "".join(write(held, query.prefix, self._is_deleted(held, query)) for held in page)
        return items + self._token(query, page, len(found), token is not None)

    def _begun(self, arguments: dict[str, str]) -> _Query:
        prefix = self._prefix(arguments)
        set_spec = arguments.get("set", "")
        if set_spec and not self.sets:
            raise Refusal("noSetHierarchy")
        first, last = (self._argument(arguments.get(side), side) for side in ("from", "until"))
        if self.opencast and first is not None and last is not None and first >= last:
            raise Refusal("badArgument")
        return _Query(prefix, set_spec, first, last or self.now() + max(self.skew, timedelta(0)))

    def _resumed(self, arguments: dict[str, str], token: str) -> _Query:
        if len(arguments) > 1:
            raise Refusal("badArgument")
        if token not in self._tokens:
            raise Refusal("badResumptionToken")
        return self._tokens[token]

    def _prefix(self, arguments: dict[str, str]) -> str:
        prefix = arguments.get("metadataPrefix")
        if prefix is None:
            raise Refusal("badArgument")
        if prefix not in self.formats:
            raise Refusal("cannotDisseminateFormat")
        return prefix

    def _argument(self, text: str | None, side: str) -> datetime | None:
        if text is None:
            return None
        if (len(text) != 10 and self.by_day and not self.granularity) or len(text) not in {10, 20}:
            raise Refusal("badArgument")
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        # A day or second as upper border covers all of it; Opencast compares with its beginning.
        whole = timedelta(days=1) if len(text) == 10 else timedelta(seconds=1)
        return moment if side == "from" or self.opencast else moment + whole - timedelta(microseconds=1)

    def _matching(self, query: _Query) -> Iterator[Held]:
        key: Callable[[Held], Any] = (lambda held: (held.modified, held.identifier)) if self.opencast else self.order
        for held in sorted(self.records.values(), key=key):
            in_window = (query.first is None or held.modified >= query.first) and held.modified <= query.last
            is_after = query.after is None or held.modified > query.after
            in_set = self.opencast or not query.set_spec or query.set_spec in held.sets
            if in_window and is_after and in_set and not (held.deleted and self.deleted_record == "no"):
                yield held

    def _is_deleted(self, held: Held, query: _Query) -> bool:
        return held.deleted or bool(query.set_spec and query.set_spec not in held.sets)

    def _token(self, query: _Query, page: list[Held], total: int, resumed: bool) -> str:
        if self.opencast:
            if len(page) < self.page_size:
                return "<resumptionToken/>" if resumed else ""
            following = _Query(query.prefix, query.set_spec, query.first, query.last, after=page[-1].modified)
            return f"<resumptionToken>{self._keep(following)}</resumptionToken>"
        if total <= self.page_size:
            return ""
        end = query.offset + len(page)
        following = _Query(query.prefix, query.set_spec, query.first, query.last, offset=end)
        token = self._keep(following) if end < total else ""
        return f'<resumptionToken completeListSize="{total}" cursor="{query.offset}">{token}</resumptionToken>'

    def _keep(self, query: _Query) -> str:
        self._serial += 1
        token = hashlib.md5(str(self._serial).encode()).hexdigest()
        self._tokens[token] = query
        while len(self._tokens) > _TOKENS:
            self._tokens.popitem(last=False)
        return token

    # --- XML ---------------------------------------------------------------------------------------------------------

    def _record(self, held: Held, prefix: str, deleted: bool) -> str:
        metadata = (
            "" if deleted else f"<metadata>{held.recording.metadata(self.formats[prefix], held.identifier)}</metadata>"
        )
        return f"<record>{self._header(held, deleted)}{metadata}</record>"

    def _header_of(self, held: Held, _prefix: str, deleted: bool) -> str:
        return self._header(held, deleted)

    def _header(self, held: Held, deleted: bool) -> str:
        stamp = held.modified.date().isoformat() if self.by_day else self._second(held.modified)
        sets = "".join(f"<setSpec>{name}</setSpec>" for name in held.sets)
        status = ' status="deleted"' if deleted else ""
        return (
            f"<header{status}><identifier>{escape(held.identifier)}</identifier>"
            f"<datestamp>{stamp}</datestamp>{sets}</header>"
        )

    @staticmethod
    def _second(moment: datetime) -> str:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
