"""The settings of alarms, ``[floor.alarms]``: the rationalised list, classes, suppression by design, positions.

Rules of this file: the same alarm may be in the list twice, as lists of plants are; which of them holds is the domain's
rule, and it is said there. A class that an entry names must exist.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from config.calls import CallWord
from config.meta import means
from config.rules import rule_name

_DAY = 86_400
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
_PLACE = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,7}}(?:/\*)?")
_POSITION = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,7}}")
_CALLS = typing.get_args(CallWord)
DEFAULT_CLASS = "default"


def _seconds(meaning: str, most: float = _DAY) -> msgspec.Meta:
    return means(meaning, unit="seconds", within=(0, most), reload=True)


def maybe_place(value: object) -> str | None:
    """Expect an ISA-95 path, perhaps with everything below it, or nothing."""
    if value == "" or _PLACE.fullmatch(str(value)):
        return None
    return "an ISA-95 path such as acme/plant1/line3/press3, or acme/plant1/* for all below"


def place(value: object) -> str | None:
    """Expect an ISA-95 path, perhaps with everything below it."""
    return maybe_place(value or "/")


def positions(value: object) -> str | None:
    """Expect the names of positions by path; a name is a path too, because the position's channel is named by it."""
    is_right = isinstance(value, Mapping) and all(
        maybe_place(where) is None and where and _POSITION.fullmatch(str(name)) for where, name in value.items()
    )
    return None if is_right else 'a table such as { "acme/plant1/line3/*" = "acme/plant1/line3" }'


def maybe_call(value: object) -> str | None:
    """Expect the type of an Andon call, or nothing."""
    return None if value == "" or value in _CALLS else f"the type of a call, one of {', '.join(_CALLS)}, or nothing"


def names_once(value: object) -> str | None:
    """Expect tables whose names differ."""
    names = [each.get("name") for each in value if isinstance(each, Mapping)] if isinstance(value, tuple | list) else []
    twice = next((name for name in names if names.count(name) > 1), None)
    return None if twice is None else f"tables with different names, and {twice!r} is there more than once"


def states(value: object) -> str | None:
    """Expect at least one state of equipment."""
    is_right = isinstance(value, tuple | list) and value and all(str(each).strip() for each in value)
    return None if is_right else 'at least one state such as ["off"]'


class AlarmEntrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is on record of an alarm, or of several: what is left out stands for any."""

    key: Annotated[str, means("The condition's key, or the tag", reload=True)] = ""
    code: Annotated[str, means("Its code", reload=True)] = ""
    equipment: Annotated[
        str, means("Whose alarm it is; with /* whatever is below", unit="ISA-95 path", reload=True, rule=maybe_place)
    ] = ""
    priority: Annotated[
        Literal["critical", "high", "medium", "low"] | None,
        means("Its priority; none: medium, and marked as not rationalised", reload=True),
    ] = None
    alarm_class: Annotated[str, means("The class that says how it behaves", reload=True, rule=rule_name)] = (
        DEFAULT_CLASS
    )
    text: Annotated[str, means("What it is called on the board; empty: the source's words", reload=True)] = ""
    cause: Annotated[str, means("What usually causes it", reload=True)] = ""
    consequence: Annotated[str, means("What happens if nobody acts", reload=True)] = ""
    action: Annotated[str, means("What the operator does about it", reload=True)] = ""
    time_to_respond: Annotated[float, _seconds("How long there is for that; 0: not said")] = 0.0


class AlarmClassSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the alarms of a class behave; the class `default` holds where an entry names none."""

    name: Annotated[str, means("What the class is called", reload=True, rule=rule_name)]
    on_delay: Annotated[float, _seconds("How long the condition must hold")] = 0.0
    off_delay: Annotated[float, _seconds("How long it must be gone")] = 0.0
    annunciated: Annotated[bool, means("Shown to the operator; false: the journal alone has it", reload=True)] = True
    auto_acknowledge: Annotated[bool, means("Acknowledged by itself when it occurs", reload=True)] = False
    acknowledge_on_return: Annotated[bool, means("Stays until acknowledged though it has returned", reload=True)] = True
    latching: Annotated[bool, means("Stays until it is reset", reload=True)] = False
    re_alarm_time: Annotated[float, _seconds("Time after which an acknowledged one calls once more; 0: never")] = 0.0
    max_time_shelved: Annotated[float, _seconds("Longest shelving", 31 * _DAY)] = 28_800.0
    reauthorise_above: Annotated[float, _seconds("Longest shelving without a second person; 0: any", 31 * _DAY)] = 0.0
    audible: Annotated[bool, means("Sounds until it is silenced or acknowledged", reload=True)] = True
    call: Annotated[
        str, means("Type of the Andon call that each occurrence raises; empty: none", reload=True, rule=maybe_call)
    ] = ""


class SuppressionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Suppression by design: alarms of equipment that mean nothing while it is in certain states."""

    name: Annotated[str, means("What it is called where it is told", reload=True, rule=rule_name)]
    equipment: Annotated[
        str, means("Whose alarms; with /* whatever is below", unit="ISA-95 path", reload=True, rule=place)
    ]
    states: Annotated[tuple[str, ...], means("States of the equipment, as its events say", reload=True, rule=states)]
    key: Annotated[str, means("The condition's key; empty: any", reload=True)] = ""
    code: Annotated[str, means("Its code; empty: any", reload=True)] = ""


class AlarmSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Alarms after ISA-18.2: what is on record of each, how a class of them behaves, who sees them."""

    list: Annotated[
        tuple[AlarmEntrySettings, ...],
        means("The rationalised alarm list; of two the first holds", reload=True),
    ] = ()
    classes: Annotated[
        tuple[AlarmClassSettings, ...], means("How alarms of a class behave", reload=True, rule=names_once)
    ] = ()
    suppressions: Annotated[
        tuple[SuppressionSettings, ...], means("What is suppressed by design", reload=True, rule=names_once)
    ] = ()
    positions: Annotated[
        Mapping[str, str],
        means("The operating position by equipment; where there is none: one above", reload=True, rule=positions),
    ] = msgspec.field(default_factory=dict)
