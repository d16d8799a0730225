"""What strangers say in the native protocol: any bytes, and what the published grammar says of commands.

``fuzz_one()`` is the entry for any fuzzer; the corpus beside this file holds what once was worth a thought. The first
byte says which encoding is spoken (even: JSON), the second whether the session is connected before (even: it is); the
messages behind them are separated by a record separator. A name says what becomes of the first message: "good" is
done, "bad" is refused in one way or another.

The grammar is ``/asyncapi.json``: what it allows must be done, what it does not allow must be refused.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgpack
import pytest
import trio
import websockets.sync.client
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import Opening
from andond.doors import Doors
from config import ServerSettings
from domain import Grounds, Position, Refused, is_tree
from domain.access import OPEN_RIGHTS
from transport import (
    Close,
    Door,
    Enquire,
    Followed,
    Link,
    Request,
    Response,
    Resume,
    Resumed,
    Routes,
    Send,
    Server,
    Session,
    Step,
    Subscribe,
)
from transport.dialects import examples
from transport.dialects.asyncapi import document
from transport.dialects.deeds import Done
from transport.dialects.native import ENCODINGS, FAULTS, JSON, Encoding, NativeSession, State, Terms, TokenShown

CORPUS = sorted((Path(__file__).parent / "corpus" / "native").iterdir())
SEPARATOR = b"\x1e"
MUTATIONS = 300
PATIENCE = 20.0
AT = 1795240800.0
TERMS = Terms("andond/0.1.0", 10.0, 65536)
NEWEST = Position("e7", 88125)
TOKENS = [
    *[b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1e400", b"-1", b"\\ud800", b"\xff", b"\x00"],
    *[b'"id":', b'"connect":', b'"subscribe":', b'"channel":', b'"from":', b"e7:1", b"a/*", SEPARATOR],
    *[b"\x80", b"\x81", b"\xc1", b"\xcb\x7f\xf8\0\0\0\0\0\0", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff"],
    *[b"\xd4\x01\x00", b"\xc4\x01a", b"\xa2id", b"\xa4ping"],
]


# -- any bytes --------------------------------------------------------------------------------------------------


def fuzz_one(data: bytes) -> bool:
    """Say ``data`` to a new session; returns whether what it said first was done."""
    encoding = ENCODINGS[data[0] & 1] if data else JSON
    session = NativeSession(encoding, "s", TERMS, lambda: OPEN_RIGHTS)
    if data[1:2] and not data[1] & 1:
        connect(session, encoding)
    done: list[bool] = []
    closed = False
    for part in data[2:].split(SEPARATOR):
        message: str | bytes = part
        if encoding is JSON:
            try:
                message = part.decode()
            except UnicodeDecodeError:
                continue
        steps = session.received(message, AT)
        assert not (closed and steps), "nothing follows a Close"
        closed = closed or session.state is State.CLOSED
        done.append(is_done(encoding, steps))
    return bool(done) and done[0]


def connect(session: Session, encoding: Encoding) -> None:
    command = {"id": 0, "connect": {"credit": 32768}}
    message = json.dumps(command) if encoding is JSON else msgpack.packb(command)
    assert told(encoding, session.received(message, AT))[0]["id"] == 0


def told(encoding: Encoding, steps: list[Step]) -> list[Mapping[str, object]]:
    """What the client hears of ``steps``, confirmations included; everything of it can be read."""
    heard = []
    for number, step in enumerate(steps):
        assert not isinstance(step, Close) or number == len(steps) - 1
        frames = [step.frame] if isinstance(step, Send) else []
        if isinstance(step, Enquire) and isinstance(step.question, TokenShown):
            # Whatever it is, it is the token of somebody who may do everything.
            heard += told(encoding, list(step.then(OPEN_RIGHTS)))
        if isinstance(step, Subscribe):
            frames = [step.confirm(Followed(step.channel, "e7", 5, recovered=True))]
        elif isinstance(step, Resume):
            followed = [each.confirm(Followed(each.channel, "e7", 5, recovered=True)) for each in step.then]
            frames = [step.confirm(Resumed(recovered=True, missed=0, newest=NEWEST)), *followed]
        for frame in frames:
            start = {126: 4, 127: 10}.get(frame.data[1], 2)
            payload = frame.data[start:]
            heard.append(json.loads(payload) if encoding is JSON else msgpack.unpackb(payload))
    return heard


def is_done(encoding: Encoding, steps: list[Step]) -> bool:
    return bool(steps) and not any(
        "error" in each or each.get("push") == "disconnect" for each in told(encoding, steps)
    )


def mutated(chance: random.Random, data: bytes) -> bytes:
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutant) + 1)
        what = chance.randrange(5)
        if what == 0:
            mutant[at : at + chance.randint(1, 8)] = b""
        elif what == 1:
            mutant[at:at] = chance.choice(TOKENS)
        elif what == 2:
            mutant[at : at + 1] = bytes((chance.randrange(256),))
        elif what == 3:
            other = chance.choice(CORPUS).read_bytes()
            start = chance.randrange(len(other) + 1)
            mutant[at : at + 16] = other[start : start + 16]
        else:
            mutant[at:at] = mutant[at : at + chance.randint(1, 40)]
    return bytes(mutant)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_corpus_is_done_or_refused_as_its_names_say(path):
    kind = path.name.split("-")[0]
    assert kind in {"good", "bad"}
    assert fuzz_one(path.read_bytes()) is (kind == "good")


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_no_mutation_raises_anything(path):
    chance = random.Random(path.name)
    data = path.read_bytes()
    if len(data) < 5000:
        for _ in range(MUTATIONS):
            fuzz_one(mutated(chance, data))


@given(st.binary(max_size=200))
def test_no_noise_raises_anything(data):
    fuzz_one(data)


# -- the grammar ------------------------------------------------------------------------------------------------

DOCUMENT = json.loads(json.dumps(document("0.1.0", "localhost", secure=False)))
COMMANDS = [name for name in DOCUMENT["components"]["messages"] if name.endswith("Command")]
Schema = Mapping[str, object]
STRANGE = st.sampled_from(
    [None, True, -1, 0, 2**53, 2**64, 0.5, 1e300, "", "x", "a/*/b", "e7:x", [], {}, [1], {"x": 1}]
)


def resolved(schema: Schema) -> Schema:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return resolved(DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]])
    return schema


def fits(schema: Schema, value: object) -> bool:
    """Whether ``schema`` allows ``value``: JSON Schema, as far as the document uses it."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return any(fits(each, value) for each in schema["anyOf"])
    if "enum" in schema:
        return isinstance(value, str) and value in schema["enum"]
    # A boolean is an integer to Python, not to JSON.
    types, further = CHECKS[schema["type"]]
    return type(value) in types and further(schema, value)


