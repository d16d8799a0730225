"""What a floor client's questions are answered with: snapshots, acts, and words for what cannot be done.

Rules of this file: no I/O. A snapshot has what the desks know now, under the same names as the events; what no desk
tells is null, and ``reasons`` says why. A refusal says who must act.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from domain import Gap, Grounds, JsonObject, JsonValue, Refused
from transport.dialects.floor.fields import found
from transport.dialects.floor.kinds import KINDS
from transport.dialects.floor.places import Places, text_of
from transport.dialects.floor.questions import SECTIONS, Deed, Done, Row, Seen
from transport.dialects.floor.reading import Asked, Fault
from transport.dialects.floor.script import entity_of, rows_of
from transport.dialects.floor.topics import EVENT, Topic

__all__ = [
    "EQUIPMENT_SECTIONS", "LINE_SECTIONS", "READ_ONLY", "TOKEN_LATE", "Deed", "acknowledgement", "acted", "deed",
    "ending", "gap", "initial", "place_of", "requested", "sections_for", "snapshot",
]  # fmt: skip

LINE_SECTIONS = ("line", "equipment", "job", "oee", "andon", "downtime")
EQUIPMENT_SECTIONS = ("equipment", "job", "oee", "fault")

READ_ONLY = Fault(
    "PERMISSION_DENIED",
    "This connection only reads. Somebody who is logged in must do this, at a station that may act, or by the REST API",
    {"read_only": True},
)
TOKEN_LATE = Fault(
    "AUTHENTICATION_UNSUPPORTED",
    "Who is connected is settled at the handshake: send the token in the Authorization header and connect again",
)

_CODES: Mapping[Grounds, str] = MappingProxyType(
    {
        Grounds.INVALID: "VALIDATION_ERROR",
        Grounds.NOT_FOUND: "NOT_FOUND",
        Grounds.CONFLICT: "CONFLICT",
        Grounds.NOT_ALLOWED: "PERMISSION_DENIED",
        Grounds.UNSUPPORTED: "UNSUPPORTED",
        Grounds.UNAVAILABLE: "UNAVAILABLE",
    }
)
_RUNNING = frozenset({"in_progress", "running"})
_ALARM_WORDS = frozenset({"alarm", "fault", "equipment_fault", "equipment_fault_occurred", "plc_fault"})
_NOT_ARGUMENTS = frozenset({"type", "key", "at", "station"})


# -- snapshots --------------------------------------------------------------------------------------------------


def snapshot(seen: object, places: Places, sections: Sequence[str] = ()) -> dict[str, JsonValue]:
    """What was ``seen``, section by section; null with a reason where nobody knows."""
    rows, reasons = _told(seen, places, sections)
    members: dict[str, JsonValue] = dict(rows)
    members |= dict.fromkeys(reasons)
    return {**members, "reasons": reasons} if reasons else members


def requested(word: str, sections: Sequence[str], seen: object, places: Places, at_ms: int) -> dict[str, JsonValue]:
    """The ``data`` of the answer to a request for ``word``; the dashboards' tables of it stand beside the sections."""
    rows, reasons = _told(seen, places, sections)
    data = snapshot(seen, places, sections)
    tables: dict[str, JsonValue] = {}
    for section, found_ in rows.items():
        tables |= {f"{name}_rows": each for name, each in rows_of(SECTIONS[section], found_, at_ms).items()}
    count = sum(len(each) for each in rows.values())
    status = "ok" if not reasons else "partial" if rows else "unavailable"
    return {"status": status, "requested": word, "count": count, **data, **tables}


def initial(kind: str, seen: object, places: Places) -> dict[str, JsonValue]:
    """The ``data`` of the first frame of a line's door (``kind`` is ``line_id``) or of an equipment's."""
    wanted = LINE_SECTIONS if kind == "line_id" else EQUIPMENT_SECTIONS
    rows, reasons = _told(seen, places, wanted)
    values = _line(rows) if kind == "line_id" else _equipment(rows)
    why = {
        name: reasons.get(section) or _why(rows, section, name)
        for name, (section, value) in values.items()
        if value is None
    }
    data: dict[str, JsonValue] = {name: value for name, (_, value) in values.items()}
    return {**data, "reasons": why} if why else data


def sections_for(topic: Topic) -> tuple[str, ...]:
    """The sections of a snapshot that show what ``topic`` follows."""
    if topic.type == "line":
        return LINE_SECTIONS
    if topic.type == "equipment":
        return EQUIPMENT_SECTIONS
    if topic.type == EVENT:
        return tuple(section for section, type_ in SECTIONS.items() if type_ == topic.target)
    return (topic.type,)


def place_of(topic: Topic) -> str | None:
    """The place that ``topic`` names; None if it names none."""
    if topic.type in ("job", "escalation"):
        return None
    values = dict(key.partition(":")[2].partition("=")[::2] for key in topic.keys if not key.startswith(EVENT))
    return values.get("equipment") or values.get("id") or values.get("line") or None


_Values = dict[str, tuple[str, JsonValue]]


def _line(rows: Mapping[str, Sequence[JsonObject]]) -> _Values:
    """Each value of a line's first frame, and the section that it comes from."""
    jobs = rows.get("job")
    active = None if jobs is None else sum(each.get("status") in _RUNNING for each in jobs)
    return {
        "status": ("line", _first(rows, "line", "status")),
        "equipment_count": ("equipment", _count(rows, "equipment")),
        "active_jobs": ("job", active),
        "current_oee": ("oee", _first(rows, "oee", "oee")),
        "active_andon_events": ("andon", _count(rows, "andon")),
        "downtime_events": ("downtime", _count(rows, "downtime")),
    }


