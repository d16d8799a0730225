"""One POST that we begin ourselves, against servers that say what a test has them say."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio

from transport import Unanswered, post


@asynccontextmanager
async def _answering(answer: bytes, *, ends: bool = True):
    """A server that reads one request and says ``answer``; what it read is in ``read``."""
    read = bytearray()

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            while b"\r\n\r\n" not in read or not bytes(read).endswith(b"!"):
                read.extend(await stream.receive_some(1000))
            await stream.send_all(answer)
            if not ends:
                await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listeners[0].socket.getsockname()[1]
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        yield f"http://127.0.0.1:{port}", read
        nursery.cancel_scope.cancel()


async def test_the_request_says_what_it_must():
    async with _answering(b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok") as (url, read):
        answer = await post(f"{url}/a/b?c=d", {"X-One": "1"}, b"hello!", 5.0)
    assert (answer.status, answer.reason, answer.body, answer.is_taken) == (200, "Fine", "ok", True)
    head, _, body = bytes(read).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /a/b?c=d HTTP/1.1"
    assert {line.lower() for line in lines[1:]} == {
        b"host: " + url.removeprefix("http://").encode(), b"content-length: 6", b"connection: close", b"x-one: 1",
    }  # fmt: skip
    assert body == b"hello!"


async def test_an_answer_before_the_answer_is_passed_over():
    early = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
    async with _answering(early) as (url, _):
        assert (await post(url, {}, b"!", 5.0)).status == 202


@pytest.mark.parametrize("ends", [True, False])
async def test_of_a_body_without_end_only_the_beginning_is_read(ends):
    endless = b"HTTP/1.1 500 Broken\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"x" * 4096 + b"\r\n"
    async with _answering(endless, ends=ends) as (url, _):
        answer = await post(url, {}, b"!", 5.0)
    assert answer.body == "x" * 1024
    assert not answer.is_taken


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "no HTTP|closed without an answer"),
        (b"220 mail.acme.example ESMTP\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "no HTTP"),
    ],
)
async def test_what_is_no_whole_answer_is_none(answer, reason):
    async with _answering(answer) as (url, _):
        with pytest.raises(Unanswered, match=reason):
            await post(url, {}, b"!", 5.0)


async def test_an_answer_that_does_not_come_is_not_waited_for(autojump_clock):
    async with _answering(b"HTTP/1.1 200 OK\r\n", ends=False) as (url, _):
        with pytest.raises(Unanswered, match="no answer within 3 s"):
            await post(url, {}, b"!", 3.0)


async def test_where_nobody_listens_that_is_said():
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    with pytest.raises(Unanswered, match=r"(?i)refused|failed"):
        await post(f"http://127.0.0.1:{port}/", {}, b"!", 5.0)
