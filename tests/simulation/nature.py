"""What the gateway takes from outside, in our hands: time, chance, and the order in which trio's tasks have their turn.

Rules of this file: everything follows from one seed. Time stands still while anybody has something to do, and is at the
next deadline as soon as nobody has. The wall clock is that time and an offset, which can be stepped. Whoever needs
chance asks for it by a name of his own, so that one more draw here changes nothing there.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from itertools import count
from types import SimpleNamespace
from unittest.mock import patch
from uuid import UUID

import trio

from domain.plant.escalation import Reading
from transport import Link

MIDNIGHT = 1_795_219_200.0
"""2026-11-21, 00:00 UTC."""

FIRST_HOUR = 6
HOUR = 3600.0


class Clock(trio.abc.Clock):
    """At the next deadline as soon as nobody has anything to do."""

    def __init__(self) -> None:
        self._now = 0.0

    def start_clock(self) -> None:
        """Begin at 0."""

    def current_time(self) -> float:
        return self._now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        if math.isinf(deadline):
            # Only trio's own end comes to this: what it waits for has happened already.
            return deadline
        self._now = max(self._now, deadline)
        return 0.0


class NumberedLink(Link):
    """A link whose place in a set does not depend on where it lies in memory."""

    __slots__ = ()

    def __hash__(self) -> int:
        return int(self.id[1:])


class Nature:
    """Time and chance of one simulation."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.clock = Clock()
        self.offset = 0.0

    def now(self) -> float:
        """Seconds since the simulation began."""
        return self.clock.current_time()

    def wall(self) -> float:
        """Unix seconds, as the machine's clock shows them."""
        return MIDNIGHT + FIRST_HOUR * HOUR + self.clock.current_time() + self.offset

    def chance(self, *names: object) -> random.Random:
        """Chance for one purpose."""
        return random.Random("/".join(map(str, (self.seed, *names))))


@contextmanager
def determined(nature: Nature) -> Iterator[None]:
    """Have trio's tasks take their turns, and the gateway's random words come, as the seed says."""
    with ExitStack() as stack:
        stack.enter_context(_turns(nature.chance("turns").getrandbits(64)))
        for place, value in _given(nature).items():
            module, _, name = place.rpartition(".")
            stack.enter_context(patch.object(import_module(module), name, value))
        yield


@contextmanager
def _turns(seed: int) -> Iterator[None]:
    """trio offers to have its turns determined to whoever comes by Hypothesis' entry point, as we do."""
    (plugin,) = entry_points(group="hypothesis", name="trio")
    offered: list[random.Random] = []
    with patch("hypothesis.register_random", offered.append):
        plugin.load()()
    (turns,) = offered
    state = turns.getstate()
    turns.seed(seed)
    try:
        yield
    finally:
        turns.setstate(state)


def _given(nature: Nature) -> dict[str, object]:
    """Names in the gateway's modules, and what stands there in place of the machine's own."""
    clocks = SimpleNamespace(time=nature.wall, monotonic=nature.now, perf_counter=nature.now)
    words = nature.chance("words")
    secrets = SimpleNamespace(token_hex=lambda size: words.randbytes(size).hex())
    uuids = SimpleNamespace(uuid4=lambda: UUID(int=words.getrandbits(128), version=4))
    names = nature.chance("urns")
    urns = SimpleNamespace(uuid4=lambda: UUID(int=names.getrandbits(128), version=4))
    readings = partial(_readings, nature)
    drawn = SimpleNamespace(SystemRandom=lambda: words)
    return {
        **{f"transport.{module}.time": clocks for module in ("gate", "attendant", "conversation", "http")},
        **{f"{module}.secrets": secrets for module in _WITH_SECRETS},
        "andond.portal_doors.uuid": uuids,
        # Whoever does not answer in time is named by it.
        "pykka._actor.uuid": urns,
        "actors.connections.parting.random": drawn,
        "actors.desks.calls.secrets": SimpleNamespace(randbits=words.getrandbits),
        "actors.desks.jobs.uuid4": uuids.uuid4,
        **{f"actors.desks.{desk}.read_clocks": readings for desk in ("alarms", "calls")},
        # Made once a second of the wall clock, once a process.
        "transport.http._date_at": 0,
        # A link's number decides when it is pinged, and is in what is told of it.
        "transport.gate._numbers": count(1),
        "transport.attendant.Link": NumberedLink,
    }


def _readings(nature: Nature, clock: Callable[[], float]) -> Reading:
    return Reading(clock(), nature.now(), "the only boot")


_WITH_SECRETS = ("actors.channels.channel", "actors.recorder.recorder", "andond.doors", "storage.account")
