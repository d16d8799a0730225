"""``/api/v1/downtimes`` and ``/api/v1/downtime``: stops, their reasons, their pieces and their figures.

Rules of this file: stops come from the time ledger; a person says why, and cuts and joins them at any instant. The
documents have the names of the dashboard's clients as they are; its paths answer the same.
"""

from __future__ import annotations

from andond.api.describe import Operation, Parameter
from andond.api.floor_acts import ActWord, add_acts, with_at
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_oee import place_of
from andond.api.floor_query import BEGIN, END, EQUIPMENT, PAGE, SECOND, span
from andond.api.floor_request import Query
from andond.api.floor_types import ActBody, Page
from andond.api.production_types import Assign, Downtime, DowntimeStatistics, Instant, Reasons
from domain import JsonObject, JsonValue, rfc3339
from domain.plant.ledger import LedgersNow
from transport import Request

TAG = "downtime"
OPEN = Parameter("open", "true: stops that go on alone", {"type": "boolean"})
CATEGORY = Parameter("category", "Stops of this category alone", {"type": "string"})

ACTS = {
    "assign": ActWord("downtime.assign", Assign, with_at),
    "split": ActWord("downtime.split", Instant, with_at),
    "merge": ActWord("downtime.merge", Instant, with_at),
    "undo": ActWord("downtime.undo", ActBody),
}


class DowntimeResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def listed(self, request: Request) -> JsonValue:
        """Stops of a span of time, the newest first."""
        query = Query(request)
        page = query.page()
        return page.members(await self._stops(query))

    async def events(self, request: Request) -> JsonValue:
        """The same as the dashboard's clients read it: a list."""
        query = Query(request)
        page = query.page()
        return page.of(await self._stops(query))

    async def one(self, request: Request, id: str) -> JsonValue:  # noqa: A002 - the name of the path's parameter
        """One stop."""
        return await self._floor.production(request.rights, lambda now: now.downtime(id))

    async def reasons(self, request: Request) -> JsonValue:
        """The reasons there are."""
        return {"reason_codes": await self._floor.production(request.rights, lambda now: now.reasons())}

    async def statistics(self, request: Request) -> JsonValue:
        """Downtime in figures."""
        query = Query(request)
        place = place_of(query, is_needed=False)
        begin, end = span(query, self._floor.site(request.rights).calendar_of(place), self._floor.clock())

        found = await self._floor.production(request.rights, lambda now: now.statistics(place, begin, end))
        return {"begin": rfc3339(begin / SECOND), "end": rfc3339(end / SECOND), **found}

    async def _stops(self, query: Query) -> list[JsonObject]:
        place, is_open, category = place_of(query, is_needed=False), query.flag("open"), query.text("category")
        begin, end = span(query, self._floor.site(query.request.rights).calendar_of(place), self._floor.clock())

        def read(now: LedgersNow) -> list[JsonObject]:
            if not place and not now.seen_units("downtime"):
                return []
            return now.downtimes(place, begin, end, only_open=bool(is_open))

        found = await self._floor.production(query.request.rights, read)
        return [each for each in found if category in (None, each["category"])]


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    downtime = DowntimeResource(floor)
    filters, refuses = (EQUIPMENT, BEGIN, END, OPEN, CATEGORY, *PAGE), (404, 422, 503)
    listed = Operation("listDowntimes", "Stops, the newest first", TAG, Page[Downtime], query=filters, refuses=refuses)
    routes.add("GET", "/downtimes", downtime.listed, listed)
    events = Operation("listDowntimeEvents", "Stops", "dashboard", list[Downtime], query=filters, refuses=refuses)
    routes.add("GET", "/downtime/events", downtime.events, events)
    add_acts(routes, floor, "/downtimes", ACTS, Operation("downtime", "", TAG, Downtime))
    for base, name, tag in (("/downtimes", "Downtime", TAG), ("/downtime/events", "DowntimeEvent", "dashboard")):
        routes.add(
            "GET",
            f"{base}/{{id}}",
            downtime.one,
            Operation(f"get{name}", "One stop", tag, Downtime, refuses=(404, 503)),
        )
    for base, name, tag in (("/downtimes", "Downtime", TAG), ("/downtime", "DashboardDowntime", "dashboard")):
        reasons = Operation(f"list{name}Reasons", "Reasons", tag, Reasons, refuses=(503,))
        routes.add("GET", f"{base}/reasons", downtime.reasons, reasons)
        for word in ("statistics", "summary"):
            about = Operation(
                f"get{name}{word.capitalize()}", "Downtime in figures", tag, DowntimeStatistics,
                query=(EQUIPMENT, BEGIN, END), refuses=refuses,
            )  # fmt: skip
            routes.add("GET", f"{base}/{word}", downtime.statistics, about)
