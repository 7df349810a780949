"""Turn the comparison of one object into a finding; whatever cannot be read is a finding, too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opencast.errors import OpencastError
from opencast.store.audits import Check, Finding, Outcome

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compared:
    """What comparing one object that both servers have brought to light.

    :param differences: in words, the first one first; none means equal.
    :param notes: deviations that are no difference, each with its reason.
    """

    differences: Sequence[str] = ()
    notes: Sequence[str] = ()


class OnlyOn(Exception):
    """The object is on one server only.

    :param outcome: on which.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome


def finding(kind: str, identifier: str, title: str, compare: Callable[[], Compared]) -> Finding:
    """Compare one object.

    :param compare: raises :class:`OnlyOn` when only one server has it.
    """
    try:
        compared = compare()
    except OnlyOn as only:
        return Finding(Check.COMPARISON, kind, identifier, title, only.outcome)
    except OpencastError as error:
        log.warning("%s %s cannot be compared: %s", kind, identifier, error.message)
        return Finding(Check.COMPARISON, kind, identifier, title, Outcome.UNREADABLE, error.message, 1)
    outcome = Outcome.DIFFERENT if compared.differences else Outcome.SAME
    detail = compared.differences[0] if compared.differences else ""
    return Finding(
        Check.COMPARISON,
        kind,
        identifier,
        title,
        outcome,
        detail,
        len(compared.differences),
        tuple(dict.fromkeys(compared.notes)),
    )


def require_both(on_source: object, on_target: object) -> None:
    """Refuse to compare what one server lacks.

    :raises OnlyOn: naming the server that has the object.
    """
    if on_source is None and on_target is not None:
        raise OnlyOn(Outcome.ONLY_TARGET)
    if on_target is None and on_source is not None:
        raise OnlyOn(Outcome.ONLY_SOURCE)
