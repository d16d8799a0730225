"""Production counts: only what was counted, whatever order it came in, compared with a count by hand."""

import itertools
import random
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import Refused
from domain.plant.jobs import MINUTE_US, Counter, Counts, Kind, Made, Mark, Nature, Quantities, Shown
from domain.plant.jobs.tellings import telling_of

T0 = 1_800_000_000_000_000
SECOND = 1_000_000
FAR = 10**18


def made(id_, at, job=None, product=None, corrects=None, **pieces):
    return Made(id_, T0 + at * SECOND, Quantities(**pieces), job, product, corrects)


def shown(id_, at, value, modulus=None):
    return Shown(id_, T0 + at * SECOND, "c", Kind.PRODUCED, value, Nature(modulus))


def total(counts, begin=0, end=FAR):
    return sum((tally.pieces for tally in counts.totals(begin, end)), Quantities())


def test_pieces_are_summed_by_job_and_product_and_what_follows_is_worked_out():
    counts = Counts()
    counts.take(made("1", 0, "j1", "a", good=5, scrap=1))
    counts.take(made("2", 1, "j1", "a", good=2))
    counts.take(made("3", 2, "j2", "b", good=7, rework=1))
    assert [(tally.job, tally.product, tally.pieces) for tally in counts.totals(0, FAR)] == [
        ("j1", "a", Quantities(8, 7, 1, 0)),
        ("j2", "b", Quantities(8, 7, 0, 1)),
    ]
    assert counts.of_job("j1") == Quantities(8, 7, 1, 0)


def test_nothing_counted_is_nothing_known_and_never_a_number():
    counts = Counts()
    assert counts.totals(0, FAR) == []
    assert counts.of_job("j1") == Quantities(None, None, None, None)
    counts.take(made("1", 0, good=5))
    assert total(counts) == Quantities(None, 5, None, None)


def test_a_kind_that_was_told_of_is_nought_where_other_things_were_counted():
    counts = Counts()
    counts.take(made("1", 0, good=1, scrap=0))
    counts.take(made("2", 100, good=3))
    assert total(counts, T0 + 50 * SECOND) == Quantities(3, 3, 0, None)
    assert counts.totals(T0 + 200 * SECOND, FAR) == []


def test_a_kind_is_not_known_before_it_was_first_told_of():
    counts = Counts()
    counts.take(made("1", 0, good=1))
    counts.take(made("2", 100, scrap=1))
    assert total(counts, 0, T0 + 50 * SECOND).scrap is None
    assert total(counts).scrap == 1


def test_a_window_is_half_open():
    counts = Counts()
    for number, at in enumerate((0, 10, 20)):
        counts.take(made(str(number), at, good=1))
    assert total(counts, T0, T0 + 20 * SECOND).good == 2
    assert total(counts, T0 + 20 * SECOND, T0 + 30 * SECOND).good == 1


def test_a_repeat_is_taken_once():
    counts = Counts()
    counts.take(made("1", 0, good=5))
    assert counts.take(made("1", 3, good=9)).refused == "duplicate"
    assert (total(counts).good, counts.repeated) == (5, 1)


def test_a_correction_takes_the_place_of_a_count_at_its_moment():
    counts = Counts()
    counts.take(made("1", 0, "j1", good=50))
    taken = counts.take(made("2", 500, good=5, corrects="1"))
    assert [(count.id, count.at, count.pieces.good) for count in taken.counts] == [("1", T0, 5)]
    assert (total(counts).good, counts.of_job("j1").good) == (5, 5)
    assert counts.take(made("2", 500, good=6, corrects="1")).refused == "duplicate"
    assert counts.take(made("3", 500, good=6, corrects="9")).refused == "unknown"


def test_the_numbers_of_a_counter_are_what_it_counted_since():
    counts = Counts()
    for number, value in enumerate((100, 103, 103, 110)):
        counts.take(shown(str(number), number, value))
    assert total(counts) == Quantities(10, None, None, None)


def test_the_first_reading_of_a_counter_counts_nothing():
    counts = Counts()
    counts.take(shown("1", 0, 4711))
    assert total(counts) == Quantities(None, None, None, None)


