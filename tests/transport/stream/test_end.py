import socket
import struct

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from domain import Priority
from telemetry import counters
from transport.frames import CLOSE, Batch, Frame, frame_bytes, text_frame

CRITICAL, HIGH, NORMAL, LOW = Priority
BLOCKED = 0
GOODBYE = frame_bytes(CLOSE, (1000).to_bytes(2, "big"))


def text(name: str, priority: Priority = NORMAL, key: object = None, size: int = 20) -> Frame:
    return text_frame(name.encode().ljust(size, b"."), priority, key)


# -- the end -----------------------------------------------------------------------------------------------


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


async def test_a_client_that_is_gone_is_told_once(wired):
    async with wired() as wire:
        reset(wire.client)
        for _ in range(3):
            wire.stream.offer(text("a"))
            wire.stream.offer_batch(Batch([text("a")]))
        with pytest.raises(trio.BrokenResourceError):
            await wire.stream.send_all(b"x")
        assert len(wire.losses) == 1
        assert wire.stream.lost == wire.losses[0]


async def test_a_client_that_is_gone_when_a_batch_comes_is_told_once(wired):
    async with wired(ConnectionResetError(104, "reset")) as wire:
        wire.stream.offer_batch(Batch([text("a")]))
        wire.stream.offer_batch(Batch([text("b")]))
        assert wire.losses == ["reset"]


async def test_a_client_that_goes_while_frames_wait_is_told_once_and_they_are_counted(wired):
    async with wired(BLOCKED, ConnectionResetError(104, "reset")) as wire:
        before = counters.frames_dropped[CRITICAL]
        wire.stream.offer(text("a"))
        wire.stream.offer(text("b"))
        wire.stream.offer(text("c", CRITICAL))
        with pytest.raises(trio.BrokenResourceError):
            await wire.stream.send_all(b"x")
        wire.stream.offer(text("d"))
        assert wire.losses == ["reset"]
        assert wire.stream.statistics().dropped == 2
        assert counters.frames_dropped[CRITICAL] == before + 1


async def test_who_hears_of_the_loss_may_close_and_offer_at_once(wired):
    async with wired(ConnectionResetError(104, "reset")) as wire:
        stream = wire.stream

        def on_lost(reason):
            wire.losses.append(reason)
            stream.offer(text("b"))
            stream.close()
            stream.offer_batch(Batch([text("c")]))

        stream._on_lost = on_lost
        stream.offer(text("a"))
        assert wire.losses == ["reset"]
        with pytest.raises(trio.ClosedResourceError):
            await stream.send_all(b"x")


async def test_closing_is_no_loss_and_wakes_who_sends(wired):
    async with wired(3, *[BLOCKED] * 10**5) as wire:
        wire.stream.offer(text("a"))
        wire.stream.offer(text("b"))
        woken = trio.Event()

        async def send():
            with pytest.raises(trio.ClosedResourceError):
                await wire.stream.send_all(GOODBYE)
            woken.set()

        wire.nursery.start_soon(send)
        for _ in range(3):
            await trio.lowlevel.checkpoint()
        wire.stream.close()
        wire.stream.offer(text("c"))
        await woken.wait()
        await wire.stream.aclose()
        assert wire.losses == []
        assert wire.stream.statistics().dropped == 1
        assert await wire.read() == text("a").data[:3]


async def test_closing_between_two_sends_is_no_loss(wired):
    async with wired(3) as wire:
        wire.stream.offer(text("a"))
        wire.stream.close()
        await wait_all_tasks_blocked()
        wire.stream.offer(text("b"))
        assert wire.losses == []


async def test_when_the_flusher_is_cancelled_nothing_follows_the_cut_frame(wired):
    async with wired(3, *[BLOCKED] * 10**5) as wire:
        wire.stream.offer(text("a"))
        await trio.lowlevel.checkpoint()
        wire.nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await wait_all_tasks_blocked()
            wire.sock.takes.clear()
            wire.stream.offer(text("b"))
            wire.stream.offer_batch(Batch([text("c")]))
            assert await wire.read() == text("a").data[:3]
            assert wire.losses == ["connection ended"]


async def test_a_stream_that_outlives_its_nursery_hurts_no_channel(wired):
    async with wired(3, BLOCKED) as wire:
        async with trio.open_nursery() as ended:
            wire.stream._nursery = ended
        for name in "abc":
            wire.stream.offer(text(name))
        assert wire.losses == ["connection ended"]
        assert await wire.read() == text("a").data[:3]


async def test_a_client_too_slow_for_critical_frames_is_told_so_by_the_last_frame(wired):
    async with wired(5, BLOCKED, critical_limit=3) as wire:
        wire.stream.offer(text("cut"))
        for turn in range(5):
            wire.stream.offer(text(f"c{turn}", CRITICAL))
            wire.stream.offer(text(f"n{turn}"))
        assert wire.losses == ["critical behind"]
        # Three waited with three routine ones; the fourth was refused, and what came later not even looked at.
        assert wire.stream.statistics().dropped == 7
        with pytest.raises(trio.BrokenResourceError, match="critical behind"):
            await wire.stream.send_all(GOODBYE)
        assert await wire.texts() == ["cut", "close 4202"]


@pytest.mark.parametrize("flushing", [False, True])
async def test_nobody_waits_for_room_in_a_closed_stream(wired, flushing):
    async with wired(*[BLOCKED] * (1000 if flushing else 0)) as wire:
        wire.stream.offer(text("a"))
        wire.stream.close()
        with pytest.raises(trio.ClosedResourceError):
            await wire.stream.wait_send_all_might_not_block()
