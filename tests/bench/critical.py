"""A critical event in a channel of five thousand that is kept saturated with routine ones.

Rules of this file: a delay begins when the event is told to the keeper of the channels. It ends, in the daemon, when
the frame is offered to the first and to the last follower; and at the load, when the first and the last client have
read it, which includes what the load itself is behind with. The limit is one pass of the C ``send()`` loop.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping

from tests.bench.figures import Budget, Result, Row, row
from tests.bench.processes import Answer, Load, MeasurementFailed, Server, number, numbers
from tests.bench.stage import LIMIT, OURS, SIZE, Stage
from tests.bench.turns import Contender, Plan, take_turns

CONNECTIONS = 5_000
PASSES = 20
ANSWER_LIMIT = 30.0
SETTLE = 0.2
FIRST = Budget(0.1, "at most 0.1 ms")
# 20 ms where the C loop takes 15.8 for one pass
LAST = Budget(1.27, "at most 1.27 x C's pass", of_ratio=True)


def measure(stage: Stage) -> Result:
    """How long a critical event takes to the first and to the last subscriber."""
    result = Result()
    connections = stage.pick(CONNECTIONS, 1_000)
    plan = Plan({OURS: stage.pick(3, 1), LIMIT: stage.pick(3, 1)}, connections, ("stamps",))
    seen = take_turns(stage, plan, result, "critical events", lambda each: _visit(stage, each))
    found = seen[OURS].values
    passes = seen[LIMIT]["pass"] if LIMIT in seen else []
    if max(found["lost"]):
        # Routine frames may be dropped when a client does not keep up; who saturates what must be known, though.
        result.notes.append(
            f"critical events: the load was too slow for {max(found['lost']):.1%} of the routine frames"
        )
    result.rows += _rows(found, passes, connections)
    return result


def _visit(stage: Stage, contender: Contender) -> Mapping[str, float]:
    if contender.name == LIMIT:
        return {"pass": contender.connections / contender.rounds(3, "flush", PASSES)[0] * 1000}
    return _flooded(contender.server, contender.load, contender.connections, stage.pick(4, 2))


def _rows(found: dict[str, list[float]], passes: list[float], connections: int) -> list[Row]:
    what = f"critical among {connections:,}"
    limit = "one pass in C" if passes else ""
    return [
        row(f"{what}, to the first, p50", "ms", found["first"], "", (), FIRST),
        row(f"{what}, to the last, p50", "ms", found["last"], limit, passes, LAST),
        row(f"{what}, to the last, longest", "ms", found["worst"], limit, passes),
        row(f"{what}, read by the first, p50", "ms", found["first read"]),
        row(f"{what}, read by all, p50", "ms", found["read"], limit, passes),
        row(f"{what}, routine received", "/s", found["rate"]),
    ]


def _flooded(server: Server, load: Load, connections: int, seconds: int) -> dict[str, float]:
    """Milliseconds of one flood, and the deliveries a second that it has brought."""
    load.expect(0)
    said = server.ask(f"flood {seconds} {SIZE}", seconds + ANSWER_LIMIT)
    sent = number(said, "sent") * connections
    got = _settled(load, sent)
    first, last = (numbers(said, name)[0] for name in ("first", "last"))
    events = numbers(got, "stamps")
    if not first or any(event[3] != connections for event in events):
        raise MeasurementFailed("a critical event did not reach everybody")
    elapsed = number(got, "last") - number(said, "began")
    return {
        "first": statistics.median(first) / 1000,
        "last": statistics.median(last) / 1000,
        "worst": max(last) / 1000,
        "first read": statistics.median(event[1] - event[0] for event in events) / 1000,
        "read": statistics.median(event[2] - event[0] for event in events) / 1000,
        "rate": number(got, "frames") / elapsed,
        "lost": 1 - number(got, "frames") / sent,
    }


def _settled(load: Load, frames: float) -> Answer:
    """The load's report once all has come, or nothing more comes."""
    got = load.report()
    while True:
        time.sleep(SETTLE)
        before, got = number(got, "frames"), load.report()
        if number(got, "frames") in {before, frames}:
            return got