def _equipment(rows: Mapping[str, Sequence[JsonObject]]) -> _Values:
    jobs = [each for each in rows.get("job", ()) if each.get("status") in _RUNNING]
    return {
        "status": ("equipment", _first(rows, "equipment", "status")),
        "current_job": ("job", jobs[0].get("id") if jobs else None),
        **{name: ("oee", _first(rows, "oee", name)) for name in ("oee", "availability", "performance", "quality")},
        "active_faults": ("fault", _count(rows, "fault")),
        "last_update": ("equipment", _first(rows, "equipment", "since")),
    }


def _first(rows: Mapping[str, Sequence[JsonObject]], section: str, name: str) -> JsonValue:
    """What the first row of ``section`` has; desks tell the place that was asked for before those below it."""
    found_ = rows.get(section) or ()
    return found_[0].get(name) if found_ else None


def _why(rows: Mapping[str, Sequence[JsonObject]], section: str, name: str) -> str:
    """Why the first row of ``section`` has no such value, as far as it says."""
    row = next(iter(rows.get(section) or ()), {})
    given = found(row, f"reasons.{name.removeprefix('current_')}")
    return given if isinstance(given, str) else "nothing is known of it yet"


def _count(rows: Mapping[str, Sequence[JsonObject]], section: str) -> int | None:
    return len(rows[section]) if section in rows else None


def _told(
    seen: object, places: Places, sections: Sequence[str]
) -> tuple[dict[str, list[dict[str, JsonValue]]], dict[str, str]]:
    """The rows of each section under the clients' names, and why a section is not there."""
    if not isinstance(seen, Seen):
        why = seen.message if isinstance(seen, Refused) else "nobody answers"
        return {}, dict.fromkeys(sections, why)
    rows = {section: [_row(section, row, places) for row in found_] for section, found_ in seen.rows.items()}
    return rows, dict(seen.reasons)


def _row(section: str, row: Row, places: Places) -> dict[str, JsonValue]:
    kind = KINDS[SECTIONS[section]]
    place = places(row.path, is_line=kind.is_line)
    return {**entity_of(kind, row.members, place), "line_id": place.line_id, "equipment_code": place.equipment_code}


# -- acts -------------------------------------------------------------------------------------------------------


def acknowledgement(asked: Asked, by: str, at: float) -> Deed | Fault:
    """What an ``acknowledge`` wants done."""
    about = asked.text("event_id", "eventId", "call", "alarm", "call_id")
    if not about:
        return Fault("VALIDATION_ERROR", "event_id is required: the id of the Andon event")
    arguments: dict[str, JsonValue] = {}
    comment = asked.given("comment", "notes")
    if comment is not None:
        arguments["comment"] = comment
    if asked.text("event_type", "eventType") in _ALARM_WORDS:
        return Deed("alarm.acknowledge", _key(asked, by), by, at, {"alarm": about, **arguments})
    return Deed("andon.acknowledge", _key(asked, by), by, at, {"call": about, **arguments})


def deed(asked: Asked, by: str, at: float) -> Deed | Fault:
    """What an ``act`` wants done."""
    act = asked.given("act")
    if not isinstance(act, Mapping) or not isinstance(act.get("type"), str):
        return Fault("VALIDATION_ERROR", "act is an object with a type, such as andon.acknowledge")
    own = act.get("arguments")
    # An argument may have the name of a member of the act: then they stand in an object of their own.
    arguments = own if isinstance(own, Mapping) else {n: value for n, value in act.items() if n not in _NOT_ARGUMENTS}
    key = text_of(act.get("key")) or _key(asked, by)
    return Deed(str(act["type"]), key, by, at, arguments, text_of(act.get("station")))


def acted(done: Deed, answer: object) -> dict[str, JsonValue] | Fault:
    """The ``data`` of the confirmation, or why it was refused."""
    if isinstance(answer, Refused):
        details: dict[str, JsonValue] = {**answer.details, "act": done.type}
        return Fault(_CODES[answer.grounds], answer.message, details)
    if not isinstance(answer, Done):
        return Fault("UNAVAILABLE", "Nobody answers; do it again with the same key")
    about = found(done.arguments, "call") or found(done.arguments, "alarm")
    return {
        "message": f"{done.type} is done",
        "act": done.type,
        "event_id": about,
        "status": "done",
        "is_kept": answer.is_kept,
        "result": answer.answer,
    }


def _key(asked: Asked, by: str) -> str | None:
    """The client's key for this; else its own id for the message, which is unique among its messages alone."""
    key = text_of(asked.members.get("key"))
    if key is not None:
        return key
    own = text_of(asked.members.get("id"))
    return None if own is None else f"{by}:{own}"[:200]


# -- what is told unasked -----------------------------------------------------------------------------------------


def gap(hole: Gap, score: float) -> dict[str, JsonValue]:
    """The ``data`` of the warning that events were left out."""
    count = "Some" if hole.count is None else str(hole.count)
    return {
        "type": "connection_warning",
        "score": score,
        "message": f"{count} events of {hole.channel} were left out ({hole.reason}): ask for a snapshot",
        "channel": hole.channel,
        "left_out": hole.count,
        "reason": hole.reason,
    }


def ending(code: int, reason: str, delay: float) -> dict[str, JsonValue]:
    """The ``data`` of ``system_shutdown``."""
    return {
        "message": f"The gateway is shutting down ({reason}); come back in {delay:.1f} s",
        "reason": reason,
        "code": code,
        "reconnect_after_ms": round(delay * 1000),
    }
