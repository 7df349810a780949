"""Tell a service that is away from an object that is not there: Opencast answers 404 for both.

What a starting Opencast 17 answered, one request a second, was recorded beside what it answers when it runs:

- Jetty's error page without a servlet (``-``), or with its ``default`` one: the service is not there yet;
- Jetty's error page with a service's own servlet (``/info``, ``/files``): that is there, and has nothing behind it yet;
- ``No service was found.``: CXF, while ``RestPublisher.rewire`` puts the services together anew;
- an empty body or ``The resource you requested does not exist.`` below ``/api``: the root of the External API answers
  for its parts that are not there yet. The parts themselves name what they do not find.

A running service says that it has no such object with an empty body, or with plain text, and never with Jetty's page;
but for the two servlets that are no REST services, ``/static`` and OAI-PMH: they write that page in both cases.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from requests import Response

from opencast.api import addresses

#: CXF's answer, also as a web page.
_NO_SERVICE = b"No service was found"
#: Jetty's page names the servlet since 9.4; before, there was only the sentence.
_SERVLET = re.compile(rb"<tr><th>SERVLET:</th><td>([^<]*)</td></tr>")
_OLD_PAGE = re.compile(rb"<p>\s*Problem accessing [^<]*\. Reason:")
#: No servlet of Opencast: what Jetty names when nobody has taken the path.
_NOBODY = frozenset({b"-", b"default"})
#: First part of the paths of REST services, which never write Jetty's page themselves.
_SERVICES = re.compile(
    r"/(?:admin-ng|api|archive|assets|capture-admin|episode|files|info|ingest|recordings|search|series|services|"
    r"staticfiles|sysinfo|workflow)(?:/|$)"
)
_EXTERNAL_API = re.compile(r"/api(?:/|$)")
_NO_PART = b"The resource you requested does not exist."
_DOUBTFUL = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN})


def is_service_away(response: Response, body: bytes) -> bool:
    """Tell whether a 404 comes from a server that has not got the service right now.

    :param body: the answer's body, or its beginning.
    """
    if response.status_code != HTTPStatus.NOT_FOUND:
        return False
    if _NO_SERVICE in body:
        return True
    path = _path(response)
    servlet = _servlet(body)
    if servlet is not None:
        return servlet in _NOBODY or _SERVICES.match(path) is not None
    if _EXTERNAL_API.match(path):
        # An empty list of values comes as text, the root's answer without a type.
        return body.strip() == _NO_PART or (not body and "Content-Type" not in response.headers)
    return False


def is_in_doubt(response: Response, body: bytes) -> bool:
    """Tell whether a server that starts and one that runs give this very answer, each for its own reason.

    ``/static`` and OAI-PMH refuse everybody and know nothing for some seconds before the server knows its tenants.
    """
    return response.status_code in _DOUBTFUL and _servlet(body) is not None


def _servlet(body: bytes) -> bytes | None:
    """Give the servlet that Jetty's error page names, empty for a page that names none; None for another body."""
    named = _SERVLET.search(body)
    if named is not None:
        return named.group(1).strip()
    return b"" if _OLD_PAGE.search(body) else None


def _path(response: Response) -> str:
    return "/" + addresses.shown(response.url).partition("://")[2].partition("/")[2]
