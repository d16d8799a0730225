"""``/api/v1/dashboard`` and ``/api/v1/production/lines``: the lines of the plant as the dashboard's clients read them.

Rules of this file: a line is one of the model, or one of which a machine was heard. What is not known is null, and
``reasons`` says why; a mean of OEE is of sums, never of ratios. Desks are asked one after the other: each part is of
one moment, the whole is of nearly one.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from andond.api.describe import Operation
from andond.api.floor_andon_events import event
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_jobs import assignment
from andond.api.floor_oee import OEE_NUMBERS, words
from andond.api.floor_query import BEGIN, END, PAGE, span
from andond.api.floor_request import Query
from andond.api.production_types import Downtime, LineStatus, OeeResponse, Overview, ProductionLine
from domain import Grounds, JsonObject, JsonValue, Refused, rfc3339
from domain.access import Rights
from domain.plant.calls import CallsNow
from domain.plant.jobs import JobsNow, Status
from domain.plant.ledger import LedgersNow
from domain.plant.site import Equipment, EquipmentModel, Level, is_within
from transport import Request

TAG = "dashboard"
UNHEARD = "nothing was heard of it"


class Line(msgspec.Struct, frozen=True):
    """What the production knows of a line: ``figures`` of the shift, ``stops`` that go on; None if nothing."""

    place: Equipment
    status: str | None
    figures: JsonObject | None
    stops: list[JsonObject]


class DashboardResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def production_lines(self, request: Request) -> JsonValue:
        """The lines and what stands in them."""
        query = Query(request)
        page = query.page()
        query.check()
        model = self._floor.site(request.rights).equipment
        found = await self._floor.production(
            request.rights, lambda now: [line_of(now, place) for place in lines_of(now, model)]
        )
        return page.of([_production_line(line, model) for line in found])

    async def production_line(self, request: Request, line_id: str) -> JsonValue:
        """One line and what stands in it."""
        model, line = self._floor.site(request.rights).equipment, await self._line(line_id, request.rights)
        return _production_line(line, model)

    async def lines(self, request: Request) -> JsonValue:
        """How the lines are."""
        query = Query(request)
        page = query.page()
        query.check()
        model = self._floor.site(request.rights).equipment
        found = await self._floor.production(
            request.rights, lambda now: [line_of(now, place) for place in lines_of(now, model)]
        )
        return page.of([await self._described(line, request.rights) for line in found])

    async def line(self, request: Request, line_id: str) -> JsonValue:
        """How one line is."""
        return await self._described(await self._line(line_id, request.rights), request.rights)

    async def oee(self, request: Request, line_id: str) -> JsonValue:
        """The OEE of a line in its shift."""
        line = await self._line(line_id, request.rights)
        return oee_words(line, rfc3339(self._floor.clock()))

    async def downtime(self, request: Request, line_id: str) -> JsonValue:
        """The stops of a line in a span of time, the newest first."""
        query = Query(request)
        page = query.page()
        site = self._floor.site(request.rights)
        path = site.equipment.path_of(line_id)
        begin, end = span(query, site.calendar_of(path), self._floor.clock())
        return page.of(await self._floor.production(request.rights, lambda now: _stops(now, path, begin, end)))

    async def overview(self, request: Request) -> JsonValue:
        """The plant in numbers."""
        model = self._floor.site(request.rights).equipment
        figures = await self._floor.production(request.rights, lambda now: _figures(now, model))
        jobs = await self._floor.jobs(request.rights, _jobs)
        calls = await self._floor.calls(
            request.rights,
            lambda now: {"total_andon_events": len(now.calls), "open_andon_events": len(now.calls.open_calls())},
        )
        return {"at": rfc3339(self._floor.clock()), **figures, **jobs, **calls}

    async def _line(self, line_id: str, rights: Rights) -> Line:
        place = self._floor.site(rights).equipment.find(line_id)
        line = await self._floor.production(rights, lambda now: line_of(now, place))
        if not place.is_modelled and line.figures is None:
            raise Refused(Grounds.NOT_FOUND, f"there is no line {line_id}", {"line_id": line_id})
        return line

    async def _described(self, line: Line, rights: Rights) -> JsonValue:
        model, path = self._floor.site(rights).equipment, line.place.path
        job = await self._floor.jobs(rights, lambda now: _job_in(now, path))
        calls = await self._floor.calls(rights, lambda now: _calls_in(now, path, model))
        figures = line.figures or {}
        reasons = figures.get("reasons") if line.figures else {"status": UNHEARD, "oee": UNHEARD}
        return {
            "line_id": line.place.code,
            "line_code": line.place.code,
            "name": line.place.title or line.place.name,
            "path": path,
            "status": line.status,
            **{name: figures.get(name) for name in ("oee", "availability", "performance", "quality", "coverage")},
            "current_job": assignment(job, model) if job else None,
            "active_downtime": list(line.stops),
            "active_andon_events": calls,
            "reasons": reasons,
        }


def lines_of(now: LedgersNow, model: EquipmentModel) -> list[Equipment]:
    """The lines of the model, and those of which a machine was heard."""
    known = {place.path: place for place in model.at_level(Level.LINE)}
    return [*known.values(), *(model.find(path) for path in now.ledgers.statuses if path not in known)]


def line_of(now: LedgersNow, place: Equipment) -> Line:
    """What the production knows of a line."""
    try:
        said = now.status(place.path)
        stops = said["active_downtime"]
        status = said["status"]
        return Line(
            place,
            status if isinstance(status, str) else None,
            now.oee(place.path),
            [each for each in stops if isinstance(each, Mapping)] if isinstance(stops, list) else [],
        )
    except Refused:
        return Line(place, None, None, [])


def oee_words(line: Line, at: str) -> JsonObject:
    """The OEE of a line in the words of the dashboard's clients."""
    if line.figures is not None:
        return words(line.figures)
    unknown = dict.fromkeys(OEE_NUMBERS)
    return {
        "id": line.place.path,
        "line_id": line.place.code,
        "equipment_code": line.place.code,
        "calculation_time": at,
        **unknown,
        "window": None,
        "reasons": {"oee": UNHEARD},
    }


