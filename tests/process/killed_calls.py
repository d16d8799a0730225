"""A call's life in a process that is killed between any two of its steps, and the life that follows.

``python -m tests.process.killed_calls DIRECTORY --seed 1 --kills 100`` prints what was found as JSON.

Rules of this file: each life is a process of its own, forked so that it begins at once, with a real journal on the
disk; it is killed by SIGKILL, from within, at a point that was drawn. The clocks are turned by the plan, so that a life
that was interrupted must end with the very rows of one that was not. Whoever acts repeats with the same key what was
not answered. A notification counts as sent when the channel has written it down, outside of the gateway.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import trio
import trio.testing

from actors.acts import Act, Acts
from actors.channels.keeper import Channels
from actors.desks import CallDesk, ReadCalls
from actors.desks.calls import Look
from actors.desks.deciding import DecidingDesk
from actors.hooks.taps import Taps
from actors.messages import ReadState
from actors.notifier import Deliver, NotificationSent
from actors.notifier.couriers import Couriers
from actors.recorder.batch import Standing
from actors.recorder.disk import at_once
from actors.recorder.recorder import Recorder
from actors.recorder.telling import Telling
from actors.runtime import ActorSystem, ChildSpec, Supervisor, TrioActor, ask
from config import ChannelSettings, FloorSettings, JournalSettings
from domain.access import OPEN_RIGHTS
from domain.plant.calls import Response
from domain.plant.escalation import Reading, Rulebook
from domain.plant.site import Site
from storage import Journal
from storage.database import Database

NOW = 1_800_000_000.0
DESK = "gateway/desks/calls"
QUIET = 0.5
"""Seconds (of trio's virtual clock) after which nothing is under way any more."""

# When (seconds from the beginning), what, by whom. "look" has what is due done.
PLAN: tuple[tuple[float, str, str], ...] = (
    (0.0, "raise", "kim"),
    (301.0, "look", ""),
    (320.0, "acknowledge", "lee"),
    (330.0, "reassign", "kim"),
    (380.0, "arrive", "lee"),
    (400.0, "resolve", "lee"),
    (430.0, "reopen", "kim"),
    (440.0, "acknowledge", "max"),
    (450.0, "resolve", "max"),
    (500.0, "close", "kim"),
)


class Deadly:
    """Counts the points that are passed, and kills the process at the one that is drawn; 0: at none."""

    def __init__(self, point: int) -> None:
        self.passed = 0
        self._point = point

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function: Callable[..., object]) -> Callable[..., object]:
        """``function`` with a point before it and one behind it."""

        def passing(*args: object, **options: object) -> object:
            self()
            result = function(*args, **options)
            self()
            return result

        return passing


class Sink(TrioActor):
    """A channel that writes down what it sends, and then says so."""

    def __init__(self, path: Path, passed: Callable[[], None]) -> None:
        super().__init__()
        self._path = path
        self._passed = passed

    def on_receive(self, message: object) -> None:
        if isinstance(message, Deliver):
            told = message.notification
            self._passed()
            append(self._path, [told.id, told.repeated])
            self._passed()
            self.life.environment.registry.get(DESK).tell(NotificationSent(told.id, "written down"))


def append(path: Path, line: object) -> None:
    """Write ``line`` down: once this returns, killing the process takes nothing back."""
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")


