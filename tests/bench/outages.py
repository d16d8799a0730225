"""A gateway that goes away under its clients: a planned restart, or kill -9 at random points; who missed what?

    python -m tests.bench.outages restart --clients 1000
    python -m tests.bench.outages kills --clients 200 --events 10000 --kills 200 [--seed N]

Rules of this file: it prints one line of JSON and judges nothing. Critical events are posted all the time, each again
with the same id until it is answered for. The daemons run behind one socket and on one data directory.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import trio

from tests.bench.held import Held
from tests.bench.machine import allow_descriptors
from tests.bench.native import Client, Poster

LINES = 4
LIMIT = 60.0
POLL = 0.05
PACE = 0.5
"""Seconds between two calls of a line during a restart."""

BEFORE, AFTER = 3, 3
"""Calls of each line before and after a restart."""

STARTUP = 1.5
"""Seconds within which a kill may come before the daemon is even ready."""

Found = dict[str, object]


class Outage:
    """Clients and posters around one held gateway."""

    def __init__(self, held: Held, clients: int, chance: random.Random) -> None:
        self.held = held
        self.chance = chance
        self.clients = [Client(f"c{number}", held.port, chance) for number in range(clients)]
        self.posters = [Poster(line, held.port) for line in range(LINES)]

    @property
    def posted(self) -> int:
        """How many calls were answered for."""
        return sum(len(poster.posted) for poster in self.posters)

    async def all_connected(self) -> None:
        """Wait until every client is connected."""
        await until(lambda: all(client.is_connected for client in self.clients))

    async def all_caught_up(self) -> None:
        """Wait until every client has every call, or has not got it in time."""
        posted = {id_ for poster in self.posters for id_ in poster.posted}
        with suppress(trio.TooSlowError):
            await until(lambda: all(client.seen.ids >= posted for client in self.clients))

    def found(self) -> Found:
        """What there is to know of every kind of outage."""
        seen = [client.seen for client in self.clients]
        orders = [(poster.channel, poster.posted) for poster in self.posters]
        posted = {id_ for _, ids in orders for id_ in ids}
        return {
            "posted": self.posted,
            "repeated_posts": sum(poster.repeats for poster in self.posters),
            "received": sum(len(each.ids) for each in seen),
            "repeats": sum(len(each.events) - len(each.ids) for each in seen),
            "lost": sum(len(posted - each.ids) for each in seen),
            "unknown": sum(len(each.ids - posted) for each in seen),
            "disordered": sum(each.without_repeats(channel) != ids for each in seen for channel, ids in orders),
            "refused": sum(each.refused for each in seen),
            "unrecovered": sum(each.unrecovered for each in seen),
            "returns": sum(len(each.returned_at) for each in seen),
        }


async def until(happened: Callable[[], bool], poll: float = POLL) -> None:
    """Wait until ``happened``.

    Raises:
        trio.TooSlowError: if that takes too long.
    """
    with trio.fail_after(LIMIT):
        while not happened():  # noqa: ASYNC110 - it is looked at from outside
            await trio.sleep(poll)


async def restart(outage: Outage) -> Found:
    """Restart the gateway as planned while calls come in."""
    held = outage.held
    held.start()
    async with trio.open_nursery() as nursery:
        for client in outage.clients:
            nursery.start_soon(client.run)
        await outage.all_connected()
        is_over = trio.Event()
        async with trio.open_nursery() as posting:
            for poster in outage.posters:
                posting.start_soon(_post_steadily, poster, is_over)
            await until(lambda: outage.posted >= BEFORE * LINES)
            began = trio.current_time()
            held.signal(signal.SIGTERM)
            code, drained = await trio.to_thread.run_sync(held.wait)
            held.start()
            await until(lambda: all(client.seen.returned_at for client in outage.clients))
            await outage.all_connected()
            enough = outage.posted + AFTER * LINES
            await until(lambda: outage.posted >= enough)
            is_over.set()
        await outage.all_caught_up()
        nursery.cancel_scope.cancel()
    seen = [client.seen for client in outage.clients]
    return outage.found() | {
        "exit": code,
        "drain_seconds": drained,
        "told_ms": [each.told for each in seen],
        "codes": sorted({code for each in seen for code in each.codes}),
        "told_positions": sum(each.told_positions for each in seen),
        "returned_after": sorted(at - began for each in seen for at in each.returned_at),
    }


async def _post_steadily(poster: Poster, is_over: trio.Event) -> None:
    while not is_over.is_set():
        await poster.post()
        with trio.move_on_after(PACE):
            await is_over.wait()


async def kills(outage: Outage, events: int, count: int) -> Found:
    """Kill the gateway ``count`` times while ``events`` calls come in."""
    held = outage.held
    held.start()
    async with trio.open_nursery() as nursery:
        for client in outage.clients:
            nursery.start_soon(client.run)
        await outage.all_connected()
        async with trio.open_nursery() as posting:
            for poster in outage.posters:
                posting.start_soon(_post_in_parts, outage, poster, events // LINES, count)
            for number in range(count):
                await _kill_once(outage, events * (number + outage.chance.random()) / (count + 1))
        await outage.all_caught_up()
        nursery.cancel_scope.cancel()
    return {"kills": count, **outage.found()}


async def _kill_once(outage: Outage, goal: float) -> None:
    """Kill the gateway once so many calls were answered for, or while it is still coming up."""
    if outage.chance.random() < 0.2:
        await trio.sleep(outage.chance.random() * STARTUP)
    else:
        await until(lambda: outage.posted >= goal, POLL / 10)
        await trio.sleep(outage.chance.random() * POLL)
    await trio.to_thread.run_sync(outage.held.kill)
    outage.held.start()


async def _post_in_parts(outage: Outage, poster: Poster, count: int, kills: int) -> None:
    """Post ``count`` calls, with pauses that leave time for kills between them."""
    for _ in range(count):
        await poster.post()
        await trio.sleep(outage.chance.random() * 2 * kills / count * 0.1)


async def _run(options: argparse.Namespace, held: Held) -> Found:
    outage = Outage(held, options.clients, random.Random(options.seed))
    return await (restart(outage) if options.what == "restart" else kills(outage, options.events, options.kills))


def main(arguments: Sequence[str]) -> None:
    """Do what was asked for and say what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.outages")
    parser.add_argument("what", choices=["restart", "kills"])
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--events", type=int, default=500)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", help="where to write what the daemons said")
    options = parser.parse_args(arguments)
    allow_descriptors()
    with tempfile.TemporaryDirectory(prefix="andond-outage-") as directory:
        began = time.monotonic()
        held = Held(Path(directory))
        try:
            found = trio.run(_run, options, held)
        finally:
            held.close()
            if options.log:
                Path(options.log).write_text(held.log)
        found["seconds"] = time.monotonic() - began
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
