"""Comments: text, reason, replies, state and authors arrive once, whatever the target's interface makes of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from opencast.api.comments import Author, Comment, CommentsService, Reply
from opencast.api.opencast import Opencast
from opencast.errors import OpencastError, VerificationFailed
from opencast.migration.comments import CommentMigrator, paired
from opencast.migration.migrated import Migrated
from opencast.migration.patience import Patience
from opencast.migration.runs import COMMENTS_CATALOG
from opencast.store.ledger import State

from tests.migration.pair import Pair, server
from tests.simulator import User, comments
from tests.simulator.settings import ADMIN_ROLES

#: Has one comment with one reply.
EVENT = "a-ev-fast"
QUIET = "a-ev-archive-only"
COMMENTING = ("ROLE_UI_EVENTS_DETAILS_COMMENTS_CREATE", "ROLE_ANONYMOUS", "ROLE_STUDENT")
ADMIN = User("admin", "opencast", "Administrator", ADMIN_ROLES)
NOW = datetime(2024, 5, 6, tzinfo=UTC)


@pytest.fixture
def here(pair: Pair) -> Pair:
    """Both events on both servers, the target's without any comment yet."""
    pair.migrate_all(events=[EVENT, QUIET], include_comments=False)
    return pair


def migrate(pair: Pair, event: str = EVENT, *, as_authors: bool = True, seconds: int = 3) -> Migrated:
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    patience = Patience(seconds, sleep=lambda _: None)
    return CommentMigrator(source, target, as_authors=as_authors, patience=patience, archiving=patience).migrate(event)


def of(pair: Pair, event: str = EVENT, *, source: bool = False) -> tuple[Comment, ...]:
    return Opencast(server(pair.source if source else pair.target)).comments.list(event)


def shown(found: tuple[Comment, ...]) -> list[tuple[object, ...]]:
    return [(c.text, c.reason, c.is_resolved, c.author.username, *((r.text, r.author.username) for r in c.replies))
            for c in found]  # fmt: skip


def add(pair: Pair, text: str, *, event: str = EVENT, author: str = "admin", reason: str | None = None,
        resolved: bool = False, replies: tuple[tuple[str, str], ...] = ()) -> None:  # fmt: skip
    """Put a comment into the source; replies are pairs of text and author."""
    state = pair.source.state
    answers = tuple(comments.Reply(state.next_job_id(), text, who, NOW, NOW) for text, who in replies)
    number = state.next_job_id()
    pair.source.comments.load(comments.Comment(number, event, text, author, NOW, NOW, reason, resolved, answers))


def test_comments_arrive_with_replies_reason_and_author(here: Pair) -> None:
    done = migrate(here)
    assert shown(of(here)) == shown(of(here, source=True))
    assert (done.written, done.notes) == (("1 comments", "1 replies"), ())


def test_comments_that_are_there_are_not_written_again(here: Pair) -> None:
    migrate(here)
    before = here.writes()
    assert migrate(here).written == ()
    assert here.writes() == before


def test_an_event_without_comments_costs_one_request(here: Pair) -> None:
    here.target.requests.clear()
    assert migrate(here, QUIET).written == ()
    assert here.target.requests.count == 0


@pytest.mark.parametrize("text", ['<b>&amp; "quotes"', "one\ntwo\r\nthree", "Ärger 🎬 \u2028 end", "]]>", "  blanks  "])
def test_awkward_texts_arrive(here: Pair, text: str) -> None:
    add(here, text, event=QUIET, reason=f"because {text}", replies=((text, "admin"),))
    migrate(here, QUIET)
    assert shown(of(here, QUIET)) == shown(of(here, QUIET, source=True))


def test_the_resolved_state_arrives(here: Pair) -> None:
    add(here, "done with", event=QUIET, resolved=True, reason="cut", replies=(("thanks", "admin"),))
    assert migrate(here, QUIET).written == ("1 comments", "1 replies", "1 comments resolved")
    assert of(here, QUIET)[0].is_resolved


def test_a_reason_that_looks_like_a_yes_leaves_a_comment_open(here: Pair) -> None:
    """The server reads the state of a new comment off its reason."""
    add(here, "is it?", event=QUIET, reason="yes")
    migrate(here, QUIET)
    assert shown(of(here, QUIET)) == [("is it?", "yes", False, "admin")]


def test_what_was_resolved_on_the_target_since_stays_so(here: Pair) -> None:
    migrate(here)
    target = Opencast(server(here.target)).comments
    target.resolve(EVENT, of(here)[0].id)
    done = migrate(here)
    assert done.written == ()
    assert done.notes == ("1 comments are resolved on the target, but not on the source.",)


