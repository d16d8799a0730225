"""From the settings of a site to the site itself.

Rules of this file: the settings are valid, and say nothing twice; the time zone comes from the system, or from the
package ``tzdata`` where that has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from config import WEEKDAYS, AreaSettings, CellSettings, LineSettings, PersonSettings, SiteSettings, UnitSettings
from domain.plant.site import (
    Closure,
    EquipmentModel,
    Hours,
    Level,
    Node,
    Person,
    ShiftCalendar,
    ShiftPlan,
    Site,
    wall_us,
)


class SiteInForce:
    """The site by the settings in force, which ``present`` returns; it is made anew when a reload brought others."""

    def __init__(self, present: Callable[[], SiteSettings]) -> None:
        self._present = present
        self._settings: SiteSettings | None = None
        self._site = Site()

    def __call__(self) -> Site:
        """The site now."""
        settings = self._present()
        if settings is not self._settings:
            self._site = site_of(settings)
            self._settings = settings
        return self._site


def site_of(settings: SiteSettings) -> Site:
    """The equipment and the calendar that ``settings`` describe."""
    path = f"{settings.enterprise}/{settings.name}" if settings.enterprise and settings.name else ""
    return Site(EquipmentModel(*_roots(settings)), _calendar(settings), path)


def _roots(settings: SiteSettings) -> Iterator[Node]:
    if settings.enterprise and settings.name:
        below = tuple(_nodes((*settings.areas, *settings.lines)))
        site = Node(settings.name, Level.SITE, settings.title, below=below)
        yield Node(settings.enterprise, Level.ENTERPRISE, below=(site,))


def _nodes(tables: Iterable[UnitSettings]) -> Iterator[Node]:
    for each in tables:
        yield Node(
            name=each.name,
            level=_level(each),
            title=each.title,
            aliases=each.aliases,
            element=each.element if isinstance(each, LineSettings) else "",
            shifts=each.shifts if isinstance(each, LineSettings) else (),
            below=tuple(_nodes(_below(each))),
        )


def _level(each: UnitSettings) -> Level:
    match each:
        case AreaSettings():
            return Level.AREA
        case LineSettings():
            return Level.LINE
        case CellSettings():
            return Level.CELL
        case _:
            return Level.UNIT


def _below(each: UnitSettings) -> tuple[UnitSettings, ...]:
    match each:
        case AreaSettings():
            return each.lines
        case LineSettings():
            return (*each.cells, *each.units)
        case CellSettings():
            return each.units
        case _:
            return ()


def _calendar(settings: SiteSettings) -> ShiftCalendar:
    zone = ZoneInfo(settings.time_zone)
    return ShiftCalendar(
        zone,
        [
            ShiftPlan(
                shift.name,
                Hours(time.fromisoformat(shift.begins), time.fromisoformat(shift.ends)),
                frozenset(WEEKDAYS.index(day) for day in shift.days),
                tuple(_hours(each) for each in shift.breaks),
                shift.production,
                shift.places,
            )
            for shift in settings.shifts
        ],
        holidays={date.fromisoformat(day): words for day, words in settings.holidays.items()},
        exceptions={date.fromisoformat(each.date): each.shifts for each in settings.exceptions},
        closures=[
            Closure(each.title, _instant(each.begins, zone), _instant(each.ends, zone)) for each in settings.closures
        ],
        people=map(_person, settings.people),
        day_begins=time.fromisoformat(settings.day_begins),
    )


def _hours(text: str) -> Hours:
    begins, _, ends = text.partition("-")
    return Hours(time.fromisoformat(begins), time.fromisoformat(ends))


def _instant(text: str, zone: ZoneInfo) -> int:
    return wall_us(datetime.fromisoformat(text), zone)


def _person(person: PersonSettings) -> Person:
    absences = (text.partition("/") for text in person.absent)
    days = tuple((date.fromisoformat(first), date.fromisoformat(last or first)) for first, _, last in absences)
    return Person(person.name, frozenset(person.roles), frozenset(person.shifts), days, person.places)
