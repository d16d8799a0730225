"""The delivery ledger's arithmetic; ``stream/test_ledger.py`` has what it says of a real stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import Priority
from transport.ledger import Entry, Ledger, imbalance

ROW = Entry(enqueued=100, delivered=50, conflated=20, expired=10, gapped=5, queued=15)
counts = st.lists(st.integers(0, 1000), min_size=4, max_size=4)


def test_a_row_balances_when_everything_is_accounted_for():
    assert ROW.imbalance == 0


@pytest.mark.parametrize("name", ["delivered", "conflated", "expired", "gapped", "queued"])
@pytest.mark.parametrize("error", [1, -1])
def test_one_publication_too_many_or_too_few_shows_wherever_it_is(name, error):
    assert replace(ROW, **{name: getattr(ROW, name) + error}).imbalance == -error


def test_one_that_was_offered_and_never_seen_again_is_missed():
    assert replace(ROW, enqueued=101).imbalance == 1


def test_too_many_of_one_priority_do_not_make_up_for_too_few_of_another():
    assert imbalance([replace(ROW, queued=14), replace(ROW, queued=16), ROW, ROW]) == 2


def test_a_ledger_of_nothing_balances():
    entries = Ledger().entries([0] * 4, [0] * 4)
    assert entries == (Entry(0, 0, 0, 0, 0, 0),) * 4
    assert imbalance(entries) == 0


@given(direct=counts, delivered=counts, conflated=counts, expired=counts, gapped=counts, queued=counts)
def test_rows_are_by_priority_and_what_never_waited_was_delivered(
    direct, delivered, conflated, expired, gapped, queued
):
    ledger = Ledger()
    ledger.delivered, ledger.conflated, ledger.expired, ledger.gapped = delivered, conflated, expired, gapped
    ledger.enqueued = [sum(row) for row in zip(delivered, conflated, expired, gapped, queued, strict=True)]
    entries = ledger.entries(direct, queued)
    assert imbalance(entries) == 0
    for priority in Priority:
        entry = entries[priority]
        assert entry.delivered == direct[priority] + delivered[priority]
        assert entry.enqueued == direct[priority] + ledger.enqueued[priority]
        assert (entry.conflated, entry.expired) == (conflated[priority], expired[priority])
        assert (entry.gapped, entry.queued) == (gapped[priority], queued[priority])
