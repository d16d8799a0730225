import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import assert_checkpoints, wait_all_tasks_blocked

from domain import Priority
from telemetry import counters
from transport.arrivals import Arrivals
from transport.frames import CLOSE, Frame, frame_bytes, text_frame
from transport.stream import TASTE_SIZE

CRITICAL, HIGH, NORMAL, LOW = Priority
BLOCKED = 0
GOODBYE = frame_bytes(CLOSE, (1000).to_bytes(2, "big"))


def text(name: str, priority: Priority = NORMAL, key: object = None, size: int = 20) -> Frame:
    return text_frame(name.encode().ljust(size, b"."), priority, key)


# -- reading -----------------------------------------------------------------------------------------------


async def test_what_is_read_is_counted_and_counts_as_life(wired, autojump_clock):
    async with wired() as wire:
        wire.client.send(b"world")
        before = counters.bytes_received
        await trio.sleep(3)
        assert await wire.stream.receive_some() == b"world"
        assert wire.stream.heard == trio.current_time()
        assert counters.bytes_received == before + 5


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


async def test_the_end_is_no_bytes_and_a_reset_is_an_error(wired):
    async with wired() as wire:
        wire.client.shutdown(socket.SHUT_WR)
        assert await wire.stream.receive_some() == b""
    async with wired() as wire:
        reset(wire.client)
        with pytest.raises(trio.BrokenResourceError):
            await wire.stream.receive_some()


async def test_a_closed_stream_is_not_read(wired):
    async with wired() as wire:
        await wire.stream.aclose()
        with assert_checkpoints(), pytest.raises(trio.ClosedResourceError):
            await wire.stream.receive_some()


@pytest.mark.parametrize("with_data", [False, True])
async def test_closing_wakes_who_reads(wired, with_data):
    async with wired() as wire:
        woken = trio.Event()

        async def read():
            with pytest.raises(trio.ClosedResourceError):
                await wire.stream.receive_some()
            woken.set()

        wire.nursery.start_soon(read)
        await wait_all_tasks_blocked()
        if with_data:
            wire.client.send(b"x")
        wire.stream.close()
        await woken.wait()


async def test_a_socket_that_was_announced_in_vain_is_waited_for_again(wired):
    async with wired() as wire:
        real = wire.sock.recv
        answers = [BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError]

        def recv(size):
            if answers:
                raise answers.pop(0)
            return real(size)

        wire.sock.recv = recv
        wire.client.send(b"hello")
        assert await wire.stream.receive_some() == b"hello"


async def test_reading_that_needs_to_write_waits_with_the_flusher(wired):
    async with wired() as wire:
        wire.nursery.start_soon(wire.stream.send_all, bytes(8_000_000))
        await wait_all_tasks_blocked()
        real, answers = wire.sock.recv, [ssl.SSLWantWriteError]
        wire.sock.recv = lambda size: real(size) if not answers else raise_it(answers.pop())
        wire.client.send(b"hello")
        heard: list[bytes] = []

        async def read():
            heard.append(await wire.stream.receive_some())

        wire.nursery.start_soon(read)
        await wait_all_tasks_blocked()
        assert heard == []
        await wire.read()
        assert heard == [b"hello"]


def raise_it(error):
    raise error


async def test_a_stream_that_closes_while_its_reader_is_woken_is_closed_and_not_broken(wired, monkeypatch):
    async with wired() as wire:

        async def woken(_sock):
            await trio.lowlevel.checkpoint()
            wire.stream.close()

        monkeypatch.setattr("transport.stream.wait_readable", woken)
        with pytest.raises(trio.ClosedResourceError):
            await wire.stream.receive_some()


# -- watched together with others ------------------------------------------------------------------------------


