from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from andond.api import portal_analytics
from andond.api.portal import (
    HIGHEST_LIMIT,
    Broadcasts,
    DeskBusy,
    register,
    websocket_stats,
)
from andond.api.portal_dashboard import DASHBOARD_DOCUMENTS, DASHBOARD_LISTINGS
from andond.api.portal_documents import DOCUMENTS, LISTINGS
from andond.api.portal_routes import PREFIXES
from domain import Event, JsonValue, Priority
from domain.chain import Cells, ChainView, Now, Surroundings, history_row
from domain.chain.cosmos import as_bech32
from domain.chain.fields import FIELDS
from transport import ClientAddress, ProtocolError, Request, Response, Routes
from transport.dialects.portal import DOORS
from transport.dialects.portal_frames import LIVE_TYPES

AT = 1_000_000.0
PREFIX = PREFIXES[0]
Answer = TypeVar("Answer")
Object = dict[str, object]
PATHS = [*DOCUMENTS, *DASHBOARD_DOCUMENTS, *LISTINGS, *DASHBOARD_LISTINGS]
AROUND = Surroundings(
    cpu_percent=45.2, memory_mb=2048, connections=21, error_rate=0.001, uptime=60.0, received_mb_per_second=1.5
)


class Desk:
    """A chain view without the actor that owns it."""

    def __init__(self) -> None:
        self.view = ChainView(window=60.0, stale_after=30.0, target_tps=2_000_000)
        self.around = AROUND
        self.busy = False

    async def read(self, reading: Callable[[Now, Surroundings], Answer]) -> Answer:
        if self.busy:
            raise DeskBusy
        return reading(Now(self.view, AT), self.around)

    async def history(self, span: int, begin: float, end: float, limit: int) -> tuple[Cells, bool]:
        del span, begin, end, limit
        raise DeskBusy

    async def broadcasts(self) -> Broadcasts:
        return Broadcasts({"metrics": 10, "live": 2, "channels": 3, "floor": 40}, 15234, 0.035)

    def take(self, type_: str, **data: JsonValue) -> None:
        self.view.take(Event("1", "/chain", type_, data, AT, Priority.NORMAL), AT)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def routes(desk: Desk) -> Routes:
    table = Routes()
    register(table, desk)
    return table


@pytest.fixture
def fed(desk: Desk) -> Desk:
    """A desk that was told of everything."""
    for height in range(1, 6):
        desk.take("chain.block", blockHeight=height, blockTime=1000, transactions=500, producer="v1")
    for number in range(4):
        desk.take(
            "chain.transaction",
            txHash=f"0x{number}",
            status="FAILED" if number == 3 else "SUCCESS",
            value="5",
            latencyMs=40 + number,
            blockHeight=5,
        )
    desk.take("chain.transaction", txHash="0x9", status="PENDING")
    desk.take("validator.status", validator="v1", status="ACTIVE", votingPower=5, stake=100, name="one", uptime=99.5)
    desk.take("validator.status", validator="v 2/x", status="JAILED", stake=50)
    desk.take("chain.peer", peerId="p1", connected=True, latency=42, ip="10.0.0.1")
    desk.take("chain.peer", peerId="p2", connected=False)
    desk.take("chain.consensus", state="COMMITTED", leader="v1", term=7, round=0, performanceScore=0.98)
    desk.view.note(history_row(Now(desk.view, AT), AROUND))
    return desk


async def get(routes: Routes, path: str, query: Mapping[str, list[str]] | None = None) -> Response:
    target = f"{PREFIX}{path}"
    request = Request("GET", target, query or {}, {}, b"", ClientAddress("127.0.0.1"), secure=False, target=target)
    return await routes(request)


async def body(routes: Routes, path: str, query: Mapping[str, list[str]] | None = None) -> Object:
    response = await get(routes, path, query)
    assert response.status == 200
    assert response.headers["content-type"] == "application/json"
    value: Object = json.loads(response.body)
    return value


