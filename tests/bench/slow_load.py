"""The load where there is no compiler: the same commands and answers as ``load.c``, in Python.

    python -m tests.bench.slow_load PORT PATH [stamps] [tls=python]

Rules of this file: one thread, one selector. It costs some ten times what ``load.c`` costs, so a peak measured with it
is its own; memory, start-up, restarts and delays are not much touched.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import socket
import ssl
import statistics
import sys
import time
from collections import Counter

_CHUNK = 1 << 18
_STAMP = re.compile(rb'"stamp":(\d+)')
_REQUEST = (
    "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: YW5kb25kIG1lYXN1cmluZw==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: cloudevents.json\r\n\r\n"
)
_MEDIUM = 126
_PING, _PONG, _DATA = 9, 0x8A, 2


def _microseconds() -> int:
    return time.monotonic_ns() // 1000


class _Client:
    """One connection: its socket, and what has come of a frame whose rest has not."""

    __slots__ = ("answered", "kept", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.kept = b""
        self.answered = False


class SlowLoad:
    """Many clients of the server at ``port``."""

    def __init__(self, port: int, path: str, *, stamps: bool, tls: bool) -> None:
        self._port = port
        self._request = _REQUEST.format(path, port).encode()
        self._looks_at_stamps = stamps
        self._tls = ssl._create_unverified_context() if tls else None  # noqa: S323 - our own server, on loopback
        self._selector = selectors.DefaultSelector()
        self._selector.register(0, selectors.EVENT_READ)
        self._commands = b""
        self._open = self._ended = 0
        self._begin(0)

    def run(self) -> None:
        """Obey until standard input ends."""
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    self._read_commands()
                else:
                    self._read(key.data)

    # -- commands -----------------------------------------------------------------------------------------

    def _read_commands(self) -> None:
        chunk = os.read(0, _CHUNK)
        if not chunk:
            sys.exit(0)
        self._commands += chunk
        while b"\n" in self._commands:
            line, _, self._commands = self._commands.partition(b"\n")
            name, *rest = line.decode().split()
            if name == "open":
                self._open_more(int(rest[0]))
            elif name == "expect":
                self._begin(int(rest[0]))
                _say({"expecting": True})
            elif name == "report":
                self._report()
            else:
                sys.exit(0)

    def _begin(self, expected: int) -> None:
        self._expected = expected
        self._frames = self._bytes = self._first = self._last = 0
        self._delays: list[int] = []
        self._stamps: dict[int, list[int]] = {}

    def _report(self) -> None:
        delays = sorted(self._delays) or [0]
        cuts = statistics.quantiles(delays, n=100) if len(delays) > 1 else [delays[0]] * 99
        stamps = [[at, *rest] for at, rest in self._stamps.items()]
        counts = {"frames": self._frames, "bytes": self._bytes, "open": self._open, "ended": self._ended}
        times = {"first": self._first / 1e6, "last": self._last / 1e6, "timed": len(self._delays)}
        _say({**counts, **times, "p50": cuts[49], "p99": cuts[98], "longest": delays[-1], "stamps": stamps})

    def _open_more(self, count: int) -> None:
        began = time.monotonic()
        tally = Counter(self._connect() for _ in range(count))
        _say({"opened": self._open, "failed": tally[False], "seconds": time.monotonic() - began})

    def _connect(self) -> bool:
        try:
            sock = socket.create_connection(("127.0.0.1", self._port), 10)
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(self._request)
            client = _Client(sock)
            while not client.answered:
                chunk = sock.recv(_CHUNK)
                if not chunk:
                    return False
                self._take(client, chunk)
        except OSError:
            return False
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ, client)
        self._open += 1
        return True

    # -- what comes in ------------------------------------------------------------------------------------

    def _read(self, client: _Client) -> None:
        try:
            while chunk := client.sock.recv(_CHUNK):
                self._take(client, chunk)
                if self._tls is None:
                    return
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            pass
        self._selector.unregister(client.sock)
        client.sock.close()
        self._open -= 1
        self._ended += 1

    def _take(self, client: _Client, chunk: bytes) -> None:
        self._bytes += len(chunk)
        data, now, at = client.kept + chunk, _microseconds(), 0
        if not client.answered:
            head, found, rest = data.partition(b"\r\n\r\n")
            client.answered = bool(found) and head[9:12] == b"101"
            data = rest if client.answered else data
        while client.answered and len(data) - at > 1:
            size, start = data[at + 1], at + 2
            if size == _MEDIUM:
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            if len(data) < start + size or len(data) < start:
                break
            self._take_frame(client, data[at] & 15, data[start : start + size], now)
            at = start + size
        client.kept = data[at:]

    def _take_frame(self, client: _Client, opcode: int, payload: bytes, now: int) -> None:
        if opcode == _PING:
            client.sock.send(bytes((_PONG, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        if opcode > _DATA:
            return
        self._first = self._first or now
        self._last = now
        self._frames += 1
        if self._looks_at_stamps and (found := _STAMP.search(payload)):
            at = int(found[1])
            self._delays.append(max(0, now - at))
            stamp = self._stamps.setdefault(at, [now, now, 0])
            stamp[1:] = [now, stamp[2] + 1]
        if self._frames == self._expected:
            self._report()


def _say(value: dict[str, object]) -> None:
    print(json.dumps(value), flush=True)  # noqa: T201 - what the harness listens to


if __name__ == "__main__":
    SlowLoad(
        int(sys.argv[1]), sys.argv[2], stamps="stamps" in sys.argv, tls=any("tls=" in word for word in sys.argv)
    ).run()
