from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain.rate import CURRENT_SPAN, PEAK_SPAN, Rate

START = 1_000_000.0


def test_nothing_counted_is_a_rate_of_nothing() -> None:
    assert Rate(60).current(START) == 0
    assert Rate(60).average(START) == 0


def test_a_steady_flow_has_its_rate_from_the_first_second_on() -> None:
    rate = Rate(60)
    for tenth in range(1000):
        rate.add(START + tenth / 10, 5)
        if tenth > 20:
            at = START + tenth / 10 + 0.05
            assert rate.current(at) == pytest.approx(50, rel=0.06)
            assert rate.average(at) == pytest.approx(50, rel=0.06)


def test_what_is_counted_now_counts_now() -> None:
    rate = Rate(60)
    rate.add(START, 7)
    assert rate.current(START) == 7


def test_the_current_rate_falls_to_nothing_after_its_span_and_the_average_after_the_window() -> None:
    rate = Rate(60)
    for second in range(100):
        rate.add(START + second, 10)
    assert rate.current(START + 99 + CURRENT_SPAN + 1) == 0
    assert rate.average(START + 99 + 30) == pytest.approx(5, abs=0.3)
    assert rate.average(START + 99 + 61) == 0


@pytest.mark.parametrize("interval", [0.4, 1.0, 2.5, 6.0, 12.0, 59.0, 600.0])
def test_blocks_have_the_rate_of_their_interval_whenever_one_looks(interval: float) -> None:
    rate = Rate(60)
    for number in range(1, 400):
        closed_at = START + number * interval
        rate.add_block(closed_at, round(100 * interval), interval)
        for part in (0.0, 0.3, 0.99):
            at = closed_at + part * interval
            if number * interval < 1:
                continue  # the rate of less than a second is taken over a whole one
            assert rate.current(at) == pytest.approx(100, rel=0.02)
            assert rate.average(at) == pytest.approx(100, rel=0.02)


def test_the_first_block_alone_has_the_rate_of_its_own_interval() -> None:
    rate = Rate(60)
    rate.add_block(START, 1200, 12.0)
    assert rate.current(START) == pytest.approx(100)
    assert rate.peak(START) == pytest.approx(100)


def test_one_late_block_does_not_lower_the_rate_but_a_chain_that_halts_does() -> None:
    rate = Rate(60)
    for number in range(20):
        rate.add_block(START + number * 2, 200, 2.0)
    last = START + 38
    assert rate.current(last + 3.9) == pytest.approx(100)
    assert rate.current(last + 8) < 40
    assert rate.current(last + 12) == 0


def test_a_block_that_is_told_late_holds_until_the_next_is_overdue_after_that() -> None:
    rate = Rate(60)
    for number in range(20):
        rate.add_block(START + number * 6, 600, 6.0, START + number * 6 + 6)
    assert rate.current(START + 19 * 6 + 6 + 11.9) == pytest.approx(100)
    rate.add_block(START + 18 * 6, 0, 6.0, START + 19 * 6 + 7)
    assert rate.current(START + 19 * 6 + 6 + 11.9) == pytest.approx(100)


def test_an_empty_block_says_that_nothing_happened() -> None:
    rate = Rate(60)
    rate.add_block(START, 100, 10.0)
    rate.add_block(START + 10, 0, 10.0)
    assert rate.current(START + 10) == pytest.approx(0, abs=0.01)
    assert rate.average(START + 10) == pytest.approx(5)


def test_a_block_that_took_no_time_counts_in_its_second() -> None:
    rate = Rate(60)
    rate.add_block(START, 50, 0.0)
    assert rate.current(START + 1) == 50


def test_a_transaction_after_a_block_moves_the_end_of_the_window_to_now() -> None:
    rate = Rate(60)
    rate.add_block(START, 1000, 100.0)
    rate.add(START + 50, 1)
    assert rate.current(START + 50) == pytest.approx(1 / CURRENT_SPAN)


