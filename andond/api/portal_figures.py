"""The chain's history in the portal's words: one row a minute, hour or day, and what a longer time had in all.

Rules of this file: no I/O. An average is made from sums, never from the averages of rows. What nobody told in a time is
null, with its reason under the ``reasons`` of the row; a time in which andond did not run has no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from andond.api.portal_documents import percentile
from andond.api.portal_query import Wanted
from domain import JsonValue, rfc3339
from domain.chain import Cell, Cells, Document, Known, Now, Sum, Unknown, document, whole_of

_NOT_HEARD = Unknown("nothing was heard of the chain in this time")
_NO_USERS = Unknown("no event tells who uses the chain")
_NO_LATENCY = Unknown("no transaction that settled in this time told its latencyMs or was seen pending before")
_NO_FINALITY = Unknown("no event of this time told a finalityMs")
_NO_BLOCK_TIME = Unknown("no block of this time told its blockTime, or followed one that was known")
_NO_VALIDATORS = Unknown("no validator was known in this time")
_NO_NODES = Unknown("no peer was known in this time")
_NO_HOST = Unknown("no host reading came in this time")
_NO_STATUS = Unknown("no transaction of this time was told one by one: a block does not say which failed")
_NO_PEAK = Unknown("no rate was known in this time")
_NO_ROWS = Unknown("nothing is kept of this time")
NO_APP = Unknown("no event says which application a transaction belongs to")
NOT_BY_SECONDS = Unknown("it is not kept by the second")

_PERCENT = 100
_MILLI = 1000


class Kept(msgspec.Struct, frozen=True):
    """Rows of what is ``wanted``, read ``at``; ``has_more`` says that older ones were left out."""

    wanted: Wanted
    cells: Cells
    at: float
    has_more: bool = False

    def rows(self, shape: Callable[[Cell], dict[str, Known]]) -> list[JsonValue]:
        """Each row in ``shape``; with an application all values are null, because nobody knows them."""
        return [self._row(at, shape(cell)) for at, cell in self.cells.items()]

    def whole(self) -> Cell:
        """All rows as one."""
        return whole_of(self.cells.values())

    def figures(self, values: Mapping[str, Known]) -> Document:
        """``values`` of the whole time, with what the time is."""
        told = dict.fromkeys(values, NO_APP) if self.wanted.app else dict(values)
        return document(told) | self.time()

    def time(self) -> Document:
        """What the time is."""
        return {
            "startTime": rfc3339(self.wanted.begin),
            "endTime": rfc3339(self.wanted.end),
            "granularity": self.wanted.granularity,
        }

    def heard_percent(self) -> Known:
        """The percent of the time since the first row in which the chain was heard."""
        if not self.cells:
            return _NO_ROWS
        seconds = min(self.wanted.end, self.at) - min(self.cells)
        covered = sum(cell.covered_ms for cell in self.cells.values()) / _MILLI
        return round(min(100.0, covered / seconds * _PERCENT), 3) if seconds > 0 else _NO_ROWS

    def _row(self, at: int, values: Mapping[str, Known]) -> Document:
        told = dict.fromkeys(values, NO_APP) if self.wanted.app else values
        return document({"timestamp": rfc3339(at), **told})


# -- rows -------------------------------------------------------------------------------------------------


def analytics_row(cell: Cell) -> dict[str, Known]:
    """A row of the analytics pages; ``latency`` is the mean in ms, ``errors`` are transactions that failed."""
    return {
        "transactions": _transactions(cell),
        "tps": _rate(cell),
        "peakTPS": _peak(cell),
        "latency": _mean(cell.latency, _NO_LATENCY),
        "errors": _errors(cell),
        "errorRate": _rounded(cell.failed_ratio, _NO_STATUS, 6),
        "activeUsers": _NO_USERS,
    }


def performance_row(cell: Cell) -> dict[str, Known]:
    """A row of the performance pages; times are means in ms, ``validatorCount`` are those that are active."""
    return {
        "tps": _rate(cell),
        "latency": _mean(cell.latency, _NO_LATENCY),
        "finality": _mean(cell.finality, _NO_FINALITY),
        "blockTime": _mean(cell.block_time, _NO_BLOCK_TIME),
        "validatorCount": _NO_VALIDATORS if cell.validators is None else cell.validators[2],
        "totalValidators": _NO_VALIDATORS if cell.validators is None else cell.validators[1],
    }


def percentile_row(cell: Cell) -> dict[str, Known]:
    """A row of percentiles, in ms."""
    return {name: _quantile(cell, ratio) for name, ratio in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}


def dashboard_row(cell: Cell) -> dict[str, Known]:
    """A row of the dashboard's history, under the names of its newest minute."""
    return {
        "tps": _rate(cell),
        "latencyMs": _mean(cell.latency, _NO_LATENCY),
        "cpuUsage": _mean(cell.cpu, _NO_HOST),
        "memoryUsage": _mean(cell.memory, _NO_HOST),
        "activeNodes": _NO_NODES if cell.nodes is None else cell.nodes[2],
    }


def second_rows(history: Sequence[Document]) -> list[JsonValue]:
    """The rows of the last minute, one a second, under the names of the performance pages."""
    return [_second(row) for row in history]