def test_only_the_missing_replies_are_written(here: Pair) -> None:
    """A try that was killed between two writes is gone on with."""
    add(here, "first", event=QUIET, replies=(("a", "admin"), ("b", "admin")))
    target = Opencast(server(here.target)).comments
    target.reply(QUIET, target.create(QUIET, "first").id, "a")
    assert migrate(here, QUIET).written == ("1 replies",)
    assert shown(of(here, QUIET)) == shown(of(here, QUIET, source=True))


def test_equal_comments_stay_as_many_as_they_are(here: Pair) -> None:
    add(here, "+1", event=QUIET)
    add(here, "+1", event=QUIET)
    migrate(here, QUIET)
    assert len(of(here, QUIET)) == 2


def test_comments_of_the_target_stay(here: Pair) -> None:
    Opencast(server(here.target)).comments.create(EVENT, "only here")
    migrate(here)
    assert {comment.text for comment in of(here)} == {"only here", "Please cut the first minute"}


def test_authors_are_written_for_where_the_target_knows_them(pairs: Callable[..., Pair]) -> None:
    ada = User("ada", "x", "Ada", COMMENTING)
    pair = pairs(target={"users": (ADMIN, ada)})
    pair.migrate_all(events=[QUIET], include_comments=False)
    add(pair, "by Ada", event=QUIET, author="ada", replies=(("by nobody", "nobody"), ("by Ada", "ada")))
    done = migrate(pair, QUIET)
    assert shown(of(pair, QUIET)) == [("by Ada", "", False, "ada", ("by nobody", "admin"), ("by Ada", "ada"))]
    assert done.notes == (
        "Comments and replies that have another author on the target, by their author: nobody (1).",
    )  # fmt: skip
    before = pair.writes()
    assert migrate(pair, QUIET).written == ()
    assert pair.writes() == before


