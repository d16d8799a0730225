"""The event stream: whatever the cuts, the line ends and the comments, the same events; and never without bounds."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.chain.sse import EventStream, ServerSentEvent

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[4] / "shared"))
ALL_EVENTS = SHARED / "data" / "validators" / "beacon-apis" / "all-events.sse"

needs_events = pytest.mark.skipif(
    not ALL_EVENTS.is_file(), reason=f"no {ALL_EVENTS}; ANDOND_SHARED says where the shared data is"
)

SMALL = b': hello\n\nevent: head\ndata: {"slot":"1"}\n\nid: 7\nevent: block\ndata: a\ndata: b\n\n'
SMALL_EVENTS = [ServerSentEvent("head", '{"slot":"1"}'), ServerSentEvent("block", "a\nb", "7")]


def read(*pieces: bytes) -> list[ServerSentEvent]:
    stream = EventStream()
    return [event for piece in pieces for event in stream.feed(piece)]


def cut_at(data: bytes, place: int) -> list[ServerSentEvent]:
    return read(data[:place], data[place:])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_all_three_line_ends_say_the_same_cut_at_every_byte(end: bytes) -> None:
    data = SMALL.replace(b"\n", end)
    for place in range(len(data) + 1):
        assert cut_at(data, place) == SMALL_EVENTS
    assert read(*(bytes([byte]) for byte in data)) == SMALL_EVENTS


def recorded() -> bytes:
    # The file lacks the empty line that ends its last event.
    return ALL_EVENTS.read_bytes().rstrip() + b"\n\n"


@needs_events
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_the_recorded_stream_cut_at_every_byte_is_the_same_stream(end: bytes) -> None:
    data = recorded().replace(b"\n", end)
    whole = read(data)
    assert len(whole) == 24
    assert [event.name for event in whole[:3]] == ["head", "head_v2", "block"]
    assert all(isinstance(json.loads(event.data), dict) for event in whole)
    stream = EventStream()
    for place in range(len(data) + 1):
        # The same stream object throughout: what one pass leaves behind would show in the next.
        assert stream.feed(data[:place]) + stream.feed(data[place:]) == whole
    assert read(*(bytes([byte]) for byte in data)) == whole


@needs_events
def test_comments_between_the_lines_of_the_recorded_stream_change_nothing() -> None:
    data = recorded()
    assert read(data.replace(b"\n", b"\n: still here\n")) == read(data)


@given(st.lists(st.tuples(st.sampled_from(["head", "block", ""]), st.text())), st.lists(st.integers(0, 4000)))
def test_what_was_written_is_read_whatever_the_cuts(events: list[tuple[str, str]], cuts: list[int]) -> None:
    text = ""
    expected = []
    for name, data in events:
        lines = data.replace("\r", "\n").split("\n")
        text += (f"event: {name}\n" if name else "") + "".join(f"data: {line}\n" for line in lines) + "\n"
        expected.append(ServerSentEvent(name or "message", "\n".join(lines)))
    raw = text.encode("utf-8", "replace")
    places = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    pieces = [raw[start:end] for start, end in pairwise(places)]
    assert read(*pieces) == [
        ServerSentEvent(event.name, event.data.encode("utf-8", "replace").decode()) for event in expected
    ]


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"\r", b"\n", b"data:", b"event: x", b"\xef\xbb\xbf"])))
def test_no_bytes_raise_and_what_is_kept_stays_small(pieces: list[bytes]) -> None:
    stream = EventStream(line_limit=64, event_limit=128)
    for piece in pieces:
        for event in stream.feed(piece):
            assert len(event.data.encode()) <= 3 * 128
        assert len(stream._line) <= 64
        assert sum(len(line) for line in stream._data) <= 128
    stream.reset()
    assert stream.feed(b"\ndata: on\n\n")[-1:] == [ServerSentEvent("message", "on", stream._id)]


def test_a_byte_order_mark_is_dropped_at_the_beginning_and_only_there() -> None:
    bom = b"\xef\xbb\xbf"
    assert read(bom + b"data: x\n\n") == [ServerSentEvent("message", "x")]
    assert read(bom[:1], bom[1:] + b"data: x\n\n") == [ServerSentEvent("message", "x")]
    assert read(b"data: x\n\n" + bom + b"data: y\n\n") == [ServerSentEvent("message", "x")]


def test_fields_are_read_as_the_standard_says() -> None:
    assert read(b"data\n\n") == [ServerSentEvent("message", "")]
    assert read(b"data:  two spaces\n\n") == [ServerSentEvent("message", " two spaces")]
    assert read(b"event: head\n\ndata: x\n\n") == [ServerSentEvent("message", "x")]
    assert read(b"id: 1\ndata: x\n\nid\ndata: y\n\nid: a\0b\ndata: z\n\n") == [
        ServerSentEvent("message", "x", "1"),
        ServerSentEvent("message", "y"),
        ServerSentEvent("message", "z"),
    ]
    assert read(b"colour: red\nDATA: no\ndata: x:y\n\n") == [ServerSentEvent("message", "x:y")]


def test_the_servers_wish_for_a_pause_is_kept_within_an_hour() -> None:
    stream = EventStream()
    stream.feed(b"retry: soon\n")
    assert stream.retry is None
    stream.feed(b"retry: 2500\n")
    assert stream.retry == 2500
    stream.feed(b"retry: 999999999\n")
    assert stream.retry == 3_600_000


def test_an_event_too_long_is_left_out_whole_and_counted_and_the_next_is_read() -> None:
    stream = EventStream(line_limit=32, event_limit=64)
    long_line = b"event: head\ndata: " + b"x" * 100 + b"\ndata: rest\n\n"
    assert stream.feed(long_line + b"data: next\n\n") == [ServerSentEvent("message", "next")]
    assert stream.cut == 1
    many_lines = b"data: 0123456789\n" * 10 + b"\n"
    assert stream.feed(many_lines + b"data: next\n\n") == [ServerSentEvent("message", "next")]
    assert stream.cut == 2


def test_an_event_too_long_in_pieces_is_left_out_too() -> None:
    stream = EventStream(line_limit=32, event_limit=64)
    for _ in range(1000):
        assert stream.feed(b"data: xx") == []
    assert stream.feed(b"\n\ndata: next\n\n") == [ServerSentEvent("message", "next")]
    assert stream.cut == 1


def test_comments_for_ever_are_no_event_too_long() -> None:
    stream = EventStream(line_limit=32, event_limit=64)
    stream.feed(b"data: x\n")
    assert stream.feed(b": keep alive\n" * 1000) == []
    assert stream.comments == 1000
    assert stream.feed(b"\n") == [ServerSentEvent("message", "x")]


def test_what_a_lost_link_left_is_no_event() -> None:
    stream = EventStream()
    assert stream.feed(b'event: head\ndata: {"slot":"1') == []
    stream.reset()
    assert stream.cut == 1
    assert stream.feed(b'\n\nevent: head\ndata: {"slot":"2"}\n\n') == [ServerSentEvent("head", '{"slot":"2"}')]


def test_bytes_that_are_no_text_are_replaced_and_counted() -> None:
    stream = EventStream()
    assert stream.feed(b"data: \xff\xfe\n\n") == [ServerSentEvent("message", "\ufffd\ufffd")]
    assert stream.replaced == 2
