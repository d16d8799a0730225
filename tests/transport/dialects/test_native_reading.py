from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import ProtocolError
from transport.dialects import native_frames as wire
from transport.dialects.native_encoding import ENCODINGS, JSON
from transport.dialects.native_reading import read


def asked(**members: object):
    return read(JSON, json.dumps(members))


@pytest.mark.parametrize("word", wire.COMMANDS)
def test_a_command_is_known_by_the_member_that_stands_beside_its_id(word):
    message = asked(id=7, **{word: {}}, other={})
    assert (message.id, message.word()) == (7, word)


@pytest.mark.parametrize(
    ("members", "code"),
    [({}, 104), ({"id": 1}, 104), ({"dance": {}}, 104), ({"ping": {}, "ack": {}}, 107)],
)
def test_no_command_and_two_commands_are_none(members, code):
    with pytest.raises(ProtocolError) as refused:
        asked(**members).word()
    assert refused.value.code.number == code


def test_what_cannot_be_read_says_why():
    with pytest.raises(ProtocolError, match="JSON") as refused:
        read(JSON, "{").word()
    assert refused.value.code.number == 107


@pytest.mark.parametrize("word", wire.COMMANDS)
def test_receipts_and_credit_weigh_a_tenth_as_long_as_they_are_short(word):
    is_light = word in {"ack", "shown", "credit"}
    assert asked(**{word: 1}).is_light is is_light
    assert asked(**{word: 1}).cost == (0.1 if is_light else 1)
    assert asked(**{word: 1}, padding="x" * 1024).cost == 1


@given(st.sampled_from(ENCODINGS), st.binary() | st.text())
def test_anything_can_be_read(encoding, message):
    if encoding.takes(message):
        message = read(encoding, message)
        assert message.cost > 0
        assert message.fault or message.members is not None
