from __future__ import annotations

import base64
import gc

import pytest
import trio
import trio_websocket

from config import ConnectionLimitSettings, LimitSettings
from domain import Allotments, Priority, Throttle
from telemetry import counters, events
from transport import UsageError
from transport.frames import Frame, frame_bytes
from transport.pace import Pace
from transport.websocket import Handshake, WebSocket, check_upgrade, choose_subprotocol

FREE_PACE = Pace(Throttle(Allotments()).allow(), 1008, "127.0.0.1")
GOOD = {
    "connection": "keep-alive, Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def refused(house, wire, head: bytes):
    stream = await house.connect()
    async with stream:
        await stream.send_all(head)
        with trio.fail_after(5):
            data = b""
            while b"\r\n\r\n" not in data or not data.endswith(b"}"):
                more = await stream.receive_some(65536)
                assert more, data
                data += more
    return wire.parse_answer(data)


async def closing(stream, wire):
    """The close code and reason that the server ends with, and that it does end."""
    with trio.fail_after(10):
        opcode, payload = await wire.read_frame(stream)
        while opcode not in {0x88, 0}:
            opcode, payload = await wire.read_frame(stream)
        return (int.from_bytes(payload[:2], "big"), payload[2:].decode()) if opcode else (0, "")


# -- the handshake --------------------------------------------------------------------------------------------


async def test_a_handshake_is_accepted_with_its_key(house, wire):
    stream = await house.connect()
    async with stream:
        await stream.send_all(wire.upgrade_head())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += await stream.receive_some(1)
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in answer.lower()


async def test_compression_is_not_agreed_to(house, wire):
    stream = await house.connect()
    async with stream:
        await stream.send_all(wire.upgrade_head("/stream", "Sec-WebSocket-Extensions: permessage-deflate"))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += await stream.receive_some(1)
    assert b"extensions" not in answer.lower()


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([], ""),
        (["Sec-WebSocket-Protocol: andond.v1.msgpack, andond.v1.json"], "andond.v1.json"),
        (["Sec-WebSocket-Protocol: other", "Sec-WebSocket-Protocol: andond.v1.msgpack"], "andond.v1.msgpack"),
        (["Sec-WebSocket-Protocol: other"], ""),
        (["Sec-WebSocket-Protocol: caf\xe9, andond.v1.json"], "andond.v1.json"),
    ],
)
async def test_the_door_s_preferred_subprotocol_is_chosen(house, wire, offered, chosen):
    stream = await house.connect()
    async with stream:
        await stream.send_all(wire.upgrade_head("/stream", *offered))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += await stream.receive_some(1)
        assert (f"sec-websocket-protocol: {chosen}\r\n".encode() in answer.lower()) is bool(chosen)
        await trio.testing.wait_all_tasks_blocked()
        assert house.gate.peers[0].link.subprotocol == chosen


async def test_an_upgrade_may_follow_a_plain_request(house, wire):
    stream = await house.connect()
    async with stream:
        await stream.send_all(b"GET /up HTTP/1.1\r\nHost: x\r\n\r\n")
        data = b""
        while not data.endswith(b"up 1\n"):
            data += await stream.receive_some(100)
        await stream.send_all(wire.upgrade_head())
        while not data.endswith(b"\r\n\r\n"):
            data += await stream.receive_some(1)
        await stream.send_all(wire.frame(0x81, b"hi"))
        assert await wire.read_frame(stream) == (0x81, b"hi")


async def test_a_frame_that_comes_with_the_head_is_not_lost(house, wire):
    stream = await house.connect()
    async with stream:
        early = b"".join(wire.frame(0x81, f"early {number}".encode()) for number in range(500))
        await stream.send_all(wire.upgrade_head() + early)
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            data += await stream.receive_some(1)
        for number in range(500):
            assert await wire.read_frame(stream) == (0x81, f"early {number}".encode())


