"""What nobody told yet: gaps by node, what is given up, and a node that says it is far ahead of all others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.chain.cosmos import PRUNED, TOO_MANY, UNREAD, Backlog, Lost, joined
from domain.chain.cosmos.backlog import ATTEMPTS, RANGES_LIMIT, Heights

HEIGHTS = st.integers(1, 60)


@given(st.lists(st.tuples(HEIGHTS, st.integers(0, 8))), HEIGHTS, st.integers(0, 40))
def test_heights_are_a_set(ranges, first, size):
    heights, model = Heights(), set()
    for begin, more in ranges:
        heights.add(begin, begin + more)
        model |= set(range(begin, begin + more + 1))
    assert {height for height in range(120) if height in heights} == model
    outside = heights.outside(first, first + size)
    assert {height for low, high in outside for height in range(low, high + 1)} == (
        set(range(first, first + size + 1)) - model
    )
    assert all(low <= high for low, high in outside)


def test_of_too_many_ranges_the_lowest_are_forgotten():
    heights = Heights()
    for number in range(RANGES_LIMIT + 1):
        heights.add(number * 2)
    assert 0 not in heights
    assert 2 in heights
    assert RANGES_LIMIT * 2 in heights


def test_what_was_before_the_first_block_is_no_gap():
    backlog = Backlog(100)
    assert backlog.told("one", 50) == []
    assert backlog.reached("two", 70) == []
    assert backlog.heights == []


def test_a_hole_waits_to_be_read_and_is_filled():
    backlog = Backlog(100)
    backlog.told("one", 50)
    assert backlog.told("one", 54) == []
    assert backlog.heights == [51, 52, 53]
    backlog.read(52)
    backlog.told("two", 53)
    assert backlog.heights == [51]
    assert len(backlog) == 1


def test_what_an_earlier_life_has_told_is_where_each_node_begins():
    backlog = Backlog(100)
    backlog.begin(50)
    assert backlog.reached("one", 53) == []
    assert backlog.reached("two", 53) == []
    assert backlog.heights == [51, 52, 53]


def test_what_another_node_told_is_no_gap():
    backlog = Backlog(3)
    backlog.told("one", 50)
    backlog.told("two", 50)
    for height in range(51, 90):
        assert backlog.told("one", height) == []
    assert backlog.told("two", 90) == []
    assert backlog.heights == []


def test_beyond_the_limit_the_oldest_are_given_up_once():
    backlog = Backlog(5)
    backlog.told("one", 50)
    assert backlog.reached("one", 70) == [Lost(51, 65, TOO_MANY)]
    assert backlog.heights == [66, 67, 68, 69, 70]
    backlog.told("two", 50)
    assert backlog.reached("two", 70) == []
    assert backlog.reached("one", 72) == [Lost(66, 67, TOO_MANY)]
    assert backlog.heights == [68, 69, 70, 71, 72]


def test_what_the_node_has_no_more_is_given_up():
    backlog = Backlog(100)
    backlog.told("one", 50)
    assert backlog.reached("one", 60, earliest=58) == [Lost(51, 57, PRUNED)]
    assert backlog.heights == [58, 59, 60]


def test_a_height_is_given_up_when_every_node_lacks_it():
    backlog = Backlog(100)
    backlog.told("one", 50)
    backlog.told("one", 52)
    assert backlog.refused(51, "one", ["one", "two"]) == []
    assert backlog.wanted_of(51, ["one", "two"]) == ["two"]
    assert backlog.refused(51, "two", ["one", "two"]) == [Lost(51, 51, PRUNED)]
    assert backlog.heights == []
    assert backlog.refused(51, "one", ["one"]) == []


def test_a_height_that_cannot_be_read_is_given_up_after_some_times():
    backlog = Backlog(100)
    backlog.told("one", 50)
    backlog.told("one", 52)
    said = [backlog.failed(51) for _ in range(ATTEMPTS + 1)]
    assert said == [[]] * (ATTEMPTS - 1) + [[Lost(51, 51, UNREAD)], []]


def test_a_node_far_ahead_of_all_others_makes_no_gap_until_they_are_there():
    backlog = Backlog(10)
    backlog.told("one", 50)
    backlog.told("liar", 50)
    assert backlog.reached("liar", 10**9) == []
    assert backlog.heights == []
    backlog.left("one")
    backlog.told("liar", 51)
    assert backlog.reached("liar", 100) == [Lost(52, 90, TOO_MANY)]


def test_neighbours_that_are_lost_for_the_same_reason_are_said_together():
    lost = [Lost(5, 5, PRUNED), Lost(4, 4, PRUNED), Lost(6, 6, UNREAD), Lost(9, 9, UNREAD)]
    assert joined(lost) == [Lost(4, 5, PRUNED), Lost(6, 6, UNREAD), Lost(9, 9, UNREAD)]


@given(
    st.lists(st.tuples(st.sampled_from(["one", "two"]), st.sampled_from(["told", "reached"]), HEIGHTS)),
    st.integers(1, 6),
)
def test_each_height_is_told_waits_or_is_lost_once(said, limit):
    backlog = Backlog(limit)
    backlog.begin(0)
    told: set[int] = set()
    lost: list[int] = []
    for node, how, height in said:
        if how == "told":
            told.add(height)
        for each in (backlog.told if how == "told" else backlog.reached)(node, height):
            lost += range(each.first, each.last + 1)
        assert len(backlog) <= limit
    waiting = set(backlog.heights)
    assert len(lost) == len(set(lost))
    assert not waiting & told
    assert not waiting & set(lost)


def test_where_earlier_lives_ended_may_become_known_when_nodes_have_begun_already():
    backlog = Backlog(100)
    backlog.reached("a", 50)
    backlog.told("a", 51)
    backlog.reached("b", 49)
    assert backlog.heights == []
    assert backlog.begin(45) == []
    assert backlog.heights == [46, 47, 48, 49]
    backlog.told("a", 52)
    assert backlog.heights == [46, 47, 48, 49]


def test_what_is_too_far_back_by_then_is_given_up_and_said():
    backlog = Backlog(3)
    backlog.told("a", 50)
    assert [(lost.first, lost.last) for lost in backlog.begin(40)] == [(41, 47)]
    assert backlog.heights == [48, 49]
