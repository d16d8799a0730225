import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from domain import Priority
from transport.frames import BINARY, CLOSE, PING, PONG, TEXT, Batch, Frame, frame_bytes, text_frame

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


# -- batches ----------------------------------------------------------------------------------------------------


def test_a_batch_is_its_frames_joined_and_knows_how_many_there_are_of_each_priority():
    frames = [text_frame(b"a"), text_frame(b"b", Priority.LOW), text_frame(b"c")]
    batch = Batch(frames)
    assert batch.blob == b"".join(frame.data for frame in frames)
    assert batch.frames == frames
    assert dict(batch.counts) == {Priority.NORMAL: 2, Priority.LOW: 1}


def test_an_empty_batch_has_nothing():
    batch = Batch([])
    assert (batch.blob, batch.counts, batch.rest(0)) == (b"", (), (0, b""))


@given(st.lists(st.integers(1, 200), min_size=1, max_size=8), st.data())
def test_what_is_left_of_a_batch_is_the_rest_of_one_frame_and_whole_ones(sizes, data):
    batch = Batch([Frame(bytes((index,)) * size) for index, size in enumerate(sizes)])
    count = data.draw(st.integers(0, len(batch.blob)))
    begun, tail = batch.rest(count)
    whole = b"".join(frame.data for frame in batch.frames[begun:])
    assert batch.blob[count:] == tail + whole
    # A frame of which nothing went can wait by its priority; one that was begun cannot.
    assert len(tail) < (len(batch.frames[begun - 1].data) if begun else 1)


def test_a_batch_of_which_more_went_than_it_has_is_gone():
    assert Batch([Frame(b"abc")]).rest(50) == (1, b"")
