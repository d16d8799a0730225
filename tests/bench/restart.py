"""How long a failed actor takes to come back, beside a thread that is replaced by hand.

Rules of this file: the back-off is zero, so that what is left is the runtime's own. A queued message that is lost fails
the measurement.
"""

from __future__ import annotations

import statistics
import sys

from tests.bench.figures import Budget, Result, row
from tests.bench.machine import SERVER_CORE
from tests.bench.processes import MeasurementFailed, Program
from tests.bench.stage import Stage

WAITING = 1_000
BUDGET = Budget(1_000.0, "under 1 ms")


def measure(stage: Stage) -> Result:
    """Microseconds from a failure to the next life's first answer."""
    times = stage.pick(500, 100)
    ours: dict[str, list[float]] = {}
    theirs: list[float] = []
    for _ in range(stage.pick(3, 1)):
        said = _run(stage, "andond", times)
        if said["lost"] != [0.0]:
            raise MeasurementFailed(f"{said['lost'][0]:.0f} messages that waited were not handled")
        for name in ("alone", "behind"):
            ours.setdefault(name, []).append(statistics.median(said[name]))
        ours.setdefault("p99", []).append(statistics.quantiles(said["alone"], n=100)[98])
        theirs.append(statistics.median(_run(stage, "threads", times)["alone"]))
    return Result(
        [
            row("restart, to the first answer, p50", "us", ours["alone"], "a new pykka thread", theirs, BUDGET),
            row("restart, to the first answer, p99", "us", ours["p99"]),
            row(f"the same with {WAITING:,} messages waiting", "us", ours["behind"]),
        ]
    )


def _run(stage: Stage, runtime: str, times: int) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "tests.bench.failures", runtime, str(times), str(WAITING)]
    with Program(command, SERVER_CORE, stage.directory / f"restart-{runtime}.log") as program:
        said = program.hear()
    return {name: value for name, value in said.items() if isinstance(value, list)}  # type: ignore[misc]
