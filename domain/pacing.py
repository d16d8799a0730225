"""How often a value is told to those who want it less often than it changes.

Rules of this file: no I/O, no clock: whoever calls says what time it is, in seconds, never earlier than before. Only
what a newer one replaces can wait; the newest then stands for all that waited, and says how many. Of each value the
order stays, and nothing is left out uncounted.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from domain.names import conflation_key
from domain.priority import Priority
from domain.publication import Publication

Told = tuple[Publication, int]
"""A publication and how many it stands for, itself among them."""


def pacing_key(publication: Publication) -> Hashable:
    """What a newer publication of the same key replaces for a reader who lags; None where each one counts."""
    if publication.event.priority < Priority.NORMAL:
        return None
    return conflation_key(publication.event)


def newest_of_each(publications: Iterable[Publication]) -> list[Told]:
    """Of each key the newest, for all of them; the rest one by one. In the order in which they are told."""
    told: dict[Hashable, Told] = {}
    for publication in publications:
        key = pacing_key(publication)
        if key is None:
            told[publication.offset] = publication, 1
        else:
            _, rate = told.pop(key, (publication, 0))
            told[key] = publication, rate + 1
    return list(told.values())


class _Slot:
    """A value that was told not long ago: when it is due again, and what waits until then."""

    __slots__ = ("due", "rate", "waiting")

    def __init__(self, due: float) -> None:
        self.due = due
        self.waiting: Publication | None = None
        self.rate = 0


class Pacer:
    """Lets each value through once in ``interval`` seconds."""

    __slots__ = ("_slots", "interval")

    def __init__(self, interval: float) -> None:
        self.interval = interval
        # All have the same interval, so the first is always the one that is due next.
        self._slots: dict[Hashable, _Slot] = {}

    def take(self, publication: Publication, at: float) -> int:
        """How many ``publication`` stands for if it is to be told now; 0 if it has to wait."""
        key = pacing_key(publication)
        if key is None:
            return 1
        self._forget(at)
        slot = self._slots.get(key)
        rate = 1 if slot is None else slot.rate + 1
        if slot is None or slot.due <= at:
            self._tell(key, at)
            return rate
        slot.waiting, slot.rate = publication, rate
        return 0

    def due(self, at: float) -> list[Told]:
        """What has waited long enough, to be told now."""
        told: list[Told] = []
        self._forget(at)
        while (key := next(iter(self._slots), None)) is not None and self._slots[key].due <= at:
            slot = self._slots[key]
            if slot.waiting is not None:
                told.append((slot.waiting, slot.rate))
                self._tell(key, at)
            self._forget(at)
        return told

    def release(self) -> list[Told]:
        """All that waits, however long it has: there will be no later."""
        told = [(slot.waiting, slot.rate) for slot in self._slots.values() if slot.waiting is not None]
        self._slots.clear()
        return told

    def waiting(self) -> dict[Hashable, int]:
        """For how many the waiting publication of each key stands."""
        return {key: slot.rate for key, slot in self._slots.items() if slot.waiting is not None}

    @property
    def next(self) -> float | None:
        """When something that waits is due; None if nothing waits."""
        return next((slot.due for slot in self._slots.values() if slot.waiting is not None), None)

    def _forget(self, at: float) -> None:
        """Let go of values that need not wait when they come next."""
        while (key := next(iter(self._slots), None)) is not None:
            slot = self._slots[key]
            if slot.due > at or slot.waiting is not None:
                return
            del self._slots[key]

    def _tell(self, key: Hashable, at: float) -> None:
        self._slots.pop(key, None)
        self._slots[key] = _Slot(at + self.interval)
