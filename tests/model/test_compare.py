"""Differences between elements are found, and named so that an administrator understands them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from opencast.model.compare import Difference, excerpts
from opencast.model.flavor import Flavor
from opencast.model.layout import NAMESPACE
from opencast.model.mediapackage import Checksum, Element, ElementKind, MediaPackage, compare_elements
from opencast.model.stream import Stream
from opencast.model.xml import parse_xml

from tests.model import recorded

MD5 = "9e4145868d9ed8f31617fa4a4fb53af1"
TRACK = MediaPackage.parse(recorded.body("events/ev-two-streams/assets")).tracks[0]


def stream(xml: str) -> Stream:
    node = parse_xml(f'<m xmlns="{NAMESPACE}">{xml}</m>'.encode(), what="a test")[0]
    return Stream.read(node, "video")


def test_an_element_is_equal_to_itself() -> None:
    assert compare_elements(TRACK, TRACK) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", ElementKind.ATTACHMENT),
        ("id", "other"),
        ("flavor", Flavor("presentation", "source")),
        ("flavor", None),
        ("tags", ("archive",)),
        ("ref", "track:x"),
        ("mimetype", "video/webm"),
        ("checksum", Checksum("md5", "0" * 32)),
        ("checksum", None),
        ("size", 1),
        ("size", None),
        ("duration", 1),
        ("transport", "HLS"),
        ("live", True),
        ("master", True),
        ("logical_name", "x"),
        ("properties", (("imageCount", "100"),)),
        ("streams", ()),
    ],
)
def test_each_fact_is_compared_and_can_be_ignored(name: str, value: object) -> None:
    change: dict[str, Any] = {name: value}
    changed = replace(TRACK, **change)
    differences = compare_elements(TRACK, changed)
    assert [difference.path for difference in differences] == [f"track '{TRACK.id}' {name}"]
    assert compare_elements(TRACK, changed, ignore=frozenset({name})) == []


def test_the_place_of_the_file_is_not_compared() -> None:
    assert compare_elements(TRACK, replace(TRACK, url="http://127.0.0.1:8081/elsewhere.mp4")) == []


def test_tags_are_a_set_and_digits_of_checksums_have_no_case() -> None:
    changed = replace(TRACK, tags=("hd", "archive", "hd"), checksum=Checksum("MD5", MD5.upper()))
    assert compare_elements(TRACK, changed) == []


def test_what_the_source_did_not_know_is_no_difference() -> None:
    expected = replace(TRACK, size=None, checksum=None, duration=None, live=None, master=None)
    assert compare_elements(expected, TRACK) == []


def test_a_difference_reads_as_a_sentence() -> None:
    changed = replace(TRACK, id="cam", checksum=None, tags=())
    first, second = compare_elements(replace(TRACK, id="cam"), changed)
    assert str(first) == f"track 'cam' checksum: expected {MD5} (md5), found nothing"
    assert str(second) == "track 'cam' tags: expected archive, hd, found nothing"


def test_a_difference_inside_of_a_stream_is_named_by_its_path() -> None:
    one = stream('<video id="video-1"><device/><encoder type="H.264"/><resolution>320x180</resolution></video>')
    two = stream('<video id="video-1"><encoder type="VP9"/><resolution>320x180</resolution></video>')
    (found,) = compare_elements(replace(TRACK, streams=(one,)), replace(TRACK, streams=(two,)))
    assert str(found) == f"track '{TRACK.id}' video video-1 encoder/@type: expected H.264, found VP9"


def test_equal_numbers_of_a_stream_may_be_written_differently() -> None:
    one = stream('<video id="v"><bitrate>12000000.0</bitrate></video>')
    two = stream('<video id="v"><bitrate>1.2E7</bitrate></video>')
    three = stream('<video id="v"><bitrate>1.3E7</bitrate></video>')
    assert compare_elements(replace(TRACK, streams=(one,)), replace(TRACK, streams=(two,))) == []
    assert compare_elements(replace(TRACK, streams=(one,)), replace(TRACK, streams=(three,))) != []


def test_a_missing_stream_is_named() -> None:
    (found,) = compare_elements(TRACK, replace(TRACK, streams=TRACK.streams[:1]))
    assert str(found).endswith("streams: expected audio audio-1, video video-1, found audio audio-1")


def test_two_streams_without_id_are_compared_one_by_one() -> None:
    streams = tuple(stream(f"<video><bitrate>{rate}</bitrate></video>") for rate in (1, 2))
    assert compare_elements(replace(TRACK, streams=streams), replace(TRACK, streams=streams)) == []
    assert compare_elements(replace(TRACK, streams=streams), replace(TRACK, streams=streams[::-1])) != []


def test_all_recorded_elements_equal_themselves_after_a_round_trip() -> None:
    for package in recorded.mediapackages():
        before = MediaPackage.read(package.node)
        after = MediaPackage.parse(before.to_xml())
        pairs: list[tuple[Element, Element]] = list(zip(before.elements, after.elements, strict=True))
        assert [str(d) for one, two in pairs for d in compare_elements(one, two)] == [], package.where


def test_long_texts_are_cut_around_the_first_difference() -> None:
    start = "x" * 500
    one, two = excerpts(f"{start}Algorithms and data structures", f"{start}Algorithms & data structures")
    assert one == "… '" + "x" * 9 + "Algorithms and data structures'"
    assert two == "… '" + "x" * 9 + "Algorithms & data structures'"


@pytest.mark.parametrize(("one", "two"), [("a", "b"), ("", "b"), ("a\u00a0b", "a b"), ("x" * 99, "x" * 98)])
def test_excerpts_of_different_texts_differ(one: str, two: str) -> None:
    first, second = excerpts(one, two)
    assert first != second


def test_a_difference_is_one_short_printable_line_whatever_the_values_hold() -> None:
    assert str(Difference("title", "'ä'", "b\n\x1b[31m")) == r"title: expected 'ä', found b\n\x1b[31m"
    assert len(str(Difference("p" * 9999, "e" * 9999, "a" * 9999))) < 700
