"""The session by tables: what each command does in each state, and what is told."""

from __future__ import annotations

import json

import msgpack
import pytest

from domain import Gap, Position, Priority
from domain.access import OPEN_RIGHTS
from transport.codes import CODES
from transport.dialects import examples
from transport.dialects import native_frames as wire
from transport.dialects.native import FAULTS, JSON, MSGPACK, TRANSITIONS, NativeSession, State, Terms
from transport.dialects.pace import BURST, RATE
from transport.session import (
    Acknowledge,
    Close,
    Enquire,
    Followed,
    Grant,
    Introduce,
    Resume,
    Resumed,
    Send,
    Session,
    Show,
    Step,
    Subscribe,
    Unsubscribe,
)

AT = 1795240800.0
NOW = "2026-11-21T06:00:00.000Z"
TERMS = Terms("andond/0.1.0", 10.0, 65536)
NEWEST = Position("e7", 88125)
OBJECT = dict[str, object]


def read(frame) -> OBJECT:
    """What ``frame`` says; its head is checked here so that it is checked everywhere."""
    size = frame.data[1]
    start = {126: 4, 127: 10}.get(size, 2)
    payload = frame.data[start:]
    assert size < 126 or int.from_bytes(frame.data[2:start], "big") == len(payload)
    assert frame.data[0] in (0x81, 0x82)
    value: OBJECT = json.loads(payload) if frame.data[0] == 0x81 else msgpack.unpackb(payload)
    return value


def session(
    state: State = State.CONNECTED, *, encoding=JSON, connect: OBJECT | None = None, terms=TERMS
) -> NativeSession:
    made = NativeSession(encoding, "5f0c", terms, lambda: OPEN_RIGHTS)
    conforming: Session = made
    assert conforming.opened(AT) == []
    if state is not State.CONNECTING:
        introduce, resume = say(made, {"id": 1, "connect": connect or {}})
        assert isinstance(introduce, Introduce)
        assert isinstance(resume, Resume)
        resume.confirm(Resumed(recovered=True, missed=0, newest=NEWEST))
    if state is State.CLOSED:
        for _ in range(FAULTS):
            made.received("", AT)
    assert made.state is state
    return made


def say(made: NativeSession, command: object, at: float = AT) -> list[Step]:
    return made.received(json.dumps(command), at)


def said(steps: list[Step]) -> OBJECT:
    """The one answer in ``steps``."""
    (step,) = steps
    assert isinstance(step, Send)
    return read(step.frame)


def error(steps: list[Step]) -> tuple[object, object]:
    """The id and the code of the one error in ``steps``; the error says what its row of the table says."""
    reply = said(steps)
    assert set(reply) == {"id", "error"}
    body = reply["error"]
    assert set(body) == {"code", "message", "temporary", "retry_after_ms"}
    assert (body["temporary"], bool(body["message"])) == (CODES[body["code"]].temporary, True)
    return reply["id"], body["code"]


def ended(steps: list[Step]) -> tuple[OBJECT, Close]:
    """The two last steps of a session that ends: what it is told, and the Close."""
    push, close = steps[-2:]
    assert isinstance(push, Send)
    assert isinstance(close, Close)
    told = read(push.frame)
    assert (told["push"], told["code"], told["reason"]) == ("disconnect", close.code, close.reason)
    return told, close


# -- states -----------------------------------------------------------------------------------------------------

