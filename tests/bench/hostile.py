"""Ten thousand hostile connections in a minute, while a hundred honest clients are told what is critical.

Rules of this file: the hundred get a critical event each 10 ms, and a delay counts from when it was due. The quiet
value is taken in the same run, of the same clients, before anybody attacks. Nobody on this machine is exempt from the
limits, which are otherwise those of the default configuration; who shows no token may read, and tokens are checked. The
attackers run on the load's core at a low priority, so that they are not what the hundred's own load waits for.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.bench.figures import Budget, Result, row
from tests.bench.machine import LOAD_CORE, Others
from tests.bench.processes import Answer, Load, MeasurementFailed, Program, Server, number
from tests.bench.stage import SIZE, Stage, note_others

HONEST = 100
EVERY_US = 10_000
SECONDS, QUICK_SECONDS = 60, 5
HOSTILE, QUICK_HOSTILE = 10_000, 800
SETTLE = 0.5
NICE = 10
PATIENCE = 40.0
RATIO = Budget(2.0, "at most twice the quiet value")


def measure(stage: Stage) -> Result:
    """What is critical, while nothing happens and while much does."""
    result = Result()
    seconds, hostile = stage.pick(SECONDS, QUICK_SECONDS), stage.pick(HOSTILE, QUICK_HOSTILE)
    secret = stage.directory / "bench-secret"
    secret.write_text("of no worth, but of a length that is taken: 0123456789abcdef\n")
    with stage.daemon(config=_config(stage.directory, secret)) as server, stage.load(server, "stamps") as load:
        load.open(HONEST)
        time.sleep(SETTLE)
        others = Others([server.pid], [load.pid])
        quiet = _told(server, load, stage.pick(2_000, 200))
        note_others(result, "before the attack", others)
        command = [sys.executable, "-m", "tests.bench.attacker", str(server.port)]
        with Program(command, LOAD_CORE, stage.directory / "attacker.log", nice=NICE) as attacker:
            attacker.say(f"attack {hostile} {seconds}")
            attacked = _told(server, load, seconds * 1_000_000 // EVERY_US)
            ended = _ended(attacker.hear(seconds + PATIENCE), hostile)
        server.kill()
    result.notes.append(f"hostile: {_sentence(ended)}")
    what = f"{hostile:,} hostile connections in {seconds} s"
    p99, calm = number(attacked, "p99") / 1000, number(quiet, "p99") / 1000
    result.rows += [
        row(f"{what}, critical p50", "ms", [number(attacked, "p50") / 1000], "quiet", [number(quiet, "p50") / 1000]),
        row(f"{what}, critical p99", "ms", [p99], "quiet", [calm]),
        row(f"{what}, longest", "ms", [number(attacked, "longest") / 1000], "quiet", [number(quiet, "longest") / 1000]),
        row(f"{what}, critical p99 to its quiet value", "times", [p99 / calm], budget=RATIO),
    ]
    return result


def _config(directory: Path, secret: Path) -> Path:
    """Where tokens are checked, who has none reads, and nobody is exempt."""
    path = directory / "hostile.toml"
    path.write_text(
        "[server]\nexempt_loopback = false\nconnections_per_address = 200\n"
        '[access.anonymous]\nenabled = true\nchannels = ["*"]\n'
        '[access.issuers.bench]\nissuer = "https://bench.invalid"\naudience = ["andond"]\nalgorithms = ["HS256"]\n'
        f"secret_file = {json.dumps(str(secret))}\n"
    )
    return path


def _told(server: Server, load: Load, count: int) -> Answer:
    """What ``count`` critical events look like to the honest clients."""
    load.expect(count * HONEST)
    server.say(f"urgent {count} {server.size or SIZE} {EVERY_US}")
    got = load.hear(PATIENCE + count * EVERY_US / 1e6)
    server.hear()
    return got


def _ended(answer: Answer, expected: int) -> Mapping[str, int]:
    ended = {how: int(number(answer, how)) for how in answer}
    if sum(ended.values()) != expected:
        raise MeasurementFailed(f"of {expected} hostile connections {sum(ended.values())} were made")
    return ended


def _sentence(ended: Mapping[str, int]) -> str:
    """How they ended, all kinds together, the most frequent first."""
    together: Counter[str] = Counter()
    for how, count in ended.items():
        together[how.partition(" ")[2]] += count
    return ", ".join(f"{count:,} ended with {how}" for how, count in together.most_common())