@dataclass
class Watched:
    """A stream that is watched, what was tasted of it, and what was left to its reader."""

    wire: object
    tasted: list[bytes] = field(default_factory=list)
    left: list[bytes] = field(default_factory=list)
    on_taste: Callable[[bytes], None] = lambda _data: None
    ended: str = ""

    def taste(self, data: bytes) -> bytes:
        """Take everything that is a capital letter."""
        self.tasted.append(data)
        self.on_taste(data)
        return data.lstrip(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")

    async def read(self) -> None:
        try:
            while data := await self.wire.stream.receive_some(4096):
                self.left.append(data)
            self.ended = "end"
        except trio.ClosedResourceError:
            self.ended = "closed"
        except trio.BrokenResourceError:
            self.ended = "broken"


@asynccontextmanager
async def watched(wired):
    async with wired() as wire:
        arrivals, watched = Arrivals(), Watched(wire)
        wire.nursery.start_soon(arrivals.run)
        wire.stream.join(arrivals, watched.taste)
        wire.nursery.start_soon(watched.read)
        await wait_all_tasks_blocked()
        yield watched


def reader_of(watched: Watched) -> object:
    return watched.wire.stream._reader


async def test_what_is_tasted_to_the_end_wakes_nobody(wired):
    async with watched(wired) as link:
        reader = reader_of(link)
        assert reader is not None
        for piece in (b"A", b"BCD"):
            link.wire.client.send(piece)
            link.wire.stream._look(False)
            # Awoken, it would wait anew only after a turn of its own.
            assert reader_of(link) is reader
        assert link.tasted == [b"A", b"BCD"]
        assert link.left == []


async def test_what_is_left_goes_to_the_reader_and_the_next_is_tasted_again(wired):
    async with watched(wired) as link:
        for piece in (b"ABc", b"D", b"e", b"F"):
            link.wire.client.send(piece)
            await wait_all_tasks_blocked()
        assert link.tasted == [b"ABc", b"D", b"e", b"F"]
        assert link.left == [b"c", b"e"]


async def test_a_client_that_sends_on_and_on_leaves_the_others_their_turn(wired):
    async with watched(wired) as link:
        client, most, sent = link.wire.client, 2000, []

        def send_more(_data: bytes) -> None:
            if len(sent) < most:
                client.send(b"A" * TASTE_SIZE)
                sent.append(TASTE_SIZE)

        link.on_taste = send_more
        send_more(b"")
        link.wire.stream._look(False)
        assert len(link.tasted) < most / 10
        link.on_taste = lambda _data: None
        client.send(b"x")
        await wait_all_tasks_blocked()
        # Nothing of it is forgotten.
        assert b"".join(link.tasted[len(sent) - 1 :] + link.left)[-1:] == b"x"
        assert len(b"".join([*link.tasted, *link.left]).replace(b"x", b"")) == sum(sent)


@pytest.mark.parametrize("how", ["end", "broken", "closed"])
async def test_the_end_reaches_the_reader_that_waits(wired, how):
    async with watched(wired) as link:
        if how == "end":
            link.wire.client.shutdown(socket.SHUT_WR)
        elif how == "broken":
            reset(link.wire.client)
        else:
            link.wire.stream.close()
        await wait_all_tasks_blocked()
        assert link.ended == how


async def test_a_stream_may_be_closed_by_what_it_hears(wired):
    async with watched(wired) as link:
        link.on_taste = lambda _data: link.wire.stream.close()
        link.wire.client.send(b"ABC")
        await wait_all_tasks_blocked()
        assert link.ended == "closed"


async def test_what_comes_with_the_end_is_heard_before_it(wired):
    async with watched(wired) as link:
        link.wire.client.send(b"ABc")
        link.wire.client.shutdown(socket.SHUT_WR)
        await wait_all_tasks_blocked()
        assert (link.tasted[:1], link.left, link.ended) == ([b"ABc"], [b"c"], "end")


async def test_what_openssl_must_write_before_it_reads_is_left_to_the_reader(wired):
    async with watched(wired) as link:
        refused: list[int] = []
        recv = link.wire.sock.recv

        def refuse_once(size: int) -> bytes:
            if not refused:
                refused.append(size)
                raise ssl.SSLWantWriteError
            return recv(size)

        link.wire.sock.recv = refuse_once
        link.wire.client.send(b"abc")
        await wait_all_tasks_blocked()
        assert (refused, link.left, link.ended) == ([TASTE_SIZE], [b"abc"], "")
