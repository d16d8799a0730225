"""Critical events that are on disk before they are answered for: what the disk adds, and how many go through.

Rules of this file: the whole daemon, with its journal in a directory and with one in memory, in turn. Events are posted
by HTTP and critical, and their source may have as many as it likes. A time is that from a post to its answer. Beside
what the disk adds stands what it takes at least: one page appended to a file there and ``fdatasync``, nothing else.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
import urllib.request
from collections.abc import Mapping

from tests.bench.figures import Budget, Result, row
from tests.bench.machine import LOAD_CORE, Others
from tests.bench.processes import Answer, MeasurementFailed, Program, Server, killed_after, number, numbers
from tests.bench.stage import Stage, note_others

DISK, MEMORY = "disk", "memory"
SOURCE, TYPE, WORD = "/bench/journal", "andon.call.raised", "urgent"
PER_SECOND = 50
IN_FLIGHT, BATCH = 64, 100
RECORD = 4096
LIMIT = 300.0
ANSWER_LIMIT = 10.0
FORBIDDEN = ("andond_events_demoted_total", "andond_journal_unkept_total")
NO_BUDGET = {"ANDOND__POLICY__CRITICAL_RATE": "1000000", "ANDOND__POLICY__CRITICAL_BURST": "1000000"}
ADDED = Budget(5.0, "at most 5 ms")
RATE = Budget(10_000, "at least 10,000/s", least=True)

Figures = dict[str, list[float]]


def measure(stage: Stage) -> Result:
    """What the journal costs a critical event, and how many a second it takes."""
    result = Result()
    seen: dict[str, Figures] = {DISK: {}, MEMORY: {}}
    syncs: list[list[float]] = []
    for turn in range(stage.pick(3, 1)):
        for name, figures in seen.items():
            for what, value in _visit(stage, name, turn, result).items():
                figures.setdefault(what, []).append(value)
        syncs.append(_sync_times(stage, stage.pick(300, 100)))
    disk, memory = seen[DISK], seen[MEMORY]
    added = {what: _differences(disk[what], memory[what]) for what in ("p50", "p99")}
    sync = [statistics.median(each) for each in syncs]
    sync99 = [_p99(each) for each in syncs]
    race = f"critical, {IN_FLIGHT} posts"
    result.rows += [
        row("critical event, post to answer, p50", "ms", disk["p50"], "journal in memory", memory["p50"]),
        row("critical event, post to answer, p99", "ms", disk["p99"], "journal in memory", memory["p99"]),
        row("the disk adds, p50", "ms", added["p50"], "one fdatasync", sync, ADDED),
        row("the disk adds, p99", "ms", added["p99"], "one fdatasync", sync99),
        row(f"{race} in flight", "/s", disk["one"], "journal in memory", memory["one"]),
        row(f"{race} in flight, answer p99", "ms", disk["one p99"], "journal in memory", memory["one p99"]),
        row(f"{race} of {BATCH} in flight", "/s", disk["batch"], "journal in memory", memory["batch"], RATE),
    ]
    return result


def _visit(stage: Stage, name: str, turn: int, result: Result) -> Mapping[str, float]:
    """One daemon, asked gently and then hard."""
    settings = {"ANDOND__SOURCES__HTTP__KIND": "http", **NO_BUDGET}
    if name == DISK:
        data = stage.directory / f"journal-{turn}"
        data.mkdir()
        settings["ANDOND__STORAGE__PATH"] = str(data)
    server = stage.daemon(settings)
    command = [sys.executable, "-m", "tests.bench.poster", str(server.port)]
    with killed_after(server), Program(command, LOAD_CORE, stage.directory / f"journal-{name}.log") as poster:
        others = Others([server.pid], [poster.pid])
        _race(poster, 1, 1, 50)
        gentle = poster.ask(_words("pace", PER_SECOND, 1, stage.pick(500, 150)), LIMIT)
        one = _race(poster, IN_FLIGHT, 1, stage.pick(6_000, 1_500))
        batch = _race(poster, IN_FLIGHT, BATCH, stage.pick(800, 200))
        note_others(result, f"journal on {name}" if name == DISK else f"journal in {name}", others)
        _check_kept(server)
    answers = [each / 1000 for each in numbers(gentle, "answers")[0]]
    return {
        "p50": statistics.median(answers),
        "p99": _p99(answers),
        "one": number(one, "accepted") / number(one, "seconds"),
        "one p99": _p99(numbers(one, "answers")[0]) / 1000,
        "batch": number(batch, "accepted") / number(batch, "seconds"),
    }


def _words(command: str, third: float, size: int, count: int) -> str:
    return f"{command} {SOURCE} {TYPE} {WORD} {third:g} {size} {count}"


def _race(poster: Program, in_flight: int, size: int, count: int) -> Answer:
    """Post ``count`` batches as fast as they are answered for.

    Raises:
        MeasurementFailed: if some had to be posted again.
    """
    said = poster.ask(_words("race", in_flight, size, count), LIMIT)
    if number(said, "accepted") != size * count or number(said, "repeats"):
        raise MeasurementFailed(f"of {size * count} events {said['accepted']}, {said['repeats']} posts were repeated")
    return said


def _check_kept(server: Server) -> None:
    """Ask the daemon whether all that was posted was critical and kept.

    Raises:
        MeasurementFailed: if it was not.
    """
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=ANSWER_LIMIT) as answer:
        lines = [line.split() for line in answer.read().decode().splitlines() if not line.startswith("#")]
    bad = {name: float(value) for name, value in lines if name.startswith(FORBIDDEN) and float(value)}
    if bad:
        raise MeasurementFailed(f"not everything was critical and kept: {bad}")


def _sync_times(stage: Stage, count: int) -> list[float]:
    """Milliseconds of each of ``count`` writes that are on disk when they return."""
    path = stage.directory / "sync"
    times: list[float] = []
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        for _ in range(count):
            began = time.monotonic()
            os.write(file, bytes(RECORD))
            os.fdatasync(file)
            times.append((time.monotonic() - began) * 1000)
            # As often as the events come.
            time.sleep(1 / PER_SECOND / 4)
    finally:
        os.close(file)
    return times


def _differences(disk: list[float], memory: list[float]) -> list[float]:
    return [max(0.0, one - other) for one, other in zip(disk, memory, strict=True)]


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[98]
