"""Actor messages a second, beside pykka's threads and trio's memory channels.

Rules of this file: the runtimes take turns, each in a process of its own, all on the same core.
"""

from __future__ import annotations

import sys

from tests.bench.figures import Result, row
from tests.bench.machine import SERVER_CORE
from tests.bench.processes import MeasurementFailed, Program
from tests.bench.stage import Stage

THREADS = "pykka.ThreadingActor"
CHANNELS = "trio memory channel"
CASES = {
    "burst": "messages to one actor, bursts of 100",
    "each": "one message to each of 1,000 actors",
    "ask": "ask and answer, round trips",
}


def measure(stage: Stage) -> Result:
    """Messages a second in three patterns."""
    result = Result()
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(stage.pick(3, 1)):
        for runtime in ("andond", "threads", "channels"):
            for case, rates in _run(stage, runtime).items():
                found.setdefault(runtime, {}).setdefault(case, []).extend(rates)
    ours = found["andond"]
    for case, words in CASES.items():
        result.rows.append(row(words, "/s", ours[case], THREADS, found["threads"][case]))
        result.rows.append(row(words, "/s", ours[case], CHANNELS, found["channels"][case]))
    return result


def _run(stage: Stage, runtime: str) -> dict[str, list[float]]:
    rounds, messages = ("3", "120000") if not stage.quick else ("2", "60000")
    command = [sys.executable, "-m", "tests.bench.mailboxes", runtime, rounds, messages]
    with Program(command, SERVER_CORE, stage.directory / f"messages-{runtime}.log") as program:
        said = program.hear()
    rates = {name: value for name, value in said.items() if isinstance(value, list)}
    if set(rates) != set(CASES):
        raise MeasurementFailed(f"{runtime} said {said}")
    return rates  # type: ignore[return-value]  # flat lists here
