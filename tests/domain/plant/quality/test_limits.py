"""Control limits: the constants against the integrals that define them, the limits against tables."""

import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plant.quality import D2, D3, Baseline, estimated

NORMAL = NormalDist()
# A2, D3 and D4 as tables of control charts print them, by subgroup size.
TABLE = {
    2: (1.880, 0.0, 3.267),
    3: (1.023, 0.0, 2.574),
    4: (0.729, 0.0, 2.282),
    5: (0.577, 0.0, 2.114),
    6: (0.483, 0.0, 2.004),
    7: (0.419, 0.076, 1.924),
    8: (0.373, 0.136, 1.864),
    9: (0.337, 0.184, 1.816),
    10: (0.308, 0.223, 1.777),
}


def range_moments(size):
    """Mean and standard deviation of the range of ``size`` standard normal values, by integration of its distribution.

    P(range <= w) = n * integral of phi(x) (Phi(x + w) - Phi(x))^(n-1) dx.
    """
    step = 0.05
    grid = [-7 + step * index for index in range(281)]
    phi = [NORMAL.pdf(x) for x in grid]
    cdf = [NORMAL.cdf(-7 + step * index) for index in range(500)]
    first = second = 0.0
    for far in range(201):
        width = far * step
        below = (
            size
            * step
            * math.fsum(density * (cdf[index + far] - cdf[index]) ** (size - 1) for index, density in enumerate(phi))
        )
        # Simpson's rule; the last of them is nothing any more.
        weight = 1 / 3 if far == 0 else 4 / 3 if far % 2 else 2 / 3
        first += weight * step * (1 - below)
        second += weight * step * 2 * width * (1 - below)
    return first, math.sqrt(second - first * first)


@pytest.mark.parametrize("size", D2)
def test_the_constants_are_the_moments_of_the_range(size):
    mean, deviation = range_moments(size)
    assert D2[size] == pytest.approx(mean, abs=2e-5)
    assert D3[size] == pytest.approx(deviation, abs=2e-5)


@pytest.mark.parametrize("size", TABLE)
def test_the_limits_are_those_of_the_tables(size):
    mean_range = 7.0
    baseline = Baseline(100.0, mean_range / D2[size], size)
    a2, d3, d4 = TABLE[size]
    lower, upper = baseline.limits
    assert (upper - 100) / mean_range == pytest.approx(a2, abs=6e-4)
    assert (100 - lower) / mean_range == pytest.approx(a2, abs=6e-4)
    low, high = baseline.range_limits
    assert low / mean_range == pytest.approx(d3, abs=6e-4)
    assert high / mean_range == pytest.approx(d4, abs=1.1e-3)
    assert baseline.mean_range == pytest.approx(mean_range)


def test_single_values_have_the_moving_range_of_two():
    baseline = estimated([(10.0,), (12.0,), (11.0,), (14.0,)])
    assert baseline is not None
    assert baseline.centre == 11.75
    assert baseline.sigma == pytest.approx((2 + 1 + 3) / 3 / 1.128379)
    assert baseline.limits[1] == pytest.approx(11.75 + 2.66 * 2, abs=0.01)
    assert baseline.range_limits == (0.0, pytest.approx(3.267 * 2, abs=0.01))


def test_a_baseline_says_how_many_subgroups_it_comes_from_and_a_stated_one_none():
    baseline = estimated([(1.0, 3.0), (2.0, 4.0)])
    assert (baseline.centre, baseline.size, baseline.subgroups) == (2.5, 2, 2)
    assert Baseline(1.0, 1.0, 5).subgroups is None


@pytest.mark.parametrize("subgroups", [[], [(1.0, 2.0)], [(1.0, 1.0), (2.0, 2.0)], [(3.0,), (3.0,)]])
def test_too_few_subgroups_and_a_process_without_spread_have_no_baseline(subgroups):
    assert estimated(subgroups) is None


@pytest.mark.parametrize("subgroups", [[(1.0,), (1.0, 2.0)], [(1.0,) * 11, (2.0,) * 11], [(), ()]])
def test_subgroups_are_of_one_size_up_to_ten(subgroups):
    with pytest.raises(ValueError, match="of one size"):
        estimated(subgroups)


@given(
    subgroups=st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50), st.floats(-50, 50)), min_size=2, max_size=12),
    shift=st.floats(-10, 10),
    scale=st.floats(0.1, 10),
)
def test_limits_move_and_stretch_with_what_is_measured(subgroups, shift, scale):
    baseline = estimated(subgroups)
    moved = estimated([tuple(value * scale + shift for value in subgroup) for subgroup in subgroups])
    if baseline is None or moved is None or baseline.sigma < 1e-6:
        return
    assert moved.centre == pytest.approx(baseline.centre * scale + shift, abs=1e-6)
    assert moved.sigma == pytest.approx(baseline.sigma * scale, rel=1e-6)
    for subgroup in subgroups:
        there = tuple(value * scale + shift for value in subgroup)
        assert moved.distance(there) == pytest.approx(baseline.distance(subgroup), abs=1e-3)
