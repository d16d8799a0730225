"""An Andon call on its way: raised by HTTP, on disk before the answer, on a native client's socket.

Rules of this file: 1,000 clients follow a channel that gets ten routine publications a second, so 10,000 deliveries
pass each second. A call each 100 ms is raised at another place, so that none is a duplicate. A delay begins right
before its request is sent; it ends when a native client has the call, or when the answer is there, which is after the
sync. The same without the routine is beside it.
"""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.bench.figures import Budget, Result, row
from tests.bench.link import Link, LinkLost
from tests.bench.machine import Others
from tests.bench.processes import MeasurementFailed, Server, killed_after
from tests.bench.reader import NATIVE, follow
from tests.bench.stage import Stage, note_others

CONNECTIONS, PUBLICATIONS, SIZE = 1000, 10, 300
INTERVAL = 0.1
BUDGET = Budget(20.0, "p99 of 20 ms")
CATCH_UP_LIMIT = 10.0


def measure(stage: Stage) -> Result:
    """The delays of calls with and without routine."""
    result = Result()
    data = stage.directory / "calls"
    data.mkdir()
    count = stage.pick(300, 40)
    server = stage.daemon({"ANDOND__STORAGE__PATH": str(data), "ANDOND__SERVER__CONNECTIONS": "20000"})
    load = stage.load(server)
    with killed_after(load, server), _arrivals(server) as arrived:
        others = Others([server.pid], [load.pid])
        quiet, quiet_answers = _raised(server, "quiet", count, arrived)
        load.open(CONNECTIONS)
        seconds = int(count * INTERVAL) + 2
        server.say(f"pace {PUBLICATIONS * seconds} {SIZE} {1_000_000 // PUBLICATIONS}")
        time.sleep(1.0)
        busy, answers = _raised(server, "busy", count, arrived)
        server.hear(CATCH_UP_LIMIT + seconds)
        note_others(result, "calls", others)
    result.rows += [
        row("a call, from HTTP to a client, p50", "ms", [_middle(busy)], "no routine", [_middle(quiet)]),
        row("a call, from HTTP to a client, p99", "ms", [_p99(busy)], "no routine", [_p99(quiet)], BUDGET),
        row("a call, from HTTP to its answer, p50", "ms", [_middle(answers)], "no routine", [_middle(quiet_answers)]),
        row("a call, from HTTP to its answer, p99", "ms", [_p99(answers)], "no routine", [_p99(quiet_answers)]),
    ]
    return result


@contextmanager
def _arrivals(server: Server) -> Iterator[dict[str, float]]:
    """When a native client got which call, by its text; on the clock of this process."""
    link = Link(server.port, "/stream", NATIVE)
    follow(link, ["andon/*"], {})
    arrived: dict[str, float] = {}

    def read() -> None:
        with suppress(LinkLost):
            for message in link.messages():
                now = time.monotonic()
                if b'"andon.call.raised"' in message:
                    arrived.setdefault(json.loads(message)["event"]["data"]["text"], now)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield arrived
    finally:
        link.close()


def _raised(server: Server, word: str, count: int, arrived: dict[str, float]) -> tuple[list[float], list[float]]:
    """Milliseconds of each of ``count`` calls: until a client had it, until its answer.

    Raises:
        MeasurementFailed: if one is refused or does not come.
    """
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=CATCH_UP_LIMIT)
    began, answers = {}, []
    start = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, start + number * INTERVAL - time.monotonic()))
        name = f"{word}-{number}"
        body = json.dumps({"equipment": f"bench/line/{name}", "type": "material", "priority": "high", "text": name})
        began[name] = time.monotonic()
        line.request("POST", "/api/v1/andon/calls", body, {"Content-Type": "application/json"})
        answer = line.getresponse()
        said = answer.read()
        answers.append((time.monotonic() - began[name]) * 1000)
        if answer.status != http.HTTPStatus.CREATED:
            raise MeasurementFailed(f"a call was answered by {answer.status}: {said[:200]!r}")
    deadline = time.monotonic() + CATCH_UP_LIMIT
    while any(name not in arrived for name in began):
        if time.monotonic() > deadline:
            raise MeasurementFailed(f"{sum(name in arrived for name in began)} of {count} calls came")
        time.sleep(INTERVAL)
    return [(arrived[name] - at) * 1000 for name, at in began.items()], answers


def _middle(values: list[float]) -> float:
    return statistics.median(values)


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[98]
