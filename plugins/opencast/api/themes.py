"""Themes of series: intro, outro, watermark and slides (``/admin-ng/themes``). Their ids are given by the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from opencast.api import fields
from opencast.api.addresses import path
from opencast.api.client import Client, Fields
from opencast.errors import InvalidAnswer, NotFound

_THEMES = "/admin-ng/themes"
#: The fields that hold the id of a static file.
FILE_FIELDS = ("bumperFile", "trailerFile", "watermarkFile", "titleSlideBackground", "licenseSlideBackground")
_TEXT_FIELDS = ("titleSlideMetadata", "licenseSlideDescription", "watermarkPosition")
_FLAG_FIELDS = ("bumperActive", "trailerActive", "titleSlideActive", "licenseSlideActive", "watermarkActive")


@dataclass(frozen=True)
class Theme:
    """A theme.

    :param id: number; None for one that is to be created.
    :param creator: name of the user who created it; set by the server.
    :param created: set by the server.
    :param files: ids of static files, by field (:data:`FILE_FIELDS`); fields without a file are left out.
    :param flags: which parts are in use, such as ``bumperActive``.
    :param texts: ``titleSlideMetadata``, ``licenseSlideDescription``, ``watermarkPosition``.
    :param file_names: names of the files that are there, by field; only :meth:`ThemesService.get` tells them.
    """

    id: int | None
    name: str
    description: str = ""
    is_default: bool = False
    creator: str = ""
    created: datetime | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, bool] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    file_names: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, value: object) -> Theme:
        """Read a theme as ``GET /admin-ng/themes/{id}.json`` shows it.

        :raises InvalidAnswer: another form, or no id.
        """
        source = fields.an_object(value, what="a theme")
        identifier = fields.integer(source, "id")
        if identifier is None:
            raise InvalidAnswer("A theme has no id.")
        return cls(
            id=identifier,
            name=fields.text(source, "name"),
            description=fields.text(source, "description"),
            is_default=fields.flag(source, "default"),
            creator=fields.text(source, "creator"),
            created=fields.moment(source, "creationDate"),
            files={name: fields.text(source, name) for name in FILE_FIELDS if fields.text(source, name)},
            flags={name: fields.flag(source, name) for name in _FLAG_FIELDS},
            texts={name: fields.text(source, name) for name in _TEXT_FIELDS},
            file_names={name: fields.text(source, f"{name}Name") for name in FILE_FIELDS if source.get(f"{name}Name")},
        )

    def form(self) -> Fields:
        """Give the fields that are posted; id, creator and date are the server's to set."""
        return {
            "name": self.name,
            "description": self.description,
            "default": self.is_default,
            **{name: self.flags.get(name, False) for name in _FLAG_FIELDS},
            **{name: self.texts.get(name, "") for name in _TEXT_FIELDS},
            **{name: self.files.get(name, "") for name in FILE_FIELDS},
        }


class ThemesService:
    """``/admin-ng/themes``: needs ROLE_ADMIN or the roles of the user interface. The list lags behind writes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self) -> tuple[Theme, ...]:
        """List all themes (``GET /admin-ng/themes/themes.json``)."""
        where = f"{_THEMES}/themes.json"
        document = fields.an_object(self._client.get_json(where, params={"limit": 0}), what=where)
        return tuple(Theme.parse(entry) for entry in fields.a_list(document.get("results"), what=where))

    def get(self, theme_id: int | str) -> Theme:
        """Get one theme (``GET /admin-ng/themes/{id}.json``).

        :raises NotFound: there is none.
        """
        return Theme.parse(self._client.get_json(f"{path(_THEMES, str(theme_id))}.json"))

    def series(self, theme_id: int | str) -> tuple[str, ...]:
        """Get the ids of the series that use a theme (``GET /admin-ng/themes/{id}/usage.json``).

        :raises NotFound: there is no such theme.
        """
        where = f"{path(_THEMES, str(theme_id))}/usage.json"
        document = fields.an_object(self._client.get_json(where), what=where)
        return tuple(fields.text(entry, "id") for entry in fields.objects(document.get("series"), what=where))

    def create(self, theme: Theme) -> Theme:
        """Create a theme (``POST /admin-ng/themes``), which also keeps its files.

        Not repeated when it may have arrived: there is no unique key that would tell two apart. Check the files before,
        because some servers create a theme with a file that does not exist.

        :returns: the theme as the server made it.
        :raises BadRequest: a file does not exist.
        """
        return Theme.parse(self._client.read.json(self._client.post_form(_THEMES, theme.form(), ok=(200, 201))))

    def update(self, theme: Theme) -> Theme:
        """Change a theme (``PUT /admin-ng/themes/{id}``); empty fields stay, and files that are replaced are deleted.

        :raises NotFound: there is no such theme.
        """
        if theme.id is None:
            raise ValueError("a theme without id cannot be changed")
        response = self._client.put_form(path(_THEMES, str(theme.id)), theme.form(), ok=(200,))
        return Theme.parse(self._client.read.json(response))

    def delete(self, theme_id: int | str) -> bool:
        """Delete a theme with its files, and from the series that use it (``DELETE /admin-ng/themes/{id}``).

        :returns: False when there was none.
        """
        try:
            self._client.delete(path(_THEMES, str(theme_id)))
        except NotFound:
            return False
        return True
