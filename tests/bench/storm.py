"""A reconnect storm: nine thousand clients come at once, while a hundred others are served.

Rules of this file: the hundred get a message every 10 ms, and a delay counts from when the message was due, so a loop
that stood still is not overlooked. Each round has a daemon of its own. The load that storms runs on the other core at
a low priority, so that it is not what the hundred's own load waits for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tests.bench.figures import Budget, Result, row
from tests.bench.machine import Others
from tests.bench.processes import Answer, Load, Server, number
from tests.bench.stage import SIZE, Stage, note_others

SERVED = 100
EVERY_US = 10_000
AT_ONCE = 2_000
ELSEWHERE = "/stream?channel=events/elsewhere&latest=0"
SETTLE = 0.5
NICE = 10
BUDGET = Budget(5.0, "at most 5 ms")


@dataclass(slots=True)
class _Delays:
    """Milliseconds of each round."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    longest: list[float] = field(default_factory=list)

    def add(self, got: Answer) -> None:
        """Note what the load has seen in one round."""
        self.p50.append(number(got, "p50") / 1000)
        self.p99.append(number(got, "p99") / 1000)
        self.longest.append(number(got, "longest") / 1000)


def measure(stage: Stage) -> Result:
    """How late the hundred get their messages, with a storm and without one."""
    result = Result()
    storming = stage.pick(9_000, 2_000)
    calm, storm = _Delays(), _Delays()
    opening: list[float] = []
    for _ in range(stage.pick(3, 1)):
        with stage.daemon() as server, stage.load(server, "stamps") as load:
            load.open(SERVED)
            time.sleep(SETTLE)
            others = Others([server.pid], [load.pid])
            calm.add(_paced(server, load, stage.pick(200, 100)))
            note_others(result, "before the storm", others)
            with stage.load(server, path=ELSEWHERE, nice=NICE) as crowd:
                crowd.say(f"open {storming} {AT_ONCE}")
                storm.add(_paced(server, load, stage.pick(250, 60)))
                opening.append(crowd.opened(crowd.hear()))
                server.kill()
    what = f"storm of {storming:,}"
    result.rows += [
        row(f"{what}, delay p50", "ms", storm.p50, "no storm", calm.p50),
        row(f"{what}, delay p99", "ms", storm.p99, "no storm", calm.p99, BUDGET),
        row(f"{what}, longest delay", "ms", storm.longest, "no storm", calm.longest),
        row(f"{what}, over in", "s", opening),
    ]
    return result


def _paced(server: Server, load: Load, count: int) -> Answer:
    load.expect(count * SERVED)
    server.say(f"pace {count} {server.size or SIZE} {EVERY_US}")
    got = load.hear()
    server.hear()
    return got
