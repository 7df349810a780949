"""Streams keep every value as it was written."""

from __future__ import annotations

import pytest
from opencast.model.layout import NAMESPACE
from opencast.model.stream import Stream
from opencast.model.xml import parse_xml


def read(xml: str, kind: str) -> Stream:
    return Stream.read(parse_xml(f'<m xmlns="{NAMESPACE}">{xml}</m>'.encode(), what="a test")[0], kind)


@pytest.mark.parametrize(
    ("kind", "xml"),
    [
        ("audio", '<audio id="audio-1"><device/><bitrate>32445.0</bitrate><rmsleveldb>-1.0E-4</rmsleveldb></audio>'),
        ("video", '<video id="video-1"><scantype type="Progressive" order="x"/><framerate>25.0</framerate></video>'),
        ("subtitle", '<subtitle id="subtitle-1"><device/><encoder type="WebVTT subtitle"/></subtitle>'),
        ("audio", "<audio/>"),
    ],
)
def test_a_stream_is_written_as_it_was_read(kind: str, xml: str) -> None:
    assert read(xml, kind).render() == xml


def test_values_are_asked_by_name() -> None:
    stream = read('<video id="v"><encoder type="H.264"/><resolution>320x180</resolution></video>', "video")
    assert (stream.encoder, stream.value("resolution"), stream.value("framerate")) == ("H.264", "320x180", None)
    assert read("<video/>", "video").encoder is None


def test_facts_name_values_by_path_and_leave_empty_elements_out() -> None:
    stream = read('<video id="v"><device/><encoder type="H.264"/><bitrate>1.0</bitrate></video>', "video")
    assert stream.facts() == {"encoder/@type": "H.264", "bitrate": "1.0"}
