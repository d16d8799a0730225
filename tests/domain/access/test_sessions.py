from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import (
    LONGEST_TOKEN,
    Family,
    Identity,
    Proof,
    Revocations,
    SessionFault,
    SessionTerms,
    Why,
    crowded_out,
    ended,
    renewed,
    superseded,
)

AT = 1_800_000_000.0
TERMS = SessionTerms()
FAMILY = Family("f1", "u1", AT, AT)


def bearer(session: str = "f1", issued_at: float = AT, subject: str = "u1") -> Identity:
    return Identity(
        subject, "anna", frozenset(), Proof.LOCAL, token_id=f"{session}.1", session=session, issued_at=issued_at
    )


def test_the_newest_token_gives_the_next():
    after = renewed(FAMILY, "f1.1", AT + 60, TERMS)
    assert isinstance(after, Family)
    assert (after.token_id, after.renewed_at, after.began_at) == ("f1.2", AT + 60, AT)


@pytest.mark.parametrize(
    "token_id", ["f1.1", "f1.3", "f1.0", "f2.2", "f1", "", "f1.", "f1.x", "f1.\u0662", "f1." + "9" * 40]
)
def test_any_other_token_of_the_family_ends_it(token_id):
    after = renewed(FAMILY, "f1.1", AT, TERMS)
    assert isinstance(after, Family)
    assert renewed(after, token_id, AT, TERMS) is SessionFault.REUSED


def test_a_family_that_has_ended_is_not_renewed():
    assert renewed(None, "f1.1", AT, TERMS) is SessionFault.UNKNOWN


def test_a_login_lasts_seven_days_however_often_it_is_renewed():
    family, at = FAMILY, AT
    for _ in range(13):
        at += 43_200
        after = renewed(family, family.token_id, at, TERMS)
        assert isinstance(after, Family)
        family = after
    assert renewed(family, family.token_id, AT + TERMS.life, TERMS) is SessionFault.EXPIRED
    assert family.ends_at(TERMS) == AT + TERMS.life


def test_a_login_that_nobody_renews_ends_sooner():
    assert renewed(FAMILY, "f1.1", AT + TERMS.idle, TERMS) is SessionFault.IDLE
    assert isinstance(renewed(FAMILY, "f1.1", AT + TERMS.idle - 1, TERMS), Family)
    assert FAMILY.ends_at(TERMS) == AT + TERMS.idle


def test_reuse_is_told_before_age_so_that_a_thief_is_noticed_late_too():
    after = renewed(FAMILY, "f1.1", AT, TERMS)
    assert isinstance(after, Family)
    assert renewed(after, "f1.1", AT + 10 * TERMS.life, TERMS) is SessionFault.REUSED


@given(st.lists(st.integers(0, 8), min_size=1, max_size=30))
def test_only_the_newest_token_is_ever_good(shown):
    family: Family | None = FAMILY
    for number in shown:
        newest = 0 if family is None else family.number
        after = renewed(family, f"f1.{number}", AT, TERMS)
        assert isinstance(after, Family) is (number == newest and family is not None)
        family = after if isinstance(after, Family) else None


def test_one_login_too_many_ends_those_renewed_the_longest_ago():
    families = [Family(f"f{number}", "u1", AT, AT + number) for number in range(20)]
    assert crowded_out(families, TERMS) == ["f0"]
    assert crowded_out(families[:19], TERMS) == []
    assert len(crowded_out(families, SessionTerms(per_user=1))) == 20


def test_what_has_ended_takes_its_access_tokens_back_as_long_as_one_could_live():
    revocations = Revocations()
    revocations.revoke(ended(FAMILY, Why.LOGOUT, AT).row, AT)
    assert revocations.covers(bearer(), AT)
    assert revocations.covers(bearer(), AT + LONGEST_TOKEN - 1)
    assert not revocations.covers(bearer("f2"), AT)
    assert revocations.lapse(AT + LONGEST_TOKEN) != []


def test_other_rights_take_back_the_access_tokens_from_before_and_no_later_one():
    revocations = Revocations()
    revocations.revoke(superseded("u1", Why.CHANGED, AT).row, AT)
    assert revocations.covers(bearer(issued_at=AT - 0.001), AT)
    assert not revocations.covers(bearer(issued_at=AT), AT)
    assert not revocations.covers(bearer(issued_at=AT - 1, subject="u2"), AT)


def test_who_is_given_a_token_at_once_is_let_in_with_it():
    # Tokens say when they were issued to the millisecond.
    at = AT + 0.0007
    revocations = Revocations()
    revocations.revoke(superseded("u1", Why.CHANGED, at).row, at)
    assert not revocations.covers(bearer(issued_at=int(at * 1000) / 1000), at)
