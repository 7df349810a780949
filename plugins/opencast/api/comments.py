"""Comments on events, with replies (``/admin-ng/event``). Author and dates are the request's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opencast.api import fields
from opencast.api.addresses import path
from opencast.api.client import Client
from opencast.errors import InvalidAnswer, NotFound


@dataclass(frozen=True)
class Author:
    """Who wrote a comment; name and address are empty when the account is gone."""

    username: str
    name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Reply:
    """A reply to a comment."""

    id: int
    text: str
    author: Author
    created: datetime | None


@dataclass(frozen=True)
class Comment:
    """A comment on an event.

    :param reason: a key of the user interface (``EVENTS.EVENTS.DETAILS.COMMENTS.REASONS...``) or free text.
    """

    id: int
    text: str
    reason: str
    is_resolved: bool
    author: Author
    created: datetime | None
    replies: tuple[Reply, ...] = ()

    @classmethod
    def parse(cls, value: object, *, what: str) -> Comment:
        """Read an entry of ``GET /admin-ng/event/{id}/comments``.

        :raises InvalidAnswer: another form, or no id.
        """
        source = fields.an_object(value, what=what)
        return cls(
            id=_id(source, what),
            text=fields.text(source, "text"),
            reason=fields.text(source, "reason"),
            is_resolved=fields.flag(source, "resolvedStatus"),
            author=_author(source),
            created=fields.moment(source, "creationDate"),
            replies=tuple(
                Reply(
                    _id(reply, what), fields.text(reply, "text"), _author(reply), fields.moment(reply, "creationDate")
                )
                for reply in fields.objects(source.get("replies") or [], what=what)
            ),
        )


class CommentsService:
    """``/admin-ng/event/{id}/comment``: needs ROLE_ADMIN or the roles of the user interface."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, event_id: str) -> tuple[Comment, ...]:
        """List the comments on an event, oldest first.

        :raises NotFound: the index does not know the event (yet).
        """
        what = f"the comments on event {event_id}"
        answer = fields.a_list(self._client.get_json(f"{_event(event_id)}/comments"), what=what)
        return tuple(sorted((Comment.parse(entry, what=what) for entry in answer), key=lambda comment: comment.id))

    def create(self, event_id: str, text: str, *, reason: str = "") -> Comment:
        """Write a comment, not resolved; see :meth:`resolve`. Not repeated when it may have arrived.

        :param text: must not be blank.
        :raises NotFound: the index does not know the event (yet).
        :raises BadRequest: a blank text.
        """
        # The field "resolved" is not sent: servers set that state from the reason by mistake.
        form = {"text": text, "reason": reason}
        return self._written(event_id, f"{_event(event_id)}/comment", form)

    def resolve(self, event_id: str, comment_id: int) -> Comment:
        """Mark a comment as resolved.

        :raises NotFound: there is no such event or comment.
        """
        return self._written(event_id, path(f"{_event(event_id)}/comment", str(comment_id)), {}, idempotent=True)

    def reopen(self, event_id: str, comment_id: int) -> Comment:
        """Mark a comment as not resolved (``PUT``): some servers resolve new ones whose reason looks like a yes.

        :raises NotFound: there is no such event or comment.
        """
        where = path(f"{_event(event_id)}/comment", str(comment_id))
        response = self._client.put_form(where, {"resolved": False}, ok=(200,))
        return Comment.parse(self._client.read.json(response), what=f"the comment on event {event_id}")

    def reply(self, event_id: str, comment_id: int, text: str) -> Comment:
        """Reply to a comment; its state stays. Not repeated when it may have arrived.

        :param text: must not be blank.
        :returns: the comment with all replies.
        :raises NotFound: there is no such event or comment.
        """
        where = f"{path(f'{_event(event_id)}/comment', str(comment_id))}/reply"
        return self._written(event_id, where, {"text": text})

    def delete(self, event_id: str, comment_id: int) -> bool:
        """Delete a comment with its replies.

        :returns: False when there was none.
        """
        try:
            self._client.delete(path(f"{_event(event_id)}/comment", str(comment_id)))
        except NotFound:
            return False
        return True

    def _written(self, event_id: str, where: str, form: dict[str, str], *, idempotent: bool = False) -> Comment:
        response = self._client.post_form(where, form, ok=(200, 201), idempotent=idempotent)
        return Comment.parse(self._client.read.json(response), what=f"the comment on event {event_id}")


def _event(event_id: str) -> str:
    return path("/admin-ng/event", event_id)


def _id(source: fields.Json, what: str) -> int:
    identifier = fields.integer(source, "id")
    if identifier is None:
        raise InvalidAnswer(f"In {what} something has no id.")
    return identifier


def _author(source: fields.Json) -> Author:
    author = source.get("author")
    if not isinstance(author, dict):
        return Author("")
    return Author(fields.text(author, "username"), fields.text(author, "name"), fields.text(author, "email"))