TAKEN: dict[str, object] = {
    "connect": {},
    "subscribe": {"channel": "andon/line3"},
    "unsubscribe": {"channel": "alarms/*"},
    "ping": {},
    "refresh": {"token": "t"},
    "act": {"type": "andon.acknowledge", "key": "k"},
    "ack": {"critical": "e7:1"},
    "shown": ["1"],
    "credit": 1024,
}
# What each command gets in each state: the classes of the steps, or the code of an error.
TABLE: dict[tuple[State, str], object] = {
    (State.CONNECTING, "connect"): [Introduce, Resume],
    (State.CONNECTING, "subscribe"): 107,
    (State.CONNECTING, "unsubscribe"): 107,
    (State.CONNECTING, "ping"): 107,
    (State.CONNECTING, "refresh"): 107,
    (State.CONNECTING, "act"): 107,
    (State.CONNECTING, "ack"): 107,
    (State.CONNECTING, "shown"): 107,
    (State.CONNECTING, "credit"): 107,
    (State.CONNECTED, "connect"): 107,
    (State.CONNECTED, "subscribe"): [Subscribe],
    (State.CONNECTED, "unsubscribe"): [Unsubscribe, Send],
    (State.CONNECTED, "ping"): [Send],
    (State.CONNECTED, "refresh"): [Enquire],
    (State.CONNECTED, "act"): 104,
    (State.CONNECTED, "ack"): [Acknowledge, Send],
    (State.CONNECTED, "shown"): [Show, Send],
    (State.CONNECTED, "credit"): [Grant, Send],
    (State.CLOSED, "connect"): [],
    (State.CLOSED, "subscribe"): [],
    (State.CLOSED, "unsubscribe"): [],
    (State.CLOSED, "ping"): [],
    (State.CLOSED, "refresh"): [],
    (State.CLOSED, "act"): [],
    (State.CLOSED, "ack"): [],
    (State.CLOSED, "shown"): [],
    (State.CLOSED, "credit"): [],
}


def test_the_tables_name_every_command_in_every_state():
    assert set(TABLE) == {(state, word) for state in State for word in wire.COMMANDS}
    assert set(TRANSITIONS) == set(State)
    assert set(TAKEN) == set(wire.COMMANDS)


@pytest.mark.parametrize(("state", "word"), TABLE, ids=lambda value: getattr(value, "value", value))
def test_a_command_does_in_each_state_what_the_table_says(state, word):
    made = session(state, connect={"credit": 32768, "resume": {"channels": {"alarms/*": None}}})
    steps = say(made, {"id": 7, word: TAKEN[word]})
    expected = TABLE[state, word]
    if isinstance(expected, int):
        assert error(steps) == (7, expected)
        assert made.state is state
    else:
        assert [type(step) for step in steps] == expected
        assert made.state is TRANSITIONS[state].get(word, state)


@pytest.mark.parametrize(("state", "word"), TABLE, ids=lambda value: getattr(value, "value", value))
def test_a_command_is_taken_where_the_transitions_have_it(state, word):
    assert (word in TRANSITIONS[state]) is (TABLE[state, word] not in (107, []))


# -- connect ----------------------------------------------------------------------------------------------------


def connected(body: OBJECT) -> tuple[NativeSession, Introduce, Resume]:
    made = session(State.CONNECTING)
    introduce, resume = say(made, {"id": 1, "connect": body})
    return made, introduce, resume


def test_connect_is_answered_with_the_session_its_limits_and_the_newest_position():
    _, introduce, resume = connected({"client": "board/2.3", "credit": 32768})
    assert (introduce.client, introduce.credit) == ("board/2.3", 32768)
    assert (resume.since, resume.channels, resume.then) == (None, None, ())
    frame = resume.confirm(Resumed(recovered=True, missed=0, newest=NEWEST))
    assert read(frame) == {
        "id": 1,
        "connect": {
            "session": "5f0c",
            "server": "andond/0.1.0",
            "time": NOW,
            "ping_ms": 10000,
            "credit": 32768,
            "limits": {"message_size": 65536, "subscriptions": 64, "commands_per_second": 50},
            "critical": {"recovered": True, "missed": 0, "position": "e7:88125"},
        },
    }


def test_a_client_that_returns_no_credit_is_told_so():
    _, introduce, resume = connected({})
    assert introduce.credit is None
    assert read(resume.confirm(Resumed(recovered=True, missed=0, newest=NEWEST)))["connect"]["credit"] is None


def test_the_reply_to_connect_is_not_overtaken_by_the_critical_events_that_follow_it():
    _, _, resume = connected({"resume": {"critical": "e7:88120"}})
    assert resume.confirm(Resumed(recovered=False, missed=5, newest=NEWEST)).priority is Priority.CRITICAL
    assert resume.encode is JSON.encoders[Priority.LOW]