def fits_text(schema: Schema, text: str) -> bool:
    pattern = schema.get("pattern")
    # In JSON Schema a dollar is the end of the text, and never the line before it.
    found = pattern is None or re.search(str(pattern).replace("$", r"\Z"), text) is not None
    return found and schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text))


def fits_number(schema: Schema, number: float) -> bool:
    above = "exclusiveMinimum" not in schema or number > schema["exclusiveMinimum"]
    return above and schema.get("minimum", number) <= number <= schema.get("maximum", number)


def fits_list(schema: Schema, items: list[object]) -> bool:
    return len(items) <= schema.get("maxItems", len(items)) and all(fits(schema["items"], each) for each in items)


def fits_object(schema: Schema, members: dict[str, object]) -> bool:
    known = schema.get("properties", {})
    further = schema.get("additionalProperties", {})
    return (
        all(name in members for name in schema.get("required", ()))
        and len(members) <= schema.get("maxProperties", len(members))
        and all("propertyNames" not in schema or fits_text(schema["propertyNames"], name) for name in members)
        and all(fits(known[name], value) for name, value in members.items() if name in known)
        and all(not further or fits(further, value) for name, value in members.items() if name not in known)
    )


CHECKS: dict[str, tuple[set[type], Callable[[Schema, object], bool]]] = {
    "null": ({type(None)}, lambda _schema, _value: True),
    "string": ({str}, fits_text),
    "integer": ({int}, fits_number),
    "number": ({int, float}, fits_number),
    "array": ({list}, fits_list),
    "object": ({dict}, fits_object),
}


