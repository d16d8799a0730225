from __future__ import annotations

from actors import Withdrawn
from domain.access import Family, Why, ended

AT = 1_800_000_000.0


def of(user: str):
    return ended(Family("f1", user, AT, AT), Why.LOGOUT, AT)


def test_who_listens_for_one_user_hears_of_its_tokens_alone_and_the_others_of_all():
    withdrawn, of_anna, of_all = Withdrawn(), [], []
    withdrawn.follow(of_anna.append, "anna")
    withdrawn.follow(of_all.append)
    withdrawn.tell(of("anna"))
    withdrawn.tell(of("bert"))
    assert [each.user_id for each in of_anna] == ["anna"]
    assert [each.user_id for each in of_all] == ["anna", "bert"]


def test_who_leaves_hears_nothing_more_and_leaves_nothing_behind():
    withdrawn, heard = Withdrawn(), []
    leave = [withdrawn.follow(heard.append, "anna"), withdrawn.follow(heard.append), withdrawn.remind(AT, list)]
    assert len(withdrawn) == 3
    for each in (*leave, *leave):
        each()
    withdrawn.tell(of("anna"))
    withdrawn.pass_by(AT + 1)
    assert (len(withdrawn), heard) == (0, [])


def test_who_leaves_while_it_is_told_keeps_nobody_from_being_told():
    withdrawn, heard = Withdrawn(), []
    leaves = []

    def once(each) -> None:
        heard.append(each)
        leaves[0]()

    leaves.append(withdrawn.follow(once, "anna"))
    withdrawn.follow(heard.append, "anna")
    withdrawn.tell(of("anna"))
    withdrawn.tell(of("anna"))
    assert len(heard) == 3


def test_who_has_had_its_time_is_told_once_in_order_and_not_before():
    withdrawn, heard = Withdrawn(), []
    for at in (30, 10, 20):
        withdrawn.remind(AT + at, lambda at=at: heard.append(at))
    withdrawn.pass_by(AT + 9)
    assert heard == []
    withdrawn.pass_by(AT + 20)
    assert heard == [10, 20]
    withdrawn.pass_by(AT + 99)
    withdrawn.pass_by(AT + 99)
    assert heard == [10, 20, 30]
