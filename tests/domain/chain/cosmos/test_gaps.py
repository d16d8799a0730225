"""Which heights are read again, and which are given up and said to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain.cosmos import PRUNED, TOO_MANY, Lost, fill

HEIGHTS = st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("seen", "head", "limit", "earliest", "heights", "lost"),
    [
        (7, 8, 500, 1, range(8, 9), ()),
        (7, 7, 500, 1, range(8, 8), ()),
        (9, 7, 500, 1, range(8, 8), ()),
        (7, 12, 3, 1, range(10, 13), (Lost(8, 9, TOO_MANY),)),
        (7, 12, 500, 11, range(11, 13), (Lost(8, 10, PRUNED),)),
        (7, 20, 3, 11, range(18, 21), (Lost(8, 10, PRUNED), Lost(11, 17, TOO_MANY))),
        (7, 12, 500, 30, range(30, 13), (Lost(8, 12, PRUNED),)),
    ],
)
def test_the_newest_are_read_and_the_rest_is_said(seen, head, limit, earliest, heights, lost):
    filled = fill(seen, head, limit, earliest)
    assert list(filled.heights) == list(heights)
    assert filled.lost == lost


@given(HEIGHTS, HEIGHTS, st.integers(0, 1000), HEIGHTS)
def test_every_height_is_either_read_or_said_to_be_lost(seen, head, limit, earliest):
    filled = fill(seen, head, limit, earliest)
    told = [*filled.heights, *(height for one in filled.lost for height in range(one.first, one.last + 1))]
    assert sorted(told) == list(range(seen + 1, head + 1))
    assert len(filled.heights) <= limit
