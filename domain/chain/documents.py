"""What the portal's periodic channels carry: the data of one update each.

Rules of this file: the names are the contract's (four live channels, the metrics DTO with the web client's names
beside it). ``observedAt`` is when the newest event behind the values came, in Unix ms; ``reasons`` says of every
null why. Members of a block's event beyond the contract are passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from domain.chain.fields import BLOCK, PEER, TRANSACTION, VALIDATOR
from domain.chain.members import CONTRACT
from domain.chain.now import Now
from domain.chain.provenance import without_provenance
from domain.chain.surroundings import Surroundings
from domain.chain.unknown import REASONS, Document, Known, Unknown, carried, document
from domain.moment import rfc3339

INTERVALS: Mapping[str, float] = MappingProxyType(
    {
        "portal.tps": 1.0,
        "portal.block": 2.0,
        "portal.network": 3.0,
        "portal.validators": 5.0,
        "portal.metrics": 1.0,
    }
)
"""Seconds between two updates, by the type of the event that carries them."""

_VALIDATOR_FIELDS = (
    "totalValidators",
    "activeValidators",
    "inactiveValidators",
    "jailedValidators",
    "unknownValidators",
)


def tps_update(now: Now) -> Document:
    """How fast the chain is."""
    return document(
        {
            "currentTPS": now.current_tps,
            "peakTPS": now.peak_tps,
            "averageTPS": now.average_tps,
            "latency": now.latency,
            "throughput": now.throughput,
            "observedAt": now.observed_at(TRANSACTION, BLOCK),
        }
    )


def block_update(now: Now) -> Document:
    """The newest block, with all that its event carried."""
    block = now.block
    if isinstance(block, Unknown):
        values: dict[str, Known] = dict.fromkeys(CONTRACT[BLOCK], block)
    else:
        names = (*without_provenance(block), *CONTRACT[BLOCK])
        values = {name: carried(block, name) for name in names if name != REASONS}
    return document({**values, "observedAt": now.observed_at(BLOCK)})


def network_update(now: Now) -> Document:
    """The peers, as the nodes that report to us see them."""
    return document(
        {
            "activeNodes": now.active_nodes,
            "totalNodes": now.total_nodes,
            "networkHealth": now.network_health,
            "avgLatency": now.network_latency,
            "nodesLeftOut": now.view.peers.left_out,
            "observedAt": now.observed_at(PEER),
        }
    )


def validator_update(now: Now) -> Document:
    """How many validators there are, by status."""
    return document(
        {
            **validator_counts(now),
            "validatorsLeftOut": now.view.validators.left_out,
            "observedAt": now.observed_at(VALIDATOR),
        }
    )


def validator_counts(now: Now) -> dict[str, Known]:
    """The counts of validators: all of them, and those of each status."""
    counts = now.validators
    if isinstance(counts, Unknown):
        return dict.fromkeys(_VALIDATOR_FIELDS, counts)
    return dict(counts)


def metrics(now: Now, around: Surroundings) -> Document:
    """The metrics DTO, and the same under the names that the portal's web client reads."""
    cpu, memory = around.known("cpu_percent"), around.known("memory_mb")
    spread = now.spread
    tps = now.current_tps
    return document(
        {
            "timestamp": rfc3339(now.at),
            "tps": tps,
            "cpu": cpu,
            "memory": memory,
            "connections": around.known("connections"),
            "errorRate": around.known("error_rate"),
            "avgTps": now.average_tps,
            "peakTps": now.peak_tps,
            "totalTransactions": now.total_transactions,
            "activeTransactions": Unknown("no event says which transactions are being worked on"),
            "pendingTransactions": now.pending,
            "avgLatencyMs": now.latency,
            "p95LatencyMs": spread if isinstance(spread, Unknown) else spread.p95,
            "p99LatencyMs": spread if isinstance(spread, Unknown) else spread.p99,
            "memoryUsageMb": memory,
            "cpuUsagePercent": cpu,
            "observedAt": now.observed_at(TRANSACTION, BLOCK),
        }
    )


def history_row(now: Now, around: Surroundings) -> Document:
    """One row of the dashboard's recent history, for ``ChainView.note``."""
    return document(
        {
            "timestamp": rfc3339(now.at),
            "tps": now.current_tps,
            "latencyMs": now.latency,
            "cpuUsage": around.known("cpu_percent"),
            "memoryUsage": around.known("memory_mb"),
            "activeNodes": now.active_nodes,
        }
    )


LIVE: Mapping[str, Callable[[Now], Document]] = MappingProxyType(
    {
        "portal.tps": tps_update,
        "portal.block": block_update,
        "portal.network": network_update,
        "portal.validators": validator_update,
    }
)
"""The updates of the live stream, by the type of the event that carries them."""
