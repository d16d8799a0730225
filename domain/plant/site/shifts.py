"""Shifts as they are planned by the wall clock, and as they come on a day.

Rules of this file:

* A shift belongs to the day on which it begins, also when it ends on the next one.
* Its beginning and its end are what the wall clock says: the night shift of a change night has an hour more or less.
* A break begins by the wall clock and lasts as long as it is long, however the clock is set in between; what would be
  outside of its shift is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo

import msgspec

from domain.plant.site.equipment import is_within
from domain.plant.site.intervals import Interval, clipped, merged
from domain.plant.site.wall import wall_us

_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


class Hours(msgspec.Struct, frozen=True):
    """From one wall time to another, which is on the next day when it is not later."""

    begins: time
    ends: time

    @property
    def length(self) -> timedelta:
        """What lies between the two on a day without a change: more than nothing, at most a day."""
        return _between(self.begins, self.ends) or _DAY


class ShiftPlan(msgspec.Struct, frozen=True):
    """A shift as it is planned: its hours, the ``weekdays`` on which it begins (0 is Monday), its breaks.

    In one that is not ``is_production`` people are on duty, and nothing is planned to run. ``places`` are the paths
    below which it is worked; none: everywhere.
    """

    name: str
    hours: Hours
    weekdays: frozenset[int] = frozenset(range(7))
    breaks: tuple[Hours, ...] = ()
    is_production: bool = True
    places: tuple[str, ...] = ()

    def is_worked_at(self, path: str) -> bool:
        """Whether it can be worked at ``path``."""
        return not self.places or any(is_within(path, place) for place in self.places)

    def on(self, day: date, zone: tzinfo) -> Shift:
        """The shift that begins on ``day``, whatever weekday that is."""
        begins = datetime.combine(day, self.hours.begins)
        begin_us, end_us = wall_us(begins, zone), wall_us(begins + self.hours.length, zone)
        breaks = (self._break_on(begins, each, zone) for each in self.breaks)
        return Shift(self.name, day, begin_us, end_us, _tidy(breaks, begin_us, end_us), self.is_production)

    def _break_on(self, begins: datetime, hours: Hours, zone: tzinfo) -> Interval:
        begin_us = wall_us(begins + _between(self.hours.begins, hours.begins), zone)
        return begin_us, begin_us + hours.length // _MICROSECOND


class Shift(msgspec.Struct, frozen=True):
    """A shift on a day: from ``begin_us`` to ``end_us``, with the breaks in it."""

    name: str
    day: date
    begin_us: int
    end_us: int
    breaks: tuple[Interval, ...] = ()
    is_production: bool = True

    @property
    def id(self) -> str:
        """What tells this shift from every other: ``2026-11-21/early``."""
        return f"{self.day.isoformat()}/{self.name}"

    def until(self, end_us: int) -> Shift:
        """The same shift, ended at ``end_us`` if it would last longer."""
        if self.end_us <= end_us:
            return self
        breaks = _tidy(self.breaks, self.begin_us, end_us)
        return Shift(self.name, self.day, self.begin_us, end_us, breaks, self.is_production)


class Day(msgspec.Struct, frozen=True):
    """A day of the plant: it is called by the date on which it begins, at the plant's own hour."""

    date: date
    begin_us: int
    end_us: int


class Closure(msgspec.Struct, frozen=True):
    """Time in which nothing is planned to run, whatever shift it is: a half holiday, a planned overhaul."""

    name: str
    begin_us: int
    end_us: int


def _tidy(breaks: Iterable[Interval], begin_us: int, end_us: int) -> tuple[Interval, ...]:
    return tuple(merged(clipped(breaks, begin_us, end_us)))


def _between(earlier: time, later: time) -> timedelta:
    """From one wall time to the next time that the clock shows the other, on a day without a change."""
    anyday = date(2000, 1, 1)
    return (datetime.combine(anyday, later) - datetime.combine(anyday, earlier)) % _DAY
