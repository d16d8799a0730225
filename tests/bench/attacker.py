"""Hostile clients: thousands that come at a steady pace, each in one of the ways that servers die of.

    python -m tests.bench.attacker PORT

Rules of this file: each comes from an address of its own kind in 127.0.0.0/8, so a gateway that exempts nobody can tell
them apart: those who storm share a few addresses, as a browser's tab does, the others have hundreds, as a botnet does.
Whoever is let live is gone after ``PATIENCE`` seconds. Command, answered by one line of JSON with what became of how
many, by their kind and by how it ended:

* ``attack COUNT SECONDS``: COUNT of them within SECONDS, their kinds in turn
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress

import trio

PATIENCE = 15.0
AT_ONCE = 4_000
FEW, MANY = 3, 250

_KEY = base64.b64encode(bytes(16)).decode()
_PING, _TEXT, _BINARY, _CONTINUED = 0x89, 0x81, 0x82, 0x00
_FLOOD = 20_000
_CHUNK = 65_536
_MASK = bytes(4)

Attack = Callable[[trio.SocketStream], Awaitable[str]]


def _frame(opcode: int, payload: bytes = b"") -> bytes:
    """One masked frame (RFC 6455, section 5.2); a mask of zeros leaves the payload as it is."""
    size = len(payload)
    head = bytes((opcode, 0x80 | size)) if size < 126 else bytes((opcode, 0xFE)) + size.to_bytes(2, "big")
    return head + _MASK + payload


def _upgrade(*lines: str) -> bytes:
    fields = ["Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    return "\r\n".join(["GET /stream HTTP/1.1", *fields, f"Sec-WebSocket-Key: {_KEY}", *lines, "", ""]).encode()


async def _outcome(stream: trio.SocketStream) -> str:
    """How the gateway ends it: an HTTP status, a close code, or nothing said."""
    heard = b""
    # What was heard before it was cut counts.
    with suppress(trio.BrokenResourceError):
        while data := await stream.receive_some(_CHUNK):
            heard = (heard + data)[-_CHUNK:]
            if heard.startswith(b"HTTP/1.1 ") and not heard.startswith(b"HTTP/1.1 101"):
                return heard[9:12].decode()
    last = heard.rfind(b"\x88")
    return str(int.from_bytes(heard[last + 2 : last + 4], "big")) if last >= 0 else "closed"


async def _say(stream: trio.SocketStream, data: bytes, times: int = 1) -> str:
    """Say ``data`` so many times while the gateway's answers are read, and how it ends."""
    found = ""

    async def speak() -> None:
        for _ in range(times):
            await stream.send_all(data)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(_quietly, speak)
        found = await _outcome(stream)
        nursery.cancel_scope.cancel()
    return found


async def _quietly(act: Callable[[], Awaitable[None]]) -> None:
    try:
        await act()
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return


async def _drip(stream: trio.SocketStream, begin: bytes) -> str:
    """Begin, then go on with a byte a second."""

    async def speak() -> None:
        await stream.send_all(begin)
        while True:
            await trio.sleep(1)
            await stream.send_all(b"x")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(_quietly, speak)
        found = await _outcome(stream)
        nursery.cancel_scope.cancel()
    return found


async def slow_head(stream: trio.SocketStream) -> str:
    """A head that never ends."""
    return await _drip(stream, b"GET /up HTTP/1.1\r\nX-Y: ")


async def slow_body(stream: trio.SocketStream) -> str:
    """A body that never ends."""
    return await _drip(stream, b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n")


async def silent(stream: trio.SocketStream) -> str:
    """Nothing at all."""
    return await _outcome(stream)


async def garbage(stream: trio.SocketStream) -> str:
    """What is no HTTP."""
    return await _say(stream, random.randbytes(2048))


async def bad_token(stream: trio.SocketStream) -> str:
    """A token that nobody signed."""
    token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in _CLAIMS)
    return await _say(stream, _upgrade(f"Authorization: Bearer {token}"))


_CLAIMS = (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"1","iss":"https://bench.invalid","exp":9999999999}', bytes(32))


