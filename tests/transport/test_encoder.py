"""A publication is written once for a dialect, and again only for who gets it in place of several."""

from __future__ import annotations

import pytest

from domain import Event, Priority, Publication, conflation_key
from transport import Encoder
from transport.frames import BINARY, TEXT, frame_bytes


def publication(type_: str = "equipment.reading", priority: Priority = Priority.NORMAL) -> Publication:
    return Publication("readings/press3", "e7", 12, 1.5, Event("e1", "/press3", type_, None, 0.0, priority, "load"))


def payload(publication: Publication) -> bytes:
    return publication.event.id.encode()


def sampled(publication: Publication, rate: int) -> bytes:
    return f"{publication.event.id}*{rate}".encode()


def test_a_frame_holds_the_payload_the_priority_and_what_it_tells():
    told = publication("alarm.raised", Priority.CRITICAL)
    frame = Encoder(payload).frame(told)
    assert frame.data == frame_bytes(TEXT, b"e1")
    assert (frame.priority, frame.key, frame.publication, frame.again) == (Priority.CRITICAL, None, told, None)


def test_what_a_newer_one_replaces_has_the_key_of_its_channel():
    told = publication()
    assert Encoder(payload).frame(told).key == ("readings/press3", *conflation_key(told.event))


def test_an_encoder_writes_the_kind_of_message_that_its_dialect_uses():
    assert Encoder(payload, opcode=BINARY).frame(publication()).data[0] == BINARY


def test_a_dialect_without_a_word_for_it_leaves_it_out():
    assert Encoder(lambda _publication: None, sampled=sampled).frame(publication(), 5) is None


@pytest.mark.parametrize("rate", [1, 2, 70_000])
def test_one_that_stands_for_several_says_for_how_many(rate):
    frame = Encoder(payload, sampled=sampled).frame(publication(), rate)
    assert frame.data == frame_bytes(TEXT, b"e1" if rate == 1 else f"e1*{rate}".encode())


def test_a_frame_can_be_made_again_for_another_number():
    encode = Encoder(payload, sampled=sampled, opcode=BINARY)
    assert encode.frame(publication()).again(7) == frame_bytes(BINARY, b"e1*7")


def test_a_dialect_that_cannot_say_it_writes_it_as_if_it_were_one():
    frame = Encoder(payload).frame(publication(), 5)
    assert (frame.data, frame.again) == (frame_bytes(TEXT, b"e1"), None)


def test_what_nothing_replaces_is_never_made_again():
    assert Encoder(payload, sampled=sampled).frame(publication("equipment.state.changed")).again is None


def test_two_encoders_are_never_the_same():
    assert len({Encoder(payload), Encoder(payload)}) == 2


def test_an_encoder_can_be_called_for_the_payload_alone():
    assert Encoder(payload)(publication()) == b"e1"