def test_a_resume_asks_for_what_was_missed_of_the_named_channels_and_follows_each_from_its_position():
    body = {"resume": {"critical": "e7:88120", "channels": {"oee/line3": "4b20:512", "andon/*": None, "a/b": ""}}}
    made, _, resume = connected(body)
    critical = Position("e7", 88120)
    assert (resume.since, resume.channels) == (critical, ("oee/line3", "andon/*", "a/b"))
    assert [(each.channel, each.since, each.latest, each.critical_after) for each in resume.then] == [
        ("oee/line3", Position("4b20", 512), 0, critical),
        ("andon/*", None, 0, critical),
        ("a/b", None, 0, critical),
    ]
    confirmed = resume.then[0].confirm(Followed("oee/line3", "4b20", 640, recovered=True))
    assert confirmed.priority is Priority.CRITICAL
    assert read(confirmed) == examples.PUSHES["subscribed"] | {"channel": "oee/line3"}
    assert error(say(made, {"id": 2, "subscribe": {"channel": "andon/*"}})) == (2, 105)


def test_a_resumed_channel_says_what_it_could_not_recover():
    _, _, resume = connected({"resume": {"channels": {"oee/line3": "old:5"}}})
    gap = Gap("oee/line3", 0, 0, None, "epoch")
    told = read(resume.then[0].confirm(Followed("oee/line3", "4b20", 640, recovered=False, gap=gap)))
    assert (told["recovered"], told["gap"]) == (False, {"from": 0, "to": 0, "count": None, "reason": "epoch"})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, 107),
        ([], 107),
        ({"client": "x" * 129}, 107),
        ({"client": 5}, 107),
        ({"token": ["x"]}, 107),
        ({"credit": 1023}, 107),
        ({"credit": 1024 * 1024 + 1}, 107),
        ({"credit": "32768"}, 107),
        ({"credit": True}, 107),
        ({"credit": 1e30}, 107),
        ({"resume": []}, 107),
        ({"resume": {"critical": "e7"}}, 107),
        ({"resume": {"critical": 88120}}, 107),
        ({"resume": {"channels": ["a/b"]}}, 107),
        ({"resume": {"channels": {"a/b": 5}}}, 107),
        ({"resume": {"channels": {"a/b": "e7:-1"}}}, 107),
        ({"resume": {"channels": {"andon/*": "e7:1"}}}, 107),
        ({"resume": {"channels": {"nonsense": None}}}, 102),
        ({"resume": {"channels": {f"a/{number}": None for number in range(65)}}}, 106),
    ],
)
def test_a_connect_that_is_refused_leaves_everything_as_it_was(body, code):
    made = session(State.CONNECTING)
    assert error(say(made, {"id": 1, "connect": body})) == (1, code)
    assert made.state is State.CONNECTING
    say(made, {"id": 2, "connect": {}})
    for channel in ("a/b", "a/1"):
        assert [type(step) for step in say(made, {"id": 3, "subscribe": {"channel": channel}})] == [Subscribe]


def test_the_bounds_of_credit_are_taken():
    for credit in (1024, 1024 * 1024):
        _, introduce, _ = connected({"credit": credit})
        assert introduce.credit == credit


# -- subscribe --------------------------------------------------------------------------------------------------


def subscribed(body: OBJECT, **connect: object) -> Subscribe:
    (step,) = say(session(connect=connect), {"id": 2, "subscribe": body})
    assert isinstance(step, Subscribe)
    return step


def test_a_subscription_carries_all_that_was_asked_for():
    body = {"channel": "oee/line3", "from": "e7:512", "max_hz": 2, "min_priority": "normal", "latest": 3}
    step = subscribed(body)
    assert (step.channel, step.since, step.max_hz, step.latest) == ("oee/line3", Position("e7", 512), 2.0, 3)
    assert step.encode is JSON.encoders[Priority.NORMAL]
    assert step.critical_after is None


def test_the_newest_comes_first_unless_a_position_or_a_count_is_given():
    assert subscribed({"channel": "a/b"}).latest == 1
    assert subscribed({"channel": "a/b", "from": None}).latest == 1
    assert subscribed({"channel": "a/b", "from": "e7:1"}).latest == 0
    assert subscribed({"channel": "a/b", "latest": 0}).latest == 0
    assert subscribed({"channel": "a/*", "latest": 1000}).latest == 1000


