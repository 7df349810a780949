"""Feeds hold what their reader may see, and are valid RSS 2.0 and JSON Feed."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime

import pytest
from lxml import etree
from opencast.errors import FeedUnavailable
from opencast.harvest.feed_documents import json_feed, rss
from opencast.harvest.feeds import Feed, read_feed
from opencast.store.catalogue import MediaItem
from sqlalchemy import update

from tests.harvest.conftest import Site
from tests.harvest.recordings import Film, Recording

MEDIA = "{http://search.yahoo.com/mrss/}"
WHERE = {"address": "https://x/feeds/lectures.rss?a=1&b=2", "site": "https://x/"}
TOKEN = "token-of-lectures"


def lecture(number: int) -> Recording:
    film = Film(id=f"t-{number}", url=f"https://oc.example.org/{number}.mp4?a=1&b=2")
    return Recording(title=f"Lecture <{number}>", description="Law & order", series="algo", films=(film,))


@pytest.fixture
def site(site: Site) -> Site:
    site.series("algo", playlist_id=site.playlist(public=True), title="Algorithms")
    for number in range(3):
        site.server.put(f"ev-{number}", lecture(number))
        site.clock.tick(1)
    site.harvest()
    return site


def make_public(site: Site, *items: int) -> None:
    with site.database.session() as session:
        session.execute(update(MediaItem).where(MediaItem.id.in_(items)).values(public=True))


def titles(feed: Feed) -> list[str]:
    return [item.title for item in feed.items]


# --- rights ----------------------------------------------------------------------------------------------------------


def test_a_public_feed_holds_public_items_only(site: Site) -> None:
    assert titles(read_feed(site.database, "lectures")) == []
    make_public(site, 1, 3)
    assert titles(read_feed(site.database, "lectures")) == ["Lecture <0>", "Lecture <2>"]


def test_the_token_opens_all_items(site: Site) -> None:
    assert titles(read_feed(site.database, "lectures", TOKEN)) == ["Lecture <0>", "Lecture <1>", "Lecture <2>"]


def test_a_playlist_that_is_not_public_needs_its_token(site: Site) -> None:
    site.playlist("private")
    with pytest.raises(FeedUnavailable):
        read_feed(site.database, "private")
    assert titles(read_feed(site.database, "private", "token-of-private")) == []


@pytest.mark.parametrize(
    ("name", "token"), [("lectures", "wrong"), ("lectures", ""), ("nothing", TOKEN), ("nothing", None)]
)
def test_a_wrong_token_and_a_missing_feed_look_the_same(site: Site, name: str, token: str | None) -> None:
    with pytest.raises(FeedUnavailable, match=r"There is no such feed\."):
        read_feed(site.database, name, token)


def test_deleted_items_are_not_in_a_feed(site: Site) -> None:
    site.server.delete("ev-1")
    site.harvest()
    assert titles(read_feed(site.database, "lectures", TOKEN)) == ["Lecture <0>", "Lecture <2>"]


def test_a_long_playlist_gives_its_last_items(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencast.harvest.feeds.MAX_ITEMS", 2)
    assert titles(read_feed(site.database, "lectures", TOKEN)) == ["Lecture <1>", "Lecture <2>"]


# --- documents -------------------------------------------------------------------------------------------------------


def test_rss_has_enclosures_and_media_elements(site: Site) -> None:
    root = etree.fromstring(rss(read_feed(site.database, "lectures", TOKEN), **WHERE))
    channel = root[0]
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    assert [channel.findtext(name) for name in ("title", "link", "description")] == [
        "Lectures",
        "https://x/",
        "Lectures",
    ]
    items = channel.findall("item")
    assert [item.findtext("title") for item in items] == ["Lecture <0>", "Lecture <1>", "Lecture <2>"]
    enclosure = items[0].find("enclosure")
    assert enclosure is not None
    assert dict(enclosure.attrib.items()) == {
        "url": "https://oc.example.org/0.mp4?a=1&b=2",
        "length": "76115",
        "type": "video/mp4",
    }
    content = items[0].find(f"{MEDIA}content")
    assert content is not None
    assert (content.get("duration"), content.get("width"), content.get("height")) == ("6", "640", "360")
    assert content.get("medium") == "video"
    published = items[0].findtext("pubDate")
    assert published is not None
    assert parsedate_to_datetime(published).isoformat() == "2022-03-02T10:00:00+00:00"
    assert items[0].findtext("guid") == "opencast-media-item-1"
    assert items[0].findtext("category") == "Lecture capture"


def test_json_feed_has_attachments(site: Site) -> None:
    document = json.loads(json_feed(read_feed(site.database, "lectures", TOKEN), **WHERE))
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert document["feed_url"] == WHERE["address"]
    first = document["items"][0]
    assert (first["id"], first["title"], first["content_text"]) == (
        "opencast-media-item-1",
        "Lecture <0>",
        "Law & order",
    )
    assert first["date_published"] == "2022-03-02T10:00:00Z"
    assert first["attachments"] == [
        {
            "url": "https://oc.example.org/0.mp4?a=1&b=2",
            "mime_type": "video/mp4",
            "title": "Lecture <0>",
            "size_in_bytes": 76115,
            "duration_in_seconds": 6,
        }
    ]
    assert first["authors"] == [{"name": "Ada Lovelace"}]


def test_identifiers_stay_when_an_item_changes(site: Site) -> None:
    before = [item.identifier for item in read_feed(site.database, "lectures", TOKEN).items]
    site.server.put("ev-0", lecture(0).but(title="Another"))
    site.harvest()
    after = read_feed(site.database, "lectures", TOKEN)
    assert [item.identifier for item in after.items] == before
    assert after.items[0].title == "Another"


def test_characters_that_xml_does_not_allow_are_left_out(site: Site) -> None:
    with site.database.session() as session:
        session.execute(update(MediaItem).values(title="a\x0bb\ud7ff", description="\x01"))
    feed = read_feed(site.database, "lectures", TOKEN)
    assert etree.fromstring(rss(feed, **WHERE)).findtext("channel/item/title") == "ab\ud7ff"


def test_an_empty_feed_is_a_feed(site: Site) -> None:
    feed = read_feed(site.database, "lectures")
    assert etree.fromstring(rss(feed, **WHERE)).findall("channel/item") == []
    assert json.loads(json_feed(feed, **WHERE))["items"] == []
