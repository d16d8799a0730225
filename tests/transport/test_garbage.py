"""What ends is freed by being forgotten: the collector is kept from looking while the daemon runs."""

from __future__ import annotations

import gc

import pytest

MANY = 20


async def say_goodbye(house, wire):
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x88, b"\x03\xe8"))
        await wire.read_all(stream)


async def hang_up(house, wire):
    del wire
    await (await house.upgrade()).aclose()


async def talk_too_much(house, wire):
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x81, b"x" * 70_000))
        await wire.read_frame(stream)


async def ask_nicely(house, wire):
    del wire
    assert (await house.get("/hello")).status in {200, 404}


async def talk_rubbish(house, wire):
    del wire
    await house.talk(b"\x00\x01 rubbish\r\n\r\n")


async def leave_early(house, wire):
    del wire
    await (await house.connect()).aclose()


@pytest.mark.parametrize("visit", [say_goodbye, hang_up, talk_too_much, ask_nicely, talk_rubbish, leave_early])
async def test_a_connection_that_ended_leaves_nothing_for_the_collector(house, wire, visit):
    await visit(house, wire)
    await house.is_empty()
    gc.collect()
    gc.disable()
    try:
        for _ in range(MANY):
            await visit(house, wire)
        await house.is_empty()
        # The gate of these tests keeps what it saw.
        house.gate.peers.clear()
        house.gate.requests.clear()
        left = gc.collect()
    finally:
        gc.enable()
    # A connection's own objects are some hundred; what the client's side leaves is less than one for each.
    assert left < MANY
