from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from domain import Event, JsonValue, channel_of
from domain.chain import (
    INTERVALS,
    LIVE,
    ChainView,
    Document,
    Now,
    Surroundings,
    block_update,
    history_row,
    metrics,
    network_update,
    tps_update,
    validator_update,
)

EventMaker = Callable[..., Event]
AT = 1_000_000.0
AT_MS = 1_000_000_000


@pytest.fixture
def view() -> ChainView:
    return ChainView(window=60.0, stale_after=30.0)


def reasons(told: Document) -> Mapping[str, JsonValue]:
    found = told["reasons"]
    assert isinstance(found, Mapping)
    return found


@pytest.mark.parametrize("update", LIVE.values())
def test_before_any_event_every_null_of_an_update_has_its_reason(
    view: ChainView, update: Callable[[Now], Document]
) -> None:
    told = update(Now(view, AT))
    nulls = {name for name, value in told.items() if value is None}
    assert set(reasons(told)) == nulls
    assert "observedAt" in nulls


def test_a_tps_update_carries_the_contract_s_fields(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.block", blockHeight=1, transactions=1551, blockTime=2000), AT)
    view.take(event("chain.transaction", txHash="a", status="SUCCESS", latencyMs=42, blockHeight=1), AT)
    assert tps_update(Now(view, AT)) == {
        "currentTPS": 776,
        "peakTPS": 776,
        "averageTPS": 776,
        "latency": 42,
        "throughput": 775.5,
        "observedAt": AT_MS,
    }


def test_a_block_update_carries_the_contract_s_fields_and_what_else_the_event_had(
    view: ChainView, event: EventMaker
) -> None:
    view.take(
        event("chain.block", blockHeight=12345, blockTime=1000, transactions=500, producer="validator-1", gas=7), AT
    )
    assert block_update(Now(view, AT)) == {
        "blockHeight": 12345,
        "blockTime": 1000,
        "transactions": 500,
        "producer": "validator-1",
        "gas": 7,
        "observedAt": AT_MS,
    }


def test_a_block_that_did_not_say_everything_is_null_there(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.block", blockHeight=1, transactions=None), AT)
    told = block_update(Now(view, AT))
    assert told["transactions"] is None
    assert reasons(told) == dict.fromkeys(("blockTime", "transactions", "producer"), "the event carried none")


def test_a_block_update_says_why_of_every_null_and_leaves_its_age_to_the_provenance(
    view: ChainView, event: EventMaker
) -> None:
    why = {"failed": "it was not read how each of its transactions ended", "producer": "no node had named its maker"}
    carried = {"failed": None, "producer": None, "gas": None, "ageMs": 0, "reasons": why}
    view.take(event("chain.block", carried, blockHeight=1, blockTime=1, transactions=0), AT)
    told = block_update(Now(view, AT))
    assert "ageMs" not in told
    assert reasons(told) == {**why, "gas": "the event carried none"}


def test_a_network_update_counts_the_peers(view: ChainView, event: EventMaker) -> None:
    for number in range(10):
        view.take(event("chain.peer", peerId=f"p{number}", connected=number > 0, latency=42), AT)
    assert network_update(Now(view, AT)) == {
        "activeNodes": 9,
        "totalNodes": 10,
        "networkHealth": "healthy",
        "avgLatency": 42,
        "nodesLeftOut": 0,
        "observedAt": AT_MS,
    }


def test_a_validator_update_counts_the_validators(view: ChainView, event: EventMaker) -> None:
    for number, status in enumerate(("ACTIVE", "INACTIVE", "JAILED", "ACTIVE")):
        view.take(event("validator.status", validator=f"v{number}", status=status), AT)
    assert validator_update(Now(view, AT)) == {
        "totalValidators": 4,
        "activeValidators": 2,
        "inactiveValidators": 1,
        "jailedValidators": 1,
        "unknownValidators": 0,
        "validatorsLeftOut": 0,
        "observedAt": AT_MS,
    }


def test_the_metrics_carry_both_vocabularies(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.block", blockHeight=1, transactions=100, blockTime=1000), AT)
    view.take(event("chain.transaction", txHash="a", status="SUCCESS", latencyMs=42, blockHeight=1), AT)
    around = Surroundings(cpu_percent=45.2, memory_mb=2048, connections=256, error_rate=0.001)
    assert metrics(Now(view, AT), around) == {
        "timestamp": "1970-01-12T13:46:40.000Z",
        "tps": 100,
        "cpu": 45.2,
        "memory": 2048,
        "connections": 256,
        "errorRate": 0.001,
        "avgTps": 100,
        "peakTps": 100,
        "totalTransactions": 100,
        "activeTransactions": None,
        "pendingTransactions": 0,
        "avgLatencyMs": 42,
        "p95LatencyMs": 42,
        "p99LatencyMs": 42,
        "memoryUsageMb": 2048,
        "cpuUsagePercent": 45.2,
        "observedAt": AT_MS,
        "reasons": {"activeTransactions": "no event says which transactions are being worked on"},
    }


def test_metrics_without_any_source_are_null_with_reasons(view: ChainView) -> None:
    told = metrics(Now(view, AT), Surroundings(connections=0))
    assert {name for name, value in told.items() if value is not None} == {"timestamp", "connections", "reasons"}
    assert set(reasons(told)) == {name for name, value in told.items() if value is None}


def test_a_row_of_history_has_the_dashboard_s_names(view: ChainView) -> None:
    row = history_row(Now(view, AT), Surroundings(cpu_percent=1.0, memory_mb=2))
    names = ["timestamp", "tps", "latencyMs", "cpuUsage", "memoryUsage", "activeNodes", "reasons"]
    assert list(row) == names


def test_every_periodic_event_has_its_channel_and_interval(event: EventMaker) -> None:
    channels = {type_: channel_of(event(type_)) for type_ in INTERVALS}
    assert channels == {
        "portal.tps": "portal/tps",
        "portal.block": "portal/blocks",
        "portal.network": "portal/network",
        "portal.validators": "portal/validators",
        "portal.metrics": "portal/metrics",
    }
    assert [INTERVALS[type_] for type_ in LIVE] == [1.0, 2.0, 3.0, 5.0]
