"""What strangers send to the one port: heads and frames, broken in every way. Nothing may be left behind.

``fuzz_one()`` is the entry for any fuzzer (``atheris.Setup(sys.argv, fuzz_one)``); the corpus beside this file holds
what once was worth a thought. The first byte says whether the rest is a connection's first bytes (even) or follows an
open WebSocket (odd), the second one how many bytes are sent at a time (0: all at once).
"""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import ServerSettings
from telemetry import events
from transport import Door, Link, Request, Response, Routes, Server, json_response, problem

CORPUS = sorted((Path(__file__).parent / "corpus" / "wire").iterdir())
MUTATIONS = 1000
PATIENCE = 20.0
UPGRADE = (
    b"GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TOKENS = [
    *[b"\r\n", b"\r\n\r\n", b"\n", b"\0", b"\xff", b" ", b":", b"%", b"GET ", b" HTTP/1.1", b"Host: y\r\n"],
    *[b"Upgrade: websocket\r\n", b"Connection: close\r\n", b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n"],
    *[
        b"Expect: 100-continue\r\n",
        b"\x81\x80\0\0\0\0",
        b"\x88\x80\0\0\0\0",
        b"\x89\x80\0\0\0\0",
        b"\x81\xff",
        b"\x00\xfe",
    ],
]
# Small limits, so that small input passes them.
SMALL = ServerSettings(
    listen="127.0.0.1:0",
    head_size=4096,
    body_size=4096,
    message_size=4096,
    head_timeout=PATIENCE / 2,
    ping_interval=3600.0,
    dead_after=7200.0,
)
OPCODES = {0x81, 0x82, 0x88, 0x89, 0x8A}


class Peer:
    """Echoes; ``fail`` and ``close`` do what they say."""

    def __init__(self, house: House, link: Link) -> None:
        self._house = house
        self._link = link

    async def received(self, message: str | bytes) -> None:
        if message == "fail":
            raise RuntimeError("planted")
        if message == "close":
            self._link.close(4201, "as asked")
        await self._link.stream.send_all(b"\x82\x02ok")

    async def closed(self, code: int, reason: str) -> None:
        self._house.minded -= 1
        assert code
        assert isinstance(reason, str)


class House:
    """A real server in a thread of its own, with a bystander who must notice nothing."""

    def __init__(self) -> None:
        self.minded = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._main,))
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        self._bystander = self.connect()
        self._bystander.sendall(UPGRADE)
        self._expect(b"HTTP/1.1 101")
        self._at_rest = self.count()

    def door(self, request: Request) -> Door | Response:
        if request.path == "/forbidden":
            return problem(403, "Forbidden", "not for you", 403)
        if request.path in {"/stream", "/broken", "/slow"}:
            return Door(request.path[1:], weighs=True)
        return problem(404, "Not Found", "no such door", 404)

    async def opened(self, door: Door, request: Request, link: Link) -> Peer:
        assert request.headers
        if door.name == "broken":
            raise RuntimeError("planted in opened")
        if door.name == "slow":
            await trio.lowlevel.checkpoint()
        self.minded += 1
        return Peer(self, link)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)

    def count(self) -> tuple[int, ...]:
        """What must be the same before and after: tasks, threads, descriptors, links, places and turns taken."""
        tasks, numbers, minded = trio.from_thread.run(self._settle, trio_token=self._token)
        descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
        admission = numbers.admission
        places = (
            numbers.connections,
            admission.connections,
            admission.refusing,
            admission.addresses,
            admission.busiest,
        )
        turns = (numbers.handshakes, numbers.handshakes_waiting)
        return (tasks, threading.active_count(), descriptors, sum(numbers.links.values()), minded, *places, *turns)

    def check(self) -> None:
        """Nothing is left of who was here, and the bystander is answered."""
        counted = self.count()
        for _ in range(200):
            if counted == self._at_rest:
                break
            counted = self.count()
        assert counted == self._at_rest, f"left behind: {counted}, at rest {self._at_rest}"
        self._bystander.sendall(b"\x81\x82\0\0\0\0hi")
        self._expect(b"\x82\x02ok")

    def close(self) -> None:
        self._bystander.close()
        trio.from_thread.run_sync(self._stop, trio_token=self._token)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _expect(self, start: bytes) -> None:
        data = self._bystander.recv(4096)
        assert data.startswith(start), data

    async def _settle(self) -> tuple[int, object, int]:
        deadline = trio.current_time() + PATIENCE
        while self._server.statistics().connections > 1 and trio.current_time() < deadline:
            await trio.lowlevel.checkpoint()
        return trio.lowlevel.current_statistics().tasks_living, self._server.statistics(), self.minded

    async def _main(self) -> None:
        self._server = Server(SMALL, make_routes(), self)
        self._token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as nursery:
            (address,) = await nursery.start(self._server.run)
            self._port = int(address.rpartition(":")[2])
            self._stop = nursery.cancel_scope.cancel
            self._ready.set()


def make_routes() -> Routes:
    routes = Routes()

    async def answer(request: Request, **parameters: str) -> Response:
        if request.path == "/fail":
            raise RuntimeError("planted in a handler")
        return json_response({"path": request.path, "body": len(request.body), **parameters})

    for method, pattern in [("GET", "/up"), ("GET", "/items/{name}"), ("POST", "/echo"), ("GET", "/fail")]:
        routes.add(method, pattern, answer)
    return routes


