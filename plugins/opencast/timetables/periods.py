"""Days or months of creation that are back-filled, and never run by themselves."""

from __future__ import annotations

from typing import Any

from airflow.timetables.trigger import CronPartitionTimetable
from pendulum.tz.timezone import FixedTimezone, Timezone

from opencast.migration.windows import Granularity


class PeriodTimetable(CronPartitionTimetable):
    """A partition for each day or month, for back-fills and for the field of the trigger form.

    Airflow's own timetable starts a run as soon as its DAG is unpaused, which it has to be for a back-fill. Such a run
    is not only unexpected: a back-fill of what is missing would leave its period out, whatever it did there.

    :param granularity: length of the periods.
    :param timezone: in which they are meant.
    """

    def __init__(self, granularity: Granularity | str, *, timezone: str | Timezone | FixedTimezone) -> None:
        self._granularity = Granularity(granularity)
        super().__init__(self._granularity.cron, timezone=timezone, key_format=self._granularity.key_format)

    @property
    def summary(self) -> str:
        """What the list of DAGs shows as the schedule."""
        return f"back-fill by {self._granularity.value}"

    def next_dagrun_info_v2(self, **_: Any) -> None:
        """Schedule nothing."""
        return None

    def serialize(self) -> dict[str, Any]:
        """Return what the scheduler makes the timetable of."""
        return {"granularity": self._granularity.value, "timezone": super().serialize()["timezone"]}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> PeriodTimetable:
        """Make the timetable of what ``serialize`` returned."""
        return cls(data["granularity"], timezone=_zone(data["timezone"]))


def _zone(encoded: str | int) -> Timezone | FixedTimezone:
    from airflow._shared.timezones.timezone import parse_timezone

    return parse_timezone(encoded)
