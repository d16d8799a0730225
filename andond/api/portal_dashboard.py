"""What the ledger portal's dashboard asks for: its objects, each a reading of the chain and of this host now.

Rules of this file: no I/O. The names are the predecessor's dashboard's. What nobody told or measured is null, with its
reason under the ``reasons`` of the object it stands in.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType

from andond.api.portal_documents import Listing, Shape, consensus, health, percentile, target
from andond.version import VERSION
from domain import JsonValue, rfc3339
from domain.chain import (
    INTERVALS,
    Document,
    Entry,
    Known,
    Now,
    Surroundings,
    Unknown,
    carried,
    document,
    milliseconds,
)

NODE_LIMIT = 100
"""How many nodes the whole dashboard shows; its nodes by themselves have a limit of their own."""

_NOT_TOLD = Unknown("no event of the chain tells it")
_NOT_COUNTED = Unknown("andond does not count it")


def transaction_metrics(now: Now) -> Document:
    """The dashboard's object of the same name."""
    return document(
        {
            "currentTPS": now.current_tps,
            "averageTPS": now.average_tps,
            "peakTPS": now.peak_tps,
            "totalTransactions": now.total_transactions,
            "pendingTransactions": now.pending,
            "confirmedTransactions": now.confirmed,
            "failedTransactions": now.failed,
            "successRate": now.success_ratio,
            "averageFinalityMs": now.latency,
            "p50FinalityMs": percentile(now, "p50"),
            "p95FinalityMs": percentile(now, "p95"),
            "p99FinalityMs": percentile(now, "p99"),
            "transactionsByType": _NOT_TOLD,
        }
    )


def network_metrics(now: Now, around: Surroundings) -> Document:
    """The dashboard's object of the same name."""
    total, active = now.total_nodes, now.active_nodes
    return document(
        {
            "totalNodes": total,
            "activeNodes": active,
            "inactiveNodes": total - active if isinstance(total, int) and isinstance(active, int) else total,
            "totalBlocks": now.block_height,
            "averageBlockTime": _block_time(now),
            "networkLatencyMs": now.network_latency,
            "bandwidthInMBps": around.known("received_mb_per_second"),
            "bandwidthOutMBps": around.known("sent_mb_per_second"),
            "activeConnections": around.known("connections"),
            "networkHealthScore": _rounded(now.peer_ratio),
        }
    )


def consensus_metrics(now: Now) -> Document:
    """The dashboard's object of the same name."""
    told = consensus(now)
    return document(
        {
            "consensusAlgorithm": _NOT_TOLD,
            "currentTerm": told["term"],
            "leaderId": told["leader"],
            "commitIndex": _NOT_TOLD,
            "consensusLatencyMs": _NOT_TOLD,
            "throughputTPS": now.throughput,
            "quorumSize": _NOT_TOLD,
            "activeValidators": told["activeValidators"],
            "consensusHealthScore": told["performanceScore"],
            "totalConsensusOps": _NOT_TOLD,
            "failedConsensusOps": _NOT_TOLD,
        }
    )


def system_performance(around: Surroundings) -> Document:
    """The dashboard's object of the same name: this host and this daemon."""
    return document(
        {
            "cpuUtilization": around.known("cpu_percent"),
            "memoryUsedMB": around.known("memory_mb"),
            "memoryTotalMB": around.known("memory_total_mb"),
            "diskUsedGB": around.known("disk_used_gb"),
            "diskTotalGB": around.known("disk_total_gb"),
            "diskIOReadMBps": around.known("disk_read_mb_per_second"),
            "diskIOWriteMBps": around.known("disk_write_mb_per_second"),
            "activeThreads": around.known("threads"),
            "threadPoolSize": Unknown("andond has no thread pool"),
            "gcPauseMs": _NOT_COUNTED,
            "uptimeSeconds": around.known("uptime"),
        }
    )


def node_health(now: Now, limit: int) -> list[JsonValue]:
    """The dashboard's rows of the same name: the peers, as far as their events tell."""
    return [_node_health(entry) for entry in islice(now.view.peers, limit)]


def nodes(now: Now, limit: int) -> Document:
    """The dashboard's nodes by themselves."""
    return {"nodes": node_health(now, limit), "timestamp": milliseconds(now.at)}


def dashboard(now: Now, around: Surroundings) -> Document:
    """All of the dashboard's objects."""
    return {
        "transactionMetrics": transaction_metrics(now),
        "networkMetrics": network_metrics(now, around),
        "consensusMetrics": consensus_metrics(now),
        "nodeHealth": node_health(now, NODE_LIMIT),
        "systemPerformance": system_performance(around),
        "recentHistory": list(now.view.history),
        "timestamp": milliseconds(now.at),
        "updateIntervalMs": round(INTERVALS["portal.metrics"] * 1000),
    }


