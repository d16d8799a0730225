"""``/api/v1/quality``: checks, defects, first pass yield and control charts.

Rules of this file: the desk of jobs judges; what breaks a rule of a chart is an alarm there. A check of the
dashboard's clients is one with a result.
"""

from __future__ import annotations

from andond.api.describe import Operation
from andond.api.floor_acts import REFUSES, ClientWords, Deed, like
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import BEGIN, END, EQUIPMENT, PAGE, SECOND, span
from andond.api.floor_request import Query, Said
from andond.api.floor_types import Page
from andond.api.job_types import Chart, Check, Checked, DefectCode, Inspection, NewDefect, Quality
from andond.api.planning_types import FoundDefect
from domain import JsonObject, JsonValue, rfc3339
from domain.plant.jobs import JobsNow
from domain.plant.quality import Defect
from domain.plant.quality import Inspection as Inspected
from transport import Request

TAG = "quality"

# The words of the dashboard's clients, and ours.
_FIELDS = {"equipment_code": "equipment", "line_id": "equipment", "parameter": "characteristic", "notes": "comment"}
WORDS: ClientWords = {
    "equipment": ("equipment", "equipment_code", "line_id"),
    "characteristic": ("characteristic", "parameter"),
    "comment": ("comment", "notes"),
}
_DROPPED = frozenset({"check_type"})


class QualityResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def statistics(self, request: Request) -> JsonValue:
        """First pass yield and defects of a span of time."""
        query = Query(request)
        path, begin, end = self._window(query)
        return await self._floor.jobs(request.rights, lambda now: now.inspections((begin, end), path))

    async def checks(self, request: Request) -> JsonValue:
        """Inspections of a span of time, the newest first."""
        query = Query(request)
        page = query.page()
        path, begin, end = self._window(query)
        return page.of(await self._floor.jobs(request.rights, lambda now: _inspections(now, path, begin, end)))

    async def defects(self, request: Request) -> JsonValue:
        """The defects that were found in a span of time, the newest first."""
        query = Query(request)
        page = query.page()
        path, begin, end = self._window(query)
        return page.of(await self._floor.jobs(request.rights, lambda now: _defects(now, path, begin, end)))

    async def charts(self, request: Request) -> JsonValue:
        """The control charts."""
        query = Query(request)
        page = query.page()
        query.check()
        return page.members(await self._floor.jobs(request.rights, lambda now: now.charts()))

    async def codes(self, request: Request) -> JsonValue:
        """The known defects."""
        return await self._floor.jobs(
            request.rights,
            lambda now: [{"code": code, "description": words} for code, words in now.quality.codes.items()],
        )

    def _window(self, query: Query) -> tuple[str, float, float]:
        place, site = query.text("equipment", "line_id", "equipment_code"), self._floor.site(query.request.rights)
        path = site.equipment.path_of(place) if place else ""
        begin, end = span(query, site.calendar_of(path), self._floor.clock())
        return path, begin / SECOND, end / SECOND


def check_of(said: Said) -> JsonObject:
    """The arguments of a check in our words or in those of the dashboard's clients."""
    return {_FIELDS.get(name, name): value for name, value in said.arguments.items() if name not in _DROPPED}


def _defects(now: JobsNow, path: str, begin: float, end: float) -> list[JsonValue]:
    found = sorted(now.quality.inspections.within(begin, end, path), key=lambda one: (-one.at, one.id))
    return [_defect(now, one, defect) for one in found for defect in one.defects]


def _defect(now: JobsNow, one: Inspected, defect: Defect) -> JsonObject:
    line = now.site.equipment.line_of(one.equipment)
    return {
        "id": one.id,
        "at": rfc3339(one.at),
        "equipment": one.equipment,
        "equipment_code": now.site.equipment.code_of(one.equipment),
        "line_id": line.code if line else None,
        "product": one.product,
        "job": one.job,
        "code": defect.code,
        "description": now.quality.codes.get(defect.code),
        "count": defect.count,
    }


def _inspections(now: JobsNow, path: str, begin: float, end: float) -> list[JsonValue]:
    found = sorted(now.quality.inspections.within(begin, end, path), key=lambda one: (-one.at, one.id))
    return [_inspection(one, now.site.equipment.code_of(one.equipment)) for one in found]


def _inspection(one: Inspected, code: str) -> JsonObject:
    is_good = None if one.inspected is None else one.passed == one.inspected
    return {
        "id": one.id,
        "at": rfc3339(one.at),
        "equipment": one.equipment,
        "equipment_code": code,
        "product": one.product,
        "job": one.job,
        "inspected": one.inspected,
        "passed": one.passed,
        "result": None if is_good is None else ("pass" if is_good else "fail"),
        "again": one.is_again,
        "defects": [{"code": defect.code, "count": defect.count} for defect in one.defects],
    }


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    quality = QualityResource(floor)
    window = (EQUIPMENT, BEGIN, END)
    statistics = Operation(
        "getQualityStatistics", "First pass yield and defects", TAG, Quality, query=window, refuses=(422, 503)
    )
    routes.add("GET", "/quality/statistics", quality.statistics, statistics)
    checks = Operation("listChecks", "Inspections", TAG, list[Inspection], query=(*window, *PAGE), refuses=(422, 503))
    routes.add("GET", "/quality/checks", quality.checks, checks)
    check = Operation("check", "Tell a check", TAG, Checked, Check, 201, refuses=REFUSES, is_act=True)
    told = Deed(floor, "quality.check", check_of, look=like(Check), words=WORDS)
    routes.add("POST", "/quality/checks", told.plain, check)
    defect = Operation("reportDefect", "Tell a defect", TAG, Checked, NewDefect, 201, refuses=REFUSES, is_act=True)
    found = Deed(floor, "quality.defect", check_of, look=like(NewDefect), words=WORDS)
    routes.add("POST", "/quality/defects", found.plain, defect)
    listed = Operation(
        "listDefects", "Defects that were found", TAG, list[FoundDefect], query=(*window, *PAGE), refuses=(422, 503)
    )
    routes.add("GET", "/quality/defects", quality.defects, listed)
    charts = Operation("listCharts", "Control charts", TAG, Page[Chart], query=PAGE, refuses=(422, 503))
    routes.add("GET", "/quality/charts", quality.charts, charts)
    codes = Operation("listDefectCodes", "Known defects", TAG, list[DefectCode], refuses=(503,))
    routes.add("GET", "/quality/codes", quality.codes, codes)
