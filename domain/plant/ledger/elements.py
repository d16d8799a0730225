"""The elements of ISO 22400-2 for one unit and one window: what every figure is made of, and what is summed.

Rules of this file:

* Elements are summed, ratios never averaged: ``a + b`` is the elements of two units, windows, jobs or products.
* Times are integer microseconds, quantities numbers of items. What is not known is None, and stays None in a sum: a
  missing input must not look like a nought.
* Planned busy time is the calendar's. Time that is stopped, set up or unknown counts within it alone; production counts
  wherever it happened, since it is what was done, and ``outside`` says how much of it was not planned.

Source: ISO 22400-2:2014, clause 5 (elements); OPC 40501-1 annex C for the names.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add

import msgspec
from msgspec.structs import replace

from domain.plant.ledger.bucket import Bucket
from domain.plant.ledger.stops import Counted
from domain.plant.site import Interval


class Elements(msgspec.Struct, frozen=True):
    """Time elements in microseconds, quantities in items.

    ``calendar`` is the length of the window; ``pbt`` planned busy time, None without a shift calendar. ``unknown`` is
    the unknown part of the planned time, ``unseen`` of the whole window; ``minor`` the part of ``apt`` that is minor
    stops, ``minor_stops`` their number. ``standard`` is the sum of PRI times PQ, ``standard_good`` of PRI times GQ.
    ``failures`` are failure events, ``repair`` the time they lasted.
    """

    calendar: int = 0
    pbt: int | None = 0
    apt: int = 0
    aust: int = 0
    adet: int = 0
    adot: int = 0
    apmt: int = 0
    acmt: int = 0
    unknown: int = 0
    unseen: int = 0
    outside: int = 0
    minor: int = 0
    minor_stops: int = 0
    pq: int | None = 0
    gq: int | None = 0
    sq: int | None = 0
    rq: int | None = 0
    standard: int | None = 0
    standard_good: int | None = 0
    failures: int = 0
    repair: int = 0

    def __add__(self, other: Elements) -> Elements:
        return Elements(
            calendar=self.calendar + other.calendar,
            pbt=_plus(self.pbt, other.pbt),
            apt=self.apt + other.apt,
            aust=self.aust + other.aust,
            adet=self.adet + other.adet,
            adot=self.adot + other.adot,
            apmt=self.apmt + other.apmt,
            acmt=self.acmt + other.acmt,
            unknown=self.unknown + other.unknown,
            unseen=self.unseen + other.unseen,
            outside=self.outside + other.outside,
            minor=self.minor + other.minor,
            minor_stops=self.minor_stops + other.minor_stops,
            pq=_plus(self.pq, other.pq),
            gq=_plus(self.gq, other.gq),
            sq=_plus(self.sq, other.sq),
            rq=_plus(self.rq, other.rq),
            standard=_plus(self.standard, other.standard),
            standard_good=_plus(self.standard_good, other.standard_good),
            failures=self.failures + other.failures,
            repair=self.repair + other.repair,
        )

    @property
    def aupt(self) -> int:
        """Actual unit processing time (ISO 22400-2, clause 5): APT + AUST."""
        return self.apt + self.aust

    @property
    def aubt(self) -> int:
        """Actual unit busy time (ISO 22400-2, clause 5): AUPT + ADET."""
        return self.aupt + self.adet

    @property
    def aoet(self) -> int:
        """Actual order execution time, as OPC 40501-1 annex C sums it: APT + AUST + ADET + ADOT."""
        return self.apt + self.aust + self.adet + self.adot

    @property
    def known_pbt(self) -> int | None:
        """The planned busy time of which is known what was."""
        return None if self.pbt is None else self.pbt - self.unknown

    def with_counts(self, counts: Iterable[Quantity]) -> Elements:
        """The same time with what was counted in it, product by product; nothing counted is not known."""
        given = list(counts)
        if not given:
            return replace(self, pq=None, gq=None, sq=None, rq=None, standard=None, standard_good=None)
        return replace(
            self,
            pq=_sum(each.produced for each in given),
            gq=_sum(each.good for each in given),
            sq=_sum(each.scrap for each in given),
            rq=_sum(each.rework for each in given),
            standard=_sum(each.standard for each in given),
            standard_good=_sum(each.standard_good for each in given),
        )


class Quantity(msgspec.Struct, frozen=True):
    """What was counted of one ``product``; ``ideal_cycle`` is PRI, microseconds an item, None if nobody said it."""

    product: str
    produced: int | None
    good: int | None
    scrap: int | None = None
    rework: int | None = None
    ideal_cycle: int | None = None

    @property
    def standard(self) -> int | None:
        """PRI times PQ."""
        if self.produced == 0:
            return 0
        return None if self.ideal_cycle is None or self.produced is None else self.ideal_cycle * self.produced

    @property
    def standard_good(self) -> int | None:
        """PRI times GQ."""
        if self.good == 0:
            return 0
        return None if self.ideal_cycle is None or self.good is None else self.ideal_cycle * self.good


def elements_of(pieces: Iterable[Counted], begin: int, end: int, busy: list[Interval] | None) -> Elements:
    """The times of [``begin``, ``end``), of which ``pieces`` says what was and ``busy`` what was planned.

    ``busy`` of None is a plant that does not say what it plans: then all of the window counts, and ``pbt`` is None.
    """
    planned = [(begin, end)] if busy is None else busy
    time = dict.fromkeys(Bucket, 0)
    unseen = outside = minor = minor_stops = 0
    for piece in pieces:
        inside = _within(piece.begin, piece.end, planned)
        if piece.bucket is Bucket.PRODUCTION:
            time[Bucket.PRODUCTION] += piece.length
            outside += piece.length - inside
        else:
            time[piece.bucket] += inside
        unseen += piece.length if piece.bucket is Bucket.UNKNOWN else 0
        if piece.minor is not None:
            minor += piece.length
            # A stop counts where it began, so that the windows of a day have as many as the day.
            minor_stops += piece.minor.begin == piece.begin
    return Elements(
        calendar=end - begin,
        pbt=None if busy is None else sum(stop - start for start, stop in busy),
        apt=time[Bucket.PRODUCTION],
        aust=time[Bucket.SETUP],
        adet=time[Bucket.DELAY],
        adot=time[Bucket.DOWN],
        apmt=time[Bucket.PREVENTIVE],
        acmt=time[Bucket.CORRECTIVE],
        unknown=time[Bucket.UNKNOWN],
        unseen=unseen,
        outside=outside,
        minor=minor,
        minor_stops=minor_stops,
    )


def total(parts: Iterable[Elements]) -> Elements:
    """The elements of all ``parts`` together."""
    return reduce(add, parts, Elements())


def _within(begin: int, end: int, intervals: Iterable[Interval]) -> int:
    return sum(max(0, min(end, stop) - max(begin, start)) for start, stop in intervals)


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _sum(values: Iterable[int | None]) -> int | None:
    found = list(values)
    return None if None in found else sum(value for value in found if value is not None)