def lines(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def live(directory: Path, passed: Deadly) -> None:
    """Do what is left of the plan; at its end write down how everything is."""
    clock = [NOW]
    answered, begun = directory / "answered", directory / "begun"
    done = len(lines(answered))
    # No clock goes back because a process was killed.
    clock[0] = NOW + PLAN[max((0, *lines(begun)))][0]
    taps, settings = Taps(), JournalSettings(reserve=0, commit_delay=0.0)
    now = lambda: clock[0]  # noqa: E731
    calls = ChildSpec(
        "calls",
        CallDesk,
        (FloorSettings, Rulebook, Site, now),
        {"taps": taps, "noise": lambda: 7, "readings": lambda: Reading(clock[0], clock[0], "boot")},
    )
    specs = [
        ChildSpec("recorder", Recorder, (directory / "data", lambda: settings, Standing(), now, at_once)),
        ChildSpec("channels", Channels, (ChannelSettings(),), {"taps": taps}),
        ChildSpec("desks", Supervisor, ([calls],)),
        ChildSpec("notifier", Supervisor, ([ChildSpec("websocket", Sink, (directory / "sent", passed))],)),
    ]
    async with ActorSystem.open() as system:
        await system.settled(system.start(Supervisor, "gateway", specs))
        await trio.sleep(QUIET)
        acts, desk = Acts(system.environment), system.environment.registry.get(DESK)
        for number, (at, what, by) in list(enumerate(PLAN))[done:]:
            append(begun, number)
            clock[0] = NOW + at
            if what == "look":
                desk.tell(Look())
            else:
                await perform(acts, number, what, by, clock[0], directory)
            await trio.sleep(QUIET)
            append(answered, number)
            passed()
        (document,) = await ask(desk, ReadCalls(lambda found: [found.document(call) for call in found.calls]), 20)
        recorder = system.environment.registry.get("gateway/recorder")
        rows = await ask(recorder, ReadState("andon.call"), 20)
        append(directory / "end", {"document": document, "rows": rows, "points": passed.passed})


async def perform(acts: Acts, number: int, what: str, by: str, at: float, directory: Path) -> None:
    raised = lines(directory / "call")
    arguments = {"call": raised[0]} if raised else {}
    if what == "raise":
        arguments = {"equipment": "acme/line3/st4", "type": "stop", "priority": "high", "text": "jam"}
    if what == "reassign":
        arguments["to"] = "max"
    acted = await acts.perform(Act(f"andon.{what}", f"key-{number}", by, at, arguments, rights=OPEN_RIGHTS), 20)
    assert acted.is_kept
    if not raised:
        append(directory / "call", acted.answer["id"])


def run(directory: Path, point: int) -> int:
    """Live once in a process of its own; returns how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        silent = os.open(directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(silent, 2)
        passed = Deadly(point)
        with (
            patch.object(Journal, "append", passed.around(Journal.append)),
            patch.object(Database, "write", passed.around(Database.write)),
            patch.object(Telling, "_publish", passed.around(Telling._publish)),
            patch.object(DecidingDesk, "_commit", passed.around(DecidingDesk._commit)),
            patch.object(Response, "act", passed.around(Response.act)),
            patch.object(Response, "sent", passed.around(Response.sent)),
            patch.object(Response, "due", passed.around(Response.due)),
            patch.object(Couriers, "send", passed.around(Couriers.send)),
        ):
            trio.run(live, directory, passed, clock=trio.testing.MockClock(autojump_threshold=0))
        status = 0
    except BaseException:  # noqa: BLE001 - the parent asks for the log
        traceback.print_exc()
    finally:
        os._exit(status)


def whole(directory: Path) -> dict[str, object]:
    """What a life that came to its end wrote down."""
    directory.mkdir(parents=True, exist_ok=True)
    (end,) = lines(directory / "end")
    assert isinstance(end, dict)
    return end


def judge(directory: Path, reference: dict[str, object], expected: set[str]) -> list[str]:
    """What is not as if nothing had happened."""
    end, faults = whole(directory), []
    if end["rows"] != reference["rows"]:
        faults.append(f"rows: {end['rows']}")
    if end["document"] != reference["document"]:
        faults.append(f"document: {end['document']}")
    sent = lines(directory / "sent")
    firsts = Counter(id_ for id_, repeated in sent if not repeated)
    if any(count > 1 for count in firsts.values()):
        faults.append(f"sent twice without a mark: {sent}")
    if {id_ for id_, _ in sent} != expected:
        faults.append(f"not the same notifications: {sent}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=100)
    options = parser.parse_args()
    undisturbed = options.directory / "undisturbed"
    undisturbed.mkdir(parents=True)
    if run(undisturbed, 0):
        sys.stderr.write((undisturbed / "log").read_text())
        return 1
    reference = whole(undisturbed)
    sent = lines(undisturbed / "sent")
    points = int(str(reference["points"]))
    chance = random.Random(options.seed)
    killed, faults = 0, {}
    while killed < options.kills:
        directory = options.directory / f"killed-{killed}"
        directory.mkdir()
        # Now and then the life that follows is killed as well.
        for point in [chance.randint(1, points) for _ in range(chance.choice((1, 1, 1, 2)))]:
            status = run(directory, point)
            if status == 0:
                break
            if status != -signal.SIGKILL:
                faults[directory.name] = [(directory / "log").read_text()[-3000:]]
            killed += 1
        if not (directory / "end").exists() and run(directory, 0):
            faults[directory.name] = [(directory / "log").read_text()[-3000:]]
        elif found := judge(directory, reference, {id_ for id_, _ in sent}):
            faults[directory.name] = found
    repeated = sum(again for path in options.directory.glob("*/sent") for _, again in lines(path))
    sys.stdout.write(json.dumps({"points": points, "kills": killed, "repeated": repeated, "faults": faults}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
