"""A whole day of a plant in minutes, twice: what goes wrong is found, and the second time it is the same day.

    python -m tests.simulation [--seed N] [--scale X] [--pace X] [--hours H] [--once] [--log FILE]

Rules of this file: exit code 0 when nothing was wrong and both days had the same trace, 1 otherwise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.simulation.day import Outcome, Plan, simulate
from tests.simulation.trace import parted


def main(arguments: Sequence[str]) -> int:
    """Live through the day that was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="which day it is")
    parser.add_argument("--scale", type=float, default=0.6, help="how much is published, as a multiple")
    parser.add_argument("--pace", type=float, default=6.0, help="how much rarer than usual is what comes regularly")
    parser.add_argument("--hours", type=float, default=24.0, help="how long it lasts")
    parser.add_argument("--once", action="store_true", help="do not live through it again")
    parser.add_argument("--log", type=Path, help="write down what happens; with .2 behind its name the second time")
    options = parser.parse_args(arguments)
    plan = Plan(seed=options.seed, scale=options.scale, pace=options.pace, hours=options.hours)
    first = _day(plan, options.log)
    if options.once:
        return 1 if first.found else 0
    second = _day(plan, options.log and options.log.with_name(options.log.name + ".2"))
    minute = parted(first.trace, second.trace)
    _say("the same trace twice" if minute is None else f"the two days part in minute {minute}")
    return 1 if first.found or second.found or minute is not None else 0


def _day(plan: Plan, log: Path | None) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="andond-day-") as directory:
        if log is None:
            outcome = simulate(plan, Path(directory))
        else:
            with log.open("w", encoding="utf-8") as lines:
                outcome = simulate(plan, Path(directory), lines)
    for name, value in outcome.figures.items():
        _say(f"{name:>24}: {value}")
    for found in outcome.found:
        _say(f"WRONG {found}")
    return outcome


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what this program is for


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
