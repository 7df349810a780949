"""Themes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from opencast.api.opencast import Opencast
from opencast.api.themes import FILE_FIELDS, Theme
from opencast.errors import InvalidAnswer, NotFound, ServerFailure

from tests.api.recorded import recorded_text, replay
from tests.api.scripted_server import Answer, ScriptedServer, json_answer


def test_themes_are_listed_with_all_five_files(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/admin-ng/themes/themes.json", json_answer(recorded_text("themes/themes")))
    (theme,) = opencast.themes.list()
    assert (theme.id, theme.name, theme.creator) == (1302, "a-Corporate Ü", "Administrator")
    assert set(theme.files) == set(FILE_FIELDS)
    assert len(FILE_FIELDS) == 5
    assert theme.flags["bumperActive"]
    assert theme.texts["watermarkPosition"] == "topRight"
    assert theme.created is not None


def test_one_theme_equals_its_row_in_the_list(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "themes/theme")
    server.on("GET", "/admin-ng/themes/themes.json", json_answer(recorded_text("themes/themes")))
    assert opencast.themes.get(1302) == opencast.themes.list()[0]


def test_one_theme_tells_the_names_of_the_files_that_are_there(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "themes/theme")
    names = opencast.themes.get(1302).file_names
    assert set(names) == set(FILE_FIELDS)
    assert names["watermarkFile"] == "a-mark.png"


def test_an_unknown_theme_is_not_found(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "themes/unknown")
    with pytest.raises(NotFound, match="999999"):
        opencast.themes.get("999999")


def test_the_series_that_use_a_theme_are_known(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "themes/usage")
    assert opencast.themes.series(1302) == ("a-series-algorithms",)


def test_a_theme_is_created_with_every_field(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/theme_post")
    theme = Theme(
        None,
        "a-w",
        description="ü",
        is_default=True,
        files={"bumperFile": "b", "licenseSlideBackground": "l"},
        flags={"bumperActive": True},
        texts={"titleSlideMetadata": "title,presenter"},
    )
    created = opencast.themes.create(theme)
    assert created.id is not None
    form = server.last.form
    assert (form["name"], form["description"], form["default"], form["bumperActive"]) == ("a-w", "ü", "true", "true")
    assert (form["trailerActive"], form["bumperFile"], form["licenseSlideBackground"]) == ("false", "b", "l")
    assert "id" not in form


def test_a_creation_that_may_have_arrived_is_not_repeated(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/admin-ng/themes", Answer(502))
    with pytest.raises(ServerFailure):
        opencast.themes.create(Theme(None, "a"))
    assert len(server.requests) == 1


def test_a_theme_is_changed_under_its_id(server: ScriptedServer, opencast: Opencast) -> None:
    theme = Theme.parse({"id": 7, "name": "a"})
    server.on("PUT", "/admin-ng/themes/7", json_answer('{"id": 7, "name": "b"}'))
    assert opencast.themes.update(replace(theme, name="b")).name == "b"
    with pytest.raises(ValueError, match="without id"):
        opencast.themes.update(replace(theme, id=None))


def test_a_theme_is_deleted(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("DELETE", "/admin-ng/themes/7", Answer(204), Answer(404))
    assert opencast.themes.delete(7)
    assert not opencast.themes.delete(7)


@pytest.mark.parametrize("body", ["[]", "{}", '{"results": [{}]}', '{"results": {"id": 1}}'])
def test_a_list_of_another_form_is_refused(server: ScriptedServer, opencast: Opencast, body: str) -> None:
    server.on("GET", "/admin-ng/themes/themes.json", json_answer(body))
    with pytest.raises(InvalidAnswer):
        opencast.themes.list()
