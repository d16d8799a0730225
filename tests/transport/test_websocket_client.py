"""A WebSocket that we open ourselves, against an independent server and against raw bytes."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from tests.nodes.serving import Answer, Attended, Node
from transport import Closed, LinkLimits, Refused, Unfetched, connect

MIB = 1024 * 1024


class Echo(Node):
    """Sends back what it is sent; a text that is a number makes it send a message of so many bytes."""

    async def attend(self, link: Attended) -> None:
        async for message in link:
            await link.send("x" * int(message) if message.isdigit() else message)


async def _until(condition) -> None:
    """Wait for what real sockets bring about; the test's own time limit is the patience."""
    while not condition():
        await trio.lowlevel.checkpoint()


@asynccontextmanager
async def _saying(*pieces: bytes, ends: bool = False):
    """A server that answers an opening handshake with bytes."""

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            read = b""
            while b"\r\n\r\n" not in read:
                read += await stream.receive_some(10_000)
            for piece in pieces:
                await stream.send_all(piece)
            if not ends:
                await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        yield f"ws://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


# -- to and fro -------------------------------------------------------------------------------------------------------


async def test_what_is_sent_arrives_and_what_comes_is_given_out_in_order():
    async with Echo() as node, connect(f"{node.link}/websocket?a=b") as link:
        for word in ("one", "zwei", "trois"):
            await link.send(word)
        assert [await anext(link) for _ in range(3)] == ["one", "zwei", "trois"]
        statistics = link.statistics()
        assert (statistics.waiting, statistics.received, statistics.sent) == (0, 3, 3)
        assert statistics.received_size > len("onezweitrois")
        assert node.links[0].path == "/websocket"
        assert link.closed is None
    await _until(lambda: not node.links)


async def test_an_address_of_http_leads_to_the_same_place():
    async with Echo() as node, connect(node.url) as link:
        await link.send("a")
        assert await anext(link) == "a"


async def test_secrets_go_with_the_request_and_nowhere_else():
    async with Echo() as node:
        address = node.link.replace("//", "//us%40er:pass@")
        async with connect(f"{address}/?token=sesame", headers={"X-Key": "open"}) as link:
            headers = node.links[0].headers
            assert headers["authorization"] == "Basic dXNAZXI6cGFzcw=="
            assert headers["x-key"] == "open"
            assert headers["host"] == node.link.removeprefix("ws://")
            node.cut()
            with pytest.raises(Closed) as caught:
                await anext(link)
    assert "sesame" not in str(caught.value)
    assert "pass" not in str(caught.value)


async def test_what_is_raised_inside_comes_out_as_it_is():
    async with Echo() as node:
        with pytest.raises(KeyError, match="planted"):
            async with connect(node.link):
                raise KeyError("planted")
        await _until(lambda: not node.lines)


async def test_a_link_is_ended_when_its_task_is_cancelled():
    async with Echo() as node:
        with trio.CancelScope() as scope:
            async with connect(node.link) as link:
                scope.cancel()
                await anext(link)
        assert scope.cancelled_caught
        await _until(lambda: not node.lines)


# -- large messages ---------------------------------------------------------------------------------------------------


async def test_a_message_of_five_mebibytes_comes_whole():
    async with Echo() as node, connect(node.link) as link:
        await link.send(str(5 * MIB))
        assert len(await anext(link)) == 5 * MIB
        await link.send("still there")
        assert await anext(link) == "still there"


async def test_a_message_beyond_the_limit_ends_the_link_before_it_has_come():
    # A header that promises 64 MiB and a byte, and nothing behind it.
    head = b"\x81\x7f" + (64 * MIB + 1).to_bytes(8, "big")
    async with Echo() as node, connect(node.link) as link:
        await node.links[0]._line.send(head)
        with pytest.raises(Closed, match="larger than 67108864 bytes; whoever subscribed must") as caught:
            await anext(link)
    assert (caught.value.ending, caught.value.code) == ("oversized", 1009)


async def test_a_limit_counts_bytes_and_not_characters():
    limits = LinkLimits(message_size=1000)
    async with Echo() as node, connect(node.link, limits=limits) as link:
        await node.links[0].send("é" * 500)
        assert await anext(link) == "é" * 500
        await node.links[0].send("é" * 501)
        with pytest.raises(Closed) as caught:
            await anext(link)
    assert caught.value.ending == "oversized"


