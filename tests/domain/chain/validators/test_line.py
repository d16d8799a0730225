"""Up to which height every block was told: holes hold it back until they are filled or given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.chain.observations import HeightsMissed
from domain.chain.validators.line import HOLES_LIMIT, Line


def test_the_first_block_begins_it_and_each_next_one_moves_it():
    line = Line()
    for height in (7, 8, 8, 9, 3):
        line.tell(height)
    assert line.height == 9


def test_a_hole_holds_it_back_until_it_is_filled_or_given_up():
    line = Line(10)
    for height in (13, 14, 17):
        line.tell(height)
    assert line.height == 10
    line.tell(11, 12)
    assert line.height == 14
    line.tell(16)
    line.tell(15)
    assert line.height == 17


def test_of_too_many_holes_the_lowest_is_forgotten():
    line = Line(0)
    for height in range(2, 2 * HOLES_LIMIT + 4, 2):
        line.tell(height)
    assert line.height == 2


def test_what_is_taken_back_was_not_told():
    line = Line(10)
    line.tell(12, 20)
    line.take_back(15)
    line.tell(11)
    assert line.height == 14
    line.take_back(4)
    assert line.height == 3


@given(st.lists(st.integers(1, 30), max_size=40))
def test_it_is_where_the_first_height_is_that_nobody_told(heights):
    line, told = Line(0), set()
    for height in heights:
        line.tell(height)
        told.add(height)
        assert line.height == next(each for each in range(31) if each + 1 not in told)


def test_a_chain_knows_it_over_a_restart(rig):
    rig.begin()
    rig.say(rig.block(106), rig.block(107), rig.block(111))
    rig.say(rig.read(107))
    rig.restart()
    assert rig.chains.now(rig.at).told_to("testing-1") == 107
    rig.say(rig.block(108, history=True), HeightsMissed(rig.place(None), 109, 110, "pruned"), rig.block(111))
    assert rig.chains.now(rig.at).told_to("testing-1") == 111
    assert rig.chains.now(rig.at).told_to("none") == -1
