"""Contenders taking turns: who is measured, how often, and what was seen.

Rules of this file: one server at a time is up, with its clients. Two of them side by side share the processor's caches,
which costs every send so much more that the difference between them drowns. Against drift they come again in turn: a
visit is one start, one warm-up and some rounds, and counts with the median of its rounds.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.bench.figures import Result
from tests.bench.machine import Others
from tests.bench.processes import Load, MeasurementFailed, Server, number
from tests.bench.stage import BETWEEN_PINGS, LIMITS, NO_PINGS, OURS, PINGED_LIMIT, SIZE, Certificate, Stage, note_others


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that is up, with its clients."""

    name: str
    server: Server
    load: Load
    connections: int

    def round(self, command: str, count: int, *words: object) -> tuple[float, float]:
        """``count`` publications to all; returns deliveries a second and microseconds of processor time for each.

        Raises:
            MeasurementFailed: if not everything arrived.
        """
        deliveries = count * self.connections
        self.load.expect(deliveries)
        before = self.server.processor_time()
        line = " ".join(map(str, (command, count, self.server.size or SIZE, *words)))
        began = number(self.server.ask(line), "began")
        got = self.load.hear()
        cost = (self.server.processor_time() - before) / deliveries * 1e6
        if number(got, "frames") != deliveries:
            raise MeasurementFailed(f"{self.name}: {number(got, 'frames'):.0f} of {deliveries} arrived")
        return deliveries / (number(got, "last") - began), cost

    def rounds(self, rounds: int, command: str, count: int, *words: object) -> tuple[float, float]:
        """The medians of some rounds, after one to warm up."""
        self.round(command, count, *words)
        rates, costs = zip(*(self.round(command, count, *words) for _ in range(rounds)), strict=True)
        return statistics.median(rates), statistics.median(costs)


@dataclass(slots=True)
class Seen:
    """What the visits of one contender have found, by what was measured."""

    name: str
    values: dict[str, list[float]] = field(default_factory=dict)

    def __getitem__(self, what: str) -> list[float]:
        """The values of ``what``, one a visit; none if it was not measured."""
        return self.values.get(what, [])


@dataclass(frozen=True, slots=True)
class Plan:
    """Who comes how often, with how many connections; ``words`` are for the loads, ``certificate`` is for TLS."""

    visits: Mapping[str, int]
    connections: int
    words: tuple[str, ...] = ()
    certificate: Certificate | None = None


def take_turns(
    stage: Stage, plan: Plan, result: Result, what: str, measure: Callable[[Contender], Mapping[str, float]]
) -> dict[str, Seen]:
    """Let the contenders come in turn, and ``measure`` each visit; who cannot run here is left out."""
    seen: dict[str, Seen] = {}
    for turn in range(max(plan.visits.values())):
        for name, visits in plan.visits.items():
            if turn >= visits or (name in LIMITS and stage.tools.limit is None):
                continue
            with _visit(stage, plan, name) as contender:
                others = Others([contender.server.pid], [contender.load.pid])
                for key, value in measure(contender).items():
                    seen.setdefault(name, Seen(name)).values.setdefault(key, []).append(value)
                note_others(result, what, others)
    return seen


@contextmanager
def _visit(stage: Stage, plan: Plan, name: str) -> Iterator[Contender]:
    server = _start(stage, plan, name)
    try:
        with stage.load(server, *plan.words) as load:
            load.open(plan.connections)
            yield Contender(name, server, load, plan.connections)
            # Ten thousand goodbyes are of no interest.
            server.kill()
    finally:
        server.kill()
        server.stop()


def _start(stage: Stage, plan: Plan, name: str) -> Server:
    if name == OURS:
        return stage.daemon(NO_PINGS, plan.certificate)
    between_pings = BETWEEN_PINGS if name == PINGED_LIMIT else 0
    limit = stage.limit(between_pings) if name in LIMITS else None
    return limit or stage.peer(name, certificate=plan.certificate)
