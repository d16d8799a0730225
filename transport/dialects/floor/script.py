"""An event of ours as the floor's clients hear it: its frames, and whom they are for.

Rules of this file:

* No I/O, and any event may come: nothing here raises, or a stranger's data could end a channel.
* Frames are hybrid. The id stands beside ``data`` and in it; ``data`` has the fields flat and once more under the
  wrapper. Where the two would have one name, the flat field keeps it.
* A frame is written once for everybody; what differs from client to client is its last member, ``connection_id``.
* ``origin`` says which event it was, its source, the source's own time and its quality, so that nothing synthetic or
  uncertain can pass for more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from domain import Event, JsonObject, JsonValue, Priority, Publication, parse_rfc3339, rfc3339
from domain.plant.ledger import StateMap, saying_of, status_said
from transport.codec import encode_json
from transport.dialects.floor.calls import call_members
from transport.dialects.floor.fields import found, told
from transport.dialects.floor.kinds import ANDON_EVENT, EQUIPMENT_STATUS, Kind, Telling, tellings
from transport.dialects.floor.places import REMEMBERED, Place, Places, text_of
from transport.dialects.floor.topics import ALL, EVENT, EVERYBODY, PRIORITIES, key, place_addresses

URGENT = frozenset({"high", "critical"})
"""Priorities and severities of what is delivered to those who follow escalations of that priority too."""

States = Callable[[], StateMap]
"""What the words of machines mean at this site."""

_LINE_MEMBERS = ("line_id", "lineId", "line")
_EQUIPMENT_MEMBERS = ("equipment_code", "equipmentCode", "equipment")
_JOB_MEMBERS = ("job_id", "jobId", "job.id", "job", "id")
_USER_MEMBERS = ("user_id", "userId", "assigned_to", "assignedTo")
_ESCALATION_MEMBERS = ("escalation_id", "escalationId", "escalation", "id", "call")
_PRIORITY_MEMBERS = ("priority", "call_priority", "severity")
_ROW_NAMES = {"line_id": "lineId", "equipment_code": "equipmentId"}


class Told:
    """One event as one kind: ``addresses`` say whom it is for; its bytes are made when somebody is found."""

    __slots__ = ("_bodies", "_data", "_event", "_place", "_publication", "_states", "addresses", "telling")

    def __init__(self, publication: Publication, telling: Telling, place: Place, states: States = StateMap) -> None:
        self.telling = telling
        self._states = states
        self._publication = publication
        self._event = publication.event
        self._place = place
        self._data: dict[str, JsonValue] | None = None
        self._bodies: dict[str, bytes] = {}
        self.addresses = _addresses(telling, place, publication.event)

    @property
    def data(self) -> dict[str, JsonValue]:
        """The frame's ``data``."""
        if self._data is None:
            kind, said = self.telling.kind, self._event.data
            if kind is EQUIPMENT_STATUS:
                said = _with_status(said, self._states)
            self._data = _data(kind, self._event, said, self._place)
        return self._data

    def body(self, name: str) -> bytes:
        """The frame called ``name`` up to its last member, which each connection adds."""
        body = self._bodies.get(name)
        if body is None:
            body = self._bodies[name] = open_frame(self._members(name))
        return body

    def _members(self, name: str) -> dict[str, JsonValue]:
        data, kind = self.data, self.telling.kind
        members: dict[str, JsonValue] = {"type": name}
        for id_ in dict.fromkeys((kind.id, "line_id", "equipment_code")):
            if data.get(id_) is not None:
                members[id_] = data[id_]
        if name != kind.type:
            data = _with_rows(data, kind, _milliseconds(self._event))
        level = min(kind.priority, self._event.priority)
        return {
            **members,
            "data": data,
            "origin": _origin(self._publication),
            "priority": level.seed,
            "timestamp": rfc3339(self._publication.at),
        }


class Script:
    """Knows what each publication is told as; ``places`` knows where things are, ``states`` what machines' words mean.

    Keeps what it was asked last.
    """

    __slots__ = ("_last", "_states", "_told", "places")

    def __init__(self, places: Places, states: States = StateMap) -> None:
        self.places = places
        self._states = states
        self._last: Publication | None = None
        self._told: tuple[Told, ...] = ()

    def of(self, publication: Publication) -> tuple[Told, ...]:
        """What ``publication`` is told as; nothing if there is no word for it."""
        # The same object, not an equal one: comparing events costs as much as writing them.
        if self._last is not publication:
            event = publication.event
            self._told = tuple(
                Told(publication, each, self._place(each.kind, event), self._states)
                for each in tellings(event.type, event.data)
            )
            self._last = publication
        return self._told

    def _place(self, kind: Kind, event: Event) -> Place:
        return self.places(event.source.strip("/"), is_line=kind.is_line)


def open_frame(members: Mapping[str, JsonValue]) -> bytes:
    """``members`` as JSON, open at its end for one more member."""
    return encode_json(members)[:-1]


def tail(connection_id: str) -> bytes:
    """What closes a frame for the connection of this id."""
    return b',"connection_id":' + encode_json(connection_id) + b"}"


def first_text(event: Event, places: tuple[str, ...]) -> str | None:
    """The first id that the data of ``event`` has at one of ``places``."""
    if isinstance(event.data, Mapping):
        for place in places:
            text = text_of(found(event.data, place))
            if text is not None:
                return text
    return None


