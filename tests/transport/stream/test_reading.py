import socket
import ssl
import struct

import pytest
import trio
from trio.testing import assert_checkpoints, wait_all_tasks_blocked

from domain import Priority
from telemetry import counters
from transport.frames import CLOSE, Frame, frame_bytes, text_frame

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
