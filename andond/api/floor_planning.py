"""``/api/v1/production``: schedules and statistics in the words of the dashboard's clients.

Rules of this file: a schedule is a job order that has a planned time; there is no other plan. What was made is counted
by line, null with a reason where nothing was counted; a sum is of what was.
"""

from __future__ import annotations

from andond.api.describe import Operation, Parameter
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_jobs import LINE, STATUS, STATUSES, assignment
from andond.api.floor_query import BEGIN, END, PAGE, SECOND, span
from andond.api.floor_request import Query
from andond.api.planning_types import ProductionStatistics, Schedule
from domain import Grounds, JsonObject, JsonValue, Refused, rfc3339
from domain.plant.jobs import JobsNow, Status
from domain.plant.site import EquipmentModel, Level, is_within
from transport import Request

TAG = "dashboard"
PLACE = Parameter("line_id", "A line by its path or an alias; without it all", {"type": "string"})

_MADE = {"units_produced": "produced", "good_parts": "good", "scrap_parts": "scrap", "rework_parts": "rework"}
"""Pieces in the words of the dashboard's clients, and ours."""


class PlanningResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def schedules(self, request: Request) -> JsonValue:
        """The job orders that have a planned time."""
        query = Query(request)
        page, place = query.page(), query.text("line_id", "equipment_code")
        status = query.choice("status", STATUSES)
        query.check()
        model = self._floor.site(request.rights).equipment
        path = model.path_of(place) if place else ""
        found = await self._floor.jobs(request.rights, lambda now: now.jobs(Status(status) if status else None, path))
        return page.of([schedule(job, model) for job in found if is_planned(job)])

    async def schedule(self, request: Request, id: str) -> JsonValue:  # noqa: A002 - the name of the path's parameter
        """One of them."""
        job = await self._floor.jobs(request.rights, lambda now: now.job(id))
        if not is_planned(job):
            raise Refused(Grounds.NOT_FOUND, f"job {id} has no planned time, so it is on no schedule", {"job": id})
        return schedule(job, self._floor.site(request.rights).equipment)

    async def statistics(self, request: Request) -> JsonValue:
        """What the lines made in a span of time, and how their jobs are."""
        query = Query(request)
        place, site = query.text("line_id", "equipment_code", "equipment"), self._floor.site(request.rights)
        path = site.equipment.path_of(place) if place else ""
        begin, end = span(query, site.calendar_of(path), self._floor.clock())
        window = begin / SECOND, end / SECOND
        found = await self._floor.jobs(request.rights, lambda now: _statistics(now, site.equipment, path, window))
        return {"line_id": place, "begin": rfc3339(window[0]), "end": rfc3339(window[1]), **found}


def is_planned(job: JsonObject) -> bool:
    """Whether somebody said when ``job`` is to be done."""
    return job["plannedStart"] is not None or job["plannedEnd"] is not None


def schedule(job: JsonObject, model: EquipmentModel) -> JsonObject:
    """A planned job order in the words of the dashboard's clients."""
    said = assignment(job, model)
    same = ("id", "line_id", "equipment_code", "status", "priority", "target_quantity", "actual_quantity",
            "scheduled_start", "scheduled_end", "created_at", "notes")  # fmt: skip
    return {**{name: said[name] for name in same}, "job_id": said["id"], "product_type_id": said["product"]}


def _statistics(now: JobsNow, model: EquipmentModel, path: str, window: tuple[float, float]) -> JsonObject:
    rows = [_made(now, model, line, window) for line in _lines(now, model) if is_within(line, path)]
    if path and not rows:
        rows = [_made(now, model, path, window)]
    sums: dict[str, JsonValue] = {}
    for name in _MADE:
        counted = [value for row in rows if isinstance(value := row[name], int)]
        sums[name] = sum(counted) if counted else None
    return {
        **sums,
        "total_jobs": len(now.jobs(None, path)),
        "active_jobs": len(now.jobs(Status.IN_PROGRESS, path)),
        "completed_jobs": len(now.jobs(Status.COMPLETED, path)),
        "lines": list(rows),
        "reasons": {name: "nothing was counted" for name, value in sums.items() if value is None},
    }


def _lines(now: JobsNow, model: EquipmentModel) -> list[str]:
    """The lines of the model, and whatever else was counted at."""
    counted = (model.line_of(path) or model.find(path) for path in now.workshop.production)
    return list(dict.fromkeys(place.path for place in (*model.at_level(Level.LINE), *counted)))


def _made(now: JobsNow, model: EquipmentModel, path: str, window: tuple[float, float]) -> JsonObject:
    made = now.production(path, *window)
    pieces = {name: made[ours] for name, ours in _MADE.items()}
    return {"line_id": model.code_of(path), "path": path, **pieces, "reason": made["reason"]}


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    planning = PlanningResource(floor)
    listed = Operation(
        "listSchedules", "Planned jobs", TAG, list[Schedule], query=(LINE, STATUS, *PAGE), refuses=(422, 503)
    )
    routes.add("GET", "/production/schedules", planning.schedules, listed)
    one = Operation("getSchedule", "One planned job", TAG, Schedule, refuses=(404, 503))
    routes.add("GET", "/production/schedules/{id}", planning.schedule, one)
    figures = Operation(
        "getProductionStatistics", "What the lines made", TAG, ProductionStatistics, query=(PLACE, BEGIN, END),
        refuses=(422, 503),
    )  # fmt: skip
    routes.add("GET", "/production/statistics", planning.statistics, figures)