@pytest.mark.parametrize("host", ["Host: xn--\xff", "Host: xn--a-\x80", "Host: " + "a" * 300 + ".b"])
async def test_a_host_that_the_library_stumbles_over_is_none_of_its_business(house, wire, host):
    stream = await house.connect()
    async with stream:
        await stream.send_all(wire.upgrade_head().replace(b"Host: x", host.encode("latin-1")))
        assert (await stream.receive_some(100)).startswith(b"HTTP/1.1 101")


async def test_the_client_s_address_is_known(house):
    stream = await house.upgrade()
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        port = stream.socket.getsockname()[1]
        assert str(house.gate.peers[0].link.client) == f"127.0.0.1:{port}"


@pytest.mark.parametrize(("path", "status"), [("/forbidden", 403), ("/nowhere", 404), ("/up", 404)])
async def test_a_refusal_of_the_gate_is_the_answer(house, wire, path, status):
    answer = await refused(house, wire, wire.upgrade_head(path))
    assert (answer.status, answer.json()["status"]) == (status, status)
    await house.is_empty()


async def test_another_version_is_told_which_one_is_spoken(house, wire):
    answer = await refused(house, wire, wire.upgrade_head(version="8"))
    assert answer.status == 426
    assert answer.headers["sec-websocket-version"] == "13"
    assert answer.headers["upgrade"] == "websocket"
    assert "not 8" in answer.json()["detail"]


async def test_a_plain_request_for_a_websocket_is_told_to_upgrade(house):
    answer = await house.get("/stream")
    assert answer.status == 426
    assert answer.headers["upgrade"] == "websocket"
    assert "ws://" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ((b"Connection: Upgrade\r\n", b""), "Connection"),
        ((b"Connection: Upgrade", b"Connection: keep-alive"), "Connection"),
        ((b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b""), "Key"),
        ((b"dGhlIHNhbXBsZSBub25jZQ==", b"short"), "Key"),
        ((b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZSBub25jZQ==x"), "Key"),
        ((b"GET ", b"POST "), "POST"),
        ((b"HTTP/1.1", b"HTTP/1.0"), "HTTP/1.1"),
        ((b"Host: x", b"Host: x\r\nContent-Length: 5"), "body"),
        ((b"Host: x\r\n", b""), "Host"),
    ],
)
async def test_a_handshake_that_is_none_is_told_what_is_missing(house, wire, change, word):
    answer = await refused(house, wire, wire.upgrade_head().replace(*change))
    assert answer.status == 400
    assert word in answer.json()["detail"]
    await house.is_empty()
    assert house.gate.peers == []


async def test_a_client_that_leaves_during_the_handshake_leaves_nothing_behind(house, wire):
    for size in (5, 60, len(wire.upgrade_head())):
        stream = await house.connect()
        await stream.send_all(wire.upgrade_head()[:size])
        await stream.aclose()
    with trio.fail_after(5):
        await house.is_empty()
    assert all(len(peer.endings) == 1 for peer in house.gate.peers)


async def test_a_gate_that_fails_closes_the_link_with_1011(house, wire, monkeypatch):
    reported = []
    monkeypatch.setattr(events, "connection_failed", lambda **fields: reported.append(str(fields["error"])))
    stream = await house.upgrade("/broken")
    async with stream:
        assert (await closing(stream, wire))[0] == 1011
    assert reported == ["planted in opened"]


async def test_a_gate_that_takes_too_long_loses_the_link(serve, wire, patient_clock):
    house = await serve(head_timeout=10.0)
    house.gate.hold = trio.Event()
    stream = await house.upgrade("/slow")
    async with stream:
        began = trio.current_time()
        assert await stream.receive_some() == b""
        assert 10 <= trio.current_time() - began < 11
    await house.is_empty()
    assert house.server.statistics().handshakes == 0


async def test_a_handshake_that_the_library_refuses_does_not_hang(nursery):
    ours, theirs = trio.testing.memory_stream_pair()
    handshake = Handshake("x\r\nSec-WebSocket-Version: 12", "", b"")
    opening = WebSocket(ours, handshake, 1024, None, FREE_PACE)

    async def read():
        await (await opening.reader())()

    nursery.start_soon(read)
    with trio.fail_after(5), pytest.raises(trio.BrokenResourceError, match="early"):
        await opening.accept()
    assert (await theirs.receive_some()).startswith(b"HTTP/1.1 426")


