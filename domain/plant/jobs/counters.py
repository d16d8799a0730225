"""What a counter that only goes up counted between two of its readings, also when it rolled over or was set back.

Rules of this file:

* Readings are in the order of their own time, whenever they came: one that comes late takes its place, and only what
  was counted up to it and up to the one after it is worked out anew. The sum stays what it was.
* The first reading counts nothing: what was before it is not known.
* A lower value is a roll-over where the counter has a ``modulus`` and the step over it is plausible: at most ``step``,
  half of the modulus if nobody said it. Otherwise the counter was set back to nought, and counted its value since. A
  reading that says that it was set back is believed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container

import msgspec


class Mark(msgspec.Struct, frozen=True, order=True):
    """One reading of a counter: when (microseconds), what it showed, the id of who said so."""

    at: int
    value: int
    id: str
    is_reset: bool = False


class Nature(msgspec.Struct, frozen=True):
    """How a counter counts: it goes from 0 to ``modulus`` - 1 and rolls over; None: it never does."""

    modulus: int | None = None
    step: int | None = None

    def counted(self, before: Mark | None, mark: Mark) -> int | None:
        """What was counted after ``before`` up to ``mark``; None if that cannot be known."""
        if mark.is_reset:
            return mark.value
        if before is None:
            return None
        if mark.value >= before.value:
            return mark.value - before.value
        if self.modulus is not None:
            over = mark.value + self.modulus - before.value
            if over <= (self.modulus // 2 if self.step is None else self.step):
                return over
        return mark.value


ENDLESS = Nature()
"""A counter that never rolls over."""


class Counter:
    """The readings of one counter in their order."""

    def __init__(self) -> None:
        self._marks: list[Mark] = []

    def __len__(self) -> int:
        return len(self._marks)

    def add(self, mark: Mark, nature: Nature) -> dict[str, int | None]:
        """Put ``mark`` in its place; by the id of a reading, what was counted up to it where that is new."""
        index = bisect_left(self._marks, mark)
        self._marks.insert(index, mark)
        counted = {mark.id: nature.counted(self._marks[index - 1] if index else None, mark)}
        if index + 1 < len(self._marks):
            after = self._marks[index + 1]
            counted[after.id] = nature.counted(mark, after)
        return counted

    def drop(self, mark: Mark) -> None:
        """Forget ``mark``, which said what the one before it had said."""
        index = bisect_left(self._marks, mark)
        if index < len(self._marks) and self._marks[index] == mark:
            del self._marks[index]

    def is_idle(self, mark: Mark, within: int, quiet: Container[str]) -> bool:
        """Whether ``mark`` says nothing new: the reading less than ``within`` before it showed the same.

        Those whose ids are ``quiet`` said nothing new either, and do not count as one before it.
        """
        index = bisect_left(self._marks, mark) - 1
        while index > 0 and self._marks[index].id in quiet and self._marks[index].value == mark.value:
            index -= 1
        before = self._marks[index] if index >= 0 else None
        return before is not None and not mark.is_reset and before.value == mark.value and mark.at - before.at < within

    def forget(self, before: int) -> None:
        """Drop the readings before ``before``, but for the last of them, from which the next one counts."""
        index = bisect_left(self._marks, Mark(before, -1, ""))
        del self._marks[: max(0, index - 1)]

    def first_kept(self) -> Mark | None:
        """The oldest reading that is known."""
        return self._marks[0] if self._marks else None
