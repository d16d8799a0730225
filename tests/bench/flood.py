"""A source that floods the gateway with critical events, beside one that has something to say.

Rules of this file: one HTTP source, two publishers, told apart by the ``source`` of their events. A posts 5,000
critical events a second in batches, B ten a second, each by itself; the journal is on disk, and a native client follows
both. A delay of B begins right before its post is sent and ends when the client has processed the frame. What A posted
and was answered for is counted in the journal and at the client, by its marks; one that is missing fails the
measurement.
"""

from __future__ import annotations

import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from config import JournalSettings
from domain import DEMOTED_FROM, Priority
from storage import Journal, keep_of
from tests.bench.figures import Budget, Result, row
from tests.bench.machine import LOAD_CORE, Others
from tests.bench.processes import Answer, MeasurementFailed, Program, Server, killed_after, number, numbers
from tests.bench.stage import Stage, note_others

CREDIT = 32 * 1024
BOUND = Budget(CREDIT / (1024 * 1024) * 1000 + 20, "at most 51 ms: credit / 1 MiB/s + 20")
OFFERED, BATCH = 5_000, 100
PER_SECOND = 10
TYPE = "andon.call.raised"
NOISY, QUIET = "/flood/noisy", "/flood/quiet"
CHANNEL = "andon/flood"
HEAD_START = 1.0
CATCH_UP_LIMIT = 20.0
POLL = 0.1


def measure(stage: Stage) -> Result:
    """B's delays with and without A, and what became of A's events."""
    result = Result()
    data = stage.directory / "flood"
    data.mkdir()
    seconds = stage.pick(30, 6)
    server = stage.daemon({"ANDOND__STORAGE__PATH": str(data), "ANDOND__SOURCES__HTTP__KIND": "http"})
    with killed_after(server), ExitStack() as stack:
        reader = stack.enter_context(_reader(stage, server))
        noisy, quiet = (stack.enter_context(_poster(stage, server, name)) for name in ("noisy", "quiet"))
        reader.hear()
        others = Others([server.pid], [reader.pid, noisy.pid, quiet.pid])
        alone = _delays(reader, quiet, seconds, [])
        noisy.say(f"pace {NOISY} {TYPE} flood {OFFERED / BATCH:g} {BATCH} {OFFERED // BATCH * (seconds + 2)}")
        time.sleep(HEAD_START)
        busy, began = server.processor_time(), time.monotonic()
        beside = _delays(reader, quiet, seconds, alone)
        share = (server.processor_time() - busy) / (time.monotonic() - began)
        flood = noisy.hear(CATCH_UP_LIMIT + seconds)
        came = _arrived(reader, int(number(flood, "accepted")))
        note_others(result, "flood", others)
        reader.stop()
        server.stop()
    _check(flood, came, data)
    result.rows += [
        row("critical of a source beside a flood, p50", "ms", [_middle(beside)], "no flood", [_middle(alone)]),
        row("critical of a source beside a flood, p99", "ms", [_p99(beside)], "no flood", [_p99(alone)], BOUND),
        row("critical of a source beside a flood, longest", "ms", [max(beside)], "no flood", [max(alone)]),
        row("flood, answered for", "/s", [number(flood, "accepted") / number(flood, "seconds")], "offered", [OFFERED]),
        row("flood, the daemon's core", "%", [share * 100]),
        row("flood, demoted with a mark", "%", [number(came, "flood_demoted") / number(flood, "accepted") * 100]),
        row("flood, told the client as a gap", "", [number(came, "gapped")]),
    ]
    return result


def _reader(stage: Stage, server: Server) -> Program:
    command = [sys.executable, "-m", "tests.bench.reader", str(server.port), "0", "--native", str(CREDIT)]
    return Program([*command, f"{CHANNEL}/*"], LOAD_CORE, stage.directory / "flood-reader.log")


def _poster(stage: Stage, server: Server, name: str) -> Program:
    command = [sys.executable, "-m", "tests.bench.poster", str(server.port)]
    return Program(command, LOAD_CORE, stage.directory / f"flood-{name}.log")


def _delays(reader: Program, quiet: Program, seconds: int, known: list[float]) -> list[float]:
    """Milliseconds of what B posts in ``seconds``, behind what is ``known`` of it."""
    count = len(known) + PER_SECOND * seconds
    quiet.ask(f"pace {QUIET} {TYPE} urgent {PER_SECOND} 1 {PER_SECOND * seconds}", CATCH_UP_LIMIT + seconds)
    deadline = time.monotonic() + CATCH_UP_LIMIT
    while len(critical := numbers(reader.ask("report"), "critical")) < count:
        if time.monotonic() > deadline:
            raise MeasurementFailed(f"{len(critical)} of {count} critical events of the quiet source came")
        time.sleep(POLL)
    return [(processed - posted) / 1000 for posted, processed, *_ in critical[len(known) :]]


def _arrived(reader: Program, accepted: int) -> Answer:
    """The reader's report when it has all of the flood, or nothing more comes."""
    deadline = time.monotonic() + CATCH_UP_LIMIT
    while True:
        said = reader.ask("report")
        if _told(said) >= accepted or time.monotonic() > deadline:
            return said
        time.sleep(POLL)


def _told(said: Answer) -> float:
    return number(said, "flood_critical") + number(said, "flood_demoted") + number(said, "gapped")


def _check(flood: Answer, came: Answer, data: Path) -> None:
    """Compare what was answered for with what came and what is kept.

    Raises:
        MeasurementFailed: if they differ.
    """
    accepted = int(number(flood, "accepted"))
    journal = Journal.open(data, keep_of(JournalSettings()))
    try:
        kept = [each.event for each in journal.newest(f"{CHANNEL}/noisy", 2 * accepted)]
    finally:
        journal.close()
    demoted = sum(event.extensions.get(DEMOTED_FROM) == Priority.CRITICAL.wire for event in kept)
    critical = sum(event.priority is Priority.CRITICAL for event in kept)
    found = f"kept {critical} + {demoted} demoted, came {came}"
    if critical + demoted != accepted or len({event.id for event in kept}) != accepted:
        raise MeasurementFailed(f"{accepted} events of the flood were answered for: {found}")
    if _told(came) != accepted or number(came, "flood_critical") != critical:
        raise MeasurementFailed(f"{accepted} events of the flood are to be told: {found}")


def _middle(values: list[float]) -> float:
    return statistics.median(values)


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[98]