def unexplained(value: object, where: str = "") -> list[str]:
    """The nulls in ``value`` that no ``reasons`` beside them speaks of."""
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in unexplained(item, f"{where}/{index}")]
    if not isinstance(value, dict):
        return []
    reasons = value.get("reasons", {})
    nulls = [f"{where}/{name}" for name, item in value.items() if item is None and name not in reasons]
    return nulls + [found for name, item in value.items() for found in unexplained(item, f"{where}/{name}")]


@pytest.mark.parametrize("path", PATHS)
async def test_every_path_answers_before_any_event_and_explains_each_null(routes: Routes, path: str) -> None:
    assert unexplained(await body(routes, path)) == []


@pytest.mark.parametrize("path", PATHS)
async def test_every_path_answers_with_data_and_explains_each_null(routes: Routes, fed: Desk, path: str) -> None:
    assert unexplained(await body(routes, path)) == []


@pytest.mark.parametrize("path", PATHS)
async def test_a_reason_stands_only_beside_a_null(routes: Routes, fed: Desk, path: str) -> None:
    answer = await body(routes, path)
    reasons = answer.get("reasons", {})
    assert isinstance(reasons, dict)
    assert [name for name in reasons if answer[name] is not None] == []


@pytest.mark.parametrize("path", PATHS)
async def test_a_desk_that_does_not_answer_is_503_with_retry_after(routes: Routes, desk: Desk, path: str) -> None:
    desk.busy = True
    response = await get(routes, path)
    assert response.status == 503
    assert response.headers["retry-after"] == "1"
    assert response.headers["content-type"] == "application/problem+json"


async def test_the_chart_s_fallback_finds_both_names_of_every_number(routes: Routes, fed: Desk) -> None:
    answer = await body(routes, "/blockchain/stats")
    assert (answer["currentTPS"], answer["tps"]) == (2500, 2500)
    assert (answer["targetTPS"], answer["target"]) == (2_000_000, 2_000_000)
    assert (answer["peakTPS"], answer["peak"], answer["averageTPS"], answer["average"]) == (2500, 2500, 2500, 2500)
    assert (answer["latency"], answer["throughput"]) == (42, 2500.0)


async def test_the_dashboard_s_hooks_find_their_fields(routes: Routes, fed: Desk) -> None:
    metrics = await body(routes, "/live/metrics")
    names = ("tps", "blockHeight", "activeNodes", "transactionVolume", "networkStatus")
    assert [metrics[name] for name in names] == [2500, 5, 1, 2500, "unhealthy"]
    performance = await body(routes, "/performance")
    assert [performance[name] for name in ("avgLatency", "p99Latency", "throughput", "errorRate")] == [
        42,
        43,
        2500.0,
        0.001,
    ]


async def test_the_metrics_are_those_of_the_stream(routes: Routes, fed: Desk) -> None:
    answer = await body(routes, "/metrics")
    assert (answer["tps"], answer["cpu"], answer["memory"], answer["connections"]) == (2500, 45.2, 2048, 21)
    assert answer["timestamp"] == "1970-01-12T13:46:40.000Z"


async def test_validators_are_listed_with_their_counts(routes: Routes, fed: Desk) -> None:
    answer = await body(routes, "/live/validators")
    assert (answer["totalValidators"], answer["activeValidators"], answer["jailedValidators"]) == (2, 1, 1)
    assert (answer["networkBlockHeight"], answer["totalNetworkStake"]) == (5, 150)
    listed = answer["validators"]
    assert isinstance(listed, list)
    first = listed[0]
    assert (first["validatorId"], first["validator"], first["name"], first["status"]) == ("v1", "v1", "one", "ACTIVE")
    contract = {
        "validatorId", "publicKey", "name", "status", "uptime", "blocksProduced", "missedBlocks", "stake",
        "votingPower", "lastBlockTime", "performance", "registeredAt",
    }  # fmt: skip
    assert contract <= set(first)
    assert await body(routes, "/validators") == answer


