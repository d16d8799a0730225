"""What is said of an alarm on the wire: its document, and the event of a transition.

Rules of this file: the names are those of OPC 10000-9 in snake_case where it has one. A moment is RFC 3339; what is not
known is null. The event of a transition has the document as it is afterwards, the state before, who did it and why, so
that the journal alone is the audit.
"""

from __future__ import annotations

from domain.event import Event
from domain.json import JsonValue
from domain.moment import rfc3339
from domain.plant.alarms.alarm import Alarm, Change, Shelving
from domain.plant.alarms.classes import Terms
from domain.plant.alarms.rates import SECOND, Flood, FloodChange
from domain.plant.alarms.states import State, Trigger
from domain.policy import BUILT_IN

Document = dict[str, JsonValue]

_BY_TRIGGER = {
    Trigger.ACKNOWLEDGE: "acknowledged",
    Trigger.SILENCE: "silenced",
    Trigger.RESET: "reset",
    Trigger.SHELVE: "shelved",
    Trigger.UNSHELVE: "unshelved",
    Trigger.EXPIRE: "unshelved",
    Trigger.SUPPRESS: "suppressed",
    Trigger.UNSUPPRESS: "unsuppressed",
    Trigger.REMOVE: "removed",
    Trigger.RESTORE: "restored",
}
_BY_STATE = {
    State.NORMAL: "normal",
    State.UNACKNOWLEDGED: "unacknowledged",
    State.ACKNOWLEDGED: "acknowledged",
    State.RETURNED: "returned",
    State.LATCHED_UNACKNOWLEDGED: "latched",
    State.LATCHED_ACKNOWLEDGED: "latched",
}
TRANSITION = "alarm.state"


def transition_type(change: Change) -> str:
    """The type of the event that tells of ``change``."""
    word = _BY_TRIGGER.get(change.trigger)
    if word is None:
        left = change.before.state is State.SHELVED and change.alarm.state is not State.SHELVED
        word = "unshelved" if left else _BY_STATE[change.alarm.state]
    return f"{TRANSITION}.{word}"


def moment(at: float | None) -> str | None:
    """``at`` as RFC 3339, None if there is none."""
    return None if at is None else rfc3339(at)


def document(alarm: Alarm, terms: Terms, position: str) -> Document:
    """What is known of ``alarm``."""
    rationale, state = terms.rationale, alarm.state
    return {
        "id": alarm.id,
        "equipment": alarm.equipment,
        "key": alarm.key,
        "code": alarm.code or None,
        "text": (rationale.entry.text if rationale.entry else "") or alarm.text,
        "level": alarm.level or None,
        "state": state.value,
        "letter": state.letter,
        "since": rfc3339(alarm.since),
        "position": position,
        "class": terms.of_class.name,
        "priority": rationale.priority.value,
        "severity": rationale.priority.severity,
        "rationalised": rationale.is_rationalised,
        "retain": state.is_annunciated or alarm.active,
        "quality": alarm.quality,
        "active_state": alarm.active,
        "acked_state": state.is_acknowledged,
        "latched_state": alarm.latched,
        "silence_state": alarm.silenced,
        "audible_enabled": is_audible(alarm, terms),
        "suppressed_state": bool(alarm.suppressed_by),
        "suppressed_by": list(alarm.suppressed_by),
        "out_of_service_state": state is State.OUT_OF_SERVICE,
        "shelving_state": _shelving_state(alarm.shelving),
        "suppressed_or_shelved": state in (State.SHELVED, State.SUPPRESSED, State.OUT_OF_SERVICE),
        "max_time_shelved": terms.of_class.max_time_shelved,
        "shelving": _shelving(alarm.shelving),
        "removal": _removal(alarm),
        "comment": alarm.comment,
        **_course(alarm),
    }


def _course(alarm: Alarm) -> Document:
    """How often, when, by whom."""
    return {
        "occurrences": alarm.occurrences,
        "re_alarm_repeat_count": alarm.re_alarms,
        "occurred_at": moment(alarm.occurred_at),
        "returned_at": moment(alarm.returned_at),
        "unacknowledged_since": moment(alarm.unacknowledged_since),
        "acknowledged_at": moment(alarm.acknowledged_at),
        "acknowledged_by": alarm.acknowledged_by,
        "source_time": alarm.time,
        "reason": alarm.reason or None,
    }


def is_audible(alarm: Alarm, terms: Terms) -> bool:
    """Whether the alarm sounds now: unacknowledged and active, and nobody has silenced it."""
    return alarm.state is State.UNACKNOWLEDGED and not alarm.silenced and terms.of_class.is_audible


def transition_event(change: Change, described: Document, rationale: JsonValue, told: Document) -> Event:
    """The event that tells of ``change``; ``told`` is by whom, from where, why, and from which event."""
    type_ = transition_type(change)
    alarm = change.alarm
    data: Document = {
        **described,
        "previous": change.before.state.value,
        "trigger": change.trigger.value,
        **told,
    }
    if alarm.state is State.UNACKNOWLEDGED:
        data["rationale"] = rationale
    source = f"/{alarm.equipment}"
    time = told.get("time")
    return Event(
        id=f"{alarm.id}-{alarm.born:x}-{alarm.number}",
        source=source,
        type=type_,
        data=data,
        recorded=change.at,
        priority=BUILT_IN.priority_of(type_, data, source),
        subject=alarm.name.rstrip("|"),
        time=time if isinstance(time, str) else rfc3339(change.at),
        quality=alarm.quality if change.trigger in (Trigger.OCCUR, Trigger.RETURN, Trigger.REALARM) else "good",
    )


def flood_event(position: str, change: FloodChange, recorded: float) -> Event:
    """The event that tells that a flood at ``position`` began or ended."""
    flood = change.flood
    type_ = f"alarm.flood.{change.word.value}"
    data: Document = {"position": position, "method": "trailing window", **flood_document(flood)}
    source = f"/{position.strip('/')}"
    return Event(
        id=f"{position}-flood-{flood.began}-{change.word.value}",
        source=source,
        type=type_,
        data=data,
        recorded=recorded,
        priority=BUILT_IN.priority_of(type_, data, source),
        subject=position,
        time=rfc3339(change.at / SECOND),
    )


def flood_document(flood: Flood) -> Document:
    """What is known of a flood: durations in seconds, the alarm that came first by its id."""
    return {
        "began": rfc3339(flood.began / SECOND),
        "ended": None if flood.ended is None else rfc3339(flood.ended / SECOND),
        "duration": None if flood.ended is None else round((flood.ended - flood.began) / SECOND, 6),
        "alarms": flood.count,
        "peak": flood.peak,
        "first_out": flood.first,
        "first_out_at": rfc3339(flood.first_at / SECOND),
    }


def _shelving_state(shelving: Shelving | None) -> str:
    if shelving is None:
        return "Unshelved"
    return "OneShotShelved" if shelving.is_one_shot else "TimedShelved"


def _shelving(shelving: Shelving | None) -> Document | None:
    if shelving is None:
        return None
    return {
        "by": shelving.by,
        "at": rfc3339(shelving.at),
        "until": rfc3339(shelving.until),
        "one_shot": shelving.is_one_shot,
        "reason": shelving.reason,
        "authorised_by": shelving.authorised_by,
    }


def _removal(alarm: Alarm) -> Document | None:
    removal = alarm.removal
    if removal is None:
        return None
    return {"by": removal.by, "at": rfc3339(removal.at), "permit": removal.permit, "reason": removal.reason}
