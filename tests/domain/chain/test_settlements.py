from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain import settlements as module
from domain.chain.settlements import Settlements

FRESH = 30.0


@pytest.fixture
def settlements() -> Settlements:
    return Settlements(FRESH, 60.0)


def settle(settlements: Settlements, name: str, height: int | None = None, at: float = 0.0) -> int:
    return settlements.settle(name, succeeded=True, height=height, at=at)


def test_transactions_count_by_themselves_while_no_block_tells_its_count(settlements: Settlements) -> None:
    assert [settle(settlements, name) for name in "abc"] == [1, 1, 1]
    assert settlements.total == 3


def test_a_transaction_counts_once_however_often_it_is_told(settlements: Settlements) -> None:
    assert settle(settlements, "a") == 1
    assert settle(settlements, "a", height=4) == 0
    assert settlements.total == 1
    assert settlements.confirmed == 1


def test_transactions_told_before_their_block_are_taken_off_its_count(settlements: Settlements) -> None:
    settle(settlements, "a", height=5)
    settle(settlements, "b", height=5)
    assert settlements.close_block(5, 10, at=1.0) == 8
    assert settlements.total == 10


def test_transactions_told_after_their_block_add_nothing(settlements: Settlements) -> None:
    settlements.close_block(5, 2, at=0.0)
    assert settle(settlements, "a", height=5, at=1.0) == 0
    assert settle(settlements, "b", height=5, at=1.0) == 0
    assert settle(settlements, "c", height=5, at=1.0) == 1
    assert settlements.total == 3


def test_a_block_told_by_two_nodes_counts_once(settlements: Settlements) -> None:
    assert settlements.close_block(5, 10, at=0.0) == 10
    assert settlements.close_block(5, 10, at=0.1) == 0
    assert settlements.close_block(5, 12, at=0.2) == 2


def test_a_transaction_without_a_height_adds_nothing_while_blocks_tell_their_counts(settlements: Settlements) -> None:
    settlements.close_block(5, 10, at=0.0)
    assert settle(settlements, "a", at=FRESH) == 0
    assert settlements.confirmed == 1
    assert settle(settlements, "b", at=FRESH + 1) == 1


def test_a_height_is_used_again_by_a_chain_that_begins_anew(settlements: Settlements) -> None:
    settlements.close_block(1, 10, at=0.0)
    assert settlements.close_block(1, 4, at=61.0) == 4


def test_pending_transactions_wait_until_they_are_settled(settlements: Settlements) -> None:
    settlements.add_pending("a", 1.0)
    settlements.add_pending("a", 2.0)
    settlements.add_pending("b", 2.0)
    assert settlements.pending == 2
    assert settlements.waited("a", 4.0) == 3.0
    assert settlements.waited("c", 4.0) is None
    settle(settlements, "a", at=4.0)
    settlements.add_pending("a", 5.0)
    assert settlements.pending == 1


def test_a_transaction_that_was_taken_back_is_not_settled(settlements: Settlements) -> None:
    settlements.settle("a", succeeded=True, height=5, at=0.0)
    settlements.settle("b", succeeded=False, height=5, at=0.0)
    for name in ("a", "b", "c"):
        settlements.take_back(name)
    assert (settlements.confirmed, settlements.failed, settlements.is_settled("a")) == (0, 0, False)
    settlements.add_pending("a", 1.0)
    assert settlements.pending == 1


def test_failed_and_confirmed_transactions_are_counted_apart(settlements: Settlements) -> None:
    settlements.settle("a", succeeded=True, height=None, at=0.0)
    settlements.settle("b", succeeded=False, height=None, at=0.0)
    assert (settlements.confirmed, settlements.failed, settlements.total) == (1, 1, 2)


def test_memory_is_bounded_and_what_is_left_out_is_counted(
    settlements: Settlements, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PENDING_LIMIT", 10)
    monkeypatch.setattr(module, "HASH_LIMIT", 10)
    monkeypatch.setattr(module, "HEIGHT_LIMIT", 10)
    for number in range(100):
        settlements.add_pending(f"p{number}", 0.0)
        settle(settlements, f"s{number}", height=number)
    assert settlements.pending == 10
    assert settlements.pending_left_out == 90
    assert len(settlements._hashes) == 10
    assert len(settlements._heights) == 10
    assert not settlements.is_settled("s0")
    assert settlements.is_settled("s99")


@dataclass(frozen=True)
class Block:
    height: int
    count: int


@dataclass(frozen=True)
class Transaction:
    name: int
    height: int


told = st.builds(Block, st.integers(0, 3), st.integers(0, 8)) | st.builds(
    Transaction, st.integers(0, 30), st.integers(0, 3)
)


@given(st.lists(told, max_size=60))
def test_the_total_is_the_greater_of_block_and_transactions_for_every_height_in_any_order(
    events: list[Block | Transaction],
) -> None:
    settlements = Settlements(FRESH, 60.0)
    added = 0
    blocks: dict[int, int] = {}
    heights: dict[int, int] = {}
    for event in events:
        if isinstance(event, Block):
            added += settlements.close_block(event.height, event.count, 0.0)
            blocks[event.height] = max(blocks.get(event.height, 0), event.count)
        else:
            added += settle(settlements, str(event.name), event.height)
            heights.setdefault(event.name, event.height)
    events_of = {height: list(heights.values()).count(height) for height in range(4)}
    expected = sum(max(blocks.get(height, 0), events_of[height]) for height in range(4))
    assert settlements.total == added == expected
