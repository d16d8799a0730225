"""The chain's history by HTTP: the analytics and performance pages, the dashboard's history, exports and reports.

Rules of this file: a handler reads what is wanted, has it shaped in a thread, because a day of minutes takes longer
than another client should wait, and answers. The shapes are ``portal_figures``'s; all of it stands under both prefixes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

import trio

from andond.api.describe import Operation, Parameter
from andond.api.portal import RETRY_AFTER, DeskBusy, PlainHandler, PortalData, busy
from andond.api.portal_documents import validators
from andond.api.portal_export import FORMATS, exported, format_of
from andond.api.portal_figures import (
    Kept,
    aggregated,
    analytics_row,
    dashboard_row,
    percentiles,
    performance_row,
    realtime_analytics,
    realtime_performance,
    second_rows,
    summary,
)
from andond.api.portal_query import RANGE, ROW_LIMIT, SECOND, Wanted, period_of, wanted_of
from andond.api.portal_routes import PortalRoutes, about
from andond.api.portal_types import (
    Aggregated,
    AnalyticsRow,
    DashboardHistory,
    Percentiles,
    PerformanceRow,
    Period,
    Report,
    ReportBody,
    Summary,
)
from domain import JsonValue, rfc3339
from domain.chain import Cell, Cells, Known, Now
from transport import CodecError, ProtocolError, Request, Response, Routes, decode_json, json_response

DASHBOARD_PERIODS = ("1h", "6h", "24h")
ANALYTICS_PERIODS = ("24h", "7d", "30d", "90d")
VALIDATOR_LIMIT = 1000

_FORMAT = Parameter("format", "Form of the file", {"type": "string", "enum": list(FORMATS), "default": "csv"})
_SECONDS = (
    *RANGE[:2],
    Parameter(
        "granularity",
        "Length of a row; of seconds there is the last minute",
        {"type": "string", "enum": [SECOND, "minute", "hour", "day"], "default": "minute"},
    ),
    RANGE[3],
)

T = TypeVar("T")

RowShape = Callable[[Cell], dict[str, Known]]


class HistoryAway(Exception):
    """The history cannot be read: its file cannot be, or its keeper is restarting."""


class HistoryData(PortalData, Protocol):
    """Where the history comes from."""

    async def history(self, span: int, begin: float, end: float, limit: int) -> tuple[Cells, bool]:
        """The newest ``limit`` rows of ``span``, the running one too, and whether older ones were left out.

        Raises:
            DeskBusy: if the desk did not answer in time.
            HistoryAway: if it cannot be read.
        """


class HistoryResource:
    """The handlers; each of the makers returns one for a path."""

    def __init__(self, data: HistoryData, clock: Callable[[], float] = time.time) -> None:
        self._data = data
        self._clock = clock

    def rows(self, shape: RowShape, *, has_seconds: bool = False) -> PlainHandler:
        """A handler that answers with rows in ``shape``."""

        async def answer(request: Request) -> Response:
            wanted = wanted_of(request.query, self._clock(), has_seconds=has_seconds)
            if wanted.granularity == SECOND:
                return json_response(await self._seconds(wanted))
            return await self._shaped(wanted, lambda kept: json_response(kept.rows(shape)))

        return answer

    def whole(self, shape: Callable[[Kept], dict[str, JsonValue]]) -> PlainHandler:
        """A handler that answers with what ``shape`` makes of a time in all."""

        async def answer(request: Request) -> Response:
            wanted = wanted_of(request.query, self._clock())
            return await self._shaped(wanted, lambda kept: json_response(shape(kept)))

        return answer

    def export(self, name: str, shape: RowShape) -> PlainHandler:
        """A handler that answers with a file called ``name`` of rows in ``shape``."""
        columns = ("timestamp", *shape(Cell()))

        async def answer(request: Request) -> Response:
            format_ = format_of(request.query)
            wanted = wanted_of(request.query, self._clock())
            return await self._shaped(wanted, lambda kept: exported(name, wanted, kept.rows(shape), columns, format_))

        return answer

    def now(self, shape: Callable[[Now], JsonValue]) -> PlainHandler:
        """A handler that answers with what ``shape`` makes of the chain now."""

        async def answer(_request: Request) -> Response:
            return json_response(await self._read(shape))

        return answer

    async def report(self, request: Request) -> Response:
        """A report on a time, with all that is kept of it."""
        wanted = wanted_of(_asked(request.body), self._clock())
        return await self._shaped(wanted, lambda kept: json_response(_report(kept)))

    async def dashboard(self, request: Request, period: str) -> Response:
        """The dashboard's history of a period."""
        wanted = period_of(period, DASHBOARD_PERIODS, self._clock())
        del request
        return await self._shaped(wanted, lambda kept: json_response(_dashboard(period, kept)))

    async def period(self, request: Request, period: str) -> Response:
        """The analytics of a period."""
        wanted = period_of(period, ANALYTICS_PERIODS, self._clock())
        del request
        return await self._shaped(wanted, lambda kept: json_response(_period(period, kept)))

    async def _shaped(self, wanted: Wanted, shape: Callable[[Kept], Response]) -> Response:
        """What ``shape`` makes of what is ``wanted``; it works in a thread."""
        try:
            cells, has_more = await self._data.history(wanted.span, wanted.begin, wanted.end, ROW_LIMIT + 1)
        except DeskBusy:
            raise busy() from None
        except HistoryAway:
            detail = "the chain's history cannot be read at present; /statusz says why, at the actor of the series"
            raise ProtocolError(503, detail, retry_after=RETRY_AFTER) from None
        kept = Kept(wanted, cells, self._clock(), has_more)
        return await trio.to_thread.run_sync(shape, kept)

    async def _seconds(self, wanted: Wanted) -> list[JsonValue]:
        rows = await self._read(lambda now: second_rows(tuple(now.view.history)))
        begin, end = rfc3339(wanted.begin), rfc3339(wanted.end)
        # Moments in this form are ordered as their texts are.
        return [row for row in rows if isinstance(row, dict) and begin <= str(row["timestamp"]) < end]

    async def _read(self, reading: Callable[[Now], T]) -> T:
        try:
            return await self._data.read(lambda now, _around: reading(now))
        except DeskBusy:
            raise busy() from None