def test_a_subscription_is_confirmed_with_its_position():
    frame = subscribed({"channel": "oee/line3"}).confirm(Followed("oee/line3", "e7", 640, recovered=True))
    assert frame.priority is Priority.CRITICAL
    assert read(frame) == {
        "id": 2,
        "subscribe": {"channel": "oee/line3", "epoch": "e7", "offset": 640, "recovered": True},
    }


def test_a_subscription_that_was_not_recovered_is_confirmed_with_the_gap():
    channel = "readings/acme/plant1/line3/press3"
    gap = Gap(channel, 513, 540, 28, "history")
    frame = subscribed({"channel": channel, "from": "77aa:512"}).confirm(
        Followed(channel, "77aa", 640, recovered=False, gap=gap)
    )
    assert read(frame) == examples.REPLIES["subscribe"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 107),
        ({"channel": 5}, 107),
        ({"channel": ""}, 102),
        ({"channel": "nonsense"}, 102),
        ({"channel": "a/*/b"}, 102),
        ({"channel": "a/" + "b" * 255}, 102),
        ({"channel": "a/b\n"}, 102),
        ({"channel": "a/b", "from": "e7:x"}, 107),
        ({"channel": "a/b", "from": "x" * 65 + ":1"}, 107),
        ({"channel": "a/b", "from": "e7:99999999999999999999"}, 107),
        ({"channel": "a/b", "from": 512}, 107),
        ({"channel": "a/*", "from": "e7:512"}, 107),
        ({"channel": "a/b", "max_hz": 0}, 107),
        ({"channel": "a/b", "max_hz": -1}, 107),
        ({"channel": "a/b", "max_hz": 1000.1}, 107),
        ({"channel": "a/b", "max_hz": 10**400}, 107),
        ({"channel": "a/b", "max_hz": "2"}, 107),
        ({"channel": "a/b", "latest": -1}, 107),
        ({"channel": "a/b", "latest": 1001}, 107),
        ({"channel": "a/b", "latest": 1.5}, 107),
        ({"channel": "a/b", "min_priority": "urgent"}, 107),
        ({"channel": "a/b", "min_priority": 1}, 107),
        ({"channel": "andon/*"}, 105),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_a_subscription_that_is_refused_follows_nothing(body, code):
    made = session(connect={"resume": {"channels": {"andon/*": None}}})
    assert error(say(made, {"id": 2, "subscribe": body})) == (2, code)
    assert error(say(made, {"id": 3, "unsubscribe": {"channel": "a/b"}})) == (3, 102)


def test_so_many_subscriptions_and_no_more():
    made = session()
    for number in range(wire.SUBSCRIPTIONS):
        assert [type(step) for step in say(made, {"id": number, "subscribe": {"channel": f"a/{number}"}})] == [
            Subscribe
        ]
    assert error(say(made, {"id": 99, "subscribe": {"channel": "a/more"}})) == (99, 106)
    say(made, {"id": 100, "unsubscribe": {"channel": "a/5"}})
    assert [type(step) for step in say(made, {"id": 101, "subscribe": {"channel": "a/more"}})] == [Subscribe]


def test_what_is_left_is_confirmed_and_can_be_followed_again():
    made = session(connect={"resume": {"channels": {"andon/*": None}}})
    leave, confirmed = say(made, {"id": 3, "unsubscribe": {"channel": "andon/*"}})
    assert leave == Unsubscribe("andon/*")
    assert said([confirmed]) == {"id": 3, "unsubscribe": {"channel": "andon/*"}}
    assert error(say(made, {"id": 4, "unsubscribe": {"channel": "andon/*"}})) == (4, 102)
    assert [type(step) for step in say(made, {"id": 5, "subscribe": {"channel": "andon/*"}})] == [Subscribe]


# -- what was resumed is not told twice, and nothing falls between ----------------------------------------------


def later(resume: OBJECT, channel: str) -> Position | None:
    """From where the critical events of ``channel`` are told, when it is subscribed to after ``resume``."""
    return subscribed({"channel": channel}, resume=resume).critical_after