@pytest.mark.parametrize(
    ("values", "nature", "expected"),
    [
        ([(65_530, False), (5, False)], Nature(65_536), 11),
        ([(30_000, False), (5, False)], Nature(65_536), 5),
        ([(65_530, False), (5, False)], Nature(), 5),
        ([(65_530, False), (5, False)], Nature(65_536, step=10), 5),
        ([(65_530, False), (5, False)], Nature(65_536, step=11), 11),
        ([(100, False), (0, True), (7, False)], Nature(), 7),
        ([(100, False), (120, True)], Nature(), 120),
        ([(9, False), (0, False), (9, False), (0, False)], Nature(10), 11),
    ],
)
def test_a_lower_value_is_a_roll_over_or_a_counter_that_was_set_back(values, nature, expected):
    counter = Counter()
    counted = {}
    for number, (value, is_reset) in enumerate(values):
        counted |= counter.add(Mark(number, value, str(number), is_reset), nature)
    assert sum(value or 0 for value in counted.values()) == expected


def test_a_late_reading_gives_the_next_one_another_number_and_the_sum_stays():
    counts = Counts()
    counts.take(shown("1", 0, 100))
    counts.take(shown("3", 120, 130))
    taken = counts.take(shown("2", 60, 110))
    assert [(count.id, count.pieces.produced) for count in taken.counts] == [("2", 10), ("3", 20)]
    assert total(counts).produced == 30
    assert total(counts, T0, T0 + 100 * SECOND).produced == 10


def test_a_counter_that_stands_still_is_known_to_have_made_nothing_and_is_kept_once_a_minute():
    counts = Counts()
    for number in range(300):
        counts.take(shown(str(number), number, 100))
    assert len(counts) == 5
    assert total(counts, T0 + 60 * SECOND).produced == 0
    assert counts.take(shown("more", 300, 101)).counts[0].pieces.produced == 1


def counted_by_hand(readings, modulus):
    """What a counter counted between readings in their order, worked out in the plainest way."""
    sums = {}
    for (_, before, _), (at, value, id_) in itertools.pairwise(sorted(readings)):
        if value >= before:
            sums[id_] = (at, value - before)
        elif modulus is not None and (value - before) % modulus <= modulus // 2:
            sums[id_] = (at, (value - before) % modulus)
        else:
            sums[id_] = (at, value)
    return sums


readings_ = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 99)), min_size=1, max_size=20, unique_by=lambda reading: reading[0]
)


@given(readings=readings_, modulus=st.sampled_from([None, 100]), seed=st.integers())
def test_readings_in_any_order_and_doubled_count_as_they_would_in_their_own(readings, modulus, seed):
    named = [(at, value, str(number)) for number, (at, value) in enumerate(readings)]
    shuffled = named * 2
    random.Random(seed).shuffle(shuffled)
    counts, told = Counts(), {}
    for at, value, id_ in shuffled:
        for count in counts.take(shown(id_, at, value, modulus=modulus)).counts:
            told[count.id] = count
    expected = counted_by_hand(named, modulus)
    for begin, end in ((0, 51), (0, 20), (20, 51), (13, 14)):
        by_hand = sum(pieces for at, pieces in expected.values() if begin <= at < end)
        assert (total(counts, T0 + begin * SECOND, T0 + end * SECOND).produced or 0) == by_hand
    # Who keeps the newest word on each id has the same sum.
    assert sum(count.pieces.produced or 0 for count in told.values()) == sum(pieces for _, pieces in expected.values())


deltas_ = st.lists(
    st.tuples(
        st.integers(0, 3600),
        st.sampled_from([None, "j1", "j2"]),
        st.sampled_from(["a", "b"]),
        st.integers(0, 9),
        st.one_of(st.none(), st.integers(0, 3)),
    ),
    max_size=25,
)


@given(deltas=deltas_, seed=st.integers(), fold=st.integers(0, 70))
def test_sums_are_those_counted_by_hand_before_and_after_folding_and_a_restart(deltas, seed, fold):
    tellings = [
        Made(str(number), T0 + at * SECOND, Quantities(good=good, scrap=scrap), job, product)
        for number, (at, job, product, good, scrap) in enumerate(deltas)
    ]
    random.Random(seed).shuffle(tellings)
    counts = Counts()
    for telling in tellings:
        counts.take(telling)
    counts.fold(T0 + fold * MINUTE_US)
    first = T0 - T0 % MINUTE_US
    for begin, end in ((first, FAR), (first, first + 20 * MINUTE_US), (first + 20 * MINUTE_US, FAR)):
        inside = [telling for telling in tellings if begin <= telling.at < end]
        assert (total(counts, begin, end).good or 0) == sum(telling.pieces.good for telling in inside)
        assert (total(counts, begin, end).scrap or 0) == sum(telling.pieces.scrap or 0 for telling in inside)
    for job in ("j1", "j2"):
        by_hand = sum(telling.pieces.good for telling in tellings if telling.job == job)
        assert (counts.of_job(job).good or 0) == by_hand
    assert sum(count.pieces.good or 0 for count in counts.all()) == sum(telling.pieces.good for telling in tellings)


