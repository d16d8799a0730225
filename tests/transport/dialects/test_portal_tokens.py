from __future__ import annotations

import json

import pytest

from transport import Send
from transport.dialects.portal_tokens import TokenEnd, TokensSession

AT = 1_800_000_000.0


def decoded(data: bytes) -> dict[str, object]:
    return json.loads(data[{126: 4, 127: 10}.get(data[1], 2) :])


def said(steps) -> dict[str, object]:
    (step,) = steps
    assert isinstance(step, Send)
    return decoded(step.frame.data)


def ask(session: TokensSession, message: str | bytes) -> dict[str, object]:
    return said(session.received(message, AT))


def test_a_client_is_told_from_the_beginning_on():
    session = TokensSession("u1")
    assert said(session.opened(AT)) == {"type": "SUBSCRIBED", "userId": "u1", "timestamp": 1_800_000_000_000}
    assert session.is_told


def test_what_a_client_asks_is_done_and_answered():
    session = TokensSession("u1")
    assert ask(session, '{"action": "PING"}')["type"] == "PONG"
    assert ask(session, '{"action": "UNSUBSCRIBE"}')["type"] == "UNSUBSCRIBED"
    assert not session.is_told
    assert ask(session, '{"action": "ping"}')["type"] == "PONG"
    assert not session.is_told
    assert ask(session, '{"type": "x", "data": {"action": "SUBSCRIBE"}}')["type"] == "SUBSCRIBED"
    assert session.is_told


@pytest.mark.parametrize("message", ["", "x", "[]", "{}", '{"action": 1}', '{"action": "NO"}', b"\xff", "[" * 9999])
def test_what_is_not_understood_is_answered_in_words(message):
    session = TokensSession("u1")
    answer = ask(session, message)
    assert (answer["type"], answer["detail"] != "") == ("ERROR", True)
    assert session.is_told


@pytest.mark.parametrize("end", TokenEnd)
def test_the_end_of_a_token_is_told_in_the_predecessor_s_words(end):
    told = decoded(TokensSession("u1").end(end, AT).data)
    assert (told["type"], told["userId"], told["timestamp"]) == (end.value, "u1", 1_800_000_000_000)
