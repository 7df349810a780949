"""Scheduled events (``/recordings``): when, on which agent, with which properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from opencast.api import fields, properties
from opencast.api.addresses import path
from opencast.api.client import Client, Fields
from opencast.errors import ConfigurationError, InvalidAnswer, NotFound
from opencast.model.mediapackage import MediaPackage

FormValue = str | int | bool | None
_WORKFLOW_PREFIX = "org.opencastproject.workflow.config."
#: Agent properties that the server writes by itself, from the event and from the workflow properties.
_GENERATED = frozenset({"event.title", "event.series", "event.location"})


@dataclass(frozen=True)
class Schedule:
    """What the scheduler knows of an event (``GET /recordings/{id}/technical.json``).

    :param agent: id of the capture agent.
    :param start: UTC.
    :param end: UTC.
    :param presenters: ids of users.
    :param agent_properties: as the agent gets them, generated ones included; see :attr:`own_agent_properties`.
    :param state: of the recording, such as ``capturing``; empty before it begins.
    """

    agent: str
    start: datetime
    end: datetime
    presenters: tuple[str, ...] = ()
    workflow_properties: Mapping[str, str] = field(default_factory=dict)
    agent_properties: Mapping[str, str] = field(default_factory=dict)
    state: str = ""

    @property
    def own_agent_properties(self) -> dict[str, str]:
        """The agent properties that somebody set, which are those to send to another server."""
        return {
            key: value
            for key, value in self.agent_properties.items()
            if key not in _GENERATED and not key.startswith(_WORKFLOW_PREFIX)
        }

    def form(self) -> Fields:
        """Give the fields that are posted: times in milliseconds since 1970, properties as lines.

        :raises ConfigurationError: the id of a presenter holds a comma, which separates them.
        """
        for presenter in self.presenters:
            if "," in presenter:
                raise ConfigurationError(f"The presenter {presenter!r} cannot be scheduled: its id holds a comma.")
        return {
            "start": _milliseconds(self.start),
            "end": _milliseconds(self.end),
            "agent": self.agent,
            "users": ",".join(self.presenters),
            "wfproperties": properties.to_lines(self.workflow_properties),
            "agentparameters": properties.to_lines(self.own_agent_properties),
        }


#: What empties a field of a scheduled event.
_EMPTY = {"users": ",", "wfproperties": "#", "agentparameters": "#"}


class RecordingsService:
    """``/recordings``: reading needs ROLE_CAPTURE_AGENT or ROLE_ADMIN, writing ROLE_ADMIN."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def schedule(self, event_id: str) -> Schedule | None:
        """Get the schedule of an event; None when it is not scheduled."""
        where = f"{path('/recordings', event_id)}/technical.json"
        try:
            document = fields.an_object(self._client.get_json(where), what=where)
        except NotFound:
            return None
        start, end = fields.moment(document, "start"), fields.moment(document, "end")
        if start is None or end is None:
            raise InvalidAnswer(f"The schedule of event {event_id} has no start or no end.")
        return Schedule(
            agent=fields.text(document, "location"),
            start=start,
            end=end,
            presenters=fields.texts(document, "presenters"),
            workflow_properties=fields.mapping(document, "wfProperties"),
            agent_properties=fields.mapping(document, "agentConfig"),
            state=fields.text(document, "state"),
        )

    def mediapackage(self, event_id: str) -> MediaPackage | None:
        """Get the mediapackage of a scheduled event (``GET /recordings/{id}/mediapackage.xml``); None for any other."""
        try:
            data = self._client.get_xml(f"{path('/recordings', event_id)}/mediapackage.xml")
        except NotFound:
            return None
        return MediaPackage.parse(data, what=f"the scheduled mediapackage {event_id}")

    def create(self, schedule: Schedule, mediapackage: bytes, *, source: str = "") -> None:
        """Schedule an event under the id of its mediapackage (``POST /recordings``).

        Not repeated when it may have arrived: after :class:`~opencast.errors.Unreachable` look with :meth:`schedule`.

        :param mediapackage: XML; the server must be able to read the URLs of its elements.
        :param source: who scheduled it; kept by the server.
        :raises Conflict: the agent is taken at that time, or the id exists; the message says which.
        :raises BadRequest: the end is not after the start, or the mediapackage cannot be read.
        """
        form = {**schedule.form(), "mediaPackage": mediapackage.decode("utf-8"), "source": source or None}
        self._client.post_form("/recordings", form, ok=(201,))

    def update(
        self, event_id: str, schedule: Schedule, mediapackage: bytes | None = None, *, known: Schedule | None = None
    ) -> None:
        """Change a scheduled event (``PUT /recordings/{id}``); properties are replaced as a whole.

        A field without content would leave what is there, so that what is to be emptied is sent as a list of no users
        (``,``) or as properties without a property (``#``, a comment); both were tried on a real 17. Times and agent
        that are sent are written into the episode's catalog, also when they are what the scheduler has already.

        :param known: what the server has; only the fields that differ from it are sent.
        :raises NotFound: it is not scheduled.
        :raises Conflict: the agent is taken at that time.
        """
        form: dict[str, FormValue] = dict(schedule.form())
        if known is not None:
            form = _changes(form, dict(known.form()))
        form = {name: _EMPTY.get(name, value) if value == "" else value for name, value in form.items()}
        form["mediaPackage"] = None if mediapackage is None else mediapackage.decode("utf-8")
        self._client.put_form(path("/recordings", event_id), form, ok=(200,))

    def conflicts(self, agent: str, start: datetime, end: datetime) -> tuple[str, ...]:
        """Get the ids of the events that take an agent's time (``GET /recordings/conflicts.json``)."""
        params: Fields = {"agent": agent, "start": _milliseconds(start), "end": _milliseconds(end)}
        response = self._client.get("/recordings/conflicts.json", params=params, ok=(200, 204))
        if response.status_code == 204:
            return ()
        answer = self._client.read.json(response)
        found = answer.get("events") if isinstance(answer, dict) else answer
        what = "/recordings/conflicts.json"
        return tuple(fields.required(entry, "id", what=what) for entry in fields.objects(found, what=what))

    def delete(self, event_id: str) -> bool:
        """Take an event off the schedule and delete it (``DELETE /recordings/{id}``).

        :returns: False when it was not scheduled.
        """
        try:
            self._client.delete(path("/recordings", event_id))
        except NotFound:
            return False
        return True


def _changes(wanted: dict[str, FormValue], known: dict[str, FormValue]) -> dict[str, FormValue]:
    """Return the fields that differ; start and end belong together."""
    changed = {name for name, value in wanted.items() if value != known.get(name)}
    if changed & {"start", "end"}:
        changed |= {"start", "end"}
    return {name: wanted[name] for name in changed}


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
