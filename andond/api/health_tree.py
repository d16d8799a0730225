"""What the gateway's status says of the tree of actors, the journal and the deliveries.

Rules of this file: it shapes what was asked for and counted elsewhere; a part that did not answer is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from actors import policy_of
from actors.places import AUDITOR, CANARY, DESKS, KEYS, LISTENERS, RECORDER, SOURCES
from actors.runtime import ActorStatus
from config import PolicySettings
from domain import JsonValue, Priority
from telemetry import PRIORITIES, counters


def unanswered(tree: ActorStatus | None) -> list[str]:
    """The permanent actors that did not answer: those the daemon is made of, sources and channels apart."""
    if tree is None:
        return ["the actor tree is gone"]
    return [f"{actor.path} is {actor.state}" for actor in _permanent(tree) if actor.state != "running"]


def _permanent(tree: ActorStatus) -> list[ActorStatus]:
    inner = (DESKS, LISTENERS)
    below = [child for part in tree.children if part.path in inner for child in part.children]
    return [tree, *tree.children, *below]


def sources(tree: ActorStatus | None) -> list[Mapping[str, JsonValue]]:
    """What each source says of itself; one that does not answer is told by what is known from outside."""
    found = next((child for child in tree.children if child.path == SOURCES), None) if tree is not None else None
    if found is None:
        return []
    return [
        {"name": source.id, "kind": source.kind, "state": source.state, **source.description}
        for source in found.children
    ]


def states(tree: ActorStatus | None) -> dict[str, JsonValue]:
    """How fresh each source says that it is."""
    return {str(source["name"]): source.get("state") for source in sources(tree)}


def readiness(missing: list[str]) -> dict[str, JsonValue]:
    """Whether the gateway is ready, and what is missing."""
    return {"ready": not missing, "not_ready": list(missing)}


def says(tree: ActorStatus | None, path: str) -> dict[str, JsonValue]:
    """What the lasting actor at ``path`` says of itself; nothing if it does not answer."""
    actors = tree.walk() if tree is not None else ()
    return next((dict(actor.description) for actor in actors if actor.path == path), {})


def issuers(tree: ActorStatus | None) -> list[JsonValue]:
    """The issuers whose public keys are fetched: how many there are, how old, and why they are no newer."""
    told = says(tree, KEYS).items()
    return [{"name": name, **said} for name, said in told if isinstance(said, Mapping)]


def journal(tree: ActorStatus | None) -> dict[str, JsonValue]:
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
    return {**says(tree, RECORDER), **figures}


def unwritable(tree: ActorStatus | None) -> list[str]:
    """Why the journal or the audit cannot be written."""
    fault = says(tree, RECORDER).get("fault")
    noted = says(tree, AUDITOR).get("fault")
    words = [f"journal not writable: {fault}"] if isinstance(fault, str) else []
    return [*words, f"audit not writable: {noted}"] if isinstance(noted, str) else words


def far(tree: ActorStatus | None) -> list[str]:
    """What the canary has found out, if too many clients are too far away."""
    found = says(tree, CANARY).get("not_ready")
    return [found] if isinstance(found, str) else []


def is_fresh(source: Mapping[str, JsonValue]) -> float:
    """1 for a source whose newest reading is current, else 0."""
    return 1.0 if source.get("state") == "fresh" else 0.0


def age_of(source: Mapping[str, JsonValue]) -> float | None:
    """How old the newest reading of a source is, in seconds."""
    age = source.get("age")
    return float(age) if isinstance(age, int | float) else None


def by_source(tree: ActorStatus, read: Callable[[Mapping[str, JsonValue]], float | None]) -> dict[str, float]:
    """What ``read`` makes of each source, where that is known."""
    values = {str(source["name"]): read(source) for source in sources(tree)}
    return {name: value for name, value in values.items() if value is not None}


def depths(tree: ActorStatus) -> dict[str, float]:
    """How many messages of each priority wait, wherever."""
    waiting = dict.fromkeys(Priority, 0)
    for actor in tree.walk():
        for priority in Priority:
            waiting[priority] += actor.depth.get(priority, 0) + actor.summarised_depth.get(priority, 0)
    return {priority.wire: float(count) for priority, count in waiting.items()}


def policy(settings: PolicySettings) -> dict[str, JsonValue]:
    """Which policy gives events their priority: `andond explain` tells the same version for the same rules."""
    policy = policy_of(settings)
    return {"version": policy.version, "rules": len(policy.rules)}


def oldest(tree: ActorStatus) -> dict[str, float]:
    """For how long the oldest message of each priority waits, wherever; 0 where none does."""
    ages = dict.fromkeys(Priority, 0.0)
    for actor in tree.walk():
        for oldest in (actor.oldest, actor.summarised_oldest):
            for priority, age in oldest.items():
                ages[priority] = max(ages[priority], age)
    return {priority.wire: round(age, 3) for priority, age in ages.items()}


def mailboxes(tree: ActorStatus | None) -> dict[str, JsonValue]:
    """How many messages of each priority wait in all mailboxes, and for how long the oldest."""
    if tree is None:
        return {}
    ages = oldest(tree)
    return {word: {"depth": round(depth), "age": ages[word]} for word, depth in depths(tree).items()}


def deliveries() -> dict[str, JsonValue]:
    """What was delivered to clients, and how fast."""
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


def members(status: ActorStatus) -> dict[str, JsonValue]:
    """An actor as JSON, with those below it."""
    told: dict[str, JsonValue] = {
        "id": status.id,
        "path": status.path,
        "kind": status.kind,
        "state": status.state,
        "depth": _by_word(status.depth),
        "age": {priority.wire: round(age, 3) for priority, age in status.oldest.items()},
        "handled": status.handled,
        "restarts": status.restarts,
        "last_failure": status.last_failure,
        "last_failure_age": rounded(status.last_failure_age),
        "last_message_age": rounded(status.last_message_age),
    }
    if status.handling_age is not None:
        told |= {"handling": status.handling, "handling_age": rounded(status.handling_age)}
    for name, counts in (("dropped", status.dropped), ("conflated", status.conflated), ("refused", status.refused)):
        if any(counts.values()):
            told[name] = _by_word(counts)
    if status.quarantined:
        told["quarantined"] = status.quarantined
    if status.description:
        told["says"] = dict(status.description)
    if status.children or status.summarised:
        told["children"] = [members(child) for child in status.children]
        told["summarised"] = status.summarised
    if status.summarised:
        told["summarised_depth"] = _by_word(status.summarised_depth)
        told["summarised_age"] = {priority.wire: round(age, 3) for priority, age in status.summarised_oldest.items()}
        told["summarised_states"] = dict(status.summarised_states)
    return told


def _by_word(counts: Mapping[Priority, int]) -> dict[str, JsonValue]:
    return {priority.wire: count for priority, count in counts.items()}


def rounded(seconds: float | None) -> float | None:
    """Seconds to the millisecond."""
    return None if seconds is None else round(seconds, 3)
