"""TLS: what a delivery costs when every subscriber's frame is encrypted for itself.

Rules of this file: TLS 1.3 with a certificate made for the run; processor time counts, not the rate, because the load
decrypts on the other core what the server encrypts on this one.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.bench.figures import Budget, Result, row
from tests.bench.stage import ASYNCIO, OURS, UVLOOP, Stage
from tests.bench.turns import Contender, Plan, take_turns

CONNECTIONS = 1_000
VISITS = {OURS: 3, ASYNCIO: 1, UVLOOP: 3}
# 4.5 us where websockets on uvloop takes 7.2
BUDGET = Budget(0.625, "at most 0.625 of uvloop's", of_ratio=True)


def measure(stage: Stage) -> Result:
    """Processor time for a delivery over TLS."""
    result = Result()
    word = stage.tls_word()
    if word is None:
        result.notes.append("TLS: no libssl for the load to speak TLS with; left out")
        return result
    connections = stage.pick(CONNECTIONS, CONNECTIONS // 4)
    visits = dict.fromkeys(VISITS, 1) if stage.quick else VISITS
    plan = Plan(visits, connections, (word,), stage.certificate())
    seen = take_turns(stage, plan, result, "TLS", lambda each: _visit(stage, each))
    for name in (ASYNCIO, UVLOOP):
        budget = BUDGET if name == UVLOOP else None
        figure = f"CPU per delivery, TLS, {connections:,}"
        result.rows.append(row(figure, "us", seen[OURS]["cost"], name, seen[name]["cost"], budget))
    return result


def _visit(stage: Stage, contender: Contender) -> Mapping[str, float]:
    count = stage.pick(60_000, 20_000) // contender.connections
    return {"cost": contender.rounds(stage.pick(4, 3), "flush", count)[1]}
