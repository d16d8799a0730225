"""The alarms in the order in which they are to be seen, kept from one reading to the next.

Rules of this file: it is asked for by every reader, so a change of one alarm moves that one alone. Until somebody
reads nothing is put in order.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable

from domain.plant.alarms.alarm import Alarm

Urgency = tuple[int, int, float, str]
"""What is most urgent sorts first; the id of the alarm is last, so that no two are the same."""


class Order:
    """The ids of alarms by what ``urgency_of`` says of them, the most urgent first."""

    def __init__(self, urgency_of: Callable[[Alarm], Urgency]) -> None:
        self._urgency_of = urgency_of
        self._sorted: list[Urgency] | None = None
        self._of: dict[str, Urgency] = {}

    def of(self, alarms: Iterable[Alarm]) -> list[str]:
        """The ids of ``alarms``, which are those of which ``put`` and ``drop`` told."""
        if self._sorted is None:
            self._sorted = sorted(map(self._urgency_of, alarms))
            self._of = {urgency[-1]: urgency for urgency in self._sorted}
        return [urgency[-1] for urgency in self._sorted]

    def put(self, alarm: Alarm) -> None:
        """``alarm`` is known, and as it is now."""
        if self._sorted is None:
            return
        urgency = self._urgency_of(alarm)
        if self._of.get(urgency[-1]) != urgency:
            self.drop(urgency[-1])
            self._of[urgency[-1]] = urgency
            insort(self._sorted, urgency)

    def drop(self, id_: str) -> None:
        """The alarm ``id_`` is known no more."""
        known = self._of.pop(id_, None)
        if known is not None and self._sorted is not None:
            del self._sorted[bisect_left(self._sorted, known)]

    def reset(self) -> None:
        """``urgency_of`` says something else of them from now on."""
        self._sorted = None
        self._of.clear()