def test_a_count_older_than_what_was_folded_is_said_to_be_too_late():
    counts = Counts()
    counts.take(made("1", 0, good=1))
    counts.fold(T0 + 3 * MINUTE_US)
    assert counts.take(made("2", 60, good=1)).refused == "too_late"
    assert (counts.late, total(counts).good) == (1, 1)


def test_a_counter_goes_on_behind_what_was_folded():
    counts = Counts()
    counts.take(shown("1", 0, 100))
    counts.take(shown("2", 90, 110))
    counts.fold(T0 + 2 * MINUTE_US)
    counts.take(shown("3", 200, 125))
    counts.take(shown("4", 150, 112))
    assert total(counts).produced == 25


def test_past_its_capacity_the_oldest_counts_are_folded():
    counts = Counts(capacity=10)
    for number in range(30):
        counts.take(made(str(number), number * 60, "j1", good=1))
    folded = counts.fold(0)
    assert len(counts) <= 10
    assert len(folded.ids) == 30 - len(counts)
    assert (total(counts).good, counts.of_job("j1").good) == (30, 30)


def test_a_jobs_sum_outlives_the_minutes_it_was_made_in():
    counts = Counts()
    counts.take(made("1", 0, "j1", good=4))
    counts.take(made("2", 7200, "j1", good=1))
    counts.fold(T0 + 3600 * SECOND)
    gone, jobs = counts.forget(T0 + 3600 * SECOND)
    assert (len(gone), jobs) == (1, {"j1"})
    assert counts.past_of("j1") == Quantities(good=4)
    assert (total(counts).good, counts.of_job("j1").good) == (1, 5)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_counts_that_are_told_in_several_forms_are_summed_kind_by_kind(order):
    told = [{"good": 300, "scrap": 10}, {"produced": 50, "good": 48}, {"produced": 5, "good": 4, "scrap": 1}]
    counts = Counts()
    for number in order:
        counts.take(made(str(number), number, **told[number]))
    assert total(counts) == Quantities(365, 352, 13, None)
    [last] = counts.totals(T0 + 2 * SECOND, FAR)
    assert last.pieces.resolved().produced == 5


def test_what_is_produced_and_good_by_counters_of_their_own_gives_the_scrap_of_both():
    counts = Counts()
    counts.take(made("1", 0, produced=50))
    counts.take(made("2", 1, good=48))
    assert total(counts) == Quantities(50, 48, 2, None)


def test_pieces_that_are_neither_good_nor_scrap_stay_among_what_was_produced():
    counts = Counts()
    counts.take(made("1", 0, produced=50, good=45, scrap=3))
    assert total(counts) == Quantities(50, 45, 3, None)


def test_more_good_pieces_than_were_produced_are_kept_and_not_clamped():
    counts = Counts()
    counts.take(made("1", 0, produced=10, good=12))
    assert total(counts) == Quantities(10, 12, -2, None)


def test_the_first_and_last_good_piece_of_a_product_are_found():
    counts = Counts()
    counts.take(made("1", 0, product="a", good=1))
    counts.take(made("2", 10, product="a", good=1))
    counts.take(made("3", 20, product="a", scrap=1))
    counts.take(made("4", 30, product="b", scrap=1))
    counts.take(made("5", 40, product="b", produced=3, scrap=1))
    assert counts.last_good("a", T0 + 35 * SECOND) == T0 + 10 * SECOND
    assert counts.last_good("a", T0 + 10 * SECOND) == T0 + 10 * SECOND
    assert counts.first_good("b", T0) == T0 + 40 * SECOND
    assert counts.first_good("b", T0 + 41 * SECOND) is None


@pytest.mark.parametrize(
    ("members", "is_taken"),
    [
        ({"produced": 50, "good": 60, "scrap": 0}, False),
        ({"produced": 5, "good": 3, "scrap": 2, "rework": 1}, False),
        ({"produced": 5, "good": 3, "scrap": 2}, True),
        ({"produced": 5, "good": 3}, True),
    ],
)
def test_a_count_that_contradicts_itself_is_refused(members, is_taken):
    with nullcontext() if is_taken else pytest.raises(Refused, match="add up to"):
        telling_of("1", T0, members)
