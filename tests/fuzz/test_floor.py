"""What strangers say at the floor's doors, and what publishers send through them: any bytes, and any data.

``fuzz_one()`` is the entry for any fuzzer; the corpus beside this file holds what once was worth a thought. The first
byte says which door it is, the second whether the client may act (even: it only reads); the messages behind them are
separated by a record separator. A name says what becomes of the first message: "good" is answered, "bad" is refused.

Whatever comes, it is answered: every message gets at least one frame, every frame can be read and has its envelope,
what a client follows stays bounded, and nothing but too many messages ends a connection.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import Event, Grounds, Memory, Priority, Publication, Refused
from transport import Close, Enquire, Express, Prompt, Send, Step, Subscribe, Unsubscribe
from transport.dialects.floor.following import LIMIT, Following
from transport.dialects.floor.kinds import ALIASES, KINDS, TOLD
from transport.dialects.floor.places import Places
from transport.dialects.floor.questions import SECTIONS, Done, Row, Seen
from transport.dialects.floor.roster import Roster, Visit
from transport.dialects.floor.script import Script
from transport.dialects.floor.session import COMMANDS, FloorSession, Surroundings, Visitor
from transport.dialects.floor.topics import TOPICS
from transport.dialects.floor.welcome import DOORS, enter

CORPUS = sorted((Path(__file__).parent / "corpus" / "floor").iterdir())
SEPARATOR = b"\x1e"
MUTATIONS = 300
AT = 1795240800.0
PATHS = [f"{path}L1" if path.endswith("/") else path for path in DOORS]
TOKENS = [
    *[b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1e400", b"-1", b"\\ud800", b"\xff", b"\x00"],
    *[b'"type":', b'"subscribe"', b'"batch"', b'"messages":', b'"target_id":', b'"all"', b'"data":', SEPARATOR],
    *[f'"{word}"'.encode() for word in (*COMMANDS, *TOPICS)],
]


def fuzz_one(data: bytes) -> bool:
    """Say ``data`` to a new session; returns whether what it said first was answered without an error."""
    path = PATHS[data[0] % len(PATHS)] if data else "/ws"
    entry = enter(path, {})
    assert entry is not None
    visitor = Visitor("anna", may_act=bool(data[1:2] and data[1] & 1))
    roster = Roster(lambda: 10)
    visit = Visit("anna_1", "anna", entry.door.word, "127.0.0.1", AT, Following("anna"))
    roster.enter("c1", visit)
    surroundings = Surroundings(Script(Places()), roster, lambda: AT)
    session = FloorSession(visit, visitor, entry, surroundings, Memory().arrive("a", AT))
    follow: set[str] = set()
    told(session.opened(AT), follow)
    first: list[Mapping[str, object]] | None = None
    for number, part in enumerate(data[2:].split(SEPARATOR)):
        message: str | bytes = part
        try:
            message = part.decode()
        except UnicodeDecodeError:
            # Such a text message never gets here: the WebSocket itself refuses it. As a binary one it does.
            message = part
        steps = session.received(message, AT + number)
        assert steps or session.closed
        frames = told(steps, follow)
        assert frames or session.closed
        first = frames if first is None else first
        assert len(visit.following) <= LIMIT
        assert follow == visit.following.channels()
    return bool(first) and not any(each["type"] == "error" for each in first or [])


def told(steps: list[Step], follow: set[str], answers: tuple[object, ...] = ()) -> list[Mapping[str, object]]:
    """What the client hears of ``steps``; all of it can be read. ``follow`` is kept as a gateway would."""
    heard: list[Mapping[str, object]] = []
    for number, step in enumerate(steps):
        match step:
            case Send(frame=frame):
                data = frame.data
                members = json.loads(data[{126: 4, 127: 10}.get(data[1], 2) :])
                assert set(members) >= {"type", "data", "timestamp", "priority", "connection_id"}
                assert members["priority"] in (1, 2, 3, 4)
                heard.append(members)
            case Enquire(then=then):
                for answer in answers or (SEEN, Refused(Grounds.UNAVAILABLE, "away"), Done({}, is_kept=True), None):
                    frames = told(list(then(answer)), follow)
                    assert frames
                heard += frames
            case Subscribe(channel=channel):
                assert channel not in follow
                follow.add(channel)
            case Unsubscribe(channel=channel):
                follow.remove(channel)
            case Close():
                assert number == len(steps) - 1
            case _:
                assert isinstance(step, Express | Prompt)
    return heard


SEEN = Seen({name: [Row("acme/plant1/line3/press3", {"id": "x", "state": "raised"})] for name in SECTIONS}, {})


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_corpus_is_answered_as_its_names_say(path):
    assert fuzz_one(path.read_bytes()) is path.name.startswith("good")


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_is_made_of_the_corpus_is_answered(path):
    chance = random.Random(path.name)
    seed = path.read_bytes()
    for _ in range(MUTATIONS):
        data = bytearray(seed)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data) + 1)
            if chance.random() < 0.5:
                data[at:at] = chance.choice(TOKENS)
            else:
                del data[at : at + chance.randint(1, 8)]
        fuzz_one(bytes(data))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
members = st.sampled_from(
    ["subscription_type", "target_id", "target", "event_type", "filters", "data", "timestamp", "messages", "types",
     "data_type", "event_id", "act", "key", "id", "snapshot", "connection_id", "token"]
)  # fmt: skip
words = st.sampled_from([*TOPICS, *KINDS, *sorted(ALIASES), "all", "line:L1", "priority:high"])
commands = st.fixed_dictionaries(
    {"type": st.sampled_from([*COMMANDS, "batch"]) | st.text(max_size=8)},
    optional={"subscription_type": words, "target_id": words | values, "data": values, "event": words},
).flatmap(lambda command: st.dictionaries(members, values | words, max_size=4).map(lambda more: {**more, **command}))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 255), st.integers(0, 255), st.lists(commands | values, min_size=1, max_size=5))
def test_whatever_is_said_is_answered(door, acts, said):
    fuzz_one(bytes((door, acts)) + SEPARATOR.join(json.dumps(each).encode() for each in said))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered(data):
    fuzz_one(data)


fields = st.sampled_from(
    sorted({name for kind in KINDS.values() for field in kind.fields for name in (field.name, *field.places)})
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(TOLD)), st.dictionaries(fields, values, max_size=6) | values)
def test_whatever_is_published_can_be_read_by_who_follows_it(type_, data):
    following = Following(wants_all_names=True)
    script = Script(Places())
    event = Event("e1", "/acme/plant1/line3/press3", type_, data, AT, Priority.NORMAL)
    for one in script.of(Publication("a/b", "e", 1, AT, event)):
        assert following.names_of(one) in ((), one.telling.names)
        for name in one.telling.names:
            frame = json.loads(one.body(name) + b"}")
            assert frame["data"]["line_id"] == frame["line_id"]
