from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import Position, Priority, rfc3339
from domain.receipts import LEAVERS, MARKS, UNSHOWN, Account, Accounts, Cause, Handed, Kind, Notice, Outcome, Word

NOW = 1_800_000_000.0
LIMITS = {Kind.RECEIVED: 10.0, Kind.SHOWN: 30.0}
RECEIVED, SHOWN = Kind.RECEIVED, Kind.SHOWN


def handed(*offsets: int, epoch: str = "e7") -> list[Handed]:
    return [Handed(Position(epoch, offset), f"id{offset}") for offset in offsets]


def at(offset: int, epoch: str = "e7") -> Position:
    return Position(epoch, offset)


@pytest.fixture
def account() -> Account:
    return Account("c1", "andon-board/2.3")


def due(account: Account, moment: float) -> list[tuple[Word, Kind, int]]:
    return [(notice.word, notice.kind, notice.count) for notice in account.due(moment, LIMITS)]


def tell(account: Account, moment: float, receipts: Accounts | None = None) -> list[Notice]:
    notices = account.due(moment, LIMITS)
    for notice in notices:
        (receipts or Accounts()).told(account, notice)
    return notices


# -- received ---------------------------------------------------------------------------------------------


def test_who_was_handed_nothing_owes_nothing(account):
    account.hand([], 0.0)
    assert due(account, 1e9) == []
    assert account.lag == 0


@pytest.mark.parametrize(("moment", "is_overdue"), [(9.999, False), (10.0, True), (500.0, True)])
def test_what_is_not_received_in_time_is_overdue(account, moment, is_overdue):
    account.hand(handed(5, 6), 0.0)
    assert due(account, moment) == ([(Word.OVERDUE, RECEIVED, 2)] if is_overdue else [])


def test_a_position_stands_for_everything_up_to_it(account):
    account.hand(handed(5, 6), 0.0)
    account.hand(handed(9), 1.0)
    assert account.acknowledge(at(9)) is Outcome.TAKEN
    assert (account.lag, account.received) == (0, at(9))
    assert due(account, 1e9) == []


def test_each_event_has_its_own_time(account):
    for second in range(20):
        account.hand(handed(second + 1), float(second))
        if second >= 8:
            # Always eight behind, and never ten seconds late.
            assert account.acknowledge(at(second - 7)) is Outcome.TAKEN
        assert due(account, second + 0.9) == []
    assert account.lag == 8


def test_of_what_was_handed_over_together_a_part_can_be_received(account):
    account.hand(handed(5, 6, 7), 0.0)
    account.acknowledge(at(6))
    ((notice,),) = [account.due(10.0, LIMITS)]
    assert (notice.count, notice.oldest.handed) == (1, handed(7)[0])


def test_it_is_told_once_and_so_is_that_it_was_made_up(account):
    account.hand(handed(5), 0.0)
    (overdue,) = tell(account, 10.0)
    assert (overdue.word, overdue.oldest.handed.id, overdue.oldest.since) == (Word.OVERDUE, "id5", 0.0)
    assert tell(account, 20.0) == []
    account.acknowledge(at(5))
    (settled,) = tell(account, 21.0)
    assert (settled.word, settled.kind, settled.cause, settled.oldest) == (
        Word.SETTLED, RECEIVED, Cause.CAME, overdue.oldest,
    )  # fmt: skip
    assert tell(account, 22.0) == []


def test_what_could_not_be_told_is_due_until_it_was(account):
    account.hand(handed(5), 0.0)
    assert due(account, 10.0) == due(account, 11.0)
    account.acknowledge(at(5))
    assert due(account, 12.0) == []


@pytest.mark.parametrize(
    ("position", "outcome"),
    [
        (at(5), Outcome.TAKEN),
        (at(4), Outcome.TAKEN),
        (at(3), Outcome.OLD),
        (at(2), Outcome.OLD),
        (at(6), Outcome.AHEAD),
        (at(5, "e8"), Outcome.EPOCH),
        (at(99, "e6"), Outcome.EPOCH),
    ],
)
def test_only_what_was_handed_over_can_be_received(account, position, outcome):
    account.hand(handed(3, 5), 0.0)
    account.acknowledge(at(3))
    assert account.acknowledge(position) is outcome
    assert account.received == (position if outcome is Outcome.TAKEN else at(3))


