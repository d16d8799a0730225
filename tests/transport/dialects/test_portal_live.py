from __future__ import annotations

import json
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain import Memory, Priority
from transport.dialects.portal_frames import encode_live
from transport.dialects.portal_live import LIVE_CHANNELS, LiveStreamSession
from transport.session import Send, Step, Subscribe, Unsubscribe

AT = 1730000000.0
AT_MS = 1730000000000
DETAIL = "channel is one of tps_updates, block_updates, network_status, validator_metrics"
COMMANDS = "type is one of subscribe, unsubscribe, ping"

Object = dict[str, object]


def opened() -> LiveStreamSession:
    session = LiveStreamSession("c1")
    session.opened(AT)
    return session


def told(step: Step) -> Object:
    """The frame that ``step`` sends; its head is checked here so that it is checked everywhere."""
    assert isinstance(step, Send)
    data = step.frame.data
    assert data[0] == 0x81
    start = {126: 4, 127: 10}.get(data[1], 2)
    value: Object = json.loads(data[start:])
    assert set(value) >= {"type", "payload", "data", "timestamp"}
    assert value["payload"] == value["data"]
    assert value["timestamp"] == AT_MS
    assert "channel" not in value
    return value


def say(session: LiveStreamSession, message: object) -> list[Step]:
    return session.received(json.dumps(message), AT)


def error_of(steps: list[Step]) -> tuple[object, object]:
    (step,) = steps
    frame = told(step)
    assert frame["type"] == "error"
    return frame["error"], frame["detail"]


def test_the_live_stream_greets_and_begins_with_the_newest_tps_update() -> None:
    connection_id = str(uuid4())
    greeting, subscription = LiveStreamSession(connection_id).opened(AT)
    assert told(greeting) == {
        "type": "connection_established",
        "connectionId": connection_id,
        "timestamp": AT_MS,
        "payload": {"connectionId": connection_id, "timestamp": AT_MS},
        "data": {"connectionId": connection_id, "timestamp": AT_MS},
    }
    assert subscription == Subscribe("portal/tps", encode_live, latest=1)


@pytest.mark.parametrize(("name", "channel"), LIVE_CHANNELS.items())
@pytest.mark.parametrize(
    "form",
    [
        lambda name: {"type": "subscribe", "channel": name},
        lambda name: {"type": "subscribe", "payload": {"channel": name}},
        lambda name: {"type": "subscribe", "data": {"channel": name}},
        lambda name: {"type": "subscribe", "channel": "live-stream", "data": {"channel": name}, "timestamp": 1},
        lambda name: {"channel": "live-stream", "data": {"type": "subscribe", "channel": name}, "timestamp": 1},
        lambda name: {"channel": "live-stream", "data": {"type": "subscribe", "payload": {"channel": name}}},
    ],
)
def test_every_generation_s_way_to_subscribe_is_understood(name: str, channel: str, form: object) -> None:
    assert callable(form)
    session = LiveStreamSession("c1")
    confirmation, *rest = say(session, form(name))
    assert told(confirmation) == {
        "type": "subscription_confirmed",
        "status": "subscribed",
        "timestamp": AT_MS,
        "payload": {"channel": name, "status": "subscribed"},
        "data": {"channel": name, "status": "subscribed"},
    }
    assert rest == [Subscribe(channel, encode_live, latest=1)]


def test_a_repeated_subscribe_is_confirmed_and_changes_nothing() -> None:
    session = opened()
    for _ in range(3):
        (confirmation,) = say(session, {"type": "subscribe", "channel": "tps_updates"})
        assert told(confirmation)["type"] == "subscription_confirmed"


def test_an_unsubscribe_ends_the_updates_and_is_confirmed() -> None:
    session = opened()
    step, confirmation = say(session, {"type": "unsubscribe", "payload": {"channel": "tps_updates"}})
    assert step == Unsubscribe("portal/tps")
    frame = told(confirmation)
    assert frame["type"] == "unsubscription_confirmed"
    assert frame["payload"] == {"channel": "tps_updates", "status": "unsubscribed"}
    (again,) = say(session, {"type": "unsubscribe", "channel": "tps_updates"})
    assert told(again)["type"] == "unsubscription_confirmed"
    _, subscription = say(session, {"type": "subscribe", "channel": "tps_updates"})
    assert subscription == Subscribe("portal/tps", encode_live, latest=1)


