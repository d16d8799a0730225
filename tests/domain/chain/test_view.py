from __future__ import annotations

from collections.abc import Callable

import pytest

from domain import Event, JsonValue, Priority
from domain.chain import RECENT_LIMIT, ChainView, Now

EventMaker = Callable[..., Event]
AT = 1_000_000.0


@pytest.fixture
def view() -> ChainView:
    return ChainView(window=60.0, stale_after=30.0)


def block(event: EventMaker, height: int, **more: JsonValue) -> Event:
    return event("chain.block", blockHeight=height, **more)


def test_events_that_are_not_the_chains_change_nothing(view: ChainView, event: EventMaker) -> None:
    view.take(event("equipment.reading", value=5), AT)
    assert view.heard == {}


def test_an_event_with_faults_changes_nothing_and_is_counted(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.block", blockHeight="five"), AT)
    assert (view.refused, view.heard, view.block) == (1, {}, None)


def test_blocks_with_their_time_give_a_rate(view: ChainView, event: EventMaker) -> None:
    for number in range(10):
        view.take(block(event, number, transactions=500, blockTime=1000), AT + number)
    assert Now(view, AT + 9).current_tps == 500


def test_blocks_without_their_time_have_that_between_their_moments(view: ChainView, event: EventMaker) -> None:
    view.take(block(event, 1, transactions=1200), AT)
    assert not view.has_rate
    view.take(block(event, 2, transactions=1200), AT + 12)
    assert Now(view, AT + 13).current_tps == 100


def test_the_source_s_own_time_goes_before_the_time_of_receipt(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.block", blockHeight=1, transactions=10, told_at=AT - 6), AT)
    view.take(event("chain.block", blockHeight=3, transactions=10, told_at=AT - 2), AT)
    assert view.block is not None
    assert view.block.members["blockTime"] == 2000
    assert Now(view, AT).current_tps == 5


def test_blocks_that_come_all_at_once_after_a_gap_are_no_burst(view: ChainView, event: EventMaker) -> None:
    for number in range(20):
        view.take(block(event, number, transactions=100, blockTime=1000, told_at=AT - 20 + number), AT)
    view.take(block(event, 20, transactions=100, blockTime=1000, told_at=AT), AT + 0.1)
    assert (Now(view, AT + 1).current_tps, Now(view, AT + 1).peak_tps) == (100, 100)


def test_a_block_time_that_no_source_told_is_not_guessed_from_receipts(view: ChainView, event: EventMaker) -> None:
    view.take(block(event, 1), AT)
    view.take(block(event, 2), AT + 1)
    assert view.block is not None
    assert "blockTime" not in view.block.members


def test_transactions_and_the_block_that_holds_them_are_counted_once(view: ChainView, event: EventMaker) -> None:
    for number in range(20):
        view.take(event("chain.transaction", txHash=f"t{number}", status="SUCCESS", blockHeight=7), AT + number / 2)
    view.take(block(event, 7, transactions=20, blockTime=10000), AT + 10)
    assert view.settlements.total == 20
    assert Now(view, AT + 10).current_tps == 2


def test_a_block_of_transactions_told_one_by_one_does_not_hold_the_window(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.transaction", txHash="t", status="SUCCESS", blockHeight=7), AT)
    view.take(block(event, 7, transactions=1, blockTime=60000), AT)
    assert Now(view, AT + 20).current_tps == 0


def test_history_counts_in_the_total_but_says_nothing_about_now(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.block", blockHeight=7, transactions=900, blockTime=1000, told_at=AT - 100), AT)
    view.take(event("chain.consensus", state="COMMITTED", told_at=AT - 100), AT)
    view.take(event("chain.transaction", txHash="t", status="SUCCESS", latencyMs=5, told_at=AT - 100), AT)
    assert view.settlements.total == 900
    assert (view.block, view.consensus, view.has_rate, view.counted_at) == (None, None, False, None)
    assert view.latencies.spread(AT) is None
    assert view.late == {"chain.block": 100.0, "chain.consensus": 100.0, "chain.transaction": 100.0}


def test_a_time_in_the_future_is_the_time_of_receipt(view: ChainView, event: EventMaker) -> None:
    view.take(event("validator.status", validator="v", status="ACTIVE", told_at=AT + 500), AT)
    entry = view.validators.get("v")
    assert entry is not None
    assert entry.at == AT


def test_the_newest_block_is_the_highest_until_it_is_stale(view: ChainView, event: EventMaker) -> None:
    view.take(block(event, 10), AT)
    view.take(block(event, 9), AT + 1)
    assert view.block is not None
    assert view.block.members["blockHeight"] == 10
    view.take(block(event, 1), AT + 31)
    assert view.block.members["blockHeight"] == 1


def test_the_newest_block_keeps_the_members_beyond_the_contract(view: ChainView, event: EventMaker) -> None:
    view.take(block(event, 10, proposerIndex=4, parent={"hash": "0x"}), AT)
    assert view.block is not None
    assert view.block.members == {"blockHeight": 10, "proposerIndex": 4, "parent": {"hash": "0x"}}
    assert view.blocks.first(1)[0].members == {"blockHeight": 10}


def test_latency_is_what_the_transaction_told_or_the_time_since_it_was_pending(
    view: ChainView, event: EventMaker
) -> None:
    view.take(event("chain.transaction", txHash="a", status="SUCCESS", latencyMs=40), AT)
    view.take(event("chain.transaction", txHash="b", status="PENDING"), AT)
    view.take(event("chain.transaction", txHash="b", status="FAILED"), AT + 0.06)
    view.take(event("chain.transaction", txHash="c", status="SUCCESS"), AT)
    spread = view.latencies.spread(AT + 1)
    assert spread is not None
    assert (spread.count, round(spread.least), round(spread.most)) == (2, 40, 60)


def test_a_pending_transaction_is_listed_once_and_becomes_what_it_was_settled_as(
    view: ChainView, event: EventMaker
) -> None:
    view.take(event("chain.transaction", txHash="a", status="PENDING", value="5"), AT)
    view.take(event("chain.transaction", txHash="a", status="SUCCESS"), AT + 1)
    view.take(event("chain.transaction", txHash="a", status="PENDING"), AT + 2)
    listed = view.transactions.first(10)
    assert [entry.members for entry in listed] == [{"txHash": "a", "status": "SUCCESS", "value": "5"}]


def test_a_transaction_whose_block_was_taken_back_waits_again_and_is_in_no_block(
    view: ChainView, event: EventMaker
) -> None:
    view.take(event("chain.transaction", txHash="a", status="SUCCESS", value="5", blockHeight=7, gasUsed=21), AT)
    view.take(event("chain.transaction", txHash="a", status="PENDING", takenBack=True), AT + 1)
    (listed,) = view.transactions.first(10)
    assert listed.members == {"txHash": "a", "status": "PENDING", "value": "5", "takenBack": True}
    assert (view.settlements.pending, view.settlements.confirmed) == (1, 0)
    view.take(event("chain.transaction", txHash="a", status="SUCCESS", blockHeight=8), AT + 2)
    (listed,) = view.transactions.first(10)
    assert (listed.members["status"], listed.members["blockHeight"]) == ("SUCCESS", 8)
    assert (view.settlements.pending, view.settlements.confirmed) == (0, 1)


def test_a_transaction_that_went_with_its_block_failed_and_counts_as_one(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.block", blockHeight=7, transactions=1, blockTime=1000), AT)
    view.take(event("chain.transaction", txHash="a", status="SUCCESS", blockHeight=7), AT)
    view.take(event("chain.transaction", txHash="a", status="FAILED", takenBack=True), AT + 1)
    (listed,) = view.transactions.first(10)
    assert listed.members == {"txHash": "a", "status": "FAILED", "takenBack": True}
    settled = view.settlements
    assert (settled.confirmed, settled.failed, settled.pending, settled.total) == (0, 1, 0, 1)


def test_nobody_takes_back_what_was_never_settled(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.transaction", txHash="a", status="PENDING", takenBack=True), AT)
    view.take(event("chain.transaction", txHash="a", status="SUCCESS", takenBack=True), AT + 1)
    assert (view.settlements.pending, view.settlements.confirmed, view.settlements.total) == (0, 1, 1)


def test_lists_and_history_are_bounded(view: ChainView, event: EventMaker) -> None:
    for number in range(3 * RECENT_LIMIT):
        view.take(block(event, number), AT)
        view.take(event("chain.transaction", txHash=str(number), status="SUCCESS"), AT)
        view.note({"tps": number})
    assert len(view.blocks) == len(view.transactions) == RECENT_LIMIT
    assert [row["tps"] for row in view.history] == list(range(240, 300))


def test_peers_and_validators_are_kept_by_name(view: ChainView, event: EventMaker) -> None:
    view.take(event("chain.peer", peerId="p", connected=True, latency=5), AT)
    view.take(event("chain.peer", peerId="p", connected=False), AT + 1)
    view.take(event("validator.status", validator="v", status="JAILED"), AT + 1)
    assert [entry.members for entry in view.peers] == [{"peerId": "p", "connected": False, "latency": 5}]
    assert view.validators.counts()["jailedValidators"] == 1


def test_data_that_is_no_object_is_refused(view: ChainView) -> None:
    view.take(Event("1", "/s", "chain.block", [1], AT, Priority.NORMAL), AT)
    assert view.refused == 1
