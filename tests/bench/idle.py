"""Ten thousand connections that say nothing: their memory, what their heartbeats cost, and what stays when they go.

Rules of this file: the daemon as it is, with its default configuration; a WebSocket ping to each connection every ten
seconds, and so does the peer. All must be open still at the end.
"""

from __future__ import annotations

import time

from tests.bench.figures import Budget, Result, Row, row
from tests.bench.machine import Others
from tests.bench.processes import MeasurementFailed, Server, number
from tests.bench.stage import OURS, UVLOOP, Stage, note_others

CONNECTIONS = 10_000
PING_INTERVAL = 10.0
SETTLE = 1.5
WAVE = 500
WAVES = 4
MEMORY = Budget(24.0, "at most 24 KB")
HEARTBEATS = Budget(60.0, "at most 60 % of a core")


def measure(stage: Stage) -> Result:
    """Memory for a connection, and the share of a core that holding them takes."""
    result = Result()
    connections = stage.pick(CONNECTIONS, 2_000)
    seconds = stage.pick(20, 10)
    ours = _held(stage, OURS, connections, seconds, result)
    theirs = _held(stage, UVLOOP, connections, seconds, result)
    what = f"{connections:,} idle connections"
    result.rows += [
        row("memory per idle connection", "KB", [ours[0]], UVLOOP, [theirs[0]], MEMORY),
        row(f"{what}, heartbeats", "% of a core", [ours[1]], UVLOOP, [theirs[1]], HEARTBEATS),
        Row(f"{what}, opened in", "s", ours[2], UVLOOP, theirs[2], ours[2] / theirs[2]),
        row("memory kept of a connection that is gone", "KB", [_kept(stage, OURS)], UVLOOP, [_kept(stage, UVLOOP)]),
    ]
    return result


def _kept(stage: Stage, name: str) -> float:
    """KB by which the process has grown for each connection that came and went, once the first have made room."""
    sizes = []
    with _start(stage, name) as server:
        for _ in range(WAVES + 1):
            with stage.load(server) as load:
                load.open(WAVE)
                load.kill()
            time.sleep(SETTLE)
            sizes.append(server.resident())
    return max(0, sizes[-1] - sizes[0]) / WAVES / WAVE / 1000


def _held(stage: Stage, name: str, connections: int, seconds: float, result: Result) -> tuple[float, float, float]:
    """KB a connection, percent of a core for holding them, and the seconds it took to open them."""
    with _start(stage, name) as server, stage.load(server) as load:
        time.sleep(SETTLE)
        before = server.resident()
        opening = load.open(connections)
        time.sleep(SETTLE)
        memory = (server.resident() - before) / connections / 1000
        others = Others([server.pid], [load.pid])
        used, began = server.processor_time(), time.monotonic()
        time.sleep(seconds)
        share = (server.processor_time() - used) / (time.monotonic() - began) * 100
        note_others(result, f"idle connections of {name}", others)
        still_open = number(load.report(), "open")
        server.kill()
    if still_open != connections:
        raise MeasurementFailed(f"{name} holds {still_open:.0f} of {connections} connections")
    return memory, share, opening


def _start(stage: Stage, name: str) -> Server:
    return stage.daemon() if name == OURS else stage.peer(name, PING_INTERVAL)
