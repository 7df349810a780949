"""Ids of events out of a file: what is read, what is refused, and that nothing of a file's contents is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from opencast.errors import FilterMatchesNothing, InvalidFilter
from opencast.migration.id_lists import LARGEST, read_ids
from opencast.store.plans import Action

from tests.migration.pair import Pair

EVENT, OTHER = "a-ev-two-streams", "a-ev-archive-only"


def _write(folder: Path, text: str | bytes, name: str = "list.txt") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


def test_one_id_stands_in_each_line(tmp_path: Path) -> None:
    name = _write(tmp_path, "\ufeff# the last ones\n\n a-1 \r\nb.2:(x)\na-1\n")
    assert read_ids(tmp_path, name, param="events_file").ids == {"a-1", "b.2:(x)"}


def test_a_list_may_lie_in_a_folder_of_the_folder(tmp_path: Path) -> None:
    _write(tmp_path / "2024", "a")
    assert len(read_ids(tmp_path, "2024/list.txt", param="events_file")) == 1


@pytest.mark.parametrize("name", ["/etc/passwd", "../list.txt", "a/../../list.txt", "..", "a\0b", "a\nb", "..\\x"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidFilter, match="is no file in the folder of lists"):
        read_ids(tmp_path, name, param="events_file")


def test_a_link_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    _write(folder, "a")
    _write(tmp_path, "secret", "outside.txt")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    with pytest.raises(InvalidFilter, match="leads out of the folder"):
        read_ids(folder, "link.txt", param="events_file")


@pytest.mark.parametrize("folder", ["lists", "missing"])
def test_a_missing_file_is_named_with_its_folder(tmp_path: Path, folder: str) -> None:
    (tmp_path / "lists").mkdir()
    with pytest.raises(InvalidFilter) as caught:
        read_ids(tmp_path / folder, "no.txt", param="exclude_events_file")
    assert "exclude_events_file = 'no.txt' cannot be read" in str(caught.value)
    assert str(tmp_path / folder) in str(caught.value)


def test_bad_ids_are_named_by_their_lines_and_not_quoted(tmp_path: Path) -> None:
    lines = ["good", "root:x:0:0:/root", "../x", *(f"bad id {number}" for number in range(9))]
    with pytest.raises(InvalidFilter) as caught:
        read_ids(tmp_path, _write(tmp_path, "\n".join(lines)), param="events_file")
    assert "line 2, 3, 4, 5, 6 and 6 more" in str(caught.value)
    assert "root" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "problem"),
    [(b"", "holds no event ids"), (b"# only\n", "holds no event ids"), (b"\xff\xfe\x00", "no text in UTF-8")],
)
def test_a_file_without_ids_is_an_error(tmp_path: Path, data: bytes, problem: str) -> None:
    with pytest.raises(InvalidFilter, match=problem):
        read_ids(tmp_path, _write(tmp_path, data), param="events_file")


def test_what_is_no_file_or_too_large_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(LARGEST + 1)
    for name in ("pipe", "folder", "large"):
        with pytest.raises(InvalidFilter):
            read_ids(tmp_path, name, param="events_file")


def test_a_list_selects_and_is_counted_in_the_plan(pair: Pair) -> None:
    name = _write(pair.settings.lists, f"{EVENT}\n{OTHER}\nnobody-knows-it\n")
    items = pair.plan(events_file=name, exclude_events_file=_write(pair.settings.lists, OTHER, "not.txt"))
    assert items[EVENT].action is Action.MIGRATE
    assert OTHER not in items
    assert items["nobody-knows-it"].action is Action.CANNOT
    with pair.bench() as bench:
        head = bench.plans.head("dag/run")
    assert head is not None
    matched, seen = head.notes["matched"], head.notes["seen"]
    assert matched == {"events_file": 2, "exclude_events_file": seen - 1}


def test_a_list_and_ids_in_the_form_must_both_hold(pair: Pair) -> None:
    name = _write(pair.settings.lists, f"{EVENT}\n{OTHER}\n")
    items = pair.plan(events_file=name, events=[EVENT])
    assert items[EVENT].action is Action.MIGRATE
    assert OTHER not in items


def test_a_list_without_hits_is_named_without_its_ids(pair: Pair) -> None:
    name = _write(pair.settings.lists, "nobody-knows-it\n")
    with pytest.raises(FilterMatchesNothing) as caught:
        pair.plan(events_file=name)
    assert "the filter events_file (events_file = 1 ids of list.txt)" in str(caught.value)
    assert pair.writes() == []


def test_a_bad_list_stops_the_plan_before_anything_is_written(pair: Pair) -> None:
    with pytest.raises(InvalidFilter, match="cannot be read"):
        pair.plan(events_file="no.txt")
    assert pair.writes() == []
