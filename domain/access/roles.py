"""The roles there are without a word in the configuration, and every action that one can be granted.

Rules of this file: it is data. A name of a role is compared without case. What is not granted here is denied; the
configuration replaces a role as a whole, or adds to it. Where a role does not have all acts of a desk they are listed
by name, not by a star: what is added to a desk is granted to nobody who does not have the whole desk.

Source of the names: the predecessors' eight roles of the floor, and the portal's four with their rights to channels;
``ADMIN`` of the portal and ``admin`` of the floor are one. ``publisher`` and ``monitor`` are for programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from domain.access.grants import ANY, Grant, Within

ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "andon": (
            "raise", "acknowledge", "arrive", "resolve", "close", "cancel", "reopen", "reassign", "change", "escalate",
        ),
        "alarm": (
            "acknowledge", "silence", "shelve", "unshelve", "suppress", "unsuppress", "remove", "restore", "reset",
        ),
        "job": (
            "store", "update", "report", "accept", "revoke", "start", "pause", "resume", "stop", "complete", "abort",
            "cancel", "withdraw", "clear",
        ),
        "production": ("count",),
        "changeover": ("start", "phase", "end"),
        "quality": ("check", "defect"),
        "downtime": ("assign", "split", "merge", "undo"),
        "equipment": ("correct",),
        "event": ("publish",),
        "document": ("read",),
        "status": ("read",),
        "metrics": ("read",),
        "audit": ("read",),
        "user": ("manage",),
        "token": ("revoke",),
    }
)  # fmt: skip
"""Every action: what it is about, and what is done; ``andon.raise`` is one."""

FLOOR: tuple[str, ...] = tuple(
    f"{kind}/*"
    for kind in (
        "equipment", "readings", "alarms", "andon", "escalations", "jobs", "changeover", "production", "quality", "oee",
        "downtime", "sources", "events",
    )
)  # fmt: skip
"""What the floor is told: everything that has a place."""

_HOST = ("host/*",)
_PUBLIC = (
    "chain/transactions", "chain/blocks", "chain/state", "portal/tps", "portal/blocks", "panels/analytics",
    "panels/channel", "panels/realtime", "panels/dashboard",
)  # fmt: skip
_VALIDATOR = ("chain/validators", "chain/peers", "portal/validators", "portal/network", "panels/nodes")
_DEVELOPER = ("portal/metrics", "panels/performance", *_HOST)
_READS = ("document.read",)
_WATCHES = (*_READS, "status.read", "metrics.read")


def _acts(about: str, *words: str) -> tuple[str, ...]:
    return tuple(f"{about}.{word}" for word in words)


# Whoever raised a call may take it back for a while; whose it is, the desk of calls knows.
_CALLS = _acts("andon", "raise", "cancel")
_RESPONDS = _acts("andon", "acknowledge", "arrive", "resolve")
_QUIETENS = _acts("alarm", "acknowledge", "silence", "shelve", "unshelve")
_RUNS_JOBS = _acts("job", "accept", "revoke", "start", "pause", "resume", "stop", "complete", "report")


class Role(msgspec.Struct, frozen=True):
    """A role: what it is for, and what it is granted."""

    name: str
    title: str
    grants: tuple[Grant, ...]


_ROLES = (
    Role("admin", "Runs the gateway: everything", (Grant((ANY,), (ANY,)),)),
    Role(
        "production_manager",
        "Answers for production: every act of the floor",
        (
            Grant(
                (
                    *("andon.*", "alarm.*", "job.*", "production.*", "changeover.*", "quality.*", "downtime.*"),
                    "equipment.*",
                    *_WATCHES,
                ),
                (*FLOOR, *_HOST),
            ),
        ),
    ),
    Role(
        "shift_manager",
        "Answers for a shift: as above, without designing alarms away or planning jobs",
        (
            Grant(
                (
                    *("andon.*", "production.*", "changeover.*", "quality.*", "downtime.*", "equipment.*"),
                    *_QUIETENS,
                    *_RUNS_JOBS,
                    *_acts("job", "update", "abort", "cancel"),
                    *_READS,
                    "status.read",
                ),
                FLOOR,
            ),
        ),
    ),
    Role(
        "engineer",
        "Mends and improves: calls, every act on alarms, the record of stops",
        (
            Grant(
                (
                    *_CALLS,
                    *_RESPONDS,
                    *_acts("andon", "reassign", "change", "escalate"),
                    *("alarm.*", "downtime.*", "equipment.*"),
                    "quality.check",
                    *_WATCHES,
                ),
                (*FLOOR, *_HOST),
            ),
        ),
    ),
    Role(
        "operator",
        "Works at a line: raises calls and counts everywhere, the rest at the own line",
        (
            Grant((*_CALLS, "production.count", *_READS), FLOOR),
            Grant(
                (
                    *_RESPONDS,
                    "andon.change",
                    *_acts("alarm", "acknowledge", "silence"),
                    *_RUNS_JOBS,
                    *("changeover.*", "quality.*", "downtime.assign"),
                ),
                within=Within.OWN,
            ),
        ),
    ),
    Role(
        "maintenance",
        "Comes when called: calls, alarms also out of service, reasons of stops",
        (
            Grant(
                (
                    *_CALLS,
                    *_RESPONDS,
                    *_acts("andon", "reassign", "change"),
                    *_QUIETENS,
                    *_acts("alarm", "remove", "restore", "reset"),
                    "downtime.assign",
                    *_READS,
                ),
                (*FLOOR, *_HOST),
            ),
        ),
    ),
    Role(
        "quality",
        "Answers for quality: calls, checks and defects",
        (Grant((*_CALLS, *_RESPONDS, *_acts("andon", "change"), "quality.*", *_READS), FLOOR),),
    ),
    Role("viewer", "Looks at the floor", (Grant(_READS, FLOOR),)),
    Role("user", "Looks at a chain: what is public of it", (Grant(_READS, _PUBLIC),)),
    Role("validator", "Runs a validator: its peers too", (Grant(_READS, (*_PUBLIC, *_VALIDATOR)),)),
    Role("developer", "Looks into the gateway", (Grant(_WATCHES, (*_PUBLIC, *_DEVELOPER)),)),
    Role("publisher", "A program that posts events of its own places", (Grant(("event.publish",), within=Within.OWN),)),
    Role("monitor", "A program that watches the gateway", (Grant(_WATCHES),)),
)

ROLES: Mapping[str, Role] = MappingProxyType({role.name: role for role in _ROLES})
"""The roles by their names."""


def actions() -> tuple[str, ...]:
    """Every action, ``andon.raise`` the first."""
    return tuple(f"{about}.{word}" for about, words in ACTIONS.items() for word in words)
