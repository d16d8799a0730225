"""What the ledger portal's REST paths answer: one function a document, each a reading of the chain now.

Rules of this file: no I/O. The names are the contract's, docs/reference/portal.md says where each value comes from.
What nobody told or measured is null, with its reason under the ``reasons`` of the object it stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from types import MappingProxyType

from andond.api.portal_finding import found
from andond.version import VERSION
from domain import JsonValue, rfc3339
from domain.chain import (
    BLOCK,
    CONSENSUS,
    CONTRACT,
    INTERVALS,
    PEER,
    TRANSACTION,
    VALIDATOR,
    Document,
    Entry,
    Known,
    Now,
    Surroundings,
    Unknown,
    carried,
    document,
    health_document,
    members_of,
    metrics,
    milliseconds,
    network_health,
    network_update,
    validator_counts,
)

Shape = Callable[[Now, Surroundings], Document]
Listing = Callable[[Now, int], Document]

_UNLINKED = Unknown("chain.peer events do not tell who is linked to whom")
_VALIDATOR_NAMES = (
    "publicKey",
    "name",
    "blocksProduced",
    "missedBlocks",
    "stake",
    "lastBlockTime",
    "performance",
    "registeredAt",
    "operator",
    "reason",
    "since",
    "sinceAt",
    "jailedUntil",
)


def blockchain_stats(now: Now, around: Surroundings) -> Document:
    """The numbers that a chart falls back to, each under the two names that clients try."""
    del around
    wanted, tps, peak, average = target(now), now.current_tps, now.peak_tps, now.average_tps
    return document(
        {
            "currentTPS": tps,
            "tps": tps,
            "targetTPS": wanted,
            "target": wanted,
            "peakTPS": peak,
            "peak": peak,
            "averageTPS": average,
            "average": average,
            "latency": now.latency,
            "throughput": now.throughput,
            "totalTransactions": now.total_transactions,
            "blockHeight": now.block_height,
            "activeNodes": now.active_nodes,
            "totalNodes": now.total_nodes,
            "networkHealth": now.network_health,
            "timestamp": milliseconds(now.at),
        }
    )


def stats(now: Now, around: Surroundings) -> Document:
    """The chain's numbers together with the validators' and the daemon's own."""
    own = {
        **validator_counts(now),
        "pendingTransactions": now.pending,
        "connections": around.known("connections"),
        "errorRate": around.known("error_rate"),
        "uptime": around.known("uptime"),
        "version": VERSION,
    }
    return joined(blockchain_stats(now, around), document(own))


def health(now: Now, around: Surroundings) -> Document:
    """Whether all is well: degraded when a chain stands still, one that is watched is in jail, or nothing is heard."""
    silence = now.silence
    troubles = [*around.troubles, *([] if silence is None else [silence.reason])]
    return document(
        {
            "status": "degraded" if troubles else "healthy",
            "message": "; ".join(troubles) or "chain events are coming in",
            "version": VERSION,
            "uptime": around.known("uptime"),
            "blockHeight": now.block_height,
            "networkHealth": now.network_health,
            "timestamp": milliseconds(now.at),
        }
    )


def info(now: Now, around: Surroundings) -> Document:
    """What answers here, and how often it updates."""
    intervals: dict[str, JsonValue] = {type_: round(interval * 1000) for type_, interval in INTERVALS.items()}
    return document(
        {
            "name": "andond",
            "version": VERSION,
            "uptime": around.known("uptime"),
            "targetTPS": target(now),
            "windowSeconds": now.view.window,
            "staleAfterSeconds": now.view.stale_after,
            "updateIntervalsMs": intervals,
            "timestamp": milliseconds(now.at),
        }
    )


def performance(now: Now, around: Surroundings) -> Document:
    """Rates, latencies and errors, flat."""
    return document(
        {
            "avgLatency": now.latency,
            "p50Latency": percentile(now, "p50"),
            "p95Latency": percentile(now, "p95"),
            "p99Latency": percentile(now, "p99"),
            "throughput": now.throughput,
            "currentTPS": now.current_tps,
            "averageTPS": now.average_tps,
            "peakTPS": now.peak_tps,
            "errorRate": around.known("error_rate"),
            "timestamp": milliseconds(now.at),
        }
    )


def live_metrics(now: Now, around: Surroundings) -> Document:
    """The metrics DTO, with the names that the dashboard's hooks read."""
    hooks = document(
        {
            "blockHeight": now.block_height,
            "activeNodes": now.active_nodes,
            "transactionVolume": now.total_transactions,
            "networkStatus": now.network_health,
        }
    )
    return joined(metrics(now, around), hooks)


def network_health_told(now: Now, around: Surroundings) -> Document:
    """The network's health by its published rule, with every check behind it."""
    del around
    return {**health_document(now.network_health, now.checks), "timestamp": milliseconds(now.at)}


def live_network(now: Now, limit: int) -> Document:
    """The network update, and the peers themselves."""
    return {**network_update(now), "peers": _nodes(now, limit), "timestamp": milliseconds(now.at)}


