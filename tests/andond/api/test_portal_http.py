"""The portal's REST by real HTTP, from a real tree with a history of a former life on its disk."""

from __future__ import annotations

import http.client
import json
import time

import pytest

from andond.api.portal_routes import PREFIXES
from domain import rfc3339
from domain.chain import DAY, HOUR, MINUTE, Cell, begin_of
from storage import Series

HTTP = '\n[sources.door]\nkind = "http"\n'
LIMIT = 20.0
PEAK = 123456.0

ARRAYS = (
    "/analytics/metrics",
    "/analytics/tps",
    "/analytics/errors",
    "/analytics/transactions",
    "/analytics/active-users",
    "/performance/metrics",
    "/performance/tps",
    "/performance/latency",
    "/performance/finality",
    "/performance/validators",
    "/demo/channels",
)
OBJECTS = (
    "/analytics/aggregated",
    "/analytics/latency-percentiles",
    "/analytics/realtime",
    "/analytics/24h",
    "/analytics/7d",
    "/analytics/30d",
    "/analytics/90d",
    "/performance/summary",
    "/performance/latency-percentiles",
    "/performance/realtime",
    "/dashboard/history/1h",
    "/dashboard/history/6h",
    "/dashboard/history/24h",
    "/dashboard/config",
    "/network/health",
    "/consensus",
    "/health",
    "/websocket/stats",
)


def cell(live: int, latency: float) -> Cell:
    made = Cell(transactions=live, live=live, confirmed=live, covered_ms=60_000, peak=live / 60, blocks=60)
    made.latency.add(latency)
    made.block_time.add(1000)
    return made


@pytest.fixture(scope="module")
def former(tmp_path_factory):
    """A data directory with the last two hours of a former life in it, and when that ended."""
    directory = tmp_path_factory.mktemp("former")
    now = begin_of(time.time(), MINUTE)
    minutes = {now - number * MINUTE: cell(600, 10 * number) for number in range(1, 121)}
    minutes[now - 90 * MINUTE].peak = PEAK
    series = Series.open(directory, float(now))
    series.add(minutes)
    series.close()
    return directory, now


@pytest.fixture(scope="module")
def portal(former, plant_in):
    with plant_in(former[0], HTTP) as plant:
        yield plant


def unexplained(value: object, where: str = "") -> list[str]:
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in unexplained(item, f"{where}/{index}")]
    if not isinstance(value, dict):
        return []
    reasons = value.get("reasons", {})
    nulls = [f"{where}/{name}" for name, item in value.items() if item is None and name not in reasons]
    return nulls + [found for name, item in value.items() for found in unexplained(item, f"{where}/{name}")]


def read(portal, path: str, prefix: str = PREFIXES[1]):
    answer = portal.request("GET", prefix + path)
    assert answer.status == 200, answer.body
    return answer.body


def raw(portal, path: str) -> tuple[dict[str, str], bytes]:
    link = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=LIMIT)
    link.request("GET", path)
    answer = link.getresponse()
    body = answer.read()
    link.close()
    assert answer.status == 200, body
    return {name.lower(): value for name, value in answer.getheaders()}, body


def until(look, what: str):
    deadline = time.monotonic() + LIMIT
    while not (found := look()):
        assert time.monotonic() < deadline, what
    return found


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("path", ARRAYS)
def test_lists_are_arrays_as_the_client_reads_them_and_every_null_has_its_reason(portal, prefix, path):
    told = read(portal, path, prefix)
    assert isinstance(told, list)
    assert unexplained(told) == []


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("path", OBJECTS)
def test_the_others_are_objects_and_every_null_has_its_reason(portal, prefix, path):
    told = read(portal, path, prefix)
    assert isinstance(told, dict)
    assert unexplained(told) == []


def test_a_restart_keeps_the_peak_of_the_last_day(portal):
    assert read(portal, "/blockchain/stats")["peakTPS"] == PEAK
    assert read(portal, "/analytics/realtime")["peakTPS"] == PEAK
    assert read(portal, "/performance/summary")["peakTPS"] == PEAK


