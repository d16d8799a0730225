from __future__ import annotations

import csv
import io
import json

import msgspec
import pytest

from andond.api.portal_export import exported, format_of
from andond.api.portal_figures import (
    NO_APP,
    Kept,
    aggregated,
    analytics_row,
    dashboard_row,
    percentile_row,
    percentiles,
    performance_row,
    realtime_analytics,
    realtime_performance,
    second_rows,
    summary,
)
from andond.api.portal_query import Wanted
from andond.api.portal_types import (
    Aggregated,
    AnalyticsRow,
    DashboardPoint,
    PercentileRow,
    Percentiles,
    PerformanceRow,
    Summary,
)
from domain.chain import Cell, ChainView, Now, Surroundings, document, history_row
from transport import ProtocolError

BEGIN = 1_800_000_000
ROWS = {
    AnalyticsRow: analytics_row,
    PerformanceRow: performance_row,
    PercentileRow: percentile_row,
    DashboardPoint: dashboard_row,
}
WHOLES = {Aggregated: aggregated, Summary: summary, Percentiles: percentiles}


def busy() -> Cell:
    cell = Cell(
        transactions=660,
        live=600,
        confirmed=9,
        failed=1,
        blocks=60,
        covered_ms=30_000,
        peak=25.5,
        validators=(float(BEGIN), 5, 4),
        nodes=(float(BEGIN), 8, 7),
    )
    for latency in range(1, 101):
        cell.latency.add(latency)
    cell.finality.add(700)
    cell.block_time.add(1000)
    cell.cpu.add(50)
    cell.memory.add(2048)
    return cell


def kept(*cells: Cell, app: str = "", at: float = BEGIN + 3600) -> Kept:
    rows = {BEGIN + number * 60: cell for number, cell in enumerate(cells)}
    return Kept(Wanted(BEGIN, BEGIN + 3600, "minute", app), rows, at)


def unexplained(told: dict) -> list[str]:
    return [name for name, value in told.items() if value is None and name not in told.get("reasons", {})]


def test_a_row_has_what_its_minute_had():
    (row,) = kept(busy()).rows(analytics_row)
    assert row == {
        "timestamp": "2027-01-15T08:00:00.000Z",
        "transactions": 660,
        "tps": 20.0,
        "peakTPS": 25.5,
        "latency": 50.5,
        "errors": 1,
        "errorRate": 0.1,
        "activeUsers": None,
        "reasons": {"activeUsers": "no event tells who uses the chain"},
    }
    (row,) = kept(busy()).rows(performance_row)
    assert (row["tps"], row["latency"], row["finality"], row["blockTime"]) == (20.0, 50.5, 700.0, 1000.0)
    assert (row["validatorCount"], row["totalValidators"]) == (4, 5)
    (row,) = kept(busy()).rows(dashboard_row)
    assert (row["latencyMs"], row["cpuUsage"], row["memoryUsage"], row["activeNodes"]) == (50.5, 50, 2048, 7)


@pytest.mark.parametrize("cell", [Cell(), busy()], ids=["empty", "busy"])
@pytest.mark.parametrize("app", ["", "shop"])
def test_every_null_has_its_reason_and_every_answer_its_schema(cell, app):
    told = kept(cell, app=app)
    for type_, shape in ROWS.items():
        (row,) = told.rows(shape)
        assert unexplained(row) == []
        msgspec.convert(row, type_)
    for type_, whole in WHOLES.items():
        answer = whole(told)
        assert unexplained(answer) == []
        msgspec.convert(answer, type_)


def test_a_time_in_which_nothing_was_heard_has_no_zero():
    (row,) = kept(Cell()).rows(analytics_row)
    assert (row["transactions"], row["tps"]) == (None, None)
    (row,) = kept(Cell(covered_ms=60_000)).rows(analytics_row)
    assert (row["transactions"], row["tps"]) == (0, 0.0)


