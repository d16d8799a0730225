"""The names of channels, and which channel an event goes to.

Rules of this file: a channel's name is ``kind/path``. ``kind`` says what one gets, ``path`` of what:
an ISA-95 path, or the stream of a chain. Everything that has a place has exactly one channel.
"""

from __future__ import annotations

import re

from domain.event import Event

NAME_LIMIT = 256
TREE = "/*"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:@+-]*(/[A-Za-z0-9._~:@+-]+)*", re.ASCII)

# Chain events go to one channel per kind of event, not per chain node: that is what the clients follow.
_FIXED = {
    "chain.transaction": "chain/transactions",
    "chain.block": "chain/blocks",
    "chain.consensus": "chain/consensus",
    "chain.peer": "chain/peers",
    "validator.status": "chain/validators",
    "validator.confirmed": "chain/validators",
    "validator.retracted": "chain/validators",
    "validator.conflict": "chain/validators",
    "validator.risk": "chain/validators",
    "validator.history": "chain/validators",
    "chain.halted": "chain/state",
    "chain.resumed": "chain/state",
    "chain.stale": "chain/state",
    "chain.fresh": "chain/state",
    "chain.missed": "chain/state",
    "chain.reorganized": "chain/state",
    "chain.node.quarantined": "chain/state",
    "chain.node.released": "chain/state",
    "host.metrics": "host/metrics",
    "portal.tps": "portal/tps",
    "portal.block": "portal/blocks",
    "portal.network": "portal/network",
    "portal.validators": "portal/validators",
    "portal.metrics": "portal/metrics",
    "portal.channel": "panels/channel",
    "portal.analytics": "panels/analytics",
    "portal.realtime": "panels/realtime",
    "portal.dashboard": "panels/dashboard",
    "portal.nodes": "panels/nodes",
    "portal.performance": "panels/performance",
}
_STATE_KINDS = frozenset(
    {"equipment", "alarms", "andon", "escalations", "sources", "jobs", "changeover", "oee", "downtime"}
)
# Where only routine is told there is nothing that the journal keeps.
_ROUTINE_KINDS = frozenset({"readings", "chain", "host", "portal", "panels"})
_KEPT_ALL_THE_SAME = frozenset({_FIXED["validator.status"], _FIXED["chain.halted"]})
_LATEST_WINS = frozenset(
    {
        "equipment.reading",
        "production.updated",
        "oee.updated",
        "host.metrics",
        "portal.tps",
        "portal.block",
        "portal.network",
        "portal.validators",
        "portal.metrics",
        "portal.channel",
        "portal.analytics",
        "portal.realtime",
        "portal.dashboard",
        "portal.nodes",
        "portal.performance",
    }
)
# Each publication is everything at one moment, and a hundred of them are megabytes.
_WHOLE = frozenset({_FIXED["portal.dashboard"], _FIXED["portal.nodes"], _FIXED["portal.performance"]})
_KINDS = {
    "equipment": "equipment",
    "equipment.reading": "readings",
    "equipment.reading.late": "readings",
    "alarm": "alarms",
    "source": "sources",
    "journal": "sources",
    "hook": "sources",
    "andon": "andon",
    "job": "jobs",
    "changeover": "changeover",
    "production": "production",
    "quality": "quality",
    "escalation": "escalations",
    "oee": "oee",
    "downtime": "downtime",
    "line": "equipment",
}

PLACELESS_KINDS = frozenset(name.partition("/")[0] for name in _FIXED.values())
"""The kinds of channels whose names are no places: those of chains, and of this machine."""

CHANNEL_KINDS = frozenset({*_KINDS.values(), *PLACELESS_KINDS, "events"})
"""Every kind of channel."""


def channel_of(event: Event) -> str:
    """The channel that ``event`` is published on."""
    fixed = _FIXED.get(event.type)
    if fixed is not None:
        return fixed
    kind = _KINDS.get(event.type) or _KINDS.get(event.type.partition(".")[0], "events")
    path = event.source.strip("/")
    name = f"{kind}/{path}"
    # A source may be any URI; what has no path that could be a channel's name shares its type's channel.
    return name if is_channel(name) else f"{kind}/{event.type}"[:NAME_LIMIT]


def conflation_key(event: Event) -> tuple[str, str, str] | None:
    """What a newer event of the same kind replaces: the latest value wins. None where every event counts."""
    if event.type in _LATEST_WINS:
        return event.type, event.source, event.subject or ""
    return None


def is_channel(name: str) -> bool:
    """Whether ``name`` is a channel's name: up to 256 characters, ``kind/path``."""
    return len(name) <= NAME_LIMIT and "/" in name and _NAME.fullmatch(name) is not None


def holds_state(channel: str) -> bool:
    """Whether the newest publications of ``channel`` still hold however old they are: states, alarms, calls."""
    return channel.partition("/")[0] in _STATE_KINDS


def newest_suffices(channel: str) -> bool:
    """Whether nobody misses what was published on ``channel`` before its newest: whole states, large ones."""
    return channel in _WHOLE


def may_be_kept(channel: str) -> bool:
    """Whether events of ``channel`` can be in the journal for their priority: it asks there what was said last."""
    return channel.partition("/")[0] not in _ROUTINE_KINDS or channel in _KEPT_ALL_THE_SAME


def is_tree(name: str) -> bool:
    """Whether ``name`` asks for every channel below a path: ``equipment/*``, ``alarms/acme/plant1/*``."""
    return name.endswith(TREE) and _NAME.fullmatch(name[: -len(TREE)]) is not None and len(name) <= NAME_LIMIT


def below(name: str, tree: str) -> bool:
    """Whether the channel ``name`` is one of those that ``tree`` asks for."""
    return name.startswith(tree[:-1])
