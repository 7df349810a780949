"""What a simulator holds when it starts: a recorded library, a generated one, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulator.libraries.generated import Generated
from tests.simulator.libraries.oai_records import load_made_up, load_recorded
from tests.simulator.libraries.recorded import fill
from tests.simulator.recordings import Recordings

if TYPE_CHECKING:
    from tests.simulator.server import Simulator


@dataclass(frozen=True, slots=True)
class Library:
    """A filling.

    :param name: ``recorded`` (of the simulator's own generation), ``recorded-15``, ``recorded-17``, ``empty`` or
        ``generated``.
    :param events: number of generated events.
    :param event_bytes: size of each generated video.
    :param shared_fraction: part of the events whose video is the same file as another event's.
    :param seed: equal seeds give equal libraries.
    :param sparse: make videos of zeros that take no room on disk.
    :param others: the recorded library's events and series of another client too, which were recorded in lists only
        and have no snapshot.
    :param oai_records: number of records in the OAI-PMH repository; None is what was recorded, or none in a generated
        library. The recordings of generation 17 have 72, what is beyond them is made up.
    :param events_in_series: generated events in each series, on average.
    :param lazy: write an event's files when it is first asked for; None decides by the library's size.
    """

    name: str = "recorded"
    events: int = 100
    event_bytes: int = 100_000
    shared_fraction: float = 0.0
    seed: int = 1
    sparse: bool = False
    lazy: bool | None = None
    others: bool = False
    oai_records: int | None = None
    events_in_series: int = 40

    def fill(self, simulator: Simulator) -> None:
        """Fill a simulator that knows its address and storage but does not serve yet.

        :raises ValueError: for an unknown name.
        """
        fillers: dict[str, Callable[[], None]] = {
            "empty": lambda: load_made_up(simulator, self.oai_records or 0),
            "recorded": lambda: self._recorded(simulator, simulator.settings.recorded),
            "recorded-15": lambda: self._recorded(simulator, 15),
            "recorded-17": lambda: self._recorded(simulator, 17),
            "generated": lambda: self._generated(simulator),
        }
        if self.name not in fillers:
            raise ValueError(f"there is no library {self.name!r}, only {', '.join(fillers)}")
        fillers[self.name]()

    def _recorded(self, simulator: Simulator, generation: int) -> None:
        fill(simulator, generation, others=self.others)
        load_recorded(simulator, Recordings(generation), self.oai_records)

    def _generated(self, simulator: Simulator) -> None:
        Generated(self, simulator).fill()
        load_made_up(simulator, self.oai_records or 0)


__all__ = ["Library"]