def test_a_channel_that_is_subscribed_to_later_begins_behind_what_the_resume_told():
    assert later({"critical": "e7:88120"}, "andon/line3") == NEWEST
    assert later({"critical": "e7:88120", "channels": {"andon/*": None}}, "andon/line3") == NEWEST
    assert later({"critical": "e7:88120", "channels": {"andon/*": None}}, "andon/acme/*") == NEWEST


def test_a_channel_that_the_resume_did_not_name_begins_where_the_client_was():
    assert later({"critical": "e7:88120", "channels": {"andon/*": None}}, "alarms/line3") == Position("e7", 88120)
    assert later({"critical": "e7:88120", "channels": {"andon/line3": None}}, "andon/*") == Position("e7", 88120)


def test_until_the_resume_is_done_nothing_counts_as_told():
    made = session(State.CONNECTING)
    say(made, {"id": 1, "connect": {"resume": {"critical": "e7:88120"}}})
    (step,) = say(made, {"id": 2, "subscribe": {"channel": "andon/line3"}})
    assert step.critical_after == Position("e7", 88120)


def test_who_resumes_from_now_is_told_what_came_between_the_connect_and_the_subscription():
    assert later({"channels": {"andon/*": None}}, "andon/line3") == NEWEST
    assert later({"critical": ""}, "andon/line3") == NEWEST


def test_who_resumed_nothing_is_told_nothing_of_before():
    assert subscribed({"channel": "andon/line3"}).critical_after is None


def test_who_left_a_channel_is_told_nothing_of_before_when_it_returns():
    made = session(connect={"resume": {"critical": "e7:88120", "channels": {"andon/*": None}}})
    say(made, {"id": 3, "unsubscribe": {"channel": "andon/*"}})
    (step,) = say(made, {"id": 4, "subscribe": {"channel": "andon/*"}})
    assert step.critical_after is None


def test_only_so_many_left_channels_are_remembered_and_then_rather_too_much_is_told():
    made = session(connect={"resume": {"critical": "e7:88120"}})
    for number in range(1025):
        at = AT + number
        say(made, {"id": 1, "subscribe": {"channel": f"a/{number}"}}, at)
        say(made, {"id": 2, "unsubscribe": {"channel": f"a/{number}"}}, at)
    (forgotten,) = say(made, {"id": 3, "subscribe": {"channel": "a/0"}}, at)
    (remembered,) = say(made, {"id": 4, "subscribe": {"channel": "a/1024"}}, at)
    assert (forgotten.critical_after, remembered.critical_after) == (NEWEST, None)


# -- the small commands -----------------------------------------------------------------------------------------


def test_a_ping_is_answered_with_the_time():
    assert said(say(session(), {"id": 5, "ping": {}})) == {"id": 5, "ping": {"time": NOW}}


SMALL = [
    ("ack", {"critical": "e7:88121"}, Acknowledge(Position("e7", 88121))),
    ("shown", ["01J", "01K"], Show(("01J", "01K"))),
    ("shown", [], Show(())),
    ("credit", 16384, Grant(16384)),
]


@pytest.mark.parametrize(("word", "body", "step"), SMALL)
def test_receipts_and_credit_are_taken_in_silence_without_an_id_and_answered_with_one(word, body, step):
    made = session(connect={"credit": 32768})
    assert say(made, {word: body}) == [step]
    done, reply = say(made, {"id": 9, word: body})
    assert done == step
    assert said([reply]) == {"id": 9, word: {}}


