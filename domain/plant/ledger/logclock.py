"""The clock of a recorded log: which of its stretches were stamped by a clock that had jumped.

Rules of this file:

* The order of a log's lines is the order in which they were received; nothing else tells. Steps of less than a day are
  disorder and are sorted, not judged.
* A log is a sequence of runs: a stamp that is more than a day from the newest of its run begins another one. Clocks go
  forward, so the runs that are believed are those that do, with as many lines as can be; what lies between them is in
  quarantine, if it went: a run in which one item has two stamps. A single old value is late, no jump.
* Until an item comes for the second time a log tells last known values: those are old by right.
* A line in quarantine is put where it was received, behind the newest line that was believed before it.
* A log with very many runs, or in which half as much would be in quarantine as is believed, is in no order of receipt:
  nothing is judged, its stamps hold.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from domain.plant.ledger.instants import DAY_US

RUN_LIMIT = 512
ITEM_LIMIT = 4096


class Quarantine(NamedTuple):
    """The lines numbered from ``first`` up to and without ``end`` belong at ``at``; they say ``low`` to ``high``."""

    first: int
    end: int
    at: int
    low: int
    high: int


class _Run(msgspec.Struct):
    first: int
    end: int
    low: int
    newest: int
    lines: int = 1
    goes: bool = False
    items: dict[str, int] = msgspec.field(default_factory=dict)

    def take(self, number: int, at: int, item: str) -> None:
        self.end = number + 1
        self.low = min(self.low, at)
        self.newest = max(self.newest, at)
        self.lines += 1
        self.note(item, at)

    def note(self, item: str, at: int) -> None:
        if self.goes:
            return
        self.goes = self.items.setdefault(item, at) != at or len(self.items) > ITEM_LIMIT
        if self.goes:
            self.items = {}


class LogClock:
    """Watches the stamps of one log; give it each line in its turn, then ask what is in quarantine."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._greeted: set[str] | None = set()
        self.is_ordered = True

    def take(self, number: int, at: int, item: str) -> None:
        """The line ``number`` tells of ``item`` and is stamped ``at`` (microseconds)."""
        if not self.is_ordered or self._greets(item):
            return
        run = self._runs[-1] if self._runs else None
        if run is not None and abs(at - run.newest) <= DAY_US:
            run.take(number, at, item)
            return
        run = _Run(number, number + 1, at, at)
        run.note(item, at)
        self._runs.append(run)
        if len(self._runs) > RUN_LIMIT:
            self.is_ordered = False
            self._runs = []

    def quarantined(self) -> list[Quarantine]:
        """The lines that are in quarantine, in their order."""
        believed = _forward(self._runs)
        suspects = [index for index in range(len(self._runs)) if index not in believed and self._runs[index].goes]
        if sum(self._runs[i].lines for i in suspects) * 3 >= sum(run.lines for run in self._runs):
            return []
        return [self._quarantine(index, believed) for index in suspects]

    def _quarantine(self, index: int, believed: set[int]) -> Quarantine:
        run = self._runs[index]
        before = [self._runs[i].newest for i in range(index) if i in believed]
        after = [self._runs[i].low for i in range(index + 1, len(self._runs)) if i in believed]
        return Quarantine(run.first, run.end, before[-1] if before else after[0], run.low, run.newest)

    def _greets(self, item: str) -> bool:
        if self._greeted is None:
            return False
        if item in self._greeted or len(self._greeted) >= ITEM_LIMIT:
            self._greeted = None
            return False
        self._greeted.add(item)
        return True


def _forward(runs: list[_Run]) -> set[int]:
    """The runs that go forward one after the other and have the most lines; of equals the earlier ones."""
    weight: list[int] = []
    came_from: list[int | None] = []
    for index, run in enumerate(runs):
        best, origin = 0, None
        for earlier in range(index):
            if runs[earlier].newest <= run.low + DAY_US and weight[earlier] > best:
                best, origin = weight[earlier], earlier
        weight.append(best + run.lines)
        came_from.append(origin)
    if not weight:
        return set()
    at: int | None = weight.index(max(weight))
    chain: set[int] = set()
    while at is not None:
        chain.add(at)
        at = came_from[at]
    return chain
