"""Reads a zip from front to back, as the real server does: only what stands before the bytes of an entry is known.

So an entry that was stored, with its sizes behind it, cannot be read, because nothing tells where it ends.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

CHUNK = 1024 * 1024
_LOCAL, _CENTRAL, _END, _DESCRIPTOR = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x07\x08"
_HEADER = struct.Struct("<4sHHHHHIIIHH")
_SIZES_BEHIND, _UTF8 = 0x0008, 0x0800
_STORED, _DEFLATED = 0, 8
_ZIP64, _HUGE = 0x0001, 0xFFFFFFFF


class BrokenZip(OSError):
    """The zip cannot be read to its end."""


class ZipEntry:
    """An entry of a zip; its bytes have to be read before the next one."""

    def __init__(self, stream: BinaryIO, name: str, method: int, size: int | None) -> None:
        self.name, self._stream, self._method, self._size = name, stream, method, size

    @property
    def is_directory(self) -> bool:
        """Whether it is a folder."""
        return self.name.endswith("/")

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes.

        :raises BrokenZip: when they end early, or are packed in an unknown way.
        """
        if self._method == _DEFLATED:
            yield from self._inflated()
        elif self._method != _STORED or self._size is None:
            raise BrokenZip(f"the entry {self.name} cannot be read")
        else:
            left = self._size
            while left > 0:
                yield (piece := _read(self._stream, min(left, CHUNK)))
                left -= len(piece)

    def _inflated(self) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            while not unpacker.eof:
                if piece := unpacker.decompress(self._stream.read(CHUNK) or _end(self.name)):
                    yield piece
        except zlib.error as error:
            raise BrokenZip(f"the entry {self.name} is damaged") from error
        self._stream.seek(-len(unpacker.unused_data), 1)
        if self._size is None:
            _skip_descriptor(self._stream)


def entries(stream: BinaryIO) -> Iterator[ZipEntry]:
    """Give the entries in their order; what is too short for a zip has none.

    :param stream: must be seekable.
    :raises BrokenZip: when something else stands where an entry should begin.
    """
    while len(head := stream.read(_HEADER.size)) == _HEADER.size:
        sign, _, flags, method, _, _, _, packed, size, name_length, extra_length = _HEADER.unpack(head)
        if sign in (_CENTRAL, _END):
            return
        if sign != _LOCAL:
            raise BrokenZip(f"an entry begins with {sign!r}")
        name = _read(stream, name_length).decode("utf-8" if flags & _UTF8 else "cp437", "replace")
        extra = _read(stream, extra_length) if extra_length else b""
        known: int | None = _real_size(packed, size, extra)
        if flags & _SIZES_BEHIND:
            known = None
        entry = ZipEntry(stream, name, method, known)
        yield entry


def _real_size(packed: int, size: int, extra: bytes) -> int:
    """Give the packed size, which stands in an extra field where it is too large."""
    while len(extra) >= 4 and packed == _HUGE:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _ZIP64:
            numbers = [number for (number,) in struct.iter_unpack("<Q", extra[4 : 4 + length // 8 * 8])]
            return int(numbers[1 if size == _HUGE else 0])
        extra = extra[4 + length :]
    return packed


def _skip_descriptor(stream: BinaryIO) -> None:
    """Skip checksum and sizes behind an entry: with or without a signature, of four or of eight bytes each."""
    place = stream.tell()
    head = stream.read(28)
    begin = 4 if head.startswith(_DESCRIPTOR) else 0
    for length in (begin + 12, begin + 20):
        if head[length : length + 2] == b"PK":
            stream.seek(place + length)
            return
    raise BrokenZip("what follows an entry cannot be read")


def _read(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise BrokenZip("the zip ends within an entry")
    return data


def _end(name: str) -> bytes:
    raise BrokenZip(f"the zip ends within {name}")
