"""What stands beside the floor's WebSocket doors: who is connected, and what can be followed, by HTTP.

Rules of this file: it is read, not shaped here; the dialect knows. A connection is told of to its own client alone: to
whoever comes from the same address and tenant and knows its id. To anybody else it is not there. Figures are of all
connections for who may know of the gateway as a whole, and of those of the own tenant for others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from andond.api.health_part import is_told_all
from domain import JsonValue, rfc3339
from domain.access import Rights
from transport import Request, Response, Routes, json_response, problem
from transport.dialects.floor import ALIASES, COMMANDS, DOORS, KINDS, TARGETED, TOLD, TOPICS, Kind, Roster

ID_LIMIT = 128


class FloorDoorsResource:
    """The handlers; ``roster`` knows who is connected."""

    def __init__(self, roster: Roster, clock: Callable[[], float] = time.time) -> None:
        self._roster = roster
        self._clock = clock

    async def health(self, request: Request) -> Response:
        """How the doors are: 200 while they are served at all."""
        now = self._roster.statistics(_tenant_of(request.rights))
        members: dict[str, JsonValue] = {
            "status": "healthy",
            "timestamp": rfc3339(self._clock()),
            "connections": now["total_connections"],
            "average_health_score": now["average_health_score"],
            "endpoints": [_path(door.path, door.rest) for door in DOORS.values()],
        }
        return json_response(members)

    async def events(self, _request: Request) -> Response:
        """Every type of frame that events come as."""
        listed = [_described(kind) for kind in KINDS.values()]
        return json_response(
            {
                "events": listed,
                "aliases": sorted(ALIASES),
                "total": len(listed),
                "client_messages": ["batch", *COMMANDS],
            }
        )

    async def subscriptions(self, _request: Request) -> Response:
        """Every type of subscription, and whether it must name a target."""
        listed: list[JsonValue] = [
            {"type": type_, "target_required": type_ in TARGETED, "targets": _targets(type_)} for type_ in TOPICS
        ]
        return json_response({"subscriptions": listed, "total": len(listed)})

    async def statistics(self, request: Request) -> Response:
        """The figures of all connections together, or of those of a tenant."""
        return json_response(
            {**self._roster.statistics(_tenant_of(request.rights)), "timestamp": rfc3339(self._clock())}
        )

    async def connection(self, request: Request, connection_id: str) -> Response:
        """The figures of one connection, for its own client."""
        visit = self._roster.find(connection_id)
        is_theirs = _tenant_of(request.rights) in (None, None if visit is None else visit.tenant)
        if visit is None or visit.host != request.client.host or not is_theirs:
            shown = connection_id[:ID_LIMIT]
            detail = (
                f"No connection of this address has the id {shown!r}: a connection is told of to its own client alone."
            )
            return problem(404, "No such connection", detail, 404)
        return json_response({**visit.details(), "timestamp": rfc3339(self._clock())})


def register(routes: Routes, roster: Roster) -> None:
    """Add the resource to ``routes``."""
    floor = FloorDoorsResource(roster)
    routes.add("GET", "/ws/health", floor.health)
    routes.add("GET", "/ws/events", floor.events)
    routes.add("GET", "/ws/stats", floor.statistics)
    routes.add("GET", "/ws/connections/{connection_id}", floor.connection)
    routes.add("GET", "/api/v1/ws/production/events/types", floor.events)
    routes.add("GET", "/api/v1/ws/production/subscriptions", floor.subscriptions)
    routes.add("GET", "/api/v1/ws/production/stats", floor.statistics)


def _tenant_of(rights: Rights) -> str | None:
    """The tenant whose connections somebody with ``rights`` is told of; None: everybody's."""
    return None if is_told_all(rights) else rights.identity.tenant


def _path(path: str, rest: str) -> str:
    return f"{path}{{{rest}}}" if rest else path


def _described(kind: Kind) -> Mapping[str, JsonValue]:
    made_of: list[JsonValue] = [type_ for type_, told in TOLD.items() if any(each.kind is kind for each in told)]
    return {
        "type": kind.type,
        "id": kind.id,
        "wrapper": kind.wrapper,
        "priority": kind.priority.seed,
        "subscriptions": ["everybody"] if kind.is_for_everybody else list(kind.topics),
        "aliases": list(kind.aliases),
        "fields": [field.name for field in kind.fields],
        "made_of": made_of,
    }


def _targets(type_: str) -> list[JsonValue]:
    if type_ == "escalation":
        return ["all", "escalation:ID", "priority:P", "ID", "P", {"escalation_id": "ID", "priority": "P"}]
    if type_ in TARGETED:
        return ["ID"]
    return ["all", "line:L", "equipment:E", "L", {"line_id": "L", "equipment_code": "E"}]