# -- what is made of it -----------------------------------------------------------------------------------


def _dashboard(period: str, kept: Kept) -> dict[str, JsonValue]:
    rows = kept.rows(dashboard_row)
    return {"period": period, "dataPoints": len(rows), "data": rows, **kept.time()}


def _period(period: str, kept: Kept) -> dict[str, JsonValue]:
    return {
        "period": period,
        "summary": aggregated(kept),
        "metrics": kept.rows(analytics_row),
        "performance": kept.rows(performance_row),
        **kept.time(),
    }


def _report(kept: Kept) -> dict[str, JsonValue]:
    return {
        "generatedAt": rfc3339(kept.at),
        "aggregated": aggregated(kept),
        "summary": summary(kept),
        "latencyPercentiles": percentiles(kept),
        "metrics": kept.rows(analytics_row),
        "performance": kept.rows(performance_row),
        **kept.time(),
    }


def _validators(now: Now) -> JsonValue:
    """The validators with what their events told of their performance."""
    return validators(now, VALIDATOR_LIMIT)["validators"]


def _asked(body: bytes) -> Mapping[str, list[str]]:
    """What the body of a report asks for, as a query says it; an empty body asks for what is usual.

    Raises:
        ProtocolError: 400, if it is no JSON object.
    """
    try:
        told = decode_json(body) if body.strip() else {}
    except CodecError as error:
        raise ProtocolError(400, f"the body is {error}") from None
    if not isinstance(told, Mapping):
        raise ProtocolError(400, 'the body is a JSON object such as {"granularity": "hour"}')
    names = ("startTime", "endTime", "granularity", "appId")
    return {name: [str(told[name])] for name in names if told.get(name) is not None}


def _no_channels(now: Now) -> JsonValue:
    """Always empty: no event tells of the ledger's channels."""
    del now
    return []


# -- paths ------------------------------------------------------------------------------------------------


def register(routes: Routes, data: HistoryData, clock: Callable[[], float] = time.time) -> None:
    """Add the paths of the history to ``routes``."""
    resource, table = HistoryResource(data, clock), PortalRoutes(routes)
    _register_analytics(table, resource)
    _register_performance(table, resource)
    asked = {"refuses": (400, 503)}
    table.add(
        "GET",
        "/dashboard/history/{period}",
        resource.dashboard,
        about(resource.dashboard, answer=DashboardHistory, **asked),
    )
    table.add("GET", "/analytics/{period}", resource.period, about(resource.period, answer=Period, **asked))
    table.add("GET", "/demo/channels", resource.now(_no_channels), about(_no_channels))


def _register_analytics(table: PortalRoutes, resource: HistoryResource) -> None:
    for path in ("metrics", "tps", "errors", "transactions", "active-users"):
        said = about(analytics_row, answer=list[AnalyticsRow], query=RANGE, refuses=(400, 503))
        table.add("GET", f"/analytics/{path}", resource.rows(analytics_row), said)
    for path, shape, answer in (
        ("aggregated", aggregated, Aggregated),
        ("latency-percentiles", percentiles, Percentiles),
    ):
        said = about(shape, answer=answer, query=RANGE, refuses=(400, 503))
        table.add("GET", f"/analytics/{path}", resource.whole(shape), said)
    table.add("GET", "/analytics/realtime", resource.now(realtime_analytics), about(realtime_analytics))
    table.add("GET", "/analytics/export", resource.export("analytics", analytics_row), _about_export())
    said = about(resource.report, answer=Report, body=ReportBody, refuses=(400, 503))
    table.add("POST", "/analytics/report", resource.report, said)


def _register_performance(table: PortalRoutes, resource: HistoryResource) -> None:
    for path in ("metrics", "tps", "latency", "finality"):
        said = about(performance_row, answer=list[PerformanceRow], query=_SECONDS, refuses=(400, 503))
        table.add("GET", f"/performance/{path}", resource.rows(performance_row, has_seconds=True), said)
    for path, shape, answer in (
        ("summary", summary, Summary),
        ("latency-percentiles", percentiles, Percentiles),
    ):
        said = about(shape, answer=answer, query=RANGE, refuses=(400, 503))
        table.add("GET", f"/performance/{path}", resource.whole(shape), said)
    table.add("GET", "/performance/realtime", resource.now(realtime_performance), about(realtime_performance))
    table.add("GET", "/performance/validators", resource.now(_validators), about(_validators))
    table.add("GET", "/performance/export", resource.export("performance", performance_row), _about_export())


def _about_export() -> Operation:
    return about(exported, query=(*RANGE, _FORMAT), refuses=(400, 503))
