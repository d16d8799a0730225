"""``/api/v1/equipment/maintenance`` and ``/diagnostics``: the units of the plant as the dashboard's clients ask.

Rules of this file: what a unit does is the production's to tell, its alarms are the alarms' desk's. No source tells
when a machine is due.
"""

from __future__ import annotations

from andond.api.describe import Operation
from andond.api.floor_alarms import rows_of
from andond.api.floor_dashboard_oee import PLACE
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import PAGE
from andond.api.floor_request import Page, Query
from andond.api.floor_statuses import statuses_of
from andond.api.planning_types import Diagnosis, Upkeep
from domain import JsonObject, JsonValue
from domain.plant.alarms import Alarm
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
        shown = page.cut(found)
        faults: dict[str, list[JsonValue]] = {str(status["equipment"]): [] for status in shown}

        def is_fault(alarm: Alarm) -> bool:
            return alarm.state.is_annunciated and not faults.keys().isdisjoint(_above(alarm.equipment))

        rows, _ = await rows_of(self._floor, request.rights, lambda now: now.chosen(is_fault))
        for row in rows:
            for path in faults.keys() & _above(str(row["equipment"])):
                faults[path].append(row)
        return [
            {
                **{name: status[name] for name in _SAME},
                "faults": faults[str(status["equipment"])],
                "reason": status["reason"],
            }
            for status in shown
        ]

    async def _units(self, request: Request) -> tuple[Page, list[JsonObject]]:
        query = Query(request)
        page, place = query.page(), query.text("line_id", "equipment", "equipment_code")
        query.check()
        model = self._floor.site(request.rights).equipment
        path = model.path_of(place) if place else ""
        return page, await self._floor.production(request.rights, lambda now: statuses_of(now, model, path))


def _above(path: str) -> set[str]:
    """``path`` and every place that it is in."""
    names = path.split("/")
    return {"/".join(names[:count]) for count in range(1, len(names) + 1)}


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
