"""Reading the records of real servers, recorded from Opencast 17 and 15."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree
from opencast.errors import InvalidFlavor, InvalidMediaPackage
from opencast.harvest.matterhorn import MatterhornData, TrackTypes, read_metadata, read_policies
from opencast.harvest.page import Page, read_page
from opencast.model.acl import Acl

DATA = Path(__file__).parent.parent / "data"
PREVIEW = TrackTypes(["presenter/preview"])


def recorded(generation: str, name: str) -> Page:
    exchange = json.loads((DATA / generation / "oaipmh" / f"{name}.json").read_text())
    return read_page(exchange["response"]["text"].encode(), "ListRecords")


def recordings(generation: str, name: str) -> dict[str, MatterhornData]:
    page = recorded(generation, name)
    return {
        record.identifier: read_metadata(record.metadata, PREVIEW)
        for record in page.records
        if record.metadata is not None
    }


@pytest.mark.parametrize(
    ("generation", "identifier"), [("recordings", "a-ev-oaipmh"), ("recordings-15", "c-ev-oaipmh")]
)
def test_an_inlined_record_of_opencast(generation: str, identifier: str) -> None:
    data = recordings(generation, "records_inlined")[identifier]
    assert (data.mediapackage_id, data.title) == (identifier, "Also in OAI-PMH")
    assert data.series_title == "Algorithms & Data Structures <2021>"
    assert data.series.endswith("-series-algorithms")
    assert data.creators == ("Ada Lovelace",)
    assert data.created is not None
    assert data.created.isoformat() == "2022-03-02T10:00:00+00:00"
    assert data.duration == 6014
    # Tracks inside of publications are not the package's own.
    assert [track.url.rpartition("/")[2] for track in data.tracks] == ["cam.mp4"]
    assert "/oaipmh-default/" in data.tracks[0].url


@pytest.mark.parametrize("generation", ["recordings", "recordings-15"])
def test_the_plain_record_says_the_same_but_for_the_dublin_core(generation: str) -> None:
    inlined = recordings(generation, "records_inlined")
    plain = recordings(generation, "records_matterhorn")
    assert inlined.keys() == plain.keys()
    for identifier, data in plain.items():
        other = inlined[identifier]
        assert data._replace(tracks=(), description="") == other._replace(tracks=(), description="")
        assert [track._replace(xml=b"") for track in data.tracks] == [track._replace(xml=b"") for track in other.tracks]


def test_a_track_of_opencast() -> None:
    track = recordings("recordings", "records_inlined")["a-ev-oaipmh"].tracks[0]
    assert (track.flavor, track.mimetype, track.resolution) == ("presenter/preview", "video/mp4", "640x360")
    assert (track.size, track.duration, track.checksum) == (76115, 6014, "md5:0ab39e209041787a92463e54ed203c13")
    assert track.can_be_fetched
    assert etree.fromstring(track.xml).get("id") == track.identifier


def test_the_policies_that_come_along() -> None:
    record = next(one for one in recorded("recordings", "records_inlined").records if one.identifier == "a-ev-oaipmh")
    assert record.metadata is not None
    policies = read_policies(record.metadata)
    assert list(policies) == ["security/xacml+series"]
    roles = Acl.from_xacml(policies["security/xacml+series"]).roles("read")
    assert "ROLE_USER_ALICE" in roles


def test_all_pages_of_a_real_list() -> None:
    pages = [recorded("recordings", f"paged/ListRecords_matterhorn-inlined_{number}") for number in (0, 1)]
    assert [len(page.records) for page in pages] == [50, 22]
    assert [bool(page.next_token) for page in pages] == [True, False]
    for page in pages:
        assert all(record.error == "" for record in page.records)
        assert all(etree.fromstring(record.xml).tag.endswith("record") for record in page.records)


def inlined(package: str = "", rest: str = "") -> etree._Element:
    return etree.fromstring(
        '<inlined xmlns="http://www.opencastproject.org/oai/matterhorn-inlined">'
        f'<mediapackage xmlns="http://mediapackage.opencastproject.org" id="mp">{package}</mediapackage>'
        f"{rest}</inlined>"
    )


def episode(terms: str) -> str:
    return (
        '<catalog type="dublincore/episode"><dublincore xmlns="http://www.opencastproject.org/xsd/1.0/dublincore/" '
        f'xmlns:dcterms="http://purl.org/dc/terms/">{terms}</dublincore></catalog>'
    )


def test_what_the_package_lacks_comes_from_the_dublin_core() -> None:
    terms = (
        "<dcterms:title>T</dcterms:title><dcterms:creator>A</dcterms:creator><dcterms:creator>B</dcterms:creator>"
        "<dcterms:isPartOf>s</dcterms:isPartOf><dcterms:description> about </dcterms:description>"
    )
    data = read_metadata(inlined(rest=episode(terms)), PREVIEW)
    assert (data.title, data.creators, data.series, data.description) == ("T", ("A", "B"), "s", "about")


def test_the_package_wins_over_the_dublin_core() -> None:
    data = read_metadata(inlined("<title>P</title>", episode("<dcterms:title>D</dcterms:title>")), PREVIEW)
    assert data.title == "P"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-03-02T10:00:00Z", "2022-03-02T10:00:00+00:00"),
        ("2022-03-02T10:00+01:00", "2022-03-02T09:00:00+00:00"),
        ("2022-03-02", "2022-03-02T00:00:00+00:00"),
        ("2022-03", "2022-03-01T00:00:00+00:00"),
        ("2022", "2022-01-01T00:00:00+00:00"),
        ("start=2022-03-02T10:00:00Z; end=2022-03-02T11:00:00Z; scheme=W3C-DTF;", "2022-03-02T10:00:00+00:00"),
    ],
)
def test_dates_of_creation(text: str, expected: str) -> None:
    data = read_metadata(inlined(rest=episode(f"<dcterms:created>{text}</dcterms:created>")), PREVIEW)
    assert data.created is not None
    assert data.created.isoformat() == expected


def test_a_date_of_creation_that_is_none() -> None:
    assert read_metadata(inlined(rest=episode("<dcterms:created>soon</dcterms:created>")), PREVIEW).created is None


def test_an_empty_catalog_says_nothing() -> None:
    assert read_metadata(inlined(rest='<catalog type="dublincore/episode"/>'), PREVIEW).title == ""


def test_something_else_is_no_mediapackage() -> None:
    with pytest.raises(InvalidMediaPackage, match="holds no mediapackage"):
        read_metadata(etree.fromstring("<dc xmlns='http://www.openarchives.org/OAI/2.0/oai_dc/'/>"), PREVIEW)


@pytest.mark.parametrize("number", ["", "x", "-1", "1e9", "9" * 30, "٣"])
def test_numbers_that_no_database_can_hold_are_left_out(number: str) -> None:
    media = f"<media><track id='t' type='presenter/preview'><size>{number}</size><duration/></track></media>"
    assert read_metadata(inlined(media), PREVIEW).tracks[0].size is None


def test_an_id_that_no_index_takes_is_refused() -> None:
    media = f"<media><track id='{'x' * 2000}' type='presenter/preview'/></media>"
    with pytest.raises(InvalidMediaPackage, match="too long"):
        read_metadata(inlined(media), PREVIEW)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "rtmp://x/y", "/relative", "https://", ""]
)
def test_only_web_addresses_are_chosen(url: str) -> None:
    media = f"<media><track id='t' type='presenter/preview'><url>{url}</url></track></media>"
    data = read_metadata(inlined(media), PREVIEW)
    assert len(data.tracks) == 1
    assert data.chosen is None


def test_types_are_ranked_by_the_list_and_may_have_wildcards() -> None:
    types = TrackTypes(["presenter/delivery", "*/delivery"])
    assert [types.rank(flavor) for flavor in ("presenter/delivery", "presentation/delivery", "presenter/source")] == [
        0,
        1,
        None,
    ]
    assert types.rank("no flavor") is None
    with pytest.raises(InvalidFlavor):
        TrackTypes(["delivery"])
