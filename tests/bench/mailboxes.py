"""Messages between actors: ours, pykka's threads, and trio's own memory channels.

    python -m tests.bench.mailboxes RUNTIME ROUNDS MESSAGES      prints one line of JSON: for each case, messages/s

Rules of this file: one runtime a process, so that none pays for another's threads. A case counts a message when it was
handled. The cases: ``burst``, a hundred at a time to one; ``each``, one to each of a thousand, which costs a task
switch each; ``ask``, there and back.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable

import pykka
import trio
import trio.testing

from actors.runtime import ActorSystem, TrioActor

BURST = 100
ACTORS = 1_000


class Counter(TrioActor):
    """Counts down; ``left`` messages to come, then ``done``."""

    mailbox_limit = 100_000

    def __init__(self, left: list[int], done: trio.Event) -> None:
        super().__init__()
        self._left = left
        self._done = done

    def on_receive(self, message: object) -> object:
        """Count a message, and answer with it."""
        self._left[0] -= 1
        if not self._left[0]:
            self._done.set()
        return message


async def ours_burst(count: int) -> float:
    """A hundred at a time to one actor."""
    async with ActorSystem.open() as system:
        done = trio.Event()
        ref = system.start(Counter, "counter", [count], done)
        await trio.lowlevel.checkpoint()
        began = time.perf_counter()
        for _ in range(count // BURST):
            for _ in range(BURST):
                ref.tell("message")
            await trio.lowlevel.checkpoint()
        await done.wait()
        return count / (time.perf_counter() - began)


async def ours_each(count: int) -> float:
    """One to each of a thousand actors, again and again."""
    async with ActorSystem.open() as system:
        done = trio.Event()
        left = [count // ACTORS * ACTORS]
        refs = [system.start(Counter, f"counter-{index}", left, done) for index in range(ACTORS)]
        await trio.testing.wait_all_tasks_blocked()
        began = time.perf_counter()
        for _ in range(count // ACTORS):
            for ref in refs:
                ref.tell("message")
            await trio.lowlevel.checkpoint()
        await done.wait()
        return count / (time.perf_counter() - began)


async def ours_ask(count: int) -> float:
    """Ask one actor, and wait for the answer each time."""
    async with ActorSystem.open() as system:
        ref = system.start(Counter, "counter", [0], trio.Event())
        began = time.perf_counter()
        for _ in range(count // BURST):
            for _ in range(BURST):
                await ref.ask("message", block=False)
        return count / (time.perf_counter() - began)


class ThreadCounter(pykka.ThreadingActor):
    """The same in pykka's own runtime."""

    def __init__(self, left: list[int], done: threading.Event) -> None:
        super().__init__()
        self._left = left
        self._done = done

    def on_receive(self, message: object) -> object:
        """Count a message, and answer with it."""
        self._left[0] -= 1
        if not self._left[0]:
            self._done.set()
        return message


def threads_burst(count: int) -> float:
    """As many as one thread can tell to one actor."""
    done = threading.Event()
    ref = ThreadCounter.start([count], done)
    began = time.perf_counter()
    for _ in range(count):
        ref.tell("message")
    done.wait()
    rate = count / (time.perf_counter() - began)
    ref.stop()
    return rate


def threads_each(count: int) -> float:
    """One to each of a thousand actors, each with a countdown of its own: threads share none safely."""
    rounds = count // ACTORS
    ends = [threading.Event() for _ in range(ACTORS)]
    refs = [ThreadCounter.start([rounds], end) for end in ends]
    began = time.perf_counter()
    for _ in range(rounds):
        for ref in refs:
            ref.tell("message")
    for end in ends:
        end.wait()
    rate = count / (time.perf_counter() - began)
    pykka.ActorRegistry.stop_all()
    return rate


def threads_ask(count: int) -> float:
    """Ask one actor, and wait for the answer each time."""
    ref = ThreadCounter.start([0], threading.Event())
    began = time.perf_counter()
    for _ in range(count):
        ref.ask("message")
    rate = count / (time.perf_counter() - began)
    ref.stop()
    return rate


async def channel_burst(count: int) -> float:
    """A hundred at a time through one memory channel."""
    sender, receiver = trio.open_memory_channel[str](BURST)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_drain, receiver)
        began = time.perf_counter()
        async with sender:
            for _ in range(count // BURST):
                for _ in range(BURST):
                    sender.send_nowait("message")
                while receiver.statistics().current_buffer_used:
                    await trio.lowlevel.checkpoint()
    return count / (time.perf_counter() - began)


async def channel_each(count: int) -> float:
    """One through each of a thousand memory channels, again and again."""
    pairs = [trio.open_memory_channel[str](1) for _ in range(ACTORS)]
    async with trio.open_nursery() as nursery:
        for _, receiver in pairs:
            nursery.start_soon(_drain, receiver)
        await trio.testing.wait_all_tasks_blocked()
        began = time.perf_counter()
        for _ in range(count // ACTORS):
            for sender, _ in pairs:
                sender.send_nowait("message")
            await trio.lowlevel.checkpoint()
        for sender, _ in pairs:
            sender.close()
    return count / (time.perf_counter() - began)


async def channel_ask(count: int) -> float:
    """There through one memory channel and back through another."""
    there, asked = trio.open_memory_channel[str](1)
    back, answered = trio.open_memory_channel[str](1)

    async def echo() -> None:
        async for message in asked:
            await back.send(message)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo)
        began = time.perf_counter()
        async with there:
            for _ in range(count):
                await there.send("message")
                await answered.receive()
    return count / (time.perf_counter() - began)


async def _drain(receiver: trio.MemoryReceiveChannel[str]) -> None:
    async for _ in receiver:
        pass


Case = Callable[[int], float]


def _in_trio(function: Callable[[int], Awaitable[float]]) -> Case:
    def run(count: int) -> float:
        return trio.run(function, count)

    return run


RUNTIMES: dict[str, dict[str, Case]] = {
    "andond": {"burst": _in_trio(ours_burst), "each": _in_trio(ours_each), "ask": _in_trio(ours_ask)},
    "threads": {"burst": threads_burst, "each": threads_each, "ask": threads_ask},
    "channels": {"burst": _in_trio(channel_burst), "each": _in_trio(channel_each), "ask": _in_trio(channel_ask)},
}
# What costs more is done less often, so that a case takes about as long in each runtime.
SHARES = {("threads", "each"): 20, ("andond", "each"): 2, ("channels", "each"): 2}
ASK_SHARE = 10


def main(runtime: str, rounds: int, messages: int) -> None:
    """Measure one runtime, each case ``rounds`` times and once to warm up."""
    found: dict[str, list[float]] = {}
    for name, case in RUNTIMES[runtime].items():
        share = SHARES.get((runtime, name), ASK_SHARE if name == "ask" else 1)
        count = messages // share // ACTORS * ACTORS
        found[name] = [case(count) for _ in range(rounds + 1)][1:]
    print(json.dumps(found), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
