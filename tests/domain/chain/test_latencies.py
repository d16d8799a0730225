from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.chain.latencies import SAMPLE_LIMIT, Latencies, Spread


def test_no_sample_has_no_spread() -> None:
    assert Latencies(60).spread(0.0) is None


def test_one_sample_is_all_of_the_spread() -> None:
    latencies = Latencies(60)
    latencies.add(10.0, 25.0)
    assert latencies.spread(10.0) == Spread(1, 25.0, 25.0, 25.0, 25.0, 25.0, 25.0)


def test_percentiles_are_values_that_were_measured() -> None:
    latencies = Latencies(60)
    for sample in range(100, 0, -1):
        latencies.add(0.0, float(sample))
    spread = latencies.spread(1.0)
    assert spread is not None
    assert (spread.p50, spread.p95, spread.p99) == (50.0, 95.0, 99.0)
    assert (spread.least, spread.most, spread.mean) == (1.0, 100.0, 50.5)


def test_samples_older_than_the_window_say_nothing() -> None:
    latencies = Latencies(60)
    latencies.add(0.0, 1000.0)
    latencies.add(50.0, 10.0)
    spread = latencies.spread(61.0)
    assert spread is not None
    assert (spread.count, spread.mean) == (1, 10.0)
    assert latencies.spread(111.0) is None


@given(st.integers(0, 3))
def test_memory_is_bounded(beyond: int) -> None:
    latencies = Latencies(60)
    for number in range(SAMPLE_LIMIT + beyond):
        latencies.add(0.0, float(number))
    spread = latencies.spread(0.0)
    assert spread is not None
    assert (spread.count, spread.least) == (SAMPLE_LIMIT, float(beyond))
