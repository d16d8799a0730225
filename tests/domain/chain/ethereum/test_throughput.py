"""Transactions a second by the chain's own clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain.ethereum import Throughput
from domain.chain.observations import BlockSeen, Provenance


def block(height: int, at: float, transactions: int | None) -> BlockSeen:
    return BlockSeen(Provenance("1", "node1", "test", at), height, at, transactions=transactions)


def rate_of(window: float, *blocks: BlockSeen) -> float | None:
    throughput = Throughput(window)
    for each in blocks:
        throughput.add(each)
    return throughput.rate()


def test_the_rate_is_over_the_time_from_the_block_before_the_window() -> None:
    assert rate_of(24, block(1, 0, 999), block(2, 12, 120), block(3, 24, 240)) == 15.0
    assert rate_of(24, block(1, 0, 999), block(2, 12, 120), block(3, 24, 240), block(4, 36, 120)) == 15.0


@pytest.mark.parametrize("blocks", [[], [block(1, 5, 7)], [block(1, 5, 7), block(2, 5, 7), block(3, 5, 7)]])
def test_where_no_time_has_passed_there_is_no_rate(blocks) -> None:
    assert rate_of(60, *blocks) is None


def test_blocks_of_the_same_second_are_counted_when_time_passes() -> None:
    assert rate_of(60, block(1, 5, 7), block(2, 5, 7), block(3, 6, 7)) == 14.0


def test_a_block_that_did_not_say_how_many_it_had_makes_the_rate_unknown_while_it_counts() -> None:
    assert rate_of(10, block(1, 0, 1), block(2, 5, None), block(3, 6, 5)) is None
    assert rate_of(10, block(1, 0, 1), block(2, 5, None), block(3, 6, 5), block(4, 15, 10)) == 1.5


def test_blocks_taken_back_do_not_count() -> None:
    throughput = Throughput(60)
    for each in (block(1, 0, 1), block(2, 10, 50), block(3, 20, 500)):
        throughput.add(each)
    throughput.take_back(3)
    assert throughput.rate() == 5.0
    throughput.add(block(2, 10, 20))
    assert throughput.rate() == 2.0


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 40), st.none() | st.integers(0, 9))))
def test_a_rate_is_never_negative_and_never_infinite(told) -> None:
    throughput = Throughput(10)
    for height, at, transactions in told:
        throughput.add(block(height, float(at), transactions))
        rate = throughput.rate()
        assert rate is None or 0 <= rate < 1e9
