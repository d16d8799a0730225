"""What clients do to a server, on purpose or not: each is stopped by its own limit, and nobody else notices."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress

import pytest
import trio
import trio.testing
import wsproto

from config import (
    AddressLimitSettings,
    ConnectionLimitSettings,
    LimitSettings,
    ServerSettings,
    TenantLimitSettings,
    UserLimitSettings,
)
from telemetry import counters
from transport import CODES, text_frame

CLOSE, PING, PONG, TEXT, CONTINUED = 0x88, 0x89, 0x8A, 0x81, 0x00
GET = b"GET /up HTTP/1.1\r\nHost: x\r\n\r\n"


def limits(**of):
    """Limits by whose they are: ``limits(connection={"frames": 10})``."""
    kinds = {
        "connection": ConnectionLimitSettings,
        "address": AddressLimitSettings,
        "user": UserLimitSettings,
        "tenant": TenantLimitSettings,
    }
    return LimitSettings(**{name: kinds[name](**said) for name, said in of.items()})


@pytest.fixture
def strict(serve):
    """A server that counts clients of this machine too."""

    async def start(*, connections_per_address=1000, **of):
        made = limits(**of)
        return await serve(exempt_loopback=False, connections_per_address=connections_per_address, limits=made)

    return start


async def end_of(stream, wire):
    """The close code and the reason that a WebSocket ends with, whatever comes before it."""
    while True:
        opcode, payload = await wire.read_frame(stream)
        if opcode == 0x88:
            return int.from_bytes(payload[:2], "big"), payload[2:].decode()
        assert opcode, "ended without a Close"


async def send(stream, data):
    """Send what a server may refuse to read to its end."""
    with suppress(trio.BrokenResourceError):
        await stream.send_all(data)


async def heard(stream, wire):
    """The next message; a Ping may come before it."""
    while (frame := await wire.read_frame(stream))[0] == PING:
        pass
    return frame


# -- floods on one WebSocket ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flood",
    [
        lambda frame: frame(PING) * 500,
        lambda frame: frame(0x01, b"x") + frame(CONTINUED) * 500,
        lambda frame: frame(0x01) + (frame(CONTINUED, b"x") + frame(PING, b"y")) * 250,
        lambda frame: frame(PONG) * 60_000,
    ],
    ids=["pings", "empty pieces", "pieces and pings", "pongs that nobody asked for"],
)
@pytest.mark.parametrize(("path", "code"), [("/stream", 4103), ("/counted", 1008)])
async def test_a_flood_of_frames_ends_its_connection_and_no_other(strict, wire, flood, path, code):
    house = await strict(connection={"frames": 10, "messages": 0})
    before = counters.limits_reached["connection.frames"]
    async with await house.upgrade(path) as honest, await house.upgrade(path) as hostile:
        await send(hostile, flood(wire.frame))
        assert await end_of(hostile, wire) == (code, "this connection may have 10 frames a second; slow down")
        await honest.send_all(wire.frame(TEXT, b"hi"))
        assert await heard(honest, wire) == (TEXT, b"hi")
    assert counters.limits_reached["connection.frames"] == before + 1
    assert code in CODES


@pytest.mark.parametrize(("path", "is_told"), [("/stream", True), ("/counted", False)])
async def test_who_floods_is_told_when_to_come_back_before_the_close_where_its_dialect_promises_that(
    strict, wire, path, is_told
):
    house = await strict(connection={"frames": 10})
    async with await house.upgrade(path) as stream:
        await stream.send_all(wire.frame(TEXT, b"hi"))
        assert (await heard(stream, wire))[0] == TEXT
        house.gate.peers[0].link.farewell = lambda code, reason, delay, position: text_frame(
            f"{code} {reason} {delay > 2} {position}".encode()
        )
        await send(stream, wire.frame(PING) * 100)
        frames = []
        while not frames or frames[-1][0] != CLOSE:
            frames.append(await wire.read_frame(stream))
        words = [payload.decode() for opcode, payload in frames if opcode == TEXT]
        assert words == (["4103 this connection may have 10 frames a second; slow down True None"] if is_told else [])


async def test_pongs_that_answer_our_pings_are_no_flood(strict, wire, patient_clock):
    house = await strict(connection={"frames": 10})
    async with await house.upgrade() as stream:
        for _ in range(10):
            await stream.send_all(wire.frame(PONG, b"x") * 400)
            await trio.sleep(0.2)
        await stream.send_all(wire.frame(TEXT, b"hi"))
        assert await heard(stream, wire) == (TEXT, b"hi")


async def test_empty_messages_are_messages(strict, wire):
    house = await strict(connection={"messages": 10, "frames": 1})
    async with await house.upgrade("/counted") as stream:
        await send(stream, wire.frame(TEXT) * 500)
        assert (await end_of(stream, wire))[1] == "this connection may have 10 messages a second; slow down"


async def test_messages_faster_than_the_predecessors_took_them_are_1008(strict, wire):
    house = await strict(connection={"messages": 5})
    async with await house.upgrade("/counted") as stream:
        await send(stream, wire.frame(TEXT, b"hi") * 500)
        assert (await end_of(stream, wire))[0] == 1008
    await house.is_empty()
    assert 10 <= len(house.gate.peers[0].messages) < 20


@pytest.mark.parametrize("path", ["/stream", "/counted"])
async def test_who_goes_on_behind_our_close_is_not_even_read(strict, wire, path):
    house = await strict(connection={"messages": 10, "frames": 10})
    before = counters.limits_reached["connection.frames"]
    async with await house.upgrade(path) as stream, trio.open_nursery() as speaking:
        await stream.send_all(wire.frame(TEXT, b"close" if path == "/stream" else b"x") * 30)
        speaking.start_soon(send, stream, wire.frame(TEXT, b"x") * 50_000)
        assert (await end_of(stream, wire))[0] == (4201 if path == "/stream" else 1008)
        while counters.limits_reached["connection.frames"] == before:  # noqa: ASYNC110 - nobody else can tell
            await trio.sleep(0.01)
        speaking.cancel_scope.cancel()
    await house.is_empty()
    assert len(house.gate.peers[0].messages) < 50


async def test_what_comes_at_length_behind_our_close_is_parsed_no_more_and_its_close_is_found(
    strict, wire, monkeypatch, patient_clock
):
    parsed: list[int] = []
    real = wsproto.WSConnection.receive_data

    def receive_data(self, data):
        parsed.append(len(data or b""))
        real(self, data)

    monkeypatch.setattr(wsproto.WSConnection, "receive_data", receive_data)
    house = await strict(connection={"messages": 1e9, "frames": 1e9, "bytes": 1e9})
    async with await house.upgrade("/stream") as stream:
        await stream.send_all(wire.frame(TEXT, b"close"))
        assert (await end_of(stream, wire))[0] == 4201
        began = trio.current_time()
        await stream.send_all(wire.frame(TEXT, b"x" * 1000) * 500 + wire.frame(0x88, b"\x10\x69"))
        assert await wire.read_all(stream) == b""
        assert trio.current_time() - began < 4
    await house.is_empty()
    assert sum(parsed) < 50_000


async def test_a_door_that_weighs_what_is_said_is_left_to_do_so(strict, wire):
    house = await strict(connection={"messages": 10})
    async with await house.upgrade("/stream") as stream:
        await stream.send_all(wire.frame(TEXT, b"hi") * 100)
        for _ in range(100):
            assert await heard(stream, wire) == (TEXT, b"hi")


async def test_who_sends_many_bytes_is_read_at_its_pace_and_loses_nothing(strict, wire, patient_clock):
    house = await strict(connection={"bytes": 10_000})
    began = trio.current_time()
    async with await house.upgrade() as stream:
        for _ in range(5):
            await stream.send_all(wire.frame(0x82, b"x" * 20_000))
            assert await heard(stream, wire) == (0x82, b"x" * 20_000)
    # 100 kB, of which two seconds' worth came at once.
    assert 6 < trio.current_time() - began < 10


async def test_a_body_is_read_at_the_pace_of_its_address_and_is_not_called_late(strict, patient_clock):
    house = await strict(address={"bytes": 10_000})
    began = trio.current_time()
    body = b"x" * 100_000
    head = f"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert (await house.talk(head + body)).startswith(b"HTTP/1.1 200")
    assert trio.current_time() - began > 6


async def test_who_shares_an_address_with_somebody_hasty_waits_and_is_not_closed(strict, wire, patient_clock):
    house = await strict(address={"commands": 10})
    async with await house.upgrade("/counted") as hasty, await house.upgrade("/counted") as calm:
        await hasty.send_all(wire.frame(TEXT, b"x") * 20)
        for _ in range(20):
            await wire.read_frame(hasty)
        await calm.send_all(wire.frame(TEXT, b"hi"))
        assert await heard(calm, wire) == (TEXT, b"hi")


# -- requests and handshakes ------------------------------------------------------------------------------------------


async def test_requests_faster_than_an_address_may_are_429_and_the_connection_stays(strict, wire):
    house = await strict(address={"commands": 1})
    async with await house.connect() as stream:
        await stream.send_all(GET * 4)
        await trio.testing.wait_all_tasks_blocked()
        data = bytes(await stream.receive_some(100_000))
    assert data.count(b"HTTP/1.1 200") == 2
    assert data.count(b"HTTP/1.1 429") == 2
    assert b"retry-after: 1\r\n" in data
    assert len(house.seen) == 2


async def test_connections_opened_faster_than_an_address_may_are_429(strict, wire):
    house = await strict(address={"handshakes": 1, "handshakes_at_once": 3})
    answers = [await house.get("/up") for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json()["of"] == "handshakes"
    assert house.server.statistics().refused == {"address": 2}
    await house.is_empty()
    assert house.server.statistics().admission.connections == 0


async def test_behind_a_proxy_each_client_has_its_own_handshakes(serve, wire):
    made = limits(address={"handshakes": 1, "handshakes_at_once": 2})
    house = await serve(trusted_proxies=("127.0.0.1",), limits=made)
    for client, statuses in (("10.0.0.7", (101, 101, 429)), ("10.0.0.8", (101,))):
        for status in statuses:
            async with await house.connect() as stream:
                await stream.send_all(wire.upgrade_head("/stream", f"X-Forwarded-For: {client}"))
                assert int((await stream.receive_some(1000))[9:12]) == status


async def test_addresses_of_one_ipv6_network_are_one(serve, wire):
    house = await serve(trusted_proxies=("127.0.0.1",), connections_per_address=1)
    async with AsyncExitStack() as streams:
        for client, status in (("2001:db8::1", 101), ("2001:db8::2", 429), ("2001:db8:0:1::1", 101)):
            stream = await streams.enter_async_context(await house.connect())
            await stream.send_all(wire.upgrade_head("/stream", f"X-Forwarded-For: {client}"))
            assert int((await stream.receive_some(1000))[9:12]) == status


@pytest.mark.parametrize("holder", ["user", "tenant"])
async def test_one_connection_too_many_of_a_user_or_a_tenant_is_429_at_its_handshake(strict, wire, holder):
    house = await strict(**{holder: {"connections": 2}})
    path = f"/stream?{holder}=ada"
    async with await house.upgrade(path), await house.upgrade(path):
        async with await house.connect() as third:
            await third.send_all(wire.upgrade_head(path))
            answer = wire.parse_answer(await wire.read_all(third))
        assert (answer.status, answer.headers["retry-after"]) == (429, "10")
        assert answer.json()["holder"] == holder
        async with await house.upgrade(f"/stream?{holder}=bob"):
            assert house.server.statistics().refused == {holder: 1}
    await house.is_empty()
    async with await house.upgrade(path):
        assert len(house.gate.peers) == 4


async def test_limits_of_a_reload_hold_for_connections_that_there_are(strict, wire):
    house = await strict()
    async with await house.upgrade() as stream:
        await stream.send_all(wire.frame(PING) * 30)
        house.server.apply(ServerSettings(exempt_loopback=False, limits=limits(connection={"frames": 10})))
        await send(stream, wire.frame(PING) * 30)
        assert (await end_of(stream, wire))[0] == 4103


async def test_loopback_is_exempt_from_what_an_address_may_and_not_from_what_a_connection_may(serve, wire):
    made = limits(address={"handshakes": 0.001, "handshakes_at_once": 1, "commands": 1}, connection={"frames": 10})
    house = await serve(limits=made)
    assert {(await house.get("/up")).status for _ in range(10)} == {200}
    async with await house.upgrade() as stream:
        await send(stream, wire.frame(PING) * 100)
        assert (await end_of(stream, wire))[0] == 4103


# -- the slow ---------------------------------------------------------------------------------------------------------


async def test_heads_that_come_byte_by_byte_are_cut_and_meanwhile_hold_nobody_up(serve, wire, patient_clock):
    house = await serve(head_timeout=10.0, handshakes=2)
    slow = [await house.connect() for _ in range(20)]
    for moment in range(9):
        for stream in slow:
            await stream.send_all(GET[moment : moment + 1])
        await trio.sleep(1)
        assert (await house.get("/up")).status == 200
    for stream in slow:
        async with stream:
            assert wire.parse_answer(await wire.read_all(stream)).status == 408
    await house.is_empty()


async def drip(stream):
    while True:
        await send(stream, b"x")
        await trio.sleep(1)


async def test_a_body_that_drips_is_cut(serve, wire, patient_clock):
    house = await serve(head_timeout=5.0)
    async with await house.connect() as stream:
        await stream.send_all(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        async with trio.open_nursery() as dripping:
            dripping.start_soon(drip, stream)
            assert wire.parse_answer(await wire.read_all(stream)).status == 408
            dripping.cancel_scope.cancel()
    await house.is_empty()
    assert house.seen == []


async def test_a_websocket_whose_messages_never_end_is_cut(strict, wire):
    house = await strict(connection={"frames": 0})
    async with await house.upgrade() as stream:
        await send(stream, wire.frame(0x01, b"x") + wire.frame(CONTINUED) * 5000)
        assert (await end_of(stream, wire))[0] == 1008


# -- pages of others --------------------------------------------------------------------------------------------------


async def test_a_page_of_another_origin_opens_no_websocket(serve, wire):
    house = await serve(origins=("https://portal.example",))
    before = counters.connections_refused["origin"]
    for origin, status in (
        ("https://evil.example", 403),
        ("null", 403),
        ("https://portal.example", 101),
        ("http://x", 101),
    ):
        async with await house.connect() as stream:
            await stream.send_all(wire.upgrade_head("/stream", f"Origin: {origin}"))
            assert int((await stream.receive_some(1000))[9:12]) == status
    assert counters.connections_refused["origin"] == before + 2
    assert house.server.statistics().refused == {"origin": 2}


async def test_a_page_of_another_origin_reads_in_vain_and_changes_nothing(serve):
    house = await serve(origins=("https://portal.example",))
    evil, portal = "Origin: https://evil.example", "Origin: https://portal.example"
    assert (await house.get("/echo", evil, method="POST")).status == 403
    assert house.seen == []
    told = await house.get("/up", evil)
    assert (told.status, "access-control-allow-origin" in told.headers) == (200, False)
    assert (await house.get("/echo", portal, method="POST")).status == 200
    assert (await house.get("/up", portal)).headers["access-control-allow-origin"] == "https://portal.example"
    asked = ("Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization")
    preflight = await house.get("/items/1", portal, *asked, method="OPTIONS")
    assert (preflight.status, preflight.headers["access-control-allow-headers"]) == (204, "authorization")
    assert "access-control-allow-origin" not in (await house.get("/items/1", evil, *asked, method="OPTIONS")).headers


async def test_other_origins_come_in_by_a_reload(serve):
    house = await serve()
    portal = "Origin: https://portal.example"
    assert (await house.get("/echo", portal, method="POST")).status == 403
    house.server.apply(ServerSettings(origins=("https://portal.example",)))
    assert (await house.get("/echo", portal, method="POST")).status == 200


@pytest.mark.parametrize("path", ["/up", "/missing", "/fail", "/stream"])
async def test_every_answer_has_the_headers_that_keep_a_browser_safe(serve, path):
    house = await serve()
    headers = (await house.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]


# -- the reconnect storm ----------------------------------------------------------------------------------------------


class Tab:
    """What the portal's chart does in one tab of a browser: it opens a socket anew with each push."""

    def __init__(self, house, wire, *, address):
        self.house = house
        self.head = wire.upgrade_head("/stream", f"X-Forwarded-For: {address}")
        self.opened = self.refused = 0
        self.sockets = []

    async def storm(self, count):
        for _ in range(count):
            stream = await self.house.connect()
            await stream.send_all(self.head)
            status = int((await stream.receive_some(2000))[9:12])
            if status == 101:
                self.opened += 1
                # Its framework closes every second one again; the rest stay.
                if self.opened % 2:
                    self.sockets.append(stream)
                    continue
            else:
                assert status == 429
                self.refused += 1
            await stream.aclose()


