"""How the daemon is: ``/livez``, ``/readyz``, ``/statusz`` and ``/metrics``.

Rules of this file: whoever is asked answers for itself, through its mailbox, within a deadline; a stuck actor shows
as stuck and holds no answer up. A probe that comes often costs little: the tree is asked at most once a second.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping

import msgspec
import trio

from actors import Front
from actors.places import AUDITOR, CANARY, HOOKS, RECEIPTS, VALIDATORS_DESK
from actors.runtime import ActorDead, ActorRef, ActorStatus, survey
from andond.api import health_tree
from andond.api.describe import Operation
from andond.api.health_part import (
    METRICS,
    Parts,
    faults_told,
    is_told_all,
    own_connections,
    own_sources,
)
from andond.version import VERSION
from config import PolicySettings, SourceSettings, Standing
from domain import JsonValue, Priority, rfc3339
from domain.access import OPEN_RIGHTS, Rights
from telemetry import gauges, render, render_sources, sample
from transport import Request, Response, Routes, json_response

LIVE_LAG = 1.0
SURVEY_DEADLINE = 1.0
SURVEY_AGE = 1.0
EXPAND = 64
EXPAND_ALL = 1_000_000

Value = float | Mapping[str, float] | None


class Condition(msgspec.Struct):
    """What the daemon knows of itself beside its actors.

    ``sources`` returns those there should be, ``policy`` the rules in force; ``draining`` says that it is about to end.
    ``standing`` is towards those who do not say who they are, ``meaning`` what that amounts to where it is open.
    """

    started: float
    sources: Callable[[], Mapping[str, SourceSettings]]
    draining: bool = False
    policy: Callable[[], PolicySettings] = PolicySettings
    standing: Callable[[], Standing] = lambda: Standing.OPEN
    meaning: str = ""


class Health:
    """The handlers; ``root`` is the top of the tree, ``front`` serves the port."""

    def __init__(
        self,
        root: Callable[[], ActorRef],
        front: Front,
        condition: Condition,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._front = front
        self._condition = condition
        self._clock = clock
        self._node = socket.gethostname()
        self._surveyed: tuple[float, ActorStatus] | None = None
        self._surveying = trio.Lock()
        self._surveying_all = trio.Lock()
        for name, read in self._gauges().items():
            gauges.feed(name, read)

    async def livez(self, _request: Request) -> Response:
        """The loop turns: 200; it turned too late within the last second: 503."""
        lag = gauges.read("loop_lag")
        late = isinstance(lag, int | float) and lag > LIVE_LAG
        document: dict[str, JsonValue] = {"status": "fail" if late else "pass"}
        if isinstance(lag, int | float):
            document["lag_ms"] = round(lag * 1000, 3)
        return json_response(document, 503 if late else 200)

    async def readyz(self, request: Request) -> Response:
        """May get traffic: 200; else 503 with what is not ready."""
        missing = self.missing_for(self.rights(request), await self.tree())
        document: dict[str, JsonValue] = {"status": "fail" if missing else "pass", "not_ready": list(missing)}
        return json_response(document, 503 if missing else 200)

    async def q_health(self, _request: Request) -> Response:
        """The same for who watched the portal's predecessor: ``UP`` or ``DOWN``, with the connections of each door."""
        missing = self.missing(await self.tree())
        word = "DOWN" if missing else "UP"
        links = self._connections()
        checks: list[JsonValue] = [
            {"name": "ready", "status": word, "data": {"not_ready": list(missing)}},
            {
                "name": "websocket",
                "status": "UP",
                "data": {"total_connections": links["open"], "by_door": links["by_door"]},
            },
        ]
        return json_response({"status": word, "checks": checks}, 503 if missing else 200)

    async def statusz(self, request: Request) -> Response:
        """Everything: the tree with each actor's own words, connections, deliveries, sources.

        Who may not know of the gateway as a whole is told of its own part.
        """
        rights = self.rights(request)
        if not is_told_all(rights):
            return json_response(self._part(rights, await self.tree()))
        everyone = request.query.get("expand", [""])[-1] == "all"
        tree = await (self._whole_tree() if everyone else self.tree())
        return json_response(
            {
                **self._moment(),
                **health_tree.readiness(self.missing(tree)),
                "access": {**self._access(), "issuers": health_tree.issuers(tree)},
                "connections": self._connections(),
                "deliveries": health_tree.deliveries(),
                "sources": health_tree.sources(tree),
                "chains": health_tree.says(tree, VALIDATORS_DESK).get("chains") or [],
                "journal": health_tree.journal(tree),
                "audit": health_tree.says(tree, AUDITOR),
                "receipts": health_tree.says(tree, RECEIPTS),
                "canary": health_tree.says(tree, CANARY),
                "policy": health_tree.policy(self._condition.policy()),
                "hooks": health_tree.says(tree, HOOKS).get("parts") or [],
                "mailboxes": health_tree.mailboxes(tree),
                "tree": health_tree.members(tree) if tree is not None else None,
            }
        )

    async def metrics(self, request: Request) -> Response:
        """Every metric, in the form that the scraper asks for; those of its own sources for who may not see all."""
        rights = self.rights(request)
        await self.tree()
        accept = request.headers.get("accept", "")
        if is_told_all(rights, METRICS):
            body, media = await trio.to_thread.run_sync(render, sample(), accept)
        else:
            own = own_sources(self._condition.sources(), rights)
            body, media = await trio.to_thread.run_sync(render_sources, sample(), own, accept)
        return Response(200, {"content-type": media, "cache-control": "no-store"}, body)

    def rights(self, request: Request) -> Rights:
        """What its sender may do and see; everything where the gateway is open, also where nobody was asked."""
        return OPEN_RIGHTS if self._condition.standing() is Standing.OPEN else request.rights

    async def tree(self) -> ActorStatus | None:
        """How the tree is, not older than a second once it has started; None if there is no tree."""
        async with self._surveying:
            if self._surveyed is not None and trio.current_time() - self._surveyed[0] < SURVEY_AGE:
                return self._surveyed[1]
            # Every source is looked at, however many there are; channels and connections are summed up.
            status = await self._survey(max(EXPAND, len(self._condition.sources())))
            # What starts has started in a moment: whoever waits for it would learn that a second late.
            self._surveyed = None if status is None or status.state == "starting" else (trio.current_time(), status)
            return status

    async def _whole_tree(self) -> ActorStatus | None:
        """How every actor is, not kept: there may be ten thousand. No probe has to wait for it."""
        async with self._surveying_all:
            return await self._survey(EXPAND_ALL)

    async def _survey(self, expand: int) -> ActorStatus | None:
        try:
            return await survey(self._root(), SURVEY_DEADLINE, expand)
        except ActorDead:
            return None

    def missing(self, tree: ActorStatus | None) -> list[str]:
        """What keeps the daemon from being ready; nothing if it is."""
        if self._condition.draining:
            return ["draining"]
        return [
            *health_tree.unanswered(tree),
            *self._silent(tree),
            *health_tree.unwritable(tree),
            *health_tree.far(tree),
        ]

    def missing_for(self, rights: Rights, tree: ActorStatus | None) -> list[str]:
        """The same, as far as somebody with ``rights`` is told of it."""
        if is_told_all(rights) or self._condition.draining:
            return self.missing(tree)
        return faults_told(self.parts(tree), own_sources(self._condition.sources(), rights))

    def parts_for(self, rights: Rights, tree: ActorStatus | None) -> Parts:
        """What somebody with ``rights`` is told of each part of the daemon."""
        parts = self.parts(tree)
        if is_told_all(rights):
            return parts
        own = own_sources(self._condition.sources(), rights)
        states = {name: state for name, state in health_tree.states(tree).items() if name in own}
        said: dict[str, Mapping[str, JsonValue]] = {
            "sources": {"states": states},
            "connections": self._own_connections(rights),
        }
        return {name: (said.get(name, {}), faults_told({name: parts[name]}, own)) for name in parts}

    def _part(self, rights: Rights, tree: ActorStatus | None) -> dict[str, JsonValue]:
        own = own_sources(self._condition.sources(), rights)
        return {
            **self._moment(),
            **health_tree.readiness(self.missing_for(rights, tree)),
            "tenant": rights.identity.tenant or None,
            "access": self._access(),
            "connections": self._own_connections(rights),
            "sources": [source for source in health_tree.sources(tree) if source["name"] in own],
        }

    def _moment(self) -> dict[str, JsonValue]:
        at = self._clock()
        return {
            "node": self._node,
            "version": VERSION,
            "started": rfc3339(self._condition.started),
            "now": rfc3339(at),
            "uptime": round(at - self._condition.started, 3),
        }

    def _own_connections(self, rights: Rights) -> dict[str, JsonValue]:
        server = self._front.server
        return own_connections(() if server is None else server.links, rights)

    def parts(self, tree: ActorStatus | None) -> Mapping[str, tuple[Mapping[str, JsonValue], list[str]]]:
        """What each part of the daemon says of itself, and what keeps it from being ready."""
        sources = health_tree.states(tree)
        return {
            "actors": ({}, health_tree.unanswered(tree)),
            "journal": (health_tree.journal(tree), health_tree.unwritable(tree)),
            "sources": ({"states": sources}, self._silent(tree)),
            "connections": (self._connections(), health_tree.far(tree)),
        }

    def _silent(self, tree: ActorStatus | None) -> list[str]:
        """The required sources that are not fresh; one that is stuck cannot even say that it is required."""
        states = {source["name"]: source["state"] for source in health_tree.sources(tree)}
        required = [name for name, settings in self._condition.sources().items() if settings.required]
        return [f"source {name} is {states.get(name, 'missing')}" for name in required if states.get(name) != "fresh"]

    def _gauges(self) -> Mapping[str, Callable[[], Value]]:
        return {
            "ready": lambda: self._told(lambda tree: 0.0 if self.missing(tree) else 1.0),
            "mailbox_depth": lambda: self._told(health_tree.depths),
            "mailbox_age": lambda: self._told(health_tree.oldest),
            "sources_fresh": lambda: self._told(lambda tree: health_tree.by_source(tree, health_tree.is_fresh)),
            "source_age": lambda: self._told(lambda tree: health_tree.by_source(tree, health_tree.age_of)),
            "tasks": lambda: trio.lowlevel.current_statistics().tasks_living,
        }

    def _told(self, read: Callable[[ActorStatus], Value]) -> Value:
        return None if self._surveyed is None else read(self._surveyed[1])

    def _access(self) -> dict[str, JsonValue]:
        standing = self._condition.standing()
        return {
            "standing": str(standing),
            "meaning": self._condition.meaning if standing is Standing.OPEN else None,
        }

    def _connections(self) -> dict[str, JsonValue]:
        server = self._front.server
        if server is None:
            return {"open": 0, "by_door": {}, "refused": {}}
        now, waiting = server.statistics(), server.backlog()
        ledger = gauges.read("ledger_imbalance")
        return {
            "bound": {"credit_bytes": waiting.credit, "critical_delay": "credit / drain rate + one frame"},
            "outboxes": {
                priority.wire: {"depth": waiting.depth[priority], "age": health_tree.rounded(waiting.age[priority])}
                for priority in Priority
            },
            "ledger_imbalance": ledger if isinstance(ledger, float) else None,
            "open": sum(now.links.values()),
            "by_door": dict(now.links),
            "tcp": now.connections,
            "accepted": now.accepted,
            "refused": dict(now.refused),
        }


def register(routes: Routes, health: Health) -> None:
    """Add the four paths to ``routes``, the usual other name of the first, and two that others scrape."""
    alive, ready = "Whether the gateway is alive", "Whether the gateway may get traffic, and what is not ready"
    for path, name, summary, handler in (
        ("/livez", "getLivez", alive, health.livez),
        ("/healthz", "getHealthz", alive, health.livez),
        ("/readyz", "getReadyz", ready, health.readyz),
    ):
        routes.add("GET", path, handler, Operation(name, summary, "gateway", states=(503,)))
    routes.add("GET", "/statusz", health.statusz)
    routes.add("GET", "/metrics", health.metrics)
    routes.add("GET", "/q/health", health.q_health)
    routes.add("GET", "/q/metrics", health.metrics)