def visit(memory: Memory, *messages: Object) -> list[Step]:
    """The steps of a connection that says ``messages``; it is over afterwards."""
    recollection = memory.arrive("a", AT)
    session = LiveStreamSession("c1", recollection)
    steps = session.opened(AT)
    for message in messages:
        steps += say(session, message)
    recollection.end(AT)
    return steps


def followed(steps: list[Step]) -> list[str]:
    return [step.channel for step in steps if isinstance(step, Subscribe)]


def test_who_returns_gets_what_it_followed_and_is_told_so() -> None:
    memory = Memory()
    visit(
        memory, {"type": "subscribe", "channel": "validator_metrics"}, {"type": "subscribe", "channel": "block_updates"}
    )
    steps = visit(memory)
    assert followed(steps) == ["portal/tps", "portal/blocks", "portal/validators"]
    assert told(steps[0])["restored"] == ["tps_updates", "block_updates", "validator_metrics"]
    assert told(steps[0])["connectionId"] == "c1"


def test_who_left_the_default_does_not_get_it_again() -> None:
    memory = Memory()
    visit(memory, {"type": "unsubscribe", "channel": "tps_updates"})
    steps = visit(memory)
    assert followed(steps) == []
    assert told(steps[0])["restored"] == []
    visit(memory, {"type": "subscribe", "channel": "block_updates"})
    assert followed(visit(memory)) == ["portal/blocks"]


def test_who_never_asked_gets_the_default_each_time() -> None:
    memory = Memory()
    for _ in range(2):
        steps = visit(memory, {"type": "ping"}, {"type": "subscribe", "channel": "prices"})
        assert followed(steps) == ["portal/tps"]
        assert "restored" not in told(steps[0])
    assert len(memory) == 0


def test_a_channel_that_is_remembered_and_is_there_no_more_is_left_out() -> None:
    memory = Memory()
    memory.arrive("a", AT).note({"tps_updates", "gone_updates"}, AT)
    assert followed(visit(memory)) == ["portal/tps"]


def test_what_is_restored_can_be_left_and_is_not_followed_twice() -> None:
    memory = Memory()
    visit(memory, {"type": "subscribe", "channel": "block_updates"})
    again = {"type": "subscribe", "channel": "block_updates"}
    leave = {"type": "unsubscribe", "channel": "block_updates"}
    steps = visit(memory, again, leave)
    assert followed(steps) == ["portal/tps", "portal/blocks"]
    assert [step for step in steps if isinstance(step, Unsubscribe)] == [Unsubscribe("portal/blocks")]
    assert followed(visit(memory)) == ["portal/tps"]


@pytest.mark.parametrize("message", [{"type": "ping"}, {"channel": "live-stream", "data": {"type": "ping"}}])
def test_a_ping_is_answered(message: object) -> None:
    (step,) = say(opened(), message)
    assert told(step) == {
        "type": "pong",
        "timestamp": AT_MS,
        "payload": {"timestamp": AT_MS},
        "data": {"timestamp": AT_MS},
    }


def test_a_binary_message_is_read_as_the_text_that_it_is() -> None:
    (step,) = opened().received(b'{"type":"ping"}', AT)
    assert told(step)["type"] == "pong"


def test_answers_go_before_routine_updates() -> None:
    steps = [*LiveStreamSession("c1").opened(AT), *say(opened(), {"type": "ping"}), *say(opened(), [])]
    assert {step.frame.priority for step in steps if isinstance(step, Send)} == {Priority.HIGH}


