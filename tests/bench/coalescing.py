"""Coalescing: what has piled up in a channel goes out as one write a subscriber.

Rules of this file: received frames are counted, not sent ones, and a lost frame fails the measurement. The limit joins
as many frames in one ``send()`` as our channel does; the peer has no such thing.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.bench.figures import Budget, Result, row
from tests.bench.stage import LIMIT, OURS, UVLOOP, Stage
from tests.bench.turns import Contender, Plan, take_turns

CONNECTIONS = (1_000, 5_000)
VISITS = {OURS: 2, LIMIT: 2, UVLOOP: 1}
# What a client's outbox and its socket can hold meanwhile bounds what may be published at once.
AT_ONCE = 500
JOINED = 16 * 1024
# 6.5 million a second where a C loop that joins gets 12.5
BUDGET = Budget(0.52, "at least 0.52 of C (6.5 M/s)", least=True, of_ratio=True)


def measure(stage: Stage) -> Result:
    """Deliveries a second when many small publications wait."""
    result = Result()
    for connections in CONNECTIONS[: stage.pick(2, 1)]:
        plan = Plan(dict.fromkeys(VISITS, 1) if stage.quick else VISITS, connections)
        seen = take_turns(stage, plan, result, f"coalescing for {connections:,}", lambda each: _visit(stage, each))
        for name, words in ((LIMIT, "C, joined to 16 KiB"), (UVLOOP, UVLOOP)):
            if name in seen:
                budget = BUDGET if name == LIMIT and connections == CONNECTIONS[0] else None
                figure = f"coalesced, {connections:,}"
                result.rows.append(row(figure, "/s", seen[OURS]["peak"], words, seen[name]["peak"], budget))
    return result


def _visit(stage: Stage, contender: Contender) -> Mapping[str, float]:
    # The peer has one send a frame whatever waits, so a tenth tells as much.
    count = AT_ONCE if contender.name != UVLOOP else AT_ONCE // 10
    rounds = stage.pick(5, 3) if contender.name != UVLOOP else 2
    return {"peak": contender.rounds(rounds, "burst", count, JOINED)[0]}