def test_before_anything_was_handed_over_nothing_can_be_received(account):
    assert account.acknowledge(at(1)) is Outcome.AHEAD


def test_what_is_handed_over_again_is_not_owed_again(account):
    account.hand(handed(5, 6), 0.0)
    account.acknowledge(at(6))
    account.hand(handed(5, 6), 1.0)
    account.hand(handed(6, 7), 2.0)
    assert (account.lag, account.sent) == (1, at(7))


def test_another_log_begins_another_account(account):
    account.hand(handed(500), 0.0)
    account.acknowledge(at(500))
    account.hand(handed(3, epoch="e8"), 1.0)
    assert (account.lag, account.received) == (1, None)
    assert account.acknowledge(at(500)) is Outcome.EPOCH
    assert account.acknowledge(at(3, "e8")) is Outcome.TAKEN


def test_a_receipt_that_is_asked_for_no_more_is_forgiven(account):
    account.hand(handed(5), 0.0)
    tell(account, 10.0)
    (settled,) = account.due(11.0, {RECEIVED: 0.0, SHOWN: 0.0})
    assert (settled.word, settled.cause) == (Word.SETTLED, Cause.FORGIVEN)
    assert account.due(1e9, {RECEIVED: 0.0, SHOWN: 0.0}) == [settled]


def test_who_never_answers_costs_so_much_and_no_more_and_nothing_is_forgotten(account):
    for number in range(10 * MARKS):
        account.hand(handed(2 * number + 1, 2 * number + 2), float(number))
    assert (account.lag, len(account._marks)) == (20 * MARKS, MARKS)
    assert account.due(1e6, LIMITS)[0].oldest.handed.id == "id1"
    account.acknowledge(at(20 * MARKS))
    assert account.lag == 0


# -- shown ------------------------------------------------------------------------------------------------


def test_who_never_said_shown_owes_none(account):
    account.hand(handed(5), 0.0)
    account.acknowledge(at(5))
    assert due(account, 1e9) == []


def test_who_has_said_it_once_owes_it_for_what_comes_then(account):
    account.hand(handed(5), 0.0)
    assert account.show(["id5"]) == [Outcome.TAKEN]
    account.hand(handed(6, 7), 1.0)
    account.acknowledge(at(7))
    assert due(account, 30.9) == []
    assert due(account, 31.0) == [(Word.OVERDUE, SHOWN, 2)]
    assert account.show(["id6"]) == [Outcome.TAKEN]
    assert due(account, 31.0) == [(Word.OVERDUE, SHOWN, 1)]
    tell(account, 31.0)
    assert account.show(["id7", "id7", "never"]) == [Outcome.TAKEN, Outcome.OLD, Outcome.UNKNOWN]
    assert due(account, 32.0) == [(Word.SETTLED, SHOWN, 1)]


def test_what_was_shown_and_is_handed_over_again_is_not_owed_again(account):
    account.show([])
    account.hand(handed(5), 0.0)
    account.show(["id5"])
    account.hand(handed(5, 6), 1.0)
    assert due(account, 60.0)[-1] == (Word.OVERDUE, SHOWN, 1)


def test_of_what_waits_to_be_shown_only_so_much_is_kept(account):
    account.show([])
    for number in range(UNSHOWN + 10):
        account.hand(handed(number + 1), float(number))
    (notice,) = [notice for notice in account.due(1e6, LIMITS) if notice.kind is SHOWN]
    assert (notice.count, notice.oldest.handed.id) == (UNSHOWN, "id11")


# -- everybody --------------------------------------------------------------------------------------------


def test_the_overdue_are_counted_by_kind():
    receipts = Accounts()
    accounts = [receipts.open(f"c{number}", "board") for number in range(3)]
    for account in accounts:
        account.show([])
        account.hand(handed(5), 0.0)
        tell(account, 60.0, receipts)
    assert receipts.overdue == {RECEIVED: 3, SHOWN: 3}
    accounts[0].acknowledge(at(5))
    tell(accounts[0], 61.0, receipts)
    assert receipts.overdue == {RECEIVED: 2, SHOWN: 3}
    receipts.close("c1")
    (left,) = receipts.leavers()
    assert {(notice.word, notice.cause) for notice in tell(left, 62.0, receipts)} == {(Word.SETTLED, Cause.LEFT)}
    assert receipts.leavers() == []
    assert receipts.overdue == {RECEIVED: 1, SHOWN: 2}


