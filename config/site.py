"""The plant in the configuration: its equipment after ISA-95, its shifts in local time, its people.

Rules of this file: times are texts as one writes them, ``06:00``, ``2026-12-24``, ``09:00-09:15``, and mean the clock
on the wall at the site. What the tables owe each other is in ``site_relations``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from config import site_rules as rules
from config.meta import means

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class UnitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A unit: the smallest that has a state of its own, a machine or a part of a cell."""

    name: Annotated[str, means("Its name in the path", reload=True, rule=rules.segment)]
    title: Annotated[str, means("What people call it", reload=True)] = ""
    aliases: Annotated[
        tuple[str, ...],
        means(
            "What other systems call it, such as BP01.PACK.BAG1; the first is what they are told",
            reload=True,
            rule=rules.aliases,
        ),
    ] = ()


class CellSettings(UnitSettings, frozen=True, kw_only=True):
    """A cell, or station: what stands in a line, with units or as one."""

    units: Annotated[tuple[UnitSettings, ...], means("Its units", reload=True)] = ()


class LineSettings(UnitSettings, frozen=True, kw_only=True):
    """A line: ISA-95's work center."""

    element: Annotated[
        Literal["ProductionLine", "ProcessCell", "ProductionUnit", "StorageZone"],
        means("What kind of work center it is", reload=True),
    ] = "ProductionLine"
    shifts: Annotated[
        tuple[str, ...], means("The shifts that it works; none: all", unit="names of site.shifts", reload=True)
    ] = ()
    cells: Annotated[tuple[CellSettings, ...], means("Its cells, or stations", reload=True)] = ()
    units: Annotated[tuple[UnitSettings, ...], means("Units that are in no cell", reload=True)] = ()


class AreaSettings(UnitSettings, frozen=True, kw_only=True):
    """An area: a hall, a department."""

    lines: Annotated[tuple[LineSettings, ...], means("Its lines", reload=True)] = ()


class ShiftSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A shift: it is of the day on which it begins, and ends on the next one if `ends` is not later than `begins`."""

    name: Annotated[str, means("What it is called", reload=True, rule=rules.word)]
    begins: Annotated[str, means("When it begins", unit="HH:MM", reload=True, rule=rules.clock)]
    ends: Annotated[str, means("When it ends", unit="HH:MM", reload=True, rule=rules.clock)]
    days: Annotated[tuple[Weekday, ...], means("The days on which it begins", reload=True, rule=rules.some)] = WEEKDAYS
    breaks: Annotated[
        tuple[str, ...],
        means("Its breaks, which are no planned time", unit="HH:MM-HH:MM", reload=True, rule=rules.hours),
    ] = ()
    production: Annotated[
        bool, means("Whether something is planned to run in it; false: only people are on duty", reload=True)
    ] = True
    places: Annotated[
        tuple[str, ...],
        means(
            "Where it is worked; none: everywhere. Whose place it is not does not see it",
            unit="ISA-95 paths",
            reload=True,
            rule=rules.places,
        ),
    ] = ()


class ExceptionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A day that has other shifts than its weekday says, also if it is a holiday."""

    date: Annotated[str, means("The day", unit="YYYY-MM-DD", reload=True, rule=rules.day)]
    shifts: Annotated[
        tuple[str, ...],
        means("The shifts that begin on it, none at all if it is empty", unit="names of site.shifts", reload=True),
    ]
    title: Annotated[str, means("Why", reload=True)] = ""


class ClosureSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which nothing is planned to run, whatever shift it is."""

    begins: Annotated[str, means("From when", unit="YYYY-MM-DDTHH:MM", reload=True, rule=rules.moment)]
    ends: Annotated[str, means("Until when", unit="YYYY-MM-DDTHH:MM", reload=True, rule=rules.moment)]
    title: Annotated[str, means("Why", reload=True)] = ""


class PersonSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A person, or a team that is called as one: when they are on duty."""

    name: Annotated[str, means("Their name, as escalation chains have it", reload=True, rule=rules.who)]
    roles: Annotated[
        tuple[str, ...], means("What they are, as escalation chains have it", reload=True, rule=rules.roles)
    ] = ()
    shifts: Annotated[
        tuple[str, ...],
        means("The shifts that they work; none: always on duty", unit="names of site.shifts", reload=True),
    ] = ()
    absent: Annotated[
        tuple[str, ...],
        means(
            "Days on which they are not there",
            unit="YYYY-MM-DD or YYYY-MM-DD/YYYY-MM-DD",
            reload=True,
            rule=rules.absences,
        ),
    ] = ()
    places: Annotated[
        tuple[str, ...],
        means(
            "Where they work; none: everywhere, and they are shown to who sees the whole plant. A chain that names "
            "their role tells them of calls there",
            unit="ISA-95 paths",
            reload=True,
            rule=rules.places,
        ),
    ] = ()


class SiteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The plant: its name, its clock, its working time, its equipment after ISA-95.

    A path is the names from the enterprise down, `acme/plant1/area1/line3/st4`. What events name and this does not is
    taken all the same, and marked.
    """

    enterprise: Annotated[
        str, means("The enterprise, first name of every path", reload=True, rule=rules.maybe_segment)
    ] = ""
    name: Annotated[str, means("The site, second name of every path", reload=True, rule=rules.maybe_segment)] = ""
    title: Annotated[str, means("What people call it", reload=True)] = ""
    time_zone: Annotated[str, means("The clock on its walls", unit="IANA name", reload=True, rule=rules.time_zone)] = (
        "UTC"
    )
    day_begins: Annotated[
        str, means("When a day begins in its reports", unit="HH:MM", reload=True, rule=rules.clock)
    ] = "00:00"
    holidays: Annotated[
        Mapping[str, str],
        means("Days without shifts, and what they are", unit="YYYY-MM-DD", reload=True, rule=rules.holidays),
    ] = msgspec.field(default_factory=dict)
    shifts: Annotated[
        tuple[ShiftSettings, ...], means("The shifts; none: nothing is known of planned time", reload=True)
    ] = ()
    exceptions: Annotated[tuple[ExceptionSettings, ...], means("Days with other shifts", reload=True)] = ()
    closures: Annotated[
        tuple[ClosureSettings, ...], means("Times in which nothing is planned to run", reload=True)
    ] = ()
    people: Annotated[tuple[PersonSettings, ...], means("Who is on duty when", reload=True)] = ()
    areas: Annotated[tuple[AreaSettings, ...], means("The areas", reload=True)] = ()
    lines: Annotated[tuple[LineSettings, ...], means("Lines that are in no area", reload=True)] = ()
