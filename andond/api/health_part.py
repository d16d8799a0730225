"""What of the gateway's state a client is told who may not know all of it: whether it is ready, what is its own.

Rules of this file: default is nothing. A source is told of to who sees its equipment, a connection to its own tenant.
Of what else is not right only the kind is said: no name of a source, an actor, a place or a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from andond.sight import KINDS
from config import SourceSettings
from domain import JsonValue
from domain.access import Rights
from transport import Link

STATUS, METRICS = "status.read", "metrics.read"

Parts = Mapping[str, tuple[Mapping[str, JsonValue], list[str]]]
"""What each part of the daemon says of itself, and what keeps it from being ready."""


def is_told_all(rights: Rights, action: str = STATUS) -> bool:
    """Whether somebody with ``rights`` is told of the gateway as a whole."""
    return rights.may(action, None).is_allowed


def own_sources(sources: Mapping[str, SourceSettings], rights: Rights) -> frozenset[str]:
    """The names of those sources whose equipment is seen with ``rights``."""
    return frozenset(name for name, settings in sources.items() if _sees(rights, getattr(settings, "equipment", "")))


def faults_told(parts: Parts, own: Iterable[str]) -> list[str]:
    """What is not ready: of the ``own`` sources in their words, of all else which part of the daemon it is."""
    words = tuple(f"source {name} is " for name in own)
    told: list[str] = []
    for name, (_, faults) in parts.items():
        mine = [fault for fault in faults if fault.startswith(words)] if words else []
        told += mine if len(mine) == len(faults) else [*mine, name]
    return told


def own_connections(links: Iterable[Link], rights: Rights) -> dict[str, JsonValue]:
    """How many connections the tenant of ``rights`` has, by door."""
    tenant = rights.identity.tenant
    doors: dict[str, JsonValue] = {}
    for link in links:
        if tenant and link.rights.identity.tenant == tenant:
            known = doors.get(link.door.name)
            doors[link.door.name] = (known if isinstance(known, int) else 0) + 1
    return {"open": sum(count for count in doors.values() if isinstance(count, int)), "by_door": doors}


def _sees(rights: Rights, path: str) -> bool:
    return bool(path) and any(rights.sees_at(kind, path) for kind in ("sources", *KINDS))
