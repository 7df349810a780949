"""Elements of a mediapackage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencast.errors import InvalidIdentifier, InvalidMediaPackage
from opencast.model.element import Checksum, Element, ElementKind
from opencast.model.flavor import Flavor
from opencast.model.layout import NAMESPACE
from opencast.model.mediapackage import MediaPackage
from opencast.model.xml import parse_xml

from tests.model import recorded

MD5 = "9e4145868d9ed8f31617fa4a4fb53af1"


def read(xml: str, kind: ElementKind = ElementKind.TRACK) -> Element:
    node = parse_xml(f'<m xmlns="{NAMESPACE}">{xml}</m>'.encode(), what="a test")[0]
    return Element.read(node, kind)


def track(**changes: Any) -> Element:
    return replace(Element(ElementKind.TRACK, "t", url="http://127.0.0.1/static/o/c/mp/el/cam.mp4"), **changes)


def test_a_recorded_track_is_read_with_all_its_facts() -> None:
    package = MediaPackage.parse(recorded.body("events/ev-two-streams/assets"))
    cam = package.tracks[0]
    assert cam.kind is ElementKind.TRACK
    assert cam.id == "1b00af45-4fe4-44d0-a298-26a41d91e65c"
    assert cam.flavor == Flavor("presenter", "source")
    assert cam.mimetype == "video/mp4"
    assert cam.tags == ("archive", "hd")
    assert cam.size == 34997
    assert cam.checksum == Checksum("md5", MD5)
    assert cam.duration == 4000
    assert (cam.live, cam.master, cam.transport, cam.logical_name, cam.ref) == (False, False, None, None, None)
    assert [(stream.kind, stream.id) for stream in cam.streams] == [("audio", "audio-1"), ("video", "video-1")]


def test_the_properties_of_a_timeline_preview_are_read_and_written() -> None:
    xml = (
        '<attachment id="a" type="presenter/timeline+preview"><tags/><url>u</url><additionalProperties>'
        '<property key="imageSizeX">10</property><property key="imageCount">100</property><property key="empty"/>'
        "</additionalProperties></attachment>"
    )
    element = read(xml, ElementKind.ATTACHMENT)
    assert element.properties == (("imageSizeX", "10"), ("imageCount", "100"), ("empty", ""))
    assert element.render() == xml
    assert replace(element, properties=()).render() == xml.replace(
        '<property key="imageSizeX">10</property><property key="imageCount">100</property><property key="empty"/>', ""
    ).replace("<additionalProperties></additionalProperties>", "<additionalProperties/>")


def test_what_the_document_does_not_say_is_none() -> None:
    element = read("<track/>")
    assert element == Element(ElementKind.TRACK)
    assert element.render() == "<track/>"


def test_an_element_that_was_not_read_is_written_in_opencasts_order() -> None:
    element = Element(
        ElementKind.TRACK,
        id="t",
        flavor=Flavor("presenter", "source"),
        ref="track:s",
        mimetype="video/mp4",
        tags=("archive",),
        url="http://127.0.0.1/v.mp4?a=1&b=2",
        size=5,
        checksum=Checksum("md5", MD5),
        duration=7,
        transport="HLS",
        live=False,
        master=True,
        logical_name="v.m3u8",
    )
    assert element.render() == (
        '<track id="t" type="presenter/source" ref="track:s" transport="HLS"><mimetype>video/mp4</mimetype>'
        "<tags><tag>archive</tag></tags><url>http://127.0.0.1/v.mp4?a=1&amp;b=2</url><size>5</size>"
        f'<checksum type="md5">{MD5}</checksum><duration>7</duration><live>false</live><master>true</master>'
        "<logicalname>v.m3u8</logicalname></track>"
    )


def test_an_element_that_was_not_read_always_has_tags_as_opencast_writes_them() -> None:
    assert Element(ElementKind.CATALOG, id="c").render() == '<catalog id="c"><tags/></catalog>'


def test_tags_that_the_source_did_not_write_are_not_added() -> None:
    assert read("<track><url>u</url></track>").render() == "<track><url>u</url></track>"


@pytest.mark.parametrize(
    "xml",
    [
        '<track id="a" new="1"><url>u</url></track>',
        "<track><url>u</url><tags/><mimetype>m</mimetype></track>",
        '<track><url lang="de">u</url><tags a="b"><tag c="d">x</tag><tag>y</tag></tags></track>',
        '<track><new a="b">text<c/></new><url>u</url><other xmlns="urn:x"><inner xmlns="">1</inner></other></track>',
        '<track><checksum type="md5" by="us">00</checksum><checked/></track>',
        "<track><checksum>00</checksum></track>",
        '<attachment><additionalProperties a="b"><property key="k" c="d"/></additionalProperties></attachment>',
        '<track><video id="v" x="y"><bitrate>1.2E7</bitrate><new/></video><audio/></track>',
        "<track><description>text &amp; <b>bold</b> more</description></track>",
    ],
)
def test_what_the_model_does_not_know_survives_in_its_place(xml: str) -> None:
    kind = ElementKind(xml[1:].partition(">")[0].partition(" ")[0])
    assert read(xml, kind).render() == xml


def test_a_foreign_attribute_keeps_its_namespace() -> None:
    written = read('<track xmlns:f="urn:f" f:a="1" xml:lang="de"/>').render()
    node = parse_xml(f'<m xmlns="{NAMESPACE}">{written}</m>'.encode(), what="a test")[0]
    assert dict(node.attrib.items()) == {"{urn:f}a": "1", "{http://www.w3.org/XML/1998/namespace}lang": "de"}


def test_a_changed_element_keeps_the_rest_in_place() -> None:
    element = read('<track><url>u</url><checksum type="md5">00</checksum><new>n</new></track>')
    changed = replace(element, url="v", checksum=None, size=3, mimetype="m")
    assert changed.render() == "<track><mimetype>m</mimetype><url>v</url><size>3</size><new>n</new></track>"


def test_where_things_stood_is_no_part_of_equality() -> None:
    assert read("<track><url>u</url><size>1</size></track>") == read("<track><size>1</size><url>u</url></track>")


def test_numbers_of_streams_stay_as_they_are_written() -> None:
    package = MediaPackage.parse(recorded.body("events/ev-two-streams/assets"))
    audio, video = package.tracks[0].streams
    assert (audio.value("bitrate"), audio.value("channels")) == ("32445.0", "1")
    assert (video.value("framerate"), video.value("resolution")) == ("25.0", "320x180")
    assert audio.encoder == "AAC (Advanced Audio Coding)"
    assert audio.value("peakleveldb") is None


def test_streams_are_sorted_by_kind_and_written_where_they_stood() -> None:
    xml = '<track><video id="v1"/><video id="v2"/><audio id="a1"/></track>'
    element = read(xml)
    assert [stream.id for stream in element.streams] == ["a1", "v1", "v2"]
    assert element.render() == xml


def test_a_negative_size_means_unknown() -> None:
    assert read("<track><size>-1</size></track>").size is None


def test_a_size_of_zero_is_kept_to_be_reported() -> None:
    assert read("<track><size>0</size></track>").size == 0


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ('<track id="t"><size>1.5</size></track>', "track 't': size is '1.5', which is no whole number"),
        ('<track id="t"><size>1_000</size></track>', "no whole number"),
        ('<track id="t"><duration>99999999999999999999</duration></track>', "no whole number"),
        ('<track id="t"><live>perhaps</live></track>', "live is 'perhaps', which is neither true nor false"),
        ('<track id="t" type="presenter"/>', "track 't': 'presenter' is no flavor"),
        ('<track id="t"><url>a<b/></url></track>', "url holds elements"),
        ('<track id="t"><url>a</url><url>b</url></track>', "track 't': url occurs twice"),
        ('<track id="t"><tags/><url>a</url><tags/></track>', "tags occurs twice"),
        ('<track id="t"><checksum>a</checksum><checksum>b</checksum></track>', "checksum occurs twice"),
        ('<track id="t"><tags><nested/></tags></track>', "tags holds another element than tag"),
    ],
)
def test_a_part_that_cannot_be_read_is_named(xml: str, message: str) -> None:
    with pytest.raises(InvalidMediaPackage, match=message):
        read(xml)


@pytest.mark.parametrize("identifier", ["../../x", "a/b", "..", "", "a&#10;b"])
def test_an_id_that_leaves_its_folder_is_refused(identifier: str) -> None:
    with pytest.raises(InvalidIdentifier):
        read(f'<track id="{identifier}"/>')


@given(st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn"))))
def test_any_text_survives_in_tags_ids_of_references_and_urls(text: str) -> None:
    element = Element(ElementKind.ATTACHMENT, id="a", ref=text, tags=(text, "x"), url=text, mimetype=text)
    assert read(element.render(), ElementKind.ATTACHMENT) == element


# --- checksums -------------------------------------------------------------------------------------------------


def test_the_external_apis_form_of_a_checksum_is_read() -> None:
    assert Checksum.parse(f"{MD5} (md5)") == Checksum("md5", MD5)
    assert str(Checksum("md5", MD5)) == f"{MD5} (md5)"


@pytest.mark.parametrize("text", ["", MD5, "(md5)", f"{MD5} (md5) x"])
def test_another_form_of_a_checksum_is_refused(text: str) -> None:
    with pytest.raises(InvalidMediaPackage):
        Checksum.parse(text)


def test_an_md5_is_given_as_lower_case_digits() -> None:
    assert Checksum("MD5", f" {MD5.upper()}\n").md5 == MD5


@pytest.mark.parametrize(
    "checksum", [Checksum("sha1", MD5), Checksum("", MD5), Checksum("md5", "../../etc"), Checksum("md5", MD5[:-1])]
)
def test_nothing_else_is_taken_for_an_md5_that_could_name_a_file(checksum: Checksum) -> None:
    assert checksum.md5 is None


# --- urls ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8080/static/o/engage-player/mp/el/cam.mp4", "cam.mp4"),
        ("http://127.0.0.1:8080/assets/assets/mp/el/2/cam.mp4?policy=x/y&signature=z", "cam.mp4"),
        ("http://127.0.0.1/a/Vorlesung%201%20%E2%80%93%20%C3%9Cbung.mp4#t=1", "Vorlesung 1 – Übung.mp4"),
        ("urn:matterhorn:a-ev:2:el:cam.mp4", "cam.mp4"),
        ("folder/cam.mp4", "cam.mp4"),
        ("http://[broken/a/cam.mp4", "cam.mp4"),
    ],
)
def test_the_file_name_is_the_last_part_of_the_urls_path(url: str, name: str) -> None:
    assert track(url=url).file_name == name


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "http://127.0.0.1",
        "http://127.0.0.1/a/",
        "http://127.0.0.1/a/..",
        "http://127.0.0.1/a/%2e%2e",
        "http://127.0.0.1/a/x%2F..%2Fy",
        "http://127.0.0.1/a/x%00.mp4",
        "http://127.0.0.1/a/x%0a.mp4",
        "http://127.0.0.1/a/" + "x" * 256,
        "urn:matterhorn:a-ev:2:el:../x",
    ],
)
def test_a_file_name_that_leaves_its_folder_is_refused(url: str | None) -> None:
    with pytest.raises(InvalidIdentifier):
        assert track(url=url).file_name


def test_the_workflows_element_id_is_the_folder_of_a_published_file() -> None:
    package = MediaPackage.parse(recorded.body("events/ev-fast/assets"))
    publication = package.publication("engage-player")
    assert publication is not None
    assert [element.path_element_id for element in publication.elements] == [
        "867706ab-c9f4-4814-992f-5b00471c8ac4",
        "ce09b4fb-b8a5-45bf-a506-f5e7e9b4ade8",
        "security-policy-series",
        "05ef8d20-e5fc-4b40-87b7-aa97b781d568",
        "b1d2a0b2-2aa3-4c51-b119-5446f987cbdf",
    ]


@pytest.mark.parametrize(
    "url", ["", "http://127.0.0.1/x.mp4", "x.mp4", "http://h/a/../x.mp4", "http://h/%2e%2e/x", "http://h/a%2Fb/x"]
)
def test_a_folder_that_is_no_usable_id_is_refused(url: str) -> None:
    with pytest.raises(InvalidIdentifier):
        assert track(url=url).path_element_id


@pytest.mark.parametrize(
    "changes",
    [
        {"transport": "HLS"},
        {"transport": "UNKNOWN"},
        {"url": "rtmp://stream.example.org/app/mp4:x/cam"},
        {"url": "RTSP://stream.example.org/x"},
        {"url": "rtmp://stream.example.org/app/x", "transport": "DOWNLOAD"},
        {"url": "https://stream.example.org/app/smil:x.smil/playlist.m3u8", "master": False},
        {"url": "https://stream.example.org/app/_definst_/x/manifest.mpd", "master": False},
        {"url": "https://stream.example.org/x.ism/Manifest", "master": False},
        {"url": "https://elsewhere.example.org/live/x.m3u8"},
        {"url": "https://stream.example.org/x#y.m3u8"},
    ],
)
def test_a_track_on_a_streaming_server_is_no_file(changes: dict[str, object]) -> None:
    assert track(**changes).is_streaming


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"url": None},
        {"transport": "DOWNLOAD"},
        {"transport": "FILE"},
        {"url": "http://127.0.0.1/static/o/engage-player/mp/el/x.m3u8", "master": True},
        {"url": "http://127.0.0.1/static/o/engage-player/mp/el/x.m3u8", "logical_name": "x.m3u8"},
        {"url": "http://127.0.0.1/static/o/engage-player/mp/el/seg.ts", "logical_name": "seg.ts", "master": False},
        {"url": "http://127.0.0.1/static/o/engage-player/mp/el/x.mp4?list=y.m3u8"},
    ],
)
def test_a_downloadable_track_and_encoded_hls_are_files(changes: dict[str, object]) -> None:
    assert not track(**changes).is_streaming


def test_no_recorded_track_is_streaming_or_live() -> None:
    for package in recorded.mediapackages():
        read_package = MediaPackage.read(package.node)
        tracks = [*read_package.tracks, *(t for p in read_package.publications for t in p.tracks)]
        assert not [t for t in tracks if t.is_streaming or t.is_live], package.where


def test_live_is_only_what_says_so() -> None:
    assert track(live=True).is_live
    assert not track(live=None).is_live
