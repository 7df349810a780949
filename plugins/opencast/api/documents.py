"""Read answers as JSON, XML or text, whatever they are declared as, and never a web page in their place."""

from __future__ import annotations

import json
from typing import Any

from requests import Response

from opencast.api import answers
from opencast.errors import UnexpectedContent


class DocumentReader:
    """Reads the bodies of answers. Some services declare JSON as XML or as text, so content types are not relied on.

    :param masked: texts that no message may hold.
    """

    def __init__(self, masked: tuple[str, ...] = ()) -> None:
        self._masked = masked

    def json(self, response: Response) -> Any:
        """Give the value of a JSON document.

        :raises UnexpectedContent: a web page, or no JSON.
        """
        self._refuse_pages(response)
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError):
            raise self._unexpected(response, "something that is no JSON") from None

    def xml(self, response: Response) -> bytes:
        """Give a body that begins like XML, for the caller to parse.

        :raises UnexpectedContent: a web page, or anything else.
        """
        self._refuse_pages(response)
        if not response.content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise self._unexpected(response, "something that is no XML")
        return response.content

    def text(self, response: Response, *, declared_html: bool = False) -> str:
        """Give a text without blanks at its ends.

        :param declared_html: for services that declare plain text as HTML: only a body that is HTML is refused.
        :raises UnexpectedContent: a web page, or no UTF-8.
        """
        self._refuse_pages(response, declared_html=declared_html)
        try:
            return response.content.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise self._unexpected(response, "a text that is not in UTF-8") from None

    def raw(self, response: Response) -> bytes:
        """Give a body as it is.

        :raises UnexpectedContent: declared as a web page.
        """
        if answers.is_html(response):
            raise self._unexpected(response, "a web page")
        return response.content

    def _refuse_pages(self, response: Response, *, declared_html: bool = False) -> None:
        if answers.begins_like_html(response.content) or (answers.is_html(response) and not declared_html):
            raise self._unexpected(response, "a web page")

    def _unexpected(self, response: Response, what: str) -> UnexpectedContent:
        return answers.unexpected(response, what, masked=self._masked)
