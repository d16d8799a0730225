from __future__ import annotations

import json

import pytest

from transport.dialects.portal_channels import DASHBOARD_CHANNELS, DashboardSession, LedgerSession
from transport.dialects.portal_messages import encode_dashboard, encode_ledger
from transport.session import Send, Step, Subscribe, Unsubscribe

AT = 1730000000.0
AT_MS = 1730000000000
LEDGER = ["panels/channel", "chain/transactions", "chain/blocks"]

Object = dict[str, object]


def told(step: Step) -> Object:
    assert isinstance(step, Send)
    data = step.frame.data
    value: Object = json.loads(data[{126: 4, 127: 10}.get(data[1], 2) :])
    return value


def say(session: LedgerSession | DashboardSession, message: object) -> list[Step]:
    return session.received(json.dumps(message), AT)


def followed(steps: list[Step]) -> list[str]:
    return [step.channel for step in steps if isinstance(step, Subscribe)]


def left(steps: list[Step]) -> list[str]:
    return [step.channel for step in steps if isinstance(step, Unsubscribe)]


def ledger() -> LedgerSession:
    session = LedgerSession("c1")
    session.opened(AT)
    return session


def test_the_ledger_greets_and_begins_with_the_newest_metrics_alone() -> None:
    greeting, *rest = LedgerSession("c1").opened(AT)
    assert told(greeting) == {
        "type": "connected",
        "sessionId": "c1",
        "message": "Connected to the ledger channels",
        "timestamp": AT_MS,
    }
    assert rest == [
        Subscribe("panels/channel", encode_ledger, latest=1),
        Subscribe("chain/transactions", encode_ledger),
        Subscribe("chain/blocks", encode_ledger),
    ]


@pytest.mark.parametrize("channels", [["main-channel"], []])
def test_who_asks_for_what_it_follows_anyway_is_confirmed(channels: list[str]) -> None:
    (answer,) = say(ledger(), {"action": "subscribe", "channels": channels})
    assert told(answer) == {"type": "subscribed", "channels": ["main-channel"], "timestamp": AT_MS}


def test_who_asks_for_other_channels_alone_follows_none() -> None:
    session = ledger()
    answer, *rest = say(session, {"action": "subscribe", "channels": ["finance", "iot", "finance"]})
    assert (told(answer)["channels"], told(answer)["unknown"]) == ([], ["finance", "iot"])
    assert left(rest) == LEDGER
    answer, *rest = say(session, {"action": "subscribe", "channels": ["main-channel"]})
    assert followed(rest) == LEDGER


def test_who_leaves_the_ledger_channel_follows_nothing_until_it_asks_again() -> None:
    session = ledger()
    *rest, answer = say(session, {"action": "unsubscribe", "channels": ["main-channel"]})
    assert told(answer) == {"type": "unsubscribed", "channels": ["main-channel"], "timestamp": AT_MS}
    assert left(rest) == LEDGER
    (answer,) = say(session, {"action": "unsubscribe", "channels": ["main-channel"]})
    assert told(answer)["type"] == "unsubscribed"
    assert followed(say(session, {"data": {"action": "subscribe", "channels": ["main-channel"]}})) == LEDGER


def test_leaving_another_channel_changes_nothing() -> None:
    (answer,) = say(ledger(), {"action": "unsubscribe", "channels": ["finance"]})
    assert told(answer)["unknown"] == ["finance"]


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"action": "dance"}, "Unknown action: dance"),
        ({"action": 5}, "Invalid message format"),
        ({}, "Invalid message format"),
        ([], "Invalid message format"),
        ({"action": "subscribe"}, "Invalid message format"),
        ({"action": "subscribe", "channels": "main-channel"}, "Invalid message format"),
        ({"action": "subscribe", "channels": [1]}, "Invalid message format"),
        ({"action": "subscribe", "channels": ["x" * 129]}, "Invalid message format"),
        ({"action": "unsubscribe", "channels": ["x"] * 101}, "Invalid message format"),
    ],
)
def test_what_is_not_understood_is_an_error_in_words(message: object, error: str) -> None:
    for session in (ledger(), DashboardSession()):
        (answer,) = say(session, message)
        frame = told(answer)
        assert (frame["type"], frame["timestamp"]) == ("error", AT_MS)
        assert frame["detail"]
        if message != {"action": "unsubscribe", "channels": ["x"] * 101} or isinstance(session, LedgerSession):
            assert frame["error"] == error


def test_the_dashboard_begins_with_the_newest_metrics_and_nodes() -> None:
    assert DashboardSession().opened(AT) == [
        Subscribe("panels/dashboard", encode_dashboard, latest=1),
        Subscribe("panels/nodes", encode_dashboard, latest=1),
    ]


@pytest.mark.parametrize(
    ("channels", "gone", "new"),
    [
        (["all"], [], []),
        (["metrics"], ["panels/nodes"], []),
        (["transactions", "blocks"], ["panels/nodes"], []),
        (["nodes"], [], []),
        (["performance"], ["panels/nodes"], ["panels/performance"]),
        (["performance", "all"], [], ["panels/performance"]),
        ([], ["panels/nodes"], []),
    ],
)
def test_a_list_takes_the_place_of_the_one_before(channels: list[str], gone: list[str], new: list[str]) -> None:
    session = DashboardSession()
    steps = say(session, {"action": "subscribe", "channels": channels})
    (answer,) = [step for step in steps if isinstance(step, Send)]
    assert told(answer) == {"status": "subscribed", "channels": channels, "timestamp": AT_MS}
    assert (left(steps), followed(steps)) == (gone, new)
    steps = say(session, {"action": "subscribe", "channels": ["all"]})
    assert (left(steps), followed(steps)) == (new, gone)


def test_the_dashboard_says_back_what_it_does_not_have() -> None:
    (answer, *_) = say(DashboardSession(), {"action": "subscribe", "channels": ["all", "weather"]})
    assert (told(answer)["channels"], told(answer)["unknown"]) == (["all"], ["weather"])
    assert "weather" not in DASHBOARD_CHANNELS
