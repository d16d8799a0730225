"""Who is at the stream: a token in connect, a newer one, and what somebody does not see."""

from __future__ import annotations

import json

import pytest

from domain import Position
from domain.access import NO_RIGHTS, OPEN_RIGHTS, AccessPolicy, Identity, Proof, Tenant
from transport.dialects.deeds import TokenRefusal, TokenShown
from transport.dialects.native import JSON, NativeSession, State, Terms
from transport.session import Admit, Close, Enquire, Introduce, Resume, Resumed, Send, Subscribe, Withhold

AT = 1795240800.0
TERMS = Terms("andond/0.1.0", 10.0, 65536)
POLICY = AccessPolicy(tenants=[Tenant("acme", ("acme",), ()), Tenant("other", ("other",), ())])


def rights_of(role="viewer", tenant="acme", places=(), expires_at=None, subject="u1", **more):
    identity = Identity(subject, "lee", frozenset({role}), Proof.TOKEN, tenant, places, expires_at, **more)
    return POLICY.rights(identity)


def said(step):
    assert isinstance(step, Send)
    size = step.frame.data[1]
    return json.loads(step.frame.data[{126: 4, 127: 10}.get(size, 2) :])


def say(session, command):
    return session.received(json.dumps(command), AT)


def stranger():
    return NativeSession(JSON, "s", TERMS, lambda: NO_RIGHTS)


def connected(rights):
    session = NativeSession(JSON, "s", TERMS, lambda: rights)
    _, resume = say(session, {"id": 1, "connect": {}})
    resume.confirm(Resumed(recovered=True, missed=0, newest=Position("e7", 1)))
    return session


def test_whose_rights_nobody_knows_is_not_connected_without_a_token():
    session = stranger()
    error, push, close = say(session, {"id": 1, "connect": {}})
    assert said(error)["error"]["code"] == 101
    assert (said(push)["code"], close) == (4001, Close(4001, said(push)["reason"]))
    assert session.state is State.CLOSED


def test_a_token_in_connect_is_asked_about_and_gives_its_rights_before_anything_is_followed():
    session, rights = stranger(), rights_of()
    (enquiry,) = say(session, {"id": 1, "connect": {"token": "abc", "resume": {"channels": {"andon/acme/l1": None}}}})
    assert isinstance(enquiry, Enquire)
    assert enquiry.question == TokenShown("abc")
    admit, introduce, resume = enquiry.then(rights)
    assert admit == Admit(rights)
    assert isinstance(introduce, Introduce)
    assert isinstance(resume, Resume)
    assert [each.channel for each in resume.then] == ["andon/acme/l1"]


@pytest.mark.parametrize(("error", "close"), [(101, 4001), (109, 4001), (101, 4004)])
def test_a_token_that_does_not_count_is_told_with_its_code_and_ends_the_session(error, close):
    session = stranger()
    (enquiry,) = say(session, {"id": 1, "connect": {"token": "abc"}})
    told, push, ended = enquiry.then(TokenRefusal(error, close, "the token has expired"))
    assert (said(told)["error"]["code"], said(told)["error"]["message"]) == (error, "the token has expired")
    assert (said(push)["code"], ended.code, session.state) == (close, close, State.CLOSED)


@pytest.mark.parametrize("connect", [{}, {"token": "good"}])
@pytest.mark.parametrize(("error", "close"), [(101, 4001), (109, 4001), (101, 4004)])
def test_a_token_that_was_refused_with_the_request_is_told_at_connect_as_one_in_it(error, close, connect):
    refusal = TokenRefusal(error, close, "the token has expired")
    session = NativeSession(JSON, "s", TERMS, lambda: NO_RIGHTS, refusal=refusal)
    told, push, ended = say(session, {"id": 1, "connect": connect})
    assert (said(told)["id"], said(told)["error"]["code"]) == (1, error)
    assert (said(push)["code"], ended.code, session.state) == (close, close, State.CLOSED)


def test_a_token_is_shown_by_no_repr():
    assert "abc" not in repr(TokenShown("abc"))


def test_a_resumed_channel_that_is_not_seen_is_refused_and_the_client_may_try_again():
    session = stranger()
    (enquiry,) = say(session, {"id": 1, "connect": {"token": "abc", "resume": {"channels": {"andon/other/l1": None}}}})
    refusal, withheld = enquiry.then(rights_of())
    assert said(refusal)["error"]["code"] == 103
    assert withheld == Withhold(said(refusal)["error"]["message"])
    assert session.state is State.CONNECTING
    (again,) = say(session, {"id": 2, "connect": {"token": "abc"}})
    assert isinstance(again, Enquire)


@pytest.mark.parametrize(
    ("channel", "is_seen"),
    [
        ("andon/acme/l1", True),
        ("andon/other/l1", False),
        ("andon/acme2/l1", False),
        ("andon/*", True),
        ("chain/blocks", False),
        ("chain/*", False),
    ],
)
def test_what_is_not_seen_is_not_followed_whether_it_is_there_or_not(channel, is_seen):
    session = connected(rights_of())
    step, *noted = say(session, {"id": 3, "subscribe": {"channel": channel}})
    if is_seen:
        assert isinstance(step, Subscribe)
    else:
        assert said(step)["error"]["code"] == 103
        assert noted == [Withhold(said(step)["error"]["message"])]
        assert "other" not in said(step)["error"]["message"].replace(channel, "")
        # It was not followed: the same again is refused for the same reason, not as subscribed already.
        again, _ = say(session, {"id": 4, "subscribe": {"channel": channel}})
        assert said(again)["error"]["code"] == 103


def test_a_newer_token_lets_a_client_stay_for_longer():
    session, newer = connected(rights_of(expires_at=AT + 60)), rights_of(expires_at=AT + 1800)
    (enquiry,) = say(session, {"id": 5, "refresh": {"token": "newer"}})
    admit, reply = enquiry.then(newer)
    assert admit == Admit(newer)
    assert said(reply) == {"id": 5, "refresh": {"expires": "2026-11-21T06:30:00.000Z"}}


def test_a_newer_token_that_does_not_count_ends_the_session():
    session = connected(OPEN_RIGHTS)
    (enquiry,) = say(session, {"id": 5, "refresh": {"token": "old"}})
    told, _, close = enquiry.then(TokenRefusal(109, 4001, "the token has expired"))
    assert (said(told)["error"]["code"], close.code, session.state) == (109, 4001, State.CLOSED)


OTHERS = {
    "fewer rights": rights_of(tenant="other"),
    "more rights": rights_of(role="admin"),
    "all rights": OPEN_RIGHTS,
    "another person": rights_of(subject="u2"),
    "another issuer's": rights_of(issuer="elsewhere"),
}


@pytest.mark.parametrize("newer", OTHERS.values(), ids=OTHERS)
def test_a_newer_token_of_another_person_or_with_other_rights_ends_the_session(newer):
    session = connected(rights_of())
    (enquiry,) = say(session, {"id": 5, "refresh": {"token": "newer"}})
    reply, push, close = enquiry.then(newer)
    assert said(reply) == {"id": 5, "refresh": {"expires": None}}
    assert said(push) == {
        "push": "disconnect", "code": 4201, "reason": "rights changed", "delay_ms": 0, "resume": None
    }  # fmt: skip
    assert close == Close(4201, "rights changed")
    # Nothing is done with the rights of the newer token, not even what came with it.
    assert say(session, {"id": 6, "subscribe": {"channel": "andon/other/l1"}}) == []