@pytest.mark.parametrize("verb", ["subscribe", "unsubscribe"])
@pytest.mark.parametrize(
    ("more", "error", "detail"),
    [
        ({}, "Channel not specified", DETAIL),
        ({"channel": None}, "Channel not specified", DETAIL),
        ({"channel": ""}, "Channel not specified", DETAIL),
        ({"payload": {}}, "Channel not specified", DETAIL),
        ({"payload": "tps_updates"}, "Channel not specified", DETAIL),
        ({"channel": 5}, "Invalid message format", "channel is a string"),
        ({"payload": {"channel": ["tps_updates"]}}, "Invalid message format", "channel is a string"),
        ({"channel": "prices"}, "Unknown channel: prices", DETAIL),
        ({"channel": "x" * 5000}, "Unknown channel: " + "x" * 64, DETAIL),
        ({"channel": "portal/tps"}, "Unknown channel: portal/tps", DETAIL),
    ],
)
def test_a_channel_that_is_none_is_an_error_in_words(verb: str, more: Object, error: str, detail: str) -> None:
    assert error_of(say(opened(), {"type": verb, **more})) == (error, detail)


@pytest.mark.parametrize(
    ("message", "error", "detail"),
    [
        ({"type": "greet"}, "Unknown message type: greet", COMMANDS),
        ({"type": "SUBSCRIBE"}, "Unknown message type: SUBSCRIBE", COMMANDS),
        ({"type": "y" * 5000}, "Unknown message type: " + "y" * 64, COMMANDS),
        ({"type": 5}, "Invalid message format", COMMANDS),
        ({}, "Invalid message format", COMMANDS),
        ({"channel": "live-stream", "data": {"tps": 1}}, "Invalid message format", COMMANDS),
        ({"channel": "live-stream", "data": "ping"}, "Invalid message format", COMMANDS),
        ([], "Invalid message format", "a message is a JSON object"),
        ("ping", "Invalid message format", "a message is a JSON object"),
        (None, "Invalid message format", "a message is a JSON object"),
    ],
)
def test_a_message_that_is_no_command_is_an_error_in_words(message: object, error: str, detail: str) -> None:
    assert error_of(say(opened(), message)) == (error, detail)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "PING",
        "{",
        '{"type":"ping"',
        '{"type":"ping"}{}',
        '{"type":"\ud800"}',
        "[" * 60000,
        '{"data":' * 5000 + "1" + "}" * 5000,
        "[" * 50 + "]" * 50,
        b"\xff\xfe",
        b"",
        b"\x00",
    ],
)
def test_what_is_no_json_is_an_error_and_the_session_goes_on(message: str | bytes) -> None:
    session = opened()
    error, detail = error_of(session.received(message, AT))
    assert error == "Invalid message format"
    assert detail
    (pong,) = say(session, {"type": "ping"})
    assert told(pong)["type"] == "pong"


WORDS = ["type", "channel", "payload", "data", "subscribe", "unsubscribe", "ping", "live-stream", *LIVE_CHANNELS]
words = st.sampled_from(WORDS)
leaves = words | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
messages = st.text() | st.binary() | values.map(json.dumps)


@given(st.lists(messages, max_size=20))
@example(['{"type":"subscribe","channel":"\\ud800"}'])
@example(['{"type":"subscribe","channel":"\\u0000\\u0007"}', '{"type":"\\ud83d"}'])
def test_no_message_raises_or_breaks_the_session(said: list[str | bytes]) -> None:
    session = LiveStreamSession("c1")
    followed = {step.channel for step in session.opened(AT) if isinstance(step, Subscribe)}
    for message in said:
        steps = session.received(message, AT)
        assert steps
        for step in steps:
            if isinstance(step, Subscribe):
                assert step.channel not in followed
                followed.add(step.channel)
            elif isinstance(step, Unsubscribe):
                followed.remove(step.channel)
            else:
                assert len(json.dumps(told(step))) < 2000
    confirmation, *subscribed = say(session, {"type": "subscribe", "channel": "block_updates"})
    assert told(confirmation)["type"] == "subscription_confirmed"
    assert bool(subscribed) == ("portal/blocks" not in followed)
