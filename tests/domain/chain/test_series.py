from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain.series import DAY, HOUR, MINUTE, Cell, Tally, begin_of, folded, joined_cells, whole_of

AT = 1_800_000_000
COUNTS = st.integers(0, 10**9)
VALUES = st.lists(st.floats(0, 1e6), max_size=8)
TOLD = st.none() | st.tuples(st.floats(0, 2e9), st.integers(0, 99), st.integers(0, 99))


@st.composite
def cells(draw) -> Cell:
    cell = Cell(
        transactions=draw(COUNTS),
        live=draw(COUNTS),
        confirmed=draw(COUNTS),
        failed=draw(COUNTS),
        blocks=draw(COUNTS),
        covered_ms=draw(st.integers(0, 60_000)),
        peak=draw(st.none() | st.floats(0, 1e7)),
        height=draw(st.none() | COUNTS),
        validators=draw(TOLD),
        nodes=draw(TOLD),
    )
    for sketch in (cell.latency, cell.finality, cell.block_time, cell.cpu, cell.memory):
        for value in draw(VALUES):
            sketch.add(value)
    return cell


@given(st.lists(cells(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_any_order_and_any_split_of_the_same_time_gives_the_same(parts, random):
    together = whole_of(parts)
    shuffled = parts.copy()
    random.shuffle(shuffled)
    cut = random.randint(0, len(parts))
    assert whole_of(shuffled) == together
    assert whole_of([whole_of(shuffled[:cut]), whole_of(shuffled[cut:])]) == together


@given(st.dictionaries(st.integers(AT // 60, AT // 60 + 4000).map(lambda minute: minute * 60), cells(), max_size=8))
def test_days_of_hours_are_days_of_minutes(minutes):
    assert folded(folded(minutes, HOUR), DAY) == folded(minutes, DAY)
    assert whole_of(folded(minutes, HOUR).values()) == whole_of(minutes.values())


@given(cells())
def test_what_is_kept_is_what_is_read(cell):
    assert Cell.of_json(json.loads(json.dumps(cell.to_json()))) == cell


@given(cells(), cells())
def test_adding_leaves_what_was_added_as_it_was(one, other):
    before = json.dumps(other.to_json())
    one.merge(other)
    one.latency.add(5)
    assert json.dumps(other.to_json()) == before


def test_a_rate_is_over_the_time_in_which_the_chain_was_heard_and_an_average_from_sums():
    busy, idle = Cell(live=6000, covered_ms=10_000), Cell(live=60, covered_ms=60_000)
    assert busy.rate == 600
    # The mean of the two rates would be 300.5.
    assert whole_of([busy, idle]).rate == pytest.approx(6060 / 70)
    assert Cell(transactions=5).rate is None


def test_the_share_of_failures_is_of_those_that_were_told_one_by_one():
    assert Cell(transactions=1000, confirmed=9, failed=1).failed_ratio == 0.1
    assert Cell(transactions=1000).failed_ratio is None


def test_of_what_stands_the_newest_holds_and_of_what_rises_the_highest():
    cell = whole_of([Cell(validators=(5.0, 4, 3), height=7, peak=2.0), Cell(validators=(4.0, 9, 9), height=3)])
    assert (cell.validators, cell.height, cell.peak) == ((5.0, 4, 3), 7, 2.0)


def test_cells_begin_at_multiples_of_their_span():
    assert begin_of(AT + 119.9, MINUTE) == AT + 60
    assert begin_of(AT, DAY) % DAY == 0


@pytest.mark.parametrize(
    "broken",
    [
        {"transactions": -1},
        {"latency": 5},
        {"validators": [1, 2]},
        {"validators": "abc"},
        {"peak": "high"},
        {"height": 1.5},
    ],
)
def test_what_is_no_cell_is_refused(broken):
    with pytest.raises(ValueError, match=r"."):
        Cell.of_json(broken)


# -- the minutes that are being counted -------------------------------------------------------------------


def test_a_minute_is_handed_over_once_it_has_ended():
    tally = Tally()
    tally.at(AT + 59.9).live += 1
    tally.at(AT + 60.0).live += 2
    assert tally.take(AT + 59.9) == {}
    assert {at: cell.live for at, cell in tally.take(AT + 60.0).items()} == {AT: 1}
    assert {at: cell.live for at, cell in tally.copy().items()} == {AT + 60: 2}


def test_what_is_counted_late_of_a_minute_that_was_handed_over_is_handed_over_again():
    tally = Tally()
    tally.at(AT).transactions += 1
    first = tally.take(AT + 60)
    tally.at(AT + 1).transactions += 2
    assert joined_cells([first, tally.take(AT + 120)])[AT].transactions == 3


def test_the_time_in_which_the_chain_was_heard_is_that_of_each_minute():
    tally = Tally()
    tally.cover(AT + 59.5, AT + 60.25)
    tally.cover(AT + 60.25, AT + 61.5)
    tally.cover(AT + 70, AT + 70)
    assert {at - AT: cell.covered_ms for at, cell in tally.copy().items()} == {0: 500, 60: 1500}


def test_a_copy_is_not_what_is_being_counted():
    tally = Tally()
    tally.at(AT).latency.add(5)
    tally.copy()[AT].latency.add(6)
    assert tally.copy()[AT].latency.count == 1


def test_a_backfill_of_too_many_minutes_is_left_out_and_counted():
    tally = Tally(limit=3)
    for minute in range(5):
        tally.at(AT + minute * 60).transactions += 1
    assert len(tally.copy()) == 3
    assert tally.left_out == 2