@pytest.mark.parametrize(
    ("word", "body", "code"),
    [
        ("ack", {}, 107),
        ("ack", {"critical": None}, 107),
        ("ack", {"critical": ""}, 107),
        ("ack", {"critical": "88121"}, 107),
        ("shown", "01J", 107),
        ("shown", [5], 107),
        ("shown", [""], 107),
        ("shown", ["x" * 1025], 107),
        ("shown", ["x"] * 1001, 106),
        ("credit", 0, 107),
        ("credit", -5, 107),
        ("credit", 1024 * 1024 + 1, 107),
        ("credit", 1.0, 107),
        ("credit", True, 107),
        ("credit", {}, 107),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_receipts_and_credit_that_are_none_are_refused(word, body, code):
    assert error(say(session(connect={"credit": 32768}), {"id": 9, word: body})) == (9, code)


def test_credit_that_nobody_gave_cannot_be_returned():
    assert error(say(session(), {"id": 9, "credit": 1024})) == (9, 107)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 107),
        ({"type": "andon.acknowledge"}, 107),
        ({"type": "andon.acknowledge", "key": ""}, 107),
        ({"type": "andon.acknowledge", "key": "k" * 129}, 107),
        ({"type": "andon.acknowledge", "key": 5}, 107),
        ({"type": "", "key": "k"}, 107),
        ({"key": "k"}, 107),
        ({"type": "andon.acknowledge", "key": "k"}, 104),
    ],
)
def test_an_act_without_a_key_or_of_no_known_type_is_refused(body, code):
    assert error(say(session(), {"id": 9, "act": body})) == (9, code)


# -- messages ---------------------------------------------------------------------------------------------------


def test_members_that_nobody_knows_are_ignored():
    assert said(say(session(), {"id": 5, "ping": {"x": 1}, "y": {}})) == {"id": 5, "ping": {"time": NOW}}


@pytest.mark.parametrize("message", [{"id": 5}, {"id": 5, "dance": {}}, {"id": 5, "Ping": {}}])
def test_a_command_that_nobody_knows_is_refused_with_those_that_are(message):
    made = session()
    reply = said(say(made, message))
    assert (reply["id"], reply["error"]["code"]) == (5, 104)
    assert all(word in reply["error"]["message"] for word in wire.COMMANDS)


def test_two_commands_in_one_message_are_both_refused():
    made = session()
    assert error(say(made, {"id": 5, "ping": {}, "subscribe": {"channel": "a/b"}})) == (5, 107)
    assert error(say(made, {"id": 6, "unsubscribe": {"channel": "a/b"}})) == (6, 102)


@pytest.mark.parametrize("id_", [0, 1, 2**53 - 1])
def test_an_id_may_be_any_integer_that_json_can_say_exactly(id_):
    assert said(say(session(), {"id": id_, "ping": {}}))["id"] == id_


@pytest.mark.parametrize("id_", [-1, 2**53, "5", 5.0, True, None, [5]])
def test_what_is_no_id_gets_no_reply(id_):
    assert say(session(), {"id": id_, "ping": {}}) == []
    assert say(session(connect={"credit": 32768}), {"id": id_, "credit": 1024}) == []


def test_a_long_word_of_the_client_is_not_repeated_whole():
    reply = said(say(session(), {"id": 5, "subscribe": {"channel": "x" * 60_000}}))
    assert len(json.dumps(reply)) < 400


def test_the_wrong_kind_of_message_ends_the_session_with_1003():
    for made, message in ((session(), b"{}"), (session(State.CONNECTING, encoding=MSGPACK), "{}")):
        _, close = ended(made.received(message, AT))
        assert close.code == 1003
        assert made.state is State.CLOSED
        assert made.received(message, AT) == []


def test_the_same_members_are_taken_and_told_as_messagepack():
    made = session(State.CONNECTING, encoding=MSGPACK)
    _, resume = made.received(msgpack.packb({"id": 1, "connect": {"resume": {"channels": {"a/b": None}}}}), AT)
    assert read(resume.confirm(Resumed(recovered=True, missed=0, newest=NEWEST)))["connect"]["session"] == "5f0c"
    assert resume.then[0].encode is MSGPACK.encoders[Priority.LOW]
    assert said(made.received(msgpack.packb({"id": 5, "ping": {}}), AT)) == {"id": 5, "ping": {"time": NOW}}


# -- faults -----------------------------------------------------------------------------------------------------

FAULTY = ["", "nonsense", "[]", "5", "null", '{"ping":{}}', '{"subscribe":{"channel":"a/b"}}', '{"id":"x","ping":{}}']


@pytest.mark.parametrize("message", [*FAULTY, "[" * 5000, '{"ack":{}}', '{"shown":[5]}', '{"credit":1}'])
def test_the_third_fault_in_a_row_ends_the_session_with_4002(message):
    made = session()
    assert made.received(message, AT) == []
    assert made.received(message, AT) == []
    told, close = ended(made.received(message, AT))
    assert (close.code, told["delay_ms"], told["resume"]) == (4002, 0, None)
    assert close.reason


