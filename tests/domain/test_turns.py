from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.priority import Priority
from domain.turns import LANES, MOST_BETWEEN, PROMOTE_AFTER, PROMOTED, WEIGHTS, Turns, one_round

CRITICAL, HIGH, NORMAL, LOW = Priority
OLD = PROMOTE_AFTER + 0.1
AGES = list(itertools.product((0.0, OLD), repeat=3))


def taken(turns, count, ages=None, waiting=(True, True, True)):
    return [turns.next(*waiting, ages) for _ in range(count)]


def test_lanes_that_are_always_full_share_eight_to_four_to_one():
    served = taken(Turns(), 13 * 100)
    assert [served.count(lane) for lane in LANES] == [800, 400, 100]


def test_the_turns_of_a_round_are_mixed_not_in_blocks():
    served = taken(Turns(), 13)
    assert [len(list(run)) for _, run in itertools.groupby(served)] == [1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1]


@pytest.mark.parametrize("waiting", [pair for pair in itertools.product((True, False), repeat=3) if any(pair)])
def test_who_does_not_wait_leaves_its_turns_to_the_others(waiting):
    served = taken(Turns(), 1300, waiting=waiting)
    weights = [weight if waits else 0 for weight, waits in zip(WEIGHTS, waiting, strict=True)]
    for lane, weight in zip(LANES, weights, strict=True):
        assert abs(served.count(lane) - 1300 * weight / sum(weights)) < 13


@pytest.mark.parametrize("ages", AGES)
def test_who_waits_too_long_has_the_turns_of_one_priority_higher(ages):
    weights = [(PROMOTED if age else WEIGHTS)[lane] for lane, age in enumerate(ages)]
    served = taken(Turns(), 10 * sum(weights), lambda: ages)
    assert [served.count(lane) for lane in LANES] == [10 * weight for weight in weights]


def test_an_age_of_exactly_the_limit_is_not_too_old():
    assert list(one_round(1.0, 1.0, 1.0, 1.0)) == list(one_round(0.0, 0.0, 0.0))


def test_the_limit_of_age_can_be_another():
    assert len(list(one_round(0.0, 0.0, 5.0, 10.0))) == sum(WEIGHTS)
    assert taken(Turns(10.0), 26, lambda: (0.0, 0.0, 5.0)).count(LOW) == 2


def test_the_age_is_asked_once_a_round():
    asked = []

    def ages():
        asked.append(1)
        return 0.0, 0.0, 0.0

    taken(Turns(), 13 * 3, ages)
    assert len(asked) == 3


def test_if_nobody_waits_it_is_nobodys_turn():
    with pytest.raises(ValueError, match="nobody waits"):
        Turns().next([], None, False)


def test_nothing_becomes_critical():
    assert all(CRITICAL not in one_round(*ages) for ages in AGES)


@given(
    st.sampled_from(LANES),
    st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.sampled_from(AGES)), min_size=60, max_size=120),
)
def test_whoever_waits_is_served_whatever_comes_and_goes_beside_it(patient, course):
    turns = Turns()
    others = 0
    for *waiting, ages in course:
        waiting[patient - 1] = True
        served = turns.next(*waiting, lambda ages=ages: ages)
        assert waiting[served - 1]
        others = 0 if served is patient else others + 1
        assert others <= MOST_BETWEEN


def test_the_bound_that_is_told_is_the_least_that_holds():
    rounds = [list(one_round(*ages)) for ages in AGES]
    gaps = [
        max(map(len, "".join(map(str, first + second)).split(str(int(lane)))))
        for lane in LANES
        for first in rounds
        for second in rounds
    ]
    assert max(gaps) == MOST_BETWEEN
