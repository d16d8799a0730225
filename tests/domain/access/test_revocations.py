"""Tokens that were taken back before their time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.access import Identity, Proof, Revocation, Revocations, Scope, TooManyRevocations

AT = 1_795_240_800.0
ANNA = Identity(
    "anna", "Anna", frozenset({"operator"}), Proof.LOCAL, token_id="f1.2", session="f1", issued_at=AT  # noqa: S106
)  # fmt: skip


def test_a_token_a_login_and_a_user_are_taken_back_by_their_names():
    for scope, id_ in ((Scope.TOKEN, "f1.2"), (Scope.SESSION, "f1"), (Scope.SUBJECT, "anna")):
        assert Revocations([Revocation(scope, id_)]).covers(ANNA, AT)
        assert not Revocations([Revocation(scope, "other")]).covers(ANNA, AT)
        assert not Revocations([Revocation(scope, "")]).covers(replace(ANNA, token_id="", session=""), AT)


def test_a_name_of_one_kind_is_no_name_of_another():
    assert not Revocations([Revocation(Scope.TOKEN, "anna"), Revocation(Scope.SUBJECT, "f1")]).covers(ANNA, AT)


def test_a_user_who_logs_in_again_has_good_tokens():
    revoked = Revocations([Revocation(Scope.SUBJECT, "anna", before=AT)])
    assert revoked.covers(replace(ANNA, issued_at=AT - 0.001), AT)
    assert not revoked.covers(ANNA, AT)


def test_a_token_that_does_not_say_when_it_was_issued_is_taken_back_with_all_the_others():
    assert Revocations([Revocation(Scope.SUBJECT, "anna", before=1.0)]).covers(replace(ANNA, issued_at=None), AT)


def test_a_row_lapses_once_no_token_that_it_is_about_is_valid():
    revoked = Revocations([Revocation(Scope.TOKEN, "f1.2", until=AT + 10), Revocation(Scope.SUBJECT, "bob")])
    assert revoked.covers(ANNA, AT + 9)
    assert not revoked.covers(ANNA, AT + 10)
    assert [row.id for row in revoked.lapse(AT + 10)] == ["f1.2"]
    assert [row.id for row in revoked.rows()] == ["bob"]


def test_a_full_list_lets_nobody_in_by_forgetting_him():
    revoked = Revocations([Revocation(Scope.TOKEN, "f1.2")], limit=1)
    with pytest.raises(TooManyRevocations):
        revoked.revoke(Revocation(Scope.TOKEN, "f2.1"), AT)
    assert revoked.covers(ANNA, AT)
    assert revoked.revoke(Revocation(Scope.TOKEN, "f1.2", until=AT + 5), AT).until is None


def test_a_full_list_has_room_again_when_a_row_has_lapsed():
    revoked = Revocations([Revocation(Scope.TOKEN, "old", until=AT)], limit=1)
    revoked.revoke(Revocation(Scope.TOKEN, "f1.2"), AT)
    assert revoked.covers(ANNA, AT)
    assert len(revoked) == 1


moments = st.none() | st.floats(AT, AT + 100)
revocations = st.builds(
    Revocation, st.sampled_from(Scope), st.sampled_from(["anna", "f1", "f1.2", "bob"]), before=moments, until=moments
)


@given(st.lists(revocations, max_size=12), st.floats(AT, AT + 100))
def test_no_later_row_gives_back_what_an_earlier_one_has_taken(rows, at):
    revoked = Revocations()
    covered = False
    for row in rows:
        revoked.revoke(row, AT)
        covered = covered or Revocations([row]).covers(ANNA, at)
        assert revoked.covers(ANNA, at) or not covered
    kept = Revocations(revoked.rows())
    assert kept.covers(ANNA, at) == revoked.covers(ANNA, at)
