"""The comparison finds what differs, and nothing else."""

from __future__ import annotations

import pytest

from tests.replay.comparison import Answer, compare


def _answer(body: str, status: int = 200, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body.encode())


def _places(expected: str, actual: str) -> list[str]:
    return [difference.place for difference in compare(_answer(expected), _answer(actual))]


@pytest.mark.parametrize(
    ("expected", "actual", "places"),
    [
        ('{"a":1,"b":2}', '{"b":2,"a":1}', []),
        ('{"a":1}', '{"a":1.0}', ["/a"]),
        ('{"a":1}', '{"a":"1"}', ["/a"]),
        ('{"a":null}', "{}", ["/a"]),
        ('{"a":[1,2]}', '{"a":[2,1]}', ["/a order"]),
        ('{"a":[1]}', '{"a":[1,2]}', ["/a length"]),
        ('{"a":"x/y"}', '{"a":"x\\/y"}', ["writing"]),
        ('{"a":"<b>1</b>"}', '{"a":"<b>2</b>"}', ["/a!/b"]),
        ('<a x="1" y="2"/>', '<a y="2" x="1"/>', []),
        ('<a x="1"/>', '<a x="2"/>', ["/a/@x"]),
        ("<a><b/><c/></a>", "<a><c/><b/></a>", ["/a order"]),
        ("<a><b>1</b></a>", "<a><b>2</b></a>", ["/a/b"]),
        ("<a><b>1</b><b>2</b></a>", "<a><b>1</b><b>3</b></a>", ["/a[2]/b"]),
        ("<a><b/></a>", "<a><b/><b/></a>", ["/a children"]),
        ("<a></a>", "<a/>", ["writing"]),
        ("a=1\nb=2", "b=2\na=1", ["order of lines"]),
        ("plain", "other", ["body"]),
    ],
)
def test_bodies_differ_where_their_trees_do(expected: str, actual: str, places: list[str]) -> None:
    assert _places(expected, actual) == places


def test_status_and_recorded_headers_count() -> None:
    expected = _answer("x", content_type="text/plain", etag="1", content_length="1")
    actual = _answer("x", 201, content_type="text/html", etag="2", content_length="1", server="any")
    places = [difference.place for difference in compare(expected, actual)]
    assert places == ["status", "header content-type", "header etag"]


def test_a_content_type_that_was_not_recorded_may_not_appear() -> None:
    assert [d.place for d in compare(_answer(""), _answer("", content_type="text/plain"))] == ["header content-type"]


def test_the_length_counts_where_the_servers_address_is_not_part_of_it() -> None:
    one, two = _answer("x", content_length="1"), _answer("x", content_length="2")
    assert [d.place for d in compare(one, two)] == ["header content-length"]
    one, two = _answer("http://server/", content_length="14"), _answer("http://server/", content_length="21")
    assert compare(one, two) == []
    missing = _answer("http://server/")
    assert [d.place for d in compare(one, missing)] == ["header content-length"]
