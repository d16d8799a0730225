"""Since when the oldest of each lane has waited, without a look at the clock for each message.

Rules of this file: no trio, no threads, no clock.

* ``Moment`` is the time as it was when somebody last looked: every turn of every actor does.
* A mark is a moment and how many messages each lane had seen by then. One is made ``SPACING`` after the last at the
  earliest, by the message that comes, so messages that are handled at once cost a comparison.
* So an age is never too small, but for what has passed since the moment was told. It is too great by at most
  ``SPACING``, or half of the true age where that is more and an hour's backlog waits, less where less does.
"""

from __future__ import annotations

from collections.abc import Sequence

SPACING = 0.125
LIMIT = 40  # marks of one mailbox


class Moment:
    """The time when somebody last looked at the clock."""

    __slots__ = ("at",)

    def __init__(self, at: float = 0.0) -> None:
        self.at = at


class Marks:
    """The marks of a mailbox that has had a backlog ever since the first of them, ``at``."""

    __slots__ = ("_marks",)

    def __init__(self, at: float) -> None:
        self._marks: list[tuple[float, Sequence[int]]] = [(at, (0, 0, 0, 0))]

    def add(self, at: float, seen: Sequence[int], heads: Sequence[int]) -> None:
        """Note that at ``at`` the lanes had seen so many messages and had these numbers at their heads."""
        marks = self._marks
        marks.append((at, seen))
        # A mark counts as long as something waits that came before the next one.
        while len(marks) > 1 and all(head >= number for head, number in zip(heads, marks[1][1], strict=True)):
            del marks[0]
        if len(marks) > LIMIT:
            del marks[self._least_missed(at)]

    def since(self, lane: int, head: int) -> float:
        """When the message with the number ``head`` of ``lane`` was put, or a little before."""
        return next((at for at, seen in reversed(self._marks) if seen[lane] <= head), self._marks[0][0])

    def _least_missed(self, now: float) -> int:
        """The mark without which the ages are still known best, for how old they are."""
        marks = self._marks
        return min(
            range(1, len(marks) - 1), key=lambda one: (marks[one + 1][0] - marks[one - 1][0]) / (now - marks[one][0])
        )
