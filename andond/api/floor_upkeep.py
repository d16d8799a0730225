"""``/api/v1/equipment/maintenance`` and ``/diagnostics``: the units of the plant as the dashboard's clients ask.

Rules of this file: what a unit does is the production's to tell, its alarms are the alarms' desk's. No source tells
when a machine is due.
"""

from __future__ import annotations

from andond.api.describe import Operation
from andond.api.floor_dashboard_oee import PLACE
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import PAGE
from andond.api.floor_request import Page, Query
from andond.api.floor_statuses import statuses_of
from andond.api.planning_types import Diagnosis, Upkeep
from domain import JsonObject, JsonValue
from domain.plant.site import is_within
from transport import Request

TAG = "dashboard"
NOT_TOLD = "no source tells it"
_SAME = ("equipment", "equipment_code", "line_id", "status", "since")


class UpkeepResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def maintenance(self, request: Request) -> JsonValue:
        """Which units stand for maintenance."""
        page, found = await self._units(request)
        return page.of([_upkeep(status) for status in found])

    async def diagnostics(self, request: Request) -> JsonValue:
        """What the units do, and their alarms."""
        page, found = await self._units(request)
        alarms = await self._floor.alarms(lambda now: now.listed())

        def diagnosed(status: JsonObject) -> JsonObject:
            path = str(status["equipment"])
            faults: list[JsonValue] = [alarm for alarm in alarms if is_within(str(alarm["equipment"]), path)]
            return {**{name: status[name] for name in _SAME}, "faults": faults, "reason": status["reason"]}

        return page.of([diagnosed(status) for status in found])

    async def _units(self, request: Request) -> tuple[Page, list[JsonObject]]:
        query = Query(request)
        page, place = query.page(), query.text("line_id", "equipment", "equipment_code")
        query.check()
        model = self._floor.site().equipment
        path = model.path_of(place) if place else ""
        return page, await self._floor.production(lambda now: statuses_of(now, model, path))


def _upkeep(status: JsonObject) -> JsonObject:
    reasons: dict[str, JsonValue] = {"maintenance_due": NOT_TOLD}
    if status["reason"] is not None:
        reasons["status"] = status["reason"]
    return {
        **{name: status[name] for name in _SAME},
        "is_in_maintenance": status["status"] == "maintenance",
        "maintenance_due": None,
        "reasons": reasons,
    }


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    upkeep = UpkeepResource(floor)
    filters, refuses = (PLACE, *PAGE), (422, 503)
    about = Operation("listMaintenance", "Units in maintenance", TAG, list[Upkeep], query=filters, refuses=refuses)
    routes.add("GET", "/equipment/maintenance", upkeep.maintenance, about)
    about = Operation("listDiagnostics", "Units and alarms", TAG, list[Diagnosis], query=filters, refuses=refuses)
    routes.add("GET", "/equipment/diagnostics", upkeep.diagnostics, about)