async def test_a_client_that_has_gone_when_it_is_answered_ends_the_handshake(nursery):
    ours, theirs = trio.testing.memory_stream_pair()
    opening = WebSocket(ours, Handshake(GOOD["sec-websocket-key"], "", b""), 1024, None, FREE_PACE)

    async def read():
        await (await opening.reader())()

    nursery.start_soon(read)
    await theirs.aclose()
    with trio.fail_after(5), pytest.raises(trio.BrokenResourceError, match="left"):
        await opening.accept()
    assert opening.outcome == (1006, "link lost")


async def test_a_handshake_is_completed_once(nursery):
    ours, _theirs = trio.testing.memory_stream_pair()
    opening = WebSocket(ours, Handshake(GOOD["sec-websocket-key"], "", b""), 1024, None, FREE_PACE)

    async def read():
        await (await opening.reader())()

    nursery.start_soon(read)
    await opening.accept()
    with pytest.raises(UsageError):
        await opening.accept()
    with pytest.raises(UsageError):
        await opening.reader()
    nursery.cancel_scope.cancel()


def test_a_good_handshake_gives_its_key():
    assert check_upgrade("GET", "1.1", GOOD, 0) == GOOD["sec-websocket-key"]


def test_tokens_are_compared_without_case():
    assert check_upgrade("GET", "1.1", {**GOOD, "connection": "UPGRADE"}, 0)


def test_a_key_of_any_sixteen_bytes_is_good():
    key = base64.b64encode(bytes(range(240, 256))).decode()
    assert check_upgrade("GET", "1.1", {**GOOD, "sec-websocket-key": key}, 0) == key


def test_subprotocols_are_chosen_in_the_door_s_order():
    assert choose_subprotocol({"sec-websocket-protocol": "b,a"}, ("a", "b")) == "a"
    assert choose_subprotocol({"sec-websocket-protocol": "c"}, ("a", "b")) == ""
    assert choose_subprotocol({}, ("a",)) == ""


# -- messages -------------------------------------------------------------------------------------------------


async def test_text_and_binary_are_handed_on_as_what_they_are(house, wire):
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x81, "größe".encode()) + wire.frame(0x82, b"\x00\xff"))
        assert await wire.read_frame(stream) == (0x81, "größe".encode())
        assert await wire.read_frame(stream) == (0x82, b"\x00\xff")
    assert house.gate.peers[0].messages == ["größe", b"\x00\xff"]


async def test_a_message_in_pieces_is_put_together(house, wire):
    stream = await house.upgrade()
    async with stream:
        text = "é€𝄞".encode()
        await stream.send_all(wire.frame(0x01, text[:3]) + wire.frame(0x89, b"in between"))
        await stream.send_all(wire.frame(0x00, text[3:4]) + wire.frame(0x80, text[4:]))
        assert await wire.read_frame(stream) == (0x8A, b"in between")
        assert await wire.read_frame(stream) == (0x81, text)


async def test_a_ping_is_answered_and_a_pong_is_not(house, wire):
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x8A, b"unasked") + wire.frame(0x89, b"you there?"))
        assert await wire.read_frame(stream) == (0x8A, b"you there?")


async def test_many_small_messages_in_one_packet_are_all_handed_on(house, wire):
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x82) * 3000 + wire.frame(0x81, b"last"))
        for _ in range(3000):
            assert await wire.read_frame(stream) == (0x82, b"")
        assert await wire.read_frame(stream) == (0x81, b"last")
    assert counters.frames_received >= 3001


async def test_the_next_message_waits_until_the_last_one_is_handled(house, wire):
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x81, b"wait") + wire.frame(0x81, b"next"))
        await trio.testing.wait_all_tasks_blocked()
        peer = house.gate.peers[0]
        assert peer.messages == ["wait"]
        peer.released.set()
        assert await wire.read_frame(stream) == (0x81, b"wait")
        assert await wire.read_frame(stream) == (0x81, b"next")


