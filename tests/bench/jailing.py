"""A jailing on its way from a node's block to every subscriber, while the other channels are saturated.

Rules of this file: a real daemon reads a node of a chain of 40 validators over its WebSocket. 1,000 clients follow the
validators, 1,000 others a channel in which routine always waits. A delay begins right before the node tells the block,
and ends when the last of the 1,000 has read the frame: what is on disk before it is told is in it. Nothing else is told
of validators meanwhile, for the records are asked for once an hour.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from tests.bench.figures import Budget, Result, row
from tests.bench.machine import LOAD_CORE, Others
from tests.bench.processes import Load, MeasurementFailed, Program, killed_after, number
from tests.bench.stage import SIZE, Stage, note_others

FOLLOWERS = 1000
VALIDATORS = "/stream?channel=chain/validators&latest=0"
BUDGET = Budget(250.0, "p99 of 250 ms")
WHAT = "a jailing, to the last of 1,000"
SETTLE = 1.5
CATCH_UP_LIMIT = 30.0


def measure(stage: Stage) -> Result:
    """The delays of jailings with and without routine in another channel."""
    result = Result()
    count = stage.pick(18, 4)
    node = Program([sys.executable, "-m", "tests.bench.chain"], LOAD_CORE, stage.directory / "chain.log")
    with killed_after(node):
        server = stage.daemon(config=_configured(stage.directory, int(number(node.hear(), "port"))))
        followers, others_load = stage.load(server, path=VALIDATORS), stage.load(server)
        with killed_after(others_load, followers, server):
            node.ask("wait")
            followers.open(FOLLOWERS)
            others_load.open(FOLLOWERS)
            others = Others([server.pid], [followers.pid, others_load.pid, node.pid])
            time.sleep(SETTLE)
            quiet = _jailings(node, followers, count)
            seconds = int(count * (SETTLE + 1)) + 2
            server.say(f"flood {seconds} {SIZE}")
            time.sleep(SETTLE)
            busy = _jailings(node, followers, count)
            server.hear(seconds + CATCH_UP_LIMIT)
            note_others(result, "jailing", others)
    result.rows += [
        row(f"{WHAT}, p50", "ms", [statistics.median(busy)], "quiet", [statistics.median(quiet)]),
        row(f"{WHAT}, longest", "ms", [max(busy)], "quiet", [max(quiet)], BUDGET),
    ]
    return result


def _configured(directory: Path, port: int) -> Path:
    path = directory / "jailing.toml"
    data = directory / "jailing"
    data.mkdir()
    address = f"http://127.0.0.1:{port}"
    lines = [
        f'[storage]\npath = "{data}"',
        "[server]\nconnections = 20000",
        '[sources.bench]\nkind = "cosmos"\nchain = "bench-1"\npoll = 3600',
        f'nodes = [{{ rpc = "{address}", rest = "{address}" }}]',
    ]
    path.write_text("\n".join(lines))
    return path


def _jailings(node: Program, followers: Load, count: int) -> list[float]:
    """Milliseconds until the last follower has read of each jailing."""
    delays = []
    for _ in range(count):
        followers.expect(FOLLOWERS)
        told = number(node.ask("jail"), "at")
        came = followers.hear(CATCH_UP_LIMIT)
        if number(came, "first") * 1e6 < told:
            raise MeasurementFailed("something else was told of the validators meanwhile")
        delays.append(number(came, "last") * 1000 - told / 1000)
        time.sleep(SETTLE)
    return delays
