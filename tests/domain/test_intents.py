import pytest

from domain import Grounds, Intents, Refused, Row, mark_of
from domain.intents import KEPT

MARK = mark_of("andon.raise", "kim", {"type": "stop"})


def kept(*rows: Row) -> list:
    return [(row.key, row.value) for row in rows if row.value is not None]


def test_an_act_that_was_carried_out_is_known_by_its_key_after_a_restart_too():
    intents = Intents("calls.acts")
    assert intents.find("k1", MARK) is None
    (row,) = intents.keep("k1", MARK, 100.0, {"call": "c1"})
    assert (row.kind, row.key) == ("calls.acts", "k1")
    again = Intents("calls.acts")
    again.restore(kept(row))
    for known in (intents, again):
        assert known.find("k1", MARK).answer == {"call": "c1"}
        assert known.row("k1") == row


@pytest.mark.parametrize(
    "other",
    [
        mark_of("andon.acknowledge", "kim", {"type": "stop"}),
        mark_of("andon.raise", "lee", {"type": "stop"}),
        mark_of("andon.raise", "kim", {"type": "stop", "comment": "jam"}),
    ],
)
def test_a_key_is_good_for_one_act(other):
    intents = Intents("calls.acts")
    intents.keep("k1", MARK, 100.0, None)
    with pytest.raises(Refused) as refused:
        intents.find("k1", other)
    assert (refused.value.grounds, refused.value.details) == (Grounds.CONFLICT, {"key": "k1"})


def test_the_order_of_arguments_makes_no_other_act():
    assert mark_of("a.b", "kim", {"x": 1, "y": [2]}) == mark_of("a.b", "kim", {"y": [2], "x": 1})


def test_a_refusal_that_is_kept_is_told_again_in_its_words():
    intents = Intents("calls.acts")
    refusal = Refused(Grounds.CONFLICT, "somebody was first", {"call": {"id": "c1"}})
    (row,) = intents.keep("k1", MARK, 100.0, refusal)
    again = Intents("calls.acts")
    again.restore(kept(row))
    answer = again.find("k1", MARK).answer
    assert isinstance(answer, Refused)
    assert (answer.grounds, answer.message, answer.details) == (refusal.grounds, refusal.message, refusal.details)


def test_a_key_is_forgotten_after_a_week_and_no_sooner():
    intents = Intents("calls.acts")
    intents.keep("old", MARK, 0.0, None)
    intents.keep("new", MARK, 1.0, None)
    assert intents.expire(KEPT - 1) == ()
    assert intents.expire(KEPT) == (Row("calls.acts", "old", None),)
    assert len(intents) == 1
    assert intents.keep("k3", MARK, KEPT + 1, None)[1:] == (Row("calls.acts", "new", None),)


def test_the_oldest_leave_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr("domain.intents.LIMIT", 2)
    intents = Intents("calls.acts")
    rows = [intents.keep(key, MARK, at, None) for at, key in enumerate("abc")]
    assert rows[2] == (intents.row("c"), Row("calls.acts", "a", None))


def test_what_was_kept_is_forgotten_in_the_order_in_which_it_happened():
    rows = [*Intents("x").keep("z", MARK, 1.0, None), *Intents("x").keep("a", MARK, 2.0, None)]
    intents = Intents("x")
    intents.restore(kept(*rows[::-1]))
    assert intents.expire(KEPT + 1) == (Row("x", "z", None),)
