"""The time ledger: a set of entries, whose buckets sum to the span whatever the order they came in."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plant.ledger import Bucket, Counted, Entry, Kind, Ledger, NotKept, Segment, counted, stops_in

P, D, E, S, U = Bucket.PRODUCTION, Bucket.DOWN, Bucket.DELAY, Bucket.SETUP, Bucket.UNKNOWN

WORDS = {"ACTIVE": P, "READY": D, "FEED_HOLD": E, "SETUP": S, "UNAVAILABLE": U}


def state(at: int, word: str, revision: int = 0, said: int = 0) -> Entry:
    return Entry(at, revision, Kind.STATE, said, word, WORDS[word])


def lost(at: int) -> Entry:
    return Entry(at, 0, Kind.LOST, 0, "", U)


def returned(at: int) -> Entry:
    return Entry(at, 0, Kind.RETURNED, 0, "", U)


def ledger_of(*entries: Entry) -> Ledger:
    ledger = Ledger()
    for entry in entries:
        ledger.take(entry)
    return ledger


entries = st.lists(
    st.one_of(
        st.builds(state, st.integers(0, 60), st.sampled_from(sorted(WORDS)), st.integers(0, 2), st.integers(0, 2)),
        st.builds(lost, st.integers(0, 60)),
        st.builds(returned, st.integers(0, 60)),
    ),
    max_size=25,
)
cuts = st.lists(st.integers(-5, 70), min_size=2, max_size=8).map(sorted)


@given(entries, st.randoms(use_true_random=False))
def test_late_shuffled_and_doubled_entries_give_the_same_ledger(given_: list[Entry], seeded: random.Random) -> None:
    shuffled = given_ * 2
    seeded.shuffle(shuffled)
    one, other = ledger_of(*sorted(given_)), ledger_of(*shuffled)
    assert list(one.segments(-5, 70)) == list(other.segments(-5, 70))
    assert one.entries == other.entries


@given(entries, cuts)
def test_buckets_sum_to_the_span_and_any_partition_sums_to_the_whole(given_: list[Entry], at: list[int]) -> None:
    ledger = ledger_of(*given_)
    whole = ledger.sums(at[0], at[-1])
    parts = [ledger.sums(begin, end) for begin, end in pairwise(at)]
    assert whole.total() == at[-1] - at[0]
    assert sum((part for part in parts), start=type(whole)()) == whole
    assert ledger.words(at[0], at[-1]).total() == at[-1] - at[0]


@given(entries, cuts)
def test_segments_follow_each_other_without_a_gap_and_each_differs_from_its_neighbour(
    given_: list[Entry], at: list[int]
) -> None:
    segments = list(ledger_of(*given_).segments(at[0], at[-1]))
    assert [segment.begin for segment in segments[1:]] == [segment.end for segment in segments[:-1]]
    assert all(segment.length > 0 for segment in segments)
    assert all(one[2:] != other[2:] for one, other in pairwise(segments))


@given(entries, cuts, st.integers(1, 30))
def test_time_as_it_is_counted_sums_to_the_span_over_any_partition(
    given_: list[Entry], at: list[int], minor: int
) -> None:
    ledger, present = ledger_of(*given_), 80

    def tally(begin: int, end: int) -> dict[tuple[Bucket, bool], int]:
        sums: dict[tuple[Bucket, bool], int] = {}
        for piece in counted(ledger, begin, end, present, minor):
            name = (piece.bucket, piece.minor is not None)
            sums[name] = sums.get(name, 0) + piece.length
        return sums

    whole = tally(at[0], at[-1])
    assert sum(whole.values()) == at[-1] - at[0]
    summed: dict[tuple[Bucket, bool], int] = {}
    for begin, end in pairwise(at):
        for name, length in tally(begin, end).items():
            summed[name] = summed.get(name, 0) + length
    assert summed == whole


@given(entries, st.integers(0, 60))
def test_what_is_forgotten_takes_nothing_away_from_what_is_kept(given_: list[Entry], before: int) -> None:
    whole, cut = ledger_of(*given_), ledger_of(*given_)
    cut.forget(before)
    begin = max(before, cut.oldest or 0)
    assert list(cut.segments(begin, 70)) == list(whole.segments(begin, 70))


def test_two_changes_three_milliseconds_apart_are_both_kept() -> None:
    ledger = ledger_of(state(0, "READY"), state(1_000_000, "ACTIVE"), state(1_003_000, "READY"))
    assert list(ledger.segments(0, 2_000_000)) == [
        Segment(0, 1_000_000, "READY", D),
        Segment(1_000_000, 1_003_000, "ACTIVE", P),
        Segment(1_003_000, 2_000_000, "READY", D),
    ]


def test_before_the_first_entry_nothing_is_known() -> None:
    assert ledger_of(state(10, "ACTIVE")).sums(0, 15) == {U: 10, P: 5}
    assert Ledger().sums(0, 15) == {U: 15}


def test_the_open_interval_counts_up_to_the_present() -> None:
    ledger = ledger_of(state(10, "ACTIVE"))
    assert ledger.sums(10, 25)[P] == 15
    assert ledger.sums(10, 26)[P] == 16


def test_a_lost_link_makes_time_unknown_until_it_returns() -> None:
    ledger = ledger_of(state(0, "ACTIVE"), lost(10), returned(30))
    assert ledger.sums(0, 40) == {P: 20, U: 20}


def test_what_the_source_says_of_the_time_without_a_link_holds_from_there_on() -> None:
    ledger = ledger_of(state(0, "ACTIVE"), lost(10), returned(30), state(20, "READY"))
    assert list(ledger.segments(0, 40)) == [
        Segment(0, 10, "ACTIVE", P),
        Segment(10, 20, "", U),
        Segment(20, 40, "READY", D),
    ]


def test_a_late_entry_says_what_the_ledger_said_before() -> None:
    ledger = ledger_of(state(0, "ACTIVE"), state(30, "READY"))
    rewritten = ledger.take(state(10, "FEED_HOLD"))
    assert rewritten is not None
    assert (rewritten.begin, rewritten.end) == (10, 31)
    assert rewritten.before == (Segment(10, 30, "ACTIVE", P), Segment(30, 31, "READY", D))
    assert rewritten.after == (Segment(10, 30, "FEED_HOLD", E), Segment(30, 31, "READY", D))
    assert ledger.take(state(10, "FEED_HOLD")) is None


def test_a_correction_takes_the_place_of_what_it_corrects_whenever_it_comes() -> None:
    wrong, right, later = state(10, "ACTIVE"), state(10, "READY", revision=1), state(20, "SETUP")
    for order in ([wrong, later, right], [right, wrong, later], [later, right, wrong]):
        assert ledger_of(*order).sums(0, 30) == {U: 10, D: 10, S: 10}


def test_memory_is_bounded_and_what_is_gone_is_not_made_up() -> None:
    ledger = Ledger(capacity=100)
    for at in range(1000):
        ledger.take(state(at, "ACTIVE" if at % 2 else "READY"))
        assert len(ledger) <= 100
    oldest = ledger.oldest
    assert oldest is not None
    assert oldest > 800
    assert ledger.sums(oldest, 1000).total() == 1000 - oldest
    with pytest.raises(NotKept):
        ledger.sums(0, 1000)
    with pytest.raises(NotKept):
        ledger.take(state(3, "SETUP"))


def test_a_stop_is_one_however_its_word_changes_and_setup_and_the_unknown_end_it() -> None:
    ledger = ledger_of(
        state(0, "ACTIVE"), state(10, "FEED_HOLD"), state(12, "READY"), state(20, "SETUP"), state(30, "READY"),
        state(35, "UNAVAILABLE"), state(40, "READY"),
    )  # fmt: skip
    stops = stops_in(ledger, 0, 100, present=50)
    assert [(stop.begin, stop.end, stop.word, stop.is_open) for stop in stops] == [
        (10, 20, "FEED_HOLD", False),
        (30, 35, "READY", False),
        (40, 50, "READY", True),
    ]


def test_stops_that_a_window_cuts_are_told_whole() -> None:
    ledger = ledger_of(state(0, "ACTIVE"), state(10, "FEED_HOLD"), state(12, "READY"), state(20, "ACTIVE"))
    for begin, end in ((13, 15), (11, 12), (0, 11), (19, 40)):
        assert [stop[:2] for stop in stops_in(ledger, begin, end, present=50)] == [(10, 20)]
    assert stops_in(ledger, 0, 10, present=50) == stops_in(ledger, 20, 40, present=50) == []


def test_a_minor_stop_counts_as_production_and_says_so() -> None:
    ledger = ledger_of(state(0, "ACTIVE"), state(10, "READY"), state(13, "ACTIVE"), state(20, "READY"))
    pieces = list(counted(ledger, 0, 100, present=30, minor=5))
    assert [(piece.begin, piece.end, piece.bucket, piece.minor is not None) for piece in pieces] == [
        (0, 10, P, False),
        (10, 13, P, True),
        (13, 20, P, False),
        (20, 30, D, False),
    ]
    # While it is open a stop is minor until it has lasted.
    assert next(counted(ledger, 20, 100, present=24, minor=5)).minor is not None
    assert isinstance(pieces[0], Counted)