def test_whatever_is_done_between_faults_begins_their_row_anew():
    made = session()
    for _ in range(10):
        for _ in range(FAULTS - 1):
            assert made.received("nonsense", AT) == []
        say(made, {"ack": {"critical": "e7:1"}})


def test_what_is_answered_is_no_fault_once_the_session_is_connected():
    made = session()
    for number in range(20):
        assert error(say(made, {"id": number, "dance": {}})) == (number, 104)


def test_before_connect_everything_that_is_refused_is_a_fault():
    made = session(State.CONNECTING)
    assert error(say(made, {"id": 1, "ping": {}})) == (1, 107)
    assert error(say(made, {"id": 2, "connect": {"credit": 5}})) == (2, 107)
    steps = say(made, {"id": 3, "dance": {}})
    assert error(steps[:1]) == (3, 104)
    assert ended(steps)[1].code == 4002


# -- pace -------------------------------------------------------------------------------------------------------


def test_a_burst_is_taken_and_what_comes_faster_is_refused_with_the_time_to_wait():
    made = session()
    for number in range(BURST - 1):
        assert said(say(made, {"id": number, "ping": {}}))["ping"]
    reply = said(say(made, {"id": 500, "subscribe": {"channel": "a/b"}}))
    assert reply["error"] == {
        "code": 111,
        "message": "at most 50 commands a second",
        "temporary": True,
        "retry_after_ms": 20,
    }
    assert error(say(made, {"id": 501, "unsubscribe": {"channel": "a/b"}}, AT + 1.0)) == (501, 102)


def test_who_goes_on_regardless_is_closed_with_4103_and_told_when_to_come_back():
    made = session()
    answered = 0
    while made.state is State.CONNECTED:
        steps = say(made, {"id": answered, "ping": {}})
        assert isinstance(steps[0], Send)
        answered += 1
    assert answered == 2 * BURST - 1
    assert error(steps[:1]) == (answered - 1, 111)
    told, close = ended(steps)
    assert (close.code, told["delay_ms"]) == (4103, 4000)


def test_a_steady_pace_is_never_refused():
    made = session()
    for number in range(5000):
        assert "ping" in said(say(made, {"id": number, "ping": {}}, AT + number / RATE))


def test_credit_is_never_lost_for_coming_fast():
    made = session(connect={"credit": 32768})
    for _ in range(15 * BURST):
        assert say(made, {"credit": 1024}) == [Grant(1024)]


def test_long_receipts_weigh_as_much_as_any_command():
    made, shown, count = session(), {"shown": ["x" * 1000, "y" * 1000]}, 0
    while made.state is State.CONNECTED:
        steps, count = say(made, shown), count + 1
    assert (count, ended(steps)[1].code) == (2 * BURST - 1, 4103)


# -- pushes and examples ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", [JSON, MSGPACK], ids=lambda encoding: encoding.subprotocol)
def test_the_connection_can_tell_a_hole_and_the_end(encoding):
    introduce = connected({})[1] if encoding is JSON else None
    tell_gap = introduce.gap if introduce else encoding.gap
    tell_end = introduce.disconnect if introduce else encoding.disconnect
    gap = tell_gap(Gap("oee/acme/plant1/line3", 641, 655, 15, "overflow"))
    end = tell_end(4201, "restart", 3.17, NEWEST)
    assert (gap.priority, end.priority) == (Priority.HIGH, Priority.HIGH)
    assert read(gap) == examples.PUSHES["gap"]
    assert read(end) == examples.PUSHES["disconnect"]
    assert read(tell_end(4002, "x", 0.0, None))["resume"] is None


def test_the_examples_can_be_said_one_after_the_other():
    made = NativeSession(JSON, "5f0c", TERMS, lambda: OPEN_RIGHTS)
    for word, example in examples.COMMANDS.items():
        steps = say(made, example)
        if word == "act":
            assert error(steps) == (example["id"], 104)
        else:
            assert steps
            assert not any(isinstance(step, Send) and "error" in read(step.frame) for step in steps)
