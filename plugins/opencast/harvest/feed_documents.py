"""Write feeds: RSS 2.0 with enclosures and Media RSS, and JSON Feed 1.1."""

from __future__ import annotations

import json
import re
from email.utils import format_datetime
from typing import Any

from lxml import etree

from opencast.harvest import datestamps
from opencast.harvest.feeds import Feed, FeedItem

RSS_TYPE = "application/rss+xml; charset=utf-8"
JSON_TYPE = "application/feed+json; charset=utf-8"

_MEDIA = "http://search.yahoo.com/mrss/"
_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_GENERATOR = "Opencast on Airflow"
_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})")
# XML 1.0, section 2.2; a title that was edited by hand may hold anything.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def rss(feed: Feed, *, address: str, site: str) -> bytes:
    """Write a feed as RSS 2.0 (https://www.rssboard.org/rss-specification) with Media RSS.

    :param address: the feed's own address.
    :param site: address of the page that the feed belongs to.
    """
    root = etree.Element("rss", nsmap={"media": _MEDIA, "atom": _ATOM, "dc": _DC}, version="2.0")
    channel = etree.SubElement(root, "channel")
    _text(channel, "title", feed.title)
    _text(channel, "link", site)
    _text(channel, "description", feed.description or feed.title)
    _text(channel, "generator", _GENERATOR)
    etree.SubElement(channel, f"{{{_ATOM}}}link", href=address, rel="self", type="application/rss+xml")
    if feed.updated is not None:
        _text(channel, "lastBuildDate", format_datetime(feed.updated))
    for item in feed.items:
        _rss_item(channel, item)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _rss_item(channel: etree._Element, item: FeedItem) -> None:
    node = etree.SubElement(channel, "item")
    _text(node, "title", item.title)
    _text(node, "description", item.description)
    guid = etree.SubElement(node, "guid", isPermaLink="false")
    guid.text = item.identifier
    _text(node, "pubDate", format_datetime(item.published))
    for creator in item.creators:
        _text(node, f"{{{_DC}}}creator", creator)
    for tag in item.tags:
        _text(node, "category", tag)
    # An enclosure must have a length; zero is what is written where it is not known.
    etree.SubElement(node, "enclosure", url=_clean(item.url), length=str(item.size or 0), type=_clean(item.mimetype))
    content = etree.SubElement(node, f"{{{_MEDIA}}}content", url=_clean(item.url), type=_clean(item.mimetype))
    for name, value in _media_attributes(item).items():
        content.set(name, value)
    _text(content, f"{{{_MEDIA}}}title", item.title)
    if item.description:
        _text(content, f"{{{_MEDIA}}}description", item.description)


def _media_attributes(item: FeedItem) -> dict[str, str]:
    medium = item.mimetype.partition("/")[0]
    attributes = {"medium": medium} if medium in {"video", "audio"} else {}
    if item.size is not None:
        attributes["fileSize"] = str(item.size)
    if item.duration is not None:
        attributes["duration"] = str(round(item.duration / 1000))
    size = _SIZE.fullmatch(item.resolution)
    if size:
        attributes |= {"width": size.group(1), "height": size.group(2)}
    return attributes


def json_feed(feed: Feed, *, address: str, site: str) -> bytes:
    """Write a feed as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""
    document: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": site,
        "feed_url": address,
        "items": [_json_item(item) for item in feed.items],
    }
    if feed.description:
        document["description"] = feed.description
    return json.dumps(document, ensure_ascii=False).encode()


def _json_item(item: FeedItem) -> dict[str, Any]:
    attachment: dict[str, Any] = {"url": item.url, "mime_type": item.mimetype, "title": item.title}
    if item.size is not None:
        attachment["size_in_bytes"] = item.size
    if item.duration is not None:
        attachment["duration_in_seconds"] = round(item.duration / 1000)
    return {
        "id": item.identifier,
        "title": item.title,
        "content_text": item.description,
        "date_published": datestamps.as_utcdatetime(item.published),
        "date_modified": datestamps.as_utcdatetime(item.updated),
        "authors": [{"name": name} for name in item.creators],
        "tags": list(item.tags),
        "attachments": [attachment],
    }


def _text(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = _clean(text)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text)
