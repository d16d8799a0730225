"""What the portal's history answers: times in ms, rates in transactions a second; null beside its reason.

Rules of this file: types alone, as the document shows them; tests hold every answer to them.
"""

from __future__ import annotations

import msgspec

Reasons = dict[str, str]


class AnalyticsRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One minute, hour or day of the analytics pages; ``errors`` are transactions that failed."""

    timestamp: str
    transactions: int | None
    tps: float | None
    peakTPS: float | None  # noqa: N815 - the portal's name
    latency: float | None
    errors: int | None
    errorRate: float | None  # noqa: N815
    activeUsers: int | None  # noqa: N815
    reasons: Reasons = {}


class Aggregated(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A time in all, for the analytics pages."""

    totalTransactions: int | None  # noqa: N815
    averageTPS: float | None  # noqa: N815
    averageLatency: float | None  # noqa: N815
    totalErrors: int | None  # noqa: N815
    peakTPS: float | None  # noqa: N815
    p50Latency: float | None  # noqa: N815
    p95Latency: float | None  # noqa: N815
    p99Latency: float | None  # noqa: N815
    startTime: str  # noqa: N815
    endTime: str  # noqa: N815
    granularity: str
    reasons: Reasons = {}


class PerformanceRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One second, minute, hour or day of the performance pages."""

    timestamp: str
    tps: float | None
    latency: float | None
    finality: float | None
    blockTime: float | None  # noqa: N815
    validatorCount: int | None  # noqa: N815
    totalValidators: int | None  # noqa: N815
    reasons: Reasons = {}


class Summary(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A time in all, for the performance pages; ``uptime`` is the percent of it in which the chain was heard."""

    avgTPS: float | None  # noqa: N815
    avgLatency: float | None  # noqa: N815
    avgFinality: float | None  # noqa: N815
    avgBlockTime: float | None  # noqa: N815
    peakTPS: float | None  # noqa: N815
    minLatency: float | None  # noqa: N815
    maxLatency: float | None  # noqa: N815
    p50Latency: float | None  # noqa: N815
    p95Latency: float | None  # noqa: N815
    p99Latency: float | None  # noqa: N815
    uptime: float | None
    startTime: str  # noqa: N815
    endTime: str  # noqa: N815
    granularity: str
    reasons: Reasons = {}


class PercentileRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One minute, hour or day of percentiles, in ms."""

    timestamp: str
    p50: float | None
    p95: float | None
    p99: float | None
    reasons: Reasons = {}


class Percentiles(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The latency's percentiles of a time in all, and row by row."""

    p50: float | None
    p95: float | None
    p99: float | None
    p50Latency: float | None  # noqa: N815
    p95Latency: float | None  # noqa: N815
    p99Latency: float | None  # noqa: N815
    min: float | None
    max: float | None
    mean: float | None
    count: int
    data: list[PercentileRow]
    startTime: str  # noqa: N815
    endTime: str  # noqa: N815
    granularity: str
    reasons: Reasons = {}


class DashboardPoint(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One row of the dashboard's history; ``cpuUsage`` in percent and ``memoryUsage`` in MB, of this host."""

    timestamp: str
    tps: float | None
    latencyMs: float | None  # noqa: N815
    cpuUsage: float | None  # noqa: N815
    memoryUsage: float | None  # noqa: N815
    activeNodes: int | None  # noqa: N815
    reasons: Reasons = {}


class DashboardHistory(msgspec.Struct, kw_only=True):
    """The dashboard's history of a period."""

    period: str
    dataPoints: int  # noqa: N815
    data: list[DashboardPoint]
    startTime: str  # noqa: N815
    endTime: str  # noqa: N815
    granularity: str


class Period(msgspec.Struct, kw_only=True):
    """The analytics of a period: in all, and row by row for both kinds of pages."""

    period: str
    summary: Aggregated
    metrics: list[AnalyticsRow]
    performance: list[PerformanceRow]
    startTime: str  # noqa: N815
    endTime: str  # noqa: N815
    granularity: str


class ReportBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a report is about; other members are nobody's business here."""

    startTime: str | int | None = None  # noqa: N815
    endTime: str | int | None = None  # noqa: N815
    granularity: str | None = None
    appId: str | None = None  # noqa: N815


class Report(msgspec.Struct, kw_only=True):
    """A report on a time: both kinds of figures, in all and row by row."""

    generatedAt: str  # noqa: N815
    aggregated: Aggregated
    summary: Summary
    latencyPercentiles: Percentiles  # noqa: N815
    metrics: list[AnalyticsRow]
    performance: list[PerformanceRow]
    startTime: str  # noqa: N815
    endTime: str  # noqa: N815
    granularity: str
