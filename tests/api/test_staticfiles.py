"""Static files."""

from __future__ import annotations

import hashlib
from io import BytesIO

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import BadRequest, InvalidAnswer, NotFound

from tests.api.recorded import replay
from tests.api.scripted_server import Answer, ScriptedServer, text_answer

BUMPER = "b27d7375-3261-4c5a-9516-cfb5e6695fe8"


def test_an_upload_answers_the_new_id(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/static_post")
    assert opencast.staticfiles.upload("Logo Ü.png", BytesIO(b"png"), 3) == "c2f87fd7-50f9-44c2-be89-ccdd5834fe7a"
    assert 'name="BODY"; filename="Logo Ü.png"'.encode() in server.last.body


def test_a_name_with_impossible_characters_is_mended(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/static_post")
    opencast.staticfiles.upload('a"b\\c/d\r\ne', BytesIO(b"png"), 3)
    assert b'filename="a_b_c_d__e"' in server.last.body


@pytest.mark.parametrize("said", ["", "stored", "../../x"])
def test_anything_but_an_id_is_no_success(server: ScriptedServer, opencast: Opencast, said: str) -> None:
    server.on("POST", "/staticfiles", text_answer(said, 201))
    with pytest.raises(InvalidAnswer):
        opencast.staticfiles.upload("a.png", BytesIO(b"png"), 3)


def test_a_file_that_is_too_large_is_refused(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/staticfiles", Answer(400))
    with pytest.raises(BadRequest):
        opencast.staticfiles.upload("a.png", BytesIO(b"png"), 3)


def test_a_file_is_read(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "themes/static_bumperFile")
    with opencast.staticfiles.download(BUMPER) as download:
        data = b"".join(download.iter())
    assert hashlib.md5(data).hexdigest() == "c64cfcc300864a74aafb270b584b6466"
    assert "filename=a-bumper.mp4" in download.headers["Content-Disposition"]


def test_a_missing_file_is_known_before_a_theme_refers_to_it(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "themes/static_bumperFile_url", "themes/static_unknown")
    assert opencast.staticfiles.exists(BUMPER)
    assert not opencast.staticfiles.exists("00000000-0000-0000-0000-000000000000")
    with pytest.raises(NotFound), opencast.staticfiles.download("00000000-0000-0000-0000-000000000000"):
        pass


def test_a_file_is_kept_and_deleted(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", f"/staticfiles/{BUMPER}/persist", Answer(200))
    opencast.staticfiles.persist(BUMPER)
    server.on("DELETE", f"/staticfiles/{BUMPER}", Answer(204), Answer(404))
    assert opencast.staticfiles.delete(BUMPER)
    assert not opencast.staticfiles.delete(BUMPER)