def test_who_leaves_owes_nothing_more_and_is_told_of_only_if_it_was_overdue():
    receipts = Accounts()
    account = receipts.open("c1", "board")
    account.hand(handed(5), 0.0)
    receipts.close("c1")
    receipts.close("c1")
    assert (receipts.account("c1"), len(receipts), receipts.leavers()) == (None, 0, [])


def test_there_are_only_so_many_leavers_and_none_of_them_counts_for_ever():
    receipts = Accounts()
    for number in range(LEAVERS + 5):
        account = receipts.open(f"c{number}", "board")
        account.hand(handed(5), 0.0)
        tell(account, 60.0, receipts)
        receipts.close(f"c{number}")
    assert len(receipts.leavers()) == receipts.overdue[RECEIVED] == LEAVERS


def test_those_who_owe_most_come_first():
    receipts = Accounts()
    for number in range(5):
        receipts.open(f"c{number}", "board").hand(handed(*range(1, number + 2)), 0.0)
    late = receipts.open("late", "board")
    late.hand(handed(1), 0.0)
    tell(late, 60.0, receipts)
    assert [account.connection for account in receipts.worst(3)] == ["late", "c4", "c3"]


def test_a_client_that_says_again_who_it_is_keeps_its_account():
    receipts = Accounts()
    receipts.open("c1", "board").hand(handed(5), 0.0)
    assert receipts.open("c1", "board/2").lag == 1
    assert receipts.account("c1").client == "board/2"


# -- the event --------------------------------------------------------------------------------------------


def test_the_event_says_who_owes_what_since_when(account):
    account.hand(handed(5, 6), 100.0)
    (notice,) = account.due(112.0, LIMITS)
    event = notice.event(NOW, 112.0)
    assert (event.type, event.source, event.subject) == ("receipt.overdue", "/andond/receipts", "andon-board/2.3")
    assert (event.priority, event.recorded, event.time) == (Priority.HIGH, NOW, rfc3339(NOW))
    assert event.data == {
        "client": "andon-board/2.3",
        "connection": "c1",
        "kind": "received",
        "count": 2,
        "oldest": {"id": "id5", "position": "e7:5", "since": rfc3339(NOW - 12.0)},
    }
    tell(account, 112.0)
    account.acknowledge(at(6))
    (settled,) = account.due(113.0, LIMITS)
    other = settled.event(NOW + 1, 113.0)
    assert (other.type, other.data["cause"]) == ("receipt.settled", "came")
    assert other.id != event.id


def test_a_client_without_a_word_for_itself_is_named_by_its_connection():
    account = Account("c7", "")
    account.hand(handed(5), 0.0)
    event = account.due(10.0, LIMITS)[0].event(NOW, 10.0)
    assert (event.subject, event.data["client"]) == ("c7", None)


# -- any course of things ---------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hand"), st.integers(1, 5)),
        st.tuples(st.just("acknowledge"), st.integers(0, 60)),
        st.tuples(st.just("wait"), st.floats(0.1, 7.0)),
    ),
    max_size=40,
)


@given(STEPS)
def test_it_is_overdue_if_and_only_if_an_event_was_not_received_in_time_and_told_in_turns(steps):
    """Against a model that remembers every event by itself; a look after each step."""
    account, receipts = Account("c1", "board"), Accounts()
    owed: dict[int, float] = {}
    newest, moment = 0, 0.0
    told: list[Word] = []
    for step, value in steps:
        if step == "hand":
            offsets = range(newest + 1, newest + 1 + value)
            account.hand(handed(*offsets), moment)
            owed |= dict.fromkeys(offsets, moment)
            newest += value
        elif step == "acknowledge":
            outcome = account.acknowledge(at(value))
            if value <= newest:
                owed = {offset: since for offset, since in owed.items() if offset > value}
            assert (outcome is Outcome.AHEAD) == (value > newest or not newest)
        else:
            moment += value
        told += [notice.word for notice in tell(account, moment, receipts)]
        is_overdue = any(moment - since >= LIMITS[RECEIVED] for since in owed.values())
        assert (RECEIVED in account.told) == is_overdue
        assert bool(account.lag) == bool(owed)
        assert account.lag <= len(owed)
    assert all(one is not other for one, other in pairwise(told))
