"""The peer: the ``websockets`` library's own broadcast, on asyncio's loop or on uvloop.

    python -m tests.bench.peer asyncio|uvloop [PING_INTERVAL [CERTIFICATE KEY]]

Rules of this file: what its documents recommend for a broadcast, with nothing in its way: no compression, no history,
no priorities, and everything that lives long kept out of garbage collections. Commands as in ``daemon.py``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import ssl
import sys
import time

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

_connections: set[ServerConnection] = set()


def _microseconds() -> int:
    return time.monotonic_ns() // 1000


def _payload(size: int, at: int) -> str:
    head = f'{{"stamp":{at:016d},"fill":"'
    return head + "x" * (size - len(head) - 2) + '"}'


async def _stay(connection: ServerConnection) -> None:
    _connections.add(connection)
    try:
        async for _ in connection:
            pass
    finally:
        _connections.discard(connection)


def _is_written() -> bool:
    """Whether no socket has anything left to take."""
    return not any(connection.transport.get_write_buffer_size() for connection in _connections)


async def _obey(words: list[str]) -> None:
    name, count, size = words[0], int(words[1]), int(words[2])
    gc.collect()
    gc.freeze()
    began = _microseconds()
    for index in range(count):
        at = _microseconds()
        if name == "pace":
            at = began + index * int(words[3])
            await asyncio.sleep(max(0.0, (at - _microseconds()) / 1e6))
        broadcast(_connections, _payload(size, at))
        if name == "flush":
            await asyncio.sleep(0)
    while not _is_written():  # noqa: ASYNC110 - the library has no event for it
        await asyncio.sleep(0)
    print(json.dumps({"began": began / 1e6, "ended": _microseconds() / 1e6}), flush=True)  # noqa: T201 - the answer


def _context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def _serve(ping_interval: float | None, tls: ssl.SSLContext | None) -> None:
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), os.fdopen(0))
    async with serve(
        _stay, "127.0.0.1", 0, compression=None, ping_interval=ping_interval, backlog=4096, ssl=tls
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(json.dumps({"port": port}), flush=True)  # noqa: T201 - the answer
        while line := await commands.readline():
            await _obey(line.decode().split())
        # Whoever measured is gone; saying goodbye to ten thousand would take a while.
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Serve until standard input ends."""
    loop, *rest = arguments
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    interval = float(rest[0]) if rest else 0.0
    tls = _context(*rest[1:]) if len(rest) > 1 else None
    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(interval or None, tls))


if __name__ == "__main__":
    main(sys.argv[1:])
