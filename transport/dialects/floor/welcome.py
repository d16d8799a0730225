"""The floor's doors: which paths there are, what each follows from the start, and how it greets.

Rules of this file:

* No I/O. A path that is no door is nobody's; a query that cannot be meant is a fault of the client's (400).
* What a query names is what its client asked for. Without one the door's default is followed, until the client asks for
  something by itself.
* Nothing comes unasked at ``/ws`` to who has no token: some clients take the next frame for the answer they wait for.

Source: the floor's contract, sections 3.1 and 3.4, and its decisions 5, 6 and 12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from domain import JsonValue
from transport.dialects.floor.following import everything
from transport.dialects.floor.kinds import ALIASES, KINDS
from transport.dialects.floor.topics import DEFAULT_TYPES, EVENT, TOPICS, Topic, TopicFault, key, topic_of

Query = Mapping[str, Sequence[str]]

USER_LIMIT = 64
ANONYMOUS = "anonymous"

JOB_EVENTS = ("job_assigned", "job_started", "job_completed", "job_cancelled", "job_update")
"""What of jobs is followed by who names no line: a job topic needs a job."""

_TRUE = frozenset({"1", "true", "yes", "all"})


class FloorDoor(msgspec.Struct, frozen=True):
    """A path of the floor: its ``word`` in the figures, how it greets, what it begins with.

    ``rest`` says what the end of the path names; ``greeting`` and ``initial`` are types of frames, empty for none.
    ``is_open`` marks the doors that never took a token: who is there is taken for who it says.
    """

    path: str
    word: str
    greeting: str
    initial: str = ""
    rest: str = ""
    is_open: bool = False


DOORS: Mapping[str, FloorDoor] = MappingProxyType(
    {
        door.path: door
        for door in (
            FloorDoor("/ws", "main", "system_alert"),
            FloorDoor("/ws/production", "production", "connection_established"),
            FloorDoor("/ws/andon", "andon", "andon_connection_established"),
            FloorDoor("/ws/equipment", "equipment", "equipment_connection_established"),
            FloorDoor("/api/v1/ws/production", "production_v1", "connection_established", is_open=True),
            FloorDoor(
                "/api/v1/ws/production/", "line_v1", "line_connection_established", "initial_line_status", "line_id",
                is_open=True,
            ),
            FloorDoor(
                "/api/v1/ws/equipment/", "equipment_v1", "equipment_connection_established",
                "initial_equipment_status", "equipment_code", is_open=True,
            ),
        )
    }
)  # fmt: skip
"""The floor's doors by path; one that ends in a slash goes on with an id."""


class EntryFault(ValueError):
    """A query that asks for what cannot be."""


class Entry(msgspec.Struct, frozen=True):
    """A client at a door: what its path and query say.

    ``topics`` are what it begins with; ``is_default`` says that it did not ask for them.
    """

    door: FloorDoor
    line_id: str | None = None
    equipment_code: str | None = None
    equipment_type: str | None = None
    priority: str | None = None
    user_id: str | None = None
    topics: tuple[Topic, ...] = ()
    is_default: bool = True
    aliases: frozenset[str] = frozenset()
    wants_all_names: bool = False

    def greeting(self, at_text: str, connection_id: str, user_id: str, topics: Sequence[Topic]) -> dict[str, JsonValue]:
        """The ``data`` of the first frame, of a connection that follows ``topics``."""
        data: dict[str, JsonValue] = {"connection_id": connection_id, "user_id": user_id, "server_time": at_text}
        if self.door.word == "main":
            return {"message": "WebSocket connection established", **data, "timestamp": at_text}
        if self.door.word == "andon":
            data |= {"line_id": self.line_id, "priority": self.priority}
        elif self.door.greeting == "equipment_connection_established":
            data |= {"equipment_code": self.equipment_code, "equipment_type": self.equipment_type}
        else:
            data |= {"line_id": self.line_id}
        return {**data, "subscriptions": list(dict.fromkeys(_listed(each) for each in topics))}


