"""From nothing to ready: how soon the daemon answers, and what it takes when nobody is there.

Rules of this file: ``andond run`` itself, with its default configuration; ready is when ``/readyz`` answers 200. The
peer is ready when it listens, which is less: it has nothing to be ready for. The first start of each is not counted:
it is the disk's.
"""

from __future__ import annotations

import http.client
import socket
import sys
import time
from contextlib import suppress

from tests.bench.figures import Budget, Result, row
from tests.bench.machine import SERVER_CORE, Others
from tests.bench.processes import MeasurementFailed, Program, Server
from tests.bench.stage import ASYNCIO, Stage, note_others

POLL = 0.002
LIMIT = 20.0
SETTLE = 2.0
OK = 200
START = Budget(1.0, "under 1 s")
MEMORY = Budget(60.0, "under 60 MB")
PROCESSOR = Budget(1.0, "under 1 %")


def measure(stage: Stage) -> Result:
    """Seconds to ready, memory and processor time when idle."""
    result = Result()
    ours: list[float] = []
    theirs: list[float] = []
    for index in range(stage.pick(7, 3) + 1):
        began = time.monotonic()
        with _daemon(stage) as daemon:
            _await_ready(daemon)
            seconds = time.monotonic() - began
        began = time.monotonic()
        with stage.peer(ASYNCIO):
            listening = time.monotonic() - began
        if index:
            ours.append(seconds)
            theirs.append(listening)
    result.rows.append(row("start to ready", "s", ours, ASYNCIO, theirs, START))
    with _daemon(stage) as daemon:
        _await_ready(daemon)
        mine = _idle(daemon, stage.pick(20, 6), result)
    with stage.peer(ASYNCIO) as peer:
        other = _idle(peer, stage.pick(5, 2), result)
    result.rows += [
        row("idle memory", "MB", [mine[0]], ASYNCIO, [other[0]], MEMORY),
        row("idle CPU", "% of a core", [mine[1]], ASYNCIO, [other[1]], PROCESSOR),
    ]
    return result


def _daemon(stage: Stage) -> Server:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "andond", "run", "--listen", f"127.0.0.1:{port}"]
    daemon = Server(command, SERVER_CORE, stage.directory / f"startup-{port}.log")
    daemon.port = port
    return daemon


def _await_ready(daemon: Server) -> None:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=1)
        with suppress(OSError):
            connection.request("GET", "/readyz")
            if connection.getresponse().status == OK:
                connection.close()
                return
        connection.close()
        time.sleep(POLL)
    raise MeasurementFailed("the daemon did not become ready")


def _idle(program: Program, seconds: int, result: Result) -> tuple[float, float]:
    """MB of memory, and percent of a core."""
    time.sleep(SETTLE)
    others = Others([program.pid], [])
    used, began = program.processor_time(), time.monotonic()
    time.sleep(seconds)
    share = (program.processor_time() - used) / (time.monotonic() - began) * 100
    note_others(result, f"idle {program.name}", others)
    return program.resident() / 1e6, share