def _second(row: Document) -> Document:
    reasons = row.get("reasons")
    why = reasons if isinstance(reasons, Mapping) else {}
    values: dict[str, Known] = {"timestamp": row["timestamp"]}
    for name, kept in (("tps", "tps"), ("latency", "latencyMs")):
        value = row.get(kept)
        values[name] = Unknown(str(why.get(kept, ""))) if value is None else value
    values |= dict.fromkeys(("finality", "blockTime", "validatorCount", "totalValidators"), NOT_BY_SECONDS)
    return document(values)


# -- whole times ------------------------------------------------------------------------------------------


def aggregated(kept: Kept) -> Document:
    """What the analytics pages show of a time in all."""
    cell = kept.whole()
    return kept.figures(
        {
            "totalTransactions": _transactions(cell),
            "averageTPS": _rate(cell),
            "averageLatency": _mean(cell.latency, _NO_LATENCY),
            "totalErrors": _errors(cell),
            "peakTPS": _peak(cell),
            **{f"{name}Latency": value for name, value in percentile_row(cell).items()},
        }
    )


def summary(kept: Kept) -> Document:
    """What the performance pages show of a time in all; ``uptime`` is ``Kept.heard_percent``."""
    cell = kept.whole()
    return kept.figures(
        {
            "avgTPS": _rate(cell),
            "avgLatency": _mean(cell.latency, _NO_LATENCY),
            "avgFinality": _mean(cell.finality, _NO_FINALITY),
            "avgBlockTime": _mean(cell.block_time, _NO_BLOCK_TIME),
            "peakTPS": _peak(cell),
            "minLatency": _rounded(cell.latency.least, _NO_LATENCY),
            "maxLatency": _rounded(cell.latency.most, _NO_LATENCY),
            **{f"{name}Latency": value for name, value in percentile_row(cell).items()},
            "uptime": kept.heard_percent(),
        }
    )


def percentiles(kept: Kept) -> Document:
    """The latency's percentiles of a time in all, and row by row."""
    cell = kept.whole()
    told = percentile_row(cell)
    values: dict[str, Known] = {
        **told,
        **{f"{name}Latency": value for name, value in told.items()},
        "min": _rounded(cell.latency.least, _NO_LATENCY),
        "max": _rounded(cell.latency.most, _NO_LATENCY),
        "mean": _mean(cell.latency, _NO_LATENCY),
    }
    return {
        **kept.figures(values),
        "count": 0 if kept.wanted.app else cell.latency.count,
        "data": kept.rows(percentile_row),
    }


def realtime_analytics(now: Now) -> Document:
    """The figures of ``aggregated`` as they are now, over the portal's window."""
    return document(
        {
            "totalTransactions": now.total_transactions,
            "averageTPS": now.average_tps,
            "averageLatency": now.latency,
            "totalErrors": now.failed,
            "peakTPS": now.peak_tps,
            **{f"{name}Latency": percentile(now, name) for name in ("p50", "p95", "p99")},
            "currentTPS": now.current_tps,
            "timestamp": rfc3339(now.at),
        }
    )


def realtime_performance(now: Now) -> Document:
    """The figures of ``summary`` as they are now, over the portal's window."""
    interval = now.block_interval
    return document(
        {
            "avgTPS": now.average_tps,
            "avgLatency": now.latency,
            "avgFinality": Unknown("finality is kept by the minute: ask for the summary"),
            "avgBlockTime": interval if isinstance(interval, Unknown) else round(interval * _MILLI),
            "peakTPS": now.peak_tps,
            "minLatency": percentile(now, "least"),
            "maxLatency": percentile(now, "most"),
            **{f"{name}Latency": percentile(now, name) for name in ("p50", "p95", "p99")},
            "uptime": Unknown("the share of a time is asked for with the summary"),
            "currentTPS": now.current_tps,
            "timestamp": rfc3339(now.at),
        }
    )


# -- figures ----------------------------------------------------------------------------------------------


def _transactions(cell: Cell) -> Known:
    return cell.transactions if cell.covered_ms or cell.transactions else _NOT_HEARD


def _rate(cell: Cell) -> Known:
    return _rounded(cell.rate, _NOT_HEARD)


def _peak(cell: Cell) -> Known:
    return _rounded(cell.peak, _NO_PEAK)


def _errors(cell: Cell) -> Known:
    return cell.failed if cell.confirmed or cell.failed else _NO_STATUS


def _quantile(cell: Cell, ratio: float) -> Known:
    return _rounded(cell.latency.quantile(ratio), _NO_LATENCY)


def _mean(counted: Sum, reason: Unknown) -> Known:
    return _rounded(counted.mean, reason)


def _rounded(value: float | None, reason: Unknown, digits: int = 3) -> Known:
    return reason if value is None else round(value, digits)


def flat(rows: Sequence[JsonValue]) -> Iterator[dict[str, JsonValue]]:
    """``rows`` without their reasons, for a table."""
    for row in rows:
        if isinstance(row, Mapping):
            yield {name: value for name, value in row.items() if name != "reasons"}
