"""The conversations of ``tests/data/oaipmh``: what a repository answers, and what must come of it.

Each file holds conversations of one theme. A conversation has a ``name``, a sentence ``why``, and the ``answers`` to
the ``ListRecords`` and ``GetRecord`` requests in their order; ``Identify`` and ``ListMetadataFormats`` are answered by
themselves. An answer is built from these keys, in this order:

``list``        identifiers of records, each optionally with ``@datestamp``; ``deleted`` names those that are deleted
``token``       the resumption token, with ``size`` and ``cursor`` as its attributes; ``""`` is an empty one
``error``       code of an OAI-PMH error, instead of a list
``xml``/``body`` the whole body instead
``invalid``     says that what was built up to here breaks the protocol
``replace``     pairs of texts, the new one ``repeat`` times; ``deep`` names a record and how deep its title is nested
``before``/``after`` add text around; ``cut_after`` ends the body after a text
``encoding``    the body's encoding, utf-8 by default; ``hex`` pairs replace bytes afterwards
``gzip``        ``yes``, ``unadvertised``, ``broken``, ``truncated``, ``advertised only``
``status``, ``headers``  of the HTTP answer
``drop_after``  bytes of the body after which the connection breaks; ``chunked`` sends it in chunks
``times``       how often this answer is given

``harvests`` instead of ``answers`` holds several harvests, one after the other. The outcome is in ``records``
(identifier: ``alive``, ``deleted`` or ``unreadable``), ``error`` (name of the class), ``findings`` (kinds),
``watermark`` (``moved`` or ``kept``) and ``waited`` (at least so many seconds). ``holds`` names what the repository
really has, where that is not what is alive. ``endless`` says that the server would repeat its last answers for ever to
a client that goes on asking: so many of them.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import yaml

FOLDER = Path(__file__).parent.parent / "data" / "oaipmh"
OAI = "http://www.openarchives.org/OAI/2.0/"
NOW = "2026-11-22T12:00:00Z"
_STAMP = "2026-01-01T00:00:00Z"
_FORMAT = "http://www.openarchives.org/OAI/2.0/oai_dc/"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, as bytes for the socket.

    :param document: the body before anything was done to it; None where it is no document by itself.
    """

    head: bytes
    body: bytes
    drops: bool
    document: bytes | None
    ask: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One harvest of a conversation."""

    mode: str
    answers: tuple[Answer, ...]
    error: str
    findings: frozenset[str]
    watermark: str
    waited: float


@dataclass(frozen=True)
class Conversation:
    """What a repository answers, and what must come of it."""

    theme: str
    name: str
    why: str
    settings: dict[str, Any]
    endpoint: dict[str, Any]
    granularity: str
    deleted_record: str
    namespace: str
    steps: tuple[Step, ...]
    records: dict[str, str]
    holds: frozenset[str]
    endless: int

    def __str__(self) -> str:
        return f"{self.theme}/{self.name}".replace(" ", "-")


@cache
def conversations() -> tuple[Conversation, ...]:
    """All conversations, by theme and in the order of their files."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for raw in yaml.safe_load(path.read_text(encoding="utf-8")):
            found.append(_conversation(path.stem, raw))
    return tuple(found)


def _conversation(theme: str, raw: dict[str, Any]) -> Conversation:
    harvests = raw.get("harvests") or [
        {key: raw[key] for key in ("answers", "error", "findings", "watermark", "waited", "mode") if key in raw}
    ]
    records = {str(key): value for key, value in (raw.get("records") or {}).items()}
    alive = [identifier for identifier, state in records.items() if state != "deleted"]
    return Conversation(
        theme=theme,
        name=raw["name"],
        why=raw["why"],
        settings=raw.get("settings", {}),
        endpoint=raw.get("endpoint", {}),
        granularity=raw.get("granularity", "YYYY-MM-DDThh:mm:ssZ"),
        deleted_record=raw.get("deleted_record", "persistent"),
        namespace=raw.get("namespace", _FORMAT),
        steps=tuple(_step(harvest, number) for number, harvest in enumerate(harvests)),
        records=records,
        holds=frozenset(raw.get("holds", alive)),
        endless=raw.get("endless", 0),
    )


def _step(raw: dict[str, Any], number: int) -> Step:
    """Harvests are a minute apart, and so are the answers to them, unless they say otherwise."""
    error = raw.get("error", "")
    date = NOW.replace(":00:", f":{number:02}:")
    return Step(
        mode=raw.get("mode", "incremental"),
        answers=tuple(_answers([{"date": date, **answer} for answer in raw["answers"]])),
        error=error,
        findings=frozenset(raw.get("findings", ())),
        watermark=raw.get("watermark", "kept" if error else "moved"),
        waited=raw.get("waited", 0),
    )