async def test_a_client_whose_messages_are_not_handled_is_read_no_further(house, wire):
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x81, b"wait"))
        with trio.move_on_after(0.2) as scope:
            while True:
                await stream.send_all(wire.frame(0x82, b"x" * 60_000))
        assert scope.cancelled_caught, "the client is made to wait"


async def test_a_peer_that_fails_closes_its_link_with_1011_and_no_other(house, wire, monkeypatch):
    reported = []
    monkeypatch.setattr(events, "connection_failed", lambda **fields: reported.append(str(fields["error"])))
    good, bad = await house.upgrade(), await house.upgrade()
    async with good, bad:
        await bad.send_all(wire.frame(0x81, b"fail") + wire.frame(0x81, b"more"))
        assert (await closing(bad, wire))[0] == 1011
        await good.send_all(wire.frame(0x81, b"hi"))
        assert await wire.read_frame(good) == (0x81, b"hi")
        await bad.send_all(wire.frame(0x88, b"\x03\xf3"))
        assert await bad.receive_some() == b""
    await house.is_empty()
    assert reported == ["planted"]
    failed = next(peer for peer in house.gate.peers if "fail" in peer.messages)
    assert failed.messages == ["fail"]
    assert [code for code, _ in failed.endings] == [1011]


# -- limits and faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload", [b"x" * 65_537, "𝄞".encode() * 16_385, b"x" * 200_000], ids=["ascii", "counted in bytes", "much"]
)
async def test_a_message_over_the_limit_is_1009_and_the_connection_ends(house, wire, payload):
    stream = await house.upgrade()
    async with stream, trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, wire.frame(0x81, payload))
        code, reason = await closing(stream, wire)
        assert (code, "65536 bytes" in reason) == (1009, True)
    await house.is_empty()
    assert [code for code, _ in house.gate.peers[0].endings] == [1009]


async def test_a_message_as_large_as_the_limit_is_taken(house, wire):
    stream = await house.upgrade()
    async with stream, trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, wire.frame(0x82, b"x" * 65_536))
        assert await wire.read_frame(stream) == (0x82, b"x" * 65_536)


async def test_the_limit_of_a_message_is_a_setting(serve, wire):
    house = await serve(message_size=1024)
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x81, b"x" * 1025))
        assert (await closing(stream, wire))[0] == 1009


async def test_a_message_in_endless_empty_pieces_is_1008(serve, wire):
    unhurried = LimitSettings(connection=ConnectionLimitSettings(frames=0))
    house = await serve(message_size=1024, limits=unhurried)
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x01) + wire.frame(0x00) * 1100)
        assert (await closing(stream, wire))[0] == 1008


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (lambda frame: frame(0x81, b"\xff\xfe"), 1007),
        (lambda frame: frame(0x81, b"\xed\xa0\x80"), 1007),
        (lambda frame: frame(0x01, b"\xc3") + frame(0x80, b"x"), 1007),
        (lambda frame: frame(0x88, b"\x03\xe8\xff"), 1007),
        (lambda frame: frame(0x81, b"x", mask=b""), 1002),
        (lambda frame: frame(0xC1, b"x"), 1002),
        (lambda frame: frame(0x83, b"x"), 1002),
        (lambda frame: frame(0x80, b"x"), 1002),
        (lambda frame: frame(0x01, b"x") + frame(0x81, b"x"), 1002),
        (lambda frame: frame(0x09, b"x"), 1002),
        (lambda frame: frame(0x89, b"x" * 126), 1002),
        (lambda frame: frame(0x88, b"x"), 1002),
        (lambda frame: frame(0x88, b"\x03\xee"), 1002),
        (lambda frame: frame(0x88, b"\xff\xff"), 1002),
        (lambda _frame: b"\x81\xfe\x00\x05\0\0\0\0hello", 1002),
        (lambda _frame: b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
)
async def test_a_malformed_frame_is_told_what_it_is(house, wire, data, code):
    rejected = counters.frames_rejected.total
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(data(wire.frame))
        assert (await closing(stream, wire))[0] == code
        await stream.send_all(wire.frame(0x88, code.to_bytes(2, "big")))
        await stream.send_eof()
        assert await stream.receive_some() == b""
    await house.is_empty()
    assert [found for found, _ in house.gate.peers[0].endings] == [code]
    assert counters.frames_rejected.total == rejected + 1