def allowed(schema: Schema) -> st.SearchStrategy[object]:
    """Values that ``schema`` allows."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return st.one_of([allowed(each) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return MAKERS[schema["type"]](schema)


def allowed_object(schema: Schema) -> st.SearchStrategy[object]:
    if "additionalProperties" in schema:
        names = allowed_text(schema["propertyNames"])
        return st.dictionaries(names, allowed(schema["additionalProperties"]), max_size=4)
    members = {name: allowed(each) for name, each in schema.get("properties", {}).items()}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: each for name, each in members.items() if name in required},
        optional={name: each for name, each in members.items() if name not in required},
    )


def allowed_text(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].replace("$", r"\Z")).filter(lambda text: fits_text(schema, text))
    return st.text(st.characters(exclude_categories=("Cs",)), min_size=schema.get("minLength", 0), max_size=20)


MAKERS: dict[str, Callable[[Schema], st.SearchStrategy[object]]] = {
    "null": lambda _schema: st.none(),
    "string": allowed_text,
    "integer": lambda schema: st.integers(schema.get("minimum"), schema.get("maximum")),
    "number": lambda schema: st.floats(0.001, schema["maximum"]) | st.integers(1, schema["maximum"]),
    "array": lambda schema: st.lists(allowed(schema["items"]), max_size=5),
    "object": allowed_object,
}


def payload(name: str) -> Schema:
    schema: Schema = DOCUMENT["components"]["messages"][name]["payload"]
    return schema


def spoiled(value: object) -> st.SearchStrategy[object]:
    """``value`` with something in it replaced, left out or added."""
    if isinstance(value, dict) and value:
        name = st.sampled_from(sorted(value))
        inside = name.flatmap(lambda each: spoiled(value[each]).map(lambda new: {**value, each: new}))
        without = name.map(lambda each: {other: kept for other, kept in value.items() if other != each})
        return inside | without | STRANGE
    if isinstance(value, list) and value:
        return st.just([*value, None]) | st.just(value * 2) | STRANGE
    return STRANGE


valid = st.sampled_from(COMMANDS).flatmap(lambda name: st.tuples(st.just(name), allowed(payload(name))))
invalid = valid.flatmap(lambda pair: st.tuples(st.just(pair[0]), spoiled(pair[1])))


def written(encoding: Encoding, command: object) -> str | bytes | None:
    """``command`` on the wire; None where the encoding has no room for its numbers."""
    try:
        return json.dumps(command) if encoding is JSON else msgpack.packb(command)
    except OverflowError:
        return None


def has_id(command: object) -> bool:
    id_ = command.get("id") if isinstance(command, dict) else None
    return type(id_) is int and 0 <= id_ < 2**53


def beyond(name: str, command: object) -> bool:
    """Whether ``command`` is refused for a reason that no grammar can give: each is a numbered rule of the protocol."""
    body = command.get(name.removesuffix("Command")) if isinstance(command, dict) else None
    if name == "actCommand":
        return True
    if name == "subscribeCommand" and isinstance(body, dict):
        return bool(body.get("from")) and is_tree(body["channel"])
    if name == "connectCommand" and isinstance(body, dict):
        channels = (body.get("resume") or {}).get("channels", {})
        return any(position and is_tree(channel) for channel, position in channels.items())
    return False


def ready(name: str, encoding: Encoding, command: object) -> NativeSession:
    """A session in which a good ``command`` has nothing against it but itself."""
    session = NativeSession(encoding, "s", TERMS, lambda: OPEN_RIGHTS)
    if name != "connectCommand":
        connect(session, encoding)
    body = command.get("unsubscribe") if isinstance(command, dict) else None
    if isinstance(body, dict) and isinstance(body.get("channel"), str):
        follow = {"id": 1, "subscribe": {"channel": body["channel"]}}
        session.received(json.dumps(follow) if encoding is JSON else msgpack.packb(follow), AT)
    return session


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ENCODINGS), valid | invalid)
def test_what_the_grammar_allows_is_done_and_what_it_does_not_allow_is_refused(encoding, pair):
    name, command = pair
    session = ready(name, encoding, command)
    message = written(encoding, command)
    if message is None:
        return
    steps = session.received(message, AT)
    expected = fits(payload(name), command)
    if expected and beyond(name, command):
        assert [each["error"]["code"] for each in told(encoding, steps)] == [104 if name == "actCommand" else 107]
    else:
        assert is_done(encoding, steps) is expected
    if has_id(command):
        assert [each["id"] for each in told(encoding, steps) if "id" in each] == [command["id"]]


@given(st.sampled_from(COMMANDS).flatmap(lambda name: st.tuples(st.just(name), allowed(payload(name)))))
def test_the_grammar_of_this_test_allows_what_it_makes(pair):
    assert fits(payload(pair[0]), pair[1])


def test_the_grammar_allows_the_examples():
    for word, example in examples.COMMANDS.items():
        assert fits(payload(f"{word}Command"), example)
        assert not fits(payload(f"{word}Command"), {**example, word: None})


# -- over a socket ----------------------------------------------------------------------------------------------


class Peer:
    """Takes the steps that a client hears something of, as a gateway with nothing to tell would."""

    def __init__(self, session: Session, link: Link) -> None:
        self._session = session
        self._link = link

    async def received(self, message: str | bytes) -> None:
        await trio.lowlevel.checkpoint()
        self._take(self._session.received(message, AT))

    def _take(self, steps: Sequence[Step]) -> None:
        for step in steps:
            match step:
                case Enquire(question=TokenShown(), then=then):
                    self._take(then(OPEN_RIGHTS))
                case Enquire(question=question, then=then):
                    is_done = "o" in str(question)
                    self._take(then(Done(None, is_done) if is_done else Refused(Grounds.CONFLICT, "planted")))
                case Send(frame=frame):
                    self._link.stream.send(frame)
                case Subscribe(channel=channel, confirm=confirm):
                    self._link.stream.send(confirm(Followed(channel, "e7", 5, recovered=True)))
                case Resume(confirm=confirm, then=then):
                    self._link.stream.send(confirm(Resumed(recovered=True, missed=0, newest=NEWEST)))
                    for each in then:
                        self._link.stream.send(each.confirm(Followed(each.channel, "e7", 5, recovered=True)))
                case Close(code=code, reason=reason):
                    self._link.close(code, reason)

    async def closed(self, code: int, reason: str) -> None:
        assert code
        assert isinstance(reason, str)


class House:
    """A real server with the real doors, in a thread of its own."""

    def __init__(self) -> None:
        self._doors = Doors()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._main,))
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def door(self, request: Request) -> Door | Response:
        return self._doors(request)

    async def opened(self, door: Door, request: Request, link: Link) -> Peer:
        await trio.lowlevel.checkpoint()
        assert isinstance(door.context, Opening)
        link.rights = door.context.rights
        return Peer(door.context.session(link, request), link)

    def connect(self, encoding: Encoding) -> websockets.sync.client.ClientConnection:
        return websockets.sync.client.connect(
            f"ws://127.0.0.1:{self._port}/stream", subprotocols=[encoding.subprotocol], proxy=None
        )

    def close(self) -> None:
        trio.from_thread.run_sync(self._stop, trio_token=self._token)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    async def _main(self) -> None:
        server = Server(ServerSettings(listen="127.0.0.1:0"), Routes(), self)
        self._token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as nursery:
            (address,) = await nursery.start(server.run)
            self._port = int(address.rpartition(":")[2])
            self._stop = nursery.cancel_scope.cancel
            self._ready.set()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    house = House()
    yield house
    house.close()


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: encoding.subprotocol)
@settings(max_examples=40, deadline=None)
@given(st.lists(valid | invalid, min_size=1, max_size=6))
def test_over_a_socket_every_id_gets_its_one_reply(house, encoding, pairs):
    said = [command for _, command in pairs if isinstance(command, dict) and "connect" not in command]
    commands = [{"id": 0, "connect": {"credit": 32768}}, *said, {"id": 0, "ping": {}}]
    messages = [(command, written(encoding, command)) for command in commands]
    expected = [command["id"] for command, message in messages if message is not None and has_id(command)]
    heard: list[object] = []
    closed = None
    with house.connect(encoding) as client:
        assert client.subprotocol == encoding.subprotocol
        try:
            for _, message in messages:
                if message is not None:
                    client.send(message)
            while sum("id" in each for each in heard) < len(expected):
                message = client.recv(PATIENCE)
                heard.append(json.loads(message) if encoding is JSON else msgpack.unpackb(message))
        except websockets.ConnectionClosed as end:
            closed = end.rcvd
    if closed is None:
        assert [each["id"] for each in heard if "id" in each] == expected
    else:
        assert closed.code == 4002
        assert len(said) >= FAULTS
