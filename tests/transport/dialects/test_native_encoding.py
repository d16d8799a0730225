from __future__ import annotations

import json
import math

import msgpack
import msgspec
import pytest

from domain import Event, Gap, Position, Priority, Publication
from transport.codec import CodecError, convert
from transport.dialects import examples
from transport.dialects import native_frames as wire
from transport.dialects.native_encoding import ENCODINGS, JSON, MSGPACK, hole

EVENT = Event(
    id="01JD6W",
    source="/acme/plant1/line3/st4",
    type="andon.call.raised",
    subject="st4",
    time="2026-11-21T06:00:00.000Z",
    data={"type": "material"},
    recorded=1795240800.004,
    priority=Priority.CRITICAL,
)
CALL = Publication("andon/acme/plant1/line3/st4", "9c1f", 77, 1795240800.0, EVENT, Position("e7", 88121))
READING = Publication(
    "readings/acme/press3",
    "77aa",
    641,
    1795240800.0,
    Event(
        id="r1",
        source="/acme/press3",
        type="equipment.reading",
        subject="temperature",
        data={"value": 4.5, "unit": "Cel", "text": "Öl"},
        recorded=1795240800.0,
        priority=Priority.NORMAL,
        quality="uncertain",
        extensions={"correlationid": "c7", "attempt": 2, "late": True},
    ),
)


def read(encoding, payload: bytes) -> dict[str, object]:
    value: dict[str, object] = json.loads(payload) if encoding is JSON else msgpack.unpackb(payload)
    return value


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: encoding.subprotocol)
class TestBoth:
    def test_an_event_is_pushed_as_the_protocol_shows_it(self, encoding):
        assert read(encoding, encoding.encoders[Priority.LOW](CALL)) == examples.PUSHES["event"]

    def test_further_attributes_of_the_publisher_are_passed_on(self, encoding):
        event = read(encoding, encoding.encoders[Priority.LOW](READING))["event"]
        assert (event["correlationid"], event["attempt"], event["late"]) == ("c7", 2, True)
        assert (event["offset"], event["quality"], event["data"]["text"]) == ("77aa:641", "uncertain", "Öl")
        assert "criticaloffset" not in event

    def test_what_was_read_back_from_the_journal_has_no_offset(self, encoding):
        kept = Publication(CALL.channel, "", 0, CALL.at, EVENT, CALL.critical)
        event = read(encoding, encoding.encoders[Priority.LOW](kept))["event"]
        assert (event["criticaloffset"], "offset" in event) == ("e7:88121", False)

    def test_one_that_stands_for_several_says_how_many(self, encoding):
        frame = encoding.encoders[Priority.LOW].frame(READING, 7)
        assert frame.data[0] == (0x81 if encoding is JSON else 0x82)
        push = read(encoding, frame.data[4:])
        assert push["event"]["sampledrate"] == 7
        assert push == read(encoding, frame.again(7)[4:])
        plain = read(encoding, encoding.encoders[Priority.LOW](READING))
        assert push == {**plain, "event": {**plain["event"], "sampledrate": 7}}

    @pytest.mark.parametrize("least", Priority)
    @pytest.mark.parametrize("priority", Priority)
    def test_an_encoder_has_no_word_for_what_is_less_urgent_than_asked_for(self, encoding, least, priority):
        event = Event("1", "/a", "a.b", None, 0.0, priority)
        told = encoding.encoders[least](Publication("a/b", "e", 1, 0.0, event))
        assert (told is not None) is (priority <= least)

    def test_a_publication_is_encoded_once_for_all_who_want_it(self, encoding):
        first, second = (Publication("a/b", "e", number, 0.0, EVENT) for number in (1, 2))
        written = [encoding.encoders[least](first) for least in Priority]
        assert all(payload is written[0] for payload in written)
        assert encoding.encoders[Priority.LOW](second) != written[0]
        assert encoding.encoders[Priority.LOW](first) == written[0]

    def test_every_push_and_reply_can_be_read_as_its_own_type(self, encoding):
        for publication in (CALL, READING):
            told = read(encoding, encoding.encoders[Priority.LOW](publication))
            assert convert(told, wire.EventPush).priority == publication.event.priority.wire

    def test_what_is_no_object_is_no_message(self, encoding):
        for value in ([], 5, None, "x"):
            message = json.dumps(value) if encoding is JSON else msgpack.packb(value)
            with pytest.raises(CodecError, match="object"):
                encoding.members(message)


def test_the_two_encodings_say_the_same():
    for publication in (CALL, READING):
        payloads = [read(encoding, encoding.encoders[Priority.LOW](publication)) for encoding in ENCODINGS]
        assert payloads[0] == payloads[1]


def test_there_are_eight_encoders_and_no_two_are_one():
    assert len({encoder for encoding in ENCODINGS for encoder in encoding.encoders.values()}) == 8


def test_each_encoding_takes_its_own_kind_of_message():
    assert [encoding.takes("{}") for encoding in ENCODINGS] == [True, False]
    assert [encoding.takes(b"\x80") for encoding in ENCODINGS] == [False, True]
    with pytest.raises(CodecError, match="binary"):
        MSGPACK.members("{}")


def test_what_is_not_finite_is_null_in_json():
    event = Event("1", "/a", "a.b", {"value": math.inf}, 0.0, Priority.NORMAL)
    push = json.loads(JSON.encoders[Priority.LOW](Publication("a/b", "e", 1, 0.0, event)))
    assert push["event"]["data"] == {"value": None}


def test_a_hole_is_said_where_there_is_one():
    assert hole(None) is msgspec.UNSET
    assert hole(Gap("a/b", 1, 5, None, "epoch")) == wire.Hole(from_=1, to=5, count=None, reason="epoch")
