"""A native client that was away while 100,000 routine and 5 critical events were published: how soon it has the 5.

Rules of this file: the daemon is ``andond run`` with its storage on disk, the events are posted by HTTP, the critical
ones spread among the routine. A time begins before the connection is made and ends when the fifth critical event was
read and decoded. Every return is that of a client that left before all of it; the last ones come to a daemon that was
restarted since, and remembers only what is on disk. A client that gets less, or is told less, fails the measurement.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import dataclass

from tests.bench.figures import Budget, Result, row
from tests.bench.held import Held
from tests.bench.link import Link
from tests.bench.machine import LOAD_CORE, SERVER_CORE, on_core
from tests.bench.processes import MeasurementFailed, Program, number
from tests.bench.reader import NATIVE
from tests.bench.stage import Stage

ROUTINE, CRITICAL = 100_000, 5
BATCH, IN_FLIGHT = 500, 2
CHANNELS = ("andon/bench", "events/bench")
CREDIT = 32 * 1024
LIMIT = 300.0
BUDGET = Budget(250.0, "within 250 ms")
CONFIG = '[sources.door]\nkind = "http"\n'


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client was when it left: its critical position, and that of each channel."""

    critical: str
    channels: dict[str, str]


def measure(stage: Stage) -> Result:
    """Milliseconds of each return."""
    (stage.directory / "returns").mkdir()
    held = Held(stage.directory / "returns", CONFIG)
    try:
        with on_core(SERVER_CORE):
            held.start()
        place = _leave(held.port)
        seconds = _publish(stage, held.port)
        warm = [_return(held.port, place) for _ in range(stage.pick(20, 5))]
        held.kill()
        with on_core(SERVER_CORE):
            held.start()
        # It is ready when it opens a link.
        Link(held.port, "/stream", NATIVE).close()
        cold = [_return(held.port, place) for _ in range(stage.pick(10, 3))]
    finally:
        held.close()
    what = f"away for {stage.pick(ROUTINE, ROUTINE // 10):,} routine and {CRITICAL} critical events"
    return Result(
        [
            row(f"{what}, has the critical ones, p50", "ms", [statistics.median(warm)]),
            row(f"{what}, has the critical ones, longest", "ms", [max(warm)], budget=BUDGET),
            row("the same after a kill and a restart, first", "ms", [cold[0]], budget=BUDGET),
            row("the same after a kill and a restart, longest", "ms", [max(cold)], budget=BUDGET),
            row(f"{what}, posted in", "s", [seconds]),
        ]
    )


def _leave(port: int) -> Place:
    """Follow the channels, note where they are, and go away."""
    link = Link(port, "/stream", NATIVE)
    link.say({"id": 0, "connect": {"client": "bench", "credit": CREDIT}})
    for number_, channel in enumerate(CHANNELS, 1):
        link.say({"id": number_, "subscribe": {"channel": channel, "latest": 0}})
    critical, channels = "", {}
    for text in link.messages():
        message = json.loads(text)
        if message.get("id") == 0:
            critical = message["connect"]["critical"]["position"]
        elif "subscribe" in message:
            said = message["subscribe"]
            channels[said["channel"]] = f"{said['epoch']}:{said['offset']}"
        if critical and len(channels) == len(CHANNELS):
            break
    link.close()
    return Place(critical, channels)


def _publish(stage: Stage, port: int) -> float:
    """Post everything; returns the seconds it took."""
    command = [sys.executable, "-m", "tests.bench.poster", str(port)]
    part = stage.pick(ROUTINE, ROUTINE // 10) // CRITICAL // BATCH
    began = time.monotonic()
    with Program(command, LOAD_CORE, stage.directory / "returns-poster.log") as poster:
        for _ in range(CRITICAL):
            routine = poster.ask(f"race /bench bench.tick stamp {IN_FLIGHT} {BATCH} {part}", LIMIT)
            urgent = poster.ask("race /bench andon.call.raised urgent 1 1 1", LIMIT)
            if number(routine, "accepted") != part * BATCH or number(urgent, "accepted") != 1:
                raise MeasurementFailed(f"posted {routine} and {urgent}")
    return time.monotonic() - began


def _return(port: int, place: Place) -> float:
    """Come back from ``place``; returns the milliseconds until the critical events are there.

    Raises:
        MeasurementFailed: if they come otherwise than promised.
    """
    resume = {"critical": place.critical, "channels": place.channels}
    began = time.monotonic()
    link = Link(port, "/stream", NATIVE)
    link.say({"id": 0, "connect": {"client": "bench", "credit": CREDIT, "resume": resume}})
    said: list[str] = []
    for text in link.messages():
        message = json.loads(text)
        if message.get("id") == 0:
            state = message["connect"]["critical"]
            if not state["recovered"] or state["missed"] != CRITICAL:
                raise MeasurementFailed(f"told {state} on return")
        elif message.get("push") == "event":
            if message["priority"] != "critical":
                raise MeasurementFailed(f"a routine event came before the critical ones, of which there were {said}")
            said.append(message["event"]["id"])
        if len(said) == CRITICAL:
            break
    elapsed = (time.monotonic() - began) * 1000
    link.close()
    if said != [f"urgent-{number_}" for number_ in _numbers(said)]:
        raise MeasurementFailed(f"the critical events came as {said}")
    return elapsed


def _numbers(said: list[str]) -> list[int]:
    """The numbers of the ids, each once, in their order."""
    return sorted({int(each.rpartition("-")[2]) for each in said})