async def test_a_tab_that_opens_thousands_of_sockets_leaves_all_others_unaffected(serve, wire):
    made = limits(address={"handshakes": 10, "handshakes_at_once": 200})
    house = await serve(trusted_proxies=("127.0.0.1",), connections_per_address=100, limits=made)
    others = [await house.upgrade("/stream", f"X-Forwarded-For: 10.1.0.{number}") for number in range(20)]
    tab, count, rounds = Tab(house, wire, address="10.0.0.7"), 3000, 0
    async with trio.open_nursery() as stormers:
        stormers.start_soon(tab.storm, count)
        while tab.refused < count // 2:
            for number, stream in enumerate(others):
                await stream.send_all(wire.frame(TEXT, b"%d" % number))
                assert await heard(stream, wire) == (TEXT, b"%d" % number)
            rounds += 1
        # Whoever is new is let in as if nothing were the matter.
        others.append(await house.upgrade("/stream", "X-Forwarded-For: 10.1.0.99"))
    assert rounds >= 1
    assert tab.opened + tab.refused == count
    assert len(tab.sockets) <= 100, "what an address may hold"
    assert tab.opened <= 500, "a burst, and what it gets a second while it storms"
    now = house.server.statistics()
    assert now.refused == {"address": tab.refused}
    assert now.links == {"stream": len(others) + len(tab.sockets)}
    for stream in (*tab.sockets, *others):
        await stream.aclose()
    await house.is_empty()
    assert house.server.statistics().admission.addresses == 0
