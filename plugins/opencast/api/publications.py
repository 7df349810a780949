"""Publications as the External API shows them: less than the archive knows, but what the index serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opencast.api import fields
from opencast.model.mediapackage import Checksum, ElementKind

_LISTS = {"media": ElementKind.TRACK, "attachments": ElementKind.ATTACHMENT, "metadata": ElementKind.CATALOG}


@dataclass(frozen=True)
class ApiElement:
    """One published file.

    :param flavor: as text; empty when there is none.
    :param size: bytes; None when the server does not know it.
    :param checksum: None when the server has none.
    """

    kind: ElementKind
    id: str
    flavor: str
    mimetype: str
    url: str
    size: int | None
    checksum: Checksum | None
    tags: tuple[str, ...]
    ref: str
    is_live: bool


@dataclass(frozen=True)
class ApiPublication:
    """One publication of an event.

    :param url: of the page, not of a file.
    """

    id: str
    channel: str
    mimetype: str
    url: str
    elements: tuple[ApiElement, ...]

    @property
    def is_live(self) -> bool:
        """Whether any of its tracks is a live stream."""
        return any(element.is_live for element in self.elements)

    @classmethod
    def parse(cls, value: Any, *, what: str) -> ApiPublication:
        """Read an entry of ``GET /api/events/{id}/publications``.

        :raises InvalidAnswer: another form.
        """
        source = fields.an_object(value, what=what)
        elements = [
            _element(entry, kind)
            for name, kind in _LISTS.items()
            for entry in fields.objects(source.get(name) or [], what=what)
        ]
        return cls(
            id=fields.text(source, "id"),
            channel=fields.required(source, "channel", what=what),
            mimetype=fields.text(source, "mediatype"),
            url=fields.text(source, "url"),
            elements=tuple(elements),
        )


def _element(source: fields.Json, kind: ElementKind) -> ApiElement:
    size = fields.integer(source, "size")
    checksum = fields.text(source, "checksum")
    return ApiElement(
        kind=kind,
        id=fields.text(source, "id"),
        flavor=fields.text(source, "flavor"),
        mimetype=fields.text(source, "mediatype"),
        url=fields.text(source, "url"),
        size=None if size is None or size < 0 else size,
        checksum=Checksum.parse(checksum) if checksum else None,
        tags=fields.texts(source, "tags"),
        ref=fields.text(source, "ref"),
        is_live=fields.flag(source, "is_live"),
    )
