"""What was inspected and what was wrong with it: first pass yield, defects by their codes.

Rules of this file: an inspection that is done again, of pieces that were mended, is no first pass. Nothing inspected is
no yield: None, never 0 or 1. A defect found does not make a piece scrap: pieces are counted by count events alone.
Memory is bounded: the newest inspections are known.

Source: first pass yield is pieces that were good the first time over pieces inspected (ISO 22400-2, first pass yield).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec

CAPACITY = 5000


class Defect(msgspec.Struct, frozen=True):
    """``count`` pieces with the defect ``code``."""

    code: str
    count: int = 1


class Inspection(msgspec.Struct, frozen=True):
    """Pieces of one ``product`` that were looked at ``at`` (Unix seconds) at ``equipment``.

    ``inspected`` and ``passed`` are pieces, None where only something was measured. ``is_again``: they were before.
    """

    id: str
    at: float
    equipment: str
    product: str | None = None
    job: str | None = None
    inspected: int | None = None
    passed: int | None = None
    is_again: bool = False
    defects: tuple[Defect, ...] = ()


class Yield(msgspec.Struct, frozen=True):
    """What was inspected for the first time, and how much of it was good."""

    inspected: int
    passed: int

    @property
    def ratio(self) -> float | None:
        """First pass yield, 0 to 1."""
        return self.passed / self.inspected if self.inspected else None


class Inspections:
    """The newest inspections, oldest first as they came."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._known: dict[str, Inspection] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._known

    def seen(self, sees: Callable[[str], bool]) -> Inspections:
        """Those at places that ``sees``, for reading."""
        part = Inspections(self._capacity)
        part._known = {id_: one for id_, one in self._known.items() if sees(one.equipment)}
        return part

    def add(self, inspection: Inspection) -> str | None:
        """Keep ``inspection``; the id of one that leaves for it."""
        self._known[inspection.id] = inspection
        if len(self._known) <= self._capacity:
            return None
        gone = next(iter(self._known))
        del self._known[gone]
        return gone

    def within(self, begin: float, end: float, equipment: str = "", product: str | None = None) -> Iterator[Inspection]:
        """Those of [``begin``, ``end``) at ``equipment`` or below it, of ``product`` if one is named."""
        for one in self._known.values():
            is_there = not equipment or one.equipment == equipment or one.equipment.startswith(equipment + "/")
            if begin <= one.at < end and is_there and product in (None, one.product):
                yield one


def first_pass(inspections: Iterable[Inspection]) -> Yield:
    """The first pass yield of ``inspections``."""
    first = [one for one in inspections if not one.is_again and one.inspected is not None]
    return Yield(sum(one.inspected or 0 for one in first), sum(one.passed or 0 for one in first))


def pareto(inspections: Iterable[Inspection]) -> list[tuple[str, int]]:
    """The defects by their number, most frequent first, equal ones by their code."""
    found: Counter[str] = Counter()
    for one in inspections:
        for defect in one.defects:
            found[defect.code] += defect.count
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))
