"""What the REST of the site and its equipment answers.

Rules of this file: types alone, as the document shows them; tests hold every answer to them.
"""

from __future__ import annotations

import msgspec


class Equipment(msgspec.Struct, kw_only=True):
    """A place in the plant (ISA-95). One that only events name has a path, and `modelled` is false."""

    path: str
    name: str
    title: str | None
    level: str | None
    element: str | None
    aliases: list[str]
    parent: str | None
    below: list[str]
    shifts: list[str]
    modelled: bool
    code: str
    line: str | None


class Break(msgspec.Struct, kw_only=True):
    """A break."""

    begin: str
    end: str


class Shift(msgspec.Struct, kw_only=True):
    """A shift on a day; `day` is the one on which it begins, `busy` its planned busy time in seconds."""

    id: str
    name: str
    day: str
    begin: str
    end: str
    breaks: list[Break]
    busy: float


class ShiftNow(msgspec.Struct, kw_only=True):
    """The shift that runs; null with the reason why none does."""

    at: str
    shift: Shift | None
    reason: str | None


class Busy(msgspec.Struct, kw_only=True):
    """When something is planned to run; `busy` in seconds, null with a reason if there is no calendar."""

    begin: str
    end: str
    busy: float | None
    intervals: list[Break]
    reason: str | None


class OnDuty(msgspec.Struct, kw_only=True):
    """Who of a role, or whether a person, is on duty; `known` is false for who is not in the roster."""

    who: str
    at: str
    known: bool
    on_duty: bool
    people: list[str]


class Site(msgspec.Struct, kw_only=True):
    """The site: its clock, its plan, the number of its places by level."""

    path: str | None
    time_zone: str
    day_begins: str
    local_time: str
    shifts: list[str]
    holidays: dict[str, str]
    exceptions: dict[str, list[str]]
    closures: list[Closure]
    levels: dict[str, int]
    people: list[Person]


class Closure(msgspec.Struct, kw_only=True):
    """Time in which nothing is planned to run."""

    title: str
    begin: str
    end: str


class Person(msgspec.Struct, kw_only=True):
    """A person or team."""

    name: str
    roles: list[str]
    shifts: list[str]
    on_duty: bool
