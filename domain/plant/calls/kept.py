"""A call as it is kept, and as it is read back.

Rules of this file: what is read back equals what was kept, to the bit. A row that is no call is refused as a
``ValueError``; whoever reads many leaves it out and says so. A row without a ``person`` is of a time when names were
all that was known.
"""

from __future__ import annotations

from domain.decision import Row
from domain.json import JsonObject, JsonValue
from domain.kept import Unreadable, flag, integer, maybe_text, number, several, table, text, texts, word
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
    is_modelled = value.get("modelled")
    return Call(
        id=text(value, "id"),
        path=text(value, "path"),
        word=text(value, "word"),
        type=text(value, "type"),
        priority=text(value, "priority"),
        text=text(value, "text"),
        stops_line=flag(value, "stops_line"),
        incident=text(value, "incident"),
        steps=tuple(_step_of(each) for each in several(value, "steps")),
        state=word(value, "state", State),
        level=integer(value, "level"),
        assigned_to=maybe_text(value, "assigned_to"),
        links={name: str(each) for name, each in table(value, "links").items()},
        contests=tuple(_contest_of(each) for each in several(value, "contests")),
        promise=_promise_of(value.get("promise")),
        is_modelled=is_modelled if isinstance(is_modelled, bool) else None,
    )


def _step(step: Step) -> dict[str, JsonValue]:
    return {
        "number": step.number,
        "trigger": step.trigger,
        "state": step.state.value,
        "said": _said(step.said),
        "moment": step.moment,
        "detail": dict(step.detail),
    }


def _step_of(value: JsonValue) -> Step:
    return Step(
        integer(value, "number"),
        text(value, "trigger"),
        word(value, "state", State),
        _said_of(table(value, "said")),
        number(value, "moment"),
        table(value, "detail"),
    )


def _said(said: Said) -> dict[str, JsonValue]:
    return {
        "by": said.by,
        "at": said.at,
        "received": said.received,
        "station": said.station,
        "comment": said.comment,
        "roles": sorted(said.roles),
        "person": said.person,
    }


def _said_of(value: JsonObject) -> Said:
    return Said(
        text(value, "by"),
        number(value, "at"),
        number(value, "received"),
        maybe_text(value, "station"),
        maybe_text(value, "comment"),
        frozenset(texts(value, "roles")),
        maybe_text(value, "person") or "",
    )


def _promise_of(value: JsonValue) -> Promise | None:
    match value:
        case None:
            return None
        case [int() | float() as acknowledge, int() | float() as resolve]:
            return Promise(float(acknowledge), float(resolve))
    raise Unreadable("promise")


def _contest_of(value: JsonValue) -> Contest:
    said = _said_of(table(value, "said"))
    return Contest(text(value, "trigger"), said, integer(value, "beaten_by"), integer(value, "number"))
