"""Fan-out: what it costs to send each publication to every subscriber, one send a frame.

Rules of this file: our daemon, a C ``send()`` loop and the ``websockets`` library, each with as many clients. A round
ends when the last client has got the last frame.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.bench.figures import Budget, Result, Row, row
from tests.bench.stage import ASYNCIO, LIMIT, OURS, PINGED_LIMIT, UVLOOP, Stage
from tests.bench.turns import Contender, Plan, Seen, take_turns

PEAK = Budget(0.75, "at least 0.75 of C", least=True, of_ratio=True)
# 6 us where the C loop takes 3.5
COST = Budget(1.71, "at most 1.71 x C", of_ratio=True)
BUDGETED = {(1_000, LIMIT): PEAK, (10_000, LIMIT): PEAK}
PEERS = (LIMIT, PINGED_LIMIT, ASYNCIO, UVLOOP)

STEADY_CONNECTIONS = 1_000
STEADY_RATE = 10_000
# Ten thousand clients take their time to connect, so the peers that no budget hangs on come once.
VISITS = {
    100: {OURS: 3, LIMIT: 3, PINGED_LIMIT: 3, ASYNCIO: 2, UVLOOP: 2},
    1_000: {OURS: 3, LIMIT: 3, PINGED_LIMIT: 3, ASYNCIO: 2, UVLOOP: 2},
    5_000: {OURS: 2, LIMIT: 2, PINGED_LIMIT: 2, ASYNCIO: 1, UVLOOP: 1},
    10_000: {OURS: 2, LIMIT: 2, PINGED_LIMIT: 2, ASYNCIO: 1, UVLOOP: 1},
}
QUICK_SIZES = (100, 1_000)


def measure(stage: Stage) -> Result:
    """Peak rates for several numbers of subscribers, and the cost of a delivery at a moderate rate."""
    result = Result()
    for connections, visits in VISITS.items():
        if stage.quick and connections not in QUICK_SIZES:
            continue
        plan = Plan(dict.fromkeys(visits, 1) if stage.quick else visits, connections)
        seen = take_turns(stage, plan, result, f"fan-out to {connections:,}", lambda each: _visit(stage, each))
        result.rows += _peaks(seen, connections)
        result.rows += _costs(seen)
    return result


def _visit(stage: Stage, contender: Contender) -> Mapping[str, float]:
    count = max(4, stage.pick(80_000, 40_000) // contender.connections)
    found = {"peak": contender.rounds(stage.pick(4, 2), "flush", count)[0]}
    if contender.connections == STEADY_CONNECTIONS:
        # Processor time at a moderate rate: what else a server does is part of it.
        every = STEADY_CONNECTIONS / STEADY_RATE
        steady = contender.round("pace", round(stage.pick(3, 2) / every), round(every * 1e6))
        found["cost"] = steady[1]
    return found


def _peaks(seen: Mapping[str, Seen], connections: int) -> list[Row]:
    return [
        row(
            f"fan-out peak, {connections:,}",
            "/s",
            seen[OURS]["peak"],
            name,
            seen[name]["peak"],
            BUDGETED.get((connections, name)),
        )
        for name in PEERS
        if name in seen
    ]


def _costs(seen: Mapping[str, Seen]) -> list[Row]:
    return [
        row(
            "CPU per delivery at 10,000/s",
            "us",
            seen[OURS]["cost"],
            name,
            seen[name]["cost"],
            COST if name == LIMIT else None,
        )
        for name in PEERS
        if name in seen and seen[name]["cost"]
    ]
