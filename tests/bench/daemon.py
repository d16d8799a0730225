"""The daemon with one actor more: a publisher, told on standard input what to publish.

    python -m tests.bench.daemon [-c FILE] [--listen HOST:PORT]

Rules of this file: everything but that actor is the daemon's own, started as ``andond run`` starts it. The publisher
stands where a desk stands: it tells the keeper of the channels, and knows that a publication is out when the last
follower has got it, which is a probe of ours. Commands, each answered by one line of JSON:

* ``flush COUNT SIZE``: each publication when the one before it is out, so one send a follower
* ``burst COUNT SIZE JOINED``: all at once; how many are joined is the channel's business
* ``pace COUNT SIZE EVERY``: one each EVERY microseconds, stamped with the moment it was due
* ``urgent COUNT SIZE EVERY``: the same, all of them critical
* ``flood SECONDS SIZE``: routine ones so that some always wait, and a critical one each 100 ms
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import ParamSpec, cast

import trio

import andond.run
from actors.messages import Follow, Publish, Unfollow
from actors.places import CHANNELS, Address
from actors.runtime import ChildSpec, TrioActor
from andond import cli
from andond.tree import gateway
from domain import Event, JsonValue, Priority, Publication
from domain.access import OPEN_RIGHTS
from transport import Batch, Frame, FrameStream
from transport.dialects.cloudevents import encode

P = ParamSpec("P")

CHANNEL = "events/bench"
SIZE = 300
WAITING = 64
CRITICAL_INTERVAL = 0.1
SETTLE = 0.3
_READ_SIZE = 4096


def microseconds() -> int:
    """Now on the clock that the load has as well."""
    return time.monotonic_ns() // 1000


class Probe:
    """A follower without a socket: counts what it is offered, and notes when a critical frame came by."""

    def __init__(self) -> None:
        self.frames = 0
        self.critical_at: list[int] = []
        self._goal = 0
        self._reached = trio.Event()

    def offer(self, frame: Frame) -> None:
        """Take one frame."""
        self.frames += 1
        if frame.priority is Priority.CRITICAL:
            self.critical_at.append(microseconds())
        self._look()

    def offer_batch(self, batch: Batch) -> None:
        """Take some joined frames."""
        self.frames += len(batch.frames)
        self._look()

    async def reached(self, goal: int) -> None:
        """Wait until so many frames were offered."""
        if self.frames < goal:
            self._goal, self._reached = goal, trio.Event()
            await self._reached.wait()

    def _look(self) -> None:
        if self.frames >= self._goal:
            self._reached.set()


class Publisher(TrioActor):
    """Publishes on ``CHANNEL``; ``port`` is where the daemon listens."""

    has_tasks = True

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self._channels = Address(self.life.environment, CHANNELS)
        self._first = Probe()
        self._last = Probe()
        self._made = 0
        self._fill = ""
        self._size = 0
        self._fill_to(SIZE)

    async def setup(self) -> None:
        """Say where the daemon is once somebody follows, before anybody else."""
        self._follow(self._first)
        # One to remember, so that who follows later is offered it and is known to be in place.
        self._publish(microseconds())
        await self._first.reached(1)
        _say({"port": self._port, "size": self._payload_size()})
        self.start_task(self._obey_for_ever)

    def _fill_to(self, size: int) -> None:
        """Make the payloads of what is published ``size`` bytes, as far as they are not larger by themselves."""
        if size != self._size:
            self._size, self._fill = size, ""
            self._fill = "x" * max(0, size - self._payload_size())

    def _payload_size(self) -> int:
        return len(encode(Publication(CHANNEL, "0123abcd", 1000, time.time(), self._event(microseconds()))))

    def _follow(self, probe: Probe) -> None:
        self._channels.tell(Follow(CHANNEL, cast("FrameStream", probe), encode, latest=1, rights=OPEN_RIGHTS))

    def _event(self, at: int, priority: Priority = Priority.NORMAL, word: str = "stamp") -> Event:
        self._made += 1
        data: JsonValue = {word: at, "fill": self._fill}
        return Event(f"{self._made:06d}", "/bench", "bench.tick", data, time.time(), priority)

    def _publish(self, at: int, priority: Priority = Priority.NORMAL, word: str = "stamp") -> None:
        self._channels.tell(Publish(self._event(at, priority, word)))

    # -- commands -----------------------------------------------------------------------------------------

    async def _obey_for_ever(self) -> None:
        commands = trio.lowlevel.FdStream(os.dup(0))
        waiting = b""
        while chunk := await commands.receive_some(_READ_SIZE):
            waiting += chunk
            while b"\n" in waiting:
                line, _, waiting = waiting.partition(b"\n")
                await self._obey(line.decode().split())
        # Whoever measured is gone.
        os.kill(os.getpid(), signal.SIGTERM)

    async def _obey(self, words: list[str]) -> None:
        name, first, *rest = words
        self._fill_to(int(rest[0]))
        # Behind all who follow at this moment.
        self._last = Probe()
        self._follow(self._last)
        await self._last.reached(1)
        self._last.frames = 0
        began = microseconds()
        found: dict[str, JsonValue] = {}
        if name == "flush":
            await self._flush(int(first))
        elif name == "burst":
            await self._burst(int(first))
        elif name == "pace":
            await self._pace(int(first), int(rest[1]))
        elif name == "urgent":
            await self._pace(int(first), int(rest[1]), Priority.CRITICAL)
        else:
            found = await self._flood(float(first))
        ended = microseconds()
        self._channels.tell(Unfollow(CHANNEL, cast("FrameStream", self._last)))
        _say({"began": began / 1e6, "ended": ended / 1e6, **found})

    async def _flush(self, count: int) -> None:
        for sent in range(1, count + 1):
            self._publish(microseconds())
            await self._last.reached(sent)

    async def _burst(self, count: int) -> None:
        for _ in range(count):
            self._publish(microseconds())
        await self._last.reached(count)

    async def _pace(self, count: int, every: int, priority: Priority = Priority.NORMAL) -> None:
        began = trio.current_time()
        first = microseconds()
        for index in range(count):
            await trio.sleep_until(began + index * every / 1e6)
            self._publish(first + index * every, priority)
        await self._last.reached(count)

    async def _flood(self, seconds: float) -> dict[str, JsonValue]:
        first, last = self._first, self._last
        first.critical_at.clear()
        told: list[int] = []
        sent = 0
        now = trio.current_time
        end, due = now() + seconds, now() + SETTLE
        while now() < end:
            while sent - last.frames < WAITING:
                self._publish(microseconds(), word="routine")
                sent += 1
            if now() >= due:
                due += CRITICAL_INTERVAL
                told.append(microseconds())
                self._publish(told[-1], Priority.CRITICAL)
                sent += 1
            await trio.lowlevel.checkpoint()
        await last.reached(sent)
        return {"sent": sent, "first": _delays(told, first.critical_at), "last": _delays(told, last.critical_at)}


def _delays(told: Sequence[int], came: Sequence[int]) -> JsonValue:
    return [[float(end - begin) for begin, end in zip(told, came, strict=True)]]


def _say(value: dict[str, JsonValue]) -> None:
    print(json.dumps(value), flush=True)  # noqa: T201 - what the harness listens to


def _with_publisher(make: Callable[P, list[ChildSpec]]) -> Callable[P, list[ChildSpec]]:
    """The tree that ``make`` makes, whatever it is given, and the publisher."""

    def made(*given: P.args, **named: P.kwargs) -> list[ChildSpec]:
        sockets = cast("Sequence[socket.socket]", given[1])
        return [*make(*given, **named), ChildSpec("publisher", Publisher, (sockets[0].getsockname()[1],))]

    return made


if __name__ == "__main__":
    andond.run.gateway = _with_publisher(gateway)  # type: ignore[attr-defined]  # imported there, to be used there
    sys.exit(cli.main(["run", *sys.argv[1:]]))