async def test_a_client_at_fault_that_does_not_leave_is_cut(serve, wire, patient_clock):
    house = await serve(ping_interval=1000.0, dead_after=2000.0)
    stream = await house.upgrade()
    async with stream:
        began = trio.current_time()
        await stream.send_all(b"\x81\x05hello")
        assert (await closing(stream, wire))[0] == 1002
        assert await wire.read_all(stream) == b""
        assert 5 <= trio.current_time() - began < 6


# -- closing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "echoed", "ending"),
    [
        (b"\x03\xe8", b"\x03\xe8", (1000, "")),
        (b"\x03\xe9going", b"\x03\xe9going", (1001, "going")),
        (b"\x0f\xa0own", b"\x0f\xa0own", (4000, "own")),
        (b"", b"", (1005, "")),
    ],
)
async def test_a_client_s_close_is_answered_and_the_connection_ends(house, wire, sent, echoed, ending):
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x88, sent))
        assert await wire.read_frame(stream) == (0x88, echoed)
        assert await stream.receive_some() == b""
    await house.is_empty()
    assert house.gate.peers[0].endings == [ending]


async def test_what_a_client_said_before_its_close_is_handled(house, wire):
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x81, b"one") + wire.frame(0x81, b"two") + wire.frame(0x88, b"\x03\xe8"))
        await wire.read_all(stream)
    await house.is_empty()
    assert house.gate.peers[0].messages == ["one", "two"]
    assert house.gate.peers[0].endings == [(1000, "")]


async def test_a_link_that_is_gone_ends_with_1006(house):
    stream = await house.upgrade()
    await stream.aclose()
    await house.is_empty()
    assert house.gate.peers[0].endings == [(1006, "link lost")]


async def test_a_link_that_is_told_to_close_sends_its_code_once(house, wire):
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x81, b"close"))
        assert await wire.read_frame(stream) == (0x88, b"\x10\x69as asked")
        await stream.send_all(wire.frame(0x88, b"\x10\x69"))
        assert await wire.read_all(stream) == b"", "no second Close"
    await house.is_empty()
    assert house.gate.peers[0].endings == [(4201, "as asked")]


async def test_a_close_without_a_reason_says_what_its_code_means(house, wire):
    stream = await house.upgrade()
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        house.gate.peers[0].link.close(4101)
        assert await closing(stream, wire) == (4101, "the gateway sheds load")


async def test_a_long_reason_is_cut_between_characters(house, wire):
    stream = await house.upgrade()
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        house.gate.peers[0].link.close(4101, "é" * 100)
        assert await closing(stream, wire) == (4101, "é" * 61)


async def test_a_close_goes_behind_what_waits(house, wire):
    stream = await house.upgrade(size=4096)
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        link = house.gate.peers[0].link
        for _ in range(20):
            link.stream.offer(Frame(frame_bytes(0x82, b"x" * 10_000)))
        link.close(1001, "bye")
        for _ in range(20):
            assert await wire.read_frame(stream) == (0x82, b"x" * 10_000)
        assert await wire.read_frame(stream) == (0x88, b"\x03\xe9bye")


async def test_a_silent_client_does_not_keep_a_closed_link_open(serve, wire, patient_clock):
    house = await serve(ping_interval=1000.0, dead_after=2000.0)
    stream = await house.upgrade()
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
        house.gate.peers[0].link.close(1001, "bye", patience=3.0)
        assert await closing(stream, wire) == (1001, "bye")
        assert await wire.read_all(stream) == b""
        assert 3 <= trio.current_time() - began < 4
    await house.is_empty()
    assert house.gate.peers[0].endings == [(1001, "bye")]


