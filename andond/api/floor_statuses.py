"""What places do now: ``/api/v1/equipment/status``, and the faults of one.

Rules of this file: a place of which nothing was heard has no status, and a reason. The status is one of the six words
of the floor dashboard, or ``unknown`` while the link is lost.
"""

from __future__ import annotations

from functools import partial

from andond.api.alarm_types import Alarm as AlarmDocument
from andond.api.describe import Operation
from andond.api.floor_alarms import rows_of
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_equipment import members
from andond.api.floor_query import PAGE
from andond.api.floor_request import Query
from andond.api.production_types import EquipmentStatus
from andond.api.site_types import Equipment as EquipmentDocument
from domain import JsonObject, JsonValue, Refused
from domain.plant.alarms import Alarm
from domain.plant.ledger import LedgersNow
from domain.plant.site import Equipment, EquipmentModel, is_within
from transport import Request

TAG = "dashboard"


class StatusResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def listed(self, request: Request) -> JsonValue:
        """What the work units do: those of the model, and those that were heard of."""
        query = Query(request)
        page, line = query.page(), query.text("line_id", "equipment")
        query.check()
        model = self._floor.site(request.rights).equipment
        path = model.path_of(line) if line else ""
        return page.of(await self._floor.production(request.rights, lambda now: statuses_of(now, model, path)))

    async def one(self, request: Request, code: str) -> JsonValue:
        """What one place does."""
        model = self._floor.site(request.rights).equipment
        return await self._floor.production(request.rights, lambda now: status_of(now, model, model.find(code)))

    async def faults(self, request: Request, code: str) -> JsonValue:
        """The alarms of a place that are on the operator's list."""
        path = self._floor.site(request.rights).equipment.path_of(code)
        rows, _ = await rows_of(self._floor, request.rights, lambda now: now.chosen(partial(_is_fault, path)))
        return [*rows]

    async def of_line(self, request: Request, line_id: str) -> JsonValue:
        """The places in a line."""
        model = self._floor.site(request.rights).equipment
        path = model.path_of(line_id)
        return [members(place, model) for place in model.within(line_id) if place.path != path]


def _is_fault(path: str, alarm: Alarm) -> bool:
    return alarm.state.is_annunciated and is_within(alarm.equipment, path)


def statuses_of(now: LedgersNow, model: EquipmentModel, path: str) -> list[JsonObject]:
    """What the work units in ``path`` do: those of the model, and those that were heard of."""
    known = [place.path for place in model.work_units()]
    paths = dict.fromkeys([*known, *now.seen_units("equipment")])
    return [status_of(now, model, model.find(each)) for each in paths if is_within(each, path)]


def status_of(now: LedgersNow, model: EquipmentModel, place: Equipment) -> JsonObject:
    """What ``place`` does."""
    line = model.line_of(place.path)
    said: JsonObject = {"line_id": line.code if line else None, "modelled": place.is_modelled}
    try:
        return {**now.status(place.path), **said, "reason": None}
    except Refused:
        return {
            "equipment": place.path,
            "equipment_code": place.code,
            "status": None,
            "since": None,
            "active_downtime": [],
            **said,
            "reason": "nothing was heard of it",
        }


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    statuses = StatusResource(floor)
    listed = Operation(
        "listEquipmentStatus", "What the work units do", TAG, list[EquipmentStatus], query=PAGE, refuses=(422, 503)
    )
    routes.add("GET", "/equipment/status", statuses.listed, listed)
    one = Operation("getEquipmentStatus", "What a place does", TAG, EquipmentStatus, refuses=(503,))
    routes.add("GET", "/equipment/{code}/status", statuses.one, one)
    faults = Operation("listEquipmentFaults", "The alarms of a place", TAG, list[AlarmDocument], refuses=(503,))
    routes.add("GET", "/equipment/{code}/faults", statuses.faults, faults)
    of_line = Operation("listEquipmentOfLine", "The places in a line", TAG, list[EquipmentDocument])
    routes.add("GET", "/equipment/lines/{line_id}", statuses.of_line, of_line)
