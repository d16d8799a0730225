"""What strangers write before a handler hears of them: request lines, header fields, chunked bodies, heads of
WebSockets, what a proxy says of a client, what a browser says of a page.

``fuzz_one()`` is the entry for any fuzzer; the corpus beside this file holds what once was worth a thought, known
attacks among it (RFC 9112, section 11). The first byte says how many bytes come at a time (0: all at once), the second
whether the peer is a trusted proxy (odd: it is). A name begins with what becomes of the requests in it, "ok" or the
status of the refusal, with a plus between them; "none" if there is none.

Whatever comes is taken or refused with a status and few words that hold no token. What is taken is what a second,
strict reader makes of the same bytes: where one request ends and the next one begins is never a matter of taste.
Memory stays within the limits, and what is answered has the headers that it was given and no others.
"""

from __future__ import annotations

import random
import re
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import h11
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.access import TokenRefused
from transport import ClientAddress, ProtocolError, Request, Response, json_response, shown_token
from transport.addresses import TrustedProxies
from transport.http import Head, HttpConnection, HttpLimits, problem_of
from transport.messages import Target
from transport.origins import Origins, guarded
from transport.websocket import check_upgrade, choose_subprotocol

CORPUS = sorted((Path(__file__).parent / "corpus" / "head").iterdir())
MUTATIONS = 40
LIMITS = HttpLimits(head_size=4096, body_size=2048)
SLACK = 16 * 1024
REQUESTS = 20
MARK = "c2VjcmV0LXRva2VuLW9mLXNvbWVib2R5"
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
LINE = re.compile(rb"[^\n]*\n")
# A carriage return alone, in an extension, ends nothing: neither here nor for who normalises what passes it.
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,20})[ \t]*(;[^\n]*?)?\r\n")
STATUSES = {400, 403, 408, 413, 417, 426, 431, 501, 505}
PEER = ClientAddress("192.0.2.9", 4711)
PROXIES = TrustedProxies(["192.0.2.9", "10.0.0.0/8"])
PIECES = [
    *[
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"\t",
        b"\x0b",
        b"\x85",
        b"\xff",
        b" ",
        b":",
        b",",
        b";",
        b"%",
        b"%0d%0a",
    ],
    *[
        b"GET ",
        b"POST ",
        b" HTTP/1.1",
        b"Host: y\r\n",
        b"Connection: close\r\n",
        b"Content-Length: 4\r\n",
        b"+4",
        b"0x4",
    ],
    *[
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"4\r\nabcd\r\n",
        b"0\r\n\r\n",
        b"ffffffff",
    ],
    *[b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\n", b"Sec-WebSocket-Version: 13\r\n", b"Origin: null\r\n"],
    *[b"X-Forwarded-For: 10.0.0.1, 203.0.113.7\r\n", b'Forwarded: for="[::1]"\r\n', b"X-Forwarded-Proto: https\r\n"],
    *[b"Authorization: Bearer " + MARK.encode() + b"\r\n", b"Access-Control-Request-Method: PUT\r\n"],
]


class Wire(trio.abc.Stream):
    """Gives ``data`` in pieces of ``step`` bytes, then the end; keeps what is sent."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data = data
        self._step = step
        self.sent = b""

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        size = min(self._step or len(self._data), max_bytes or len(self._data))
        piece, self._data = self._data[:size], self._data[size:]
        return piece

    async def send_all(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.sent += data

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


def fuzz_one(data: bytes) -> str:
    """Send ``data``; returns what became of each request in it."""
    step, flags = (data[0], data[1]) if len(data) > 1 else (0, 0)
    return "+".join(trio.run(converse, data[2:], step, bool(flags & 1))) or "none"


async def converse(data: bytes, step: int, is_proxied: bool) -> list[str]:  # noqa: FBT001 - for trio.run
    wire, outcomes = Wire(data, step), []
    with trio.CancelScope() as timer:
        http = HttpConnection(wire, LIMITS, timer)
        rest = data
        while len(outcomes) < REQUESTS:
            try:
                if not await http.wait_head():
                    break
                assert len(http._buffer) <= LIMITS.head_size + SLACK
                assert http.is_upgrade in {True, False}
                head = http.read_head()
                rest = check_head(head, rest)
                request = await http.read_request(head, PROXIES.origin(PEER, head.headers, secure=False))
            except ProtocolError as fault:
                outcomes.append(str(fault.status))
                await answer(http, wire, refusal(fault))
                break
            rest = check_body(head, request.body, rest)
            check_request(request, is_proxied=is_proxied)
            outcomes.append("ok")
            if not await answer(http, wire, said_to(request)):
                break
    assert not timer.cancelled_caught
    return outcomes


def check_head(head: Head, data: bytes) -> bytes:
    """Nothing in ``head`` can be taken for something else; returns what follows it in ``data``."""
    assert TOKEN.fullmatch(head.method)
    assert head.version.startswith("1.")
    check_target(head.target)
    for name, value in head.headers.items():
        assert TOKEN.fullmatch(name)
        assert name == name.lower()
        assert not re.search(r"[\x00\r\n]", value)
    length, encoding = head.headers.get("content-length"), head.headers.get("transfer-encoding")
    assert length is None or encoding is None, "two lengths"
    assert encoding is None or encoding.lower() == "chunked"
    assert length is None or (length.isascii() and length.isdigit())
    assert head.body_size == (-1 if encoding else int(length or 0))
    assert -1 <= head.body_size <= LIMITS.body_size
    # Fields of one name were all written: none hides in the value of another.
    data = data.lstrip(b"\r\n")
    end = re.search(rb"\n\r?\n", data)
    assert end is not None
    assert end.end() <= LIMITS.head_size
    return data[end.end() :]


def check_target(target: Target) -> None:
    assert target.path.startswith("/") or target.path == "*"
    for text in (target.path, *target.query, *(each for values in target.query.values() for each in values)):
        assert not re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", text)


def check_body(head: Head, body: bytes, data: bytes) -> bytes:
    """``body`` is what a strict reader finds; returns what follows it in ``data``."""
    assert len(body) <= LIMITS.body_size
    expected, rest = (data[: head.body_size], data[head.body_size :]) if head.body_size >= 0 else chunked(data)
    assert body == expected
    return rest


def chunked(data: bytes) -> tuple[bytes, bytes]:
    """A chunked body and what follows it (RFC 9112, section 7.1)."""
    body = b""
    while True:
        line = CHUNK.match(data)
        assert line is not None, f"no chunk: {data[:40]!r}"
        size, data = int(line[1], 16), data[line.end() :]
        if size == 0:
            break
        assert data[size : size + 2] == b"\r\n", "a chunk that ends elsewhere"
        body, data = body + data[:size], data[size + 2 :]
    while True:
        trailer = LINE.match(data)
        assert trailer is not None
        data = data[trailer.end() :]
        # A line feed alone ends a line as well (RFC 9112, section 2.2), in a head and behind the last chunk.
        if trailer[0] in {b"\r\n", b"\n"}:
            return body, data


def check_request(request: Request, *, is_proxied: bool) -> None:
    """What is made of the fields of ``request``; nothing that a stranger says of itself is believed."""
    peer = PEER if is_proxied else ClientAddress("198.51.100.1", 1)
    origin = PROXIES.origin(peer, request.headers, secure=False)
    assert is_proxied or origin.client == peer
    assert ip_address(origin.client.host)
    for listed in (Origins(), Origins(["*"]), Origins(["https://board.example"])):
        with suppress(ProtocolError):
            listed.check_change(request.method, request.headers)
    try:
        check_upgrade(request.method, "1.1", request.headers, len(request.body))
    except ProtocolError as fault:
        refusal(fault)
    choose_subprotocol(request.headers, ("andond.v1.json",))
    try:
        shown = shown_token(request.headers, request.query, takes_query=True)
    except TokenRefused as refused:
        check_words(str(refused))
    else:
        assert shown is None or re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", shown.token)


def refusal(fault: ProtocolError) -> Response:
    """The answer to ``fault``: a status that is known, and few words."""
    assert fault.status in STATUSES
    check_words(fault.detail)
    return guarded(problem_of(fault), secure=True)


def check_words(said: str) -> None:
    assert len(said) < 500
    assert MARK not in said
    assert said.isprintable()


def said_to(request: Request) -> Response:
    """An answer with everything in it that comes from a request."""
    origins = Origins(["*"])
    made = origins.preflight(request) or json_response({"path": request.path})
    return guarded(origins.shared(request, made), secure=request.secure)


async def answer(http: HttpConnection, wire: Wire, response: Response) -> bool:
    """Send ``response``; a client finds in it one answer that has just these headers."""
    wire.sent = b""
    stays = await http.respond(response)
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    peer.send(h11.EndOfMessage())
    peer.receive_data(wire.sent)
    event = peer.next_event()
    if isinstance(event, h11.InformationalResponse):
        event = peer.next_event()
    assert isinstance(event, h11.Response)
    assert event.status_code == response.status
    names = {name.decode() for name, _ in event.headers}
    assert names <= {*response.headers, "date", "content-length", "connection"}
    assert names >= {"x-content-type-options", "content-security-policy"}
    return stays


def mutated(chance: random.Random, data: bytes) -> bytes:
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutant) + 1)
        what = chance.randrange(6)
        if what == 0:
            mutant[at : at + chance.randint(1, 8)] = b""
        elif what == 1:
            mutant[at:at] = chance.choice(PIECES)
        elif what == 2:
            mutant[at : at + 1] = bytes((chance.randrange(256),))
        elif what == 3:
            # A field of its own, in the place of a line's end.
            mutant = bytearray(bytes(mutant).replace(b"\r\n", b"\r\n" + chance.choice(PIECES), chance.randint(1, 3)))
        elif what == 4:
            other = chance.choice(CORPUS).read_bytes()
            start = chance.randrange(len(other) + 1)
            mutant[at : at + 16] = other[start : start + 24]
        else:
            mutant[at:at] = mutant[at : at + chance.randint(1, 40)]
    return bytes(mutant)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_corpus_is_taken_or_refused_as_its_names_say(path):
    assert fuzz_one(path.read_bytes()) == path.name.split("-")[0]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_it_makes_no_difference_in_how_many_pieces_a_request_comes(path):
    data = path.read_bytes()
    assert {fuzz_one(bytes((step,)) + data[1:]) for step in (1, 3, 64, 0)} == {path.name.split("-")[0]}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_is_made_of_the_corpus_is_taken_or_refused(path):
    chance = random.Random(path.name)
    data = path.read_bytes()
    for _ in range(MUTATIONS):
        mutant = mutated(chance, data)
        try:
            fuzz_one(mutant)
        except AssertionError as error:
            raise AssertionError(f"{mutant!r}") from error


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused(data):
    fuzz_one(data)


names = st.sampled_from(
    ["Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "Origin", "Cookie", "Forwarded",
     "X-Forwarded-For", "X-Forwarded-Proto", "Authorization", "Sec-WebSocket-Protocol", "Sec-WebSocket-Key",
     "Sec-WebSocket-Version", "Access-Control-Request-Method", "Access-Control-Request-Headers", "Content-Length "]
)  # fmt: skip
contents = st.sampled_from(
    [b"x", b"4", b"04", b"4, 4", b"+4", b"chunked", b"chunked, chunked", b"identity", b"websocket", b"Upgrade", b"null",
     b"100-continue", b"https://board.example", b"Bearer " + MARK.encode(), b"bearer, " + MARK.encode(), b"13",
     b"https", b"10.0.0.1, 203.0.113.7", b'for="[2001:db8::1]:80";proto=https', b"dGhlIHNhbXBsZSBub25jZQ==",
     b"\xe9\xff", b""]
)  # fmt: skip
targets = st.sampled_from(
    [
        b"/",
        b"/a?b=c",
        b"*",
        b"http://x/y",
        b"//evil.example/",
        b"/%00",
        b"/..%2f",
        b"/a%0d%0ab",
        b"/%ff",
        b"x",
        b"/?" + b"a&" * 300,
    ]
)
heads = st.builds(
    lambda method, target, version, fields, body: (
        b"%b %b HTTP/%b\r\n%b\r\n%b"
        % (method, target, version, b"".join(b"%b: %b\r\n" % (name.encode(), value) for name, value in fields), body)
    ),
    st.sampled_from([b"GET", b"POST", b"OPTIONS", b"HEAD", b"CONNECT", b"get", b"PRI"]),
    targets,
    st.sampled_from([b"1.1", b"1.1", b"1.0", b"2.0", b"1.10", b"0.9"]),
    st.lists(st.tuples(names, contents | st.binary(max_size=8)), max_size=6).map(lambda more: [("Host", b"x"), *more]),
    st.sampled_from([b"", b"abcd", b"4\r\nabcd\r\n0\r\n\r\n", b"abcdGET / HTTP/1.1\r\nHost: x\r\n\r\n"]),
)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 9), st.integers(0, 1), st.lists(heads, min_size=1, max_size=3))
def test_whatever_heads_are_put_together_are_taken_or_refused(step, flags, several):
    fuzz_one(bytes((step, flags)) + b"".join(several))