async def test_one_validator_is_found_by_its_name_even_if_it_has_a_slash(routes: Routes, fed: Desk) -> None:
    assert (await body(routes, "/live/validators/v1"))["uptime"] == 99.5
    assert (await body(routes, "/live/validators/v%202%2Fx"))["status"] == "JAILED"


async def test_a_validator_is_found_by_every_name_that_people_have_for_it(routes: Routes, desk: Desk) -> None:
    # The address and the operator of one validator: Bech32 of the same prefix, and of bytes that differ.
    address, operator = "AB" * 20, "cosmosvaloper1clpqr4nrk4khgkxj78fcwwh6dl3uw4epsluffn"
    known = {"operator": operator, "publicKey": "a2V5", "name": "Bob", "status": "JAILED"}
    jailed = {"reason": "downtime", "since": 7, "sinceAt": "2026-11-21T06:00:00.000Z"}
    desk.take("validator.status", validator=address, **known, **jailed, jailedUntil="2026-11-21T06:10:00.000Z")
    desk.take("validator.status", validator="0xabcd", operator="123", name="eve", status="ACTIVE")
    desk.take("validator.status", validator="CD" * 20, operator="x", name="eve", status="ACTIVE")
    names = (address, address.lower(), operator, "a2V5", "bob", as_bech32(address, "cosmosvalcons"))
    for name in names:
        row = await body(routes, f"/live/validators/{quote(name, safe='')}")
        assert (row["validator"], row["reason"], row["since"]) == (address, "downtime", 7)
        assert (row["operator"], row["jailedUntil"]) == (operator, "2026-11-21T06:10:00.000Z")
    assert (await body(routes, "/live/validators/123"))["validator"] == "0xabcd"
    # Two have chosen that name.
    assert (await get(routes, "/live/validators/eve")).status == 404


async def test_who_was_released_has_no_reason_to_be_jailed_any_more(routes: Routes, desk: Desk) -> None:
    desk.take("validator.status", validator="v", status="JAILED", reason="downtime", since=7, name="bob")
    desk.take("validator.status", validator="v", status="ACTIVE", reason=None, since=9, jailedUntil=None)
    row = await body(routes, "/live/validators/v")
    assert (row["reason"], row["since"], row["jailedUntil"], row["name"]) == (None, 9, None, "bob")


async def test_a_validator_that_nobody_told_of_is_404_in_words(routes: Routes, fed: Desk) -> None:
    response = await get(routes, "/live/validators/nobody")
    assert response.status == 404
    assert json.loads(response.body)["detail"] == "no validator.status event named 'nobody' yet"


async def test_the_health_of_the_validators_is_no_validator(routes: Routes, fed: Desk) -> None:
    assert await body(routes, "/live/validators/health") == {
        "status": "unhealthy",
        "message": "1 of 2 validators are active",
        "totalValidators": 2,
        "activeValidators": 1,
        "networkBlockHeight": 5,
    }


async def test_transactions_and_blocks_come_newest_first_up_to_the_limit(routes: Routes, fed: Desk) -> None:
    answer = await body(routes, "/live/transactions", {"limit": ["2"]})
    transactions, blocks = answer["transactions"], (await body(routes, "/blocks"))["blocks"]
    assert isinstance(transactions, list)
    assert isinstance(blocks, list)
    assert [(one["txHash"], one["status"], one["amount"]) for one in transactions] == [
        ("0x9", "PENDING", None),
        ("0x3", "FAILED", 5),
    ]
    assert (answer["count"], answer["total"]) == (2, 2500)
    assert [one["blockHeight"] for one in blocks] == [5, 4, 3, 2, 1]


