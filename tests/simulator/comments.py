"""Comments on events; each write also archives the event again, with a catalog that holds all of its comments."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.simulator import clock, mediapackage, xmlio
from tests.simulator.assets import AssetManager, SnapshotFailed
from tests.simulator.mediapackage import Element
from tests.simulator.settings import User
from tests.simulator.state import State
from tests.simulator.workspace import Workspace

FLAVOR = "metadata/comments"
_NAMESPACE = "http://comment.opencastproject.org"
_TRUE = frozenset({"true", "yes", "on", "y", "t", "1"})


class NoSuchComment(LookupError):
    """There is no such comment."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply; ``author`` is a user's name for logging in."""

    id: int
    text: str
    author: str
    created: datetime
    modified: datetime


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on an event."""

    id: int
    event: str
    text: str
    author: str
    created: datetime
    modified: datetime
    reason: str | None = None
    resolved: bool = False
    replies: tuple[Reply, ...] = field(default=())


class Comments:
    """Comments by event."""

    def __init__(self, state: State, assets: AssetManager, workspace: Workspace, users: Sequence[User]) -> None:
        self._state, self._assets, self._workspace = state, assets, workspace
        self._users = {user.username: user for user in users}
        self._held: defaultdict[str, dict[int, Comment]] = defaultdict(dict)

    def load(self, comment: Comment) -> None:
        """Put a comment in."""
        self._held[comment.event][comment.id] = comment
        self._state.skip_job_ids(max([comment.id, *(reply.id for reply in comment.replies)]))

    def of(self, event_id: str) -> list[Comment]:
        """Give an event's comments by date, the resolved ones last."""
        held = sorted(self._held[event_id].values(), key=lambda comment: (comment.created, comment.id))
        return sorted(held, key=lambda comment: comment.resolved)

    def user(self, name: str) -> User:
        """Find an author; one whose account is gone is a ghost."""
        return self._users.get(name) or User(name, "", name, email="ghost@localhost")

    def create(self, event_id: str, author: str, text: str, reason: str | None, *, archive: bool = True) -> Comment:
        """Write a comment; whether it is resolved is read off its reason.

        :param archive: whether the caller may write the event, without which its snapshot fails.
        """
        now = clock.now()
        resolved = (reason or "").lower() in _TRUE
        made = Comment(self._state.next_job_id(), event_id, text, author, now, now, reason, resolved)
        return self._save(made, archive=archive)

    def update(
        self, event_id: str, number: int, *, text: str = "", reason: str = "", resolved: bool | None = None,
        archive: bool = True,
    ) -> Comment:  # fmt: skip
        """Change what is not empty.

        :raises NoSuchComment: when there is none.
        """
        old = self.find(event_id, number)
        changed = replace(
            old, text=text.strip() or old.text, reason=reason.strip() or old.reason, modified=clock.now(),
            resolved=old.resolved if resolved is None else resolved,
        )  # fmt: skip
        return self._save(changed, archive=archive)

    def reply(
        self, event_id: str, number: int, author: str, text: str, *, resolved: bool, archive: bool = True
    ) -> Comment:
        """Add a reply.

        :raises NoSuchComment: when there is no such comment.
        """
        old, now = self.find(event_id, number), clock.now()
        added = Reply(self._state.next_job_id(), text, author, now, now)
        answered = replace(old, replies=(*old.replies, added), resolved=old.resolved or resolved)
        return self._save(answered, archive=archive)

    def delete(self, event_id: str, number: int) -> None:
        """Remove a comment with its replies.

        :raises NoSuchComment: when there is none.
        """
        del self._held[event_id][self.find(event_id, number).id]
        self._archive(event_id)

    def forget(self, event_id: str) -> None:
        """Remove all comments of an event that is being deleted."""
        self._held.pop(event_id, None)

    def find(self, event_id: str, number: int) -> Comment:
        """Find a comment.

        :raises NoSuchComment: when there is none.
        """
        try:
            return self._held[event_id][number]
        except KeyError as error:
            raise NoSuchComment(number) from error

    def _save(self, comment: Comment, *, archive: bool) -> Comment:
        self._held[comment.event][comment.id] = comment
        self._archive(comment.event, allowed=archive)
        return comment

    def _archive(self, event_id: str, *, allowed: bool = True) -> None:
        """Take a snapshot with the comments' catalog, whose file stays behind in the working file repository.

        The real server does so after its answer, on one thread; an event with an active workflow is left alone here.
        """
        event = self._state.events.get(event_id)
        package = self._assets.delivered(event_id)
        if event is None or package is None or any(w.active for w in self._state.workflows_of(event_id)):
            return
        found = package.of_flavor(FLAVOR, "catalog")
        comments = self.of(event_id)
        if comments:
            catalog = found[0] if len(found) == 1 else Element("catalog", mediapackage.new_id(), FLAVOR)
            if len(found) != 1:
                package.add(catalog)
            catalog.mimetype, catalog.checksum = "text/xml", None
            text = self._xml(comments, event.org)
            catalog.url = self._workspace.put(package.id, str(catalog.id), "comments.xml", text.encode())
        elif len(found) == 1:
            package.remove(found[0])
            self._workspace.delete(found[0].url)
        if not allowed:
            return
        with contextlib.suppress(SnapshotFailed):
            self._assets.take_snapshot(package, event.org, None)

    def _xml(self, comments: list[Comment], org: str) -> str:
        inner = "".join(
            f'<comment eventId="{xmlio.quote(c.event)}" id="{c.id}" organization="{org}" '
            f'resolved="{str(c.resolved).lower()}">{self._author(c.author)}{_dates(c)}<text>{_cdata(c.text)}</text>'
            f"{_leaf('reason', c.reason)}{self._replies(c)}</comment>"
            for c in comments
        )
        prolog = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
        return f'{prolog}<comments xmlns="{_NAMESPACE}">{inner}</comments>'

    def _replies(self, comment: Comment) -> str:
        inner = "".join(
            f'<reply id="{r.id}">{self._author(r.author)}{_dates(r)}<text>{_cdata(r.text)}</text></reply>'
            for r in comment.replies
        )
        return f"<replies>{inner}</replies>" if inner else "<replies/>"

    def _author(self, name: str) -> str:
        user = self.user(name)
        return (
            f"<author>{_leaf('username', user.username)}{_leaf('email', user.email)}"
            f"<name>{_cdata(user.name)}</name></author>"
        )


def _leaf(tag: str, value: str | None) -> str:
    return f"<{tag}>{xmlio.escape(value)}</{tag}>" if value else f"<{tag}/>"


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def _dates(entry: Comment | Reply) -> str:
    created, modified = clock.seconds(entry.created), clock.seconds(entry.modified)
    return _leaf("creationDate", created) + _leaf("modificationDate", modified)
