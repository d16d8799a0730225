from __future__ import annotations

import json
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain.sketch import ACCURACY, LEAST, MOST, Sketch, Sum, number, whole

VALUES = st.lists(st.floats(LEAST, 1e7), min_size=1, max_size=200)


def of(values) -> Sketch:
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    return sketch


def added(*parts: Sketch) -> Sketch:
    sketch = Sketch()
    for part in parts:
        sketch.merge(part)
    return sketch


@given(VALUES, st.sampled_from([0.0, 0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_the_value_of_its_rank_to_one_percent(values, ratio):
    exact = sorted(values)[max(1, ceil(ratio * len(values))) - 1]
    assert of(values).quantile(ratio) == pytest.approx(exact, rel=ACCURACY * 1.001)


@given(VALUES, st.integers(0, 200), st.integers(0, 200))
def test_any_split_adds_up_to_the_same(values, one, two):
    first, last = sorted((one % (len(values) + 1), two % (len(values) + 1)))
    a, b, c = of(values[:first]), of(values[first:last]), of(values[last:])
    assert added(a, b, c) == of(values)
    assert added(c, a, b) == added(added(b, c), a) == of(values)


@given(VALUES)
def test_what_is_kept_is_what_is_read(values):
    sketch = of(values)
    read = Sketch.of_json(json.loads(json.dumps(sketch.to_json())))
    assert read == sketch
    assert (read.count, read.mean, read.quantile(0.99)) == (sketch.count, sketch.mean, sketch.quantile(0.99))


def test_the_mean_and_the_extremes_are_those_of_the_values():
    sketch = of([10, 20, 60])
    assert (sketch.mean, sketch.least, sketch.most, sketch.count) == (30, 10, 60, 3)


def test_nothing_has_no_figures():
    sketch = Sketch()
    assert (sketch.mean, sketch.quantile(0.5), sketch.least, sketch.to_json()) == (None, None, None, {})
    assert added(sketch, of([5])) == of([5])


def test_values_beyond_the_ends_are_counted_at_them_and_cost_no_memory():
    sketch = of([0, -5, 1e300, *(10**power for power in range(-300, 300))])
    assert sketch.count == 603
    assert len(sketch.buckets) < 1600
    assert sketch.quantile(0.0) == 0
    assert sketch.total <= 603 * MOST * 1000


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {"sum": 1},
        {"buckets": {}},
        {"count": 1, "sum": 1, "least": 1, "most": 1},
        {"count": 2, "sum": 1, "least": 1, "most": 1, "buckets": {"1": 1}},
        {"count": 1, "sum": 1, "least": 1, "most": 1, "buckets": {"x": 1}},
        {"count": 1, "sum": 1, "least": 1, "most": 1, "buckets": {"1": -1}},
        {"count": 1, "sum": 1, "least": "1", "most": 1, "buckets": {"1": 1}},
        {"count": 1, "sum": True, "least": 1, "most": 1, "buckets": {"1": 1}},
    ],
)
def test_what_is_no_spread_is_refused(broken):
    with pytest.raises(ValueError, match=r"."):
        Sketch.of_json(broken)


def test_a_plain_sum_has_no_spread_and_adds_up_as_well():
    one, other = Sum(), Sum()
    one.add(5)
    other.add(7)
    one.merge(other)
    assert (one.mean, one.least, one.most, one.count) == (6, 5, 7, 2)
    assert Sum.of_json(json.loads(json.dumps(one.to_json()))) == one
    assert one != of([5, 7])
    with pytest.raises(ValueError, match="object"):
        Sum.of_json(3)


def test_a_count_is_an_integer_and_a_number_is_finite():
    assert whole(3) == 3
    assert number(2) == 2.0
    for value in (-1, 1.5, "1", True, None):
        with pytest.raises(ValueError, match="no count"):
            whole(value)
    for value in (float("nan"), float("inf"), "1", False, None):
        with pytest.raises(ValueError, match="no number"):
            number(value)
