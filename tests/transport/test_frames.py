import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from domain import Priority
from transport.frames import BINARY, CLOSE, PING, PONG, TEXT, Frame, frame_bytes, text_frame

# The three forms of the length (RFC 6455, 5.2) and their edges.
SIZES = [0, 1, 125, 126, 127, 65535, 65536, 70000]


def heard(data: bytes):
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    return list(client.events())


@pytest.mark.parametrize("size", SIZES)
def test_a_text_frame_of_any_length_is_what_another_library_writes(size):
    payload = b"x" * size
    assert frame_bytes(TEXT, payload) == Connection(ConnectionType.SERVER).send(TextMessage(payload.decode()))


@pytest.mark.parametrize("size", SIZES)
def test_a_binary_frame_of_any_length_is_what_another_library_writes(size):
    assert frame_bytes(BINARY, bytes(size)) == Connection(ConnectionType.SERVER).send(BytesMessage(bytes(size)))


@pytest.mark.parametrize("size", [0, 1, 125])
def test_control_frames_are_what_another_library_reads(size):
    assert heard(frame_bytes(PING, bytes(size)) + frame_bytes(PONG, bytes(size))) == [
        Ping(bytes(size)),
        Pong(bytes(size)),
    ]


def test_a_close_frame_is_what_another_library_reads():
    assert heard(frame_bytes(CLOSE, (4202).to_bytes(2, "big") + b"behind")) == [CloseConnection(4202, "behind")]


@given(st.lists(st.text(max_size=300), max_size=5))
def test_frames_one_after_the_other_are_read_one_after_the_other(texts):
    events = heard(b"".join(text_frame(text.encode()).data for text in texts))
    assert [event.data for event in events if isinstance(event, TextMessage)] == texts


def test_a_frame_is_normal_and_has_no_key_unless_it_is_said():
    frame = text_frame(b"x")
    assert (frame.priority, frame.key) == (Priority.NORMAL, None)
    frame = text_frame(b"x", Priority.CRITICAL, ("press3", "temperature"))
    assert (frame.priority, frame.key) == (Priority.CRITICAL, ("press3", "temperature"))


def test_a_frame_in_a_log_shows_no_payload():
    assert repr(Frame(b"secret", Priority.HIGH, "k")) == "<Frame high 6 bytes key='k'>"
