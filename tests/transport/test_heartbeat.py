from __future__ import annotations

import os
from itertools import pairwise

import pytest
import trio

from telemetry import counters
from transport.frames import Frame, frame_bytes
from transport.gate import SLICES
from transport.heartbeat import _unread


@pytest.fixture
def dropped():
    """How many links were dropped since the test began."""
    before = counters.connections_dropped
    return lambda: counters.connections_dropped - before


async def pings(stream, wire, until, *, answer=True):
    """The moments at which pings came, each answered, until ``until``."""
    at = []
    with trio.move_on_at(until):
        while True:
            opcode, payload = await wire.read_frame(stream)
            if opcode == 0:
                break
            if opcode == 0x89:
                at.append(trio.current_time())
                if answer:
                    await stream.send_all(wire.frame(0x8A, payload))
    return at


async def test_every_link_is_pinged_once_in_an_interval(serve, wire, patient_clock, dropped):
    house = await serve(ping_interval=10.0, dead_after=15.0)
    async with await house.upgrade() as stream:
        at = await pings(stream, wire, trio.current_time() + 61)
        gaps = [later - earlier for earlier, later in pairwise(at)]
        assert len(at) in (6, 7), "where in the interval a link is pinged is by chance"
        assert all(gap == pytest.approx(10) for gap in gaps)
        assert dropped() == 0


async def test_a_client_that_does_not_answer_is_closed_within_the_time(serve, wire, patient_clock, dropped):
    house = await serve(ping_interval=10.0, dead_after=15.0)
    async with await house.upgrade() as stream:
        began = trio.current_time()
        await pings(stream, wire, trio.current_time() + 100, answer=False)
        assert 14 <= trio.current_time() - began <= 16, "the Close at 15 s, the end a second after"
    await house.is_empty()
    assert dropped() == 1
    assert house.gate.peers[0].endings == [(4102, "nothing heard for 15 s")]


async def test_a_dead_link_is_told_why_before_it_is_cut(serve, wire, patient_clock):
    house = await serve(ping_interval=10.0, dead_after=15.0)
    async with await house.upgrade() as stream:
        began = trio.current_time()
        opcode = 0x89
        while opcode == 0x89:
            opcode, payload = await wire.read_frame(stream)
        assert (opcode, payload[:2]) == (0x88, b"\x10\x06")
        assert trio.current_time() - began <= 15


@pytest.mark.parametrize("life", [lambda frame: frame(0x81, b"hi"), lambda frame: frame(0x8A), lambda _frame: b"\x82"])
async def test_any_byte_counts_as_life(serve, wire, patient_clock, dropped, life):
    house = await serve(ping_interval=10.0, dead_after=15.0)
    async with await house.upgrade() as stream:
        await trio.sleep(14)
        await stream.send_all(life(wire.frame))
        await trio.sleep(14)
        assert dropped() == 0
        await trio.sleep(3)
        assert dropped() == 1


async def test_silence_is_not_the_client_s_while_its_message_is_handled(serve, wire, patient_clock, dropped):
    house = await serve(ping_interval=10.0, dead_after=15.0)
    async with await house.upgrade() as stream:
        await stream.send_all(wire.frame(0x81, b"wait"))
        await trio.sleep(60)
        assert dropped() == 0
        house.gate.peers[0].released.set()
        await trio.sleep(10)
        assert dropped() == 0
        await trio.sleep(10)
        assert dropped() == 1


async def test_bytes_that_wait_unread_are_a_sign_of_life(serve, wire, mock_clock, dropped):
    house = await serve(ping_interval=10.0, dead_after=15.0)
    async with await house.upgrade() as stream:
        await trio.testing.wait_all_tasks_blocked()
        link = house.gate.peers[0].link
        heartbeat = house.server._heartbeat
        # Past trio, so that the server has no turn to read it.
        os.write(stream.socket.fileno(), wire.frame(0x81, b"hi"))
        heartbeat.sweep(link.stream.heard + 100)
        assert link.closing is None
        await trio.testing.wait_all_tasks_blocked()
        heartbeat.sweep(link.stream.heard + 100)
        assert link.closing is not None


async def test_after_the_daemon_stood_still_nobody_is_declared_dead(serve, wire, mock_clock, dropped):
    house = await serve(ping_interval=10.0, dead_after=15.0)
    async with await house.upgrade() as stream:
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(100)
        await trio.testing.wait_all_tasks_blocked()
        assert dropped() == 0
        for _ in range(14 * 4):
            mock_clock.jump(0.25)
            await trio.testing.wait_all_tasks_blocked()
        assert dropped() == 0
        for _ in range(2 * 4):
            mock_clock.jump(0.25)
            await trio.testing.wait_all_tasks_blocked()
        assert dropped() == 1
        await stream.aclose()


async def test_the_links_are_spread_over_the_interval(serve):
    house = await serve()
    streams = [await house.upgrade() for _ in range(2 * SLICES)]
    await trio.testing.wait_all_tasks_blocked()
    links = house.server._reception.links
    assert [len(links.slice(turn)) for turn in range(SLICES)] == [2] * SLICES
    for stream in streams:
        await stream.aclose()


def test_a_socket_that_is_closed_or_none_has_nothing_unread(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        assert _unread(file.fileno()) == 0
        closed = os.dup(file.fileno())
    os.close(closed)
    assert _unread(closed) == 0
    assert _unread(-1) == 0


async def test_without_links_the_heart_rests(serve, patient_clock):
    await serve(ping_interval=10.0, dead_after=15.0)
    await trio.testing.wait_all_tasks_blocked()
    assert trio.lowlevel.current_statistics().seconds_to_next_deadline == float("inf")


async def test_a_dead_client_that_does_not_even_read_is_cut(serve, patient_clock):
    house = await serve(ping_interval=10.0, dead_after=15.0)
    async with await house.upgrade("/stream", size=4096):
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(20):
            house.gate.peers[0].link.stream.offer(Frame(frame_bytes(0x82, b"x" * 10_000)))
        began = trio.current_time()
        await house.is_empty()
        assert trio.current_time() - began < 20
    assert [code for code, _ in house.gate.peers[0].endings] == [4102]
