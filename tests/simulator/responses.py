"""Answers in the wording, escaping and content types of the four serialisers and of Jetty's error pages."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json"
XML = "text/xml"
TEXT = "text/plain"
_SIMPLE_ESCAPES = re.compile("[\u007f-\u009f\u2000-\u20ff]")
_GSON_ESCAPES = re.compile("[<>&='\u2028\u2029]")
_API_VERSION = re.compile(r"application/v1\.(\d+)\.0\+json")


def plain(body: str | bytes = "", content_type: str | None = None, status: int = 200, **headers: str) -> Response:
    """Answer with exactly this content type, nothing added; header names are given with underscores."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        sent["content-type"] = content_type
    return Response(body, status, sent)


def empty(status: int, **headers: str) -> Response:
    """Answer without a body."""
    return plain(b"", None, status, **headers)


def chunked(body: bytes, content_type: str) -> Response:
    """Answer without telling the length."""
    answer = plain(body, content_type)
    del answer.headers["content-length"]
    return answer


def xml(body: str) -> Response:
    """Answer with XML, without a charset."""
    return plain(body, XML)


def simple(value: Any) -> str:
    """Write JSON as json-simple does: slashes escaped, and some ranges as escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
    return _SIMPLE_ESCAPES.sub(_unicode_escape, text)


def gson(value: Any) -> str:
    """Write JSON as Gson does: characters that matter in HTML as escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _GSON_ESCAPES.sub(_unicode_escape, text)


def _unicode_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group(0)):04x}"


def gson_response(value: Any, content_type: str = JSON) -> Response:
    """Answer with Gson's JSON."""
    return plain(gson(value), content_type)


def api_version(request: Request) -> int | None:
    """Give the minor version that the ``Accept`` header asks for; None when there is no such version."""
    newest: int = request.app.state.simulator.settings.newest_api
    accept = request.headers.get("accept", "*/*")
    if "application/json" in accept or "*/*" in accept or "application/*" in accept:
        return newest
    asked = [int(number) for number in _API_VERSION.findall(accept)]
    return max((number for number in asked if number <= newest), default=None)


def api(request: Request, value: Any) -> Response:
    """Answer as the external API, in the version asked for; 406 for an unknown one."""
    version = api_version(request)
    if version is None:
        return empty(406)
    return plain(simple(value), f"application/v1.{version}.0+json")


def missing(sentence: str) -> Response:
    """Answer 404 with a sentence, as the external API does."""
    return plain(sentence, TEXT, 404)


def no_resource() -> Response:
    """Answer 404 as JAX-RS does when a service found nothing."""
    return missing("The resource you requested does not exist.")


def bad_request(sentence: str) -> Response:
    """Answer 400 with a sentence that claims to be JSON."""
    return plain(sentence, JSON, 400)


def page(
    status: int, message: str, path: str, *, servlet: str, causes: tuple[str, ...] = (), **headers: str
) -> Response:
    """Answer with Jetty's error page.

    :param servlet: what the page names as the servlet.
    :param causes: exceptions listed at the end.
    """
    rows = [("URI", path), ("STATUS", str(status)), ("MESSAGE", message), ("SERVLET", servlet)]
    rows += [("CAUSED BY", cause) for cause in causes]
    table = "\n".join(f"<tr><th>{name}:</th><td>{_html(value)}</td></tr>" for name, value in rows)
    title = f"{status} {_html(message)}"
    body = (
        '<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>\n'
        f"<title>Error {title}</title>\n</head>\n<body><h2>HTTP ERROR {title}</h2>\n"
        f"<table>\n{table}\n</table>\n\n</body>\n</html>\n"
    )
    return plain(
        body.encode("iso-8859-1", "replace"), "text/html;charset=iso-8859-1", status,
        **{"cache_control": "must-revalidate,no-cache,no-store"}, **headers,
    )  # fmt: skip


def _html(text: str) -> str:
    return escape(text).replace("&#x27;", "&apos;")


def servlet_of(path: str) -> str:
    """Give the servlet that a path belongs to."""
    parts = path.strip("/").split("/")
    depth = 2 if parts[0] in ("api", "admin-ng") else 1
    return "/" + "/".join(parts[:depth])


def internal_error(request: Request, exception: str, *causes: str) -> Response:
    """Answer 500 with the page of an exception that nobody caught."""
    path = request.url.path
    return page(500, exception, path, servlet=servlet_of(path), causes=(exception, *causes))