def _addresses(telling: Telling, place: Place, event: Event) -> frozenset[str]:
    kind, names = telling.kind, place.names
    given = [first_text(event, members) for members in (_LINE_MEMBERS, _EQUIPMENT_MEMBERS)]
    if any(given):
        names = names.union(name for name in given if name)
    found_ = set(_lasting(kind.topics, telling.names, names))
    if kind.is_for_everybody:
        found_.add(EVERYBODY)
    if "job" in kind.topics:
        _add(found_, "job", "id", first_text(event, _JOB_MEMBERS))
        _add(found_, "user", "id", first_text(event, _USER_MEMBERS))
    if "escalation" in kind.topics:
        _add(found_, "escalation", "id", first_text(event, _ESCALATION_MEMBERS))
    if "escalation" in kind.topics or kind.escalates:
        word = (first_text(event, _PRIORITY_MEMBERS) or "").lower()
        if word in (PRIORITIES if "escalation" in kind.topics else URGENT):
            _add(found_, "escalation", "priority", word)
    return frozenset(found_)


@lru_cache(REMEMBERED)
def _lasting(topics: tuple[str, ...], types: tuple[str, ...], names: frozenset[str]) -> frozenset[str]:
    """The addresses that every event of a kind has at one place: readings come by the thousand."""
    return frozenset(place_addresses(topics, names).union(f"{EVENT}:{name}" for name in (*types, ALL, "*")))


def _add(addresses: set[str], type_: str, word: str, value: str | None) -> None:
    if value is not None:
        addresses.add(key(type_, word, value))


def _with_status(data: JsonValue, states: States) -> JsonValue:
    """``data`` of a machine's state with the status that the ledger has of it, so that all of andond say the same."""
    saying = saying_of(data)
    return {**data, "status": status_said(saying, states())} if saying and isinstance(data, Mapping) else data


def _data(kind: Kind, event: Event, said: JsonValue, place: Place) -> dict[str, JsonValue]:
    """The frame's ``data``: where and when, then the fields of what is ``said`` flat, then once more in the wrapper."""
    entity = entity_of(kind, said, place)
    line = place.line_id or first_text(event, _LINE_MEMBERS)
    code = place.equipment_code or first_text(event, _EQUIPMENT_MEMBERS)
    data: dict[str, JsonValue] = {**entity, "line_id": line, "equipment_code": code}
    # What a client acknowledges is the call, not one of the events of its life.
    data.setdefault("event_id", entity.get("id") or event.id)
    data["timestamp"] = event.time or rfc3339(event.recorded)
    if kind.wrapper not in entity:
        bare = {name: value for name, value in entity.items() if name != "reasons"}
        data[kind.wrapper] = {**bare, "line_id": line, "equipment_code": code}
    return data


def entity_of(kind: Kind, data: JsonValue, place: Place) -> dict[str, JsonValue]:
    """The fields of ``kind`` that ``data`` of something at ``place`` has, and whatever else is in it."""
    if kind is ANDON_EVENT and isinstance(data, Mapping):
        data = call_members(data)
    entity = told(data, kind.fields)
    if "equipment_type" in entity and entity["equipment_type"] is None and place.element:
        entity["equipment_type"] = place.element
        _drop_reason(entity, "equipment_type")
    return entity


def _drop_reason(entity: dict[str, JsonValue], name: str) -> None:
    reasons = entity.get("reasons")
    if isinstance(reasons, Mapping):
        entity["reasons"] = {each: why for each, why in reasons.items() if each != name}
        if not entity["reasons"]:
            del entity["reasons"]


def _with_rows(data: dict[str, JsonValue], kind: Kind, at_ms: int) -> dict[str, JsonValue]:
    """``data`` with what those want who listen to other names: camel case ids, and the row in an array of its own."""
    ids = {camel: data.get(name) for name, camel in _ROW_NAMES.items()}
    return {**data, **ids, **rows_of(kind.type, [data], at_ms)}


def rows_of(type_: str, told_as: Sequence[JsonObject], at_ms: int) -> dict[str, JsonValue]:
    """The rows that the data of frames of ``type_`` are in the dashboards' tables, under the table's name."""
    table = _ROWS.get(type_)
    if table is None:
        return {}
    name, columns = table
    rows = [{column: data.get(member) for column, member in columns.items()} for data in told_as]
    return {name: [{**row, "timestamp": at_ms} for row in rows]}


def _milliseconds(event: Event) -> int:
    """When it was by the source's clock, else by ours, in Unix milliseconds."""
    try:
        at = event.recorded if event.time is None else parse_rfc3339(event.time)
    except ValueError:
        at = event.recorded
    return round(at * 1000)


_ROWS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "production_update": (
        "production",
        {"lineId": "line_id", "status": "status", "speed": "speed", "efficiency": "efficiency",
         "quality": "quality"},
    ),
    "equipment_status_update": (
        "equipment",
        {"equipmentId": "equipment_code", "status": "status", "temperature": "temperature", "pressure": "pressure",
         "vibration": "vibration"},
    ),
    "andon_event": (
        "andon",
        {"andonId": "id", "status": "status", "priority": "priority", "message": "description"},
    ),
    "oee_update": (
        "oee",
        {"lineId": "line_id", "availability": "availability", "performance": "performance", "quality": "quality",
         "oee": "oee"},
    ),
}  # fmt: skip


def _origin(publication: Publication) -> dict[str, JsonValue]:
    event = publication.event
    return {
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "time": event.time,
        "recorded": rfc3339(event.recorded),
        "quality": event.quality,
    }


def level_of(priority: Priority) -> int:
    """The number that stands for ``priority`` on the floor's wire: 1 to 4 (section 3.7)."""
    return priority.seed
