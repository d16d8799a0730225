"""Who is meant, whether they are there, and where they can be reached.

Rules of this file: times are evaluated in the zone of the site, by its shift calendar.

* A target is a person, a team or a role of the calendar; or a group, which stands for others; or a name that only has
  addresses. Who is off duty is left out; nobody is off duty whose duty is not known.
* A role or team with an address of its own is reached there, else each of its people on duty at theirs.
* A schedule hands over by the wall clock. A wall time that comes twice is the first one; one that never comes is the
  instant at which the clock jumps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from domain.plant.escalation.chain import IfTime
from domain.plant.escalation.defaults import GROUPS
from domain.plant.site import ShiftCalendar, wall_us

SECOND_US = 1_000_000

CalendarOf = Callable[[str], ShiftCalendar]
"""The calendar by which a place works."""

_DAY = timedelta(days=1)


class Schedule(msgspec.Struct, frozen=True):
    """Who is on call: each of ``people`` in turn for ``days``, from the wall time ``begins`` on."""

    people: tuple[str, ...]
    begins: datetime
    days: int = 7

    def on_call(self, calendar: ShiftCalendar, at: float) -> str | None:
        """Who is on call at ``at`` (Unix seconds); None before it begins."""
        turn = self._turn(calendar, at)
        return None if turn < 0 or not self.people else self.people[turn % len(self.people)]

    def _turn(self, calendar: ShiftCalendar, at: float) -> int:
        wall = wall_time(calendar, at).replace(tzinfo=None)
        turn = (wall - self.begins) // (self.days * _DAY) + 1
        while wall_us(self.begins + turn * self.days * _DAY, calendar.zone) > at * SECOND_US:
            turn -= 1
        return turn


class Directory(msgspec.Struct, frozen=True):
    """Addresses by name and channel, groups by name, schedules by name."""

    addresses: Mapping[str, Mapping[str, tuple[str, ...]]] = msgspec.field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=lambda: GROUPS)
    schedules: Mapping[str, Schedule] = msgspec.field(default_factory=dict)

    def expanded(self, target: str, calendar: ShiftCalendar) -> tuple[str, ...]:
        """Who is meant by ``target``: itself, or those of the group if nothing else has that name."""
        if target in self.addresses or calendar.knows(target):
            return (target,)
        return self.groups.get(target, (target,))

    def reached_at(self, target: str, channel: str, calendar: ShiftCalendar, at: float) -> tuple[str, ...]:
        """Where ``target`` is reached by ``channel`` at ``at``, each address once; empty if none is known."""
        own = self._of(target, channel)
        if own:
            return own
        people = calendar.people_on_duty(target, at)
        return tuple(dict.fromkeys(address for person in people for address in self._of(person, channel)))

    def on_call(self, schedule: str, calendar: ShiftCalendar, at: float) -> str | None:
        """Who is on call by the schedule of this name; None if nobody is, or there is none."""
        found = self.schedules.get(schedule)
        return None if found is None else found.on_call(calendar, at)

    def _of(self, name: str, channel: str) -> tuple[str, ...]:
        return self.addresses.get(name, {}).get(channel, ())


def wall_time(calendar: ShiftCalendar, at: float) -> datetime:
    """What the clock of the site shows at ``at`` (Unix seconds)."""
    return datetime.fromtimestamp(at, UTC).astimezone(calendar.zone)


def is_time(condition: IfTime, calendar: ShiftCalendar, at: float) -> bool:
    """Whether ``condition`` holds at ``at``; hours that end on the next day belong to the day on which they begin."""
    if condition.shift:
        shift = calendar.shift_at(at)
        return shift is not None and shift.name == condition.shift
    wall = wall_time(calendar, at)
    now, today = wall.time(), wall.weekday()
    if condition.begins < condition.ends:
        return today in condition.days and condition.begins <= now < condition.ends
    yesterday = (today - 1) % 7
    return (today in condition.days and now >= condition.begins) or (
        yesterday in condition.days and now < condition.ends
    )
