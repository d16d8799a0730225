from __future__ import annotations

import time
from contextlib import suppress

import pytest
import trio

from telemetry import events
from transport import Response
from transport import http as http_module


def request(path="/up", *lines, method="GET", version="1.1", host="Host: x") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", *([host] if host else []), *lines, "", ""]).encode("latin-1")


async def answer_to(house, wire, *chunks, method="GET"):
    return wire.parse_answer(await house.talk(*chunks), method)


def assert_problem(answer, status, *words):
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (document["status"], document["code"]) == (status, status)
    assert document["action"]
    for word in words:
        assert word in document["detail"]


# -- what is answered -----------------------------------------------------------------------------------------


async def test_a_get_is_answered_with_its_length_and_the_date(house):
    answer = await house.get("/up")
    assert (answer.status, answer.body) == (200, b"up 1\n")
    assert answer.headers["content-length"] == "5"
    assert answer.headers["date"].endswith(" GMT")


async def test_a_head_has_the_headers_of_a_get_and_no_body(house):
    answer = await house.get("/up", method="HEAD")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "5")


async def test_an_answer_without_content_has_no_length(house):
    answer = await house.get("/empty")
    assert answer.status == 204
    assert "content-length" not in answer.headers


async def test_path_and_query_reach_the_handler_decoded(house):
    assert (await house.get("/items/a%2Fb?x=1&x=%C3%A9")).json() == {
        "name": "a/b",
        "query": {"x": ["1", "é"]},
        "client": str(house.seen[-1].client),
    }


async def test_header_names_are_lower_case_and_fields_of_one_name_are_joined(house):
    await house.get("/up", "X-A: 1", "x-a: 2", "Cookie: a=1", "cookie: b=2")
    headers = house.seen[-1].headers
    assert (headers["x-a"], headers["cookie"]) == ("1, 2", "a=1; b=2")


async def test_an_absolute_target_is_understood(house):
    assert (await house.get("http://gateway:9003/up")).status == 200


async def test_options_of_the_server_as_a_whole_is_no_path(house):
    assert_problem(await house.get("*", method="OPTIONS"), 404)


async def test_a_body_with_a_length_is_read(house, wire):
    head = request("/echo", "Content-Length: 3", "Connection: close", method="POST")
    answer = await answer_to(house, wire, head + b"a", b"b", b"c")
    assert answer.json() == {"path": "/echo", "body": "abc"}


async def test_a_body_that_ends_early_is_400(house, wire):
    stream = await house.connect()
    async with stream:
        await stream.send_all(request("/echo", "Content-Length: 3", method="POST") + b"a")
        await stream.send_eof()
        assert_problem(wire.parse_answer(await wire.read_all(stream)), 400, "complete")


async def test_a_chunked_body_is_read(house, wire):
    head = request("/echo", "Transfer-Encoding: chunked", "Connection: close", method="POST")
    answer = await answer_to(house, wire, head, b"2\r\nab\r\n", b"1;ext=1\r\nc\r\n0\r\nTrailer: x\r\n\r\n")
    assert answer.json()["body"] == "abc"


async def test_a_client_that_waits_for_100_continue_is_told_to_go_on(house, wire):
    stream = await house.connect()
    async with stream:
        await stream.send_all(
            request("/echo", "Content-Length: 3", "Expect: 100-continue", "Connection: close", method="POST")
        )
        interim = b""
        while not interim.endswith(b"\r\n\r\n"):
            interim += await stream.receive_some(1)
        assert interim.startswith(b"HTTP/1.1 100 ")
        await stream.send_all(b"abc")
        assert wire.parse_answer(await wire.read_all(stream)).json()["body"] == "abc"


async def test_a_connection_is_kept_for_the_next_request(house):
    data = await house.talk(request(), request("/items/1"), request("/nothing"), request("/up", "Connection: close"))
    assert [part[:3] for part in data.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"404", b"200"]


async def test_pipelined_requests_are_answered_in_order(house):
    body = request("/echo", "Content-Length: 3", method="POST") + b"abc"
    chunked = request("/echo", "Transfer-Encoding: chunked", method="POST") + b"1\r\nz\r\n0\r\n\r\n"
    data = await house.talk(
        request("/items/1") + body + chunked + request("/items/2") + request("/up", "Connection: close")
    )
    order = [data.index(mark) for mark in (b'"name":"1"', b'"body":"abc"', b'"body":"z"', b'"name":"2"', b"up 1\n")]
    assert order == sorted(order)


