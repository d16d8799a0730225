"""Control charts: which rules are broken now and by which points, with a baseline that is stated or learned."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plant.quality import NELSON, WESTERN_ELECTRIC, Baseline, Chart, Nature, Sample, estimated, violated

STATED = Baseline(10.0, 1.0, 1)


def nature(**members):
    return Nature(**{"name": "diameter", "baseline": STATED, **members})


def take(chart, *values, start=0):
    return [chart.take(Sample(start + at, f"s{start + at}", (value,))) for at, value in enumerate(values)]


def test_a_broken_rule_begins_with_the_point_that_breaks_it_and_ceases_with_one_that_does_not():
    chart = Chart(nature())
    judged = take(chart, 10.5, 13.5, 13.6, 10.1)
    began = [[violation.rule for violation in each.began] for each in judged]
    # The step from 13.6 to 10.1 is no more than the moving range allows (3.69).
    assert began == [[], ["nelson-1"], ["nelson-5"], []]
    assert judged[3].ceased == ("nelson-1", "nelson-5")
    assert chart.active == frozenset()


def test_a_violation_shows_its_window():
    chart = Chart(nature())
    judged = take(chart, 10.0, *[10.2] * 9)[-1]
    (violation,) = judged.violations
    assert (violation.rule, violation.title) == ("nelson-2", "9 points in a row on one side of the centre")
    assert [sample.id for sample in violation.window] == [f"s{number}" for number in range(1, 10)]


def test_a_late_point_takes_its_place_and_what_is_broken_now_is_worked_out_anew():
    chart = Chart(nature())
    take(chart, *[10.2] * 4)
    take(chart, *[10.2] * 4, start=5)
    assert chart.active == frozenset()
    judged = chart.take(Sample(4, "late", (10.3,)))
    assert judged.violations == ()
    assert [violation.rule for violation in judged.began] == ["nelson-2"]
    far = chart.take(Sample(4.5, "far", (15.0,)))
    assert [violation.rule for violation in far.violations if violation.rule == "nelson-1"] == ["nelson-1"]
    assert "nelson-1" not in chart.active


def test_a_sample_is_taken_once():
    chart = Chart(nature())
    take(chart, 10.0)
    assert chart.take(Sample(7, "s0", (19.0,))) is None
    assert len(chart.samples) == 1


def test_a_subgroup_of_another_size_is_refused():
    with pytest.raises(ValueError, match="subgroups of 1, not of 2"):
        Chart(nature()).take(Sample(0, "s", (1.0, 2.0)))


def test_the_range_has_a_rule_of_its_own():
    chart = Chart(nature(size=4, baseline=Baseline(10.0, 1.0, 4), rules=()))
    calm = chart.take(Sample(0, "a", (9.5, 10.5, 10.0, 10.0)))
    wild = chart.take(Sample(1, "b", (7.5, 12.5, 10.0, 10.0)))
    assert calm.violations == ()
    assert [(violation.rule, len(violation.window)) for violation in wild.began] == [("range", 1)]


def test_a_step_between_single_values_is_their_range():
    chart = Chart(nature(rules=()))
    judged = take(chart, 8.0, 11.8)[-1]
    assert [(violation.rule, len(violation.window)) for violation in judged.began] == [("range", 2)]


def test_a_piece_outside_of_its_specification_is_said_without_any_baseline():
    chart = Chart(nature(baseline=None, lower=9.0, upper=11.0, size=2))
    assert chart.take(Sample(0, "a", (9.0, 11.0))).violations == ()
    judged = chart.take(Sample(1, "b", (10.0, 11.5)))
    assert [violation.rule for violation in judged.began] == ["specification"]
    assert judged.distance is None


def test_without_a_stated_baseline_the_first_subgroups_make_it_and_it_stays():
    values = [10.0, 10.4, 9.6, 10.2, 9.8]
    chart = Chart(nature(baseline=None, learning=5))
    judged = take(chart, *values)
    assert [each.distance is None for each in judged] == [True, True, True, True, False]
    assert chart.baseline == estimated([(value,) for value in values])
    learned = chart.baseline
    take(chart, *[11.0] * 40, start=5)
    assert chart.baseline is learned
    assert "nelson-2" in chart.active


def test_a_process_without_spread_goes_on_learning():
    chart = Chart(nature(baseline=None, learning=3))
    take(chart, 5.0, 5.0, 5.0, 5.0)
    assert chart.baseline is None


def test_what_was_kept_goes_on_as_before():
    chart = Chart(nature(baseline=None, learning=3))
    take(chart, 10.0, 10.4, 9.6, 20.0)
    again = Chart(nature(baseline=None, learning=3))
    again.recall(list(reversed(chart.samples)), chart.baseline, chart.active)
    assert (again.samples, again.baseline, again.active) == (chart.samples, chart.baseline, chart.active)
    assert take(again, 20.0, start=4) == take(chart, 20.0, start=4)


def test_a_baseline_that_is_stated_now_holds_instead_of_the_one_that_was_learned():
    again = Chart(nature())
    again.recall([], Baseline(99.0, 5.0, 1, 25), frozenset())
    assert again.baseline is STATED


@pytest.mark.parametrize("rules", [NELSON, WESTERN_ELECTRIC])
@given(
    values=st.lists(st.sampled_from([6.5, 7.5, 8.5, 9.5, 10.0, 10.5, 11.5, 12.5, 13.5]), min_size=1, max_size=40),
    seed=st.integers(),
)
def test_samples_in_any_order_end_as_they_would_in_their_own(rules, values, seed):
    samples = [Sample(float(at), f"s{at}", (value,)) for at, value in enumerate(values)]
    shuffled = list(samples)
    # Within the memory of the chart every order is the same.
    random.Random(seed).shuffle(shuffled)
    chart = Chart(nature(rules=rules, learning=60))
    began, ceased = set(), set()
    for sample in shuffled:
        judged = chart.take(sample)
        for violation in judged.began:
            assert violation.rule not in began - ceased
            began.add(violation.rule)
            ceased.discard(violation.rule)
        for rule in judged.ceased:
            assert rule in began
            ceased.add(rule)
    assert began - ceased == chart.active
    expected = {rule.name for rule in violated([value - 10.0 for value in values], rules)}
    assert chart.active - {"range"} == expected
