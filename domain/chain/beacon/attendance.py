"""How many epochs of the newest ones each watched validator was not at work.

Rules of this file:

* An epoch counts once a node has told who was at work in it; one that nobody told is not missed.
* The window is ``WINDOW`` epochs by their numbers, so that a gap in what was heard does not stretch it.
* Memory is bounded: the window, for the validators that are watched.

On a beacon chain nobody is jailed for being absent: the number is for people, and no countdown starts from it.
"""

from __future__ import annotations

from collections.abc import Mapping

WINDOW = 225
"""Epochs that count: a day on mainnet."""


class Attendance:
    """The absences of the watched validators, by index."""

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._newest = -1
        self._missed: dict[str, set[int]] = {}
        self._told: set[int] = set()

    @property
    def counted(self) -> int:
        """How many epochs of the window were told."""
        return len(self._told)

    def is_told(self, epoch: int) -> bool:
        """Whether ``epoch`` has been counted, or is too old to be."""
        return epoch in self._told or epoch <= self._newest - self._window

    def note(self, epoch: int, seen: Mapping[str, bool]) -> dict[str, int]:
        """Count who was at work in ``epoch``: how many epochs each of them has missed. Nothing if it is counted."""
        if self.is_told(epoch) or not seen:
            return {}
        self._newest = max(self._newest, epoch)
        self._told.add(epoch)
        for index, is_live in seen.items():
            missed = self._missed.setdefault(index, set())
            if not is_live:
                missed.add(epoch)
        oldest = self._newest - self._window
        self._told = {told for told in self._told if told > oldest}
        self._missed = {index: {told for told in missed if told > oldest} for index, missed in self._missed.items()}
        return {index: len(self._missed[index]) for index in seen}