_houses: list[House] = []


def fuzz_one(data: bytes) -> None:
    """Send ``data`` to a real server; whatever it is, the answer makes sense and nothing stays behind."""
    house = the_house()
    visit(house, data)
    house.check()


def the_house() -> House:
    """The one server that all input is thrown at."""
    if not _houses:
        _houses.append(House())
    return _houses[0]


def visit(house: House, data: bytes) -> None:
    """One connection that sends ``data``, and reads until it is closed."""
    kind, step, data = data[:1], data[1:2], data[2:]
    opens = bool(kind) and bool(kind[0] & 1)
    size = (step[0] if step else 0) or max(1, len(data))
    with house.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if opens:
            sock.sendall(UPGRADE)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = sock.recv(1)
                assert byte, f"the server ended the connection after {head!r}"
                head += byte
            assert head.startswith(b"HTTP/1.1 101"), head
        reader = Reader(sock)
        with suppress(OSError):
            for start in range(0, len(data), size):
                sock.sendall(data[start : start + size])
            sock.shutdown(socket.SHUT_WR)
        heard = reader.finish()
    if opens:
        check_frames(heard)
    else:
        check_answers(heard)


class Reader:
    """Reads while the other end is written to, so that neither side waits for the other."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._heard = b""
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def finish(self) -> bytes:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the server did not end the connection"
        assert self._fault is None, f"the server did not end the connection: {self._fault!r}"
        return self._heard

    def _read(self) -> None:
        try:
            while more := self._sock.recv(65_536):
                self._heard += more
        except ConnectionResetError:
            pass
        except OSError as fault:
            self._fault = fault


def check_answers(heard: bytes) -> None:
    """The server speaks HTTP, then perhaps frames; never a traceback."""
    assert b"Traceback" not in heard
    while heard:
        assert heard.startswith(b"HTTP/1.1 "), heard[:100]
        head, found, heard = heard.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.lower().split(b"\r\n")
        status = int(lines[0].split()[1])
        assert 100 <= status < 600
        if status == 101:
            check_frames(heard)
            return
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        if not heard.startswith(b"HTTP/1.1 "):
            # The answer to a HEAD has the length of a body that does not come.
            heard = heard[length:]


def check_frames(heard: bytes) -> None:
    """The server's frames are whole, unmasked and of a known kind; the last one may be cut by the end."""
    while len(heard) >= 2:
        assert heard[0] in OPCODES, heard[:20]
        size, skip = heard[1], 2
        assert size < 128, "a server does not mask"
        if size == 126:
            size, skip = int.from_bytes(heard[2:4], "big"), 4
        if heard[0] == 0x88:
            assert len(heard) <= skip + size, "nothing follows a Close"
        heard = heard[skip + size :]


def mutated(chance: random.Random, data: bytes) -> bytes:
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutant) + 1)
        what = chance.randrange(6)
        if what == 0:
            mutant[at : at + chance.randint(1, 8)] = b""
        elif what == 1:
            mutant[at:at] = chance.choice(TOKENS)
        elif what == 2:
            mutant[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
        elif what == 3:
            mutant[at : at + 1] = bytes([chance.randrange(256)])
        elif what == 4:
            del mutant[at:]
        else:
            mutant[at:at] = mutant[at : at + chance.randint(1, 40)]
    return bytes(mutant)


@pytest.fixture(scope="module", autouse=True)
def quiet_house() -> Iterator[None]:
    """Nothing of the errors that are planted on purpose is logged; the server ends with this file."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connection_failed", "request_failed"):
            patch.setattr(events, name, lambda **_fields: None)
        yield
    while _houses:
        _houses.pop().close()


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_corpus_leaves_nothing_behind(path):
    fuzz_one(path.read_bytes())


def test_a_thousand_mutants_of_the_corpus_leave_nothing_behind():
    chance = random.Random(20261121)
    seeds = [path.read_bytes() for path in CORPUS if path.stat().st_size < 2000]
    for number in range(MUTATIONS):
        data = mutated(chance, chance.choice(seeds))
        try:
            fuzz_one(data)
        except AssertionError as error:
            raise AssertionError(f"mutant {number}: {data!r}") from error


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300))
def test_any_bytes_leave_nothing_behind(data):
    fuzz_one(data)


frames = st.builds(
    lambda first, masked, size, payload: bytes([first, (0x80 if masked else 0) | size]) + payload,
    st.sampled_from([0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8A, 0x83, 0x91, 0xC1]),
    st.sampled_from([True, True, True, False]),
    st.integers(0, 127),
    st.binary(max_size=40),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(frames, max_size=6), st.integers(0, 5))
def test_any_frames_leave_nothing_behind(several, step):
    fuzz_one(bytes([1, step]) + b"".join(several))


def test_all_of_the_corpus_at_once_leaves_nothing_behind():
    house, faults = the_house(), []

    def send(data: bytes) -> None:
        try:
            visit(house, data)
        except AssertionError as error:
            faults.append(error)

    threads = [threading.Thread(target=send, args=(path.read_bytes(),)) for path in CORPUS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    house.check()
