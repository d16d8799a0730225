"""Who is signed in on the page, and for how long."""

from __future__ import annotations

import pytest

from domain.access import Identity, PageSessions, Proof, key_of, postponed, renewal_of, session_of
from domain.access.page_sessions import RETRY

AT = 1_800_000_000.0
LIFE = 43_200.0


def made(word="s1", user="u1", at=AT, *, renewal="r1", good_for=300.0, issuer="id"):
    identity = Identity(user, user, frozenset({"viewer"}), Proof.TOKEN, session=f"page-{word}")
    return session_of(key_of(word), identity, issuer, at, life=LIFE, renewal=renewal, good_until=at + good_for)


def test_a_session_is_found_by_its_secret_until_its_end():
    sessions, session = PageSessions(), made()
    sessions.begin(session)
    assert sessions.find(key_of("s1"), AT + LIFE - 1) is session
    assert sessions.find(key_of("s1"), AT + LIFE) is None
    assert sessions.find(key_of("s2"), AT) is None
    assert sessions.named("page-s1") is session


def test_its_identity_lasts_as_long_as_it_and_no_longer_than_its_proof_if_none_can_be_renewed():
    assert made().identity.expires_at == AT + LIFE
    short = made(renewal="")
    assert (short.ends_at, short.identity.expires_at, short.renew_at) == (AT + 300, AT + 300, None)


def test_nothing_that_opens_anything_is_in_its_repr():
    shown = repr(made("secret-of-mine", renewal="renewal-of-mine"))
    assert "renewal-of-mine" not in shown
    assert repr(key_of("secret-of-mine")) not in shown


def test_it_is_renewed_before_its_proof_ends_and_goes_by_the_same_name():
    sessions, session = PageSessions(), made()
    sessions.begin(session)
    assert sessions.due(AT + 199) == []
    assert sessions.due(AT + 200) == [session]
    other = Identity("u1", "u1", frozenset({"admin"}), Proof.TOKEN, session="their-own")
    later = renewal_of(session, other, AT + 200, renewal="r2", good_until=AT + 500)
    assert sessions.renewed(later)
    found = sessions.named("page-s1")
    assert found.identity.roles == {"admin"}
    assert (found.ends_at, found.identity.expires_at, found.renewal) == (AT + LIFE, AT + LIFE, "r2")
    assert sessions.due(AT + 399) == []


def test_what_has_ended_is_not_renewed():
    sessions, session = PageSessions(), made()
    sessions.begin(session)
    assert sessions.end(session.key) is session
    assert sessions.end(session.key) is None
    assert not sessions.renewed(session)
    assert sessions.named("page-s1") is None


@pytest.mark.parametrize(("after", "goes_on"), [(300, True), (3899, True), (3900, False)])
def test_it_outlives_its_provider_for_as_long_as_is_allowed(after, goes_on):
    later = postponed(made(), AT + after, 3600.0)
    assert (later is not None) is goes_on
    assert later is None or later.renew_at == AT + after + RETRY


def test_one_person_s_sessions_are_bounded_and_make_room_for_each_other_alone():
    sessions = PageSessions(per_user=2)
    others = made("o", "u2")
    sessions.begin(others)
    first, second, third = (made(f"s{number}") for number in range(3))
    assert [sessions.begin(each) for each in (first, second, third)] == [[], [], [first]]
    assert len(sessions) == 3
    assert sessions.begin(made("s9", issuer="another")) == []


def test_all_sessions_are_bounded():
    sessions = PageSessions(limit=2)
    for number in range(5):
        sessions.begin(made(f"s{number}", f"u{number}"))
    assert [each.identity.subject for each in sessions] == ["u3", "u4"]


def test_those_whose_time_is_over_are_forgotten():
    sessions = PageSessions()
    sessions.begin(made("s1"))
    sessions.begin(made("s2", "u2", AT + 10))
    assert [each.identity.subject for each in sessions.over(AT + LIFE)] == ["u1"]
    assert len(sessions) == 1