async def test_the_network_shows_its_peers(routes: Routes, fed: Desk) -> None:
    live, topology = await body(routes, "/live/network"), await body(routes, "/network/topology")
    assert (live["activeNodes"], live["totalNodes"], live["networkHealth"], live["avgLatency"]) == (
        1,
        2,
        "unhealthy",
        42,
    )
    assert live["peers"] == topology["nodes"]
    assert topology["links"] is None
    peers = (await body(routes, "/live/network", {"limit": ["1"]}))["peers"]
    assert isinstance(peers, list)
    assert [(peer["peerId"], peer["ip"], peer["connected"]) for peer in peers] == [("p1", "10.0.0.1", True)]


async def test_the_consensus_status_is_the_newest_event(routes: Routes, fed: Desk) -> None:
    answer = await body(routes, "/consensus/status")
    assert (answer["state"], answer["leader"], answer["term"], answer["epoch"]) == ("COMMITTED", "v1", 7, None)


async def test_health_says_whether_the_chain_is_heard(routes: Routes, desk: Desk) -> None:
    before = await body(routes, "/health")
    assert (before["status"], before["message"]) == ("degraded", "no chain event received yet")
    desk.take("chain.block", blockHeight=1)
    after = await body(routes, "/health")
    assert (after["status"], after["blockHeight"], after["uptime"]) == ("healthy", 1, 60.0)


async def test_health_is_degraded_while_a_chain_stands_still_or_one_that_is_watched_is_in_jail(
    routes: Routes, desk: Desk
) -> None:
    desk.take("chain.block", blockHeight=1)
    desk.around = replace(desk.around, troubles=("hub-1 is halted", "op1bob of hub-1 is in jail"))
    answer = await body(routes, "/health")
    assert (answer["status"], answer["message"]) == ("degraded", "hub-1 is halted; op1bob of hub-1 is in jail")


async def test_a_chain_without_a_target_has_none(routes: Routes, desk: Desk) -> None:
    desk.view.target_tps = None
    answer = await body(routes, "/info")
    assert answer["reasons"] == {"targetTPS": "portal.target_tps is not set"}


async def test_the_dashboard_has_all_its_objects(routes: Routes, fed: Desk) -> None:
    answer = await body(routes, "/dashboard")
    assert answer == await body(routes, "/analytics/dashboard")
    transactions, network, system = (
        answer["transactionMetrics"],
        answer["networkMetrics"],
        answer["systemPerformance"],
    )
    assert isinstance(transactions, dict)
    assert isinstance(network, dict)
    assert isinstance(system, dict)
    assert (transactions["confirmedTransactions"], transactions["failedTransactions"]) == (3, 1)
    assert (transactions["successRate"], transactions["pendingTransactions"]) == (0.75, 1)
    assert (network["inactiveNodes"], network["networkHealthScore"], network["averageBlockTime"]) == (1, 0.5, 1000)
    assert (network["bandwidthInMBps"], network["bandwidthOutMBps"]) == (1.5, None)
    assert (system["cpuUtilization"], system["memoryUsedMB"], system["uptimeSeconds"]) == (45.2, 2048, 60.0)
    history, nodes = answer["recentHistory"], answer["nodeHealth"]
    assert isinstance(history, list)
    assert isinstance(nodes, list)
    assert (history[0]["tps"], history[0]["activeNodes"]) == (2500, 1)
    assert [(node["nodeId"], node["status"], node["isHealthy"]) for node in nodes] == [
        ("p1", "CONNECTED", True),
        ("p2", "DISCONNECTED", False),
    ]
    assert answer["updateIntervalMs"] == 1000


async def test_the_dashboard_s_performance_follows_from_the_blocks(routes: Routes, fed: Desk) -> None:
    answer = await body(routes, "/dashboard/performance")
    throughput, latency = answer["throughput"], answer["latency"]
    assert isinstance(throughput, dict)
    assert isinstance(latency, dict)
    assert (throughput["blocksPerSecond"], throughput["transactionsPerBlock"]) == (1.0, 500.0)
    assert throughput["throughputEfficiency"] == 0.00125
    assert (latency["minLatencyMs"], latency["maxLatencyMs"]) == (40, 43)


