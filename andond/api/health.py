"""How the daemon is: ``/livez``, ``/readyz``, ``/statusz`` and ``/metrics``.

Rules of this file: whoever is asked answers for itself, through its mailbox, within a deadline; a stuck actor shows
as stuck and holds no answer up. A probe that comes often costs little: the tree is asked at most once a second.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import trio

from actors import Front, policy_of
from actors.places import CANARY, DESKS, HOOKS, LISTENERS, RECEIPTS, RECORDER, SOURCES, VALIDATORS_DESK
from actors.runtime import ActorDead, ActorRef, ActorStatus, survey
from andond.version import VERSION
from config import PolicySettings, SourceSettings
from domain import JsonValue, Priority, rfc3339
from telemetry import PRIORITIES, counters, gauges, render, sample
from transport import Request, Response, Routes, json_response

LIVE_LAG = 1.0
SURVEY_DEADLINE = 1.0
SURVEY_AGE = 1.0
EXPAND = 64
EXPAND_ALL = 1_000_000

Value = float | Mapping[str, float] | None


@dataclass(slots=True)
class Condition:
    """What the daemon knows of itself beside its actors.

    ``sources`` returns those there should be, ``policy`` the rules in force; ``draining`` says that it is about to end.
    """

    started: float
    sources: Callable[[], Mapping[str, SourceSettings]]
    draining: bool = False
    policy: Callable[[], PolicySettings] = PolicySettings


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

    async def readyz(self, _request: Request) -> Response:
        """May get traffic: 200; else 503 with what is not ready."""
        missing = self.missing(await self.tree())
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
        """Everything: the tree with each actor's own words, connections, deliveries, sources."""
        everyone = request.query.get("expand", [""])[-1] == "all"
        tree = await (self._whole_tree() if everyone else self.tree())
        at = self._clock()
        missing = self.missing(tree)
        return json_response(
            {
                "node": self._node,
                "version": VERSION,
                "started": rfc3339(self._condition.started),
                "now": rfc3339(at),
                "uptime": round(at - self._condition.started, 3),
                "ready": not missing,
                "not_ready": list(missing),
                "connections": self._connections(),
                "deliveries": _deliveries(),
                "sources": _sources(tree),
                "chains": _says(tree, VALIDATORS_DESK).get("chains") or [],
                "journal": _journal(tree),
                "receipts": _says(tree, RECEIPTS),
                "canary": _says(tree, CANARY),
                "policy": _policy(self._condition.policy()),
                "hooks": _says(tree, HOOKS).get("parts") or [],
                "mailboxes": _mailboxes(tree),
                "tree": _members(tree) if tree is not None else None,
            }
        )

    async def metrics(self, request: Request) -> Response:
        """Every metric, in the form that the scraper asks for."""
        await self.tree()
        accept = request.headers.get("accept", "")
        body, media = await trio.to_thread.run_sync(render, sample(), accept)
        return Response(200, {"content-type": media}, body)

    async def tree(self) -> ActorStatus | None:
        """How the tree is, not older than a second; None if there is no tree."""
        async with self._surveying:
            if self._surveyed is not None and trio.current_time() - self._surveyed[0] < SURVEY_AGE:
                return self._surveyed[1]
            # Every source is looked at, however many there are; channels and connections are summed up.
            status = await self._survey(max(EXPAND, len(self._condition.sources())))
            self._surveyed = None if status is None else (trio.current_time(), status)
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
        return [*unanswered(tree), *self._silent(tree), *_unwritable(tree), *_far(tree)]

    def parts(self, tree: ActorStatus | None) -> Mapping[str, tuple[Mapping[str, JsonValue], list[str]]]:
        """What each part of the daemon says of itself, and what keeps it from being ready."""
        sources: dict[str, JsonValue] = {str(source["name"]): source.get("state") for source in _sources(tree)}
        return {
            "actors": ({}, unanswered(tree)),
            "journal": (_journal(tree), _unwritable(tree)),
            "sources": ({"states": sources}, self._silent(tree)),
            "connections": (self._connections(), _far(tree)),
        }

    def _silent(self, tree: ActorStatus | None) -> list[str]:
        """The required sources that are not fresh; one that is stuck cannot even say that it is required."""
        states = {source["name"]: source["state"] for source in _sources(tree)}
        required = [name for name, settings in self._condition.sources().items() if settings.required]
        return [f"source {name} is {states.get(name, 'missing')}" for name in required if states.get(name) != "fresh"]

    def _gauges(self) -> Mapping[str, Callable[[], Value]]:
        return {
            "ready": lambda: self._told(lambda tree: 0.0 if self.missing(tree) else 1.0),
            "mailbox_depth": lambda: self._told(_depths),
            "mailbox_age": lambda: self._told(_oldest),
            "sources_fresh": lambda: self._told(lambda tree: _by_source(tree, _is_fresh)),
            "source_age": lambda: self._told(lambda tree: _by_source(tree, _age)),
            "tasks": lambda: trio.lowlevel.current_statistics().tasks_living,
        }

    def _told(self, read: Callable[[ActorStatus], Value]) -> Value:
        return None if self._surveyed is None else read(self._surveyed[1])

    def _connections(self) -> dict[str, JsonValue]:
        server = self._front.server
        if server is None:
            return {"open": 0, "by_door": {}, "refused": {}}
        now, waiting = server.statistics(), server.backlog()
        ledger = gauges.read("ledger_imbalance")
        return {
            "bound": {"credit_bytes": waiting.credit, "critical_delay": "credit / drain rate + one frame"},
            "outboxes": {
                priority.wire: {"depth": waiting.depth[priority], "age": _rounded(waiting.age[priority])}
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
    routes.add("GET", "/livez", health.livez)
    routes.add("GET", "/healthz", health.livez)
    routes.add("GET", "/readyz", health.readyz)
    routes.add("GET", "/statusz", health.statusz)
    routes.add("GET", "/metrics", health.metrics)
    routes.add("GET", "/q/health", health.q_health)
    routes.add("GET", "/q/metrics", health.metrics)


def unanswered(tree: ActorStatus | None) -> list[str]:
    """The permanent actors that did not answer: those the daemon is made of, sources and channels apart."""
    if tree is None:
        return ["the actor tree is gone"]
    return [f"{actor.path} is {actor.state}" for actor in _permanent(tree) if actor.state != "running"]


def _permanent(tree: ActorStatus) -> list[ActorStatus]:
    inner = (DESKS, LISTENERS)
    below = [child for part in tree.children if part.path in inner for child in part.children]
    return [tree, *tree.children, *below]


def _sources(tree: ActorStatus | None) -> list[Mapping[str, JsonValue]]:
    """What each source says of itself; one that does not answer is told by what is known from outside."""
    found = next((child for child in tree.children if child.path == SOURCES), None) if tree is not None else None
    if found is None:
        return []
    return [
        {"name": source.id, "kind": source.kind, "state": source.state, **source.description}
        for source in found.children
    ]


def _says(tree: ActorStatus | None, path: str) -> dict[str, JsonValue]:
    """What the lasting actor at ``path`` says of itself; nothing if it does not answer."""
    actors = tree.walk() if tree is not None else ()
    return next((dict(actor.description) for actor in actors if actor.path == path), {})


def _journal(tree: ActorStatus | None) -> dict[str, JsonValue]:
    """The journal as the recorder knows it, and how it has been written so far."""
    commit = counters.journal_commit
    delay: dict[str, JsonValue] = {"p50": _ms(commit.quantile(0.5)), "p99": _ms(commit.quantile(0.99))}
    figures: dict[str, JsonValue] = {
        "commits": counters.journal_commits,
        "commit_ms": delay,
        "failures": counters.journal_failed,
        "published_unkept": sum(counters.journal_unkept),
        "shed": dict(zip(PRIORITIES, counters.journal_shed, strict=True)),
    }
    return {**_says(tree, RECORDER), **figures}


def _unwritable(tree: ActorStatus | None) -> list[str]:
    """Why the journal cannot be written."""
    fault = _says(tree, RECORDER).get("fault")
    return [f"journal not writable: {fault}"] if isinstance(fault, str) else []


def _far(tree: ActorStatus | None) -> list[str]:
    """What the canary has found out, if too many clients are too far away."""
    found = _says(tree, CANARY).get("not_ready")
    return [found] if isinstance(found, str) else []


def _is_fresh(source: Mapping[str, JsonValue]) -> float:
    return 1.0 if source.get("state") == "fresh" else 0.0


def _age(source: Mapping[str, JsonValue]) -> float | None:
    age = source.get("age")
    return float(age) if isinstance(age, int | float) else None


def _by_source(tree: ActorStatus, read: Callable[[Mapping[str, JsonValue]], float | None]) -> dict[str, float]:
    values = {str(source["name"]): read(source) for source in _sources(tree)}
    return {name: value for name, value in values.items() if value is not None}


def _depths(tree: ActorStatus) -> dict[str, float]:
    depths = dict.fromkeys(Priority, 0)
    for actor in tree.walk():
        for priority in Priority:
            depths[priority] += actor.depth.get(priority, 0) + actor.summarised_depth.get(priority, 0)
    return {priority.wire: float(count) for priority, count in depths.items()}


def _policy(settings: PolicySettings) -> dict[str, JsonValue]:
    """Which policy gives events their priority: `andond explain` tells the same version for the same rules."""
    policy = policy_of(settings)
    return {"version": policy.version, "rules": len(policy.rules)}


def _oldest(tree: ActorStatus) -> dict[str, float]:
    """For how long the oldest message of each priority waits, wherever; 0 where none does."""
    ages = dict.fromkeys(Priority, 0.0)
    for actor in tree.walk():
        for oldest in (actor.oldest, actor.summarised_oldest):
            for priority, age in oldest.items():
                ages[priority] = max(ages[priority], age)
    return {priority.wire: round(age, 3) for priority, age in ages.items()}


def _mailboxes(tree: ActorStatus | None) -> dict[str, JsonValue]:
    """How many messages of each priority wait in all mailboxes, and for how long the oldest."""
    if tree is None:
        return {}
    depths, ages = _depths(tree), _oldest(tree)
    return {word: {"depth": round(depth), "age": ages[word]} for word, depth in depths.items()}


def _deliveries() -> dict[str, JsonValue]:
    latency = counters.broadcast_latency
    return {
        "published": sum(counters.published),
        "frames_sent": counters.frames_sent,
        "dropped": sum(counters.frames_dropped),
        "conflated": sum(counters.frames_conflated),
        "delivery_ms": {"p50": _ms(latency.quantile(0.5)), "p99": _ms(latency.quantile(0.99))},
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _members(status: ActorStatus) -> dict[str, JsonValue]:
    members: dict[str, JsonValue] = {
        "id": status.id,
        "path": status.path,
        "kind": status.kind,
        "state": status.state,
        "depth": _by_word(status.depth),
        "age": {priority.wire: round(age, 3) for priority, age in status.oldest.items()},
        "handled": status.handled,
        "restarts": status.restarts,
        "last_failure": status.last_failure,
        "last_failure_age": _rounded(status.last_failure_age),
        "last_message_age": _rounded(status.last_message_age),
    }
    if status.handling_age is not None:
        members |= {"handling": status.handling, "handling_age": _rounded(status.handling_age)}
    for name, counts in (("dropped", status.dropped), ("conflated", status.conflated), ("refused", status.refused)):
        if any(counts.values()):
            members[name] = _by_word(counts)
    if status.quarantined:
        members["quarantined"] = status.quarantined
    if status.description:
        members["says"] = dict(status.description)
    if status.children or status.summarised:
        members["children"] = [_members(child) for child in status.children]
        members["summarised"] = status.summarised
    if status.summarised:
        members["summarised_depth"] = _by_word(status.summarised_depth)
        members["summarised_age"] = {priority.wire: round(age, 3) for priority, age in status.summarised_oldest.items()}
        members["summarised_states"] = dict(status.summarised_states)
    return members


def _by_word(counts: Mapping[Priority, int]) -> dict[str, JsonValue]:
    return {priority.wire: count for priority, count in counts.items()}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
