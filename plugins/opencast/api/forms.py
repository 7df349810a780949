"""Write forms as Opencast reads them: as a query would be written, or in parts when they are too large for that."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from opencast.api.uploads import text_part

#: Bytes of the largest form that a server reads: ``maxFormContentSize`` in its ``bin/setenv`` since 2.3, enforced by
#: ``JsonpFilter``, which asks for a parameter of every request; Jetty then answers 400 *Unable to parse form content*.
LARGEST_FORM = 1_500_000
#: What a value keeps as it is in a part. CXF decodes the parts' values like those of a query, and does so twice:
#: in ``FormUtils.populateMapFromMultipart`` and in ``JAXRSUtils.processFormParam`` (CXF 3.4.6 to 3.5.7, which is
#: Opencast 13 to 17; seen on a real 17). ``%`` and ``+`` would get lost.
_KEPT = string.punctuation.replace("%", "").replace("+", "") + string.whitespace

Fields = Mapping[str, str | int | bool | None]


@dataclass(frozen=True)
class WrittenForm:
    """A form ready to be sent."""

    content_type: str
    body: bytes


def encoded(fields: Fields) -> str:
    """Write a query or a form as Opencast reads it: in UTF-8, booleans in lower case; None leaves a field out."""
    return urlencode(_written(fields))


def written_form(fields: Fields) -> WrittenForm:
    """Write a form; one that is too large to be read that way is written in parts, for which there is no limit."""
    body = encoded(fields).encode("ascii")
    if len(body) <= LARGEST_FORM:
        return WrittenForm("application/x-www-form-urlencoded", body)
    boundary = secrets.token_hex(16)
    parts = [text_part(boundary, name, _for_part(value)) for name, value in _written(fields)]
    tail = f"--{boundary}--\r\n".encode("ascii")
    return WrittenForm(f"multipart/form-data; boundary={boundary}", b"".join([*parts, tail]))


def _for_part(value: str) -> str:
    """Write a value so that it is the same after it was decoded.

    In XML this is so however often it is decoded, since a character may be named by its number there.
    """
    if value.startswith("<") and "<!" not in value:
        return value.replace("%", "&#37;").replace("+", "&#43;")
    return quote(quote(value, safe=_KEPT), safe=_KEPT)


def _written(fields: Fields) -> list[tuple[str, str]]:
    return [
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in fields.items()
        if value is not None
    ]
