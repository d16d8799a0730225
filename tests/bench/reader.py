"""A client that processes what it gets at a fixed rate, and notes how long what is critical has waited for it.

    python -m tests.bench.reader PORT RATE [--buffer BYTES] [--native CREDIT] [--tls] CHANNEL ...

Rules of this file: one thread. What was read is processed when the time is over that its bytes take at RATE (bytes a
second; 0: as fast as it can be read), and only then are Pings answered, credit returned and receipts given. What
publishers put into the data says what an event is: ``stamp`` is routine, ``urgent`` and ``flood`` hold the moment
(CLOCK_MONOTONIC, microseconds) at which they were posted. It answers ``report`` on standard input by a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import re
import select
import sys
import time
from bisect import bisect_left
from collections.abc import Sequence
from itertools import count

from tests.bench.link import CLOSE, PING, PONG, TEXT, Link, LinkLost

NATIVE, RECEIVE_ONLY = "andond.v1.json", "cloudevents.json"
PIECE, LARGE_PIECE = 1024, 1 << 16
CATCH_UP = 0.01
"""Seconds that a limited reader may be behind: what the machine oversleeps is made up for, idleness is not."""

_URGENT = re.compile(rb'"urgent":(\d+)')
_ID = re.compile(rb'"id":"([^"]*)"')
_POSITION = re.compile(rb'"criticaloffset":"([^"]*)"')
_COUNT = re.compile(rb'"count":(\d+)')
_CRITICAL = b'{"push":"event","priority":"critical"'
_EVENT, _GAP = b'{"push":"event"', b'{"push":"gap"'
_DEMOTED = b'"demotedfrom":"critical"'


def _microseconds() -> int:
    return time.monotonic_ns() // 1000


class Tally:
    """What was processed so far."""

    def __init__(self) -> None:
        self.routine_at: list[int] = []
        self.critical: list[list[float]] = []
        self.flood: dict[bytes, bool] = {}
        self.gapped = 0
        self.bytes = 0

    def take(self, payload: bytes) -> None:
        """Note one event or gap."""
        now = _microseconds()
        if b'"stamp":' in payload:
            self.routine_at.append(now)
        elif found := _URGENT.search(payload):
            posted = int(found[1])
            between = len(self.routine_at) - bisect_left(self.routine_at, posted)
            self.critical.append([posted, now, between, len(self.routine_at) + self.gapped])
        elif b'"flood":' in payload and (name := _ID.search(payload)):
            self.flood[name[1]] = _DEMOTED in payload
        elif payload.startswith(_GAP) and (gap := _COUNT.search(payload)):
            self.gapped += int(gap[1])

    def answer(self) -> dict[str, object]:
        """All of it; of what is critical: when it was posted and processed, routine between, routine so far."""
        demoted = sum(self.flood.values())
        counts = {"routine": len(self.routine_at), "gapped": self.gapped, "bytes": self.bytes}
        flood = {"flood_critical": len(self.flood) - demoted, "flood_demoted": demoted}
        return {**counts, **flood, "critical": self.critical}


class Reader:
    """Reads from ``link`` at ``rate``; ``credit`` is what a native client has allowed, None for any other."""

    def __init__(self, link: Link, rate: int, credit: int | None) -> None:
        self.tally = Tally()
        self._link = link
        self._rate = rate
        self._piece = PIECE if rate else LARGE_PIECE
        self._credit = credit
        self._processed = 0
        self._position = self._told = b""
        self._free_at = 0.0

    def run(self) -> None:
        """Read and obey until standard input ends."""
        while True:
            ready = select.select([0, self._link.sock], [], [], 0 if self._link.has_more else None)[0]
            if 0 in ready and not self._obey():
                return
            if self._link.has_more or self._link.sock in ready:
                self._process(self._link.read(self._piece))

    def _obey(self) -> bool:
        if not sys.stdin.readline():
            return False
        _say(self.tally.answer())
        return True

    def _process(self, data: bytes) -> None:
        if self._rate:
            now = time.monotonic()
            self._free_at = max(self._free_at, now - CATCH_UP) + len(data) / self._rate
            if self._free_at > now:
                time.sleep(self._free_at - now)
        self.tally.bytes += len(data)
        for opcode, payload, size in self._link.cut(data):
            if opcode == PING:
                self._link.write(PONG, payload)
            elif opcode == TEXT:
                self.tally.take(payload)
                self._note(payload, size)
            elif opcode == CLOSE:
                raise LinkLost(f"closed: {payload!r}")
        if self._credit is not None:
            self._return(self._credit)

    def _note(self, payload: bytes, size: int) -> None:
        if payload.startswith(_CRITICAL):
            found = _POSITION.search(payload)
            self._position = found[1] if found else self._position
        elif payload.startswith((_EVENT, _GAP)):
            self._processed += size

    def _return(self, credit: int) -> None:
        if self._processed * 2 >= credit:
            self._link.say({"credit": self._processed})
            self._processed = 0
        if self._position != self._told:
            self._told = self._position
            self._link.say({"ack": {"critical": self._told.decode()}})


def follow(link: Link, channels: Sequence[str], connect: dict[str, object]) -> None:
    """Introduce a native client and follow ``channels`` from now on."""
    numbers = count(1)
    link.say({"id": next(numbers), "connect": {"client": "bench", **connect}})
    for channel in channels:
        link.say({"id": next(numbers), "subscribe": {"channel": channel, "latest": 0}})
    last = f'{{"id":{len(channels) + 1},"subscribe"'.encode()
    for message in link.messages():
        if b'"error"' in message[:40]:
            raise LinkLost(message.decode())
        if message.startswith(last):
            return


def _say(value: dict[str, object]) -> None:
    print(json.dumps(value), flush=True)  # noqa: T201 - what the harness listens to


def main(arguments: Sequence[str]) -> None:
    """Connect, say so, read."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reader")
    parser.add_argument("port", type=int)
    parser.add_argument("rate", type=int)
    parser.add_argument("--buffer", type=int)
    parser.add_argument("--native", type=int, metavar="CREDIT")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("channels", nargs="+", metavar="CHANNEL")
    options = parser.parse_args(arguments)
    if options.native:
        link = Link(options.port, "/stream", NATIVE, receive_buffer=options.buffer, tls=options.tls)
        follow(link, options.channels, {"credit": options.native})
    else:
        path = "/stream?latest=0" + "".join(f"&channel={channel}" for channel in options.channels)
        link = Link(options.port, path, RECEIVE_ONLY, receive_buffer=options.buffer, tls=options.tls)
    _say({"reading": True, "buffer": link.buffer})
    Reader(link, options.rate, options.native).run()


if __name__ == "__main__":
    main(sys.argv[1:])
