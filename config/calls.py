"""The settings of Andon calls, ``[floor.calls]``, and of the events that raise some, ``[[floor.rules]]``.

Rules of this file: the words are those of the domain; a rule that fits everything is no rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from config.meta import means
from config.rules import conditions, rule_name, source_pattern, type_prefix

_DAY = 86_400
CallWord = Literal[
    "safety",
    "quality",
    "maintenance",
    "material",
    "supervisor",
    "changeover",
    "it",
    "stop",
    "fault",
    "critical_fault",
    "safety_alert",
    "warning",
    "info",
]
Interval = Literal[
    "raise_to_deliver",
    "raise_to_acknowledge",
    "acknowledge_to_arrive",
    "raise_to_arrive",
    "arrive_to_resolve",
    "resolve_to_close",
    "raise_to_close",
]


def _seconds(value: object) -> str | None:
    is_right = isinstance(value, Mapping) and all(
        isinstance(each, int | float) and 0 < each <= 7 * _DAY for each in value.values()
    )
    return None if is_right else "a table such as { arrive_to_resolve = 1200 } of intervals and seconds, at most 7 days"


def _roles(value: object) -> str | None:
    is_right = isinstance(value, tuple | list) and all(isinstance(each, str) and each.strip() for each in value)
    return None if is_right else 'a list of roles such as ["shift_manager"]'


class CallSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every call; how long it may wait is in `[floor.escalation]`."""

    grace: Annotated[
        float, means("Time in which who raised a call can cancel it", unit="seconds", within=(0, _DAY), reload=True)
    ] = 60.0
    supervisors: Annotated[
        tuple[str, ...], means("Roles that can cancel every call", unit="names", reload=True, rule=_roles)
    ] = ("supervisor", "shift_manager", "production_manager", "admin")
    remembered: Annotated[
        float,
        means("How long a call that is over can be asked for", unit="seconds", within=(60, 366 * _DAY), reload=True),
    ] = 30.0 * _DAY
    targets: Annotated[
        Mapping[Interval, float],
        means("How long an interval of a call may take", unit="seconds", reload=True, rule=_seconds),
    ] = msgspec.field(default_factory=dict)


class CallRuleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Events that fit raise a call: all that is said of them must hold."""

    name: Annotated[str, means("What the rule is called; it is who raises the call", reload=True, rule=rule_name)]
    call: Annotated[CallWord, means("The type of the call", reload=True)]
    type: Annotated[
        str, means("The events' type, or the beginning of it up to a dot", reload=True, rule=type_prefix)
    ] = ""
    where: Annotated[
        Mapping[str, str | int | float | bool],
        means("Values that members of the data have; dots lead inwards", reload=True, rule=conditions),
    ] = msgspec.field(default_factory=dict)
    source: Annotated[
        str, means("The events' source; with * at its end, whatever begins so", reload=True, rule=source_pattern)
    ] = ""
    priority: Annotated[
        Literal["", "low", "medium", "high", "critical"],
        means("The priority of the call; empty: that of its type", reload=True),
    ] = ""
    text: Annotated[
        str, means("What the call says; `{data.code}` is a value of the event, empty: the event's text", reload=True)
    ] = ""
    equipment: Annotated[
        str,
        means(
            "Where the call is, a path or an alias; empty: where the event comes from, or whom of a chain it is about",
            reload=True,
        ),
    ] = ""
