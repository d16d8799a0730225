from __future__ import annotations

import pytest

from domain.awaited import Awaited
from domain.position import Position
from domain.receipts import Handed, Kind


@pytest.fixture
def found():
    return []


@pytest.fixture
def awaited(found):
    made = Awaited()
    made.wait_for("a", Kind.RECEIVED, (), found.append)
    return made


def _hand(awaited, number=1, id_="a", connection="c1", client="board/1", epoch="e1"):
    awaited.hand(connection, client, [Handed(Position(epoch, number), id_)])


def test_a_receipt_counts_from_a_client_that_was_handed_the_event(awaited, found):
    awaited.receive("c1", Position("e1", 9))
    assert found == []
    _hand(awaited)
    awaited.receive("c2", Position("e1", 9))
    assert found == []
    awaited.receive("c1", Position("e1", 1))
    assert found == ["board/1"]


def test_it_is_told_once(awaited, found):
    _hand(awaited)
    _hand(awaited, connection="c2", client="board/2")
    awaited.receive("c1", Position("e1", 1))
    awaited.receive("c1", Position("e1", 2))
    awaited.receive("c2", Position("e1", 2))
    awaited.show("c2", ["a"])
    assert found == ["board/1"]
    assert len(awaited) == 0


@pytest.mark.parametrize("position", [Position("e1", 4), Position("e2", 9)])
def test_a_position_before_it_or_of_another_log_says_nothing(awaited, found, position):
    _hand(awaited, number=5)
    awaited.receive("c1", position)
    assert found == []
    awaited.receive("c1", Position("e1", 5))
    assert found == ["board/1"]


def test_what_must_be_shown_is_not_received_alone(found):
    awaited = Awaited()
    awaited.wait_for("a", Kind.SHOWN, (), found.append)
    _hand(awaited)
    awaited.receive("c1", Position("e1", 1))
    assert found == []
    awaited.show("c1", ["x", "a"])
    assert found == ["board/1"]


def test_only_those_count_who_are_meant(found):
    awaited = Awaited()
    awaited.wait_for("a", Kind.RECEIVED, ("tablet/anna",), found.append)
    _hand(awaited)
    assert not awaited.was_handed("a")
    _hand(awaited, connection="c2", client="tablet/anna")
    assert awaited.was_handed("a")
    awaited.receive("c1", Position("e1", 1))
    assert found == []


def test_who_has_left_was_not_handed_it(awaited, found):
    _hand(awaited)
    awaited.leave("c1")
    awaited.receive("c1", Position("e1", 1))
    assert found == []
    assert not awaited.was_handed("a")


def test_what_is_not_waited_for_any_more_is_forgotten(awaited, found):
    _hand(awaited)
    awaited.forget("a")
    awaited.forget("a")
    awaited.receive("c1", Position("e1", 1))
    assert found == []
