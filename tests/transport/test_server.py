from __future__ import annotations

import trio


async def test_a_get_is_answered(house):
    answer = await house.get("/up")
    assert (answer.status, answer.body) == (200, b"up 1\n")


async def test_a_message_is_echoed(house, wire):
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x81, b"hello"))
        assert await wire.read_frame(stream) == (0x81, b"hello")
        await stream.send_all(wire.frame(0x82, b"\x00\x01"))
        assert await wire.read_frame(stream) == (0x82, b"\x00\x01")
        await stream.send_all(wire.frame(0x88, b"\x03\xe8bye"))
        assert await wire.read_frame(stream) == (0x88, b"\x03\xe8bye")
        assert await stream.receive_some() == b""
    await house.is_empty()
    assert house.gate.peers[0].endings == [(1000, "bye")]