def test_what_others_write_is_archived_although_they_may_not_write_the_event(pairs: Callable[..., Pair]) -> None:
    pair = pairs(target={"users": (ADMIN, User("ada", "x", "Ada", COMMENTING))})
    pair.source.comments.create(QUIET, "ada", "by Ada", "cut")
    pair.migrate_all(events=[QUIET], include_comments=False)
    migrate(pair, QUIET)
    target = Opencast(server(pair.target))
    (catalog,) = target.assets.episode(QUIET).by_flavor(COMMENTS_CATALOG)
    with target.client.open_download(catalog.url or "") as download:
        assert f'id="{of(pair, QUIET)[0].id}"'.encode() in b"".join(download.iter())
    assert shown(of(pair, QUIET)) == [("by Ada", "cut", False, "ada")]
    assert [path for path in (pair.target.storage / "files" / "mediapackage").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("roles", [("ROLE_ANONYMOUS",), ("ROLE_UI_EVENTS_DETAILS_COMMENTS_CREATE",)])
def test_an_author_without_the_rights_is_replaced_and_named(pairs: Callable[..., Pair], roles: tuple[str, ...]) -> None:
    """Without the role for comments the answer is 403, without the right to read the event 404."""
    pair = pairs(target={"users": (ADMIN, User("ada", "x", "Ada", roles))})
    pair.migrate_all(events=[QUIET], include_comments=False)
    add(pair, "by Ada", event=QUIET, author="ada")
    assert "ada (1)" in migrate(pair, QUIET).notes[0]
    assert shown(of(pair, QUIET)) == [("by Ada", "", False, "admin")]


def test_nobody_is_impersonated_without_the_role_or_the_wish(pairs: Callable[..., Pair]) -> None:
    plain = User("admin", "opencast", "Administrator", ("ROLE_ADMIN", "ROLE_ANONYMOUS"))
    pair = pairs(target={"users": (plain, User("ada", "x", "Ada", COMMENTING))})
    pair.migrate_all(events=[QUIET], include_comments=False)
    add(pair, "by Ada", event=QUIET, author="ada")
    migrate(pair, QUIET)
    add(pair, "again", event=QUIET, author="ada")
    migrate(pair, QUIET, as_authors=False)
    assert not [r for r in pair.target.requests.all() if "x-run-as-user" in r.headers]
    assert not [r for r in pair.target.requests.all() if "x-opencast-matterhorn-user" in r.headers]


def test_a_comment_whose_answer_is_lost_is_not_written_twice(here: Pair) -> None:
    here.target.faults.add("/comment$", method="POST", drop=True, executed=True, times=1)
    with pytest.raises(OpencastError, match="may have been carried out"):
        migrate(here)
    migrate(here)
    assert shown(of(here)) == shown(of(here, source=True))


def test_an_event_that_the_target_does_not_list_is_named(here: Pair) -> None:
    here.target.faults.add(f"/admin-ng/event/{EVENT}", status=404, body=b"Cannot find an event")
    with pytest.raises(VerificationFailed, match=f"does not list event {EVENT}"):
        migrate(here)


def test_the_index_of_the_target_may_lag_behind(pairs: Callable[..., Pair]) -> None:
    pair = pairs(target={"index_lag": 1.2})
    assert pair.migrate_all(events=[EVENT])[EVENT].state is State.DONE
    assert shown(of(pair)) == shown(of(pair, source=True))


def test_the_file_that_the_server_leaves_behind_is_removed(here: Pair) -> None:
    migrate(here)
    assert [path for path in (here.target.storage / "files" / "mediapackage").rglob("*") if path.is_file()] == []


def test_a_catalog_that_is_not_archived_in_time_costs_nothing_but_its_file(here: Pair) -> None:
    here.target.faults.add(f"/assets/episode/{EVENT}", status=404)
    assert migrate(here).written == ("1 comments", "1 replies")


def test_the_catalog_that_the_server_writes_of_the_comments_is_no_difference(here: Pair) -> None:
    migrate(here)
    before = [write for write in here.writes() if "/files/" not in write]
    entry = here.migrate(EVENT, key="dag/again")
    assert entry.state is State.DONE
    assert "nothing was written" in entry.notes[0]
    assert "archive: the target keeps the catalog of comments (metadata/comments) that it writes itself." in entry.notes
    assert [write for write in here.writes() if "/files/" not in write] == before


def test_a_new_comment_on_the_source_comes_along_without_another_import(here: Pair) -> None:
    """Each comment makes a new snapshot of its event on a real server, too: the plan sees it as an update."""
    here.migrate(EVENT, key="dag/1")
    Opencast(server(here.source)).comments.create(EVENT, "one more")
    assert here.plan(key="dag/2", events=[EVENT])[EVENT].is_work
    started = len(here.target.state.workflows)
    entry = here.migrate(EVENT, key="dag/2")
    assert entry.state is State.DONE
    assert entry.notes[0] == "The target held the same mediapackage already; written: 1 comments."
    assert shown(of(here)) == shown(of(here, source=True))
    assert len(here.target.state.workflows) == started


def test_the_comments_of_a_scheduled_event_arrive(pair: Pair) -> None:
    source = Opencast(server(pair.source)).comments
    source.reply("a-sched-future", source.create("a-sched-future", "Wrong room", reason="room").id, "right")
    entries = pair.migrate_all(events=["a-sched-future"])
    assert entries["a-sched-future"].state is State.DONE
    assert shown(of(pair, "a-sched-future")) == shown(of(pair, "a-sched-future", source=True))
    assert pair.migrate_scheduled("a-sched-future", key="dag/2").state is State.DONE
    assert len(of(pair, "a-sched-future")) == 1


def test_unreadable_comments_fail_their_event_alone(pair: Pair) -> None:
    """A reply of a deleted account makes a real server answer 500."""
    pair.source.faults.add(f"/admin-ng/event/{EVENT}/comments", status=500)
    entries = pair.migrate_all(events=[EVENT, QUIET])
    assert (entries[EVENT].state, entries[QUIET].state) == (State.FAILED, State.DONE)
    assert "/comments" in entries[EVENT].reason
    assert pair.migrate(EVENT, key="dag/2", include_comments=False).state is State.DONE


def test_comments_are_paired_by_text_and_reason_the_same_author_first() -> None:
    def comment(number: int, author: str, text: str = "t", reason: str = "r") -> Comment:
        return Comment(number, text, reason, False, Author(author), None)

    expected = [comment(1, "ada"), comment(2, "bob"), comment(3, "eve", reason="other")]
    there = [comment(8, "bob"), comment(9, "migration"), comment(10, "eve", text="other")]
    assert [found and found.id for _, found in paired(expected, there)] == [9, 8, None]
    replies = [Reply(1, "x", Author("a"), None), Reply(2, "x", Author("a"), None)]
    assert paired(replies, replies[:1])[1][1] is None


def test_reopening_a_comment_leaves_everything_else(here: Pair) -> None:
    service: CommentsService = Opencast(server(here.target)).comments
    number = service.create(QUIET, "text", reason="on").id
    service.reply(QUIET, number, "reply")
    reopened = service.reopen(QUIET, number)
    assert shown((reopened,)) == [("text", "on", False, "admin", ("reply", "admin"))]