def _answers(raw: list[dict[str, Any]]) -> Iterator[Answer]:
    for one in raw:
        yield from [build(one)] * one.get("times", 1)


# --- documents -------------------------------------------------------------------------------------------------------


def envelope(content: str, *, date: str = NOW) -> str:
    """A whole answer around its content."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<OAI-PMH xmlns="{OAI}">\n  <responseDate>{date}</responseDate>\n'
        f"  <request>http://127.0.0.1/oai</request>\n{content}\n</OAI-PMH>\n"
    )


def record(identifier: str, *, deleted: bool = False, stamp: str = _STAMP) -> str:
    """A record in Dublin Core."""
    status = ' status="deleted"' if deleted else ""
    header = (
        f"    <header{status}>\n      <identifier>{escape(identifier)}</identifier>\n"
        f"      <datestamp>{stamp}</datestamp>\n    </header>\n"
    )
    metadata = (
        "    <metadata>\n"
        f'      <oai_dc:dc xmlns:oai_dc="{_FORMAT}" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>Title of {escape(identifier)}</dc:title></oai_dc:dc>\n    </metadata>\n"
    )
    return f"  <record>\n{header}{'' if deleted else metadata}  </record>\n"


def document(raw: dict[str, Any]) -> str:
    """The document that an answer begins with."""
    if "xml" in raw or "body" in raw:
        return str(raw.get("xml", raw.get("body")))
    date = raw.get("date", NOW)
    if "error" in raw:
        return envelope(f"  <error code={quoteattr(raw['error'])}>{raw.get('said', 'no')}</error>", date=date)
    items = []
    for entry in raw.get("list", []):
        identifier, _, stamp = str(entry).partition("@")
        items.append(record(identifier, deleted=identifier in raw.get("deleted", []), stamp=stamp or _STAMP))
    if "token" in raw:
        counts = {"completeListSize": raw.get("size"), "cursor": raw.get("cursor")}
        attributes = "".join(f' {name}="{value}"' for name, value in counts.items() if value is not None)
        items.append(f"  <resumptionToken{attributes}>{escape(raw['token'])}</resumptionToken>\n")
    verb = raw.get("verb", "ListRecords")
    return envelope(f"<{verb}>\n{''.join(items)}</{verb}>", date=date)


_EDITS = frozenset({
    "invalid",
    "xml",
    "body",
    "replace",
    "deep",
    "before",
    "after",
    "cut_after",
    "encoding",
    "hex",
    "gzip",
    "status",
    "drop_after",
})


def build(raw: dict[str, Any]) -> Answer:
    """Build one answer."""
    text = document(raw)
    for old, new in raw.get("replace", []):
        assert old in text, f"{old!r} is not in the document"
        text = text.replace(old, str(new) * raw.get("repeat", 1))
    if "deep" in raw:
        identifier, depth = raw["deep"]
        text = text.replace(f"Title of {identifier}", "<b>" * depth + "</b>" * depth)
    text = raw.get("before", "") + text + raw.get("after", "")
    if "cut_after" in raw:
        end = text.index(raw["cut_after"]) + len(raw["cut_after"])
        text = text[:end]
    body = text.encode(raw.get("encoding", "utf-8"))
    for old, new in raw.get("hex", []):
        assert bytes.fromhex(old) in body
        body = body.replace(bytes.fromhex(old), bytes.fromhex(new))
    headers = {"Content-Type": "text/xml;charset=utf-8", **raw.get("headers", {})}
    body = _packed(body, raw.get("gzip", ""), headers)
    chunked = raw.get("chunked", False)
    headers.setdefault(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))))
    if chunked:
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    if "drop_after" in raw:
        body = body[: raw["drop_after"]]
    lines = [f"HTTP/1.1 {raw.get('status', 200)} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    untouched = _EDITS.isdisjoint(raw)
    ask = {key: str(value) for key, value in raw.get("ask", {}).items()}
    return Answer(head, body, "drop_after" in raw, body if untouched and not chunked else None, ask)


def _packed(body: bytes, kind: str, headers: dict[str, str]) -> bytes:
    if not kind:
        return body
    if kind != "unadvertised":
        headers["Content-Encoding"] = "gzip"
    if kind == "advertised only":
        return body
    packed = gzip.compress(body, mtime=0)
    if kind == "truncated":
        return packed[: len(packed) // 2]
    return packed[:20] + b"\0\0\0\0\0\0" + packed[26:] if kind == "broken" else packed
