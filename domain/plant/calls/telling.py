"""What is told of a call: the event of each step, and the document that a client reads.

Rules of this file: every step is an event with who, where, when by both clocks, and why, so that the journal is the
audit. Its id follows from the call and the number of the step, so that a repeat is a duplicate. Times are RFC 3339 in
UTC.
"""

from __future__ import annotations

from domain.event import Event
from domain.json import JsonValue
from domain.moment import rfc3339
from domain.plant.calls.call import RAISE, Call, Contest, Said, Step
from domain.plant.calls.kinds import KINDS, Colour
from domain.plant.calls.states import Trigger, screen_status, service_status, triggers_of
from domain.plant.calls.timers import Targets, Timer, deadlines, timers
from domain.policy import BUILT_IN

PREFIX = "andon.call."
CONTESTED = f"{PREFIX}contested"

TYPES = {
    RAISE: f"{PREFIX}raised",
    Trigger.NOTIFY: f"{PREFIX}notified",
    Trigger.ACKNOWLEDGE: f"{PREFIX}acknowledged",
    Trigger.ARRIVE: f"{PREFIX}arrived",
    Trigger.RESOLVE: f"{PREFIX}resolved",
    Trigger.CLOSE: f"{PREFIX}closed",
    Trigger.CANCEL: f"{PREFIX}cancelled",
    Trigger.REOPEN: f"{PREFIX}reopened",
    Trigger.REASSIGN: f"{PREFIX}reassigned",
    Trigger.ESCALATE: f"{PREFIX}escalated",
    Trigger.CHANGE: f"{PREFIX}changed",
    Trigger.LINK: f"{PREFIX}linked",
}
"""The type of the event of each step."""


def event_of(call: Call) -> Event:
    """The event of the last step of ``call``."""
    step = call.last
    data = {**summary(call), "step": step.number, "trigger": step.trigger, **_said(step.said), **step.detail}
    return _event(call, f"{call.id}-{step.number}", TYPES[step.trigger], data, step.said)


def contest_event(call: Call) -> Event:
    """The event of the act that came too late, the last of its ``contests``."""
    contest = call.contests[-1]
    data = {**summary(call), "trigger": contest.trigger, "beaten_by": contest.beaten_by, **_said(contest.said)}
    return _event(call, f"{call.id}-contest-{contest.number}", CONTESTED, data, contest.said)


def summary(call: Call) -> dict[str, JsonValue]:
    """What every event of a call says of it."""
    kind = KINDS.get(call.word)
    raised = call.raised
    return {
        "call": call.id,
        "path": call.path,
        "modelled": call.is_modelled,
        "type": call.type,
        "word": call.word,
        "title": call.word if kind is None else kind.title,
        "colour": (Colour.AMBER if kind is None else kind.colour).value,
        "priority": call.priority,
        "text": call.text,
        "stops_line": call.stops_line,
        "state": call.state.value,
        "level": call.level,
        "assigned_to": call.assigned_to,
        "incident": call.incident,
        "links": dict(call.links),
        "raised_by": raised.said.by,
        "raised_at": rfc3339(raised.moment),
        **_who("acknowledged", call.acknowledged),
        **_who("arrived", call.first(Trigger.ARRIVE)),
        **_who("resolved", call.first(Trigger.RESOLVE)),
    }


def document(call: Call, at: float, targets: Targets) -> dict[str, JsonValue]:
    """The call as a client reads it at ``at`` (Unix seconds), with what can be done about it."""
    due = deadlines(call, targets)
    return {
        "id": call.id,
        **summary(call),
        "status": service_status(call.state).value,
        "screen_status": screen_status(call.state).value,
        "step": call.last.number,
        "raised": _done(call.raised),
        "delivered": _done(call.first(Trigger.NOTIFY)),
        "acknowledged": _done(call.acknowledged),
        "arrived": _done(call.first(Trigger.ARRIVE)),
        "resolved": _done(call.first(Trigger.RESOLVE)),
        "closed": _done(call.first(Trigger.CLOSE)),
        "cancelled": _done(call.first(Trigger.CANCEL)),
        "acknowledge_by": _when(due.acknowledge_by),
        "resolve_by": _when(due.resolve_by),
        "timers": {timer.name: _timer(timer) for timer in timers(call, at, targets)},
        "possible": [trigger.value for trigger in triggers_of(call.state)],
        "contests": [_contest(contest) for contest in call.contests],
    }


def history(call: Call) -> list[JsonValue]:
    """Every step of ``call``, in order."""
    return [
        {"step": step.number, "trigger": step.trigger, "state": step.state.value, **_said(step.said), **step.detail}
        for step in call.steps
    ]


def _event(call: Call, id_: str, type_: str, data: dict[str, JsonValue], said: Said) -> Event:
    source = f"/{call.path}"
    priority = BUILT_IN.priority_of(type_, data, source)
    return Event(id_, source, type_, data, said.received, priority, subject=call.id, time=rfc3339(said.at))


def _said(said: Said) -> dict[str, JsonValue]:
    return {
        "by": said.by,
        "at": rfc3339(said.at),
        "received": rfc3339(said.received),
        "station": said.station,
        "comment": said.comment,
    }


def _done(step: Step | None) -> JsonValue:
    return None if step is None else {**_said(step.said), "moment": rfc3339(step.moment)}


def _who(word: str, step: Step | None) -> dict[str, JsonValue]:
    """Who did a step and when; null while nobody has."""
    if step is None:
        return {f"{word}_by": None, f"{word}_at": None}
    return {f"{word}_by": step.said.by, f"{word}_at": rfc3339(step.moment)}


def _contest(contest: Contest) -> JsonValue:
    return {"trigger": contest.trigger, "beaten_by": contest.beaten_by, **_said(contest.said)}


def _timer(timer: Timer) -> JsonValue:
    return {
        "since": _when(timer.since),
        "until": _when(timer.until),
        "seconds": None if timer.seconds is None else round(timer.seconds, 3),
        "target": timer.target,
        "running": timer.is_running,
        "late": timer.is_late,
    }


def _when(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)
