"""Some of the alarms of a site, as somebody sees them who does not see all of it.

Rules of this file: it is for reading, and made anew for each reading, so that nothing is counted in it before it is
asked for. What is not seen is in no figure. An operating position that is seen as a whole has the figures that were
counted there. Of one of which only a part is seen, what is counted is what the alarms themselves remember: that begins
with the last ten minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from domain.plant.alarms.alarm import Alarm
from domain.plant.alarms.alarms import Alarms
from domain.plant.alarms.classes import Terms
from domain.plant.alarms.performance import Counts, Performance
from domain.plant.alarms.rates import SECOND, WINDOW


class SeenAlarms(Alarms):
    """Those of the ``whole`` whose equipment ``sees``, ``at`` (Unix seconds)."""

    is_whole = False

    def __init__(self, whole: Alarms, sees: Callable[[str], bool], at: float) -> None:
        super().__init__(whole.rulebook, whole.began)
        self._whole = whole
        self._sees = sees
        self._since = max(whole.began, at - WINDOW / SECOND)
        self._ordered = whole.ordered()
        self._seen = {place: sees(place) for place in {alarm.equipment for alarm in self._ordered}}
        if not all(self._seen.values()):
            self._ordered = [alarm for alarm in self._ordered if self._seen[alarm.equipment]]
        self._alarms = {alarm.id: alarm for alarm in self._ordered}

    @cached_property
    def counts(self) -> Counts:
        """How many there are in each state."""
        counts = Counts()
        for alarm in self:
            counts.move(None, (alarm.state, alarm.active))
        return counts

    @cached_property
    def performance(self) -> dict[str, Performance]:
        """What is counted, by operating position."""
        hidden = {self.position(place) for place, is_seen in self._seen.items() if not is_seen}
        known = {
            position: performance
            for position, performance in self._whole.performance.items()
            if position not in hidden and self._sees(position)
        }
        return {**known, **self._counted_since(known)}

    def ordered(self) -> list[Alarm]:
        """All of them, the most urgent first."""
        return self._ordered

    def terms(self, alarm: Alarm) -> Terms:
        """What holds for ``alarm``."""
        return self._whole.terms(alarm)

    def position(self, equipment: str) -> str:
        """The operating position that sees ``equipment``."""
        return self._whole.position(equipment)

    def _counted_since(self, known: dict[str, Performance]) -> dict[str, Performance]:
        """What the alarms of positions that are not ``known`` remember."""
        recent: dict[str, list[tuple[float, Alarm]]] = {}
        for alarm in self:
            position = self.position(alarm.equipment)
            if position not in known:
                recent.setdefault(position, []).extend((at, alarm) for at in alarm.recent if at >= self._since)
        counted: dict[str, Performance] = {}
        for position, moments in recent.items():
            performance = counted[position] = Performance(self._since)
            for at, alarm in sorted(moments, key=lambda each: each[0]):
                performance.count(alarm.id, self.terms(alarm).rationale.priority, at)
        return counted
