from __future__ import annotations

import pytest

from actors.runtime.marks import LIMIT, SPACING, Marks

ORIGIN = 100.0


def steadily(seconds, rate):
    """The marks of a backlog that nobody takes from, ``rate`` messages a second put into the lane 2."""
    marks = Marks(ORIGIN)
    put = []
    for tick in range(1, round(seconds / SPACING)):
        at = ORIGIN + tick * SPACING
        marks.add(at, (0, 0, len(put), 0), (0, 0, 0, 0))
        put += [at] * round(rate * SPACING)
    return marks, put, at


def test_what_came_before_the_first_mark_has_its_moment():
    assert Marks(ORIGIN).since(0, 0) == ORIGIN


def test_a_message_has_the_moment_of_the_newest_mark_before_it():
    marks = Marks(ORIGIN)
    marks.add(101.0, (3, 0, 0, 0), (0, 0, 0, 0))
    marks.add(102.0, (5, 0, 0, 0), (0, 0, 0, 0))
    assert [marks.since(0, number) for number in (0, 2, 3, 4, 5, 6)] == [100.0, 100.0, 101.0, 101.0, 102.0, 102.0]


def test_a_mark_is_forgotten_when_all_that_came_before_the_next_is_gone():
    marks = Marks(ORIGIN)
    marks.add(101.0, (3, 1, 0, 0), (0, 0, 0, 0))
    marks.add(102.0, (5, 1, 0, 0), (3, 0, 0, 0))
    assert marks.since(1, 0) == ORIGIN
    marks.add(103.0, (6, 1, 0, 0), (3, 1, 0, 0))
    assert marks.since(1, 0) == 101.0


@pytest.mark.parametrize("seconds", [10, 60, 600, 3600])
def test_however_long_the_backlog_the_marks_are_few_and_the_ages_right_by_half(seconds):
    marks, put, now = steadily(seconds, 16)
    assert len(marks._marks) <= LIMIT
    for number in range(0, len(put), 7):
        age, known = now - put[number], now - marks.since(2, number)
        assert age <= known <= age + max(SPACING, age / 2), (number, age, known)