async def test_ratios_of_nothing_are_null_not_a_failure(routes: Routes, desk: Desk) -> None:
    desk.view.target_tps = 0
    desk.take("chain.block", blockHeight=1, blockTime=0, transactions=5)
    throughput = (await body(routes, "/dashboard/performance"))["throughput"]
    assert isinstance(throughput, dict)
    assert throughput["reasons"]["throughputEfficiency"] == "the target is 0"
    assert throughput["reasons"]["blocksPerSecond"] == "blocks take no time"


async def test_a_ratio_to_a_target_that_is_not_set_has_its_reason(routes: Routes, fed: Desk) -> None:
    fed.view.target_tps = None
    throughput = (await body(routes, "/dashboard/performance"))["throughput"]
    assert isinstance(throughput, dict)
    assert throughput["reasons"]["throughputEfficiency"] == "portal.target_tps is not set"


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "ten", "", "1.5", "٣", "9" * 5000])
async def test_a_limit_that_is_none_is_400_in_words(routes: Routes, limit: str) -> None:
    response = await get(routes, "/live/transactions", {"limit": [limit]})
    assert response.status == 400
    assert json.loads(response.body)["detail"].startswith("limit is a number from 1 to 1000, not ")


@given(limit=st.integers(1, HIGHEST_LIMIT))
def test_every_limit_in_range_is_taken(limit: int) -> None:
    view = ChainView(window=60.0, stale_after=30.0)
    view.take(Event("1", "/c", "chain.peer", {"peerId": "p", "connected": True}, AT, Priority.NORMAL), AT)
    assert all(listing(Now(view, AT), limit) for listing in {**LISTINGS, **DASHBOARD_LISTINGS}.values())


@pytest.mark.parametrize("path", ["/websocket/stats", "/dashboard/websocket-status"])
async def test_the_stats_count_the_portal_s_connections(routes: Routes, path: str) -> None:
    assert await body(routes, path) == {
        "metricsConnections": 10,
        "transactionConnections": 0,
        "validatorConnections": 0,
        "consensusConnections": 0,
        "networkConnections": 0,
        "liveStreamConnections": 2,
        "legacyTransactionConnections": 0,
        "channelConnections": 3,
        "dashboardConnections": 0,
        "v11Connections": 0,
        "consoleConnections": 0,
        "realtimeConnections": 0,
        "totalConnections": 15,
        "messagesSent": 15234,
        "lastBroadcastLatency": 35.0,
    }


def test_before_the_first_broadcast_its_latency_is_null() -> None:
    stats = websocket_stats(Broadcasts({}, 0, None))
    assert stats["lastBroadcastLatency"] is None
    assert stats["reasons"] == {"lastBroadcastLatency": "nothing was broadcast yet"}


@pytest.mark.parametrize("path", ["/mobile/stats", "/bridge/status"])
async def test_paths_without_data_are_not_here(routes: Routes, path: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        await get(routes, path)
    assert refused.value.status == 404


def test_both_generations_of_clients_find_the_same_paths(routes: Routes) -> None:
    by_prefix = [{route.pattern for route in routes if route.pattern.startswith(prefix)} for prefix in PREFIXES]
    first, second = ({path[len(prefix) :] for path in paths} for prefix, paths in zip(PREFIXES, by_prefix, strict=True))
    assert first == second
    assert len(first) * 2 == len(routes)


def test_the_reference_names_every_path_frame_and_field(routes: Routes, desk: Desk) -> None:
    pages = Path(__file__).parents[3] / "docs/reference"
    reference = (pages / "portal.md").read_text() + (pages / "history.md").read_text()
    portal_analytics.register(routes, desk)
    paths = [route.pattern.removeprefix(PREFIX) for route in routes if route.pattern.startswith(PREFIX)]
    fields = [name for fields in FIELDS.values() for name in fields]
    for word in (*paths, *DOORS, *LIVE_TYPES.values(), *fields, *FIELDS):
        assert f"`{word}`" in reference, word
