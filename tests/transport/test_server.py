from __future__ import annotations

import socket
import time

import pytest
import trio
import trio.testing

from config import ServerSettings
from domain import Priority
from telemetry import counters, events
from transport import Response, Server, UsageError, text_frame


async def get(stream, path="/up", *lines):
    head = "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *lines, "", ""])
    await stream.send_all(head.encode())
    data = b""
    while b"\r\n\r\n" not in data:
        more = await stream.receive_some(65536)
        if not more:
            return data
        data += more
    return data


def closing(code, reason="", patience=5.0):
    """Parts with a link by a Close."""
    return lambda link: link.close(code, reason, patience=patience)


async def settled():
    await trio.testing.wait_all_tasks_blocked()


# -- how many are let in --------------------------------------------------------------------------------------


async def test_past_the_limit_of_connections_a_request_is_503_with_a_time_to_come_back(serve, wire):
    house = await serve(connections=2)
    first, second = await house.connect(), await house.connect()
    async with first, second:
        await settled()
        answer = await house.get("/up")
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await get(first)).startswith(b"HTTP/1.1 200"), "those who are in notice nothing"
    await house.is_empty()
    assert (await house.get("/up")).status == 200
    assert house.server.statistics().refused == {"limit": 1}


async def test_past_the_limit_of_connections_a_websocket_is_refused_at_its_handshake(serve, wire):
    house = await serve(connections=1)
    async with await house.upgrade() as first:
        stream = await house.connect()
        async with stream:
            await stream.send_all(wire.upgrade_head())
            assert wire.parse_answer(await wire.read_all(stream)).status == 503
        await first.send_all(wire.frame(0x81, b"hi"))
        assert await wire.read_frame(first) == (0x81, b"hi")
    assert len(house.gate.peers) == 1


async def test_past_the_reserve_a_connection_still_gets_its_503(serve, wire):
    house = await serve(connections=1)
    async with await house.connect():
        waiting = [await house.connect() for _ in range(64)]
        await settled()
        assert house.server.statistics().admission.refusing == 64
        stream = await house.connect()
        async with stream:
            answer = wire.parse_answer(await wire.read_all(stream))
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        for other in waiting:
            await other.aclose()


async def test_a_refused_client_that_says_nothing_is_told_and_let_go(serve, wire, patient_clock):
    house = await serve(connections=1)
    async with await house.connect():
        await settled()
        stream = await house.connect()
        async with stream:
            began = trio.current_time()
            assert wire.parse_answer(await wire.read_all(stream)).status == 503
            assert trio.current_time() - began < 5


async def test_past_the_limit_of_an_address_a_request_is_429_with_a_time_to_come_back(serve):
    house = await serve(connections_per_address=2, exempt_loopback=False)
    first, second = await house.connect(), await house.connect()
    async with first, second:
        await settled()
        answer = await house.get("/up")
        assert (answer.status, answer.headers["retry-after"]) == (429, "10")
        assert answer.json()["limit"] == 2
        assert (await get(first)).startswith(b"HTTP/1.1 200")
    await house.is_empty()
    assert (await house.get("/up")).status == 200
    assert house.server.statistics().refused == {"address": 1}


async def test_loopback_is_exempt_from_the_limit_of_an_address(serve):
    house = await serve(connections_per_address=1)
    async with await house.connect(), await house.connect():
        await settled()
        assert (await house.get("/up")).status == 200


async def test_plain_and_websocket_connections_count_together(serve, wire):
    house = await serve(connections_per_address=2, exempt_loopback=False)
    async with await house.upgrade(), await house.connect():
        await settled()
        stream = await house.connect()
        async with stream:
            await stream.send_all(wire.upgrade_head())
            assert wire.parse_answer(await wire.read_all(stream)).status == 429
    assert len(house.gate.peers) == 1


async def test_a_link_that_ends_frees_its_place(serve):
    house = await serve(connections_per_address=1, exempt_loopback=False)
    for _ in range(3):
        await (await house.upgrade()).aclose()
        await house.is_empty()
    assert house.server.statistics().admission.connections == 0


# -- behind a proxy -------------------------------------------------------------------------------------------


async def test_behind_a_trusted_proxy_the_client_is_the_forwarded_one(serve):
    house = await serve(trusted_proxies=("127.0.0.0/8",))
    answer = await house.get("/items/1", "X-Forwarded-For: 6.6.6.6, 1.2.3.4", "X-Forwarded-Proto: https")
    assert answer.json()["client"] == "1.2.3.4"
    assert house.seen[-1].secure is True


