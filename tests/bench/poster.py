"""A publisher that posts CloudEvents to a gateway, at a steady pace or as fast as they are answered for.

    python -m tests.bench.poster PORT [--tls]

Rules of this file: a batch is posted again, with the same ids, until it is answered by 202; what it carries holds the
moment (CLOCK_MONOTONIC, microseconds) at which it was first sent, in the member WORD of the data. Commands, each
answered by one line of JSON:

* ``pace SOURCE TYPE WORD RATE SIZE COUNT``: COUNT batches of SIZE events, RATE batches a second, each when it is due
  whatever became of those before it, as long as there are fewer than ``IN_FLIGHT``
* ``race SOURCE TYPE WORD IN_FLIGHT SIZE COUNT``: the same, each as soon as one of IN_FLIGHT before it is answered for
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import trio

from tests.bench.link import ANSWER_LIMIT, insecure

IN_FLIGHT = 32
AGAIN = 0.02
FILL = "x" * 40

_SINGLE, _BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
_CHUNK = 1 << 16


class Refused(Exception):
    """The gateway says that posting this again would be of no use."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is posted: ``size`` events at once."""

    source: str
    type: str
    word: str
    size: int


@dataclass(slots=True)
class Found:
    """What became of the posts; times are in microseconds."""

    accepted: int = 0
    repeats: int = 0
    late: int = 0
    answers: list[float] = field(default_factory=list)


class Line:
    """One connection to the gateway, made when it is needed and kept."""

    def __init__(self, port: int, *, tls: bool) -> None:
        self._port = port
        self._tls = tls
        self._stream: trio.abc.Stream | None = None

    async def post(self, body: bytes, media: str) -> int:
        """The status that ``body`` is answered by; 0 if it is not answered."""
        head = (
            "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: {media}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            with trio.fail_after(ANSWER_LIMIT):
                if self._stream is None:
                    self._stream = await self._open()
                await self._stream.send_all(head.encode() + body)
                return await self._status(self._stream)
        except (OSError, trio.BrokenResourceError, trio.TooSlowError):
            self._stream = None
            return 0

    async def _open(self) -> trio.abc.Stream:
        stream = await trio.open_tcp_stream("127.0.0.1", self._port)
        stream.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
        return trio.SSLStream(stream, insecure()) if self._tls else stream

    async def _status(self, stream: trio.abc.Stream) -> int:
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += await _more(stream)
        head, _, body = answer.partition(b"\r\n\r\n")
        words = head.lower()
        at = words.index(b"content-length:") + len(b"content-length:")
        missing = int(words[at:].split(None, 1)[0]) - len(body)
        while missing > 0:
            missing -= len(await _more(stream))
        if b"connection: close" in words:
            self._stream = None
        return int(head[9:12])


async def _more(stream: trio.abc.Stream) -> bytes:
    data = await stream.receive_some(_CHUNK)
    if not data:
        raise trio.BrokenResourceError
    return bytes(data)


class Poster:
    """Posts to the gateway at ``port``; ids are never used twice."""

    def __init__(self, port: int, *, tls: bool) -> None:
        self._lines = [Line(port, tls=tls) for _ in range(IN_FLIGHT)]
        self._port = port
        self._tls = tls
        self._made = 0

    async def pace(self, kind: Kind, rate: float, count: int) -> Found:
        """Post ``count`` batches, ``rate`` a second."""
        found, began = Found(), trio.current_time()
        free = trio.Semaphore(IN_FLIGHT)
        async with trio.open_nursery() as nursery:
            for number in range(count):
                due = began + number / rate
                await trio.sleep_until(due)
                await free.acquire()
                found.late += trio.current_time() > due + 1 / rate
                nursery.start_soon(self._post_one, kind, found, free)
        return found

    async def race(self, kind: Kind, in_flight: int, count: int) -> Found:
        """Post ``count`` batches, ``in_flight`` at a time."""
        found = Found()
        self._lines += [Line(self._port, tls=self._tls) for _ in range(in_flight - len(self._lines))]
        shares = [count // in_flight + (number < count % in_flight) for number in range(in_flight)]
        async with trio.open_nursery() as nursery:
            for share in shares:
                nursery.start_soon(self._post_row, kind, found, share)
        return found

    async def _post_one(self, kind: Kind, found: Found, free: trio.Semaphore) -> None:
        await self._post(kind, found)
        free.release()

    async def _post_row(self, kind: Kind, found: Found, count: int) -> None:
        for _ in range(count):
            await self._post(kind, found)

    async def _post(self, kind: Kind, found: Found) -> None:
        line = self._lines.pop()
        began = time.monotonic_ns() // 1000
        body = self._body(kind, began)
        while (status := await line.post(body, _SINGLE if kind.size == 1 else _BATCH)) != 202:
            if 400 <= status < 500:
                raise Refused(f"answered by {status}: {body[:200]!r}")
            found.repeats += 1
            await trio.sleep(AGAIN)
        found.answers.append(time.monotonic_ns() // 1000 - began)
        found.accepted += kind.size
        self._lines.append(line)

    def _body(self, kind: Kind, at: int) -> bytes:
        first = self._made
        self._made += kind.size
        data = f'{{"{kind.word}":{at},"fill":"{FILL}"}}'
        head = f'{{"specversion":"1.0","source":"{kind.source}","type":"{kind.type}","data":{data},"id":"{kind.word}-'
        events = [f'{head}{number}"}}' for number in range(first, self._made)]
        return (events[0] if kind.size == 1 else f"[{','.join(events)}]").encode()


async def obey(poster: Poster, line: str) -> dict[str, object]:
    """Do what one line commands, and say what was found."""
    name, source, type_, word, third, size, count = line.split()
    kind = Kind(source, type_, word, int(size))
    began = time.monotonic()
    if name == "pace":
        found = await poster.pace(kind, float(third), math.ceil(float(count)))
    else:
        found = await poster.race(kind, int(third), int(count))
    counts = {"accepted": found.accepted, "repeats": found.repeats, "late": found.late}
    return {**counts, "seconds": time.monotonic() - began, "answers": [found.answers]}


async def _run(port: int, *, tls: bool) -> None:
    poster = Poster(port, tls=tls)
    while line := await trio.to_thread.run_sync(sys.stdin.readline):
        print(json.dumps(await obey(poster, line)), flush=True)  # noqa: T201 - what the harness listens to


def main(arguments: Sequence[str]) -> None:
    """Obey until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.poster")
    parser.add_argument("port", type=int)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args(arguments)
    trio.run(lambda: _run(options.port, tls=options.tls))


if __name__ == "__main__":
    main(sys.argv[1:])
