"""``/api/v1/production-counts``: what was counted, in a span of time or in the shift that runs, and counts by hand.

Rules of this file: counts come from count events alone; the desk of jobs knows them. Nothing counted is null with the
reason, never nought.
"""

from __future__ import annotations

from andond.api.describe import Operation, Parameter
from andond.api.floor_acts import REFUSES, Deed, like
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import BEGIN, END, EQUIPMENT, SECOND, span
from andond.api.floor_request import Query
from andond.api.job_types import Count, Counted, Production
from domain import Fault, JsonValue
from transport import Request

TAG = "counts"
SHIFT = Parameter("shift", "`current`: the shift that runs there", {"type": "string", "enum": ["current"]})


class CountResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def made(self, request: Request) -> JsonValue:
        """What a place made."""
        query = Query(request)
        place, is_shift = query.text("equipment", "line_id"), query.choice("shift", ("current",))
        if place is None:
            query.faults.append(Fault("/query/equipment", "is required: a path or an alias"))
        query.check()
        site = self._floor.site(request.rights)
        path = site.equipment.path_of(place or "")
        if is_shift:
            return await self._floor.jobs(request.rights, lambda now: now.shift_production(path))
        begin, end = span(query, site.calendar_of(path), self._floor.clock())
        return await self._floor.jobs(request.rights, lambda now: now.production(path, begin / SECOND, end / SECOND))


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    counts = CountResource(floor)
    about = Operation(
        "getProductionCounts",
        "What a place made",
        TAG,
        Production,
        query=(EQUIPMENT, BEGIN, END, SHIFT),
        refuses=(404, 422, 503),
    )
    routes.add("GET", "/production-counts", counts.made, about)
    by_hand = Operation("countProduction", "Count pieces", TAG, Counted, Count, 201, refuses=REFUSES, is_act=True)
    routes.add("POST", "/production-counts", Deed(floor, "production.count", look=like(Count)).plain, by_hand)
