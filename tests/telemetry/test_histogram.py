"""Histograms of plain numbers: what they count and how well they estimate."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry import DELAY_BOUNDS, Histogram


def test_an_observation_counts_in_the_first_bucket_that_holds_it():
    histogram = Histogram((1.0, 2.0, 4.0))
    for value in (0.5, 1.0, 1.5, 4.0, 4.1):
        histogram.observe(value)
    assert histogram.buckets == [2, 1, 1, 1]
    assert histogram.cumulative() == [2, 3, 4, 5]
    assert histogram.count == 5
    assert histogram.total == pytest.approx(11.1)


def test_a_batch_with_one_delay_is_one_call():
    batch, single = Histogram(), Histogram()
    batch.observe(0.003, 100)
    for _ in range(100):
        single.observe(0.003)
    assert batch.buckets == single.buckets
    assert batch.total == pytest.approx(single.total)


def test_nothing_is_estimated_before_the_first_observation():
    assert Histogram().quantile(0.99) is None
    assert Histogram().mean is None


def test_a_quantile_is_interpolated_within_its_bucket():
    histogram = Histogram((1.0, 2.0))
    histogram.observe(1.5, 10)
    assert histogram.quantile(0.5) == pytest.approx(1.5)
    assert histogram.quantile(1.0) == pytest.approx(2.0)
    assert histogram.mean == pytest.approx(1.5)


def test_what_is_above_every_bound_is_reported_as_the_highest_one():
    histogram = Histogram((1.0, 2.0))
    histogram.observe(100.0)
    assert histogram.quantile(0.5) == 2.0


def test_a_recent_quantile_forgets_what_was_before():
    histogram = Histogram()
    histogram.observe(9.0, 1000)
    earlier = histogram.copy()
    histogram.observe(0.002, 10)
    recent = histogram.since(earlier)
    assert recent.count == 10
    assert recent.quantile(0.99) <= 0.0025
    assert recent.total == pytest.approx(0.02)
    assert histogram.quantile(0.5) > 5
    assert earlier.count == 1000


@given(st.lists(st.floats(min_value=0, max_value=29), min_size=1), st.floats(min_value=0.01, max_value=1.0))
def test_an_estimate_lies_in_the_bucket_of_the_true_quantile(values, ratio):
    histogram = Histogram()
    for value in values:
        histogram.observe(value)
    ordered = sorted(values)
    true = ordered[max(0, min(len(values), -int(-ratio * len(values) // 1)) - 1)]
    upper = next(bound for bound in DELAY_BOUNDS if true <= bound)
    lower = max((bound for bound in (0.0, *DELAY_BOUNDS) if bound < true), default=0.0)
    assert lower <= histogram.quantile(ratio) <= upper
    assert histogram.mean == pytest.approx(statistics.fmean(values))


@given(st.lists(st.floats(min_value=0, max_value=100)))
def test_every_observation_is_counted_once(values):
    histogram = Histogram()
    for value in values:
        histogram.observe(value)
    assert histogram.count == len(values) == histogram.cumulative()[-1]
    assert histogram.cumulative() == sorted(histogram.cumulative())
