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


# -- Pongs ---------------------------------------------------------------------------------------------------------

MASK = b"\x11\x22\x33\x44"


def pong(payload: bytes, mask: bytes = MASK) -> bytes:
    """A Pong as the library's own client sends it, with a mask of our choice."""
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return frame(0x8A, masked, mask)


@pytest.mark.parametrize("size", [0, 1, 4, 5, 9, 124, 125])
def test_a_pong_is_taken_in_clear_and_nothing_is_left_of_it(size):
    meter = Meter(1000)
    payload = bytes(range(size))
    assert meter.take_pongs(pong(payload)) == b""
    assert meter.pongs == [payload]


def test_a_pong_of_a_client_library_is_read():
    meter = Meter(1000)
    assert meter.take_pongs(Connection(ConnectionType.CLIENT).send(Pong(b"c\0\1\2\3"))) == b""
    assert meter.pongs == [b"c\0\1\2\3"]


def test_several_pongs_are_taken_and_what_follows_is_left():
    meter = Meter(1000)
    text = frame(0x81, b"hello")
    assert meter.take_pongs(pong(b"a") + pong(b"") + pong(b"c") + text + pong(b"d")) == text + pong(b"d")
    assert meter.pongs == [b"a", b"", b"c"]
    assert meter.feed(text + pong(b"d")) == 1
    assert meter.pongs == [b"a", b"", b"c", b"d"]


@pytest.mark.parametrize("cut", range(1, len(pong(b"token"))))
def test_a_pong_cut_anywhere_is_left_whole_and_found_when_the_rest_has_come(cut):
    meter = Meter(1000)
    data = pong(b"token")
    assert meter.take_pongs(data[:cut]) == data[:cut]
    assert meter.feed(data[:cut]) == 0
    assert meter.take_pongs(data[cut:]) == data[cut:]
    assert meter.pongs == []
    assert meter.feed(data[cut:]) == 0
    assert meter.pongs == [b"token"]
    # And the next one is seen where it begins.
    assert meter.take_pongs(pong(b"next")) == b""
    assert meter.pongs == [b"token", b"next"]


def test_bytes_of_a_message_that_look_like_a_pong_are_none():
    meter = Meter(1000)
    data = frame(0x82, pong(b"forged"))
    begun, rest = data[:6], data[6:]
    assert meter.feed(begun) == 0
    assert meter.take_pongs(rest) == rest
    assert meter.feed(rest) == 1
    assert meter.pongs == []


def test_a_pong_between_the_pieces_of_a_message_is_taken_and_the_message_goes_on():
    meter = Meter(1000)
    assert meter.feed(frame(0x01, b"x")) == 0
    assert meter.take_pongs(pong(b"p") + frame(0x80, b"y")) == frame(0x80, b"y")
    assert meter.feed(frame(0x80, b"y")) == 1
    assert meter.pongs == [b"p"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x8a\x01p",  # not masked
        frame(0x0A, b"p"),  # no FIN
        frame(0xCA, b"p"),  # a reserved bit
        frame(0x8A, b"p" * 126),  # too long for a control frame
        frame(0x89, b"p"),  # a Ping
    ],
)
def test_what_is_no_good_pong_is_left_for_the_library_to_judge(data):
    meter = Meter(1000)
    assert meter.take_pongs(data) == data
    assert meter.pongs == []


def test_behind_a_close_no_pong_is_looked_for():
    meter = Meter(1000)
    meter.feed(frame(0x88, b"\x03\xe8"))
    assert meter.take_pongs(pong(b"p")) == pong(b"p")
    assert meter.feed(pong(b"p")) == 0
    assert meter.pongs == []


@given(
    st.lists(st.tuples(st.sampled_from(["text", "pong", "ping"]), st.binary(max_size=125)), max_size=8),
    st.lists(st.integers(1, 20), max_size=60),
    st.binary(min_size=4, max_size=4),
)
def test_however_they_are_cut_pongs_are_read_once_in_order_and_the_library_misses_nothing_else(parts, cuts, mask):
    opcodes = {"text": 0x82, "ping": 0x89}
    data = b"".join(pong(body, mask) if kind == "pong" else frame(opcodes[kind], body) for kind, body in parts)
    meter, library = Meter(10_000), Connection(ConnectionType.SERVER)
    complete, others = 0, []
    while data:
        size = cuts.pop() if cuts else len(data)
        piece, data = data[:size], data[size:]
        rest = meter.take_pongs(piece)
        if rest:
            library.receive_data(rest)
            others += [event for event in library.events() if not isinstance(event, Pong)]
            complete += meter.feed(rest)
    assert meter.pongs == [body for kind, body in parts if kind == "pong"]
    assert [bytes(event.payload) for event in others if isinstance(event, Ping)] == [
        body for kind, body in parts if kind == "ping"
    ]
    assert complete == sum(kind == "text" for kind, _ in parts)
    assert b"".join(bytes(event.data) for event in others if isinstance(event, BytesMessage)) == b"".join(
        body for kind, body in parts if kind == "text"
    )
