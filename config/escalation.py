"""The settings of escalation, ``[floor.escalation]``: how long a call may wait, who is told, and chains of one's own.

Rules of this file: what a step may say is a rule of the domain, and ``andond check`` asks there; here it is a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from config.meta import means
from config.rules import rule_name

CallPriority = Literal["low", "medium", "high", "critical"]
Steps = tuple[Mapping[str, object], ...]

_DAY = 86_400


def _positive(value: object) -> str | None:
    is_right = isinstance(value, Mapping) and all(
        isinstance(each, int | float) and 0 < each <= 7 * _DAY for each in value.values()
    )
    return None if is_right else "a table such as { high = 300 } of priorities and seconds, at most 7 days"


def _names(value: object) -> str | None:
    is_right = isinstance(value, Mapping) and all(
        isinstance(each, tuple | list) and each and all(map(str.strip, each)) and len(set(each)) == len(each)
        for each in value.values()
    )
    return None if is_right else 'a table such as { high = ["shift_manager", "admin"] }, each name once'


def _chains(value: object) -> str | None:
    names = [each.get("name") for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []
    twice = next((name for name in names if names.count(name) > 1), None)
    return None if twice is None else f"chains that have different names, and {twice!r} is there more than once"


class ChainSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A chain for calls of certain priorities, types and places; the first one that fits is taken."""

    name: Annotated[str, means("What it is called", reload=True, rule=rule_name)]
    acknowledge: Annotated[
        float, means("Time to acknowledge; the wait `acknowledge`", unit="seconds", within=(1, 7 * _DAY), reload=True)
    ]
    resolve: Annotated[
        float, means("Time to resolve, from the acknowledgement", unit="seconds", within=(1, 7 * _DAY), reload=True)
    ]
    unacknowledged: Annotated[Steps, means("Steps until somebody acknowledges", unit="steps", reload=True)]
    unresolved: Annotated[
        Steps, means("Steps when it was acknowledged and is not resolved in time", unit="steps", reload=True)
    ] = ()
    priorities: Annotated[tuple[CallPriority, ...], means("For calls of these; none: of all", reload=True)] = ()
    types: Annotated[tuple[str, ...], means("For calls of these types; none: of all", reload=True)] = ()
    paths: Annotated[
        tuple[str, ...],
        means("For calls from there, `acme/plant1/*` for all below; none: from everywhere", reload=True),
    ] = ()


class EscalationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to a call that nobody acknowledges, or resolves; times and recipients by priority."""

    acknowledge: Annotated[
        Mapping[CallPriority, float],
        means("Time to acknowledge a call; then the next one is told", unit="seconds", reload=True, rule=_positive),
    ] = msgspec.field(default_factory=lambda: {"low": 900.0, "medium": 600.0, "high": 300.0, "critical": 120.0})
    resolve: Annotated[
        Mapping[CallPriority, float],
        means("Time to resolve it, from the acknowledgement", unit="seconds", reload=True, rule=_positive),
    ] = msgspec.field(default_factory=lambda: {"low": 3600.0, "medium": 2700.0, "high": 1800.0, "critical": 900.0})
    recipients: Annotated[
        Mapping[CallPriority, tuple[str, ...]],
        means("Who is told, one after the other", unit="names", reload=True, rule=_names),
    ] = msgspec.field(
        default_factory=lambda: {
            "low": ("shift_manager", "engineer"),
            "medium": ("shift_manager", "engineer", "production_manager"),
            "high": ("shift_manager", "engineer", "production_manager", "admin"),
            "critical": ("all_managers", "admin"),
        }
    )
    chains: Annotated[
        tuple[ChainSettings, ...], means("Chains that are looked at before those", reload=True, rule=_chains)
    ] = ()