async def pings(stream: trio.SocketStream) -> str:
    """A flood of Pings."""
    return await _say(stream, _upgrade() + _frame(_PING) * (_FLOOD // 10), 10)


async def pieces(stream: trio.SocketStream) -> str:
    """A message in pieces of nothing."""
    return await _say(stream, _upgrade() + _frame(0x01, b"x") + _frame(_CONTINUED) * _FLOOD)


async def nested(stream: trio.SocketStream) -> str:
    """JSON that is deep, and JSON that is wide."""
    deep, wide = b"[" * 30_000, b"[" + b"{}," * 20_000 + b"1]"
    return await _say(stream, _upgrade() + _frame(_TEXT, deep) + _frame(_TEXT, wide), 10)


async def bombs(stream: trio.SocketStream) -> str:
    """MessagePack that says it is large, and that is."""
    said = _frame(_BINARY, b"\xdd\xff\xff\xff\xff") + _frame(_BINARY, b"\xdc\xff\xff" + b"\x80" * 60_000)
    return await _say(stream, _upgrade("Sec-WebSocket-Protocol: andond.v1.msgpack") + said * 10)


async def subscriptions(stream: trio.SocketStream) -> str:
    """Every channel that there could be."""
    commands = (
        {"id": number, "subscribe": {"channel": f"events/x{number}"}}
        if number
        else {"id": 0, "connect": {"client": "x"}}
        for number in range(2000)
    )
    return await _say(stream, _upgrade() + b"".join(_frame(_TEXT, json.dumps(each).encode()) for each in commands))


async def storm(stream: trio.SocketStream) -> str:
    """A tab of a browser that opens a socket and leaves it."""
    await stream.send_all(_upgrade())
    return (await stream.receive_some(_CHUNK))[9:12].decode(errors="replace") or "closed"


KINDS: tuple[Attack, ...] = (
    slow_head, slow_body, silent, garbage, bad_token, pings, pieces, nested, bombs, subscriptions, storm, storm,
)  # fmt: skip


def _addresses(count: int, network: int) -> Iterator[str]:
    return itertools.cycle([f"127.{network}.{number // 250}.{1 + number % 250}" for number in range(count)])


class Attacker:
    """Attacks what listens on ``port``."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ended: Counter[str] = Counter()
        self._few, self._many = _addresses(FEW, 10), _addresses(MANY, 20)
        self._room = trio.CapacityLimiter(AT_ONCE)

    async def attack(self, count: int, seconds: float) -> dict[str, int]:
        """Send ``count`` of them; returns how many ended how."""
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for index, kind in zip(range(count), itertools.cycle(KINDS), strict=False):
                await trio.sleep_until(began + seconds * index / count)
                nursery.start_soon(self._one, kind)
        return dict(sorted(self._ended.items()))

    async def _one(self, kind: Attack) -> None:
        address = next(self._few if kind is storm else self._many)
        async with self._room:
            with trio.move_on_after(PATIENCE) as patience:
                found = await self._ending(kind, address)
            self._ended[f"{kind.__name__} {'left' if patience.cancelled_caught else found}"] += 1

    async def _ending(self, kind: Attack, address: str) -> str:
        sock = trio.socket.socket()
        try:
            await sock.bind((address, 0))
            await sock.connect(("127.0.0.1", self._port))
            return await kind(trio.SocketStream(sock))
        except (OSError, trio.BrokenResourceError):
            return "cut"
        finally:
            sock.close()


async def _obey(port: int) -> None:
    commands = trio.lowlevel.FdStream(os.dup(0))
    waiting = b""
    while chunk := await commands.receive_some(4096):
        waiting += chunk
        while b"\n" in waiting:
            line, _, waiting = waiting.partition(b"\n")
            _, count, seconds = line.decode().split()
            ended = await Attacker(port).attack(int(count), float(seconds))
            print(json.dumps(ended), flush=True)  # noqa: T201 - what the harness listens to


def main(arguments: Sequence[str]) -> None:
    """Obey until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.attacker")
    parser.add_argument("port", type=int)
    trio.run(_obey, parser.parse_args(arguments).port)


if __name__ == "__main__":
    main(sys.argv[1:])
