"""Elements of a mediapackage: tracks, catalogs and attachments."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import unquote

from lxml import etree

from opencast.errors import InvalidFlavor, InvalidIdentifier, InvalidMediaPackage
from opencast.model.flavor import Flavor
from opencast.model.identifiers import check_element_id, check_file_name, shown
from opencast.model.layout import NOTHING_UNKNOWN, Reader, Unknown, Writer, boolean, integer
from opencast.model.node import Attributes, XmlNode, attributes_of, render_tag
from opencast.model.stream import STREAM_KINDS, Stream

_CHECKSUM_TEXT = re.compile(r"([0-9A-Za-z+/=]+) \(([0-9A-Za-z\-]+)\)")
_MD5 = re.compile(r"[0-9a-f]{32}")
_TYPE = frozenset({"type"})
_KEY = frozenset({"key"})
_KNOWN_ATTRIBUTES = frozenset({"id", "type", "ref", "transport"})
_FILE_TRANSPORTS = frozenset({"DOWNLOAD", "FILE"})
_STREAMING_SCHEMES = ("rtmp", "rtsp:", "rtp:", "mms", "pnm:", "pna:", "icy:")
_MANIFESTS = (".m3u8", ".mpd", ".f4m", "/manifest")
# Folders of Wowza and Flash servers: "smil:name", "name.smil/", "mp4:name", "_definst_".
_STREAMING_PATH = re.compile(r"(^|/)((smil|mp4|flv|mp3|ngrp|amlst):|_definst_(/|$))|\.(smil|ism|isml)/")
_URN = "urn:matterhorn:"


class ElementKind(Enum):
    """Kinds of elements; the value is the name of the XML element."""

    TRACK = "track"
    CATALOG = "catalog"
    ATTACHMENT = "attachment"


@dataclass(frozen=True, slots=True)
class Checksum:
    """A file's checksum as Opencast names it.

    :param type: name of the digest, nearly always ``md5``; empty when the document names none.
    :param value: hexadecimal digits.
    """

    type: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Checksum:
        """Read the form ``<hex> (md5)`` of the external API (``GET /api/events/{id}/media``).

        :raises InvalidMediaPackage: any other form.
        """
        found = _CHECKSUM_TEXT.fullmatch(text.strip())
        if found is None:
            raise InvalidMediaPackage(f"{shown(text)} is no checksum of the form 'hex (type)'.")
        return cls(type=found[2], value=found[1])

    @property
    def md5(self) -> str | None:
        """The 32 lower-case hex digits when this is an MD5 checksum, else None."""
        value = self.value.strip().lower()
        return value if self.type.strip().lower() == "md5" and _MD5.fullmatch(value) else None

    @property
    def attributes(self) -> Attributes:
        """Attributes of the XML element."""
        return (("type", self.type),) if self.type else ()

    def __str__(self) -> str:
        return f"{self.value} ({self.type})"


@dataclass(frozen=True, slots=True)
class Element:
    """One file of a mediapackage with what is known about it. Change it with :func:`dataclasses.replace`.

    :param kind: track, catalog or attachment.
    :param id: the element's id, checked, or None when the document gives none.
    :param flavor: such as ``presenter/source``, or None.
    :param ref: what the element was made from, such as ``track:<id>``, or None.
    :param mimetype: such as ``video/mp4``, or None.
    :param tags: in the order of the document (Opencast sorts them).
    :param url: where the file is, or None (broken packages).
    :param size: bytes, or None when unknown; the server's ``-1`` means unknown.
    :param checksum: of the file's bytes, or None.
    :param duration: of a track in milliseconds, or None.
    :param transport: how a track is delivered, such as ``HLS``; None means by its URL.
    :param streams: of a track: audio, video, subtitles, each kind in the order of the document.
    :param live: whether a track is a live stream; None when the document does not say.
    :param master: whether a track is the master playlist of HLS; None when the document does not say.
    :param logical_name: path by which the playlists of HLS name a track, or None.
    :param properties: of an attachment, pairs of name and value (previews for the timeline need them).
    :param unknown: what else the document held, kept for writing it back; no part of equality.
    """

    kind: ElementKind
    id: str | None = None
    flavor: Flavor | None = None
    ref: str | None = None
    mimetype: str | None = None
    tags: tuple[str, ...] = ()
    url: str | None = None
    size: int | None = None
    checksum: Checksum | None = None
    duration: int | None = None
    transport: str | None = None
    streams: tuple[Stream, ...] = ()
    live: bool | None = None
    master: bool | None = None
    logical_name: str | None = None
    properties: Attributes = ()
    unknown: Unknown = field(default=NOTHING_UNKNOWN, compare=False, repr=False)

    @classmethod
    def read(cls, node: etree._Element, kind: ElementKind) -> Element:
        """Read the XML element of a track, catalog or attachment.

        :raises InvalidMediaPackage: a number, truth value or flavor that cannot be read.
        :raises InvalidIdentifier: an id that would leave its folder.
        """
        return _ElementReader(node, kind).element()

    def render(self) -> str:
        """Return the element as XML, in the order in which it was read or else in Opencast's order."""
        writer = Writer(self.unknown)
        writer.text("mimetype", self.mimetype)
        writer.texts("tags", "tag", self.tags, always=True)
        writer.text("url", self.url)
        writer.text("size", self.size)
        if self.checksum is not None:
            writer.text("checksum", self.checksum.value, self.checksum.attributes)
        writer.text("duration", self.duration)
        for stream in self.streams:
            writer.raw(stream.kind, stream.render())
        writer.text("live", self.live)
        writer.text("master", self.master)
        writer.text("logicalname", self.logical_name)
        writer.items("additionalProperties", "property", [(value, (("key", key),)) for key, value in self.properties])
        known = (("id", self.id), ("type", self.flavor), ("ref", self.ref), ("transport", self.transport))
        pairs = tuple([(name, str(value)) for name, value in known if value is not None])
        return render_tag(self.kind.value, pairs + self.unknown.attributes, writer.content())

    @property
    def file_name(self) -> str:
        """Name of the file: the last segment of the URL's path, percent-decoded and checked.

        :raises InvalidIdentifier: there is no URL, or its last segment is no name of a file.
        """
        url = self._url()
        separator = ":" if url.startswith(_URN) else "/"
        return check_file_name(unquote(_path(url).rpartition(separator)[2]))

    @property
    def path_element_id(self) -> str:
        """Id of the folder that holds a published file: the last folder of the URL's path, decoded and checked.

        Opencast distributes to ``<organization>/<channel>/<mediapackage>/<element>/<file>`` where ``<element>`` is
        the id that the element had in the workflow, not the one that it has in the publication.

        :raises InvalidIdentifier: there is no URL, no such folder, or its name is no usable id.
        """
        return check_element_id(unquote(_path(self._url()).rpartition("/")[0].rpartition("/")[2]))

    @property
    def is_live(self) -> bool:
        """Whether this is a live stream, which cannot be migrated as media."""
        return self.live is True

    @property
    def is_streaming(self) -> bool:
        """Whether the URL leads to a streaming server and not to a file.

        Opencast itself guesses the transport from the URL's scheme, or from a playlist named in its fragment.
        A playlist that was encoded as files (HLS made by a workflow) is a file: such tracks carry ``master`` or
        ``logicalname`` and no transport of their own.
        """
        if self.transport is not None and self.transport not in _FILE_TRANSPORTS:
            return True
        url = (self.url or "").lower()
        if url.startswith(_STREAMING_SCHEMES) or url.partition("#")[2].endswith(_MANIFESTS):
            return True
        path = _path(url)
        if not path.endswith(_MANIFESTS):
            return False
        return _STREAMING_PATH.search(path) is not None or not self._is_inspected()

    def _is_inspected(self) -> bool:
        return self.master is not None or self.logical_name is not None

    def _url(self) -> str:
        if not self.url:
            raise InvalidIdentifier(f"The {self.kind.value} {shown(self.id or '')} has no URL.")
        return self.url


