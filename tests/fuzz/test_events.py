"""What strangers post: bytes to values to events, and back onto the wire. Nothing but a stated fault may come of it.

``feed()`` is the entry for any fuzzer; the corpus beside this file holds what once was worth a thought. The test
mutates it with a fixed seed, so that a failure can be had again.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import EventFault, Fault, JsonValue, Publication, channel_of, conflation_key, is_channel, parse_event
from transport.codec import CodecError, decode_json, decode_msgpack, encode_json, encode_msgpack
from transport.dialects.cloudevents import encode

CORPUS = sorted((Path(__file__).parent / "corpus" / "events").iterdir())
MUTATIONS = 200
TOKENS = [
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"1e400",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\x00",
    b"-",
    b"\xc1",
]


def feed(data: bytes) -> int:
    """Take ``data`` as JSON and as MessagePack, single and batch; returns how many events it held."""
    taken = 0
    for decode in (decode_json, decode_msgpack):
        try:
            value = decode(data)
        except CodecError:
            continue
        taken += sum(map(take, value if isinstance(value, list) else [value]))
    return taken


def take(members: JsonValue) -> bool:
    faults: list[Fault] = []
    try:
        event = parse_event(members, 1795240800.0)
    except EventFault as fault:
        faults = fault.faults
    if faults:
        # The answer names each fault; it must be possible to write it.
        assert encode_json([{"pointer": one.pointer, "detail": one.message} for one in faults])
        return False
    channel = channel_of(event)
    assert is_channel(channel)
    hash(conflation_key(event))
    wire = encode(Publication(channel, "e1", 1, 1795240801.0, event))
    again = parse_event(decode_json(wire), event.recorded)
    assert again.to_members() == decode_json(encode_json(event.to_members()))
    assert encode_msgpack(event.to_members())
    return True


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
            other = chance.randrange(len(mutant) + 1)
            mutant[at:at] = mutant[min(at, other) : max(at, other)][:64]
        else:
            other = chance.choice(CORPUS).read_bytes()
            start = chance.randrange(len(other) + 1)
            mutant[at : at + 16] = other[start : start + 16]
    return bytes(mutant)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_corpus_holds_what_its_names_say(path):
    # "good-3-..." holds three events, "bad-..." none.
    kind, count, *_ = path.name.split("-")
    assert feed(path.read_bytes()) == (int(count) if kind == "good" else 0)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_no_mutation_raises_anything_but_a_stated_fault(path):
    chance = random.Random(path.name)
    data = path.read_bytes()
    for _ in range(MUTATIONS):
        feed(mutated(chance, data))


@given(st.binary(max_size=200))
def test_no_noise_raises_anything_but_a_stated_fault(data):
    feed(data)
