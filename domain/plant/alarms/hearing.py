"""What a source says of a condition, and what the time does: from signals and moments to steps of an alarm.

Rules of this file: a condition must hold for the on delay before the alarm is active, and be gone for the off delay
before it is not. What comes back before that was never gone. What is said twice changes nothing; a higher level of an
active alarm calls the operator once more. Levels are compared by their rank alone, never by the words of a text.

Source of the rules: ANSI/ISA-18.2-2016 and OPC 10000-9, 5.8.2 (OnDelay, OffDelay, ReAlarmTime).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from domain.event import Event
from domain.json import JsonValue
from domain.plant.alarms.alarm import Alarm, Change, Signal, step
from domain.plant.alarms.classes import Terms
from domain.plant.alarms.states import Trigger

TEXT_SIZE = 1024
LEVELS = {"WARNING": 1, "FAULT": 2}
RAISED, CHANGED, CLEARED = "alarm.raised", "alarm.changed", "alarm.cleared"
SIGNALS = frozenset({RAISED, CHANGED, CLEARED})


def signal_of(event: Event, at: float) -> Signal | None:
    """What ``event`` says of a condition, received ``at``; None if it says nothing of one."""
    if event.type not in SIGNALS:
        return None
    data = event.data if isinstance(event.data, Mapping) else {}
    subject = event.subject or ""
    key, code = _text(data, "key"), _text(data, "code")
    if not key:
        # A publisher that knows no data items names its alarm by the subject of the event.
        key = subject or event.type
    return Signal(
        equipment=event.source.strip("/") or "unknown",
        key=key,
        code=code,
        is_true=event.type != CLEARED,
        at=at,
        level=_text(data, "level").upper(),
        text=_text(data, "text"),
        time=event.time,
        quality=event.quality,
        reason=_text(data, "reason"),
        cause=event.id,
        recorded=event.recorded,
        since=_text(data, "since"),
    )


def _text(data: Mapping[str, JsonValue], name: str) -> str:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)[:TEXT_SIZE]


def hear(alarm: Alarm, signal: Signal, terms: Terms) -> tuple[Alarm, Change | None]:
    """What ``alarm`` is after ``signal``, and the step that it took, if any.

    What was said before something that was heard already came too late: urgent signals overtake others on their way.
    """
    heard = signal.recorded or signal.at
    if heard < alarm.heard or (heard == alarm.heard and _is_of_another(alarm, signal)):
        return alarm, None
    alarm = replace(alarm, heard=heard)
    if signal.is_true:
        return _is_true(alarm, signal, terms)
    return _is_false(alarm, signal, terms)


def _is_of_another(alarm: Alarm, signal: Signal) -> bool:
    """Whether ``signal`` clears an occurrence that is not the one heard of last."""
    return not signal.is_true and bool(signal.since and alarm.said_since) and signal.since != alarm.said_since


def _is_true(alarm: Alarm, signal: Signal, terms: Terms) -> tuple[Alarm, Change | None]:
    was_true, before = alarm.condition, alarm.level
    heard = replace(
        alarm,
        condition=True,
        level=signal.level,
        text=signal.text or alarm.text,
        time=signal.time,
        said_since=signal.since,
        quality=signal.quality,
        reason=signal.reason,
    )
    if was_true:
        is_more = LEVELS.get(signal.level, 0) > LEVELS.get(before, 0)
        return _stepped(heard, Trigger.REALARM, terms, signal.at) if heard.active and is_more else (heard, None)
    if heard.active:
        return replace(heard, delay_until=None), None
    delay = terms.of_class.on_delay
    if delay > 0:
        return replace(heard, delay_until=signal.at + delay), None
    return _stepped(heard, Trigger.OCCUR, terms, signal.at)


def _is_false(alarm: Alarm, signal: Signal, terms: Terms) -> tuple[Alarm, Change | None]:
    if not alarm.condition:
        return alarm, None
    heard = replace(alarm, condition=False, time=signal.time, quality=signal.quality, reason=signal.reason)
    if not heard.active:
        return replace(heard, delay_until=None), None
    delay = terms.of_class.off_delay
    if delay > 0:
        return replace(heard, delay_until=signal.at + delay), None
    return _stepped(heard, Trigger.RETURN, terms, signal.at)


def expire(alarm: Alarm, terms: Terms, at: float) -> tuple[Alarm, Change | None]:
    """What became due of ``alarm`` by ``at``: one step at a time, None when nothing is due."""
    deadline = alarm.deadline
    if deadline is None or deadline[0] > at:
        return alarm, None
    return _stepped(alarm, deadline[1], terms, at)


def shifted(alarm: Alarm, delta: float) -> Alarm:
    """``alarm`` after our clock was set by ``delta`` seconds: what is still to come stays as far away as it was."""
    shelving = alarm.shelving
    return replace(
        alarm,
        delay_until=_moved(alarm.delay_until, delta),
        re_alarm_at=_moved(alarm.re_alarm_at, delta),
        shelving=None if shelving is None else replace(shelving, until=shelving.until + delta),
        occurred_at=_moved(alarm.occurred_at, delta),
        unacknowledged_since=_moved(alarm.unacknowledged_since, delta),
        recent=tuple(each + delta for each in alarm.recent),
        # What is on its way was recorded before: after a step forwards it must not seem older than it is.
        heard=min(alarm.heard, alarm.heard + delta),
    )


def _moved(at: float | None, delta: float) -> float | None:
    return None if at is None else at + delta


def _stepped(alarm: Alarm, trigger: Trigger, terms: Terms, at: float) -> tuple[Alarm, Change]:
    change = step(alarm, trigger, terms, at)
    return change.alarm, change
