from __future__ import annotations

from operator import sub

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain import return_delays, return_window


def most_in_a_second(delays: list[float]) -> int:
    """The most of ``delays`` within any second, as clients understand them: in whole milliseconds."""
    told = [int(delay * 1000) for delay in delays]
    most = len(told)
    while most > 1 and min(map(sub, told[most - 1 :], told)) >= 1000:
        most -= 1
    return most


@pytest.mark.parametrize(
    ("delays", "most"),
    [([], 0), ([3.0], 1), ([1.0, 1.999], 2), ([1.0, 2.0], 1), ([1.0, 1.9, 1.95, 2.0], 3), ([0.5, 7.0, 7.1, 9.0], 2)],
)
def test_the_fullest_second_is_found(delays: list[float], most: int) -> None:
    assert most_in_a_second(delays) == most


@given(st.integers(1, 10_000), st.floats(0.0, 60.0))
@example(1, 2.0)
@example(400, 2.0)
@example(401, 2.0)
@example(4_000, 2.0)
@example(10_000, 0.0)
def test_no_second_has_more_than_one_and_a_half_times_the_mean_of_returns(count: int, first: float) -> None:
    delays = return_delays(count, first)
    mean = count / return_window(count)
    allowed = max(1, int(1.5 * mean))
    told = [int(delay * 1000) for delay in delays]
    assert len(told) == count
    # One more than is allowed would have to fit between two that are so many apart.
    assert all(gap >= 1000 for gap in map(sub, told[allowed:], told))


@pytest.mark.parametrize("counts", [range(1, 500), range(500, 10_001, 250)])
def test_the_same_for_every_small_number_and_for_large_ones(counts: range) -> None:
    for count in counts:
        delays = return_delays(count, 2.0)
        allowed = max(1, int(1.5 * count / return_window(count)))
        assert min(map(sub, delays[allowed:], delays), default=1.0) > 0.999, count


@given(st.integers(1, 10_000), st.floats(0.0, 60.0))
def test_nobody_returns_before_the_gateway_or_after_the_window(count: int, first: float) -> None:
    delays = return_delays(count, first)
    assert first < delays[0]
    assert delays[-1] < first + return_window(count)
    assert delays == sorted(delays)


@pytest.mark.parametrize(("count", "window"), [(1, 2.0), (400, 2.0), (1_000, 5.0), (4_000, 20.0), (10_000, 20.0)])
def test_the_window_grows_with_the_clients_and_is_bounded(count: int, window: float) -> None:
    assert return_window(count) == window


def test_nobody_has_no_delay() -> None:
    assert return_delays(0, 2.0) == []
    assert return_delays(1, 2.0) == [3.0]