def test_the_history_of_a_former_life_is_told_row_by_row(portal):
    rows = read(portal, "/analytics/metrics")
    assert len(rows) >= 120
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)
    assert {row["tps"] for row in rows[:120]} == {10.0}
    assert {row["transactions"] for row in rows[:120]} == {600}


def test_hours_and_days_are_the_sums_of_the_minutes(portal):
    now = time.time()
    start = rfc3339(begin_of(now - 4 * HOUR, HOUR))
    sums = [
        sum(
            row["transactions"] or 0 for row in read(portal, f"/analytics/metrics?startTime={start}&granularity={word}")
        )
        for word in ("minute", "hour")
    ]
    assert sums[0] == sums[1] >= 120 * 600
    day = rfc3339(begin_of(now - DAY, DAY))
    totals = {
        word: read(portal, f"/analytics/aggregated?startTime={day}&granularity={word}")["totalTransactions"]
        for word in ("hour", "day")
    }
    assert totals["hour"] == totals["day"] == sums[0]


def test_averages_are_over_the_whole_time_and_percentiles_too(portal, former):
    start, end = rfc3339(former[1] - 100 * MINUTE), rfc3339(former[1])
    told = read(portal, f"/analytics/aggregated?startTime={start}&endTime={end}")
    assert told["averageTPS"] == 10.0
    # Latencies of 10 to 1000 ms, one each minute.
    assert told["averageLatency"] == 505
    assert told["p50Latency"] == pytest.approx(500, rel=0.011)
    assert told["p99Latency"] == pytest.approx(990, rel=0.011)


def test_what_is_counted_now_is_in_the_running_row(portal):
    before = read(portal, "/analytics/aggregated")["totalTransactions"]
    for number in range(5):
        portal.publish("chain.transaction", {"txHash": f"0x{number}", "status": "SUCCESS", "latencyMs": 5}, "/chain")
    total = until(
        lambda: read(portal, "/analytics/aggregated")["totalTransactions"] == before + 5,
        "the transactions are not in the running minute",
    )
    assert total


def test_the_last_minute_can_be_asked_for_second_by_second(portal):
    rows = until(lambda: read(portal, "/performance/metrics?granularity=second"), "no second was kept")
    assert len(rows) <= 61
    assert set(rows[0]) >= {"timestamp", "tps", "latency", "finality", "blockTime", "validatorCount"}
    answer = portal.request("GET", "/api/v12/analytics/metrics?granularity=second")
    assert answer.status == 400


def test_an_application_is_asked_for_in_vain_and_it_is_said_why(portal):
    rows = read(portal, "/analytics/metrics?appId=shop&granularity=hour")
    assert rows
    assert all(row["transactions"] is None and "application" in row["reasons"]["transactions"] for row in rows)


@pytest.mark.parametrize(
    "path",
    [
        "/analytics/metrics?granularity=week",
        "/analytics/aggregated?startTime=soon",
        "/analytics/metrics?startTime=2020-01-01",
        "/performance/export?format=xlsx",
        "/dashboard/history/5h",
        "/analytics/1y",
    ],
)
def test_what_cannot_be_meant_is_a_problem_in_words(portal, path):
    answer = portal.request("GET", "/api/v12" + path)
    assert answer.status == 400
    assert answer["detail"]


@pytest.mark.parametrize("page", ["analytics", "performance"])
def test_a_page_can_be_taken_home_as_csv_and_as_json(portal, page):
    headers, body = raw(portal, f"/api/v12/{page}/export?granularity=hour")
    assert headers["content-type"] == "text/csv; charset=utf-8"
    assert headers["content-disposition"].startswith(f'attachment; filename="{page}-')
    lines = body.decode().split("\r\n")
    assert lines[0].startswith("timestamp,")
    assert len(lines) >= 4
    headers, body = raw(portal, f"/api/v12/{page}/export?format=json&granularity=hour")
    assert headers["content-type"] == "application/json"
    assert len(json.loads(body)) == len(lines) - 2


