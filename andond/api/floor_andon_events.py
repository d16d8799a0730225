"""``/api/v1/andon/events``: calls in the words of the dashboard's clients.

Rules of this file: an Andon event is a call; its states, fields and filters have the dashboard's names. What its
clients call a type is a type here, or is refused with those there are.
"""

from __future__ import annotations

from collections.abc import Mapping

from andond.api.call_types import AndonEvent, AndonNotes, NewAndonEvent
from andond.api.describe import Operation, Parameter
from andond.api.floor_acts import REFUSES, ClientWords, Deed, Reading, nothing_wrong
from andond.api.floor_calls import PRIORITY, selection, wish_of
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import PAGE
from andond.api.floor_request import ACTORS, Query, Said
from domain import JsonObject, JsonValue
from domain.access import Rights
from domain.plant.calls import Call, Selection, dashboard_members
from domain.plant.site import EquipmentModel
from transport import Request

TAG = "dashboard"
BASE = "/andon/events"
STATUS = Parameter("status", "In the dashboard's words, or ours", {"type": "string"})
LINE = Parameter("line_id", "A line by its path or an alias", {"type": "string"})
TYPE = Parameter("event_type", "Events of this type alone", {"type": "string"})

WORDS: ClientWords = {
    "type": ("event_type",),
    "equipment": ("equipment_code", "line_id"),
    "text": ("description",),
    "comment": ("notes", "resolution_notes", "escalation_reason", "comment"),
}
_NOTES = ("notes", "resolution_notes", "escalation_reason", "comment")


class AndonEventResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def listed(self, request: Request) -> JsonValue:
        """Andon events, the newest first."""
        query = Query(request)
        page, chosen = query.page(), selection(query, self._path(query), self._floor.site(request.rights).calendar)
        query.check()
        return page.of(await self._events(chosen, request.rights))

    async def active(self, request: Request) -> JsonValue:
        """Andon events that are open, the most urgent first."""
        query = Query(request)
        page = query.page()
        query.check()
        model = self._floor.site(request.rights).equipment
        found = await self._floor.calls(
            request.rights, lambda now: [now.calls.find(str(call["id"])) for call in now.board()]
        )
        return page.of([event(call, model) for call in found])

    async def one(self, request: Request, id: str) -> JsonValue:  # noqa: A002 - the name of the path's parameter
        """One Andon event."""
        return await told(self._floor, id, request.rights)

    def act(self, type_: str, read: Reading) -> Deed:
        """An act that is told and answered in the words of the dashboard's clients."""
        look = wish_of(self._floor) if type_ == "andon.raise" else nothing_wrong
        return _EventAct(self._floor, type_, read, "call", look=look, words=WORDS)

    async def _events(self, chosen: Selection, rights: Rights) -> list[JsonValue]:
        model = self._floor.site(rights).equipment
        return await self._floor.calls(rights, lambda now: [event(call, model) for call in now.selected(chosen)])

    def _path(self, query: Query) -> str | None:
        place = query.text("line_id", "equipment_code")
        return self._floor.site(query.request.rights).equipment.path_of(place) if place else None


class _EventAct(Deed):
    """An act on an Andon event."""

    async def answer(self, answered: JsonValue, rights: Rights) -> JsonValue:
        """The Andon event as it is then."""
        return await told(self.floor, str(answered["id"]) if isinstance(answered, Mapping) else "", rights)


async def told(floor: Floor, id_: str, rights: Rights) -> JsonValue:
    """The Andon event ``id_``, as somebody with ``rights`` is told of it.

    Raises:
        Refused: if there is none.
    """
    model = floor.site(rights).equipment
    return await floor.calls(rights, lambda now: event(now.calls.find(id_), model))


def event(call: Call, model: EquipmentModel) -> JsonObject:
    """A call in the words of the dashboard's clients."""
    line = model.line_of(call.path)
    return dashboard_members(call, line.code if line else None, model.code_of(call.path))


def raised(said: Said) -> JsonObject:
    """The arguments of a call that is told in the words of the dashboard's clients."""
    given = dict(said.arguments)
    place = given.pop("equipment_code", None) or given.pop("line_id", None)
    given.pop("line_id", None)
    named = {"equipment": place, "type": given.pop("event_type", None), "text": given.pop("description", None)}
    return {**_without_actors(given), **{name: value for name, value in named.items() if value is not None}}


def noted(said: Said) -> JsonObject:
    """The arguments of an act: its notes, whatever they are called."""
    notes = next((said.arguments[name] for name in _NOTES if said.arguments.get(name)), None)
    return {} if notes is None else {"comment": notes}


def _without_actors(given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: value for name, value in given.items() if name not in ACTORS}


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    events = AndonEventResource(floor)
    filters = (STATUS, PRIORITY, LINE, TYPE, *PAGE)
    listed = Operation("listAndonEvents", "Andon events", TAG, list[AndonEvent], query=filters, refuses=(422, 503))
    routes.add("GET", BASE, events.listed, listed)
    active = Operation(
        "listActiveAndonEvents", "Open Andon events", TAG, list[AndonEvent], query=PAGE, refuses=(422, 503)
    )
    routes.add("GET", f"{BASE}/active", events.active, active)
    created = Operation(
        "createAndonEvent", "Raise a call", TAG, AndonEvent, NewAndonEvent, 201, refuses=REFUSES, is_act=True
    )
    routes.add("POST", BASE, events.act("andon.raise", raised).plain, created)
    one = Operation("getAndonEvent", "One Andon event", TAG, AndonEvent, refuses=(404, 503))
    routes.add("GET", f"{BASE}/{{id}}", events.one, one)
    for word in ("acknowledge", "resolve", "escalate"):
        about = Operation(
            f"{word}AndonEvent", word.capitalize(), TAG, AndonEvent, AndonNotes, refuses=REFUSES, is_act=True
        )
        routes.add("POST", f"{BASE}/{{id}}/{word}", events.act(f"andon.{word}", noted).on, about)