def enter(path: str, query: Query) -> Entry | None:
    """The door that ``path`` leads to, as ``query`` asks for it; None if it is none of the floor's.

    Raises:
        EntryFault: if the query asks for what cannot be.
    """
    door, rest = _door(path)
    if door is None:
        return None
    line, code = _one(query, "line_id"), _one(query, "equipment_code")
    entry = Entry(
        door,
        line_id=rest if door.rest == "line_id" else line,
        equipment_code=rest if door.rest == "equipment_code" else code,
        equipment_type=_one(query, "equipment_type"),
        priority=_one(query, "priority"),
        user_id=_one(query, "user_id"),
    )
    try:
        topics = _topics(entry, query)
    except TopicFault as fault:
        raise EntryFault(fault.message) from None
    names, wants_all = _aliases(query)
    return Entry(
        door, entry.line_id, entry.equipment_code, entry.equipment_type, entry.priority, entry.user_id,
        topics or _default(entry), is_default=not topics, aliases=names, wants_all_names=wants_all,
    )  # fmt: skip


def _door(path: str) -> tuple[FloorDoor | None, str]:
    bare = path.removesuffix("/")
    if bare in DOORS:
        return DOORS[bare], ""
    for prefix, door in DOORS.items():
        if prefix.endswith("/") and bare.startswith(prefix) and len(bare) > len(prefix):
            return door, bare[len(prefix) :]
    return None, ""


def _topics(entry: Entry, query: Query) -> tuple[Topic, ...]:
    """What the query, or the end of the path, asks for; nothing if it asks for nothing.

    Raises:
        TopicFault: if there is no such thing.
    """
    named = [word.strip() for text in query.get("subscription_types", ()) for word in text.split(",") if word.strip()]
    if named:
        return tuple(_named(word, entry) for word in named)
    filters = {"equipment_type": entry.equipment_type} if entry.equipment_type else None
    topics: tuple[Topic, ...] = ()
    if entry.door.word == "andon":
        topics = _andon(entry) if entry.line_id or entry.priority else ()
    elif entry.equipment_code:
        topics = (topic_of("equipment", entry.equipment_code, filters),)
    elif entry.line_id:
        types = DEFAULT_TYPES if entry.door.word == "production" else ("line",)
        topics = tuple(topic_of(type_, entry.line_id) for type_ in types)
    elif entry.door.word == "equipment" and filters:
        topics = _equipment(filters)
    return topics


def _named(word: str, entry: Entry) -> Topic:
    if word in TOPICS:
        target = {"equipment": entry.equipment_code, "job": None}.get(word, entry.line_id)
        return topic_of(word, target)
    if word in KINDS or word in ALIASES:
        topic = topic_of(EVENT, word)
        return topic if entry.line_id is None else replace(topic, keys=topic.keys | {key("line", "id", entry.line_id)})
    raise TopicFault("UNKNOWN_SUBSCRIPTION_TYPE", f"subscription_types has {word[:USER_LIMIT]!r}, which is none")


def _andon(entry: Entry) -> tuple[Topic, ...]:
    filters = {"priority": entry.priority} if entry.priority else None
    return (topic_of("andon", entry.line_id, filters), topic_of("escalation", entry.priority))


def _equipment(filters: Mapping[str, str] | None) -> tuple[Topic, ...]:
    names = ("equipment_status_update", "equipment_fault_occurred", "equipment_fault_resolved")
    return tuple(topic_of(EVENT, name, filters) for name in names)


def _default(entry: Entry) -> tuple[Topic, ...]:
    match entry.door.word:
        case "production":
            return tuple(topic_of(type_) for type_ in DEFAULT_TYPES)
        case "andon":
            return _andon(entry)
        case "equipment":
            return _equipment(None)
        case "production_v1":
            return (*everything(), *(topic_of(EVENT, name) for name in JOB_EVENTS))
        case _:
            return everything()


def _aliases(query: Query) -> tuple[frozenset[str], bool]:
    words = {word.strip() for text in query.get("aliases", ()) for word in text.split(",")}
    unknown = words - ALIASES - _TRUE - {""}
    if unknown:
        raise EntryFault(
            f"aliases has {min(unknown)[:USER_LIMIT]!r}: name some of {', '.join(sorted(ALIASES))}, or all"
        )
    return frozenset(words & ALIASES), bool(words & _TRUE)


def _listed(topic: Topic) -> str:
    return str(topic.target) if topic.type == EVENT else topic.type


def _one(query: Query, name: str) -> str | None:
    text = query.get(name, [""])[-1].strip()
    if len(text) > USER_LIMIT * 4 or not text.isprintable():
        raise EntryFault(f"{name} is a text of up to {USER_LIMIT * 4} printable characters")
    return text or None