def test_with_an_application_nothing_is_known():
    (row,) = kept(busy(), app="shop").rows(analytics_row)
    assert {value for name, value in row.items() if name not in ("timestamp", "reasons")} == {None}
    assert set(row["reasons"].values()) == {NO_APP.reason}
    assert aggregated(kept(busy(), app="shop"))["totalTransactions"] is None
    assert percentiles(kept(busy(), app="shop"))["count"] == 0


def test_an_average_is_made_from_sums():
    idle = Cell(transactions=60, live=60, covered_ms=60_000)
    idle.latency.add(1000)
    told = aggregated(kept(busy(), idle))
    # Not the mean of 20 and 1, nor of 50.5 and 1000.
    assert told["averageTPS"] == pytest.approx(660 / 90, abs=0.001)
    assert told["averageLatency"] == pytest.approx((5050 + 1000) / 101, abs=0.001)
    assert told["totalTransactions"] == 720
    assert told["peakTPS"] == 25.5


def test_percentiles_of_a_time_are_those_of_all_its_values_to_one_percent():
    told = percentiles(kept(busy(), busy()))
    assert told["p50"] == told["p50Latency"] == pytest.approx(50, rel=0.011)
    assert told["p99"] == pytest.approx(99, rel=0.011)
    assert (told["min"], told["max"], told["mean"], told["count"]) == (1, 100, 50.5, 200)
    assert [row["p99"] for row in told["data"]] == [told["p99"]] * 2


def test_uptime_is_the_share_of_the_time_since_the_first_row_in_which_the_chain_was_heard():
    covered = Cell(covered_ms=60_000)
    assert summary(kept(covered, covered, at=BEGIN + 240))["uptime"] == 50.0
    assert summary(kept(covered, covered, at=BEGIN + 120))["uptime"] == 100.0
    assert summary(kept())["reasons"]["uptime"] == "nothing is kept of this time"


def test_what_is_so_now_has_the_figures_of_the_history():
    now = Now(ChainView(60.0, 30.0), BEGIN)
    for whole, live in ((aggregated, realtime_analytics), (summary, realtime_performance)):
        told = live(now)
        assert set(whole(kept())) - {"startTime", "endTime", "granularity"} <= set(told)
        assert unexplained(told) == []


def test_the_last_seconds_have_the_names_of_the_rows():
    view = ChainView(60.0, 30.0)
    rows = second_rows([history_row(Now(view, BEGIN), Surroundings())])
    assert set(rows[0]) == {"timestamp", *performance_row(Cell()), "reasons"}
    assert unexplained(rows[0]) == []
    (row,) = second_rows([document({"timestamp": "t", "tps": 5, "latencyMs": 7})])
    assert (row["tps"], row["latency"]) == (5, 7)


# -- files ------------------------------------------------------------------------------------------------


def test_a_file_of_csv_has_a_header_and_an_empty_field_for_what_is_not_known():
    told = kept(busy(), Cell())
    columns = ("timestamp", *analytics_row(Cell()))
    answer = exported("analytics", told.wanted, told.rows(analytics_row), columns, "csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="analytics-20270115T0800Z-minute.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert list(rows[0]) == list(columns)
    assert (rows[0]["tps"], rows[0]["activeUsers"]) == ("20.0", "")
    assert rows[1]["timestamp"] == "2027-01-15T08:01:00.000Z"
    assert rows[1]["tps"] == ""


def test_a_file_of_json_is_the_rows_with_their_reasons():
    told = kept(busy())
    answer = exported("performance", told.wanted, told.rows(performance_row), (), "json")
    assert json.loads(answer.body) == told.rows(performance_row)
    assert answer.headers["content-disposition"].endswith('.json"')


def test_a_format_is_csv_unless_it_is_said_and_another_is_refused():
    assert format_of({}) == "csv"
    assert format_of({"format": ["json"]}) == "json"
    with pytest.raises(ProtocolError, match="format is csv or json, not 'xlsx'"):
        format_of({"format": ["xlsx"]})
