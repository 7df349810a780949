"""``/feeds``: what versions before 16 still have. The recorded ones held no episode, so these never do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import responses
from tests.simulator.routes.access import READ, simulator_of
from tests.simulator.xmlio import escape

router = APIRouter()
LAST_GENERATION = 15
_PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _gone(request: Request) -> Response | None:
    if simulator_of(request).settings.generation <= LAST_GENERATION:
        return None
    return responses.page(404, "Not Found", request.url.path, servlet="default")


@router.api_route("/feeds/", methods=READ)
def root(request: Request) -> Response:
    """Answer what the root of the external API does."""
    simulator = simulator_of(request)
    version = f"v1.{simulator.settings.newest_api}.0"
    text = responses.simple({"version": version, "url": simulator.url})
    return _gone(request) or responses.plain(text, responses.JSON)


@router.api_route("/feeds/feeds", methods=READ)
def feeds(request: Request) -> Response:
    pattern = "/feeds/<type>/<version>/series/<series_id>"
    series = _feed(request, "series", "Series", "Episodes grouped by series", "SeriesFeedService")
    return _gone(request) or responses.gson_response([_audio(request), {**series, "pattern": pattern}])


@router.api_route("/admin-ng/feeds/feeds", methods=READ)
def admin_feeds(request: Request) -> Response:
    return _gone(request) or responses.gson_response([_audio(request)])


def _audio(request: Request) -> dict[str, Any]:
    name = "Series episodes containing audio files"
    return _feed(request, "series_audio", name, name, "CustomFeedService")


def _feed(request: Request, identifier: str, name: str, description: str, kind: str) -> dict[str, Any]:
    return {
        "identifier": f"{simulator_of(request).url}/{identifier}", "name": name, "description": description,
        "copyright": "All rights reserved by The Opencast Project", "type": kind,
    }  # fmt: skip


@router.api_route("/feeds/{kind}/{version}/{query:path}", methods=READ)
def feed(request: Request, kind: str, version: str, query: str) -> Response:
    """Give an Atom or RSS feed: of the latest episodes, or of one series."""
    simulator, (name, _, series_id) = simulator_of(request), query.partition("/")
    series = simulator.state.series.get(series_id)
    if kind not in _WRITERS or name not in ("latest", "series") or (name == "series" and series is None):
        return _gone(request) or responses.empty(404)
    title, about = "Latest episodes", "Latest episodes on site"
    if series is not None:
        title, about = series.catalog.first("title") or "", "Episodes grouped by series"
    body = _WRITERS[kind](simulator.url, query, escape(title), about)
    text = (_PROLOG + body).replace("\n", "\r\n")
    return _gone(request) or responses.plain(text, f"application/{kind}+xml")


def _atom(url: str, query: str, title: str, about: str) -> str:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f'  <title>{title}</title>\n  <link href="{url}/engage/ui" length="1" />\n  <id>{url}/{escape(query)}</id>\n'
        "</feed>\n"
    )


def _rss(url: str, query: str, title: str, about: str) -> str:
    return (
        '<rss xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" version="2.0">\n  <channel>\n'
        f"    <title>{title}</title>\n    <link>{url}/engage/ui</link>\n    <description>{about}</description>\n"
        "    <itunes:owner>\n      <itunes:email />\n      <itunes:name />\n    </itunes:owner>\n"
        "    <itunes:explicit>no</itunes:explicit>\n    <itunes:keywords />\n"
        "    <image>\n      <title>Feed Image</title>\n      <url>/engage/feed-cover.png</url>\n    </image>\n"
        "  </channel>\n</rss>\n"
    )


_WRITERS = {"atom": _atom, "rss": _rss}
