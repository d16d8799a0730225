"""The rules of Nelson and of Western Electric, against a plain second reading of them and point by point."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plant.quality import LONGEST_WINDOW, NELSON, RULES, WESTERN_ELECTRIC, violated

# Rule, the points that break it, the same with one point changed so that they do not.
CASES = [
    ("nelson-1", [3.01], [3.0]),
    ("nelson-1", [0, -3.5], [-3.5, 0]),
    ("nelson-2", [0.1] * 9, [0.1] * 8),
    ("nelson-2", [-0.1] * 9, [-0.1] * 8 + [0.0]),
    ("nelson-2", [0.0] + [0.1] * 9, [0.1] * 4 + [-0.1] + [0.1] * 4),
    ("nelson-3", [-1, -0.5, 0, 0.1, 0.2, 0.3], [-1, -0.5, 0, 0.1, 0.2, 0.2]),
    ("nelson-3", [6, 5, 4, 3, 2, 1], [5, 4, 3, 2, 1]),
    ("nelson-4", [0, 1] * 7, [0, 1] * 6 + [0]),
    ("nelson-4", [1, 0] * 7, [0, 1] * 6 + [1, 0, 1, 1][2:4]),
    ("nelson-5", [2.5, 0, 2.5], [2.5, 0, 2.0]),
    ("nelson-5", [2.5, 2.5], [2.5, -2.5]),
    ("nelson-5", [-2.1, -2.1, -2.1], [-2.1, 0, 0]),
    ("nelson-6", [1.5, 1.5, 0, 1.5, 1.5], [1.5, 1.5, 0, 1.5, -1.5]),
    ("nelson-6", [-1.1, -1.1, -1.1, -1.1], [-1.1, -1.1, -1.1, -1.0]),
    ("nelson-7", [0.5, -0.5, 1.0] * 5, [0.5, -0.5, 1.0] * 4 + [0.5, -0.5, 1.1]),
    ("nelson-7", [1.1] + [0.9] * 15, [0.9] * 14),
    ("nelson-8", [1.5, -1.5] * 4, [1.5, -1.5] * 3 + [1.5]),
    ("nelson-8", [1.5] * 7 + [-1.5], [1.5] * 8),
    ("western-electric-1", [3.01], [3.0]),
    ("western-electric-2", [2.5, 0, 2.5], [2.5, 0, 0, 2.5]),
    ("western-electric-3", [1.5, 0, 1.5, 1.5, 1.5], [1.5, 0, 0, 1.5, 1.5]),
    ("western-electric-4", [0.1] * 8, [0.1] * 7),
]


@pytest.mark.parametrize(("name", "broken", "kept"), CASES)
def test_a_rule_is_broken_by_its_pattern_and_by_nothing_that_is_nearly_it(name, broken, kept):
    assert RULES[name].is_violated(broken)
    assert not RULES[name].is_violated(kept)


def test_each_rule_has_a_case_and_its_own_name():
    assert {name for name, _, _ in CASES} == set(RULES)
    assert len(RULES) == len(NELSON) + len(WESTERN_ELECTRIC) == 12


# -- a second reading: every rule by going through all points of the window, in the words of the books ---------------


def runs_up(run):
    return all(run[i] < run[i + 1] for i in range(len(run) - 1))


def zigzag(run):
    ups = [run[i] < run[i + 1] for i in range(len(run) - 1)]
    equal = any(run[i] == run[i + 1] for i in range(len(run) - 1))
    return not equal and all(ups[i] != ups[i + 1] for i in range(len(ups) - 1))


def by_hand(name, points):
    newest = points[-1]
    last = {size: points[-size:] for size in (2, 3, 5, 6, 8, 9, 14, 15)}

    def full(size):
        return len(points) >= size

    def same_side_beyond(sigmas, need, window):
        above = [point for point in last[window] if point > sigmas]
        below = [point for point in last[window] if point < -sigmas]
        return (newest > sigmas and len(above) >= need) or (newest < -sigmas and len(below) >= need)

    def one_side(size):
        return full(size) and (all(p > 0 for p in last[size]) or all(p < 0 for p in last[size]))

    return {
        "nelson-1": lambda: newest > 3 or newest < -3,
        "nelson-2": lambda: one_side(9),
        "nelson-3": lambda: full(6) and (runs_up(last[6]) or runs_up(last[6][::-1])),
        "nelson-4": lambda: full(14) and zigzag(last[14]),
        "nelson-5": lambda: same_side_beyond(2, 2, 3),
        "nelson-6": lambda: same_side_beyond(1, 4, 5),
        "nelson-7": lambda: full(15) and all(-1 <= p <= 1 for p in last[15]),
        "nelson-8": lambda: (
            full(8)
            and not any(-1 <= p <= 1 for p in last[8])
            and any(p > 0 for p in last[8])
            and any(p < 0 for p in last[8])
        ),
        "western-electric-1": lambda: newest > 3 or newest < -3,
        "western-electric-2": lambda: same_side_beyond(2, 2, 3),
        "western-electric-3": lambda: same_side_beyond(1, 4, 5),
        "western-electric-4": lambda: one_side(8),
    }[name]()


# Steps that make long patterns likely; the lines themselves are among them.
point_ = st.one_of(
    st.sampled_from([-3.5, -3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]),
    st.floats(-4, 4, allow_nan=False),
)
points_ = st.one_of(
    st.lists(point_, min_size=1, max_size=20),
    st.lists(st.sampled_from([-0.5, 0.0, 0.5, 1.0]), min_size=12, max_size=20),
    st.lists(st.sampled_from([-1.5, 1.5, 2.5]), min_size=4, max_size=12),
    st.integers(4, 18).map(lambda size: [(-1) ** index * 0.7 for index in range(size)]),
    st.integers(4, 9).map(lambda size: [index * 0.3 - 1 for index in range(size)]),
)


@pytest.mark.parametrize("name", RULES)
@given(points=points_)
def test_a_rule_says_what_a_second_reading_of_it_says(name, points):
    assert RULES[name].is_violated(points) == by_hand(name, points)


@given(points=points_)
def test_a_rule_sees_the_same_upside_down_and_only_its_window(points):
    names = {rule.name for rule in violated(points, tuple(RULES.values()))}
    assert names == {rule.name for rule in violated([-point for point in points], tuple(RULES.values()))}
    assert names == {rule.name for rule in violated(points[-LONGEST_WINDOW:], tuple(RULES.values()))}
    for name in names:
        seen = RULES[name].seen(points)
        assert len(seen) <= RULES[name].window
        assert RULES[name].is_violated(seen)


def test_no_point_breaks_no_rule():
    assert violated([]) == ()


def test_the_smallest_steps_still_alternate():
    tiny = math.ulp(0.0)
    assert RULES["nelson-4"].is_violated([0.0, tiny] * 7)