def test_the_peak_is_the_highest_current_rate_and_is_forgotten_after_a_day() -> None:
    rate = Rate(60)
    rate.add_block(START, 1000, 10.0)
    rate.add_block(START + 10, 100, 10.0)
    assert rate.peak(START + 10) == pytest.approx(100)
    assert rate.peak(START + PEAK_SPAN - 120) == pytest.approx(100)
    assert rate.peak(START + PEAK_SPAN + 120) < 100


def test_a_burst_between_two_looks_is_in_the_peak() -> None:
    rate = Rate(60)
    for second in range(60):
        rate.add(START + second, 1000 if 20 <= second < 30 else 1)
    assert rate.peak(START + 60) == pytest.approx(1000, rel=0.01)


def test_a_thousand_years_of_counting_take_no_more_memory() -> None:
    rate = Rate(60)
    for minute in range(5000):
        rate.add(START + minute * 60, 5000 - minute)
        rate.peak(START + minute * 60)
    assert len(rate._buckets) == 61
    assert len(rate._peaks) <= PEAK_SPAN // 60 + 1


def test_what_is_older_than_the_ring_is_not_counted() -> None:
    rate = Rate(60)
    rate.add(START, 1)
    rate.add(START - 1000, 100)
    assert rate.average(START) == pytest.approx(1 / 60)


@given(
    steps=st.lists(st.tuples(st.floats(0.0, 5.0), st.integers(0, 100)), min_size=1, max_size=60),
    later=st.floats(0.0, 30.0),
)
def test_the_rate_agrees_with_a_list_of_everything_that_was_counted(
    steps: list[tuple[float, int]], later: float
) -> None:
    rate, counted, at = Rate(20), [], START
    for gap, count in steps:
        at += gap
        rate.add(at, count)
        counted.append((at, count))
    end = at + later
    begun = counted[0][0]
    for span, told in ((CURRENT_SPAN, rate.current(end)), (20, rate.average(end))):
        start = max(end - span, begun)
        # The second that the window's start cuts counts in part, so it may be in or out.
        least = sum(count for moment, count in counted if moment >= start + 1)
        most = sum(count for moment, count in counted if moment >= start - 1)
        assert least / max(end - start, 1) - 1e-9 <= told <= most / max(end - start, 1) + 1e-9


# -- over a restart ---------------------------------------------------------------------------------------


def test_a_peak_of_an_earlier_life_holds_until_a_day_has_passed() -> None:
    rate = Rate(60)
    rate.restore([(START - 3600, 500.0), (START - 7200, 90.0)])
    rate.add(START, 10)
    assert rate.is_restored
    assert rate.peak(START) == 500
    assert rate.peak(START - 3600 + PEAK_SPAN - 120) == 500
    assert rate.peak(START - 3600 + PEAK_SPAN + 120) < 500


def test_peaks_that_become_known_late_join_those_of_this_life() -> None:
    rate = Rate(60)
    rate.add(START, 7000)
    before = rate.peak(START)
    rate.restore([(START - 600, 1.0)])
    assert rate.peak(START) == before
    rate.restore([(START - 600, before + 1)])
    assert rate.peak(START) == before + 1


def test_nothing_to_restore_is_no_rate() -> None:
    rate = Rate(60)
    rate.restore([])
    assert not rate.is_restored


@given(
    st.lists(st.tuples(st.integers(0, 2 * PEAK_SPAN), st.floats(0, 1e6)), max_size=30),
    st.lists(st.tuples(st.integers(0, 2 * PEAK_SPAN), st.floats(0, 1e6)), max_size=30),
)
def test_the_peak_is_the_highest_of_the_last_day_in_whichever_order_it_was_learned(
    one: list[tuple[int, float]], other: list[tuple[int, float]]
) -> None:
    rate = Rate(60)
    at = START // 60 * 60 + 2 * PEAK_SPAN
    for told in (one, other):
        rate.restore([(START // 60 * 60 + offset, value) for offset, value in told])
    newer = [value for offset, value in (*one, *other) if offset // 60 > PEAK_SPAN // 60]
    assert rate.peak(at) == max(newer, default=0.0)
