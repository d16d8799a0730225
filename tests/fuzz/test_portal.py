"""What strangers say at the portal's doors and at the door of tokens, and what they ask of the stream of CloudEvents
in an address: any bytes.

``fuzz_one()`` and ``fuzz_query()`` are the entries for any fuzzer; the corpus beside this file holds what once was
worth a thought. The first byte of a conversation says which door it is, the second who speaks (0 a stranger who sees
nothing, 1 a stranger who may show a token, 2 somebody who sees everything); the messages behind them are separated by
a record separator. A name says what becomes of the first message: "good" is done, "bad" is answered with an error,
"mute" is not answered. A query is "good" or "bad".

Whatever comes is answered or known to need no answer; every frame can be read and is small, however long what it is
about; nothing is followed that may not be seen, and nobody is let in but by the one good token. That is never said
back as a whole, in whatever place it was: a word that is not understood is said back in 64 characters at most.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import Grounds, Refused, is_channel, is_tree
from domain.access import NO_RIGHTS, OPEN_RIGHTS, Rights
from transport import (
    Admit,
    Close,
    Enquire,
    Prompt,
    ProtocolError,
    Send,
    Session,
    Step,
    Subscribe,
    Unsubscribe,
    Withhold,
)
from transport.dialects.cloudevents import CHANNEL_LIMIT, CloudEventsSession, QueryFault
from transport.dialects.portal import DOORS, TOKENS_PATH, Setting, TokensSession, guest_of
from transport.dialects.portal_console import CONSOLE_RESTRICTED
from transport.messages import parse_target

HERE = Path(__file__).parent / "corpus"
CORPUS = sorted((HERE / "portal").iterdir())
QUERIES = sorted((HERE / "cloudevents").iterdir())
SEPARATOR = b"\x1e"
MUTATIONS = 200
AT = 1795240800.0
GOOD = "the-one-good-token-of-this-test-" + "as-long-as-a-real-one-" * 4
PATHS = (*DOORS, TOKENS_PATH)
_FILTER = re.compile(r'"filter":"[^"]*"')
FRAME_SIZE = 64 * 1024
FOLLOWED = 16
MUTE = {"/api/v11/live/stream", "/ws/transactions", "/ws/v11"}
KNOWN = {"type": "initial_data", "validators": [], "transactions": [], "analytics": {}}
TOKENS = [
    *[b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1e400", b"-1", b"\\ud800", b"\xff", b"\x00"],
    *[b'"type":', b'"action":', b'"channel":', b'"channels":', b'"filter":', b'"data":', b'"payload":', SEPARATOR],
    *[b"SUBSCRIBE ", b"UNSUBSCRIBE ", b"PING", b"LIST", b"STATS", b"transactions", b"debug", b"admin", b"main-channel"],
    *[
        b'"auth"',
        b'"token":',
        GOOD.encode(),
        b'"subscribe"',
        b'"get_users"',
        b'"limit":',
        b"status:PENDING",
        b"x" * 600,
    ],
]


def tokens(token: str) -> Rights | None:
    return OPEN_RIGHTS if token == GOOD else None


class Listener:
    """Takes the steps of a session as a gateway would, and holds each to the rules; ``rights`` are those it has now."""

    def __init__(self, rights: Rights) -> None:
        self.rights = rights
        self.follows: set[str] = set()
        self.has_shown = False

    def take(self, steps: list[Step]) -> list[str]:
        """The texts that the client gets of ``steps``."""
        heard: list[str] = []
        for number, step in enumerate(steps):
            match step:
                case Send(frame=frame):
                    heard.append(payload(frame.data))
                case Subscribe(channel=channel):
                    assert channel not in self.follows
                    assert is_channel(channel) or is_tree(channel)
                    self.follows.add(channel)
                case Unsubscribe(channel=channel):
                    self.follows.remove(channel)
                case Enquire(then=then):
                    for answer in (Refused(Grounds.UNAVAILABLE, "away"), KNOWN):
                        found = self.take(list(then(answer)))
                    assert found
                    heard += found
                case Admit(rights=rights):
                    assert self.has_shown, "nobody showed the token"
                    self.rights = rights
                case Close():
                    assert number == len(steps) - 1
                case _:
                    check_other(step)
        assert len(self.follows) <= FOLLOWED
        return heard


def check_other(step: Step) -> None:
    """A step that a client hears nothing of now."""
    match step:
        case Prompt(after=after, write=write):
            assert after > 0
            assert payload(write(AT).data)
        case Withhold(why=why):
            assert why.isprintable()
        case _:
            raise AssertionError(step)


def payload(frame: bytes) -> str:
    text = frame[{126: 4, 127: 10}.get(frame[1], 2) :].decode()
    assert len(text) < FRAME_SIZE
    # A filter that is taken is confirmed in the client's words.
    assert GOOD not in _FILTER.sub("", text)
    return text


def session_of(path: str, rights: Rights, *, checks: bool) -> Session:
    if path == TOKENS_PATH:
        return TokensSession("anna")
    setting = Setting(name="c1", guest=guest_of(rights), rights=rights, tokens=tokens if checks else None)
    return DOORS[path].open("c1", None, setting)


def fuzz_one(data: bytes) -> str:
    """Say ``data`` to a new session; returns what became of what was said first."""
    path = PATHS[data[0] % len(PATHS)] if data else PATHS[0]
    kind = data[1] % 3 if data[1:] else 0
    rights = OPEN_RIGHTS if kind == 2 else NO_RIGHTS
    session, listener = session_of(path, rights, checks=kind > 0), Listener(rights)
    listener.take(session.opened(AT))
    first: list[str] | None = None
    for number, part in enumerate(data[2:].split(SEPARATOR)):
        listener.has_shown = listener.has_shown or (kind > 0 and GOOD.encode() in part)
        message: str | bytes = part
        try:
            message = part.decode()
        except UnicodeDecodeError:
            # Such a text message never gets here: the WebSocket itself refuses it. As a binary one it does.
            message = part
        heard = listener.take(session.received(message, AT + number))
        assert heard or is_mute(path, message)
        if path == "/ws/v11":
            assert all(map(listener.rights.sees, listener.follows))
        first = heard if first is None else first
    return what_became_of(first or [])


def is_mute(path: str, message: str | bytes) -> bool:
    """Whether ``message`` needs no answer at ``path``."""
    telling = DOORS[path].open("c1", None, Setting()) if path in DOORS else None
    if telling is not None and type(telling).__name__ == "TellingSession":
        return True
    text = message if isinstance(message, str) else message.decode(errors="replace")
    if path == "/ws/v11":
        return "pong" in text or "\\u" in text
    return path == "/ws/transactions" and text.lstrip("\ufeff \t\r\n")[:1] in {"{", "[", '"', ""}


def what_became_of(heard: list[str]) -> str:
    if not heard:
        return "mute"
    return "bad" if any(map(is_error, heard)) else "good"


def is_error(text: str) -> bool:
    if text.startswith("ERROR"):
        return True
    try:
        said = json.loads(text)
    except ValueError:
        return False
    return str(said.get("type")).lower() in {"error", "auth_required"} or said.get("status") == "error"


def fuzz_query(data: bytes) -> bool:
    """Ask for the stream of CloudEvents with ``data`` as its query; returns whether there is one."""
    try:
        query = parse_target("/stream?" + data.decode("latin-1")).query
        session = CloudEventsSession.from_query(query)
    except (ProtocolError, QueryFault) as fault:
        check_words(str(fault))
        return False
    steps = session.opened(AT)
    assert 0 < len(steps) == len(session.channels) <= CHANNEL_LIMIT
    for step in steps:
        assert isinstance(step, Subscribe)
        assert is_channel(step.channel) or is_tree(step.channel)
        assert 0 <= step.latest <= 1000
        assert re.fullmatch(r"[^\x00-\x1f\x7f]+", step.channel)
    assert isinstance(session.received(data, AT)[0], Close)
    return True


def check_words(said: str) -> None:
    assert len(said) < 300
    assert said.isprintable()


def mutated(chance: random.Random, data: bytes, others: list[Path], pieces: list[bytes]) -> bytes:
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutant) + 1)
        what = chance.randrange(4)
        if what == 0:
            mutant[at : at + chance.randint(1, 8)] = b""
        elif what == 1:
            mutant[at:at] = chance.choice(pieces)
        elif what == 2:
            mutant[at : at + 1] = bytes((chance.randrange(256),))
        else:
            other = chance.choice(others).read_bytes()
            start = chance.randrange(len(other) + 1)
            mutant[at : at + 16] = other[start : start + 16]
    return bytes(mutant)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_corpus_is_answered_as_its_names_say(path):
    assert fuzz_one(path.read_bytes()) == path.name.split("-")[0]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_is_made_of_the_corpus_is_answered(path):
    chance = random.Random(path.name)
    data = path.read_bytes()
    if len(data) < 5000:
        for _ in range(MUTATIONS):
            fuzz_one(mutated(chance, data, CORPUS, TOKENS))


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered(data):
    fuzz_one(data)


words = st.sampled_from(
    ["subscribe", "unsubscribe", "ping", "pong", "auth", "SUBSCRIBE", "UNSUBSCRIBE", "PING", "get_analytics",
     "get_validators", *sorted(CONSOLE_RESTRICTED), "transactions", "blocks", "debug", "admin", "bridge", "metrics",
     GOOD, "main-channel", "nodes", "status:PENDING", "from:A,to:B", "tps_updates"]
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | words | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
members = st.sampled_from(
    ["type", "action", "channel", "channels", "filter", "priority", "token", "payload", "data", "params", "limit"]
)
commands = st.dictionaries(members, words | values, max_size=5)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(range(len(PATHS))), st.integers(0, 2), st.lists(commands | values, min_size=1, max_size=5))
def test_whatever_is_said_is_answered(door, kind, said):
    fuzz_one(bytes((door, kind)) + SEPARATOR.join(json.dumps(each).encode() for each in said))


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.name)
def test_the_corpus_of_queries_is_what_its_names_say(path):
    assert fuzz_query(path.read_bytes()) is path.name.startswith("good")


ASKED = [
    b"channel=",
    b"&",
    b"latest=",
    b"*",
    b"/",
    b"%00",
    b"%2F",
    b"%",
    b"+",
    b";",
    b"=",
    b"\xff",
    b"%ED%A0%80",
    b"99",
]


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.name)
def test_no_query_made_of_the_corpus_raises_anything_but_a_stated_fault(path):
    chance = random.Random(path.name)
    data = path.read_bytes()
    for _ in range(MUTATIONS):
        fuzz_query(mutated(chance, data, QUERIES, ASKED))


@given(st.binary(max_size=120) | st.lists(st.sampled_from(ASKED), max_size=20).map(b"".join))
def test_no_query_raises_anything_but_a_stated_fault(data):
    fuzz_query(data)
