"""The session by properties: whatever is said, in whatever order, the rules of the protocol hold."""

from __future__ import annotations

import json

import msgpack
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain import Position
from domain.access import OPEN_RIGHTS
from transport.dialects import native_frames as wire
from transport.dialects.native import ENCODINGS, JSON, NativeSession, State, Terms
from transport.session import Close, Enquire, Followed, Resume, Resumed, Send, Step, Subscribe, Unsubscribe

AT = 1795240800.0
TERMS = Terms("andond/0.1.0", 10.0, 65536)
NAMES = ["a/b", "a/c", "a/*", "andon/line3", "nonsense", "", "x" * 300]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
POSITIONS = st.sampled_from([None, "", "e7:1", "e7:x", "old:5", 5])
BODIES: dict[str, st.SearchStrategy[object]] = {
    "connect": st.fixed_dictionaries(
        {},
        optional={
            "client": st.text(max_size=200),
            "credit": st.integers(0, 2**21) | st.none(),
            "resume": st.none()
            | st.fixed_dictionaries(
                {}, optional={"critical": POSITIONS, "channels": st.dictionaries(st.sampled_from(NAMES), POSITIONS)}
            ),
        },
    ),
    "subscribe": st.fixed_dictionaries(
        {"channel": st.sampled_from(NAMES)},
        optional={
            "from": POSITIONS,
            "latest": st.integers(-1, 1001),
            "max_hz": st.sampled_from([None, 0, 0.5, 1000, 1001, 10**400]),
            "min_priority": st.sampled_from(["critical", "low", "urgent"]),
        },
    ),
    "unsubscribe": st.fixed_dictionaries({"channel": st.sampled_from(NAMES)}),
    "ping": st.just({}),
    "refresh": st.fixed_dictionaries({"token": st.text(max_size=20)}),
    "act": st.fixed_dictionaries({"type": st.text(max_size=3), "key": st.text(max_size=3)}),
    "ack": st.fixed_dictionaries({"critical": POSITIONS}),
    "shown": st.lists(st.text(max_size=3), max_size=3),
    "credit": st.integers(-1, 2**21),
}
IDS = st.one_of(st.integers(0, 2**53 - 1), st.integers(0, 50), st.sampled_from([-1, 2**53, "5", None, True, 1.0]))


SENSIBLE = st.sampled_from(sorted(wire.COMMANDS)).flatmap(
    lambda word: st.fixed_dictionaries({"id": IDS, word: BODIES[word]})
)
STRANGE = st.dictionaries(st.sampled_from(["id", "dance", *wire.COMMANDS]), VALUES, max_size=3)


def reply_to(step: Step) -> object:
    """The id of the reply that ``step`` is, or will be when it is confirmed; None for another step."""
    frame = None
    if isinstance(step, Send):
        frame = step.frame
    elif isinstance(step, Subscribe):
        frame = step.confirm(Followed(step.channel, "e7", 5, recovered=True))
    elif isinstance(step, Resume):
        frame = step.confirm(Resumed(recovered=True, missed=0, newest=Position("e7", 5)))
    if frame is None:
        return None
    size = frame.data[1]
    payload = frame.data[{126: 4, 127: 10}.get(size, 2) :]
    told = json.loads(payload) if frame.data[0] == 0x81 else msgpack.unpackb(payload)
    assert ("push" in told) is not ("id" in told)
    return told.get("id")


def has_id(command: dict[str, object]) -> bool:
    id_ = command.get("id")
    return type(id_) is int and 0 <= id_ < 2**53


class Conversation(RuleBasedStateMachine):
    """One session, whatever is said to it; ``followed`` is kept from its steps alone."""

    @initialize(encoding=st.sampled_from(ENCODINGS), connects=st.booleans())
    def open(self, encoding, connects):
        self.encoding = encoding
        self.session = NativeSession(encoding, "s", TERMS, lambda: OPEN_RIGHTS)
        assert self.session.opened(AT) == []
        self.followed: set[str] = set()
        self.closed = False
        self.at = AT
        if connects:
            self.command({"id": 1, "connect": {"credit": 32768, "resume": {"channels": {"a/c": ""}}}})

    def say(self, message: str | bytes) -> list[Step]:
        steps = self.session.received(message, self.at)
        assert not (self.closed and steps), "nothing follows a Close"
        # A token that is shown counts.
        steps = [each for step in steps for each in (step.then(OPEN_RIGHTS) if isinstance(step, Enquire) else [step])]
        for step in steps:
            assert not self.closed, "nothing follows a Close"
            if isinstance(step, Resume):
                assert not self.followed
                for subscription in step.then:
                    self.follow(subscription)
            elif isinstance(step, Subscribe):
                self.follow(step)
            elif isinstance(step, Unsubscribe):
                self.followed.remove(step.channel)
            self.closed = isinstance(step, Close)
        return steps

    def follow(self, step: Subscribe) -> None:
        assert step.channel not in self.followed, "followed twice"
        assert step.since is None or not step.channel.endswith("/*")
        self.followed.add(step.channel)

    @rule(command=SENSIBLE | STRANGE)
    def command(self, command):
        was_closed = self.closed
        message = json.dumps(command) if self.encoding is JSON else packed(command)
        if message is None or "NaN" in str(message) or "Infinity" in str(message):
            return
        replies = [id_ for id_ in map(reply_to, self.say(message)) if id_ is not None]
        expected = [command["id"]] if has_id(command) and not was_closed else []
        assert replies == expected, "exactly one reply for each id"

    @rule(word=st.sampled_from(["subscribe", "unsubscribe"]), channel=st.sampled_from(NAMES[:3]), id_=st.integers(0, 9))
    def change(self, word, channel, id_):
        self.command({"id": id_, word: {"channel": channel}})

    @rule(message=st.binary(max_size=30) | st.text(max_size=30))
    def noise(self, message):
        self.say(message)

    @rule(passed=st.floats(-10, 1000))
    def wait(self, passed):
        self.at += passed

    @invariant()
    def bounded(self):
        if hasattr(self, "session"):
            assert len(self.followed) <= wire.SUBSCRIPTIONS
            assert (self.session.state is State.CLOSED) is self.closed


def packed(command: dict[str, object]) -> bytes | None:
    try:
        data: bytes = msgpack.packb(command)
    except (OverflowError, ValueError):
        return None
    return data


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


@given(st.sampled_from(ENCODINGS), st.lists(st.binary(max_size=40) | st.text(max_size=40), max_size=6))
def test_no_bytes_raise_anything_and_the_session_ends_with_the_third_of_them(encoding, messages):
    session = NativeSession(encoding, "s", TERMS, lambda: OPEN_RIGHTS)
    for message in messages:
        session.received(message, AT)
    assert (session.state is State.CLOSED) or len(messages) < 3


@given(st.floats(0.1, 1000), st.integers(1, 200))
def test_the_same_commands_give_the_same_steps(hz, count):
    said = [json.dumps({"id": number, "ping": {}}) for number in range(count)]

    def run() -> list[object]:
        session = NativeSession(JSON, "s", TERMS, lambda: OPEN_RIGHTS)
        session.received('{"id":0,"connect":{}}', AT)
        steps = [step for number, each in enumerate(said) for step in session.received(each, AT + number / hz)]
        return [step.frame.data if isinstance(step, Send) else step for step in steps]

    assert run() == run()
