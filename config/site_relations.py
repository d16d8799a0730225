"""What the tables of a site owe each other: names that are there once, shifts that exist, hours that fit.

Rules of this file: as in ``relations``: valid values only, and every key that was looked at is named, the one to blame
first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from config.faults import one_of
from config.relation import Broken
from config.rules import equipment
from config.settings import Settings
from config.site import WEEKDAYS, LineSettings, ShiftSettings, SiteSettings, UnitSettings

_DAY = 24 * 60
_WEEK = 7 * _DAY


class _Place(NamedTuple):
    """A place of the equipment: the key of its table, its path, and what it says."""

    key: str
    path: str
    says: UnitSettings


def site_is_named(settings: Settings) -> Iterator[Broken]:
    """What is in the site has a path that begins with its name."""
    site = settings.site
    if not (site.areas or site.lines):
        return
    if not site.enterprise:
        yield Broken(("site.enterprise", "site.areas", "site.lines"), "the first name of every path, such as acme")
    if not site.name:
        yield Broken(("site.name", "site.areas", "site.lines"), "the second name of every path, such as plant1")


def places_are_apart(settings: Settings) -> Iterator[Broken]:
    """A path and an alias each mean one place."""
    places = list(_places(settings.site))
    paths: dict[str, str] = {}
    for place in places:
        key = f"{place.key}.name"
        if place.path in paths:
            yield Broken((key,), f"a name that is not taken, and {place.path} is {paths[place.path]}")
        elif expected := equipment(place.path):
            yield Broken((key,), f"a name with which the path is {expected}")
        paths.setdefault(place.path, place.key)
    names = dict(paths)
    for place in places:
        for alias in place.says.aliases:
            if names.setdefault(alias, place.key) != place.key:
                yield Broken((f"{place.key}.aliases",), f"names for this place alone, and {alias!r} is {names[alias]}")


def names_are_there_once(settings: Settings) -> Iterator[Broken]:
    """Shifts, exceptional days and people are named once; a person is not called as a role is."""
    site = settings.site
    yield from _twice("site.shifts", "name", [shift.name for shift in site.shifts])
    yield from _twice("site.exceptions", "date", [each.date for each in site.exceptions])
    yield from _twice("site.people", "name", [person.name for person in site.people])
    roles = {role for person in site.people for role in person.roles}
    for number, person in enumerate(site.people, 1):
        if person.name in roles:
            yield Broken((f"site.people[{number}].name",), "a name that is not also a role")


def shifts_are_known(settings: Settings) -> Iterator[Broken]:
    """Whoever names a shift names one of the site's."""
    site = settings.site
    known = [shift.name for shift in site.shifts]
    named = [(f"site.people[{number}]", person.shifts) for number, person in enumerate(site.people, 1)]
    named += [(f"site.exceptions[{number}]", each.shifts) for number, each in enumerate(site.exceptions, 1)]
    named += _lines(site)
    for key, names in named:
        for name in names:
            if name not in known:
                expected = one_of(known, name) if known else "shifts of [[site.shifts]], and there are none"
                yield Broken((f"{key}.shifts", "site.shifts"), f"{expected}, for {name!r}")


def breaks_are_in_their_shifts(settings: Settings) -> Iterator[Broken]:
    """A break begins and ends while its shift runs."""
    for number, shift in enumerate(settings.site.shifts, 1):
        for each in shift.breaks:
            begins, _, ends = each.partition("-")
            start = (_minutes(begins) - _minutes(shift.begins)) % _DAY
            if start + _length(begins, ends) > _length(shift.begins, shift.ends):
                expected = f"breaks between {shift.begins} and {shift.ends}, and {each} is not"
                yield Broken((f"site.shifts[{number}].breaks",), expected)


def shifts_take_turns(settings: Settings) -> Iterator[Broken]:
    """No line has two shifts at a time in which something is planned to run."""
    site = settings.site
    worked = {shifts for _, shifts in _lines(site)} or {()}
    told: set[tuple[str, str]] = set()
    for names in sorted(worked):
        shifts = [shift for shift in site.shifts if shift.production and (shift.name in names or not names)]
        for earlier, later in _overlapping(shifts):
            if (earlier, later) not in told:
                told.add((earlier, later))
                expected = f"shifts one after the other on each line, and {earlier!r} and {later!r} overlap"
                yield Broken(("site.shifts", "site.areas", "site.lines"), expected)


def closures_last(settings: Settings) -> Iterator[Broken]:
    """A closure ends after it began."""
    for number, closure in enumerate(settings.site.closures, 1):
        if closure.ends <= closure.begins:
            yield Broken((f"site.closures[{number}].ends",), f"a time after {closure.begins}")


SITE_RELATIONS = (
    site_is_named,
    places_are_apart,
    names_are_there_once,
    shifts_are_known,
    breaks_are_in_their_shifts,
    shifts_take_turns,
    closures_last,
)


def _places(site: SiteSettings) -> Iterator[_Place]:
    here = f"{site.enterprise or 'acme'}/{site.name or 'plant1'}"
    for key, path, table in (("site.areas", here, site.areas), ("site.lines", here, site.lines)):
        yield from _below(key, path, table)


def _below(key: str, path: str, tables: Sequence[UnitSettings]) -> Iterator[_Place]:
    for number, says in enumerate(tables, 1):
        place = _Place(f"{key}[{number}]", f"{path}/{says.name}", says)
        yield place
        for word in ("lines", "cells", "units"):
            yield from _below(f"{place.key}.{word}", place.path, getattr(says, word, ()))


def _lines(site: SiteSettings) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The key of each line, and the shifts that it names."""
    for place in _places(site):
        if isinstance(place.says, LineSettings):
            yield place.key, place.says.shifts


def _twice(key: str, member: str, names: Sequence[str]) -> Iterator[Broken]:
    for number, name in enumerate(names, 1):
        first = names.index(name) + 1
        if first != number:
            yield Broken((f"{key}[{number}].{member}",), f"another one than {key}[{first}] has")


def _overlapping(shifts: Iterable[ShiftSettings]) -> Iterator[tuple[str, str]]:
    """The pairs of shifts that run at the same time in a usual week."""
    runs = sorted(
        (WEEKDAYS.index(day) * _DAY + _minutes(shift.begins), _length(shift.begins, shift.ends), shift.name)
        for shift in shifts
        for day in shift.days
    )
    for index, (begins, length, name) in enumerate(runs):
        later = runs[(index + 1) % len(runs)]
        wait = (later[0] - begins) % _WEEK or (_WEEK if len(runs) == 1 else 0)
        if wait < length:
            yield name, later[2]


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _length(begins: str, ends: str) -> int:
    return (_minutes(ends) - _minutes(begins)) % _DAY or _DAY