def dashboard_config(now: Now, around: Surroundings) -> Document:
    """What the dashboard can ask for, and how often it changes."""
    del around
    intervals: dict[str, JsonValue] = {type_: round(interval * 1000) for type_, interval in INTERVALS.items()}
    return {
        "version": VERSION,
        "updateIntervals": intervals,
        "websocket": {"endpoint": "/ws/dashboard", "protocol": "ws"},
        "historicalDataPeriods": ["1h", "6h", "24h"],
        "windowSeconds": now.view.window,
        "staleAfterSeconds": now.view.stale_after,
        "timestamp": milliseconds(now.at),
    }


def dashboard_performance(now: Now, around: Surroundings) -> Document:
    """The dashboard's page on throughput, latency and reliability."""
    return {
        "throughput": _throughput(now),
        "latency": _latency(now),
        "reliability": _reliability(now, around),
        "timestamp": milliseconds(now.at),
    }


def dashboard_transactions(now: Now, around: Surroundings) -> Document:
    """The dashboard's transactions by themselves."""
    del around
    return {**transaction_metrics(now), "timestamp": milliseconds(now.at)}


def _throughput(now: Now) -> Document:
    interval, told = now.block_interval, now.transactions_per_block
    return document(
        {
            "currentTPS": now.current_tps,
            "averageTPS": now.average_tps,
            "peakTPS": now.peak_tps,
            "targetTPS": target(now),
            "throughputEfficiency": _ratio(now.throughput, target(now), "the target is 0"),
            "totalTransactionsProcessed": now.total_transactions,
            "blocksPerSecond": interval
            if isinstance(interval, Unknown)
            else _ratio(1.0, interval, "blocks take no time"),
            "transactionsPerBlock": told,
        }
    )


def _latency(now: Now) -> Document:
    return document(
        {
            "averageLatencyMs": now.latency,
            "p50LatencyMs": percentile(now, "p50"),
            "p95LatencyMs": percentile(now, "p95"),
            "p99LatencyMs": percentile(now, "p99"),
            "minLatencyMs": percentile(now, "least"),
            "maxLatencyMs": percentile(now, "most"),
            "finalityTimeMs": now.latency,
            "consensusLatencyMs": _NOT_TOLD,
        }
    )


def _reliability(now: Now, around: Surroundings) -> Document:
    return document(
        {
            "errorRate": around.known("error_rate"),
            "totalErrors": now.failed,
            "totalRequests": now.total_transactions,
            "successRate": now.success_ratio,
            "timeoutsCount": _NOT_COUNTED,
            "retriesCount": _NOT_COUNTED,
            "errorsByType": _NOT_TOLD,
            "uptime": around.known("uptime"),
            "lastFailure": _NOT_COUNTED,
        }
    )


def _node_health(entry: Entry) -> Document:
    is_connected = entry.members.get("connected") is True
    return document(
        {
            "nodeId": entry.members["peerId"],
            "status": "CONNECTED" if is_connected else "DISCONNECTED",
            "role": _NOT_TOLD,
            "cpuUsage": _NOT_TOLD,
            "memoryUsage": _NOT_TOLD,
            "diskUsage": _NOT_TOLD,
            "uptime": _NOT_TOLD,
            "lastHeartbeat": rfc3339(entry.at),
            "latencyMs": carried(entry.members, "latency"),
            "blocksProcessed": _NOT_TOLD,
            "transactionsProcessed": _NOT_TOLD,
            "isHealthy": is_connected,
        }
    )


def _block_time(now: Now) -> Known:
    interval = now.block_interval
    return interval if isinstance(interval, Unknown) else round(interval * 1000)


def _rounded(ratio: float | Unknown) -> Known:
    return ratio if isinstance(ratio, Unknown) else round(ratio, 6)


def _ratio(part: Known, whole: Known, reason: str) -> Known:
    """``part`` of ``whole``; ``reason`` says why there is none when ``whole`` is 0."""
    if not isinstance(part, int | float):
        return part
    if not isinstance(whole, int | float):
        return whole
    return round(part / whole, 6) if whole else Unknown(reason)


DASHBOARD_DOCUMENTS: Mapping[str, Shape] = MappingProxyType(
    {
        "/dashboard": dashboard,
        "/analytics/dashboard": dashboard,
        "/dashboard/performance": dashboard_performance,
        "/analytics/performance": dashboard_performance,
        "/dashboard/transactions": dashboard_transactions,
        "/dashboard/config": dashboard_config,
        "/dashboard/health": health,
        "/analytics/health": health,
    }
)
"""Paths below the prefix that take no question."""

DASHBOARD_LISTINGS: Mapping[str, Listing] = MappingProxyType({"/dashboard/nodes": nodes})
"""Paths below the prefix that list something, up to a limit."""
