"""A failed actor comes back: how long it takes, and whether what waited is handled.

    python -m tests.bench.failures RUNTIME TIMES WAITING      prints one line of JSON

Rules of this file: ours is supervised as in the daemon, with the daemon's own log of failures, and no back-off. The
peer has no supervision, so it is done by hand: a new actor is started when the old one is dead. A time runs from the
message that fails to the first answer of the next life.
"""

from __future__ import annotations

import json
import logging
import sys
import time

import pykka
import trio

from actors.runtime import ActorSystem, ChildSpec, Policy, StartChild, Supervisor, TrioActor, as_ref, ask
from andond.observer import TelemetryObserver
from telemetry import configure

POLICY = Policy(intensity=1_000_000, backoff=0.0)
PATIENCE = 5.0


class Failure(Exception):
    """What the actors here are made to fail with."""


class Fragile(TrioActor):
    """Fails when told to; what it has handled is counted over all its lives."""

    mailbox_limit = 10_000
    handled = 0

    def on_receive(self, message: object) -> object:
        """Fail, or count."""
        if message == "fail":
            raise Failure("planted")
        Fragile.handled += 1
        return message


class FragileThread(pykka.ThreadingActor):
    """The same in pykka's own runtime."""

    def on_receive(self, message: object) -> object:
        """Fail, or answer."""
        if message == "fail":
            raise Failure("planted")
        return message


async def ours(times: int, waiting: int) -> dict[str, list[float]]:
    """Microseconds of each restart, alone and with ``waiting`` messages behind it; and how many got lost."""
    alone: list[float] = []
    behind: list[float] = []
    async with ActorSystem.open(observer=TelemetryObserver()) as system:
        root = system.start(Supervisor, "gateway", [], POLICY)
        await system.settled(root)
        ref = as_ref(await ask(root, StartChild(ChildSpec("fragile", Fragile)), PATIENCE))
        for index in range(2 * times):
            backlog = waiting if index % 2 else 0
            began = time.perf_counter()
            ref.tell("fail")
            for _ in range(backlog):
                ref.tell("routine")
            await ask(ref, "answer", PATIENCE)
            (behind if backlog else alone).append((time.perf_counter() - began) * 1e6)
        lost = times * waiting + 2 * times - Fragile.handled
    return {"alone": alone, "behind": behind, "lost": [float(lost)]}


def threads(times: int, waiting: int) -> dict[str, list[float]]:
    """Microseconds from a failure to an answer of an actor started in its place."""
    del waiting
    logging.getLogger("pykka").setLevel(logging.CRITICAL)
    alone: list[float] = []
    ref = FragileThread.start()
    for _ in range(times):
        began = time.perf_counter()
        ref.tell("fail")
        ref.actor_stopped.wait(PATIENCE)
        ref = FragileThread.start()
        ref.ask("answer")
        alone.append((time.perf_counter() - began) * 1e6)
    ref.stop()
    return {"alone": alone}


def main(runtime: str, times: int, waiting: int) -> None:
    """Measure one runtime."""
    configure("logfmt", "info")
    found = trio.run(ours, times, waiting) if runtime == "andond" else threads(times, waiting)
    print(json.dumps(found), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
