"""Kill -9 at random points while critical events pass clients that resume: what is lost, and how long it takes.

Rules of this file: the clients and the posters are those of ``tests.bench.outages``; a lost or disordered event fails
the measurement, because there is no figure that could make up for it.
"""

from __future__ import annotations

import sys

from tests.bench.figures import Budget, Result, row
from tests.bench.machine import LOAD_CORE
from tests.bench.processes import MeasurementFailed, Program, number
from tests.bench.stage import Stage

LIMIT = 3600.0
FAULTS = ("lost", "unknown", "disordered", "unrecovered", "refused")


def measure(stage: Stage) -> Result:
    """Repeats and duration of a long run of kills."""
    clients, events, kills = stage.pick(200, 20), stage.pick(10_000, 500), stage.pick(200, 5)
    amounts = ["--clients", str(clients), "--events", str(events), "--kills", str(kills)]
    command = [sys.executable, "-m", "tests.bench.outages", "kills", *amounts]
    with Program(command, LOAD_CORE, stage.directory / "kills.log") as program:
        said = program.hear(LIMIT)
    faults = {name: number(said, name) for name in FAULTS}
    if any(faults.values()) or number(said, "received") != clients * events:
        raise MeasurementFailed(f"of {events} events for {clients} clients: {faults}")
    none = Budget(0.0, "none")
    what = f"{kills} kills, {events:,} critical events, {clients} clients"
    return Result(
        [
            row(f"{what}: lost", "", [faults["lost"]], budget=none),
            row(f"{what}: out of order", "", [faults["disordered"]], budget=none),
            row(f"{what}: came twice", "", [number(said, "repeats")]),
            row(f"{what}: posted again", "", [number(said, "repeated_posts")]),
            row(f"{what}: seconds", "s", [number(said, "seconds")]),
        ]
    )
