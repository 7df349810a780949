"""While pages are written, the next ones are read: in order, within bounds, and with their errors in their places."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from opencast.harvest.ahead import ReadAhead


def read_all(items: Iterator[int], limit: int = 3) -> list[int]:
    with ReadAhead(items, weigh=lambda _: 1, limit=limit) as batches:
        return [item for batch in batches for item in batch]


def test_everything_comes_in_order() -> None:
    assert read_all(iter(range(100))) == list(range(100))


def test_nothing_gives_nothing() -> None:
    assert read_all(iter(())) == []


def test_an_error_comes_after_what_was_read_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("gone")

    found = []
    with ReadAhead(items(), weigh=lambda _: 1, limit=9) as batches, pytest.raises(LookupError, match="gone"):
        for batch in batches:
            found.extend(batch)
    assert found == [1, 2]


def test_what_came_while_the_consumer_was_busy_comes_together() -> None:
    last_was_read = threading.Event()

    def items() -> Iterator[int]:
        yield from range(4)
        last_was_read.set()

    with ReadAhead(items(), weigh=lambda _: 1, limit=9) as batches:
        assert last_was_read.wait(10)
        assert next(batches) == [0, 1, 2, 3]


def test_no_more_is_read_than_the_limit_and_one() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            yield number

    with ReadAhead(items(), weigh=lambda _: 10, limit=20) as batches:
        first = next(batches)
    assert len(first) <= 2
    assert len(read) <= len(first) + 3


def test_the_thread_ends_when_the_consumer_does_not_want_more() -> None:
    reader = ReadAhead(iter(range(10_000)), weigh=lambda _: 1, limit=1)
    with reader as batches:
        next(batches)
    assert "harvest-read-ahead" not in {thread.name for thread in threading.enumerate()}
