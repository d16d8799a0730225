"""``/api/v1/site``: the plant's clock, shifts and people.

Rules of this file: everything comes from the settings in force, by the calendar of the place that is asked for; a
window is at most a year. Without shifts nothing is known of planned time, and the answer says so.
"""

from __future__ import annotations

from andond.api.describe import Operation, Parameter
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import BEGIN, END, EQUIPMENT, LIMIT, OFFSET, SECOND, span
from andond.api.floor_request import Query
from andond.api.floor_types import Page
from andond.api.site_types import Busy, OnDuty, ShiftNow
from andond.api.site_types import Shift as ShiftDocument
from andond.api.site_types import Site as SiteDocument
from domain import Fault, JsonObject, JsonValue, rfc3339
from domain.plant.site import Level, Shift, ShiftCalendar
from transport import Request

TAG = "site"

NO_SHIFTS = "the configuration has no shifts (site.shifts)"

AT = Parameter("at", "When; now if it is not said (RFC 3339)", {"type": "string", "format": "date-time"})
WHO = Parameter("who", "A person, a team or a role", {"type": "string"})


class SiteResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def site(self, request: Request) -> JsonValue:
        """The site, its clock, its plan and its people."""
        site, at = self._floor.site(request.rights), self._floor.clock()
        calendar = site.calendar
        levels: dict[str, JsonValue] = {level.value: len(site.equipment.at_level(level)) for level in Level}
        return {
            "path": site.path or None,
            "time_zone": str(calendar.zone),
            "day_begins": f"{calendar.day_begins:%H:%M}",
            "local_time": calendar.local(at).isoformat(timespec="seconds"),
            "shifts": [plan.name for plan in calendar.plans],
            "holidays": {day.isoformat(): words for day, words in calendar.holidays.items()},
            "exceptions": {day.isoformat(): list(names) for day, names in calendar.exceptions.items()},
            "closures": [
                {"title": each.name, "begin": _moment(each.begin_us), "end": _moment(each.end_us)}
                for each in calendar.closures
            ],
            "levels": levels,
            "people": [
                {
                    "name": person.name,
                    "roles": sorted(person.roles),
                    "shifts": sorted(person.shifts),
                    "on_duty": calendar.on_duty(person.name, at),
                }
                for person in calendar.people
            ],
        }

    async def shifts(self, request: Request) -> JsonValue:
        """The shifts in a span of time; without one those of the day of the plant."""
        query = Query(request)
        calendar = self._calendar(query)
        page = query.page()
        begin, end = span(query, calendar, self._floor.clock())
        return page.members([shift_members(shift, calendar) for shift in calendar.shifts(begin, end)])

    async def current(self, request: Request) -> JsonValue:
        """The shift that runs."""
        query = Query(request)
        calendar = self._calendar(query)
        said = query.moment("at", calendar=calendar)
        query.check()
        at = self._floor.clock() if said is None else said
        shift = calendar.shift_at(at)
        reason = None if shift else ("no shift runs then" if calendar.is_known else NO_SHIFTS)
        return {"at": rfc3339(at), "shift": shift_members(shift, calendar) if shift else None, "reason": reason}

    async def busy(self, request: Request) -> JsonValue:
        """The planned busy time in a span of time; without one that of the day of the plant."""
        query = Query(request)
        calendar = self._calendar(query)
        begin, end = span(query, calendar, self._floor.clock())
        intervals = calendar.busy(begin, end)
        return {
            "begin": _moment(begin),
            "end": _moment(end),
            "busy": sum(last - first for first, last in intervals) / SECOND if calendar.is_known else None,
            "intervals": [{"begin": _moment(first), "end": _moment(last)} for first, last in intervals],
            "reason": None if calendar.is_known else NO_SHIFTS,
        }

    async def on_duty(self, request: Request) -> JsonValue:
        """Who is on duty."""
        query = Query(request)
        calendar = self._floor.site(request.rights).calendar
        who, said = query.text("who"), query.moment("at", calendar=calendar)
        if who is None:
            query.faults.append(Fault("/query/who", "is required: a person, a team or a role"))
        query.check()
        at = self._floor.clock() if said is None else said
        return {
            "who": who,
            "at": rfc3339(at),
            "known": calendar.knows(who or ""),
            "on_duty": calendar.on_duty(who or "", at),
            "people": list(calendar.people_on_duty(who or "", at)),
        }

    def _calendar(self, query: Query) -> ShiftCalendar:
        place = query.text("equipment", "line_id")
        site = self._floor.site(query.request.rights)
        return site.calendar if place is None else site.calendar_of(place)


def shift_members(shift: Shift, calendar: ShiftCalendar) -> JsonObject:
    """A shift as JSON, with its planned busy time in seconds."""
    return {
        "id": shift.id,
        "name": shift.name,
        "day": shift.day.isoformat(),
        "begin": _moment(shift.begin_us),
        "end": _moment(shift.end_us),
        "breaks": [{"begin": _moment(begin), "end": _moment(end)} for begin, end in shift.breaks],
        "busy": calendar.busy_us(shift.begin_us, shift.end_us) / SECOND,
    }


def _moment(at_us: int) -> str:
    return rfc3339(at_us / SECOND)


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    site = SiteResource(floor)
    window = (EQUIPMENT, BEGIN, END)
    routes.add("GET", "/site", site.site, Operation("getSite", "The site", TAG, SiteDocument))
    routes.add(
        "GET",
        "/site/shifts",
        site.shifts,
        Operation(
            "listShifts",
            "Shifts in a span of time",
            TAG,
            Page[ShiftDocument],
            query=(*window, LIMIT, OFFSET),
            refuses=(422,),
        ),
    )
    routes.add(
        "GET",
        "/site/shifts/current",
        site.current,
        Operation("getCurrentShift", "The shift that runs", TAG, ShiftNow, query=(EQUIPMENT, AT), refuses=(422,)),
    )
    routes.add(
        "GET",
        "/site/busy-time",
        site.busy,
        Operation("getBusyTime", "Planned busy time", TAG, Busy, query=window, refuses=(422,)),
    )
    routes.add(
        "GET",
        "/site/on-duty",
        site.on_duty,
        Operation("getOnDuty", "Who is on duty", TAG, OnDuty, query=(WHO, AT), refuses=(422,)),
    )
