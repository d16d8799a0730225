"""``/api/v1/oee`` once more, as the dashboard's clients ask for it: the board, losses, flags, targets, each element.

Rules of this file: the figures are those of ``floor_oee`` in the words of ``floor_dashboard_oee``. There are no targets
in the settings, so there are none here. An alert is a figure that is flagged.
"""

from __future__ import annotations

from collections.abc import Mapping

from andond.api.describe import Operation
from andond.api.floor_dashboard import UNHEARD, Line, line_of, lines_of, oee_words
from andond.api.floor_dashboard_oee import CODE, PLACE, DashboardOeeResource
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_oee import by_shift, place_of, words
from andond.api.floor_query import BEGIN, END, PAGE, SECOND, span
from andond.api.floor_request import Query
from andond.api.planning_types import OeeAlert, OeeAnalytics, OeeDashboard, OeeTarget
from andond.api.production_types import OeeQuestion, OeeResponse
from domain import Grounds, JsonObject, JsonValue, Refused, rfc3339
from domain.plant.ledger import LedgersNow, Window
from domain.plant.site import Equipment
from transport import Request

TAG = "dashboard"
ELEMENTS = ("availability", "performance", "quality")
NO_TARGETS = "the configuration has no targets of OEE"
_TARGETS = ("target_oee", "target_availability", "target_performance", "target_quality")


class OeeSummaryResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def dashboard(self, request: Request) -> JsonValue:
        """The OEE of the lines in their shifts, and of the plant in its day."""
        query = Query(request)
        page, at = query.page(), rfc3339(self._floor.clock())
        query.check()
        model = self._floor.site(request.rights).equipment

        def read(now: LedgersNow) -> tuple[JsonObject | None, list[JsonObject]]:
            rows = [oee_words(line_of(now, place), at) for place in lines_of(now, model)]
            return (words(now.oee("", now.day(""))) if now.seen_units("oee") else None), rows

        overall, rows = await self._floor.production(request.rights, read)
        reasons: JsonObject = {"overall": UNHEARD} if overall is None else {}
        return {"calculation_time": at, "overall": overall, "lines": page.of(rows), "reasons": reasons}

    async def analytics(self, request: Request) -> JsonValue:
        """The figures, the shifts and the losses of a place."""
        query = Query(request)
        name, site = place_of(query), self._floor.site(request.rights)
        window = span(query, site.calendar_of(name), self._floor.clock())
        place = site.equipment.find(name)
        at = rfc3339(self._floor.clock())
        found = await self._floor.production(
            request.rights, lambda now: _analysed(now, line_of(now, place), window, at)
        )
        if not place.is_modelled and found["reasons"]:
            raise Refused(Grounds.NOT_FOUND, f"there is no equipment {name}", {"equipment": name})
        line = site.equipment.line_of(place.path)
        said: JsonObject = {"line_id": line.code if line else None, "equipment_code": place.code}
        return {**said, "begin": rfc3339(window[0] / SECOND), "end": rfc3339(window[1] / SECOND), **found}

    async def alerts(self, request: Request) -> JsonValue:
        """The figures of the shifts that are flagged."""
        query = Query(request)
        page, named = query.page(), place_of(query, is_needed=False)
        query.check()
        model = self._floor.site(request.rights).equipment

        def read(now: LedgersNow) -> list[JsonValue]:
            places = [model.find(named)] if named else lines_of(now, model)
            return [alert for place in places for alert in _flagged(line_of(now, place))]

        return page.of(await self._floor.production(request.rights, read))

    async def targets(self, request: Request) -> JsonValue:
        """What the lines are to reach."""
        query = Query(request)
        page = query.page()
        query.check()
        model = self._floor.site(request.rights).equipment
        return page.of(
            [_target(place) for place in await self._floor.production(request.rights, lambda now: lines_of(now, model))]
        )


def _analysed(now: LedgersNow, line: Line, window: tuple[int, int], at: str) -> JsonObject:
    if line.figures is None:
        reasons: JsonObject = {"oee": UNHEARD, "downtime": UNHEARD}
        return {"figures": oee_words(line, at), "trends": [], "downtime": None, "reasons": reasons}
    path, (begin, end) = line.place.path, window
    losses = {"begin": rfc3339(begin / SECOND), "end": rfc3339(end / SECOND), **now.statistics(path, begin, end)}
    return {
        "figures": words(now.oee(path, Window("range", "", begin, end))),
        "trends": [words(each) for each in by_shift(now, path, begin, end)],
        "downtime": losses,
        "reasons": {},
    }


def _flagged(line: Line) -> list[JsonObject]:
    figures = line.figures or {}
    flags = figures.get("flags")
    return [
        {
            "line_id": figures["line_id"],
            "equipment_code": figures["equipment_code"],
            "calculation_time": figures["until"],
            "alert_type": flag["flag"],
            "details": {name: value for name, value in flag.items() if name != "flag"},
        }
        for flag in (flags if isinstance(flags, list) else [])
        if isinstance(flag, Mapping)
    ]


def _target(place: Equipment) -> JsonObject:
    none = dict.fromkeys(_TARGETS)
    return {"line_id": place.code, "equipment_code": place.code, **none, "reasons": dict.fromkeys(_TARGETS, NO_TARGETS)}


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    oee = OeeSummaryResource(floor)
    lists, one = (422, 503), (404, 422, 503)
    board = Operation("getOeeDashboard", "OEE of lines and plant", TAG, OeeDashboard, query=PAGE, refuses=lists)
    routes.add("GET", "/oee/dashboard", oee.dashboard, board)
    window = (PLACE, CODE, BEGIN, END)
    analysed = Operation("getOeeAnalytics", "OEE and losses", TAG, OeeAnalytics, query=window, refuses=one)
    routes.add("GET", "/oee/analytics", oee.analytics, analysed)
    alerts = Operation(
        "listOeeAlerts", "Flagged figures", TAG, list[OeeAlert], query=(PLACE, CODE, *PAGE), refuses=lists
    )
    routes.add("GET", "/oee/alerts", oee.alerts, alerts)
    targets = Operation("listOeeTargets", "What lines are to reach", TAG, list[OeeTarget], query=PAGE, refuses=lists)
    routes.add("GET", "/oee/targets", oee.targets, targets)
    for element in ELEMENTS:
        _register_element(routes, DashboardOeeResource(floor), element)


def _register_element(routes: FloorRoutes, oee: DashboardOeeResource, element: str) -> None:
    """One element: the whole figures, of which it is one and the others say what it is made of."""
    name, refuses = element.capitalize(), (404, 422, 503)
    window = (PLACE, CODE, BEGIN, END)
    asked = Operation(f"calculate{name}", f"{name} in a window", TAG, OeeResponse, query=window, refuses=refuses)
    routes.add("GET", f"/oee/{element}/calculate", oee.calculate, asked)
    said = Operation(
        f"calculate{name}Said", f"{name} of the body's figures", TAG, OeeResponse, OeeQuestion, refuses=refuses
    )
    routes.add("POST", f"/oee/{element}/calculate", oee.calculate_said, said)
    listed = Operation(
        f"list{name}", f"{name} of the lines", TAG, list[OeeResponse], query=(PLACE, *PAGE), refuses=(422, 503)
    )
    routes.add("GET", f"/oee/{element}/data", oee.current, listed)
    trends = Operation(
        f"list{name}Trends", f"{name} by shift", TAG, list[OeeResponse], query=(*window, *PAGE), refuses=refuses
    )
    routes.add("GET", f"/oee/{element}/trends", oee.trends, trends)
