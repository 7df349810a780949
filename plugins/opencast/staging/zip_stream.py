"""A zip file that is read while it is made: no temporary file, its length known before its first byte.

Opencast reads a zip as a stream (``ZipArchiveInputStream``), entry by entry, and never looks at the directory at its
end. Such a reader cannot know where a *stored* entry ends whose size follows it (recorded: answered with 500), and
sizes in front would need the CRC before the first byte, so a second reading of every file. A *deflated* entry ends
by itself. So each file is written as a deflate stream (RFC 1951) of uncompressed blocks: accepted (recorded), no
compression of videos that cannot be compressed, 5 bytes more for each 65,535, and of a length known beforehand.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from opencast.errors import SizeMismatch

_BLOCK = 0xFFFF
#: Bytes taken from a file at a time, in whole blocks.
_BLOCKS_AT_ONCE = 16
_LAST_BLOCK = b"\x01\x00\x00\xff\xff"
#: From here on sizes and offsets need ZIP64 fields.
ZIP64_FROM = 0xFFFFFFFF
#: Stands in a 32-bit field whose value is in a ZIP64 field.
_IN_ZIP64 = 0xFFFFFFFF
_SIZES_FOLLOW = 0x0008
_DEFLATED = 8
#: 1 January 1980, the zero of the format: the same files make the same zip.
_DATE_TIME = (0, 0x0021)
_DESCRIPTOR, _DESCRIPTOR_64 = struct.Struct("<4sLLL"), struct.Struct("<4sLQQ")
_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_LOCAL_EXTRA_64 = struct.pack("<HHQQ", 1, 16, 0, 0)
_CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_CENTRAL_EXTRA_64 = struct.Struct("<HHQQQ")
_END, _END_64, _LOCATOR_64 = struct.Struct("<4sHHHHLLH"), struct.Struct("<4sQHHLLQQQQ"), struct.Struct("<4sLQL")


class Content(Protocol):
    """The bytes of an entry; opened when their turn comes."""

    def chunks(self, count: int, /) -> Iterator[bytes]:
        """Give the bytes from the start, at most ``count`` at a time."""


@dataclass(frozen=True)
class ZipEntry:
    """A file in a zip.

    :param name: path in the zip, ASCII.
    :param size: bytes.
    """

    name: str
    size: int
    content: Content


@dataclass(frozen=True)
class _Layout:
    """Where an entry stands and how long it is."""

    entry: ZipEntry
    name: bytes
    offset: int

    @property
    def packed(self) -> int:
        return self.entry.size + 5 * -(-self.entry.size // _BLOCK) + len(_LAST_BLOCK)

    @property
    def is_large(self) -> bool:
        return self.packed >= ZIP64_FROM

    @property
    def length(self) -> int:
        descriptor = _DESCRIPTOR_64 if self.is_large else _DESCRIPTOR
        return _LOCAL.size + len(self.name) + len(self.extra) + self.packed + descriptor.size

    @property
    def extra(self) -> bytes:
        return _LOCAL_EXTRA_64 if self.is_large else b""

    @property
    def central_is_large(self) -> bool:
        return self.is_large or self.offset >= ZIP64_FROM

    def local_header(self) -> bytes:
        size = _IN_ZIP64 if self.is_large else 0
        version = 45 if self.is_large else 20
        head = _LOCAL.pack(
            b"PK\3\4", version, _SIZES_FOLLOW, _DEFLATED, *_DATE_TIME, 0, size, size, len(self.name), len(self.extra)
        )
        return head + self.name + self.extra

    def descriptor(self, crc: int) -> bytes:
        form = _DESCRIPTOR_64 if self.is_large else _DESCRIPTOR
        return form.pack(b"PK\7\x08", crc, self.packed, self.entry.size)

    def central_header(self, crc: int) -> bytes:
        extra, packed, size, offset, version = b"", self.packed, self.entry.size, self.offset, 20
        if self.central_is_large:
            extra = _CENTRAL_EXTRA_64.pack(1, 24, size, packed, offset)
            packed = size = offset = _IN_ZIP64
            version = 45
        head = _CENTRAL.pack(
            b"PK\1\2", version, version, _SIZES_FOLLOW, _DEFLATED, *_DATE_TIME, crc, packed, size,
            len(self.name), len(extra), 0, 0, 0, 0, offset,
        )  # fmt: skip
        return head + self.name + extra


class ZipStream(io.RawIOBase):
    """The zip as a file that can be read once from its start to its end, and again after ``seek(0)``.

    :raises ValueError: a name that is not ASCII, or that occurs twice.
    """

    def __init__(self, entries: Sequence[ZipEntry]) -> None:
        super().__init__()
        self._layouts: list[_Layout] = []
        offset = 0
        for entry in entries:
            layout = _Layout(entry, entry.name.encode("ascii"), offset)
            self._layouts.append(layout)
            offset += layout.length
        if len({layout.name for layout in self._layouts}) != len(self._layouts):
            raise ValueError("A name occurs twice in the zip.")
        self._directory_offset = offset
        self._directory_length = sum(len(layout.central_header(0)) for layout in self._layouts)
        #: Bytes of the whole zip.
        self.size = offset + self._directory_length + len(self._end())
        self._position = 0
        self._rest = memoryview(b"")
        self._pieces = self._make()

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can go back to its start, so that a request can be sent again."""
        return True

    def tell(self) -> int:
        """Bytes read so far."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go back to the start.

        :raises io.UnsupportedOperation: for any other place.
        """
        if (offset, whence) != (0, io.SEEK_SET):
            raise io.UnsupportedOperation("A zip that is made while it is read can only be read again from its start.")
        self._position = 0
        self._rest = memoryview(b"")
        self._pieces = self._make()
        return 0

    def read(self, size: int = -1, /) -> bytes:
        """Give at most ``size`` bytes, or all that is left; empty at the end.

        :raises SizeMismatch: a file has fewer or more bytes than its entry says.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        data = bytes(self._rest[:size])
        self._rest = self._rest[len(data) :]
        self._position += len(data)
        return data

    def _make(self) -> Iterator[bytes]:
        crcs = []
        for layout in self._layouts:
            yield layout.local_header()
            crc = 0
            for data in _whole_blocks(layout.entry):
                crc = zlib.crc32(data, crc)
                yield _as_blocks(data)
            yield _LAST_BLOCK + layout.descriptor(crc)
            crcs.append(crc)
        yield b"".join(layout.central_header(crc) for layout, crc in zip(self._layouts, crcs, strict=True))
        yield self._end()

    def _end(self) -> bytes:
        count, length, offset = len(self._layouts), self._directory_length, self._directory_offset
        large = b""
        if count >= 0xFFFF or offset >= ZIP64_FROM or any(layout.central_is_large for layout in self._layouts):
            large = _END_64.pack(b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, offset) + _LOCATOR_64.pack(
                b"PK\6\7", 0, offset + length, 1
            )
        count, offset = min(count, 0xFFFF), min(offset, _IN_ZIP64)
        return large + _END.pack(b"PK\5\6", 0, 0, count, count, length, offset, 0)


def _whole_blocks(entry: ZipEntry) -> Iterator[bytes]:
    """Give an entry's bytes in pieces of whole blocks, the last one excepted, so that the length comes out right."""
    left, piece = entry.size, bytearray()
    for data in entry.content.chunks(_BLOCK * _BLOCKS_AT_ONCE):
        left -= len(data)
        if left < 0:
            raise SizeMismatch(f"{entry.name} has more than its {entry.size} bytes.")
        piece += data
        whole = len(piece) // _BLOCK * _BLOCK
        if whole:
            yield bytes(piece[:whole])
            del piece[:whole]
    if left:
        raise SizeMismatch(f"{entry.name} ended {left} bytes before its {entry.size}.")
    if piece:
        yield bytes(piece)


def _as_blocks(data: bytes) -> bytes:
    """Write bytes as uncompressed blocks of a deflate stream (RFC 1951, 3.2.4)."""
    pieces = []
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        pieces.append(struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF))
        pieces.append(block)
    return b"".join(pieces)