def topology(now: Now, limit: int) -> Document:
    """The peers as nodes; who is linked to whom no event tells."""
    unlinked = document({"links": _UNLINKED, "nodes": _nodes(now, limit), "timestamp": milliseconds(now.at)})
    return joined(network_update(now), unlinked)


def transactions(now: Now, limit: int) -> Document:
    """The newest transactions, newest first."""
    listed: list[JsonValue] = [_members(TRANSACTION, entry) for entry in now.view.transactions.first(limit)]
    return document(
        {
            "transactions": listed,
            "count": len(listed),
            "total": now.total_transactions,
            "timestamp": milliseconds(now.at),
        }
    )


def blocks(now: Now, limit: int) -> Document:
    """The newest blocks, newest first."""
    listed: list[JsonValue] = [_members(BLOCK, entry) for entry in now.view.blocks.first(limit)]
    return document(
        {
            "blocks": listed,
            "count": len(listed),
            "blockHeight": now.block_height,
            "timestamp": milliseconds(now.at),
        }
    )


def validators(now: Now, limit: int) -> Document:
    """The validators in the order in which they were first told, with their counts."""
    entries = list(now.view.validators)
    listed: list[JsonValue] = [_validator(entry) for entry in entries[:limit]]
    stakes = [stake for entry in entries if isinstance(stake := entry.members.get("stake"), int | float)]
    return document(
        {
            "validators": listed,
            **validator_counts(now),
            "networkBlockHeight": now.block_height,
            "totalNetworkStake": sum(stakes) if stakes else Unknown("no validator event carried stake"),
            "timestamp": milliseconds(now.at),
        }
    )


def validator(now: Now, name: str) -> Document | None:
    """One validator, or None if it was never told of."""
    entry = found(now.view.validators, name)
    return None if entry is None else _validator(entry)


def validators_health(now: Now, around: Surroundings) -> Document:
    """Whether enough validators are active: the rule of the network's health."""
    del around
    counts = now.validators
    if isinstance(counts, Unknown):
        status: Known = counts
        message = counts.reason
    else:
        total, active = counts["totalValidators"], counts["activeValidators"]
        status = network_health(active, total)
        message = f"{active} of {total} validators are active"
    known = validator_counts(now)
    return document(
        {
            "status": status,
            "message": message,
            "totalValidators": known["totalValidators"],
            "activeValidators": known["activeValidators"],
            "networkBlockHeight": now.block_height,
        }
    )


def consensus_status(now: Now, around: Surroundings) -> Document:
    """The newest consensus event."""
    del around
    return document(
        {**consensus(now), "observedAt": now.observed_at(CONSENSUS), "timestamp": milliseconds(now.at)},
    )


def target(now: Now) -> Known:
    """The rate that the operator wants to see."""
    wanted = now.view.target_tps
    return Unknown("portal.target_tps is not set") if wanted is None else wanted


def percentile(now: Now, name: str) -> Known:
    """One of the numbers of ``Spread`` by its name, in ms."""
    spread = now.spread
    if isinstance(spread, Unknown):
        return spread
    value: float = getattr(spread, name)
    return round(value, 3)


def consensus(now: Now) -> dict[str, Known]:
    """The consensus DTO's fields."""
    told = now.consensus
    if isinstance(told, Unknown):
        return dict.fromkeys(CONTRACT[CONSENSUS], told)
    return {name: carried(told, name) for name in CONTRACT[CONSENSUS]}


def joined(first: Document, second: Document) -> Document:
    """The members of both, and the reasons of both; where both have one, the second's."""
    reasons = [part["reasons"] for part in (first, second) if isinstance(part.get("reasons"), Mapping)]
    members = {**first, **second}
    if reasons:
        members["reasons"] = {
            name: reason
            for part in reasons
            if isinstance(part, Mapping)
            for name, reason in part.items()
            if members.get(name) is None
        }
    return members


def _members(type_: str, entry: Entry) -> Document:
    return members_of(type_, entry.members, rfc3339(entry.at))


def _validator(entry: Entry) -> Document:
    told = _members(VALIDATOR, entry)
    names = {"validatorId": told["validator"], **{name: carried(entry.members, name) for name in _VALIDATOR_NAMES}}
    return joined(told, document(names))


def _nodes(now: Now, limit: int) -> list[JsonValue]:
    return [_members(PEER, entry) for entry in islice(now.view.peers, limit)]


DOCUMENTS: Mapping[str, Shape] = MappingProxyType(
    {
        "/blockchain/stats": blockchain_stats,
        "/stats": stats,
        "/health": health,
        "/info": info,
        "/performance": performance,
        "/metrics": metrics,
        "/live/metrics": live_metrics,
        "/live/validators/health": validators_health,
        "/consensus": consensus_status,
        "/consensus/status": consensus_status,
        "/network/health": network_health_told,
    }
)
"""Paths below the prefix that take no question."""

LISTINGS: Mapping[str, Listing] = MappingProxyType(
    {
        "/live/network": live_network,
        "/network/topology": topology,
        "/live/transactions": transactions,
        "/transactions": transactions,
        "/blocks": blocks,
        "/live/validators": validators,
        "/validators": validators,
    }
)
"""Paths below the prefix that list something, up to a limit."""
