import socket
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


async def test_what_was_pushed_back_is_read_first(wired, autojump_clock):
    async with wired() as wire:
        wire.client.send(b"world")
        wire.stream.push_back(b"lo ")
        wire.stream.push_back(b"hel")
        before = counters.bytes_received
        with assert_checkpoints():
            assert await wire.stream.receive_some(4) == b"hell"
        assert await wire.stream.receive_some() == b"o "
        assert counters.bytes_received == before
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


@pytest.mark.parametrize("front", [b"", b"x"])
async def test_a_closed_stream_is_not_read(wired, front):
    async with wired() as wire:
        wire.stream.push_back(front)
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
