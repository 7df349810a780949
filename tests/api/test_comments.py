"""Comments on events."""

from __future__ import annotations

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import BadRequest, InvalidAnswer, NotFound, ServerFailure

from tests.api.recorded import replay
from tests.api.scripted_server import Answer, ScriptedServer, json_answer

COMMENT = '{"id": 9, "text": "x", "resolvedStatus": true, "author": {"username": "ada"}, "replies": []}'


def test_comments_are_read_with_replies_and_authors(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/ev-fast/comments", "events/sched-future/comments")
    (comment,) = opencast.comments.list("a-ev-fast")
    assert (comment.id, comment.text) == (1801, "Please cut the first minute")
    assert comment.reason == "EVENTS.EVENTS.DETAILS.COMMENTS.REASONS.CUTTING"
    assert not comment.is_resolved
    assert (comment.author.username, comment.author.name, comment.author.email) == ("admin", "Administrator", "")
    (reply,) = comment.replies
    assert (reply.id, reply.text, reply.author.username) == (1802, "done", "admin")
    assert reply.created is not None
    assert opencast.comments.list("a-sched-future") == ()


def test_comments_come_oldest_first(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/admin-ng/event/a/comments", json_answer('[{"id": 12}, {"id": 3}]'))
    assert [comment.id for comment in opencast.comments.list("a")] == [3, 12]


def test_an_unknown_event_has_no_comments(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/unknown/comments")
    with pytest.raises(NotFound):
        opencast.comments.list("unknown")


def test_a_comment_is_written_in_its_authors_name(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/admin-ng/event/a/comment", json_answer(COMMENT, 201))
    comment = opencast.running_as("ada").comments.create("a", "x", reason="r")
    assert comment.id == 9
    assert server.last.headers["X-RUN-AS-USER"] == "ada"
    assert server.last.form == {"text": "x", "reason": "r"}


def test_a_comment_is_resolved_by_a_call_of_its_own(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/admin-ng/event/a/comment/9", json_answer(COMMENT))
    assert opencast.comments.resolve("a", 9).is_resolved


def test_a_reply_is_written(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/admin-ng/event/a/comment/9/reply", json_answer(COMMENT))
    opencast.comments.reply("a", 9, "y")
    assert server.last.form == {"text": "y"}


def test_what_may_have_arrived_is_not_written_twice(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/admin-ng/event/a/comment", Answer(502)).on(
        "POST", "/admin-ng/event/a/comment/9/reply", Answer(502)
    )
    with pytest.raises(ServerFailure):
        opencast.comments.create("a", "x")
    with pytest.raises(ServerFailure):
        opencast.comments.reply("a", 9, "x")
    assert len(server.requests) == 2


def test_a_blank_comment_is_refused(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/admin-ng/event/a/comment", Answer(400))
    with pytest.raises(BadRequest):
        opencast.comments.create("a", " ")


def test_a_comment_is_deleted(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("DELETE", "/admin-ng/event/a/comment/9", Answer(204), Answer(404))
    assert opencast.comments.delete("a", 9)
    assert not opencast.comments.delete("a", 9)


@pytest.mark.parametrize("body", ["{}", "[5]", '[{"text": "x"}]', '[{"id": 1, "replies": [{}]}]'])
def test_an_answer_of_another_form_is_refused(server: ScriptedServer, opencast: Opencast, body: str) -> None:
    server.on("GET", "/admin-ng/event/a/comments", json_answer(body))
    with pytest.raises(InvalidAnswer):
        opencast.comments.list("a")


def test_an_author_whose_account_is_gone_has_no_name(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/admin-ng/event/a/comments", json_answer('[{"id": 1, "author": null}]'))
    assert opencast.comments.list("a")[0].author.username == ""


def test_a_comment_is_opened_again_with_nothing_but_its_state(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("PUT", "/admin-ng/event/ev/comment/9", json_answer(COMMENT))
    assert opencast.comments.reopen("ev", 9).id == 9
    assert server.last.form == {"resolved": "false"}
