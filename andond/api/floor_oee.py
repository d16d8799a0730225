"""``/api/v1/oee``: availability, effectiveness, quality and what they are made of, from the time ledger.

Rules of this file: the production's desk works it out; a figure that cannot be said is null with a reason, never
guessed, and a place that is no unit is the sum of its units. The same is there in the words of the dashboard's clients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from andond.api.describe import Operation, Parameter
from andond.api.floor_acts import REFUSES, Deed, like, with_at
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import BEGIN, BEGINS, END, ENDS, EQUIPMENT, PAGE, span
from andond.api.floor_request import Query
from andond.api.floor_types import Page
from andond.api.production_types import Correct, Figures, Timeline
from domain import Fault, JsonObject, JsonValue, Refused
from domain.plant.ledger import LedgersNow, Window
from transport import Request

TAG = "oee"
KINDS = ("shift", "day", "range")
WINDOW = Parameter(
    "window", "The shift or the day that it is, or the range from begin to end", {"type": "string", "enum": list(KINDS)}
)
WindowOf = Callable[[LedgersNow], Window]

OEE_NUMBERS = (
    "availability",
    "performance",
    "quality",
    "oee",
    "planned_production_time",
    "actual_production_time",
    "ideal_cycle_time",
    "actual_cycle_time",
    "good_parts",
    "total_parts",
    "coverage",
)
"""The numbers that the dashboard's clients read of OEE."""

JOB = Parameter("job", "The time in which this job was worked on", {"type": "string"})


class OeeResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def figures(self, request: Request) -> JsonValue:
        """The figures of a place, or of a job."""
        query = Query(request)
        job = query.text("job")
        if job is not None:
            return await self._floor.production(request.rights, lambda now: _of_job(now, job))
        place = place_of(query)
        window = window_of(query, self._floor, place)
        return await self._floor.production(request.rights, lambda now: now.oee(place, window(now)))

    async def shifts(self, request: Request) -> JsonValue:
        """The figures of a place shift by shift, as far as the ledger reaches back."""
        query = Query(request)
        page, place = query.page(), place_of(query)
        begin, end = span(query, self._floor.site(request.rights).calendar_of(place), self._floor.clock())
        found = await self._floor.production(request.rights, lambda now: by_shift(now, place, begin, end))
        return page.members(found)

    async def timeline(self, request: Request) -> JsonValue:
        """What a unit did, segment by segment."""
        query = Query(request)
        place = place_of(query)
        begin, end = span(query, self._floor.site(request.rights).calendar_of(place), self._floor.clock())
        return await self._floor.production(request.rights, lambda now: now.timeline(place, begin, end))


def place_of(query: Query, *, is_needed: bool = True) -> str:
    """The place that a query names, as it names it; empty if it names none."""
    place = query.text("equipment", "equipment_code", "line_id", "lineId", "equipmentCode")
    if place is None and is_needed:
        query.faults.append(Fault("/query/equipment", "is required: a path or an alias"))
        query.check()
    return place or ""


def window_of(query: Query, floor: Floor, place: str) -> WindowOf:
    """The window that a query asks for; without a word the shift that the place works.

    Raises:
        Refused: if what it says is no window.
    """
    named = query.text(*BEGINS, *ENDS, "days")
    kind = query.choice("window", KINDS) or ("range" if named else "shift")
    query.check()
    if kind == "shift":
        return lambda now: now.shift(place)
    if kind == "day":
        return lambda now: now.day(place)
    begin, end = span(query, floor.site(query.request.rights).calendar_of(place), floor.clock())
    return lambda _now: Window("range", "", begin, end)


def _of_job(now: LedgersNow, job: str) -> JsonObject:
    place, window = now.job(job)
    return now.oee(place, window)


def by_shift(now: LedgersNow, place: str, begin: int, end: int) -> list[JsonObject]:
    """The figures of ``place``, shift by shift, as far as the ledger reaches back."""
    found = []
    for window in now.shifts(place, begin, end):
        try:
            found.append(now.oee(place, window))
        except Refused as refused:
            # The ledger keeps its time; shifts before that are no longer there, those behind it still are.
            if "oldest" not in refused.details:
                raise
    return found


def words(figures: JsonObject) -> JsonObject:
    """Figures in the words of the dashboard's clients."""
    elements, reasons = figures["elements"], figures["reasons"]
    window = figures["window"]
    of = elements if isinstance(elements, Mapping) else {}
    name = window["name"] if isinstance(window, Mapping) else ""
    made = of.get("pq")
    return {
        "id": f"{figures['equipment']}/{name}",
        "line_id": figures["line_id"],
        "equipment_code": figures["equipment_code"],
        "calculation_time": figures["until"],
        "availability": figures["availability"],
        "performance": figures["performance"],
        "quality": figures["quality"],
        "oee": figures["oee"],
        "planned_production_time": of.get("pbt"),
        "actual_production_time": of.get("apt"),
        "ideal_cycle_time": _each(of.get("standard"), made),
        "actual_cycle_time": _each(of.get("apt"), made),
        "good_parts": of.get("gq"),
        "total_parts": made,
        "coverage": figures["coverage"],
        "window": window,
        "reasons": reasons,
    }


def _each(seconds: JsonValue, pieces: JsonValue) -> float | None:
    if not isinstance(seconds, int | float) or not isinstance(pieces, int | float) or not pieces:
        return None
    return seconds / pieces


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    oee = OeeResource(floor)
    refuses = (404, 422, 503)
    figures = Operation(
        "getOee",
        "Figures of a place or a job",
        TAG,
        Figures,
        query=(EQUIPMENT, WINDOW, BEGIN, END, JOB),
        refuses=refuses,
    )
    routes.add("GET", "/oee", oee.figures, figures)
    shifts = Operation(
        "listOeeByShift",
        "Figures shift by shift",
        TAG,
        Page[Figures],
        query=(EQUIPMENT, BEGIN, END, *PAGE),
        refuses=refuses,
    )
    routes.add("GET", "/oee/shifts", oee.shifts, shifts)
    timeline = Operation(
        "getTimeline", "What a unit did", TAG, Timeline, query=(EQUIPMENT, BEGIN, END), refuses=refuses
    )
    routes.add("GET", "/oee/timeline", oee.timeline, timeline)
    correct = Operation("correctEquipment", "Say what a unit did", TAG, None, Correct, refuses=REFUSES, is_act=True)
    deed = Deed(floor, "equipment.correct", with_at, "equipment", look=like(Correct))
    routes.add("POST", "/equipment/{id}/correct", deed.on, correct)
