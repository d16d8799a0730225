from __future__ import annotations

from contextlib import suppress

import pytest
import wsproto
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from transport import ProtocolError
from transport.inbound import Meter


def frame(opcode: int, payload: bytes = b"", mask: bytes = b"\0\0\0\0") -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + mask + payload


@pytest.mark.parametrize("size", [0, 1, 125, 126, 1000])
def test_a_message_up_to_the_limit_is_let_through(size):
    assert Meter(1000).feed(frame(0x81, b"x" * size)) == 1


@pytest.mark.parametrize("size", [1001, 70_000])
def test_a_larger_message_is_stopped_at_its_header(size):
    with pytest.raises(ProtocolError) as caught:
        Meter(1000).feed(frame(0x82, b"x" * size)[:14])
    assert caught.value.close == 1009
    assert "1000 bytes" in caught.value.detail


def test_pieces_count_together():
    meter = Meter(1000)
    assert meter.feed(frame(0x01, b"x" * 600)) == 0
    with pytest.raises(ProtocolError) as caught:
        meter.feed(frame(0x80, b"x" * 401))
    assert caught.value.close == 1009


def test_the_next_message_begins_at_nothing():
    meter = Meter(1000)
    assert sum(meter.feed(frame(0x82, b"x" * 900)) for _ in range(5)) == 5


def test_control_frames_within_a_message_do_not_count():
    meter = Meter(1000)
    assert meter.feed(frame(0x01, b"x" * 990) + frame(0x89, b"p" * 100) + frame(0x80, b"x" * 10)) == 1


def test_an_endless_row_of_empty_pieces_is_stopped():
    meter = Meter(1000)
    meter.feed(frame(0x01))
    with pytest.raises(ProtocolError) as caught:
        meter.feed(frame(0x00) * 2000)
    assert caught.value.close == 1008


def test_a_large_message_in_small_pieces_is_let_through():
    meter = Meter(65_536)
    total = (
        meter.feed(frame(0x02)) + sum(meter.feed(frame(0x00, b"x" * 16)) for _ in range(4000)) + meter.feed(frame(0x80))
    )
    assert total == 1


def test_what_follows_a_close_is_not_looked_at():
    assert Meter(10).feed(frame(0x81, b"x") + frame(0x88, b"\x03\xe8") + frame(0x82, b"x" * 100)) == 1


messages = st.lists(
    st.tuples(
        st.sampled_from(["text", "bytes", "ping", "pong"]),
        st.lists(st.integers(0, 300), min_size=1, max_size=4),
    ),
    max_size=8,
)


@given(messages, st.lists(st.integers(1, 40), max_size=60))
def test_the_library_finds_as_many_messages_in_each_piece_of_input(messages, cuts):
    data = b"".join(frames_of(kind, sizes) for kind, sizes in messages)
    data += frame(0x88, b"\x03\xe8")
    library, meter = Connection(ConnectionType.SERVER), Meter(10_000)
    while data:
        size = cuts.pop() if cuts else len(data)
        piece, data = data[:size], data[size:]
        library.receive_data(piece)
        assert meter.feed(piece) == completed(library)


def frames_of(kind: str, sizes: list[int]) -> bytes:
    if kind in {"ping", "pong"}:
        return frame(0x89 if kind == "ping" else 0x8A, b"p" * min(sizes[0], 125))
    opcode = 0x01 if kind == "text" else 0x02
    parts = [b"x" * size for size in sizes]
    return b"".join(
        frame((0x80 if index == len(parts) - 1 else 0) | (opcode if index == 0 else 0), part)
        for index, part in enumerate(parts)
    )


def completed(library: Connection) -> int:
    found = 0
    for event in library.events():
        assert isinstance(event, TextMessage | BytesMessage | Ping | Pong | CloseConnection)
        found += isinstance(event, TextMessage | BytesMessage) and event.message_finished
    return found


def test_this_is_the_library_that_trio_websocket_uses():
    assert wsproto.__version__.startswith("1.")


@given(st.lists(st.binary(max_size=50), max_size=30))
def test_any_bytes_are_counted_or_refused_and_never_break_the_meter(pieces):
    meter = Meter(1000)
    with suppress(ProtocolError):
        for piece in pieces:
            assert meter.feed(piece) >= 0
