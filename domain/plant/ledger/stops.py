"""Stops: the time in which a unit did not run, although somebody knew that it did not.

Rules of this file:

* A stop is what lies between two other things: as long as it is in one of the stopped buckets it is one stop, however
  its word changes. Production, setup, maintenance and the unknown end it.
* A stop shorter than ``minor`` is a minor stop: it stays in production time for availability, shows as lost
  performance, and is counted. Whether it is minor follows from its whole length, wherever a window cuts it.
* An open stop is as long as it is by now.
* That the gateway itself was not there ends no stop: what is known afterwards decides. A unit that still stands has had
  one stop; one that runs has stood until it was last seen. The time itself stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from domain.plant.ledger.bucket import STOPPED, Bucket
from domain.plant.ledger.ledger import Entry, Ledger, Segment, is_away


class Stop(NamedTuple):
    """One stop; an open one ends at the present. ``word`` is the state it began with."""

    begin: int
    end: int
    word: str
    is_open: bool

    @property
    def length(self) -> int:
        """Its microseconds."""
        return self.end - self.begin


class Counted(NamedTuple):
    """A piece of time as it is counted: what is of a ``minor`` stop counts as production and says so."""

    begin: int
    end: int
    bucket: Bucket
    word: str
    minor: Stop | None = None

    @property
    def length(self) -> int:
        """Its microseconds."""
        return self.end - self.begin


def stops_in(ledger: Ledger, begin: int, end: int, present: int) -> list[Stop]:
    """The stops of which some is in [``begin``, ``end``), whole, however far they reach out of it."""
    first, last = _outwards(ledger, begin, min(end, present), present)
    stops: list[Stop] = []
    run: list[Segment] = []
    for segment in ledger.segments(first, last):
        if segment.bucket in STOPPED:
            run.append(segment)
        elif run and not is_away(segment):
            stops.append(Stop(run[0].begin, run[-1].end, run[0].word, is_open=False))
            run = []
    if run:
        goes_on = last >= present and _is_stop_or_away(ledger.at(last))
        stops.append(Stop(run[0].begin, last if goes_on else run[-1].end, run[0].word, goes_on))
    return [stop for stop in stops if stop.begin < end and begin < stop.end]


def counted(ledger: Ledger, begin: int, end: int, present: int, minor: int) -> Iterator[Counted]:
    """[``begin``, ``end``) as it is counted, without a gap; the part behind ``present`` is left out."""
    end = min(end, present)
    if begin >= end:
        return
    minors = iter([stop for stop in stops_in(ledger, begin, end, present) if stop.length < minor])
    stop = next(minors, None)
    for segment in ledger.segments(begin, end):
        while stop is not None and stop.end <= segment.begin:
            stop = next(minors, None)
        # A stop begins and ends with a segment, so no segment is in it by half.
        if stop is not None and segment.bucket in STOPPED and stop.begin <= segment.begin:
            yield Counted(segment.begin, segment.end, Bucket.PRODUCTION, segment.word, stop)
        else:
            yield Counted(segment.begin, segment.end, segment.bucket, segment.word)


def _outwards(ledger: Ledger, begin: int, end: int, present: int) -> tuple[int, int]:
    """The window widened so that no stop is cut by it."""
    if begin >= end:
        return begin, begin
    return _back(ledger, begin), _forth(ledger, end, present)


def _back(ledger: Ledger, moment: int) -> int:
    """Where the stop that holds at ``moment`` began, or ``moment`` itself."""
    if not _is_stop_or_away(ledger.at(moment)):
        return moment
    began = moment
    # What begins at the moment itself may still follow a stop that it is a part of.
    for entry in ledger.entries_before(moment + 1):
        held = ledger.at(entry.at)
        if not _is_stop_or_away(held):
            break
        if not is_away(held):
            began = min(began, entry.at)
    return began


def _forth(ledger: Ledger, moment: int, present: int) -> int:
    if not _is_stop_or_away(ledger.at(moment - 1)):
        return moment
    for entry in ledger.entries_from(moment):
        if entry.at >= present:
            break
        if not _is_stop_or_away(ledger.at(entry.at)):
            return entry.at
    return max(moment, present)


def _is_stop_or_away(held: Entry) -> bool:
    return held.bucket in STOPPED or is_away(held)
