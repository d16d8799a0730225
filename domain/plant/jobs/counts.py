"""What a place has made: sums for any window and any job, out of count events alone.

Rules of this file:

* A figure that was worked out from counts is never taken in again: what is told here is pieces that someone or
  something counted, each by an id. An id is taken once, so a repeat changes nothing.
* The order in which they come makes no difference. A reading of a counter that comes late gives the one behind it
  another number; a count has the id of what told it, and one that is told again takes the place of the one before.
* A count that tells how many were produced and how many of them were good is kept as its parts, so that it can be
  summed with counts that tell of good pieces and scrap.
* Pieces belong to the moment at which they were told of, in microseconds; a window is half open. Pieces between two
  readings of a counter belong to the later one.
* Once something of a kind was told at a place, a window in which anything was counted has nought of that kind if
  nothing else was told; before that, and where nothing was counted at all, it is not known.
* A counter that stands still is told of once a minute: that nothing was made is known by it, and needs no more. The
  newest ``QUIET`` readings besides wait to see whether one that comes late was between.
* Memory is bounded: what is older than the horizon is folded into whole minutes. A count that comes later than that is
  too late; it is said, and not counted.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from domain.plant.jobs.counters import ENDLESS, Counter, Mark, Nature
from domain.plant.jobs.quantities import Kind, Quantities, single

MINUTE_US = 60_000_000
ENTRIES = 100_000
QUIET = 1000
DUPLICATE, TOO_LATE, UNKNOWN, UNCHANGED = "duplicate", "too_late", "unknown", "unchanged"


class Made(msgspec.Struct, frozen=True):
    """Pieces that somebody counted: how many more there are, as they were told; all of one ``product`` for one ``job``.

    ``at`` is in microseconds. ``corrects`` is the id of a count that these numbers replace, at its own moment.
    """

    id: str
    at: int
    pieces: Quantities
    job: str | None = None
    product: str | None = None
    corrects: str | None = None


class Shown(msgspec.Struct, frozen=True):
    """What the counter ``name``, which counts pieces of ``kind``, showed at ``at`` (microseconds)."""

    id: str
    at: int
    name: str
    kind: Kind
    value: int
    nature: Nature = ENDLESS
    is_reset: bool = False
    job: str | None = None
    product: str | None = None


class Count(msgspec.Struct, frozen=True):
    """``pieces`` made at ``at``, as the ``counter`` says; the same id again takes the place of the one before."""

    id: str
    at: int
    job: str | None
    product: str | None
    pieces: Quantities
    counter: str | None = None


class Tally(msgspec.Struct, frozen=True):
    """The sum of what was made of one ``product`` for one ``job``."""

    job: str | None
    product: str | None
    pieces: Quantities


class Taken(msgspec.Struct, frozen=True):
    """What came of a telling: the ``counts`` that are new or have new numbers; why nothing, if nothing."""

    counts: tuple[Count, ...] = ()
    refused: str | None = None
    """``duplicate``, ``too_late``, ``unknown`` (what it corrects) or ``unchanged``."""


class Folded(msgspec.Struct, frozen=True):
    """What was folded: the ids that are no longer known, the minutes (their begin) that have new sums."""

    ids: tuple[str, ...]
    minutes: tuple[int, ...]


Minute = Mapping[tuple[str | None, str | None], Quantities]
_NO_MINUTE: Minute = {}


class Counts:
    """What was counted at one place; ``capacity`` counts are kept one by one."""

    def __init__(self, capacity: int = ENTRIES) -> None:
        self._capacity = capacity
        self._counts: dict[str, Count] = {}
        self._order: list[tuple[int, str]] = []
        self._counters: dict[str, tuple[Counter, Kind]] = {}
        self._quiet: dict[str, Shown] = {}
        self._minutes: dict[int, dict[tuple[str | None, str | None], Quantities]] = {}
        self._jobs: dict[str, Quantities] = {}
        self._past: dict[str, Quantities] = {}
        self._told: dict[Kind, int] = {}
        self._folded_to = 0
        self.late = 0
        self.repeated = 0

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def folded_to(self) -> int:
        """Before this moment (microseconds) only whole minutes are known."""
        return self._folded_to

    def take(self, telling: Made | Shown) -> Taken:
        """Count what was told."""
        if telling.id in self._counts or telling.id in self._quiet:
            self.repeated += 1
            return Taken(refused=DUPLICATE)
        if isinstance(telling, Made) and telling.corrects is not None:
            return self._correct(telling, telling.corrects)
        if telling.at < self._folded_to:
            self.late += 1
            return Taken(refused=TOO_LATE)
        if isinstance(telling, Made):
            pieces = telling.pieces.parted()
            return Taken((self._put(Count(telling.id, telling.at, telling.job, telling.product, pieces)),))
        return self._show(telling)

    def totals(self, begin: int, end: int) -> list[Tally]:
        """What was made in [``begin``, ``end``), product by product and job by job; whole minutes where folded."""
        sums: dict[tuple[str | None, str | None], Quantities] = {}
        for minute in sorted(self._minutes):
            if begin <= minute < end:
                _add(sums, self._minutes[minute])
        first, last = (bisect_left(self._order, (moment, "")) for moment in (begin, end))
        for _, id_ in self._order[first:last]:
            count = self._counts[id_]
            _add(sums, {(count.job, count.product): count.pieces})
        known = frozenset(kind for kind, at in self._told.items() if at < end)
        return [Tally(job, product, pieces.only(known).resolved()) for (job, product), pieces in sums.items()]

    def all(self) -> Iterator[Count]:
        """Every count; what is old as one a minute, job and product."""
        for minute in sorted(self._minutes):
            for (job, product), pieces in self._minutes[minute].items():
                yield Count(f"minute-{minute}-{job or ''}-{product or ''}", minute, job, product, pieces)
        for _, id_ in self._order:
            yield self._counts[id_]

    def of_job(self, job: str) -> Quantities:
        """What was made for ``job``."""
        pieces = self._jobs.get(job)
        return Quantities() if pieces is None else pieces.only(frozenset(self._told)).resolved()

    def first_good(self, product: str, since: int) -> int | None:
        """When the first good piece of ``product`` was counted, from ``since`` on."""
        return next(self._good(product, self._order[bisect_left(self._order, (since, "")) :]), None)

    def last_good(self, product: str, until: int) -> int | None:
        """When the last good piece of ``product`` was counted, up to ``until``."""
        return next(self._good(product, reversed(self._order[: bisect_left(self._order, (until + 1, ""))])), None)

    def fold(self, before: int) -> Folded:
        """Keep only whole minutes of what is older than ``before``, and of what there is no more room for."""
        surplus = len(self._order) - self._capacity
        if surplus > 0:
            # The whole minute of the last one that there is no room for.
            before = max(before, self._order[surplus - 1][0] + MINUTE_US)
        before -= before % MINUTE_US
        if before <= self._folded_to:
            return Folded((), ())
        self._folded_to = before
        index = bisect_left(self._order, (before, ""))
        gone, self._order = self._order[:index], self._order[index:]
        minutes: dict[int, None] = {}
        for at, id_ in gone:
            count = self._counts.pop(id_)
            minute = at - at % MINUTE_US
            minutes[minute] = None
            _add(self._minutes.setdefault(minute, {}), {(count.job, count.product): count.pieces})
        for counter, _ in self._counters.values():
            counter.forget(before)
        self._quiet = {id_: shown for id_, shown in self._quiet.items() if shown.at >= before}
        return Folded(tuple(id_ for _, id_ in gone), tuple(minutes))

    def forget(self, before: int) -> tuple[tuple[int, ...], frozenset[str]]:
        """Drop the minutes before ``before``: those that were dropped, and the jobs that had pieces in them."""
        gone = tuple(minute for minute in self._minutes if minute < before)
        jobs = set()
        for minute in gone:
            for (job, _), pieces in self._minutes.pop(minute).items():
                if job is not None and job in self._jobs:
                    self._past[job] = self._past.get(job, Quantities()) + pieces
                    jobs.add(job)
        return gone, frozenset(jobs)

    def past_of(self, job: str) -> Quantities:
        """What was made for ``job`` in minutes that were dropped."""
        return self._past.get(job, Quantities())

    def recall_past(self, job: str, pieces: Quantities) -> None:
        """Know again what was made for ``job`` in minutes that were dropped."""
        self._past[job] = pieces
        self._jobs[job] = self._jobs.get(job, Quantities()) + pieces

    def forget_job(self, job: str) -> None:
        """Drop the sum of a job that is no more; the windows keep what was made."""
        self._jobs.pop(job, None)
        self._past.pop(job, None)

    def counted_for(self, job: str) -> bool:
        """Whether anything was counted for ``job``."""
        return job in self._jobs

    # -- what is kept -------------------------------------------------------------------------------------------

    def minute(self, begin: int) -> Minute:
        """The sums of one minute that was folded."""
        return self._minutes.get(begin, _NO_MINUTE)

    def recall_minute(self, begin: int, sums: Minute) -> None:
        """Know again what was folded into one minute."""
        self._minutes[begin] = dict(sums)
        self._folded_to = max(self._folded_to, begin + MINUTE_US)
        for (job, _), pieces in sums.items():
            if job is not None:
                self._jobs[job] = self._jobs.get(job, Quantities()) + pieces

    def recall_told(self, told: Mapping[Kind, int], folded_to: int) -> None:
        """Know again since when of which kinds was told, and how far was folded."""
        for kind, at in told.items():
            self._told[kind] = min(at, self._told.get(kind, at))
        self._folded_to = max(self._folded_to, folded_to)

    @property
    def told_since(self) -> Mapping[Kind, int]:
        """Since when (microseconds) something of a kind was told."""
        return self._told

    def baselines(self) -> Iterable[tuple[str, Kind, Mark]]:
        """The reading of each counter from which the first one that is not folded counts."""
        for name, (counter, kind) in self._counters.items():
            mark = counter.first_kept()
            if mark is not None and mark.at < self._folded_to:
                yield name, kind, mark

    def recall_baseline(self, name: str, kind: Kind, mark: Mark) -> None:
        """Know again what a counter showed, without counting anything by it."""
        self._counter(name, kind).add(mark, Nature())

    # -- within -------------------------------------------------------------------------------------------------

    def _show(self, shown: Shown) -> Taken:
        mark = _mark_of(shown)
        counter = self._counter(shown.name, shown.kind)
        is_idle = counter.is_idle(mark, MINUTE_US, self._quiet)
        counted = counter.add(mark, shown.nature)
        if is_idle:
            self._wait(shown)
            return Taken(refused=UNCHANGED)
        pieces = single(shown.kind, counted.pop(shown.id))
        first = Count(shown.id, shown.at, shown.job, shown.product, pieces, shown.name)
        counts = [self._put(first)]
        for id_, value in counted.items():
            after = self._counts.get(id_) or self._woken(id_, value)
            if after is not None:
                counts.append(self._put(replace(after, pieces=single(shown.kind, value))))
        return Taken(tuple(counts))

    def _wait(self, shown: Shown) -> None:
        self._quiet[shown.id] = shown
        if len(self._quiet) > QUIET:
            oldest = self._quiet.pop(next(iter(self._quiet)))
            self._counter(oldest.name, oldest.kind).drop(_mark_of(oldest))

    def _woken(self, id_: str, value: int | None) -> Count | None:
        """A reading that said nothing new, until one came late that was before it."""
        quiet = self._quiet.pop(id_, None) if value else None
        return None if quiet is None else Count(id_, quiet.at, quiet.job, quiet.product, Quantities(), quiet.name)

    def _correct(self, made: Made, id_: str) -> Taken:
        wrong = self._counts.get(id_)
        # What a counter counted follows from its readings; a wrong one is mended by a count beside it.
        if wrong is None or wrong.counter is not None:
            return Taken(refused=UNKNOWN)
        # The correction is known by its own id too, so that it is done once.
        self._put(Count(made.id, wrong.at, wrong.job, wrong.product, Quantities()))
        return Taken((self._put(replace(wrong, pieces=made.pieces.parted())),))

    def _put(self, count: Count) -> Count:
        known = self._counts.get(count.id)
        if known is None:
            insort(self._order, (count.at, count.id))
        elif known.job is not None:
            self._jobs[known.job] = _without(self._jobs[known.job], known.pieces)
        self._counts[count.id] = count
        self._note(count.job, count.pieces, count.at)
        return count

    def _note(self, job: str | None, pieces: Quantities, at: int) -> None:
        for kind in pieces.told:
            self._told[kind] = min(at, self._told.get(kind, at))
        if job is not None:
            self._jobs[job] = self._jobs.get(job, Quantities()) + pieces

    def _good(self, product: str, order: Iterable[tuple[int, str]]) -> Iterator[int]:
        for at, id_ in order:
            count = self._counts[id_]
            if count.product == product and (count.pieces.resolved().good or 0) > 0:
                yield at

    def _counter(self, name: str, kind: Kind) -> Counter:
        return self._counters.setdefault(name, (Counter(), kind))[0]


def _mark_of(shown: Shown) -> Mark:
    return Mark(shown.at, shown.value, shown.id, shown.is_reset)


def _add(sums: dict[tuple[str | None, str | None], Quantities], more: Minute) -> None:
    for key, pieces in more.items():
        sums[key] = sums.get(key, Quantities()) + pieces


def _without(pieces: Quantities, less: Quantities) -> Quantities:
    return pieces + -less