async def test_a_forwarded_address_of_a_stranger_is_ignored(house):
    answer = await house.get("/items/1", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https")
    assert answer.json()["client"].startswith("127.0.0.1:")
    assert house.seen[-1].secure is False


async def test_proxied_websockets_are_counted_by_their_own_address(serve, wire):
    house = await serve(trusted_proxies=("127.0.0.1",), connections_per_address=1)
    first = await house.upgrade("/stream", "X-Forwarded-For: 1.1.1.1")
    second = await house.upgrade("/stream", "X-Forwarded-For: 2.2.2.2")
    async with first, second, await house.connect() as third:
        await third.send_all(wire.upgrade_head("/stream", "X-Forwarded-For: 1.1.1.1"))
        assert wire.parse_answer(await wire.read_all(third)).status == 429
    await house.is_empty()
    await (await house.upgrade("/stream", "X-Forwarded-For: 1.1.1.1")).aclose()


async def test_one_proxy_connection_carries_requests_of_many_clients(serve, wire):
    house = await serve(trusted_proxies=("127.0.0.1",), connections_per_address=1)
    async with await house.upgrade("/stream", "X-Forwarded-For: 1.1.1.1"), await house.connect() as stream:
        assert (await get(stream, "/up", "X-Forwarded-For: 2.2.2.2")).startswith(b"HTTP/1.1 200")
        assert (await get(stream, "/up", "X-Forwarded-For: 3.3.3.3")).startswith(b"HTTP/1.1 200")
        assert (await get(stream, "/up", "X-Forwarded-For: 1.1.1.1")).startswith(b"HTTP/1.1 429")


async def test_a_refused_handshake_behind_a_proxy_gives_its_place_back(serve, wire):
    house = await serve(trusted_proxies=("127.0.0.1",), connections_per_address=1)
    async with await house.connect() as stream:
        for _ in range(3):
            await stream.send_all(wire.upgrade_head("/forbidden", "X-Forwarded-For: 1.1.1.1"))
            data = b""
            while not data.endswith(b"}"):
                data += await stream.receive_some(65536)
            assert data.startswith(b"HTTP/1.1 403")
        assert house.server.statistics().admission.addresses == 0


async def test_this_machine_without_a_forwarded_address_is_exempt_though_it_is_a_proxy(serve):
    house = await serve(trusted_proxies=("127.0.0.1",), connections_per_address=1)
    async with await house.upgrade(), await house.upgrade():
        assert (await house.get("/up")).status == 200


# -- handshakes -----------------------------------------------------------------------------------------------


async def test_handshakes_wait_for_their_turn(serve, wire):
    house = await serve(handshakes=2)
    house.gate.hold = trio.Event()
    streams = [await house.connect() for _ in range(5)]
    for stream in streams:
        await stream.send_all(wire.upgrade_head("/slow"))
    await settled()
    numbers = house.server.statistics()
    assert (numbers.handshakes, numbers.opened) == (2, 0)
    # The listener waits behind them, if it was a little late.
    assert numbers.handshakes_waiting in {3, 4}
    house.gate.hold.set()
    for stream in streams:
        assert (await stream.receive_some(100)).startswith(b"HTTP/1.1 101")
    await settled()
    numbers = house.server.statistics()
    assert (numbers.handshakes, numbers.opened) == (0, 5)
    for stream in streams:
        await stream.aclose()


async def test_heads_that_come_byte_by_byte_hold_up_nobody(serve, wire):
    house = await serve(handshakes=2)
    slow = [await house.connect() for _ in range(10)]
    for stream in slow:
        await stream.send_all(wire.upgrade_head()[:-2])
    await settled()
    assert house.server.statistics().handshakes == 0
    async with await house.upgrade() as stream:
        await stream.send_all(wire.frame(0x81, b"hi"))
        assert await wire.read_frame(stream) == (0x81, b"hi")
    for stream in slow:
        await stream.aclose()


async def test_refused_handshakes_give_their_turn_back(serve, wire):
    house = await serve(handshakes=1)
    for path in ("/forbidden", "/nowhere", "/broken", "/stream"):
        stream = await house.connect()
        await stream.send_all(wire.upgrade_head(path))
        await stream.receive_some(1)
        await stream.aclose()
    await house.get("/up", "Upgrade: websocket")
    await house.is_empty()
    assert house.server.statistics().handshakes == 0


# -- the end --------------------------------------------------------------------------------------------------


async def test_draining_closes_links_with_the_code_and_ends_the_server(serve, wire, nursery):
    house = await serve()
    streams = [await house.upgrade() for _ in range(3)]
    left: list[int] = []

    async def drain():
        left.append(await house.server.drain(5, closing(4201, "restart")))

    nursery.start_soon(drain)
    for stream in streams:
        assert await wire.read_frame(stream) == (0x88, b"\x10\x69restart")
        await stream.send_all(wire.frame(0x88, b"\x10\x69"))
        assert await wire.read_all(stream) == b""
        await stream.aclose()
    await settled()
    assert left == [0]
    assert [peer.endings for peer in house.gate.peers] == [[(4201, "restart")]] * 3
    assert house.server.statistics().listening is False


async def test_draining_takes_nobody_more(serve, nursery):
    house = await serve()
    async with await house.upgrade():
        nursery.start_soon(house.server.drain, 5, closing(1001))
        await settled()
        with pytest.raises(OSError, match="refused"):
            await house.connect()
        assert house.server.statistics().draining is True


async def test_draining_ends_idle_connections_and_answers_what_is_being_asked(serve, wire, nursery):
    house = await serve()
    go = trio.Event()

    async def slow(_request):
        await go.wait()
        return Response(200, {}, b"done")

    house.routes.add("GET", "/slow-answer", slow)
    idle, fresh, busy, begun = [await house.connect() for _ in range(4)]
    async with idle, fresh, busy, begun:
        await get(idle)
        await begun.send_all(b"GET /up HT")
        await busy.send_all(b"GET /slow-answer HTTP/1.1\r\nHost: x\r\n\r\n")
        await settled()
        nursery.start_soon(house.server.drain, 5, closing(1001))
        await wire.read_all(idle)
        assert await wire.read_all(fresh) == b""
        assert wire.parse_answer(await wire.read_all(begun)).status == 503
        go.set()
        data = await wire.read_all(busy)
        assert data.endswith(b"done")
        assert b"connection: close" in data.lower()


async def test_clients_that_do_not_answer_the_close_are_cut_after_a_while(serve, wire, patient_clock):
    house = await serve(ping_interval=1000.0, dead_after=2000.0)
    streams = [await house.upgrade() for _ in range(3)]
    await settled()
    began = trio.current_time()
    assert await house.server.drain(20, closing(4201, "restart", 20)) == 3
    assert 5 <= trio.current_time() - began < 6
    for stream in streams:
        assert await wire.read_frame(stream) == (0x88, b"\x10\x69restart")
        await wire.read_all(stream)
        await stream.aclose()
    await settled()
    assert [peer.endings for peer in house.gate.peers] == [[(4201, "restart")]] * 3


async def test_clients_that_do_not_even_read_are_cut_when_the_time_is_over(serve, patient_clock):
    house = await serve(ping_interval=1000.0, dead_after=2000.0)
    async with await house.upgrade(size=4096):
        await settled()
        (link,) = house.server.links
        while not link.stream.is_flushing:
            link.stream.offer(text_frame(b"x" * 60_000, Priority.CRITICAL))
        began = trio.current_time()
        assert await house.server.drain(20, closing(4201, "restart", 20)) == 1
        assert 20 <= trio.current_time() - began < 21


async def test_a_link_that_is_dropped_ends_without_a_close_behind_what_waits(serve, wire, nursery):
    house = await serve()
    payload = b"x" * 60_000
    async with await house.upgrade(size=4096) as stream:
        await settled()
        (link,) = house.server.links
        sent = 1
        while not link.stream.is_flushing:
            link.stream.offer(text_frame(payload, Priority.CRITICAL))
            sent += 1
        link.stream.offer(text_frame(payload, Priority.CRITICAL))
        nursery.start_soon(house.server.drain, 5, lambda each: each.drop("restart", patience=5.0))
        frames = [await wire.read_frame(stream) for _ in range(sent)]
        assert frames == [(0x81, payload)] * sent
        assert await wire.read_frame(stream) == (0, b"")
    await house.is_empty()
    assert [peer.endings for peer in house.gate.peers] == [[(1006, "restart")]]


async def test_a_link_that_is_dropped_is_cut_if_its_client_stays(serve, wire, patient_clock):
    house = await serve(ping_interval=1000.0, dead_after=2000.0)
    async with await house.upgrade() as stream:
        await settled()
        began = trio.current_time()
        assert await house.server.drain(20, lambda link: link.drop("restart", patience=20.0)) == 1
        assert 5 <= trio.current_time() - began < 6
        assert await wire.read_all(stream) == b""


async def test_a_shut_server_takes_nobody_and_keeps_who_is_here(serve, wire):
    house = await serve()
    async with await house.upgrade() as stream:
        await settled()
        house.server.shut()
        with pytest.raises(OSError, match="refused"):
            await house.connect()
        await stream.send_all(wire.frame(0x81, b"hi"))
        assert await wire.read_frame(stream) == (0x81, b"hi")
        assert house.server.statistics().draining is True


async def test_a_link_that_opens_while_draining_is_closed_as_the_others(serve, wire, nursery):
    house = await serve()
    house.gate.hold = trio.Event()
    async with await house.upgrade("/slow") as stream:
        nursery.start_soon(house.server.drain, 5, closing(4201, "restart"))
        await settled()
        house.gate.hold.set()
        assert await wire.read_frame(stream) == (0x88, b"\x10\x69restart")


async def test_a_handshake_while_draining_is_503(serve, wire, nursery):
    house = await serve(handshakes=1)
    house.gate.hold = trio.Event()
    async with await house.upgrade("/slow"), await house.connect() as late:
        await late.send_all(wire.upgrade_head())
        await settled()
        nursery.start_soon(house.server.drain, 5, closing(4201))
        await settled()
        house.gate.hold.set()
        answer = wire.parse_answer(await wire.read_all(late))
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")


async def test_a_server_that_is_cancelled_tells_every_peer_once(serve, nursery):
    house = await serve()
    async with await house.upgrade(), await house.upgrade():
        await settled()
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await settled()
    assert [peer.endings for peer in house.gate.peers] == [[(1006, "cut")]] * 2


async def test_a_server_without_connections_drains_at_once(house):
    assert await house.server.drain(5, closing(4201)) == 0
    assert house.server.addresses == (f"127.0.0.1:{house.port}",)


async def test_a_peer_that_fails_at_the_end_is_reported_and_the_link_is_over(house, monkeypatch):
    reported = []
    monkeypatch.setattr(events, "connection_failed", lambda **fields: reported.append(str(fields["error"])))
    async with await house.upgrade():
        await settled()

        async def closed(code, reason):
            raise RuntimeError(f"planted at {code}")

        house.gate.peers[0].closed = closed
    await house.is_empty()
    assert reported == ["planted at 1006"]
    assert house.server.statistics().links == {}


async def test_a_peer_that_hangs_at_the_end_is_left_behind_after_a_while(serve, patient_clock):
    house = await serve()
    async with await house.upgrade():
        await settled()

        async def closed(code, reason):
            await trio.sleep_forever()

        house.gate.peers[0].closed = closed
    began = trio.current_time()
    await house.is_empty()
    assert 5 <= trio.current_time() - began < 8


async def test_a_server_runs_once(house):
    with pytest.raises(UsageError):
        await house.server.run()


# -- what it says ---------------------------------------------------------------------------------------------


async def test_statistics_tell_what_is_open(house):
    async with await house.upgrade(), await house.upgrade("/slow"), await house.connect():
        await settled()
        numbers = house.server.statistics()
        assert numbers.links == {"stream": 1, "slow": 1}
        assert (numbers.connections, numbers.opened, numbers.accepted) == (3, 2, 3)
        assert numbers.addresses == (f"127.0.0.1:{house.port}",)
        assert {link.door.name for link in house.server.links} == {"stream", "slow"}
    await house.is_empty()
    assert house.server.statistics().links == {}


async def test_links_have_short_unique_names_and_know_when_they_opened(house):
    before = time.time()
    async with await house.upgrade(), await house.upgrade():
        await settled()
        first, second = house.server.links
        assert first.id != second.id
        assert len(first.id) < 12
        assert before <= first.opened_at <= time.time()
        assert first.id in repr(first)


async def test_openings_closings_and_answers_are_counted(house, wire):
    opened, closed = counters.connections_opened["stream"], counters.connections_closed["1000"]
    answered, timed = counters.requests_answered["200"], counters.request_duration.count
    async with await house.upgrade() as stream:
        await stream.send_all(wire.frame(0x88, b"\x03\xe8"))
        await wire.read_all(stream)
    await house.get("/up")
    await house.is_empty()
    assert counters.connections_opened["stream"] == opened + 1
    assert counters.connections_closed["1000"] == closed + 1
    assert counters.requests_answered["200"] == answered + 1
    assert counters.request_duration.count == timed + 1


# -- settings -------------------------------------------------------------------------------------------------


async def test_settings_are_applied_to_who_comes_after(serve):
    house = await serve(connections=1)
    async with await house.connect():
        await settled()
        assert (await house.get("/up")).status == 503
        house.server.apply(ServerSettings(connections=10, trusted_proxies=("127.0.0.1",)))
        answer = await house.get("/items/1", "X-Forwarded-For: 1.2.3.4")
        assert answer.json()["client"] == "1.2.3.4"


async def test_settings_that_cannot_be_applied_change_nothing(serve, tmp_path):
    house = await serve()
    for settings in (
        ServerSettings(certificate=str(tmp_path / "none"), key=str(tmp_path / "none")),
        ServerSettings(trusted_proxies=("nonsense",), connections=0),
    ):
        with pytest.raises((OSError, ValueError)):
            house.server.apply(settings)
    assert (await house.get("/up")).status == 200


async def test_proxies_that_are_trusted_later_do_not_upset_who_is_here(serve, wire):
    house = await serve(connections_per_address=1, exempt_loopback=False)
    async with await house.connect() as stream:
        await get(stream)
        house.server.apply(ServerSettings(connections_per_address=1, trusted_proxies=("127.0.0.1",)))
        assert (await get(stream)).startswith(b"HTTP/1.1 200")
    await house.is_empty()
    assert house.server.statistics().admission.addresses == 0


# -- sockets --------------------------------------------------------------------------------------------------


async def test_a_socket_of_the_service_manager_is_served(serve):
    listener = socket.create_server(("127.0.0.1", 0))
    house = await serve(sockets=[listener])
    assert house.port == listener.getsockname()[1]
    assert (await house.get("/up")).status == 200


async def test_a_unix_socket_of_the_service_manager_is_served(nursery, tmp_path, house):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    listener.listen()
    server = Server(ServerSettings(), house.routes, house.gate, sockets=[listener])
    await nursery.start(server.run)
    async with await trio.open_unix_socket(str(tmp_path / "socket")) as stream:
        data = await get(stream, "/items/1", "Connection: close")
        assert data.startswith(b"HTTP/1.1 200")
        assert str(house.seen[-1].client) == "local"


async def test_clients_queue_between_open_and_run(house, nursery):
    server = Server(ServerSettings(listen="127.0.0.1:0"), house.routes, house.gate)
    (address,) = server.open()
    assert server.open() == (address,)
    house.port = int(address.rpartition(":")[2])
    async with await house.connect() as stream:
        nursery.start_soon(server.run)
        assert (await get(stream)).startswith(b"HTTP/1.1 200")


async def test_what_breaks_in_one_connection_is_reported_and_ends_no_other(house, wire, monkeypatch):
    reported = []
    monkeypatch.setattr(events, "connection_failed", lambda **fields: reported.append(fields["error"]))

    def broken(request):
        raise RuntimeError("planted in door")

    async with await house.upgrade() as good, await house.connect() as bad:
        monkeypatch.setattr(house.gate, "door", broken)
        await bad.send_all(wire.upgrade_head())
        assert await wire.read_all(bad) == b""
        await good.send_all(wire.frame(0x81, b"hi"))
        assert await wire.read_frame(good) == (0x81, b"hi")
    assert len(reported) == 1
    assert house.server.statistics().handshakes == 0


async def test_what_waits_for_all_clients_is_summed_up_by_priority_with_the_bound(serve):
    house = await serve(credit=8192)
    async with await house.upgrade(), await house.upgrade():
        await trio.testing.wait_all_tasks_blocked()
        for link in house.server.links:
            for _ in range(100):
                link.stream.offer(text_frame(b"x" * 1000))
        backlog = house.server.backlog()
        assert backlog.credit == 8192
        # As many frames of 1,004 bytes as there is room for, and one beyond.
        assert backlog.depth == (0, 0, 2 * (100 - 9), 0)
        assert min(backlog.age) >= 0.0