def _path(url: str) -> str:
    """Return the path of a URL, still encoded; texts without host are paths. Never fails."""
    bare = url.partition("#")[0].partition("?")[0]
    _, separator, rest = bare.partition("://")
    if not separator:
        return bare
    _, slash, path = rest.partition("/")
    return slash + path


class _ElementReader:
    """Reads one element; a class because the parts of an element are collected one by one."""

    def __init__(self, node: etree._Element, kind: ElementKind) -> None:
        self._node = node
        self._kind = kind
        self._id = node.get("id")
        self._reader = Reader(f"{kind.value} {shown(self._id or '')}")

    def element(self) -> Element:
        """Read all children and attributes."""
        node, reader = self._node, self._reader
        values: dict[str, str] = {}
        tags: tuple[str, ...] = ()
        checksum: Checksum | None = None
        streams: list[Stream] = []
        properties: Attributes = ()
        for child in node:
            key = reader.key(child)
            if key in _TEXTS:
                values[key] = reader.text(child, key)
            elif key == "tags":
                tags = reader.texts(child, key, "tag")
            elif key == "checksum":
                checksum = Checksum(child.get("type", ""), reader.text(child, key, _TYPE))
            elif key in STREAM_KINDS:
                streams.append(Stream.read(child, key))
            elif key == "additionalProperties":
                properties = self._properties(child, key)
            else:
                reader.nodes.append(XmlNode.copy_of(child))
        return Element(
            kind=self._kind,
            id=None if self._id is None else check_element_id(self._id),
            flavor=self._flavor(),
            ref=node.get("ref"),
            mimetype=values.get("mimetype"),
            tags=tags,
            url=values.get("url"),
            size=self._integer(values, "size"),
            checksum=checksum,
            duration=self._integer(values, "duration"),
            transport=node.get("transport"),
            # Opencast keeps a list for each kind, so their order among each other has no meaning.
            streams=tuple(sorted(streams, key=lambda stream: STREAM_KINDS.index(stream.kind))),
            live=self._boolean(values, "live"),
            master=self._boolean(values, "master"),
            logical_name=values.get("logicalname"),
            properties=properties,
            unknown=reader.unknown(attributes_of(node, _KNOWN_ATTRIBUTES)),
        )

    def _properties(self, container: etree._Element, key: str) -> Attributes:
        values = self._reader.texts(container, key, "property", _KEY)
        return tuple((child.get("key", ""), value) for child, value in zip(container, values, strict=True))

    def _flavor(self) -> Flavor | None:
        text = self._node.get("type")
        try:
            return None if text is None else Flavor.parse(text)
        except InvalidFlavor as error:
            raise InvalidMediaPackage(f"{self._reader.where}: {error.message}") from error

    def _integer(self, values: dict[str, str], key: str) -> int | None:
        text = values.get(key)
        if text is None:
            return None
        number = integer(text, where=f"{self._reader.where}: {key}")
        return number if number >= 0 else None

    def _boolean(self, values: dict[str, str], key: str) -> bool | None:
        text = values.get(key)
        return None if text is None else boolean(text, where=f"{self._reader.where}: {key}")


_TEXTS = frozenset({"mimetype", "url", "size", "duration", "live", "master", "logicalname"})
