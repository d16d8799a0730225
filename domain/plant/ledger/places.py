"""What a place made and how long it took: the elements of its units, and the counts that speak for them.

Rules of this file:

* Elements are summed, never averaged. A unit that is described and was never heard is in the sum with unknown time.
* Pieces that pass five stations are not five pieces. What a line made is what was counted at its own path where
  anything was; else at the place that ``outputs`` names; else at the one of its units that counts.
* Such pieces have passed every unit of the line, so the standard time of one is the sum of the ideal cycles at those
  that were heard: their times are what it is compared with.
* Of a line with several units that count, of which none is named, each speaks for itself: machines side by side. What
  one of them made that does not count nobody knows, nor then what the line made.
* A place above lines is the sum of its lines and of what is in no line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from domain.plant.ledger.elements import Elements, Quantity, total
from domain.plant.ledger.output import Cycle, Output
from domain.plant.site import EquipmentModel, is_within


class Counter(msgspec.Struct, frozen=True):
    """Finds the counts that speak for places: ``outputs`` names, of lines, the place below that counts for them."""

    output: Output
    model: EquipmentModel
    outputs: Mapping[str, str]
    cycle: Cycle

    def groups(self, place: str, units: Iterable[str]) -> dict[str, list[str]]:
        """The ``units`` of ``place`` by the line whose pieces they work on."""
        groups: dict[str, list[str]] = {}
        for unit in units:
            line = self.model.line_of(unit)
            path = place or unit if line is None else line.path
            groups.setdefault(path if is_within(path, place) else place, []).append(unit)
        return groups

    def counted_at(self, group: str, units: Sequence[str]) -> str | None:
        """The one place whose counts are what ``group`` with its ``units`` made; None: each unit speaks for itself."""
        named = {self.model.path_of(line): self.model.path_of(place) for line, place in self.outputs.items()}
        if self.output.has_counted(group):
            return group
        if group in named:
            return named[group]
        counting = [unit for unit in units if self.output.has_counted(unit)]
        return counting[0] if len(counting) == 1 else None

    def made(self, counted_at: str, units: Sequence[str], begin: int, end: int, job: str | None) -> list[Quantity]:
        """What was counted at a place that speaks for ``units``, each with the cycle of all of them."""
        found = self.output.in_window(counted_at, begin, end, self.cycle, job)
        return [replace(each, ideal_cycle=self._cycle_of(each.product, units)) for each in found]

    def silent(self, group: str, units: Sequence[str]) -> list[str]:
        """The units of ``group`` whose pieces nobody counts, although those of others are."""
        if self.counted_at(group, units) is not None:
            return []
        silent = [unit for unit in units if not self.output.has_counted(unit)]
        return silent if len(silent) < len(units) else []

    def _cycle_of(self, product: str, units: Sequence[str]) -> int | None:
        cycles = [self.cycle(product, unit) for unit in units]
        return None if None in cycles else sum(cycle for cycle in cycles if cycle is not None)


def together(times: Iterable[Elements], quantities: Iterable[Quantity]) -> Elements:
    """The ``times`` of units, and what was counted once for all of them."""
    return total(times).with_counts(quantities)
