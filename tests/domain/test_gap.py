import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.gap import Gap


def gap(first, last, count):
    return Gap("oee/line3", first, last, count, "overflow")


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (gap(1, 3, 3), gap(4, 6, 3), gap(1, 6, 6)),
        (gap(4, 6, 3), gap(1, 3, 3), gap(1, 6, 6)),
        # What lies between the two was told: the count says so.
        (gap(1, 2, 2), gap(9, 9, 1), gap(1, 9, 3)),
        (gap(1, 3, None), gap(4, 6, 3), gap(1, 6, None)),
        (gap(1, 3, 3), gap(4, 6, None), gap(1, 6, None)),
    ],
)
def test_two_holes_are_told_as_one(one, other, both):
    assert one.with_more(other) == both


HOLES = st.tuples(st.integers(1, 100), st.integers(0, 50)).map(lambda each: gap(each[0], sum(each), each[1] + 1))


@given(st.lists(HOLES, min_size=1, max_size=8))
def test_many_holes_in_one_lose_nothing_of_their_count(holes):
    whole = holes[0]
    for hole in holes[1:]:
        whole = whole.with_more(hole)
    assert whole.count == sum(hole.count for hole in holes)
    assert all(whole.first <= hole.first and hole.last <= whole.last for hole in holes)
