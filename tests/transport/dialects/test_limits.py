"""What clients share is shared at every door: commands, subscriptions, and how much one message may hold."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from domain import Allotment, Allotments, Holder, Metered, Position, Rate, Throttle
from domain.access import OPEN_RIGHTS
from transport import Close, Resume, Resumed, Send, Subscribe
from transport.dialects.native import JSON, MSGPACK, NativeSession, State, Terms

ROOT = Path(__file__).parents[3]
AT = 1_000.0
TERMS = Terms("andond/1", 10.0, 65_536)
WIDE = "[" + "{}," * 5_000 + "1]"


def throttle(counts=None, rates=None):
    return Throttle(Allotments({Holder.ADDRESS: Allotment(counts or {}, rates or {})}))


def connected(limits, encoding=JSON):
    made = NativeSession(encoding, "5f0c", TERMS, lambda: OPEN_RIGHTS, limits.allow("10.0.0.7"))
    for step in say(made, {"id": 1, "connect": {}}):
        if isinstance(step, Resume):
            step.confirm(Resumed(recovered=True, missed=0, newest=Position("e", 0)))
    assert made.state is State.CONNECTED
    return made


def say(made, command, at=AT):
    return made.received(command if isinstance(command, str) else json.dumps(command), at)


def errors(steps):
    """The numbers of the errors in ``steps``."""
    found = []
    for step in steps:
        if isinstance(step, Send):
            data = step.frame.data
            told = json.loads(data[{126: 4, 127: 10}.get(data[1], 2) :])
            if "error" in told:
                found.append((told["error"]["code"], told["error"]["retry_after_ms"]))
    return found


def test_commands_faster_than_an_address_may_are_111_with_a_time_and_the_connection_stays():
    limits = throttle(rates={Metered.COMMANDS: Rate(1.0, 4.0)})
    one, other = connected(limits), connected(limits)
    assert errors(say(one, {"id": 2, "ping": {}})) == errors(say(other, {"id": 2, "ping": {}})) == []
    assert errors(say(other, {"id": 3, "ping": {}})) == [(111, 1000)]
    assert not any(isinstance(step, Close) for step in say(other, {"id": 4, "ping": {}}))
    assert errors(say(other, {"id": 5, "ping": {}}, AT + 1)) == []


def test_credit_is_taken_however_hasty_those_are_who_share_the_address():
    limits = throttle(rates={Metered.COMMANDS: Rate(1.0, 1.0)})
    made = NativeSession(JSON, "5f0c", TERMS, lambda: OPEN_RIGHTS, limits.allow("10.0.0.7"))
    say(made, {"id": 1, "connect": {"credit": 32_768}})
    assert errors(say(made, {"id": 2, "ping": {}})) == [(111, 1000)]
    assert len(say(made, {"credit": 16_384})) == 1


def test_one_subscription_too_many_is_106_and_nothing_has_changed():
    limits = throttle(counts={Metered.SUBSCRIPTIONS: 2})
    made = connected(limits)
    allowance = limits.allow("10.0.0.7")
    allowance.follow("events/a")
    allowance.follow("events/b")
    assert errors(say(made, {"id": 2, "subscribe": {"channel": "events/c"}})) == [(106, 0)]
    allowance.leave("events/a")
    (step,) = say(made, {"id": 3, "subscribe": {"channel": "events/c"}})
    assert isinstance(step, Subscribe)


def test_a_resume_of_more_than_there_is_room_for_is_106():
    limits = throttle(counts={Metered.SUBSCRIPTIONS: 1})
    made = NativeSession(JSON, "5f0c", TERMS, lambda: OPEN_RIGHTS, limits.allow("10.0.0.7"))
    channels = {"events/a": None, "events/b": None}
    assert errors(say(made, {"id": 1, "connect": {"resume": {"channels": channels}}})) == [(106, 0)]
    assert made.state is State.CONNECTING


@pytest.mark.parametrize("data", ["[" * 30_000, WIDE, '{"id":1,"ping":' + "[" * 40 + "]" * 40 + "}"])
def test_messages_that_are_deep_or_wide_are_faults_three_of_which_end_the_session(data):
    made = connected(throttle())
    steps = [step for _ in range(3) for step in made.received(data, AT)]
    assert [step.code for step in steps if isinstance(step, Close)] == [4002]


def test_a_messagepack_bomb_is_a_fault_as_well():
    made = NativeSession(MSGPACK, "5f0c", TERMS, lambda: OPEN_RIGHTS)
    steps = [step for _ in range(3) for step in made.received(b"\xdc\xff\xff" + b"\x80" * 65_535, AT)]
    assert [step.code for step in steps if isinstance(step, Close)] == [4002]


def calls(folder, *names):
    """Each call of ``names`` in the files of ``folder``: where it is, and its arguments as written."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                given = [ast.unparse(each) for each in (*node.args, *(word.value for word in node.keywords))]
                yield f"{path.relative_to(ROOT)}:{node.lineno}", given


def test_every_door_reads_messages_with_the_limit_of_messages():
    found = dict(calls("transport/dialects", "decode_json", "decode_msgpack"))
    assert len(found) >= 4
    for place, given in found.items():
        assert "MESSAGE_ITEMS" in given, place


def test_every_path_reads_bodies_with_a_limit_and_nothing_else_decodes_them():
    found = dict(calls("andond", "decode_json", "decode_msgpack"))
    assert len(found) >= 4
    for place, given in found.items():
        assert "None" not in given, place
    for path in [*(ROOT / "andond/api").glob("*.py"), *(ROOT / "transport/dialects").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert not any(other in text for other in ("json.loads", "json.decode", "json.Decoder", "unpackb")), path


@pytest.mark.parametrize("held", ["[" * 40 + "]" * 40, WIDE], ids=["too deep", "too many"])
def test_a_message_that_is_not_read_has_no_id_and_the_third_in_a_row_ends_the_session(held):
    made = connected(throttle())
    message = f'{{"id": 2, "ping": {held}}}'
    assert say(made, message) == say(made, message) == []
    *_, close = say(made, message)
    assert (close.code, made.state) == (4002, State.CLOSED)
