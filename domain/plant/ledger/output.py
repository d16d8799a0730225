"""What was made, as far as the figures need it: the counts that the jobs' desk told of, summed over a window.

Rules of this file: counts come from count events alone, each by its id; the same id again takes the place of the one
before. Of a kind that a place speaks of, a window in which anything was counted has nought if nothing else was told; of
a window in which nothing was counted nothing is known. Memory is bounded: what is older than the ledger is forgotten.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable

from domain.plant.jobs import Count, Kind, Quantities, Run
from domain.plant.ledger.elements import Quantity

Cycle = Callable[[str, str], int | None]
"""The ideal cycle of a product at a place, microseconds an item; None: nobody said."""


class Output:
    """The counts of all places."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, Count]] = {}
        self._order: dict[str, list[tuple[int, str]]] = {}
        self._told: dict[str, dict[Kind, int]] = {}
        self._runs: dict[str, tuple[Run, ...]] = {}

    def take(self, equipment: str, counts: Iterable[Count], *, is_all: bool = False) -> None:
        """What was counted at ``equipment``; ``is_all``: nothing else ever was."""
        if is_all:
            self._counts[equipment], self._order[equipment], self._told[equipment] = {}, [], {}
        known = self._counts.setdefault(equipment, {})
        order, told = self._order.setdefault(equipment, []), self._told.setdefault(equipment, {})
        for count in counts:
            before = known.get(count.id)
            if before is not None:
                del order[bisect_left(order, (before.at, before.id))]
            known[count.id] = count
            insort(order, (count.at, count.id))
            for kind in count.pieces.told:
                told[kind] = min(count.at, told.get(kind, count.at))

    def take_runs(self, equipment: str, runs: tuple[Run, ...]) -> None:
        """What ``equipment`` worked on."""
        self._runs[equipment] = runs

    def seen(self, sees: Callable[[str], bool]) -> Output:
        """What was made at places that ``sees``, for reading."""
        part = Output()
        part._counts = {place: counts for place, counts in self._counts.items() if sees(place)}
        part._order = {place: order for place, order in self._order.items() if sees(place)}
        part._told = {place: told for place, told in self._told.items() if sees(place)}
        part._runs = {place: runs for place, runs in self._runs.items() if sees(place)}
        return part

    def runs_of(self, job: str) -> tuple[str, tuple[Run, ...]] | None:
        """Where ``job`` was worked on last, and when it was there, oldest first; None if nobody said."""
        found = [(place, run) for place, runs in self._runs.items() for run in runs if run.job == job]
        if not found:
            return None
        last, _ = max(found, key=lambda each: each[1].begin)
        return last, tuple(sorted((run for place, run in found if place == last), key=lambda run: run.begin))

    def in_window(self, equipment: str, begin: int, end: int, cycle: Cycle, job: str | None = None) -> list[Quantity]:
        """What ``equipment`` made in [``begin``, ``end``), product by product; of one ``job`` where that is given."""
        order, counts = self._order.get(equipment, []), self._counts.get(equipment, {})
        sums: dict[str, Quantities] = {}
        for _, id_ in order[bisect_left(order, (begin, "")) : bisect_left(order, (end, ""))]:
            count = counts[id_]
            if job is None or count.job == job:
                product = count.product or ""
                sums[product] = sums.get(product, Quantities()) + count.pieces
        known = frozenset(kind for kind, at in self._told.get(equipment, {}).items() if at < end)
        return [
            _quantity(product, pieces.only(known).resolved(), cycle(product, equipment))
            for product, pieces in sorted(sums.items())
        ]

    def has_counted(self, equipment: str) -> bool:
        """Whether anything was ever counted at ``equipment``."""
        return bool(self._told.get(equipment))

    def forget(self, before: int) -> None:
        """Drop what was counted before ``before`` (microseconds)."""
        for equipment, order in self._order.items():
            index = bisect_left(order, (before, ""))
            for _, id_ in order[:index]:
                del self._counts[equipment][id_]
            del order[:index]


def _quantity(product: str, pieces: Quantities, cycle: int | None) -> Quantity:
    return Quantity(product, pieces.produced, pieces.good, pieces.scrap, pieces.rework, cycle)
