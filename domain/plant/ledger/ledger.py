"""The time ledger of one work unit: what it was doing in every microsecond.

Rules of this file:

* The ledger is a *set* of entries; what it says follows from the set alone. So late, doubled, shuffled and corrected
  entries give the same ledger as those that came in their order, each once.
* An interval is half-open. Every moment is in exactly one bucket: the segments of [a, b) follow each other without a
  gap, sum to b - a exactly, and the sums of any partition are those of the whole.
* Entries are ordered by (moment, revision, kind, place): of two at one moment the greater holds from there on, and both
  are kept. A correction is an entry of a greater revision at the moment of the one it corrects. The place (``said``) of
  a state is which of the words of its moment it was: a source that says two things with one stamp means the last one.
  It is in the entry, so that the set alone says it; two with one place, which nobody makes, are in the order of words.
* Between a link's loss and its return nothing is known, unless the source says with its own stamp what was the case.
  The time in which the gateway itself was not there is such a time, and has the word ``AWAY``.
* Before the first entry nothing is known. What was forgotten (memory is bounded) is not asked for: ``NotKept``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

import msgspec

from domain.plant.ledger.bucket import Bucket

CAPACITY = 50_000
"""Entries of one unit that are kept; the oldest go first."""

AWAY = "gateway down"
"""What is said of the time in which the gateway itself was not there."""


class Kind(IntEnum):
    """What an entry says. Of one moment a state is stronger than the link."""

    LOST = 0
    RETURNED = 1
    STATE = 2


class Entry(NamedTuple):
    """From ``at`` (microseconds) on the unit is in the state ``word``, which counts as ``bucket``.

    ``said`` is its place among what was said of that moment.
    """

    at: int
    revision: int
    kind: Kind
    said: int
    word: str
    bucket: Bucket


class Segment(NamedTuple):
    """The unit was in the state ``word`` from ``begin`` to ``end``. ``since`` is when that state began."""

    begin: int
    end: int
    word: str
    bucket: Bucket

    @property
    def length(self) -> int:
        """Its microseconds."""
        return self.end - self.begin


class Rewritten(msgspec.Struct, frozen=True):
    """An entry that came late or was corrected: what the ledger said of [``begin``, ``end``), and what it says now."""

    entry: Entry
    begin: int
    end: int
    before: tuple[Segment, ...]
    after: tuple[Segment, ...]


class NotKept(Exception):
    """What lies before ``oldest`` (microseconds) is no longer in the ledger."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"asked for {asked}, the oldest that is kept is {oldest}")
        self.asked = asked
        self.oldest = oldest


_NOTHING = Entry(-(2**62), 0, Kind.STATE, 0, "", Bucket.UNKNOWN)


def is_away(each: Entry | Segment) -> bool:
    """Whether nothing is known because the gateway itself was not there."""
    return each.word == AWAY and each.bucket is Bucket.UNKNOWN