async def test_connection_close_is_kept_to(house):
    data = await house.talk(request("/up", "Connection: close") + request("/items/1"))
    assert data.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in data.lower()


async def test_http_1_0_is_answered_and_closed(house):
    data = await house.talk(request(version="1.0", host=""))
    assert data.startswith(b"HTTP/1.1 200")
    assert data.endswith(b"up 1\n")


async def test_a_head_that_comes_byte_by_byte_is_read(house, wire):
    head = request("/up", "Connection: close")
    assert (await answer_to(house, wire, *(head[i : i + 1] for i in range(len(head))))).status == 200


async def test_lines_that_end_without_a_carriage_return_are_read(house, wire):
    assert (await answer_to(house, wire, b"GET /up HTTP/1.1\nHost: x\nConnection: close\n\n")).status == 200


async def test_empty_lines_before_a_request_are_ignored(house, wire):
    assert (await answer_to(house, wire, b"\r\n", b"\r\n" + request("/up", "Connection: close"))).status == 200


async def test_an_upgrade_to_something_else_is_answered_as_plain_http(house):
    answer = await house.get("/up", "Upgrade: h2c", "HTTP2-Settings: x")
    assert answer.status == 200


async def test_a_large_answer_reaches_a_client_that_reads_slowly(house):
    stream = await house.connect(size=4096)
    async with stream:
        await stream.send_all(request("/large", "Connection: close"))
        total = 0
        while more := await stream.receive_some(100_000):
            total += len(more)
            await trio.lowlevel.checkpoint()
    assert total > 5_000_000


async def test_a_handler_that_fails_is_500_without_its_traceback(house, monkeypatch):
    reported = []
    monkeypatch.setattr(events, "request_failed", lambda **fields: reported.append(fields))
    data = await house.talk(request("/fail"), request("/up", "Connection: close"))
    assert data.startswith(b"HTTP/1.1 500")
    assert b"planted" not in data
    assert b"Traceback" not in data
    assert data.endswith(b"up 1\n"), "the connection goes on"
    assert [(fields["path"], str(fields["error"])) for fields in reported] == [("/fail", "planted in a handler")]


@pytest.mark.parametrize(
    "answer",
    [
        Response(200, {"x": "a\r\nb: c"}),
        Response(200, {"x": "\xe9"}),
        Response(99),
        Response(200, {"content-length": "7"}),
    ],
)
async def test_an_answer_that_cannot_be_sent_is_500(house, monkeypatch, answer):
    reported = []
    monkeypatch.setattr(events, "request_failed", lambda **fields: reported.append(str(fields["error"])))

    async def wrong(_request):
        return answer

    house.routes.add("GET", "/wrong", wrong)
    assert_problem(await house.get("/wrong"), 500)
    assert "cannot be sent" in reported[0]


async def test_a_client_that_leaves_in_the_middle_is_nobody_s_trouble(house):
    for piece in (b"GET", request()[:-2], request("/echo", "Content-Length: 5", method="POST") + b"ab"):
        stream = await house.connect()
        await stream.send_all(piece)
        await stream.aclose()
    await house.is_empty()
    assert (await house.get("/up")).status == 200


# -- what is refused ------------------------------------------------------------------------------------------


async def test_a_head_that_is_too_large_is_431(house, wire):
    assert_problem(await answer_to(house, wire, request("/up", "X: " + "a" * 20_000)), 431, "16384 bytes")


async def test_a_head_that_never_ends_is_431_as_soon_as_it_is_too_large(house, wire):
    assert_problem(await answer_to(house, wire, b"GET / HTTP/1.1\r\nX: ", b"a" * 9000, b"a" * 9000), 431)


async def test_the_limit_of_the_head_is_a_setting(serve, wire):
    house = await serve(head_size=1024)
    head = request("/up", "Connection: close", "X: " + "a" * 900)
    assert (await answer_to(house, wire, head)).status == 200
    assert_problem(await answer_to(house, wire, request("/up", "X: " + "a" * 1024)), 431, "1024 bytes")


async def test_a_body_that_says_it_is_too_large_is_413_before_it_comes(house, wire):
    head = request("/echo", "Content-Length: 1048577", "Expect: 100-continue", method="POST")
    assert_problem(await answer_to(house, wire, head), 413, "1048576 bytes")


