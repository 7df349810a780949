"""Migrate the comments on events: text, reason, replies, state, and authors where the target lets us write for them.

The server archives an event again after each written comment, with a catalog of all of them: what it leaves behind in
the working file repository is removed.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from opencast.api.comments import Author, Comment, CommentsService, Reply
from opencast.api.features import Feature
from opencast.api.info import Me
from opencast.api.opencast import Opencast
from opencast.errors import (
    AuthenticationFailed,
    ConfigurationError,
    Forbidden,
    ModelError,
    NotFound,
    ServerError,
    VerificationFailed,
)
from opencast.migration.migrated import Migrated
from opencast.migration.patience import Patience
from opencast.migration.runs import COMMENTS_CATALOG
from opencast.model.xml import parse_xml

log = logging.getLogger(__name__)

#: Seconds for which the server may be busy archiving written comments.
_ARCHIVING_S = 15.0
_LARGEST_CATALOG = 16 * 1024 * 1024

T = TypeVar("T", Comment, Reply)
R = TypeVar("R")


class CommentMigrator:
    """Bring the comments on events from one server to another.

    :param as_authors: whether to write in the authors' names, which needs ROLE_SUDO on the target.
    :param patience: waits until the target's index shows the event.
    :param archiving: waits until the target has archived what was written.
    """

    def __init__(
        self,
        source: Opencast,
        target: Opencast,
        *,
        as_authors: bool = True,
        patience: Patience | None = None,
        archiving: Patience | None = None,
    ) -> None:
        self._source = source
        self._target = target
        self._authors = _Authors(target, enabled=as_authors)
        self._patience = patience or Patience()
        self._archiving = archiving or Patience(_ARCHIVING_S)

    def migrate(self, event_id: str) -> Migrated:
        """Write the comments and replies that the target's event lacks, and prove it.

        Comments that only the target has stay.

        :raises VerificationFailed: the target does not show the event, or not its comments after they were written.
        """
        expected = self._read_source(event_id)
        if not expected:
            return Migrated(event_id, _digest(()))
        there = self._patience.until(lambda: self._commentable(event_id))
        if there is None:
            raise VerificationFailed(
                f"The target does not list event {event_id}, or is processing it: its comments cannot be written."
            )
        written: list[str] = []
        for comment, found in paired(expected, there):
            written += self._write(event_id, comment, found)
        if written:
            there = self._target.comments.list(event_id)
        if self._authors.wrote_for_others:
            self._touch(event_id, there[-1])
        notes = self._verify(event_id, expected, there)
        if written:
            self._tidy(event_id, there)
        counted = tuple(f"{count} {what}" for what, count in Counter(written).items())
        return Migrated(event_id, _digest(expected), counted, notes)

    def _read_source(self, event_id: str) -> tuple[Comment, ...]:
        if not self._source.has(Feature.ADMIN_INTERFACE):
            return ()
        return self._source.comments.list(event_id)

    def _commentable(self, event_id: str) -> tuple[Comment, ...] | None:
        """Return the target's comments when its index shows the event, and shows the end of its import.

        Comments on an event that seems to be processed are not archived with it.
        """
        if self._target.events.get(event_id).event_status.is_processing:
            return None
        return self._target.comments.list(event_id)

    # --- writing ---------------------------------------------------------------------------------------------------

    def _touch(self, event_id: str, comment: Comment) -> None:
        """Write the state of a comment once more in our own name.

        Who may comment on an event may not always write it: then the server does not archive their comments.
        """
        write = self._target.comments.resolve if comment.is_resolved else self._target.comments.reopen
        write(event_id, comment.id)

    def _write(self, event_id: str, comment: Comment, found: Comment | None) -> list[str]:
        written = []
        fresh = found is None
        if found is None:
            found = self._authors.write(
                comment.author, lambda service: service.create(event_id, comment.text, reason=comment.reason)
            )
            written.append("comments")
        number = found.id
        for reply, same in paired(comment.replies, found.replies):
            if same is None:
                self._authors.write(reply.author, _replying(event_id, number, reply.text))
                written.append("replies")
        if comment.is_resolved and not found.is_resolved:
            self._target.comments.resolve(event_id, number)
            written.append("comments resolved")
        elif fresh and found.is_resolved and not comment.is_resolved:
            self._target.comments.reopen(event_id, number)
        return written

    # --- proving ---------------------------------------------------------------------------------------------------

    def _verify(self, event_id: str, expected: Sequence[Comment], there: Sequence[Comment]) -> tuple[str, ...]:
        """Compare what the target shows.

        :raises VerificationFailed: naming the first difference.
        """
        resolved = 0
        strangers: dict[str, int] = {}
        for comment, found in paired(expected, there):
            if found is None:
                raise VerificationFailed(f"Comment {comment.id} on event {event_id} is not on the target.")
            _count_stranger(strangers, comment.author, found.author)
            for reply, same in paired(comment.replies, found.replies):
                if same is None:
                    raise VerificationFailed(f"Reply {reply.id} on event {event_id} is not on the target.")
                _count_stranger(strangers, reply.author, same.author)
            if comment.is_resolved and not found.is_resolved:
                raise VerificationFailed(f"Comment {comment.id} on event {event_id} is not resolved on the target.")
            resolved += found.is_resolved and not comment.is_resolved
        notes = []
        if strangers:
            names = ", ".join(f"{name} ({count})" for name, count in sorted(strangers.items()))
            notes.append(f"Comments and replies that have another author on the target, by their author: {names}.")
        if resolved:
            notes.append(f"{resolved} comments are resolved on the target, but not on the source.")
        return tuple(notes)

    def _tidy(self, event_id: str, comments: Sequence[Comment]) -> None:
        """Remove the file of the catalog that the server has archived; what cannot be removed is no loss.

        The server archives after its answers: the file must not go before the last of them is archived.
        """
        wanted = {str(comment.id): comment.is_resolved for comment in comments}
        replies = {str(reply.id) for comment in comments for reply in comment.replies}

        def look() -> str | None:
            package = self._target.assets.episode(event_id)
            for element in package.by_flavor(COMMENTS_CATALOG):
                archived = self._archived(element.url or "")
                if archived is not None and archived[0] == wanted and archived[1] >= replies:
                    return element.id
            return None

        try:
            element = self._archiving.until(look)
            if element is not None:
                self._target.files.delete(event_id, element)
        except (ServerError, ModelError) as error:
            log.warning("What the target wrote for the comments on %s stays in its files: %s", event_id, error)

    def _archived(self, url: str) -> tuple[dict[str, bool], set[str]] | None:
        """Read ids and states of comments, and ids of replies, from a catalog of the target."""
        with self._target.client.open_download(url) as download:
            data = bytearray()
            for piece in download.iter():
                data += piece
                if len(data) > _LARGEST_CATALOG:
                    return None
        root = parse_xml(bytes(data), what="a catalog of comments")
        comments = {node.get("id", ""): node.get("resolved") == "true" for node in root.iterfind("{*}comment")}
        return comments, {node.get("id", "") for node in root.iter("{*}reply")}


class _Authors:
    """Write in the names of authors; in our own where the target refuses that.

    :ivar wrote_for_others: whether anything was written in another's name.
    """

    def __init__(self, target: Opencast, *, enabled: bool) -> None:
        self._target = target
        self._enabled = enabled
        self._me: Me | None = None
        self._refused: set[str] = set()
        self.wrote_for_others = False

    def write(self, author: Author, write: Callable[[CommentsService], R]) -> R:
        """Write something as its author if that is possible.

        A refused request has changed nothing, so that it can be made again in another name.
        """
        name = author.username
        if self._may_be(name):
            try:
                written = write(self._target.running_as(name).comments)
                self.wrote_for_others = True
                return written
            except (AuthenticationFailed, ConfigurationError, Forbidden, NotFound) as error:
                # Unknown on the target, without the roles for comments, or without the right to see the event.
                log.info("Nothing can be written in the name of %s: %s", name, error.message)
                self._refused.add(name)
        return write(self._target.comments)

    def _may_be(self, name: str) -> bool:
        if not self._enabled or not name or name in self._refused:
            return False
        if self._me is None:
            self._me = self._target.info.me()
        return self._me.may_run_as and name != self._me.username


def _replying(event_id: str, number: int, text: str) -> Callable[[CommentsService], Comment]:
    return lambda service: service.reply(event_id, number, text)


def paired(expected: Sequence[T], there: Sequence[T]) -> list[tuple[T, T | None]]:
    """Find each comment or reply again by its text (and reason), those of the same author first, each once."""
    left = list(there)
    found: dict[int, T] = {}
    for same_author in (True, False):
        for number, one in enumerate(expected):
            if number in found:
                continue
            for other in left:
                if _key(other) == _key(one) and (not same_author or other.author.username == one.author.username):
                    found[number] = other
                    left.remove(other)
                    break
    return [(one, found.get(number)) for number, one in enumerate(expected)]


def _key(entry: Comment | Reply) -> tuple[str, str]:
    return entry.text.strip(), entry.reason.strip() if isinstance(entry, Comment) else ""


def _count_stranger(strangers: dict[str, int], expected: Author, found: Author) -> None:
    if expected.username != found.username:
        strangers[expected.username] = strangers.get(expected.username, 0) + 1


def _digest(comments: Sequence[Comment]) -> str:
    return hashlib.sha256(
        repr([(c.text, c.reason, c.is_resolved, c.author, c.replies) for c in comments]).encode()
    ).hexdigest()