class Ledger:
    """Holds the entries of one unit; at most ``capacity`` of them.

    What had to make room is in ``gone`` until whoever keeps rows of it has taken it out.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._entries: list[Entry] = []
        self._capacity = capacity
        self._oldest: int | None = None
        self.gone: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, in their order."""
        return tuple(self._entries)

    @property
    def begin(self) -> int | None:
        """The moment of the first entry, None while there is none."""
        return self._entries[0].at if self._entries else None

    @property
    def newest(self) -> Entry | None:
        """The entry that holds now."""
        return self._entries[-1] if self._entries else None

    @property
    def oldest(self) -> int | None:
        """What lies before this moment was forgotten; None if nothing was."""
        return self._oldest

    def take(self, entry: Entry) -> Rewritten | None:
        """Add ``entry``; what it changed of the past, None if it is the newest or was known.

        Raises:
            NotKept: if it speaks of what was forgotten.
        """
        if self._oldest is not None and entry.at < self._oldest:
            raise NotKept(entry.at, self._oldest)
        index = bisect_left(self._entries, entry)
        if index == len(self._entries):
            self._entries.append(entry)
            self._shed()
            return None
        if self._entries[index] == entry:
            return None
        end = self._end_of_reach(index)
        before = tuple(self.segments(entry.at, end))
        self._entries.insert(index, entry)
        after = tuple(self.segments(entry.at, end))
        self._shed()
        return None if before == after else Rewritten(entry, entry.at, end, before, after)

    def restore(self, entries: Iterable[Entry], oldest: int | None) -> None:
        """Begin with what was kept."""
        self._entries = sorted(set(entries))
        self._oldest = oldest

    def __contains__(self, entry: object) -> bool:
        if not isinstance(entry, Entry):
            return False
        index = bisect_left(self._entries, entry)
        return index < len(self._entries) and self._entries[index] == entry

    def entries_before(self, moment: int) -> Iterator[Entry]:
        """The entries before ``moment``, the newest first."""
        return (self._entries[index] for index in range(bisect_left(self._entries, (moment,)) - 1, -1, -1))

    def entries_from(self, moment: int) -> Iterator[Entry]:
        """The entries from ``moment`` on, in their order."""
        return (self._entries[index] for index in range(bisect_left(self._entries, (moment,)), len(self._entries)))

    def at(self, moment: int) -> Entry:
        """What holds at ``moment``: an entry of the state, or of the loss of the link."""
        return self._holding(bisect_right(self._entries, (moment, _AFTER_ALL)))

    def segments(self, begin: int, end: int) -> Iterator[Segment]:
        """What was in [``begin``, ``end``), in order and without a gap; neighbours differ in their state.

        Raises:
            NotKept: if some of it was forgotten.
        """
        if self._oldest is not None and begin < self._oldest:
            raise NotKept(begin, self._oldest)
        if begin >= end:
            return
        index = bisect_right(self._entries, (begin, _AFTER_ALL))
        held, start = self._holding(index), begin
        while index < len(self._entries) and self._entries[index].at < end:
            at = self._entries[index].at
            index += 1
            while index < len(self._entries) and self._entries[index].at == at:
                index += 1
            holding = self._holding(index)
            if (holding.word, holding.bucket) != (held.word, held.bucket):
                yield Segment(start, at, held.word, held.bucket)
                held, start = holding, at
        yield Segment(start, end, held.word, held.bucket)

    def sums(self, begin: int, end: int) -> Counter[Bucket]:
        """The microseconds of [``begin``, ``end``) in each bucket; they sum to ``end - begin`` exactly.

        Raises:
            NotKept: if some of it was forgotten.
        """
        sums: Counter[Bucket] = Counter()
        for segment in self.segments(begin, end):
            sums[segment.bucket] += segment.length
        return sums

    def words(self, begin: int, end: int) -> Counter[str]:
        """The microseconds of [``begin``, ``end``) in each state, by the machine's own word.

        Raises:
            NotKept: if some of it was forgotten.
        """
        words: Counter[str] = Counter()
        for segment in self.segments(begin, end):
            words[segment.word] += segment.length
        return words

    def forget(self, before: int) -> list[Entry]:
        """Drop what lies before ``before``, except what holds there; the entries that are gone."""
        index = bisect_right(self._entries, (before, _AFTER_ALL))
        kept = self._index_of_state(index)
        if kept <= 0:
            return []
        gone = self._entries[:kept]
        del self._entries[:kept]
        self._oldest = max(self._entries[0].at, self._oldest or self._entries[0].at)
        return gone

    def _shed(self) -> None:
        if len(self._entries) > self._capacity:
            # A tenth at a time, so that a full ledger does not pay at each entry.
            self.gone += self.forget(self._entries[len(self._entries) - self._capacity * 9 // 10].at)

    def _index_of_state(self, index: int) -> int:
        """The index of the entry that says the state which holds before ``index``, -1 if none does."""
        index -= 1
        while index >= 0 and self._entries[index].kind is not Kind.STATE:
            index -= 1
        return index

    def _holding(self, index: int) -> Entry:
        """What holds when all entries before ``index`` are taken."""
        if index == 0:
            return _NOTHING
        last = self._entries[index - 1]
        if last.kind is not Kind.RETURNED:
            return last
        known = self._index_of_state(index)
        return self._entries[known] if known >= 0 else _NOTHING

    def _end_of_reach(self, index: int) -> int:
        """Up to where an entry put before ``index`` can change what is said: the next state of another moment."""
        return next((e.at for e in self._entries[index:] if e.kind is Kind.STATE), self._entries[-1].at) + 1


_AFTER_ALL = 2**62