async def test_a_body_as_large_as_the_limit_is_read(serve, wire):
    house = await serve(body_size=1000)
    head = request("/echo", "Content-Length: 1000", "Connection: close", method="POST")
    assert (await answer_to(house, wire, head, b"x" * 1000)).status == 200


async def test_a_chunked_body_that_grows_too_large_is_413(serve, wire):
    house = await serve(body_size=1000)
    head = request("/echo", "Transfer-Encoding: chunked", method="POST")
    assert_problem(await answer_to(house, wire, head, b"3e8\r\n" + b"x" * 1000 + b"\r\n", b"1\r\nx\r\n"), 413)


async def test_a_client_that_sends_on_after_413_can_read_the_answer(serve, wire):
    house = await serve(body_size=1000)
    stream = await house.connect()
    async with stream, trio.open_nursery() as nursery:
        await stream.send_all(request("/echo", "Content-Length: 2000000", method="POST"))

        async def push() -> None:
            with suppress(trio.BrokenResourceError):
                for _ in range(30):
                    await stream.send_all(b"x" * 60_000)

        nursery.start_soon(push)
        data = b""
        while b"\r\n\r\n{" not in data:
            data += await stream.receive_some(65536)
        assert data.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("sent", [b"", b"GET /up HT", request()[:-2]])
async def test_a_head_that_does_not_arrive_in_time_is_408(serve, wire, patient_clock, sent):
    house = await serve(head_timeout=10.0)
    began = trio.current_time()
    chunks = [sent] if sent else []
    assert_problem(await answer_to(house, wire, *chunks), 408, "10 s")
    assert 10 <= trio.current_time() - began < 11


async def test_a_head_that_trickles_is_408_all_the_same(serve, wire, patient_clock):
    house = await serve(head_timeout=10.0)
    stream = await house.connect()
    async with stream:
        began = trio.current_time()
        await stream.send_all(b"GET /up HTTP/1.1\r\n")
        with trio.move_on_after(9.5):
            while True:
                await stream.send_all(b"X: y\r\n")
                await trio.sleep(1)
        assert_problem(wire.parse_answer(await wire.read_all(stream)), 408)
        assert trio.current_time() - began < 11


async def test_a_body_that_does_not_come_is_408(serve, wire, patient_clock):
    house = await serve(head_timeout=10.0)
    head = request("/echo", "Content-Length: 5", method="POST")
    assert_problem(await answer_to(house, wire, head, b"ab"), 408, "body")


async def test_a_body_that_comes_slowly_but_steadily_is_read(serve, wire, patient_clock):
    house = await serve(head_timeout=2.0)
    stream = await house.connect()
    async with stream:
        await stream.send_all(request("/echo", "Content-Length: 40960", "Connection: close", method="POST"))
        for _ in range(10):
            await stream.send_all(b"x" * 4096)
            await trio.sleep(1)
        assert wire.parse_answer(await wire.read_all(stream)).status == 200


async def test_an_idle_connection_is_closed_without_a_word(serve, patient_clock):
    house = await serve(idle_timeout=60.0)
    began = trio.current_time()
    data = await house.talk(request())
    assert data.count(b"HTTP/1.1") == 1
    assert 60 <= trio.current_time() - began < 61


async def test_the_next_head_on_a_kept_connection_has_its_own_time(serve, wire, patient_clock):
    house = await serve(idle_timeout=60.0, head_timeout=10.0)
    stream = await house.connect()
    async with stream:
        await stream.send_all(request())
        await trio.sleep(30)
        await stream.send_all(b"GET /up")
        began = trio.current_time()
        data = await wire.read_all(stream)
        assert data.count(b"HTTP/1.1 408") == 1
        assert 10 <= trio.current_time() - began < 11


async def test_a_handler_may_take_its_time(serve, wire, patient_clock):
    house = await serve(head_timeout=1.0, idle_timeout=1.0)

    async def slow(_request):
        await trio.sleep(100)
        return http_module.Response(200)

    house.routes.add("GET", "/slow-answer", slow)
    assert (await answer_to(house, wire, request("/slow-answer", "Connection: close"))).status == 200


async def test_a_client_that_does_not_read_its_answer_is_let_go(serve, patient_clock):
    house = await serve(idle_timeout=60.0)
    stream = await house.connect(size=4096)
    async with stream:
        await stream.send_all(request("/large"))
        began = trio.current_time()
        await house.is_empty()
        assert 60 <= trio.current_time() - began < 90


