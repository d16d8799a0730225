"""``/api/v1/equipment``: the places of the plant, by path and by alias.

Rules of this file: a name that the model does not know is a place all the same, and its answer says so. What state a
place is in is the production's to tell.
"""

from __future__ import annotations

from andond.api.describe import Operation, Parameter
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import PAGE
from andond.api.floor_request import Query
from andond.api.floor_types import Page
from andond.api.site_types import Equipment as EquipmentDocument
from domain import JsonObject, JsonValue
from domain.plant.site import Equipment, EquipmentModel, Level
from transport import Request

TAG = "equipment"
LEVEL = Parameter("level", "Places of this level alone", {"type": "string", "enum": [level.value for level in Level]})
WITHIN = Parameter("within", "Below this place, and itself; a path or an alias", {"type": "string"})


def members(place: Equipment, model: EquipmentModel) -> JsonObject:
    """A place as JSON: ``code`` is what other systems call it, ``line`` the path of its line."""
    line = model.line_of(place.path)
    return {**place.members(), "code": place.code, "line": line.path if line else None}


class EquipmentResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def listed(self, request: Request) -> JsonValue:
        """The places of the model."""
        query = Query(request)
        level, within = query.choice("level", [level.value for level in Level]), query.text("within", "line_id")
        page = query.page()
        query.check()
        model = self._floor.site(request.rights, "equipment").equipment
        places = model.within(within) if within else list(model)
        return page.members([members(place, model) for place in places if level in (None, place.level)])

    async def one(self, request: Request, name: str) -> JsonValue:
        """One place, by its path or an alias."""
        model = self._floor.site(request.rights, "equipment").equipment
        return members(model.find(name), model)


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    equipment = EquipmentResource(floor)
    routes.add(
        "GET",
        "/equipment",
        equipment.listed,
        Operation(
            "listEquipment", "Places", TAG, Page[EquipmentDocument], query=(LEVEL, WITHIN, *PAGE), refuses=(422,)
        ),
    )
    routes.add(
        "GET",
        "/equipment/{name...}",
        equipment.one,
        Operation("getEquipment", "One place, by path or alias", TAG, EquipmentDocument),
    )
