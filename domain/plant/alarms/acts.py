"""What a person does with an alarm: acknowledge, silence, shelve, suppress, remove, reset, and back.

Rules of this file: they are different things and none does another's work (silence stops the sound alone, acknowledge
says that it was seen, shelve takes it off the list for a time). An act names its alarm by ``id``, or by
``equipment``, ``key`` and ``code``, so that an alarm can be shelved that has never been active. What takes an alarm
out of sight needs a reason; a shelving ends by itself, at the latest after what the class allows; more than the class
allows without asking needs a second person.

Source of the rules: ANSI/ISA-18.2-2016, clause 11 (shelving, suppression by design, out of service).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from domain.arguments import Arguments
from domain.decision import Decision, Grounds, Refused
from domain.json import JsonObject, JsonValue
from domain.moment import rfc3339
from domain.plant.alarms.alarm import BY_HAND, Alarm, Change, Removal, Shelving
from domain.plant.alarms.alarms import Alarms
from domain.plant.alarms.documents import Document
from domain.plant.alarms.states import Impossible, State, Trigger

PERSON_LIMIT = 200


class Wish(msgspec.Struct, frozen=True):
    """What a person wants: ``by`` whom, received ``at``, said ``said_at`` on the clock of the device at ``station``."""

    by: str
    at: float
    arguments: JsonObject
    said_at: float | None = None
    station: str | None = None


Answer = JsonValue | Refused
_Method = Callable[[Alarms, Alarm, Wish, Arguments], Decision[Answer]]


def act(alarms: Alarms, type_: str, wish: Wish) -> Decision[Answer]:
    """Do ``type_`` (``alarm.acknowledge``): the answer is the document of the alarm.

    Raises:
        Refused: if it cannot be done.
    """
    method = ACTS.get(type_)
    if method is None:
        raise Refused(Grounds.UNSUPPORTED, f"there is no act {type_}", {"type": type_})
    arguments = Arguments(wish.arguments)
    alarm = _found(alarms, arguments, wish.at)
    try:
        return method(alarms, alarm, wish, arguments)
    except Impossible as impossible:
        raise _conflict(alarm, str(impossible)) from None


def no_alarm(id_: str) -> Refused:
    """What is said where there is no alarm ``id_``, or none that concerns who asks."""
    return Refused(Grounds.NOT_FOUND, f"there is no alarm {id_}", {"alarm": id_})


def _found(alarms: Alarms, arguments: Arguments, at: float) -> Alarm:
    id_ = arguments.optional_text("alarm") or arguments.optional_text("id")
    if id_ is not None:
        arguments.check()
        alarm = alarms.get(id_)
        if alarm is None:
            raise no_alarm(id_)
        return alarm
    equipment, key = arguments.text("equipment").strip("/"), arguments.text("key")
    code = arguments.optional_text("code") or ""
    arguments.check()
    alarm = alarms.find(equipment, key, code, at)
    if alarm is None:
        raise Refused(Grounds.UNAVAILABLE, "there is no room for one more alarm", {"equipment": equipment, "key": key})
    return alarm


def _conflict(alarm: Alarm, message: str, **details: JsonValue) -> Refused:
    said: dict[str, JsonValue] = {
        "alarm": alarm.id,
        "state": alarm.state.value,
        "letter": alarm.state.letter,
        "acknowledged_by": alarm.acknowledged_by,
        **details,
    }
    return Refused(Grounds.CONFLICT, message, said)


def _told(wish: Wish, arguments: Arguments, *, reason: str | None = None) -> Document:
    comment = arguments.optional_text("comment") or reason
    arguments.check()
    return {
        "cause": None,
        "time": rfc3339(wish.at if wish.said_at is None else wish.said_at),
        "client_user_id": wish.by,
        "by": wish.by,
        "station": wish.station,
        "comment": comment,
    }


def _step(alarms: Alarms, alarm: Alarm, trigger: Trigger, wish: Wish, told: Document) -> Decision[Answer]:
    return _moved(alarms, alarm, alarm, trigger, wish, told)


def _plain(trigger: Trigger) -> _Method:
    def method(alarms: Alarms, alarm: Alarm, wish: Wish, arguments: Arguments) -> Decision[Answer]:
        return _step(alarms, alarm, trigger, wish, _told(wish, arguments))

    return method


def _reset(alarms: Alarms, alarm: Alarm, wish: Wish, arguments: Arguments) -> Decision[Answer]:
    told = _told(wish, arguments)
    if alarm.active:
        raise _conflict(alarm, "the condition is still there: there is nothing to reset")
    if alarm.state is State.LATCHED_UNACKNOWLEDGED:
        raise _conflict(alarm, "acknowledge it first, then reset it")
    return _step(alarms, alarm, Trigger.RESET, wish, told)


def _silence(alarms: Alarms, alarm: Alarm, wish: Wish, arguments: Arguments) -> Decision[Answer]:
    told = _told(wish, arguments)
    if alarm.state is not State.UNACKNOWLEDGED or alarm.silenced:
        raise _conflict(alarm, "there is nothing to silence: the alarm makes no sound")
    return _step(alarms, alarm, Trigger.SILENCE, wish, told)


def _shelve(alarms: Alarms, alarm: Alarm, wish: Wish, arguments: Arguments) -> Decision[Answer]:
    reason = arguments.text("reason")
    is_one_shot = bool(arguments.flag("one_shot"))
    duration = arguments.number("duration")
    second = arguments.optional_text("authorised_by", PERSON_LIMIT)
    most = alarms.terms(alarm).of_class.max_time_shelved
    if "duration" not in arguments and not is_one_shot:
        arguments.fault("duration", "is required: seconds, or one_shot")
    elif duration is not None and duration <= 0:
        arguments.fault("duration", "must be more than 0 seconds")
    told = _told(wish, arguments, reason=reason)
    wanted = most if duration is None else duration
    _check_duration(alarms, alarm, wanted, wish.by, second)
    shelving = Shelving(wish.by, wish.at, wish.at + wanted, is_one_shot, reason, second)
    if alarm.state is State.SHELVED:
        raise _conflict(alarm, "it is shelved already: unshelve it first")
    return _moved(alarms, alarm, replace(alarm, shelving=shelving), Trigger.SHELVE, wish, told)


def _check_duration(alarms: Alarms, alarm: Alarm, wanted: float, by: str, second: str | None) -> None:
    of_class = alarms.terms(alarm).of_class
    limits: dict[str, JsonValue] = {
        "class": of_class.name,
        "max_time_shelved": of_class.max_time_shelved,
        "reauthorise_above": of_class.reauthorise_above or None,
    }
    if wanted > of_class.max_time_shelved:
        text = f"alarms of class {of_class.name} are shelved for at most {of_class.max_time_shelved:g} seconds"
        raise Refused(Grounds.NOT_ALLOWED, text, limits)
    if of_class.reauthorise_above and wanted > of_class.reauthorise_above and second in (None, by):
        text = f"more than {of_class.reauthorise_above:g} seconds needs authorised_by, and that is somebody else"
        raise Refused(Grounds.NOT_ALLOWED, text, limits)


def _remove(alarms: Alarms, alarm: Alarm, wish: Wish, arguments: Arguments) -> Decision[Answer]:
    permit, reason = arguments.text("permit"), arguments.text("reason")
    told = _told(wish, arguments, reason=reason)
    removal = Removal(wish.by, wish.at, permit, reason)
    return _moved(alarms, alarm, replace(alarm, removal=removal), Trigger.REMOVE, wish, told | {"permit": permit})


def _moved(
    alarms: Alarms, alarm: Alarm, prepared: Alarm, trigger: Trigger, wish: Wish, told: Document
) -> Decision[Answer]:
    comment = told.get("comment")
    prepared = replace(prepared, comment=comment if isinstance(comment, str) else alarm.comment)
    change = alarms.stepped(prepared, trigger, wish.at, wish.by)
    return alarms.done(Change(trigger, alarm, change.alarm, wish.at), told)


def _suppress(alarms: Alarms, alarm: Alarm, wish: Wish, arguments: Arguments) -> Decision[Answer]:
    told = _told(wish, arguments, reason=arguments.text("reason"))
    if BY_HAND in alarm.suppressed_by:
        raise _conflict(alarm, "it is suppressed by hand already", suppressed_by=list(alarm.suppressed_by))
    return _suppressed(alarms, alarm, (*alarm.suppressed_by, BY_HAND), wish, told)


def _unsuppress(alarms: Alarms, alarm: Alarm, wish: Wish, arguments: Arguments) -> Decision[Answer]:
    told = _told(wish, arguments)
    if BY_HAND not in alarm.suppressed_by:
        by = list(alarm.suppressed_by)
        message = f"it is suppressed by design ({', '.join(by)}), not by hand" if by else "it is not suppressed"
        raise _conflict(alarm, message, suppressed_by=by)
    rest = tuple(each for each in alarm.suppressed_by if each != BY_HAND)
    return _suppressed(alarms, alarm, rest, wish, told)


def _suppressed(alarms: Alarms, alarm: Alarm, by: tuple[str, ...], wish: Wish, told: Document) -> Decision[Answer]:
    decided = alarms.suppress(alarm, by, wish.at, told, wish.by)
    found = alarms.get(alarm.id)
    return Decision(None if found is None else alarms.document(found), decided.events, decided.rows)


ACTS: Mapping[str, _Method] = {
    "alarm.acknowledge": _plain(Trigger.ACKNOWLEDGE),
    "alarm.silence": _silence,
    "alarm.shelve": _shelve,
    "alarm.unshelve": _plain(Trigger.UNSHELVE),
    "alarm.suppress": _suppress,
    "alarm.unsuppress": _unsuppress,
    "alarm.remove": _remove,
    "alarm.restore": _plain(Trigger.RESTORE),
    "alarm.reset": _reset,
}
"""What a person can do: the type of the act and who decides about it."""
