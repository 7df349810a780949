"""A streamed zip is read by Opencast's kind of reader and by any other one, and its length is known beforehand."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from opencast.errors import SizeMismatch
from opencast.staging import zip_stream
from opencast.staging.zip_stream import ZipEntry, ZipStream


@dataclass(frozen=True)
class Bytes:
    data: bytes
    at_most: int = 1 << 30

    def chunks(self, count: int, /) -> Iterator[bytes]:
        count = min(count, self.at_most)
        for start in range(0, len(self.data), count):
            yield self.data[start : start + count]


@dataclass(frozen=True)
class Zeros:
    size: int

    def chunks(self, count: int, /) -> Iterator[bytes]:
        block = bytes(count)
        for start in range(0, self.size, count):
            yield block[: min(count, self.size - start)]


def entry(name: str, data: bytes, at_most: int = 1 << 30) -> ZipEntry:
    return ZipEntry(name, len(data), Bytes(data, at_most))


def read_as_a_stream(data: bytes) -> dict[str, bytes]:
    """Read entry by entry from the front, as Opencast's reader does: local headers and descriptors only.

    Refuses what that reader refuses: a stored entry whose size follows it.
    """
    found, at = {}, 0
    while data[at : at + 4] == b"PK\x03\x04":
        _, flags, method, _, _, _, _, _, name_length, extra_length = struct.unpack_from("<HHHHHLLLHH", data, at + 4)
        assert method == zipfile.ZIP_DEFLATED or not flags & 8, "a stored entry without its size in front"
        at += 30
        name = data[at : at + name_length].decode("ascii")
        extra = data[at + name_length : at + name_length + extra_length]
        at += name_length + extra_length
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        found[name] = inflater.decompress(data[at:]) + inflater.flush()
        at = len(data) - len(inflater.unused_data)
        large = extra[:2] == b"\x01\x00"
        signature, crc, packed, size = struct.unpack_from("<4sLQQ" if large else "<4sLLL", data, at)
        assert (signature, crc, size) == (b"PK\x07\x08", zlib.crc32(found[name]), len(found[name]))
        assert packed > size
        at += 24 if large else 16
    assert data[at : at + 4] == b"PK\x01\x02"
    return found


@pytest.mark.parametrize("size", [0, 1, 65534, 65535, 65536, 131070, 1_048_560, 1_048_561, 3_000_000])
def test_any_size_comes_out_as_it_went_in(size: int) -> None:
    data = os.urandom(size)
    stream = ZipStream([entry("mp/manifest.xml", b"<mediapackage/>"), entry("mp/el1/cam.mp4", data)])

    whole = stream.read()

    assert len(whole) == stream.size
    assert read_as_a_stream(whole) == {"mp/manifest.xml": b"<mediapackage/>", "mp/el1/cam.mp4": data}
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["mp/manifest.xml", "mp/el1/cam.mp4"]
        assert archive.read("mp/el1/cam.mp4") == data


@pytest.mark.parametrize("piece", [1, 17, 16384, 262144, 10_000_000])
def test_pieces_of_any_size_make_the_same_zip(piece: int) -> None:
    data = os.urandom(200_000)
    stream = ZipStream([entry("mp/a.mp4", data)])

    whole = b"".join(iter(lambda: stream.read(piece), b""))

    assert whole == ZipStream([entry("mp/a.mp4", data)]).read()
    assert stream.tell() == stream.size


@pytest.mark.parametrize("at_most", [1, 1000, 65536])
def test_short_reads_of_a_file_do_not_change_the_length(at_most: int) -> None:
    data = os.urandom(70_000)
    stream = ZipStream([entry("mp/a.mp4", data, at_most)])

    assert len(stream.read()) == stream.size


def test_it_can_be_sent_again_from_the_start() -> None:
    stream = ZipStream([entry("mp/a.mp4", b"video")])
    first = stream.read()

    assert stream.seekable() and stream.seek(0) == 0
    assert stream.read() == first
    with pytest.raises(io.UnsupportedOperation):
        stream.seek(10)


def test_the_overhead_is_below_a_ten_thousandth() -> None:
    stream = ZipStream([ZipEntry("mp/a.mp4", 1 << 40, Zeros(1 << 40))])

    assert stream.size / (1 << 40) < 1.0001


def test_a_file_that_is_shorter_than_announced_breaks_the_request() -> None:
    with pytest.raises(SizeMismatch):
        ZipStream([ZipEntry("mp/a.mp4", 6, Bytes(b"video"))]).read()


def test_a_file_that_is_longer_than_announced_breaks_the_request() -> None:
    with pytest.raises(SizeMismatch):
        ZipStream([ZipEntry("mp/a.mp4", 4, Bytes(b"video"))]).read()


def test_names_must_be_ascii_and_different() -> None:
    with pytest.raises(ValueError):
        ZipStream([entry("mp/ü.mp4", b"")])
    with pytest.raises(ValueError):
        ZipStream([entry("mp/a", b""), entry("mp/a", b"")])


@pytest.mark.parametrize("threshold", [1, 100_000, 200_000])
def test_large_files_and_places_get_64_bit_fields(monkeypatch: pytest.MonkeyPatch, threshold: int) -> None:
    """With the threshold lowered from 4 GiB; at its real place it is tried by the benchmark."""
    monkeypatch.setattr(zip_stream, "ZIP64_FROM", threshold)
    data = os.urandom(150_000)
    stream = ZipStream([entry("mp/manifest.xml", b"<x/>"), entry("mp/cam.mp4", data), entry("mp/after.txt", b"after")])

    whole = stream.read()

    assert len(whole) == stream.size
    assert read_as_a_stream(whole) == {"mp/manifest.xml": b"<x/>", "mp/cam.mp4": data, "mp/after.txt": b"after"}
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert archive.read("mp/after.txt") == b"after"


def test_the_threshold_is_where_32_bits_end() -> None:
    small, large = ZipEntry("a", 0xFFFF0000 - 0x100000, Zeros(0)), ZipEntry("b", 0xFFFFFFFF, Zeros(0))
    fields = 20 + 8 + 28 + 56 + 20  # local, descriptor, central, both end records

    assert ZipStream([large]).size - large.size - 5 * (large.size // 65535 + 1) - fields == (
        ZipStream([small]).size - small.size - 5 * (-(-small.size // 65535) + 1)
    )


def test_many_entries_need_the_64_bit_end_record() -> None:
    stream = ZipStream([entry(f"mp/{number}", b"") for number in range(65_600)])

    whole = stream.read()

    assert len(whole) == stream.size
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert len(archive.namelist()) == 65_600
