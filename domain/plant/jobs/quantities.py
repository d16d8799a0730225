"""How many pieces: produced, good, scrap and rework, and which of these follow from the others.

Rules of this file: what nobody told is None, never nought. What was told is summed, in parts where it can be; what
follows from it is worked out after the sum. Nothing is clamped: more good pieces than were produced show that a counter
is wrong.

Source: ISO 22400-2 (PQ, GQ, SQ, RQ): what is produced is good, scrap or to be reworked, so PQ = GQ + SQ + RQ. A place
that does not speak of rework has none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeGuard

import msgspec

from domain.json import JsonObject, JsonValue


class Kind(StrEnum):
    """What a number of pieces is the number of."""

    PRODUCED = "produced"
    GOOD = "good"
    SCRAP = "scrap"
    REWORK = "rework"


class Quantities(msgspec.Struct, frozen=True):
    """Pieces of each kind; None where nobody told."""

    produced: int | None = None
    good: int | None = None
    scrap: int | None = None
    rework: int | None = None

    def __add__(self, other: Quantities) -> Quantities:
        return Quantities(
            _plus(self.produced, other.produced),
            _plus(self.good, other.good),
            _plus(self.scrap, other.scrap),
            _plus(self.rework, other.rework),
        )

    def __neg__(self) -> Quantities:
        return Quantities(*(None if value is None else -value for value in self.values()))

    def values(self) -> tuple[int | None, int | None, int | None, int | None]:
        """The four numbers in the order of the kinds."""
        return self.produced, self.good, self.scrap, self.rework

    @property
    def told(self) -> frozenset[Kind]:
        """The kinds of which something was told."""
        return frozenset(kind for kind, value in zip(Kind, self.values(), strict=True) if value is not None)

    @property
    def is_contradictory(self) -> bool:
        """Whether one count tells of more good, scrap and rework than it says were produced."""
        parts = [value for value in self.values()[1:] if value is not None]
        return self.produced is not None and 0 <= self.produced < sum(parts) and min(parts) >= 0

    def only(self, kinds: frozenset[Kind]) -> Quantities:
        """These quantities where exactly ``kinds`` are told of: nought for a kind of which nothing came."""
        values = zip(Kind, self.values(), strict=True)
        return Quantities(*((value or 0) if kind in kinds else None for kind, value in values))

    def resolved(self) -> Quantities:
        """With what follows from what was told."""
        produced, good, scrap, rework = self.values()
        again = rework or 0
        if produced is None and good is not None and scrap is not None:
            produced = good + scrap + again
        elif produced is not None and good is None and scrap is not None:
            good = produced - scrap - again
        elif produced is not None and good is not None and scrap is None:
            scrap = produced - good - again
        return Quantities(produced, good, scrap, rework)

    def parted(self) -> Quantities:
        """The same without ``produced``, where that follows from good, scrap and rework."""
        whole = self.resolved()
        if None in (whole.produced, whole.good, whole.scrap):
            return self
        parts = Quantities(None, whole.good, whole.scrap, whole.rework)
        return parts if parts.resolved() == whole else self

    def to_members(self) -> dict[str, JsonValue]:
        """As they are told."""
        return {kind.value: value for kind, value in zip(Kind, self.values(), strict=True)}


def single(kind: Kind, value: int | None) -> Quantities:
    """``value`` pieces of one ``kind``."""
    return Quantities(*(value if each is kind else None for each in Kind))


def _plus(one: int | None, other: int | None) -> int | None:
    if one is None:
        return other
    return one if other is None else one + other


def is_whole(value: JsonValue) -> TypeGuard[int]:
    """Whether ``value`` is a whole number, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def quantities_of(members: JsonObject) -> Quantities:
    """The quantities that ``members`` has by the names of the kinds; what is no whole number is not there."""
    told = (members.get(kind.value) for kind in Kind)
    return Quantities(*(value if is_whole(value) else None for value in told))
