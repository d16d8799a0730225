"""The chains that hold where the plant has none of its own.

Rules of this file: the minutes and the recipients are those of the system before this one: its service table, which
its database, its screens and its configuration contradicted.

* Low, medium, high: one recipient more each time that nobody acknowledged; the number of levels is theirs.
* Critical: everybody who leads at once, then who administers, then both of them, as often as it has levels.
* Nobody acknowledged after all levels: from the beginning again, as often as can be.
* Acknowledged and not resolved in time: who acknowledged is told, and the recipients, again and again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from domain.json import JsonValue
from domain.plant.escalation.chain import ACKNOWLEDGER, PRIORITIES, REPEATS, Chain
from domain.plant.escalation.words import read_chain

MINUTE = 60.0

ACKNOWLEDGE = {"low": 15 * MINUTE, "medium": 10 * MINUTE, "high": 5 * MINUTE, "critical": 2 * MINUTE}
"""Seconds in which a call is to be acknowledged."""

RESOLVE = {"low": 60 * MINUTE, "medium": 45 * MINUTE, "high": 30 * MINUTE, "critical": 15 * MINUTE}
"""Seconds in which it is to be resolved, from its acknowledgement."""

RECIPIENTS: Mapping[str, tuple[str, ...]] = {
    "low": ("shift_manager", "engineer"),
    "medium": ("shift_manager", "engineer", "production_manager"),
    "high": ("shift_manager", "engineer", "production_manager", "admin"),
    "critical": ("all_managers", "admin"),
}

GROUPS: Mapping[str, tuple[str, ...]] = {"all_managers": ("shift_manager", "production_manager")}
"""Who is meant by a name that nobody has."""

CHANNELS = ("websocket", "mail")
"""The order in which channels are tried."""

_CRITICAL_LEVELS = 4


class Defaults(msgspec.Struct, frozen=True):
    """What the built-in chains are made of; seconds and recipients by priority, those not named as above."""

    acknowledge: Mapping[str, float] = msgspec.field(default_factory=dict)
    resolve: Mapping[str, float] = msgspec.field(default_factory=dict)
    recipients: Mapping[str, Sequence[str]] = msgspec.field(default_factory=dict)
    channels: tuple[str, ...] = CHANNELS

    def chains(self) -> tuple[Chain, ...]:
        """One chain for each priority."""
        return tuple(self._chain(priority) for priority in PRIORITIES)

    def _chain(self, priority: str) -> Chain:
        recipients = list(self.recipients.get(priority, RECIPIENTS[priority]))
        last: JsonValue = {"repeat": REPEATS}
        told: list[JsonValue] = []
        for names in _levels(priority, recipients):
            told += [{"notify": names}, {"wait": "acknowledge"}]
        members: dict[str, JsonValue] = {
            "name": f"default-{priority}",
            "priorities": [priority],
            "acknowledge": self.acknowledge.get(priority, ACKNOWLEDGE[priority]),
            "resolve": self.resolve.get(priority, RESOLVE[priority]),
            "unacknowledged": [*told, last],
            "unresolved": [{"notify": [ACKNOWLEDGER, *recipients]}, last],
        }
        return read_chain(members, self.channels)


def _levels(priority: str, recipients: list[str]) -> list[list[str]]:
    one_by_one = [[name] for name in recipients]
    if priority != "critical":
        return one_by_one
    return one_by_one + [recipients] * max(0, _CRITICAL_LEVELS - len(one_by_one))
