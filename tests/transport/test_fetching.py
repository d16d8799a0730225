"""Asking a node over HTTP, against servers that say what a test has them say."""

from __future__ import annotations

import gc
import json
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from transport import Fetcher, Refused, Unfetched, UsageError, fetching

Serve = Callable[[trio.abc.Stream], Awaitable[None]]


class Asked(list[bytes]):
    """What a server was asked; ``connections`` is how many came."""

    connections = 0


@asynccontextmanager
async def _node(*answers: bytes | Serve, context=None):
    """A server that gives the answers, one after the other, however many connections that takes."""
    asked = Asked()
    waiting = list(answers)

    async def serve(stream: trio.abc.Stream) -> None:
        asked.connections += 1
        async with stream:
            while waiting and (request := await _request(stream)):
                asked.append(request)
                answer = waiting.pop(0)
                if isinstance(answer, bytes):
                    await stream.send_all(answer)
                else:
                    await answer(stream)

    async with trio.open_nursery() as nursery:
        if context is None:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            port = listeners[0].socket.getsockname()[1]
        else:
            listeners = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1", https_compatible=True)
            port = listeners[0].transport_listener.socket.getsockname()[1]
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        yield f"http{'s' if context else ''}://127.0.0.1:{port}", asked
        nursery.cancel_scope.cancel()


async def _request(stream: trio.abc.Stream) -> bytes:
    read = b""
    while True:
        try:
            data = await stream.receive_some(65536)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""
        read += data
        head, end, body = read.partition(b"\r\n\r\n")
        sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if end and len(body) >= int(sizes[0].split(b":")[1] if sizes else 0):
            return read
        if not data:
            return b""


