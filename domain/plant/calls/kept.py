"""A call as it is kept, and as it is read back.

Rules of this file: what is read back equals what was kept, to the bit. A row that is no call is refused as a
``ValueError``; whoever reads many leaves it out and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.decision import Row
from domain.json import JsonObject, JsonValue
from domain.plant.calls.call import Call, Contest, Promise, Said, Step
from domain.plant.calls.states import State

KIND = "andon.call"


def row_of(call: Call) -> Row:
    """What is kept of ``call``."""
    return Row(KIND, call.id, members_of(call))


def members_of(call: Call) -> dict[str, JsonValue]:
    """``call`` in plain data, all of it."""
    return {
        "id": call.id,
        "path": call.path,
        "word": call.word,
        "type": call.type,
        "priority": call.priority,
        "text": call.text,
        "stops_line": call.stops_line,
        "incident": call.incident,
        "state": call.state.value,
        "level": call.level,
        "assigned_to": call.assigned_to,
        "links": dict(call.links),
        "steps": [_step(step) for step in call.steps],
        "contests": [
            {"number": one.number, "trigger": one.trigger, "said": _said(one.said), "beaten_by": one.beaten_by}
            for one in call.contests
        ],
        "promise": None if call.promise is None else [call.promise.acknowledge, call.promise.resolve],
        "modelled": call.is_modelled,
    }


def call_of(value: JsonObject) -> Call:
    """The call that was kept as ``value``.

    Raises:
        ValueError: if it is none.
    """
    try:
        links, assigned_to = _object(value["links"]), value["assigned_to"]
        is_modelled = value.get("modelled")
        return Call(
            id=str(value["id"]),
            path=str(value["path"]),
            word=str(value["word"]),
            type=str(value["type"]),
            priority=str(value["priority"]),
            text=str(value["text"]),
            stops_line=bool(value["stops_line"]),
            incident=str(value["incident"]),
            steps=tuple(_step_of(_object(each)) for each in _list(value["steps"])),
            state=State(str(value["state"])),
            level=_whole(value["level"]),
            assigned_to=None if assigned_to is None else str(assigned_to),
            links={name: str(text) for name, text in links.items()},
            contests=tuple(_contest_of(_object(each)) for each in _list(value["contests"])),
            promise=_promise_of(value["promise"]),
            is_modelled=is_modelled if isinstance(is_modelled, bool) else None,
        )
    except (KeyError, IndexError) as missing:
        raise ValueError(f"no call: {missing}") from None


def _step(step: Step) -> dict[str, JsonValue]:
    return {
        "number": step.number,
        "trigger": step.trigger,
        "state": step.state.value,
        "said": _said(step.said),
        "moment": step.moment,
        "detail": dict(step.detail),
    }


def _step_of(value: JsonObject) -> Step:
    return Step(
        _whole(value["number"]),
        str(value["trigger"]),
        State(str(value["state"])),
        _said_of(_object(value["said"])),
        _number(value["moment"]),
        _object(value["detail"]),
    )


def _said(said: Said) -> dict[str, JsonValue]:
    return {
        "by": said.by,
        "at": said.at,
        "received": said.received,
        "station": said.station,
        "comment": said.comment,
        "roles": sorted(said.roles),
    }


def _said_of(value: JsonObject) -> Said:
    station, comment = value["station"], value["comment"]
    return Said(
        str(value["by"]),
        _number(value["at"]),
        _number(value["received"]),
        None if station is None else str(station),
        None if comment is None else str(comment),
        frozenset(str(role) for role in _list(value["roles"])),
    )


def _promise_of(value: JsonValue) -> Promise | None:
    if value is None:
        return None
    acknowledge, resolve = (_number(each) for each in _list(value))
    return Promise(acknowledge, resolve)


def _contest_of(value: JsonObject) -> Contest:
    said = _said_of(_object(value["said"]))
    return Contest(str(value["trigger"]), said, _whole(value["beaten_by"]), _whole(value["number"]))


def _object(value: JsonValue) -> JsonObject:
    if not isinstance(value, Mapping):
        raise ValueError("an object is missing")  # noqa: TRY004 - see the rules of this file
    return value


def _list(value: JsonValue) -> Sequence[JsonValue]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ValueError("a list is missing")  # noqa: TRY004 - see the rules of this file
    return value


def _number(value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number is missing")  # noqa: TRY004 - see the rules of this file
    return float(value)


def _whole(value: JsonValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number is missing")  # noqa: TRY004 - see the rules of this file
    return value