async def test_a_client_that_does_not_read_does_not_keep_a_closed_link_open(serve, patient_clock):
    house = await serve(ping_interval=1000.0, dead_after=2000.0)
    stream = await house.upgrade(size=4096)
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        link = house.gate.peers[0].link
        for _ in range(20):
            link.stream.offer(Frame(frame_bytes(0x82, b"x" * 10_000)))
        began = trio.current_time()
        link.close(1001, "bye")
        await house.is_empty()
        assert 5 <= trio.current_time() - began < 9
    assert house.gate.peers[0].endings == [(1001, "bye")]


async def test_a_client_that_does_not_read_the_answer_to_its_close_is_cut(serve, wire, patient_clock):
    house = await serve()
    stream = await house.upgrade(size=4096)
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(20):
            house.gate.peers[0].link.stream.offer(Frame(frame_bytes(0x82, b"x" * 10_000)))
        await stream.send_all(wire.frame(0x88, b"\x03\xe8"))
        began = trio.current_time()
        await house.is_empty()
        assert trio.current_time() - began < 25
    assert len(house.gate.peers[0].endings) == 1


async def test_a_link_is_closed_while_a_message_is_handled(serve, wire, patient_clock):
    house = await serve(ping_interval=1000.0, dead_after=2000.0)
    stream = await house.upgrade()
    async with stream:
        await stream.send_all(wire.frame(0x81, b"wait"))
        await trio.testing.wait_all_tasks_blocked()
        house.gate.peers[0].link.close(4101, "enough")
        assert await closing(stream, wire) == (4101, "enough")
        await house.is_empty()
    assert house.gate.peers[0].endings == [(4101, "enough")]


async def test_the_first_close_counts(house, wire):
    stream = await house.upgrade()
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        link = house.gate.peers[0].link
        link.close(4101, "first")
        link.close(4201, "second")
        link.abort()
        link.lost("third")
        assert link.closing == (4101, "first")


async def test_a_code_that_cannot_be_sent_is_our_mistake(house):
    stream = await house.upgrade()
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        link = house.gate.peers[0].link
        for code in (1005, 1006, 99, 5000):
            with pytest.raises(UsageError):
                link.close(code)
        assert link.closing is None


async def test_an_aborted_link_ends_at_once_without_a_close(house, wire):
    stream = await house.upgrade()
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        house.gate.peers[0].link.abort("enough")
        with trio.fail_after(1):
            assert await wire.read_all(stream) == b""
    await house.is_empty()
    assert house.gate.peers[0].endings == [(1006, "enough")]


async def test_a_link_with_too_many_critical_frames_waiting_ends_with_4202(serve, wire, patient_clock):
    overflowed = counters.outboxes_overflowed
    house = await serve(outbox_critical=10)
    stream = await house.upgrade(size=4096)
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        link = house.gate.peers[0].link
        for _ in range(60):
            link.stream.offer(Frame(frame_bytes(0x82, b"x" * 10_000), Priority.CRITICAL))
        assert link.closing is not None
        assert link.closing[0] == 4202
        assert (await closing(stream, wire))[0] == 4202
        await house.is_empty()
    assert [code for code, _ in house.gate.peers[0].endings] == [4202]
    assert counters.outboxes_overflowed == overflowed + 1


# -- what a link costs ----------------------------------------------------------------------------------------


async def test_an_idle_link_keeps_one_task_and_nothing_of_its_handshake(house):
    before = trio.lowlevel.current_statistics().tasks_living
    stream = await house.upgrade()
    async with stream:
        await trio.testing.wait_all_tasks_blocked()
        assert trio.lowlevel.current_statistics().tasks_living == before + 1
        gc.collect()
        connections = [item for item in gc.get_objects() if type(item) is trio_websocket.WebSocketConnection]
        assert len(connections) == 1
        protocol = connections[0]._wsproto
        assert protocol.connection is not None
        assert protocol.handshake.__name__ == "_NoHandshake", "the library keeps it elsewhere: see _forget_handshake"