def test_a_report_is_posted_for_and_has_both_kinds_of_figures(portal):
    start = rfc3339(begin_of(time.time(), HOUR) - 2 * HOUR)
    body = {"startTime": start, "granularity": "hour", "title": "of nobody's business"}
    answer = portal.request("POST", "/api/v12/analytics/report", body)
    assert answer.status == 200
    assert unexplained(answer.body) == []
    assert answer["granularity"] == "hour"
    assert answer["aggregated"]["totalTransactions"] == sum(row["transactions"] or 0 for row in answer["metrics"])
    assert portal.request("POST", "/api/v12/analytics/report").status == 200
    for broken in (b"[1]", b"{", {"granularity": "week"}):
        assert portal.request("POST", "/api/v12/analytics/report", broken).status == 400


def test_what_is_recorded_by_hand_is_an_event_like_any_other(portal):
    answer = portal.request(
        "POST", "/api/v11/analytics/record/validator", {"validator": "by-hand", "status": "ACTIVE", "uptime": 99.5}
    )
    assert (answer.status, answer.body) == (202, {"accepted": 1, "duplicates": 0})
    rows = until(
        lambda: [row for row in read(portal, "/performance/validators") if row["validatorId"] == "by-hand"],
        "the validator is not there",
    )
    assert rows[0]["uptime"] == 99.5
    taken = portal.request("POST", "/api/v12/analytics/record/transaction", {"txHash": "0xhand", "status": "FAILED"})
    assert taken.status == 202
    refused = portal.request("POST", "/api/v11/analytics/record/transaction", {"status": "WON"})
    assert refused.status == 422
    assert portal.request("POST", "/api/v11/analytics/record/transaction", b"[]").status == 400


def test_a_rate_cannot_be_recorded(portal):
    answer = portal.request("POST", "/api/v11/analytics/record/tps", {"tps": 8_510_000})
    assert answer.status == 422
    assert "counted" in answer["detail"]


def test_the_health_says_which_checks_it_is_made_of(portal):
    portal.publish("chain.block", {"blockHeight": 5, "blockTime": 1000, "transactions": 1}, "/chain")
    told = until(
        lambda: (found := read(portal, "/network/health"))["networkHealth"] is not None and found, "no health is told"
    )
    checks = told["checks"]
    assert checks["headAgeSeconds"]["grade"] == "healthy"
    assert checks["signedShare"]["reasons"]["grade"]
    assert told["networkHealth"] == "healthy"


def test_a_history_that_cannot_be_read_is_503_and_what_is_so_now_is_told(plant_in, tmp_path):
    (tmp_path / "series.sqlite3").mkdir()
    with plant_in(tmp_path, HTTP) as plant:
        answer = plant.request("GET", "/api/v12/analytics/metrics")
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
        assert plant.request("GET", "/api/v12/analytics/realtime").status == 200


def test_a_daemon_that_ends_in_order_keeps_the_running_minute(plant_in, tmp_path):
    with plant_in(tmp_path, HTTP) as plant:
        for number in range(3):
            plant.publish("chain.transaction", {"txHash": f"0x{number}", "status": "SUCCESS"}, "/chain")
        until(lambda: read(plant, "/analytics/aggregated")["totalTransactions"] == 3, "it was not counted")
    with plant_in(tmp_path, HTTP) as plant:
        assert read(plant, "/analytics/aggregated")["totalTransactions"] == 3


def test_every_path_is_in_the_document_with_its_parameters_and_its_schema(portal):
    paths = portal.request("GET", "/openapi.json")["paths"]
    for prefix in PREFIXES:
        for path in (*ARRAYS, *OBJECTS):
            name = path if f"{prefix}{path}" in paths else path.rpartition("/")[0] + "/{period}"
            operation = paths[f"{prefix}{name}"]["get"]
            assert operation["tags"] == ["portal"]
            assert operation["summary"]
        metrics = paths[f"{prefix}/analytics/metrics"]["get"]
        assert [each["name"] for each in metrics["parameters"]] == ["startTime", "endTime", "granularity", "appId"]
        schema = metrics["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema["items"]["$ref"].endswith("/AnalyticsRow")
        assert "requestBody" in paths[f"{prefix}/analytics/report"]["post"]
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(names) == len(set(names))