async def test_a_message_in_endless_pieces_is_not_put_together():
    async with Echo() as node, connect(node.link, limits=LinkLimits(message_size=1000)) as link:
        await node.links[0]._line.send(b"\x01\x00" + b"\x00\x00" * 2000)
        with pytest.raises(Closed) as caught:
            await anext(link)
    assert (caught.value.ending, caught.value.code) == ("oversized", 1008)


# -- a slow consumer --------------------------------------------------------------------------------------------------


async def test_pings_are_answered_while_nobody_takes_the_messages():
    async with Echo() as node, connect(node.link) as link:
        server = node.links[0]
        for number in range(500):
            await server.send(f"message {number}")
        await server.ping(b"are you there")
        await _until(lambda: server.pongs)
        assert server.pongs == [b"are you there"]
        assert link.statistics().waiting == 500
        assert [await anext(link) for _ in range(500)] == [f"message {number}" for number in range(500)]


@pytest.mark.parametrize("limits", [LinkLimits(waiting_count=10), LinkLimits(waiting_size=10 * 1049)])
async def test_who_falls_too_far_behind_is_told_so_and_gets_what_has_waited(limits):
    async with Echo() as node, connect(node.link, limits=limits) as link:
        server = node.links[0]
        for number in range(12):
            await server.send(f"{number:1000}")
        await _until(lambda: link.closed)
        assert [await anext(link) for _ in range(10)] == [f"{number:1000}" for number in range(10)]
        for _ in range(2):
            with pytest.raises(Closed, match=r"10 messages wait.*; this machine is too slow") as caught:
                await anext(link)
    assert caught.value.ending == "behind"


async def test_one_message_may_wait_however_large_it_is():
    async with Echo() as node, connect(node.link, limits=LinkLimits(waiting_size=100)) as link:
        await link.send("5000")
        assert len(await anext(link)) == 5000


# -- ends -------------------------------------------------------------------------------------------------------------


async def test_the_nodes_close_is_told_behind_what_it_has_sent():
    async with Echo() as node, connect(node.link) as link:
        await node.links[0].send("last words")
        await node.links[0].close(1012, "restarting")
        assert await anext(link) == "last words"
        with pytest.raises(Closed, match="1012: restarting; the node ended it") as caught:
            await anext(link)
        assert (caught.value.ending, caught.value.code, caught.value.reason) == ("closed", 1012, "restarting")
        with pytest.raises(Closed, match="restarting"):
            await link.send("too late")
        assert str(link.closed) == str(caught.value)


async def test_a_link_that_is_cut_is_told_as_cut():
    async with Echo() as node, connect(node.link) as link:
        node.cut()
        with pytest.raises(Closed, match="1006; the node, or what stands before it, is gone") as caught:
            await anext(link)
    assert (caught.value.ending, caught.value.code) == ("cut", 1006)


async def test_who_sends_learns_that_the_link_was_cut():
    async with Echo() as node, connect(node.link) as link:
        node.cut()
        with pytest.raises(Closed) as caught:  # noqa: PT012 - the first may be sent before it is known
            while True:
                await link.send("hello?")
    assert caught.value.ending == "cut"


async def test_a_node_that_hangs_is_given_up(autojump_clock):
    async with Echo() as node, connect(node.link) as link:
        began = trio.current_time()
        node.hang()
        with pytest.raises(Closed, match="within 10 s of a ping; the node is hung") as caught:
            await anext(link)
        assert trio.current_time() - began == pytest.approx(20, abs=0.5)
        node.wake()
    assert caught.value.ending == "silent"


async def test_a_node_that_answers_pings_may_be_silent_for_ever(mock_clock):
    limits = LinkLimits(ping_interval=10, patience=10)
    async with Echo() as node, connect(node.link, limits=limits) as link:
        for _ in range(20):
            heard = link.statistics().received_size
            mock_clock.jump(10)
            await _until(lambda heard=heard: link.statistics().received_size > heard)
        await link.send("still there")
        assert await anext(link) == "still there"


async def test_who_sends_need_not_answer_pings(mock_clock):
    """A pong waits behind a long message: what comes in shows well enough that somebody is there."""
    pieces = [b"\x01\x01a", *[b"\x00\x01b"] * 5]
    async with Echo() as node, connect(node.link) as link:
        line = node.links[0]._line
        node.hang()
        for piece in pieces:
            heard = link.statistics().received_size
            await line._stream.send_all(piece)
            await _until(lambda heard=heard: link.statistics().received_size > heard)
            mock_clock.jump(11)
            await trio.testing.wait_all_tasks_blocked()
        await line._stream.send_all(b"\x80\x01c")
        assert await anext(link) == "abbbbbc"
        node.wake()


