from __future__ import annotations

from collections.abc import Callable

import pytest

from domain import Event
from domain.chain import ChainView, Now, Unknown, network_health

EventMaker = Callable[..., Event]
AT = 1_000_000.0
FLOWING = ("throughput", "current_tps", "average_tps", "peak_tps", "latency", "block_height", "pending")
STANDING = ("validators", "total_nodes", "active_nodes", "network_health", "network_latency")
ADDING = ("total_transactions", "confirmed", "failed", "success_ratio")


@pytest.fixture
def view() -> ChainView:
    return ChainView(window=60.0, stale_after=30.0)


@pytest.fixture
def fed(view: ChainView, event: EventMaker) -> ChainView:
    """A view that was told of everything at ``AT``."""
    view.take(event("chain.block", blockHeight=5, blockTime=2000, transactions=10, producer="v1"), AT)
    view.take(event("chain.transaction", txHash="a", status="PENDING"), AT)
    view.take(event("chain.transaction", txHash="b", status="SUCCESS", latencyMs=12.5, blockHeight=5), AT)
    view.take(event("chain.transaction", txHash="c", status="FAILED", blockHeight=5), AT)
    view.take(event("validator.status", validator="v1", status="ACTIVE"), AT)
    view.take(event("chain.peer", peerId="p1", connected=True, latency=10), AT)
    view.take(event("chain.peer", peerId="p2", connected=True, latency=15), AT)
    view.take(event("chain.peer", peerId="p3", connected=False, latency=900), AT)
    view.take(event("chain.consensus", state="COMMITTED", leader="v1"), AT)
    return view


@pytest.mark.parametrize("name", [*FLOWING, *STANDING, *ADDING, "block", "consensus", "spread", "block_interval"])
def test_before_any_event_every_value_is_unknown_and_says_so(view: ChainView, name: str) -> None:
    value = getattr(Now(view, AT), name)
    assert isinstance(value, Unknown)
    assert value.reason.endswith("event received yet")


def test_values_follow_from_what_was_told(fed: ChainView) -> None:
    now = Now(fed, AT)
    assert (now.current_tps, now.average_tps, now.peak_tps, now.throughput) == (5, 5, 5, 5.0)
    assert (now.latency, now.block_height, now.pending, now.total_transactions) == (13, 5, 1, 10)
    assert (now.confirmed, now.failed, now.success_ratio) == (1, 1, 0.5)
    assert (now.total_nodes, now.active_nodes, now.network_health, now.network_latency) == (3, 2, "unhealthy", 13)
    assert (now.block_interval, now.transactions_per_block) == (2.0, 10.0)
    assert now.consensus == {"state": "COMMITTED", "leader": "v1"}
    assert now.silence is None


@pytest.mark.parametrize("name", [*FLOWING, "block", "consensus", "block_interval"])
def test_what_flows_is_unknown_with_its_age_once_it_stays_away(fed: ChainView, name: str) -> None:
    if name == "peak_tps":
        assert Now(fed, AT + 31).peak_tps == 5  # of the last 24 hours, so it stands
        return
    value = getattr(Now(fed, AT + 61 if name == "latency" else AT + 31), name)
    assert isinstance(value, Unknown)
    assert value.reason.endswith(" ago")


def test_what_stands_is_known_as_long_as_any_chain_event_comes(fed: ChainView, event: EventMaker) -> None:
    fed.take(event("chain.block", blockHeight=6), AT + 100)
    now = Now(fed, AT + 120)
    assert all(not isinstance(getattr(now, name), Unknown) for name in STANDING)
    later = Now(fed, AT + 131)
    assert {getattr(later, name).reason for name in STANDING} == {"the last chain event of any kind came 31 s ago"}
    assert later.silence == Unknown("the last chain event of any kind came 31 s ago")


def test_counts_stand_for_as_long_as_the_daemon_runs(fed: ChainView) -> None:
    assert Now(fed, AT + 10_000).total_transactions == 10


def test_latency_says_why_no_transaction_told_one(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.transaction", txHash="a", status="SUCCESS"), AT)
    assert Now(view, AT).latency == Unknown(
        "no transaction settled in the last 60 s told its latencyMs or was seen pending before"
    )


def test_events_that_are_history_are_named_as_the_reason(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.block", blockHeight=5, transactions=1, blockTime=1, told_at=AT - 300), AT)
    view.take(event("chain.consensus", state="COMMITTED", told_at=AT - 300), AT)
    now = Now(view, AT)
    late = "events were 300 s old by their own time when they came"
    assert now.block == Unknown(f"the chain.block {late}")
    assert now.consensus == Unknown(f"the chain.consensus {late}")
    assert now.current_tps == Unknown(f"the chain.transaction or chain.block {late}")


def test_a_block_without_a_count_gives_no_rate(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.block", blockHeight=5), AT)
    reason = "no settled transaction, and no block with its transactions and block time, received yet"
    assert Now(view, AT).current_tps == Unknown(reason)
    view.take(event("chain.block", blockHeight=6, transactions=5), AT)
    assert Now(view, AT).current_tps == 5


def test_a_first_block_without_an_interval_gives_no_rate_and_no_peak(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.block", blockHeight=5, transactions=5), AT)
    assert isinstance(Now(view, AT).current_tps, Unknown)
    assert isinstance(Now(view, AT).peak_tps, Unknown)


def test_peers_that_told_no_latency_have_none(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.peer", peerId="p", connected=True), AT)
    assert Now(view, AT).network_latency == Unknown("no connected peer told its latency")


def test_no_block_that_told_a_number_has_no_mean(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.block", blockHeight=5), AT)
    assert Now(view, AT).transactions_per_block == Unknown("no block event carried transactions")


def test_no_settled_transaction_has_no_success_ratio(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.transaction", txHash="a", status="PENDING"), AT)
    assert Now(view, AT).success_ratio == Unknown("no transaction event told SUCCESS or FAILED yet")


def test_the_moment_behind_values_is_that_of_the_newest_event(fed: ChainView, event: EventMaker) -> None:
    fed.take(event("chain.block", blockHeight=6), AT + 1.5)
    now = Now(fed, AT + 2)
    assert now.observed_at("chain.transaction", "chain.block") == 1_000_001_500
    assert now.observed_at("chain.transaction") == 1_000_000_000


@pytest.mark.parametrize(
    ("active", "total", "health"),
    [
        (10, 10, "healthy"),
        (9, 10, "healthy"),
        (89, 100, "degraded"),
        (7, 10, "degraded"),
        (69, 100, "unhealthy"),
        (0, 1, "unhealthy"),
    ],
)
def test_network_health_has_the_portal_s_thresholds(active: int, total: int, health: str) -> None:
    assert network_health(active, total) == health


def test_a_network_without_peers_has_no_health() -> None:
    assert network_health(0, 0) == Unknown("no peer is known")