@pytest.mark.parametrize(
    ("data", "status", "word"),
    [
        (b"nonsense\r\n\r\n", 400, "request line"),
        (b"\x00\x01\x02\x03\r\n\r\n", 400, "not the head"),
        (b"\x16\x03\x01\x02\x00\x01", 400, "TLS"),
        (request(host=""), 400, "Host"),
        (request("/up", "Host: y"), 400, "Host"),
        (request("/up", "Bad Name: x"), 400, "header"),
        (request("/up", "X : y"), 400, "header"),
        (request("/up", "X: \x00"), 400, "header"),
        (request("/up", "Transfer-Encoding:\r\n chunked"), 400, "next line"),
        (request("/up", "X: a\n\tb"), 400, "next line"),
        (request("/\x7f"), 400, ""),
        (request("up"), 400, "target"),
        (request("/%zz"), 400, "percent"),
        (request("/%ff"), 400, "UTF-8"),
        (request("/up", "Content-Length: x"), 400, "Content-Length"),
        (request("/up", "Content-Length: -1"), 400, "Content-Length"),
        (request("/up", "Content-Length: 1", "Content-Length: 2"), 400, "Content-Length"),
        (request("/up", "Content-Length: 3", "Transfer-Encoding: chunked"), 400, "not both"),
        (request("/echo", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n", 400, "chunk"),
        (request("*"), 400, "OPTIONS"),
        (request("/up", "Transfer-Encoding: gzip"), 501, "chunked"),
        (request("/up", "Transfer-Encoding: gzip, chunked"), 501, "chunked"),
        (request("x:443", method="CONNECT"), 501, "proxy"),
        (request(version="2.0"), 505, "HTTP/2.0"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/2.0"),
        (request("/up", "Expect: a-miracle"), 417, "100-continue"),
    ],
)
async def test_a_malformed_request_is_told_what_is_wrong_with_it(house, wire, data, status, word):
    assert_problem(await answer_to(house, wire, data), status, word)
    assert (await house.get("/up")).status == 200


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/nothing", "GET", 404), ("/up", "DELETE", 405), ("/echo", "GET", 405)]
)
async def test_what_the_table_refuses_is_a_problem_too(house, path, method, status):
    answer = await house.get(path, method=method)
    assert_problem(answer, status)
    assert ("allow" in answer.headers) is (status == 405)


async def test_other_clients_notice_nothing_of_those_who_misbehave(house, wire):
    stream = await house.upgrade()
    async with stream, trio.open_nursery() as nursery:
        for data in (b"nonsense\r\n\r\n", request("/up", "X: " + "a" * 20_000), b"GET", request("/fail")):
            nursery.start_soon(house_talk_quietly, house, data)
        for number in range(20):
            text = f"message {number}".encode()
            await stream.send_all(wire.frame(0x81, text))
            assert await wire.read_frame(stream) == (0x81, text)
        nursery.cancel_scope.cancel()


async def house_talk_quietly(house, data):
    await house.talk(data)


async def test_the_date_is_made_once_a_second(monkeypatch):
    made = []

    def write(at, *, usegmt):
        made.append(at)
        return f"date {at} {usegmt}"

    monkeypatch.setattr(http_module, "formatdate", write)
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000.5)
    assert [http_module.http_date() for _ in range(3)] == ["date 1000000000 True"] * 3
    monkeypatch.setattr(time, "time", lambda: 1_000_000_001.1)
    http_module.http_date()
    assert made == [1_000_000_000, 1_000_000_001]
    monkeypatch.undo()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /ws?token=%s HTTP/1.1 x\r\nHost: a\r\n\r\n",
        b"GET /ws?token=%s\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\x00\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer %s\r\n\r\n",
        b"GET /ws%%zz?token=%s HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /ws?token=%s%%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT /ws?token=%s HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET ws?token=%s HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
async def test_a_token_in_a_head_that_cannot_be_read_is_neither_logged_nor_repeated(house, monkeypatch, head):
    told = []
    monkeypatch.setattr(events, "handshake_failed", lambda **fields: told.append(fields))
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl"  # noqa: S105 - of a test
    answer = await house.talk(head % token.encode())
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501"))
    assert b"eyJ" not in answer
    assert told
    assert "eyJ" not in repr(told)
