"""Acts over the native protocol: what is asked for, and what the client is told of it."""

from __future__ import annotations

import json

import pytest

from domain import Grounds, Position, Refused
from domain.access import OPEN_RIGHTS
from transport.dialects.deeds import Deed, Done
from transport.dialects.native import JSON, NativeSession, Terms
from transport.session import Enquire, Resume, Resumed, Send

AT = 1795240800.0


def said(steps):
    """The one answer in ``steps``."""
    (step,) = steps
    assert isinstance(step, Send)
    size = step.frame.data[1]
    return json.loads(step.frame.data[{126: 4, 127: 10}.get(size, 2) :])


def session(terms, connect=None):
    made = NativeSession(JSON, "5f0c", terms, lambda: OPEN_RIGHTS)
    _, resume = made.received(json.dumps({"id": 1, "connect": connect or {}}), AT)
    assert isinstance(resume, Resume)
    resume.confirm(Resumed(recovered=True, missed=0, newest=Position("e7", 1)))
    return made


ACTING = Terms("andond/0.1.0", 10.0, 65536, takes_acts=True)


def enquire(act, connect=None):
    (step,) = session(ACTING, connect).received(json.dumps({"id": 9, "act": act}), AT)
    assert isinstance(step, Enquire)
    return step


def test_an_act_is_asked_for_with_who_when_and_where_and_everything_else_is_its_own():
    act = {"type": "andon.acknowledge", "key": "k", "by": "lee", "at": "1970-01-01T00:01:40Z", "station": "st4"}
    step = enquire({**act, "call": "01J", "comment": "coming"})
    assert step.question == Deed(
        "andon.acknowledge", "k", "lee", 100.0, {"call": "01J", "comment": "coming"}, station="st4"
    )


def test_what_an_act_calls_as_the_protocol_does_stands_in_its_arguments():
    act = {"type": "andon.raise", "key": "k", "equipment": "ST4", "arguments": {"type": "stop", "key": "x"}}
    assert enquire(act).question.arguments == {"equipment": "ST4", "type": "stop", "key": "x"}


def test_who_names_nobody_is_who_the_client_is_and_what_names_no_moment_is_now():
    act = {"type": "andon.raise", "key": "k"}
    assert enquire(act).question == Deed("andon.raise", "k", "unknown", AT, {})
    assert enquire(act, {"client": "tablet7"}).question == Deed("andon.raise", "k", "tablet7", AT, {})


@pytest.mark.parametrize("more", [{"at": "yesterday"}, {"at": 5}, {"by": ""}, {"by": 7}, {"station": ""}])
def test_an_act_by_nobody_or_at_no_moment_is_refused(more):
    act = {"type": "andon.acknowledge", "key": "k", **more}
    reply = said(session(ACTING).received(json.dumps({"id": 9, "act": act}), AT))
    assert (reply["id"], reply["error"]["code"]) == (9, 107)


@pytest.mark.parametrize("is_kept", [True, False])
def test_an_act_that_is_done_is_answered_with_what_it_was_about(is_kept):
    step = enquire({"type": "andon.acknowledge", "key": "k"})
    reply = said(step.then(Done({"id": "01J"}, is_kept)))
    assert reply == {"id": 9, "act": {"kept": is_kept, "result": {"id": "01J"}}}


@pytest.mark.parametrize(
    ("grounds", "code", "temporary"),
    [
        (Grounds.INVALID, 107, False),
        (Grounds.NOT_FOUND, 102, False),
        (Grounds.CONFLICT, 107, False),
        (Grounds.NOT_ALLOWED, 103, False),
        (Grounds.UNSUPPORTED, 104, False),
        (Grounds.UNAVAILABLE, 100, True),
    ],
)
def test_an_act_that_is_refused_is_an_error_that_says_who_must_act_and_why(grounds, code, temporary):
    step = enquire({"type": "andon.acknowledge", "key": "k"})
    reply = said(step.then(Refused(grounds, "no " * 200, {"call": {"id": "01J"}})))
    assert (reply["id"], reply["error"]["code"], reply["error"]["temporary"]) == (9, code, temporary)
    assert (reply["error"]["retry_after_ms"] > 0) is temporary
    assert reply["error"]["details"] == {"call": {"id": "01J"}}
    assert len(reply["error"]["message"]) == 200
    assert "details" not in said(step.then(Refused(grounds, "no")))["error"]
