from __future__ import annotations

import json

import pytest

from domain.access import NO_RIGHTS, OPEN_RIGHTS, ROLES, AccessPolicy, Anonymous
from transport.dialects.portal_guests import Crowd, Guest, Setting
from transport.dialects.portal_transactions import HEARTBEAT, TEXT_CHANNELS, TransactionsSession
from transport.session import Prompt, Send, Step, Subscribe, Unsubscribe, Withhold

AT = 1730000000.0
AT_MS = 1730000000000


def text_of(step: Step) -> str:
    assert isinstance(step, Send)
    data = step.frame.data
    return data[{126: 4, 127: 10}.get(data[1], 2) :].decode()


def opened(setting: Setting | None = None) -> TransactionsSession:
    session = TransactionsSession("c1", setting or Setting(rights=OPEN_RIGHTS))
    session.opened(AT)
    session.received("PING", AT)
    return session


def test_who_shows_no_token_gets_the_transactions_and_no_greeting() -> None:
    told = TEXT_CHANNELS["transactions"]
    assert TransactionsSession("c1", Setting(rights=OPEN_RIGHTS)).opened(AT) == [Subscribe(told.channel, told.encode)]


def test_who_is_known_is_greeted_and_follows_the_system_too() -> None:
    steps = TransactionsSession("c1", Setting(rights=OPEN_RIGHTS, guest=Guest("anna"))).opened(AT)
    welcome, *rest = steps
    assert json.loads(text_of(welcome)) == {
        "type": "WELCOME",
        "userId": "anna",
        "sessionId": "c1",
        "message": "Connected to the transactions",
    }
    assert [step.channel for step in rest if isinstance(step, Subscribe)] == ["chain/transactions", "chain/state"]
    assert [text_of(step) for step in rest if isinstance(step, Send)] == [
        "SUBSCRIBED transactions",
        "SUBSCRIBED system",
    ]
    assert isinstance(rest[-1], Prompt)


def test_from_the_first_command_on_there_is_a_heartbeat_and_never_a_second_one() -> None:
    session = TransactionsSession("c1", Setting(rights=OPEN_RIGHTS))
    session.opened(AT)
    pong, prompt = session.received("PING", AT)
    assert text_of(pong) == "PONG"
    assert isinstance(prompt, Prompt)
    assert prompt.after == HEARTBEAT
    frame = prompt.write(AT + 61.4)
    assert json.loads(frame.data[2:]) == {"type": "HEARTBEAT", "timestamp": AT_MS + 61400, "connectionDuration": 61}
    (again,) = session.received("PING", AT)
    assert text_of(again) == "PONG"


@pytest.mark.parametrize("name", [name for name in TEXT_CHANNELS if name != "transactions"])
def test_every_channel_can_be_followed_once_and_left(name: str) -> None:
    session = opened()
    told = TEXT_CHANNELS[name]
    answer, subscription = session.received(f"SUBSCRIBE {name}", AT)
    assert text_of(answer) == f"SUBSCRIBED {name}"
    assert subscription == Subscribe(told.channel, told.encode, told.latest)
    (again,) = session.received(f"SUBSCRIBE {name}", AT)
    assert text_of(again) == f"SUBSCRIBED {name}"
    step, answer = session.received(f"UNSUBSCRIBE {name}", AT)
    assert step == Unsubscribe(told.channel)
    assert text_of(answer) == f"UNSUBSCRIBED {name}"
    (refusal,) = session.received(f"UNSUBSCRIBE {name}", AT)
    assert text_of(refusal) == f"ERROR: Not subscribed to channel '{name}'"


(PUBLIC,) = ROLES["user"].grants
SHOWN = AccessPolicy(anonymous=Anonymous(PUBLIC.sees)).anonymous


@pytest.mark.parametrize("name", TEXT_CHANNELS)
def test_who_does_not_see_a_channel_is_told_so_and_does_not_follow_it(name: str) -> None:
    session = opened(Setting(rights=SHOWN))
    answer, *rest = session.received(f"SUBSCRIBE {name}", AT)
    if name in ("transactions", "system", "blocks"):
        assert text_of(answer) == f"SUBSCRIBED {name}"
        return
    assert text_of(answer) == f"ERROR: Not authorized to subscribe to channel '{name}'"
    assert [type(step) for step in rest] == [Withhold]
    (step,) = session.received("LIST", AT)
    assert json.loads(text_of(step))["channels"] == ["transactions"]


def test_nothing_is_said_to_be_followed_by_who_sees_nothing() -> None:
    assert TransactionsSession("c1", Setting(rights=NO_RIGHTS)).opened(AT) == []
    welcome, *rest = TransactionsSession("c1", Setting(rights=NO_RIGHTS, guest=Guest("anna"))).opened(AT)
    assert json.loads(text_of(welcome))["type"] == "WELCOME"
    assert [type(step) for step in rest] == [Prompt]


@pytest.mark.parametrize("message", ["", "  ", '{"channel": "transactions"}', " [1]", b"{}", b""])
def test_what_is_no_command_gets_no_answer(message: str | bytes) -> None:
    session = TransactionsSession("c1", Setting(rights=OPEN_RIGHTS))
    session.opened(AT)
    assert session.received(message, AT) == []


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"ping", "PONG"),
        ("PING now", "PONG"),
        (b"\xff", "ERROR: Unknown command '\ufffd'. Valid commands: PING, SUBSCRIBE, UNSUBSCRIBE, LIST, STATS"),
        ("subscribe", "ERROR: SUBSCRIBE requires channel name"),
        ("UNSUBSCRIBE  ", "ERROR: UNSUBSCRIBE requires channel name"),
    ],
)
def test_a_line_is_answered(line: str | bytes, answer: str) -> None:
    (step,) = opened().received(line, AT)
    assert text_of(step) == answer


def test_a_long_word_is_not_repeated_whole() -> None:
    (step,) = opened().received("x" * 5000, AT)
    assert len(text_of(step)) < 200
    (step,) = opened().received("SUBSCRIBE " + "y" * 5000, AT)
    assert len(text_of(step)) < 200


def test_what_is_followed_is_listed_in_the_order_of_the_asking() -> None:
    session = opened()
    session.received("SUBSCRIBE metrics", AT)
    session.received("SUBSCRIBE blocks", AT)
    session.received("UNSUBSCRIBE metrics", AT)
    (step,) = session.received("LIST", AT)
    assert json.loads(text_of(step)) == {"type": "SUBSCRIPTIONS", "channels": ["transactions", "blocks"]}


def test_the_statistics_are_of_all_who_are_at_the_door() -> None:
    crowd = Crowd()
    session = opened(Setting(rights=OPEN_RIGHTS, name="a", crowd=crowd, waiting=lambda: 2))
    opened(Setting(rights=OPEN_RIGHTS, name="b", crowd=crowd, guest=Guest("anna"), waiting=lambda: 3))
    session.received("SUBSCRIBE metrics", AT)
    (step,) = session.received("STATS", AT)
    assert json.loads(text_of(step)) == {
        "type": "STATS",
        "totalSessions": 2,
        "authenticatedSessions": 1,
        "uniqueUsers": 1,
        "activeChannels": 3,
        "queuedMessages": 5,
    }