def _production_line(line: Line, model: EquipmentModel) -> JsonObject:
    place = line.place
    below: list[JsonValue] = [each.code for each in model.within(place.path) if each.path != place.path]
    return {
        "id": place.code,
        "line_code": place.code,
        "name": place.title or place.name,
        "path": place.path,
        "status": line.status,
        "equipment_codes": below,
        "shifts": list(model.shifts_of(place.path)),
    }


def _stops(now: LedgersNow, path: str, begin: int, end: int) -> list[JsonObject]:
    return now.downtimes(path, begin, end)


def _job_in(now: JobsNow, path: str) -> JsonObject | None:
    running = now.jobs(Status.IN_PROGRESS, path)
    return running[0] if running else None


def _calls_in(now: CallsNow, path: str, model: EquipmentModel) -> list[JsonValue]:
    return [event(call, model) for call in now.calls.open_calls() if is_within(call.path, path)]


def _jobs(now: JobsNow) -> JsonObject:
    return {
        "total_jobs": len(now.workshop.jobs),
        "active_jobs": len(now.jobs(Status.IN_PROGRESS)),
        "completed_jobs": len(now.jobs(Status.COMPLETED)),
    }


def _figures(now: LedgersNow, model: EquipmentModel) -> JsonObject:
    lines = [line_of(now, place) for place in lines_of(now, model)]
    statuses = [line.status for line in lines]
    oee, minutes, reasons = None, None, {"average_oee": UNHEARD, "total_downtime_minutes": UNHEARD}
    if now.seen_units("oee"):
        # The whole plant by its day: sums of elements, in one window for all.
        all_of_it = now.oee("", now.day(""))
        oee, why = all_of_it["oee"], all_of_it["reasons"]
        del reasons["average_oee"]
        reasons |= {"average_oee": str(why["oee"])} if isinstance(why, Mapping) and "oee" in why else {}
    if now.seen_units("downtime"):
        window = now.day("")
        minutes = now.statistics("", window.begin, window.end)["total_downtime_minutes"]
        del reasons["total_downtime_minutes"]
    running = ("running",)
    return {
        "total_lines": len(lines),
        "running_lines": sum(status in running for status in statuses),
        "stopped_lines": sum(status in ("stopped", "idle", "setup", "maintenance") for status in statuses),
        "fault_lines": statuses.count("fault"),
        "unknown_lines": sum(status in (None, "unknown") for status in statuses),
        "average_oee": oee,
        "total_downtime_minutes": minutes,
        "reasons": reasons,
    }


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    board = DashboardResource(floor)
    lists, one = (422, 503), (404, 503)
    lines = Operation("listProductionLines", "Lines", TAG, list[ProductionLine], query=PAGE, refuses=lists)
    routes.add("GET", "/production/lines", board.production_lines, lines)
    line = Operation("getProductionLine", "One line", TAG, ProductionLine, refuses=one)
    routes.add("GET", "/production/lines/{line_id}", board.production_line, line)
    statuses = Operation("listLineStatus", "How the lines are", TAG, list[LineStatus], query=PAGE, refuses=lists)
    routes.add("GET", "/dashboard/lines", board.lines, statuses)
    for path, name in (("", "getLine"), ("/status", "getLineStatus")):
        status = Operation(name, "How a line is", TAG, LineStatus, refuses=one)
        routes.add("GET", f"/dashboard/lines/{{line_id}}{path}", board.line, status)
    oee = Operation("getLineOee", "The OEE of a line", TAG, OeeResponse, refuses=one)
    routes.add("GET", "/dashboard/lines/{line_id}/oee", board.oee, oee)
    downtime = Operation(
        "listLineDowntime",
        "The stops of a line",
        TAG,
        list[Downtime],
        query=(BEGIN, END, *PAGE),
        refuses=(404, 422, 503),
    )
    routes.add("GET", "/dashboard/lines/{line_id}/downtime", board.downtime, downtime)
    for word in ("overview", "summary", "kpis"):
        about = Operation(f"getDashboard{word.capitalize()}", "The plant in numbers", TAG, Overview, refuses=(503,))
        routes.add("GET", f"/dashboard/{word}", board.overview, about)