@pytest.mark.parametrize(("frame", "code"), [(b"\x83\x01a", 1002), (b"\x81\x81abcda", 1002), (b"\x81\x01\xff", 1007)])
async def test_frames_that_are_none_end_the_link(frame, code):
    async with Echo() as node, connect(node.link) as link:
        await node.links[0]._line.send(frame)
        with pytest.raises(Closed, match="what the node sent is no WebSocket") as caught:
            await anext(link)
    assert (caught.value.ending, caught.value.code) == ("garbled", code)


async def test_a_stuck_node_does_not_hold_up_the_end(autojump_clock):
    async with Echo() as node:
        async with connect(node.link):
            node.hang()
            began = trio.current_time()
        assert trio.current_time() - began <= 1.0
        node.wake()


# -- opening ----------------------------------------------------------------------------------------------------------


async def test_a_frame_that_comes_with_the_answer_is_not_lost():
    class Eager(Node):
        async def attend(self, link: Attended) -> None:
            await link.send("welcome")
            await super().attend(link)

    async with Eager() as node, connect(node.link) as link:
        assert await anext(link) == "welcome"


async def test_a_node_that_will_not_is_quoted():
    async with Echo() as node:
        node.answers["/websocket"] = Answer(status=503)
        with pytest.raises(Refused, match="HTTP 503: no") as caught:
            async with connect(f"{node.link}/websocket"):
                pytest.fail("it was refused")
    assert caught.value.status == 503


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize(
    "said",
    [
        b"220 mail.acme.example ESMTP\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AA=\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
        b"\x00\x01\x02" * 1000,
    ],
)  # fmt: skip
async def test_what_is_no_answer_to_an_opening_handshake_is_none(said, ends):
    async with _saying(said, ends=ends) as url:
        with pytest.raises(Unfetched, match="does not answer the opening handshake but says") as caught:
            async with connect(url):
                pytest.fail("there was no answer")
    assert caught.value.trouble == "garbled"


async def test_a_node_that_leaves_during_the_opening_is_not_waited_for():
    async with _saying(ends=True) as url:
        with pytest.raises(Unfetched, match="closed during the opening handshake") as caught:
            async with connect(url):
                pytest.fail("there was no answer")
    assert caught.value.trouble == "cut"


async def test_a_node_that_does_not_answer_is_waited_for_until_the_deadline(autojump_clock):
    async with Echo() as node:
        node.hang()
        began = trio.current_time()
        with pytest.raises(Unfetched, match="no link within 4 s") as caught:
            async with connect(node.link, limits=LinkLimits(deadline=4)):
                pytest.fail("it hangs")
        assert trio.current_time() - began == pytest.approx(4, abs=0.1)
    assert caught.value.trouble == "silent"


async def test_a_node_that_is_not_there_is_said_to_be_so():
    async with Echo() as node:
        node.leave()
        with pytest.raises(Unfetched, match=r"refused; is the node running") as caught:
            async with connect(node.link):
                pytest.fail("nobody is there")
        await node.come_back()
        async with connect(node.link) as link:
            await link.send("back")
            assert await anext(link) == "back"
    assert caught.value.trouble == "unreachable"


@pytest.mark.parametrize("url", ["", "127.0.0.1:26657", "ftp://127.0.0.1/", "ws://"])
async def test_an_address_that_leads_nowhere_is_refused_at_once(url):
    with pytest.raises(ValueError, match=r"address begins with|opened to ws"):
        async with connect(url):
            pytest.fail("it leads nowhere")


# -- TLS --------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _secret(node: Node, context):
    """The same node, behind TLS."""
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1", https_compatible=True)
        nursery.start_soon(trio.serve_listeners, node._serve, listeners)
        yield f"wss://127.0.0.1:{listeners[0].transport_listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def test_a_node_whose_certificate_is_trusted_is_linked(server_context, client_context):
    async with Echo() as node, _secret(node, server_context) as url, connect(url, context=client_context) as link:
        await link.send(json.dumps({"a": 1}))
        assert await anext(link) == '{"a": 1}'
        await link.send(str(3 * MIB))
        assert len(await anext(link)) == 3 * MIB


async def test_a_node_whose_certificate_is_not_trusted_is_not_linked(server_context):
    async with Echo() as node, _secret(node, server_context) as url:
        with pytest.raises(Unfetched, match="certificate refused") as caught:
            async with connect(url):
                pytest.fail("nobody trusts it")
    assert caught.value.trouble == "untrusted"
    assert node.links == []
