"""``/api/v1/oee`` in the words of the dashboard's clients: of a line, of equipment, and by shift as a trend.

Rules of this file: the figures are those of ``floor_oee``; the dashboard's names stand for them, and null for what it
asks for and nobody knows. A trend has a row for each shift in the span of time.
"""

from __future__ import annotations

from andond.api.describe import Operation, Parameter
from andond.api.floor_dashboard import UNHEARD, line_of, lines_of, oee_words
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_oee import WindowOf, by_shift, place_of, window_of, words
from andond.api.floor_query import BEGIN, END, PAGE, span
from andond.api.floor_request import Query, asked_in_body, members_of
from andond.api.production_types import OeeQuestion, OeeResponse
from domain import Grounds, JsonObject, JsonValue, Refused, rfc3339
from domain.access import Rights
from domain.plant.ledger import LedgersNow, brings_figures, calculated
from transport import Request

TAG = "dashboard"
PLACE = Parameter("line_id", "A line by its path or an alias", {"type": "string"})
CODE = Parameter("equipment_code", "Equipment by its path or an alias", {"type": "string"})


class DashboardOeeResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def of_place(self, request: Request, name: str) -> JsonValue:
        """The OEE of a line or of equipment, in its shift or in the window that is asked for."""
        query = Query(request)
        return await self._one(name, window_of(query, self._floor, name), query.request.rights)

    async def current(self, request: Request) -> JsonValue:
        """The OEE of all lines in their shifts."""
        query = Query(request)
        page, named = query.page(), place_of(query, is_needed=False)
        query.check()
        model, at = self._floor.site(request.rights).equipment, rfc3339(self._floor.clock())

        def read(now: LedgersNow) -> list[JsonObject]:
            places = [model.find(named)] if named else lines_of(now, model)
            return [oee_words(line_of(now, place), at) for place in places]

        return page.of(await self._floor.production(request.rights, read))

    async def calculate(self, request: Request) -> JsonValue:
        """The OEE of a place in the window that a query asks for."""
        query = Query(request)
        name = place_of(query)
        return await self._one(name, window_of(query, self._floor, name), query.request.rights)

    async def calculate_said(self, request: Request) -> JsonValue:
        """The same, where a body asks for it; what its own figures amount to, if it brings any along."""
        query, brought = asked_in_body(request), members_of(request)
        if brings_figures(brought):
            return self._calculated(query, brought)
        name = place_of(query)
        return await self._one(name, window_of(query, self._floor, name), query.request.rights)

    def _calculated(self, query: Query, brought: JsonObject) -> JsonValue:
        name = query.text("line_id", "lineId", "equipment_code", "equipmentCode") or ""
        place = self._floor.site(query.request.rights).equipment.find(name)
        at = rfc3339(self._floor.clock())
        said: JsonObject = {"id": f"asked/{at}", "line_id": name or None, "equipment_code": place.code}
        return {**said, "calculation_time": at, **calculated(brought), "coverage": None, "window": None}

    async def trends(self, request: Request) -> JsonValue:
        """The OEE of a place, shift by shift."""
        query = Query(request)
        return await self._trend(query, place_of(query))

    async def trends_of(self, request: Request, name: str) -> JsonValue:
        """The OEE of a line, shift by shift."""
        return await self._trend(Query(request), name)

    async def _one(self, name: str, window: WindowOf, rights: Rights) -> JsonValue:
        place = self._floor.site(rights).equipment.find(name)
        at = rfc3339(self._floor.clock())

        def read(now: LedgersNow) -> JsonObject:
            line = line_of(now, place)
            if line.figures is None:
                return oee_words(line, at)
            return words(now.oee(place.path, window(now)))

        found = await self._floor.production(rights, read)
        if not place.is_modelled and UNHEARD in str(found["reasons"]):
            raise Refused(Grounds.NOT_FOUND, f"there is no equipment {name}", {"equipment": name})
        return found

    async def _trend(self, query: Query, name: str) -> JsonValue:
        page = query.page()
        begin, end = span(query, self._floor.site(query.request.rights).calendar_of(name), self._floor.clock())
        found = await self._floor.production(query.request.rights, lambda now: by_shift(now, name, begin, end))
        return page.of([words(each) for each in found])


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    oee = DashboardOeeResource(floor)
    refuses = (404, 422, 503)
    for word, name in (("lines", "Line"), ("equipment", "Equipment")):
        about = Operation(f"getOeeOf{name}", "OEE", TAG, OeeResponse, query=(BEGIN, END), refuses=refuses)
        routes.add("GET", f"/oee/{word}/{{name}}", oee.of_place, about)
    for word in ("current", "data"):
        about = Operation(
            f"listOee{word.capitalize()}", "OEE of the lines", TAG, list[OeeResponse], query=(PLACE, *PAGE),
            refuses=(422, 503),
        )  # fmt: skip
        routes.add("GET", f"/oee/{word}", oee.current, about)
    window = (PLACE, CODE, BEGIN, END)
    asked = Operation("calculateOee", "OEE in a window", TAG, OeeResponse, query=window, refuses=refuses)
    routes.add("GET", "/oee/calculate", oee.calculate, asked)
    said = Operation(
        "calculateOeeSaid",
        "OEE in a window, or of the figures in the body",
        TAG,
        OeeResponse,
        OeeQuestion,
        refuses=refuses,
    )
    routes.add("POST", "/oee/calculate", oee.calculate_said, said)
    _register_trends(routes, oee)


def _register_trends(routes: FloorRoutes, oee: DashboardOeeResource) -> None:
    window, refuses = (PLACE, CODE, BEGIN, END), (404, 422, 503)
    for word in ("historical", "trends"):
        about = Operation(
            f"listOee{word.capitalize()}",
            "OEE by shift",
            TAG,
            list[OeeResponse],
            query=(*window, *PAGE),
            refuses=refuses,
        )
        routes.add("GET", f"/oee/{word}", oee.trends, about)
    for word in ("trends", "history"):
        about = Operation(
            f"listLineOee{word.capitalize()}", "OEE of a line by shift", TAG, list[OeeResponse],
            query=(BEGIN, END, *PAGE), refuses=refuses,
        )  # fmt: skip
        routes.add("GET", f"/oee/lines/{{name}}/{word}", oee.trends_of, about)