def answer(body: object, status: str = "200 OK", *lines: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


async def ending(stream: trio.abc.Stream) -> None:
    await stream.aclose()


async def silence(_: trio.abc.Stream) -> None:
    await trio.sleep_forever()


def sends(*pieces: bytes, then: Serve = silence) -> Serve:
    async def serve(stream: trio.abc.Stream) -> None:
        for piece in pieces:
            await stream.send_all(piece)
        await then(stream)

    return serve


# -- asking -----------------------------------------------------------------------------------------------------------


async def test_a_path_is_asked_for_with_its_query_and_what_a_node_must_know():
    async with (
        _node(answer({"a": [1, None]})) as (url, asked),
        Fetcher(f"{url}/rest/", headers={"X-Key": "sesame"}) as node,
    ):
        assert await node.get("/cosmos/staking", {"status": "BONDED", "id": ["1", "2"]}) == {"a": [1, None]}
    lines = asked[0].lower().split(b"\r\n")
    assert lines[0] == b"get /rest/cosmos/staking?status=bonded&id=1&id=2 http/1.1"
    assert {b"x-key: sesame", b"accept: application/json", b"accept-encoding: identity"} <= set(lines)


async def test_a_query_may_be_pairs_and_a_name_and_password_in_the_address_are_a_header():
    async with _node(answer({})) as (url, asked), Fetcher(url.replace("//", "//us%40er:pass@")) as node:
        await node.get("/x", (("id", "1"), ("id", "a b&c"), ("state", "")))
        assert node.place == url
    assert asked[0].startswith(b"GET /x?id=1&id=a+b%26c&state= HTTP/1.1\r\n")
    assert b"authorization: basic dxnazxi6cgfzcw==" in asked[0].lower()


async def test_a_value_is_posted_and_its_answer_read():
    async with _node(answer({"data": []}), answer({"message": "no"}, "405 No")) as (url, asked), Fetcher(url) as node:
        assert await node.post("/eth/v1/validator/liveness/1", ["1", "2"]) == {"data": []}
        with pytest.raises(Refused, match="HTTP 405: no"):
            await node.post("/", {})
    assert asked[0].startswith(b"POST /eth/v1/validator/liveness/1 HTTP/1.1\r\n")
    assert asked[0].endswith(b'\r\n\r\n["1","2"]')


async def test_fields_are_posted_as_a_form_with_headers_of_their_own():
    async with _node(answer({"ok": True})) as (url, asked), Fetcher(url) as node:
        assert await node.submit("/token?kind=1", {"code": "a&b", "of": "ä"}, {"authorization": "Basic eA=="}) == {
            "ok": True
        }
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /token?kind=1 HTTP/1.1\r\n")
    assert b"content-type: application/x-www-form-urlencoded" in head.lower()
    assert b"authorization: Basic eA==" in head
    assert body == b"code=a%26b&of=%C3%A4"


async def test_an_answer_comes_with_its_headers_and_the_time_that_it_took(autojump_clock):
    async def slow(stream: trio.abc.Stream) -> None:
        await trio.sleep(2)
        await stream.send_all(answer({}, "206 Partial Content", "Grpc-Metadata-X-Cosmos-Block-Height: 77"))

    async with _node(slow) as (url, asked), Fetcher(url) as node:
        fetched = await node.fetch("/x", headers={"x-cosmos-block-height": "77"})
    assert (fetched.status, fetched.headers["grpc-metadata-x-cosmos-block-height"]) == (206, "77")
    assert fetched.round_trip == pytest.approx(2, abs=0.5)
    assert b"x-cosmos-block-height: 77" in asked[0].lower()


async def test_no_body_is_no_value():
    async with _node(answer(b""), answer(b" \n")) as (url, _), Fetcher(url) as node:
        assert await node.get("/eth/v1/node/health") is None
        assert await node.get("/eth/v1/node/health") is None


async def test_a_call_is_json_rpc_and_returns_its_result():
    def result(number: object) -> bytes:
        return answer({"jsonrpc": "2.0", "id": number, "result": {"height": str(number)}})

    async with _node(result(1), result("2"), result(3)) as (url, asked), Fetcher(url) as node:
        assert await node.call("block", {"height": "5"}) == {"height": "1"}
        assert await node.call("eth_getBlockByNumber", ["latest", False]) == {"height": "2"}
        assert await node.call("status") == {"height": "3"}
    bodies = [json.loads(one.partition(b"\r\n\r\n")[2]) for one in asked]
    assert bodies == [
        {"jsonrpc": "2.0", "id": 1, "method": "block", "params": {"height": "5"}},
        {"jsonrpc": "2.0", "id": 2, "method": "eth_getBlockByNumber", "params": ["latest", False]},
        {"jsonrpc": "2.0", "id": 3, "method": "status", "params": []},
    ]
    assert asked[0].startswith(b"POST / HTTP/1.1")


async def test_a_result_of_null_is_one():
    async with _node(answer({"jsonrpc": "2.0", "id": 1, "result": None})) as (url, _), Fetcher(url) as node:
        assert await node.call("eth_getBlockByHash", ["0x00", False]) is None


async def test_requests_share_a_connection_and_wait_for_one_where_there_are_no_more():
    def result(number: int) -> bytes:
        return answer({"n": number})

    async with _node(result(1), result(1), result(1)) as (url, asked), Fetcher(url, connections=1) as node:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(node.get, "/x")
        assert node.statistics.asked == 3
        assert node.statistics.waiting == 0
        assert node.statistics.received == 3 * len('{"n": 1}')
    assert asked.connections == 1


async def test_a_connection_that_the_node_has_closed_is_not_used_again():
    async def once(stream: trio.abc.Stream) -> None:
        await stream.send_all(answer({"n": 1}))
        await stream.aclose()

    async def twice(stream: trio.abc.Stream) -> None:
        await stream.send_all(answer({"n": 2}))

    async with _node(once, twice) as (url, asked), Fetcher(url) as node:
        assert await node.get("/") == {"n": 1}
        assert await node.get("/") == {"n": 2}
    assert asked.connections == 2


@pytest.mark.parametrize(("idle", "connections"), [(fetching.IDLE, 1), (0.0, 2)])
async def test_a_connection_is_not_kept_unused_for_longer_than_its_time(idle, connections, monkeypatch):
    monkeypatch.setattr(fetching, "IDLE", idle)
    async with _node(answer({"n": 1}), answer({"n": 2})) as (url, asked), Fetcher(url) as node:
        assert await node.get("/") == {"n": 1}
        assert await node.get("/") == {"n": 2}
    assert asked.connections == connections


async def test_headers_of_a_request_go_before_the_nodes_and_those_before_the_usual_ones():
    async with _node(answer({})) as (url, asked), Fetcher(url, headers={"Accept": "a/b", "User-Agent": "u"}) as node:
        await node.fetch("/", headers={"ACCEPT": "c/d"})
    lines = asked[0].lower().split(b"\r\n")
    assert [line for line in lines if line.startswith((b"accept:", b"user-agent:"))] == [
        b"accept: c/d",
        b"user-agent: u",
    ]
    assert lines[1] == b"host: " + url.removeprefix("http://").encode()


async def test_a_cookie_goes_back_to_the_node_until_the_fetcher_ends():
    set_one, plain = answer({}, "200 OK", "Set-Cookie: at=node2; Path=/"), answer({})
    async with _node(set_one, plain, plain, plain) as (url, asked):
        node = Fetcher(url)
        async with node:
            for _ in range(2):
                await node.get("/x")
            await node.fetch("/x", headers={"Cookie": "mine=1"})
        async with node:
            await node.get("/x")
    cookies = [[line for line in one.lower().split(b"\r\n") if line.startswith(b"cookie:")] for one in asked]
    assert cookies == [[], [b"cookie: at=node2"], [b"cookie: mine=1"], []]


async def test_a_path_is_refused_that_leads_to_another_host():
    async with _node() as (url, asked), Fetcher(url) as node:
        with pytest.raises(ValueError, match="begins with a slash"):
            await node.get("@127.0.0.1:1/")
        assert node.statistics.waiting == 0
    assert asked == []


async def test_proxies_of_the_environment_are_not_asked(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with _node(answer({})) as (url, _), Fetcher(url) as node:
        assert await node.get("/") == {}


# -- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "status", "code", "message", "details"),
    [
        (answer({"code": 5, "message": "not found", "details": []}, "404 Not Found"), 404, 5, "not found", []),
        (answer({"error": "bad height"}, "400 Bad Request"), 400, None, "bad height", None),
        (answer(b"too  many\nrequests", "429 Too Many"), 429, None, "too many requests", None),
        (answer(b"<html>no</html>", "502 Bad Gateway"), 502, None, "Bad Gateway", None),
        (answer(b"", "503 No"), 503, None, "Service Unavailable", None),
        (answer(b"", "301 Moved", "Location: http://127.0.0.1:1/"), 301, None, "Moved Permanently", None),
        (answer(b"", "302 Found", "Location: http://["), 302, None, "Found", None),
    ],
)
async def test_what_a_node_will_not_answer_is_said_in_its_words(said, status, code, message, details):
    async with _node(said) as (url, _), Fetcher(url) as node:
        with pytest.raises(Refused) as caught:
            await node.get("/secret")
        assert node.statistics.refused == 1
        assert node.statistics.failed == 0
    found = caught.value
    assert (found.status, found.code, found.message, found.details) == (status, code, message, details)
    assert str(found).startswith(f"{url}: refused with HTTP {status}")
    assert "secret" not in str(found)


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error"])
async def test_the_error_of_a_call_is_the_nodes_own(status):
    error = {"code": -32603, "message": "Internal error", "data": "height 5 is not available, lowest height is 100"}
    said = answer({"jsonrpc": "2.0", "id": 1, "error": error}, status)
    async with _node(said) as (url, _), Fetcher(url) as node:
        with pytest.raises(
            Refused, match=r"Internal error \(height 5 is not available, lowest height is 100\)"
        ) as caught:
            await node.call("block", {"height": "5"})
    assert (caught.value.code, caught.value.details) == (-32603, error["data"])


async def test_all_that_a_node_said_is_kept_if_it_was_json():
    said = {"statusCode": 404, "error": "Not Found", "message": "Route GET:/x not found"}
    async with _node(answer(said, "404 Not Found"), answer(b"no", "404 Not Found")) as (url, _), Fetcher(url) as node:
        for expected in (said, None):
            with pytest.raises(Refused) as caught:
                await node.get("/x")
            assert caught.value.answer == expected


async def test_a_node_says_when_it_wants_to_be_asked_again():
    early = answer(b"", "429 Too Many Requests", "Retry-After: 30")
    late = answer(b"", "429 Too Many Requests", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT")
    async with _node(early, late) as (url, _), Fetcher(url) as node:
        for expected in (30.0, None):
            with pytest.raises(Refused) as caught:
                await node.get("/")
            assert caught.value.retry_after == expected


# -- unfetched --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (ending, "cut"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", then=ending), "cut"),
        (sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", then=ending), "cut"),
        (b"220 mail.acme.example ESMTP\r\n\r\n", "garbled"),
        (answer(b"<html></html>"), "garbled"),
        (answer(b"[" * 100 + b"]" * 100), "garbled"),
        (answer(b"\x1f\x8b", "200 OK", "Content-Encoding: gzip"), "garbled"),
        (answer(b"x" * 5000), "oversized"),
        (sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" + b"x" * 2048), "oversized"),
    ],
)  # fmt: skip
async def test_what_is_no_answer_that_can_be_used_is_none(said, trouble):
    async with _node(said, said) as (url, _), Fetcher(url, body_limit=2000) as node:
        with pytest.raises(Unfetched) as caught:
            await node.get("/secret?token=1")
        assert node.statistics.failed == 1
        assert node.statistics.waiting == 0
    assert caught.value.trouble == trouble
    assert str(caught.value).startswith(f"{url}: ")
    assert "secret" not in str(caught.value)
    assert "token" not in str(caught.value)


@pytest.mark.parametrize("said", [silence, sends(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")])
async def test_a_node_that_hangs_is_waited_for_until_the_deadline(said, autojump_clock):
    async with _node(said) as (url, _), Fetcher(url, deadline=7) as node:
        began = trio.current_time()
        with pytest.raises(Unfetched, match=r"within 7 s; the node is hung") as caught:
            await node.get("/")
        assert trio.current_time() - began == pytest.approx(7, abs=0.1)
    assert caught.value.trouble == "silent"


async def test_an_answer_in_drops_is_not_waited_for_longer_than_any_other(autojump_clock):
    async def drip(stream: trio.abc.Stream) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            await trio.sleep(1)
            await stream.send_all(b" ")

    async with _node(drip) as (url, _), Fetcher(url) as node:
        began = trio.current_time()
        with pytest.raises(Unfetched, match="not whole within 5 s"):
            await node.get("/", deadline=5)
        assert trio.current_time() - began == pytest.approx(5, abs=0.1)


async def test_a_node_that_is_not_there_is_said_to_be_so():
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    async with Fetcher(f"http://127.0.0.1:{port}") as node:
        with pytest.raises(Unfetched, match=r"cannot connect: .*refused; is the node running") as caught:
            await node.get("/")
        assert node.statistics.failed == 1
    assert caught.value.trouble == "unreachable"


@pytest.mark.parametrize(
    "said",
    [{"jsonrpc": "2.0", "id": 99, "result": 1}, {"jsonrpc": "2.0", "id": 1}, [], "ok", {"id": 1, "error": None}],
)
async def test_what_does_not_answer_a_call_is_not_taken_for_its_answer(said):
    async with _node(answer(said)) as (url, _), Fetcher(url) as node:
        with pytest.raises(Unfetched, match="JSON-RPC call") as caught:
            await node.call("status")
    assert caught.value.trouble == "garbled"


@pytest.mark.parametrize("base", ["", "127.0.0.1:26657", "/status", "ftp://127.0.0.1/", "http://"])
def test_an_address_that_leads_nowhere_is_refused_at_once(base):
    with pytest.raises(ValueError, match=r"address begins with|over http"):
        Fetcher(base)


async def test_who_has_not_entered_cannot_ask():
    node = Fetcher("http://127.0.0.1:1")
    with pytest.raises(UsageError):
        await node.get("/")
    async with node:
        with pytest.raises(UsageError):
            await node.__aenter__()


# -- TLS --------------------------------------------------------------------------------------------------------------


async def test_a_node_whose_certificate_is_trusted_is_asked(server_context, client_context):
    async with (
        _node(answer({"a": 1}), context=server_context) as (url, _),
        Fetcher(url, context=client_context) as node,
    ):
        assert await node.get("/") == {"a": 1}


async def test_a_node_whose_certificate_is_not_trusted_is_told_nothing(server_context):
    async with _node(answer({"a": 1}), context=server_context) as (url, asked), Fetcher(url) as node:
        with pytest.raises(Unfetched, match=r"certificate refused: .*; its operator must renew") as caught:
            await node.get("/", {"token": "sesame"})
    assert caught.value.trouble == "untrusted"
    assert asked == []


# -- streams ----------------------------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def test_a_stream_comes_as_it_is_sent_and_ends_where_the_node_ends_it():
    told = sends(HEAD, chunk(b"event: head\nda"), chunk(b"ta: {}\n\n"), chunk(b""), then=ending)
    async with (
        _node(told) as (url, asked),
        Fetcher(url) as node,
        node.stream("/eth/v1/events", {"topics": ["head", "block"]}, silence=5) as pieces,
    ):
        assert b"".join([piece async for piece in pieces]) == b"event: head\ndata: {}\n\n"
    assert asked[0].startswith(b"GET /eth/v1/events?topics=head&topics=block HTTP/1.1\r\n")
    assert b"accept: text/event-stream\r\n" in asked[0].lower()


async def test_the_connection_of_a_stream_that_has_ended_is_used_again():
    told = HEAD + chunk(b":\n") + chunk(b"")
    async with (
        _node(told, answer({"n": 1})) as (url, asked),
        Fetcher(url, connections=1) as node,
        node.stream("/", silence=5) as pieces,
    ):
        assert [piece async for piece in pieces] == [b":\n"]
        assert await node.get("/") == {"n": 1}
    assert asked.connections == 1


async def test_a_stream_may_be_left_at_any_time():
    async with _node(sends(HEAD, chunk(b": hello\n")), answer({"n": 1})) as (url, asked), Fetcher(url) as node:
        async with node.stream("/", silence=5) as pieces:
            async for piece in pieces:
                assert piece == b": hello\n"
                break
        gc.collect()
        assert await node.get("/") == {"n": 1}
    assert asked.connections == 2


async def test_what_is_raised_while_a_stream_is_read_comes_out_as_it_is():
    async with _node(sends(HEAD, chunk(b": hello\n"))) as (url, _), Fetcher(url) as node:
        with pytest.raises(KeyError, match="planted"):  # noqa: PT012 - it is raised in the loop
            async with node.stream("/", silence=5) as pieces:
                async for _ in pieces:
                    raise KeyError("planted")
        gc.collect()


@pytest.mark.parametrize(("deadline", "waited"), [(3, 60), (90, 90)])
async def test_the_head_of_a_stream_may_come_with_its_first_event_and_no_later(autojump_clock, deadline, waited):
    async with _node(silence) as (url, _), Fetcher(url, deadline=deadline) as node:
        with pytest.raises(Unfetched, match=f"no answer within {waited} s"):
            async with node.stream("/eth/v1/events", {"topics": "head,block"}, silence=60):
                pytest.fail("there was no head")


async def test_a_stream_that_falls_silent_is_given_up(autojump_clock):
    async def speaks_for_a_while(stream: trio.abc.Stream) -> None:
        await stream.send_all(HEAD)
        for _ in range(3):
            await trio.sleep(8)
            await stream.send_all(chunk(b":\n"))
        await trio.sleep_forever()

    async with _node(speaks_for_a_while) as (url, _), Fetcher(url, deadline=3) as node:
        began, seen = trio.current_time(), []
        with pytest.raises(Unfetched, match="silent for 10 s") as caught:
            async with node.stream("/", silence=10) as pieces:
                seen += [piece async for piece in pieces]
        assert trio.current_time() - began == pytest.approx(34, abs=0.5)
    assert caught.value.trouble == "silent"


async def test_a_stream_that_is_cut_is_said_to_be_so():
    async with _node(sends(HEAD, chunk(b":\n"), then=ending)) as (url, _), Fetcher(url) as node:
        with pytest.raises(Unfetched) as caught:
            async with node.stream("/", silence=10) as pieces:
                assert [piece async for piece in pieces]
    assert caught.value.trouble == "cut"


async def test_what_is_no_stream_is_none():
    refused = answer({"code": 400, "message": "Invalid topic: heads"}, "400 Bad Request")
    document = answer({"a": 1}, "200 OK", "Content-Type: application/json")
    async with _node(refused, document) as (url, _), Fetcher(url) as node:
        with pytest.raises(Refused, match="code 400: Invalid topic: heads"):
            async with node.stream("/", silence=10):
                pytest.fail("it is none")
        with pytest.raises(Unfetched, match="no stream of events but application/json"):
            async with node.stream("/", silence=10):
                pytest.fail("it is none")


# -- the library ------------------------------------------------------------------------------------------------------


async def test_addresses_do_not_come_into_the_log(caplog):
    caplog.set_level(logging.DEBUG)
    async with _node(answer({})) as (url, _), Fetcher(url) as node:
        await node.get("/", {"token": "sesame"})
    assert "sesame" not in caplog.text


def test_a_box_that_asks_no_node_does_not_load_the_library():
    program = "import sys, andond.run, transport; sys.exit(bool({'httpcore', 'certifi', 'anyio'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
