"""Ids and names from a server never leave their folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencast.errors import InvalidIdentifier
from opencast.model.identifiers import (
    check_channel,
    check_element_id,
    check_file_name,
    check_mediapackage_id,
    check_series_id,
    safe_file_name,
    shown,
)

Check = Callable[[str], str]
CHECKS = [check_mediapackage_id, check_element_id, check_series_id, check_channel, check_file_name]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("text", ["", ".", "..", "../x", "../../x", "a/../x", "a/./x", "a\0b", "a\nb", "a\x7fb"])
def test_what_could_leave_a_folder_or_break_a_line_is_refused(check: Check, text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        check(text)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("text", ["a" * 300, "ü" * 200, "a\x7fb", "a\u2028b", "a\ud800b", "a\x85b"])
def test_what_no_file_system_or_log_can_hold_is_refused(check: Check, text: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        check(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("check", [check_mediapackage_id, check_element_id, check_channel])
@pytest.mark.parametrize("text", ["a..b", "a..", "..a"])
def test_two_dots_are_refused_where_the_file_repository_of_opencast_refuses_them(check: Check, text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        check(text)


@pytest.mark.parametrize("check", [check_mediapackage_id, check_element_id, check_series_id, check_channel])
def test_an_id_has_at_most_as_many_characters_as_opencasts_columns(check: Check) -> None:
    assert check("a" * 128) == "a" * 128
    with pytest.raises(InvalidIdentifier, match="longer than 128 characters"):
        check("a" * 129)


@pytest.mark.parametrize("text", ["a-ev-fast", "fbaf8ac3-9fb9-4d97-9984-472f26b1ac03", "a.b:c;d(e)_F", "1"])
def test_ids_of_mediapackages_are_what_opencasts_constructor_accepts(text: str) -> None:
    assert check_mediapackage_id(text) == text


@pytest.mark.parametrize("text", ["a b", "ä", "a+b", "a%2Fb", "a&b", "٣", "a\n"])
def test_other_characters_are_no_id_of_a_mediapackage(text: str) -> None:
    with pytest.raises(InvalidIdentifier, match="no id of a mediapackage"):
        check_mediapackage_id(text)


@pytest.mark.parametrize("text", ["security-policy-series", "catalog ü", "a%2fb", "a\\b", "x.y", ".hidden", "#?"])
def test_ids_of_elements_are_free_text_otherwise(text: str) -> None:
    assert check_element_id(text) == text


@pytest.mark.parametrize("check", [check for check in CHECKS if check is not check_series_id])
@pytest.mark.parametrize("text", ["/", "a/b", "/etc/passwd"])
def test_a_name_of_a_folder_has_no_slash(check: Check, text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        check(text)


@pytest.mark.parametrize(
    "text", ["summer..2021 ü", "ser/with/slash", "http://lms.example.edu/goto?target=crs_4711&x=y"]
)
def test_ids_of_series_may_hold_what_opencast_takes(text: str) -> None:
    assert check_series_id(text) == text


def test_file_names_may_hold_what_users_type() -> None:
    assert check_file_name("Vorlesung 1 – Übung..final #2 100%.mp4") == "Vorlesung 1 – Übung..final #2 100%.mp4"


@given(st.text())
def test_a_checked_element_id_is_one_part_of_a_path(text: str) -> None:
    try:
        part = check_element_id(text)
    except InvalidIdentifier:
        return
    path = PurePosixPath("/storage/files", part)
    assert path.parent == PurePosixPath("/storage/files")
    assert path.name == part


@given(st.text(alphabet="ab._-:;()ü/ \n0"))
def test_a_mediapackage_id_is_accepted_exactly_by_opencasts_rule_without_two_dots(text: str) -> None:
    by_rule = re.fullmatch(r"[\w\-.:;()]+", text, re.ASCII) is not None and ".." not in text and text != "."
    try:
        check_mediapackage_id(text)
        accepted = True
    except InvalidIdentifier:
        accepted = False
    assert accepted == (by_rule and len(text) <= 128)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("a file ü.txt", "a_file__.txt"),  # recorded: writes/files_put
        ("cam.mp4", "cam.mp4"),
        ("cam_1.000s-player.jpg", "cam_1.000s-player.jpg"),
        ("a..b.mp4", "a_b.mp4"),
        ("a...mp4", "a_.mp4"),
        (".htaccess", ".htaccess"),
        ("-x.mp4", "_x.mp4"),
        ("no-extension", "no-extension"),
        ("trailing.", "trailing"),
        ("..", "_"),
        ("../../etc/passwd", "passwd"),
        ("C:\\videos\\cam.mp4", "cam.mp4"),
        ("archive.tar.gz", "archive.tar.gz"),
        ("x.m p4", "x.m_p4"),
        ("漢字.mp4", "__.mp4"),
        ("a\nb.mp4", "a_b.mp4"),
    ],
)
def test_a_file_is_stored_under_the_name_that_opencasts_file_repository_makes(name: str, stored: str) -> None:
    assert safe_file_name(name) == stored


def test_the_recorded_awkward_name_is_made_safe_part_by_part() -> None:
    assert safe_file_name("Vorlesung 1 – Übung (final) #2 100%.mp4") == "Vorlesung_1____bung__final___2_100_.mp4"


@pytest.mark.parametrize("name", ["", "folder/", "a\0.mp4"])
def test_a_name_of_which_nothing_is_left_is_refused(name: str) -> None:
    with pytest.raises(InvalidIdentifier):
        safe_file_name(name)


@given(st.text(min_size=1))
def test_a_safe_name_is_ascii_and_safe_again(name: str) -> None:
    try:
        safe = safe_file_name(name)
    except InvalidIdentifier:
        return
    assert re.fullmatch(r"[A-Za-z0-9_\-.]+", safe)
    assert "/" not in safe
    assert safe not in {".", ".."}
    assert safe_file_name(safe) == safe or safe.startswith(".")


@given(st.text())
def test_a_shown_text_is_short_and_printable(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) < 700
    assert "\n" not in shown(text)
