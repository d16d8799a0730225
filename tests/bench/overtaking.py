"""Critical events that overtake a backlog of 20,000, whatever the client is and whatever buffers lie on the way.

Rules of this file: the backlog waits in the gateway, whose outbox is made large enough to hold it; with the usual one
most of it would be given up. Critical events come through the whole gateway: posted by HTTP, on disk, then published on
the channel of the backlog. A delay begins right before the post is sent and ends when the reader has processed the
frame. Each one of them must be within credit / rate and 20 ms; only those count that had routine frames behind them.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.bench.figures import Budget, Result, Row, row
from tests.bench.machine import LOAD_CORE, Others
from tests.bench.processes import Answer, MeasurementFailed, Program, Server, killed_after, number, numbers
from tests.bench.stage import Certificate, Stage, note_others

CHANNEL = "events/bench"
BACKLOG, SIZE = 20_000, 250
CREDIT = 32 * 1024
MARGIN = 20.0
RATES = (128 * 1024, 1024 * 1024)
BUFFERS = (16 * 1024, 256 * 1024, 4 * 1024 * 1024)
PER_SECOND = 5
LEAST = 20
VISITS = 3
CATCH_UP_LIMIT = 5.0
POLL = 0.1
RULE = '[{name = "urgent", type = "bench.urgent", priority = "critical"}]'
LARGE = str(16 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Cell:
    """One reader: bytes a second, bytes of its receive buffer, whether over TLS, whether it returns credit itself."""

    rate: int
    buffer: int
    tls: bool
    native: bool

    @property
    def bound(self) -> float:
        """Milliseconds that the credit takes at this rate."""
        return CREDIT / self.rate * 1000

    @property
    def text(self) -> str:
        """The cell in words."""
        ways = f"{'TLS' if self.tls else 'plain'}, {'native' if self.native else 'pings only'}"
        return f"{amount_of(self.rate)}/s, {amount_of(self.buffer)} buffer, {ways}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one reader saw: milliseconds of each critical event, routine frames before each, its buffer and rate."""

    cell: Cell
    delays: list[float]
    between: list[float]
    buffer: float
    rate: float


def measure(stage: Stage) -> Result:
    """The matrix, cell by cell."""
    result = Result()
    seen: list[Seen] = []
    for tls in (False, True):
        certificate = stage.certificate() if tls else None
        server = stage.daemon(_settings(stage, tls=tls), certificate)
        with killed_after(server), _poster(stage, server, certificate) as poster:
            for rate, buffer, native in itertools.product(RATES, BUFFERS, (True, False)):
                cell = Cell(rate, buffer, tls, native)
                seen.append(_visits(stage, cell, server, poster, result))
    result.rows += [_cell_row(each) for each in seen]
    for rate in RATES:
        result.rows += _rate_rows([each for each in seen if each.cell.rate == rate])
    result.notes += list(_remarks(seen))
    return result


def _settings(stage: Stage, *, tls: bool) -> dict[str, str]:
    data = stage.directory / f"overtaking-{'tls' if tls else 'plain'}"
    data.mkdir()
    return {
        "ANDOND__STORAGE__PATH": str(data),
        "ANDOND__SOURCES__HTTP__KIND": "http",
        "ANDOND__POLICY__RULES": RULE,
        "ANDOND__SERVER__OUTBOX_SIZE": LARGE,
    }


def _poster(stage: Stage, server: Server, certificate: Certificate | None) -> Program:
    command = [sys.executable, "-m", "tests.bench.poster", str(server.port), *(["--tls"] if certificate else [])]
    return Program(command, LOAD_CORE, stage.directory / f"poster-{server.port}.log")


def _reader(stage: Stage, cell: Cell, server: Server) -> Program:
    words = ["--buffer", str(cell.buffer)]
    words += ["--native", str(CREDIT)] if cell.native else []
    words += ["--tls"] if cell.tls else []
    command = [sys.executable, "-m", "tests.bench.reader", str(server.port), str(cell.rate), *words, CHANNEL]
    return Program(command, LOAD_CORE, stage.directory / f"reader-{server.port}.log")


def _visits(stage: Stage, cell: Cell, server: Server, poster: Program, result: Result) -> Seen:
    """One reader, or as many as it takes until enough critical events had a backlog to overtake."""
    # A fast reader is done with the backlog after so many; a slow one is left when there are enough.
    count = stage.pick(24 if cell.bound < MARGIN * 2 else 40, 10)
    seen = Seen(cell, [], [], 0.0, 0.0)
    for _ in range(VISITS):
        with _reader(stage, cell, server) as reader:
            others = Others([server.pid], [poster.pid, reader.pid])
            seen = _visit(seen, count, server, poster, reader)
            note_others(result, f"overtaking, {cell.text}", others)
        if len(seen.delays) >= min(count, LEAST):
            return seen
    raise MeasurementFailed(f"{cell.text}: only {len(seen.delays)} had a backlog to overtake")


def _visit(seen: Seen, count: int, server: Server, poster: Program, reader: Program) -> Seen:
    """Let the reader drain the backlog while ``count`` critical events come; adds to what was ``seen``."""
    buffer = number(reader.hear(), "buffer")
    server.ask(f"burst {BACKLOG} {SIZE} 0")
    before, began = number(reader.ask("report"), "bytes"), time.monotonic()
    poster.ask(f"pace /bench bench.urgent urgent {PER_SECOND} 1 {count}")
    rate = (number(reader.ask("report"), "bytes") - before) / (time.monotonic() - began)
    said = _caught_up(reader, count)
    overtaking = [each for each in numbers(said, "critical") if each[3] < BACKLOG]
    delays = [(processed - posted) / 1000 for posted, processed, _, _ in overtaking]
    return Seen(seen.cell, seen.delays + delays, seen.between + [each[2] for each in overtaking], buffer, rate)


def _caught_up(reader: Program, count: int) -> Answer:
    """The reader's report when it has all the critical events.

    Raises:
        MeasurementFailed: if some do not come.
    """
    deadline = time.monotonic() + CATCH_UP_LIMIT
    while len(numbers(said := reader.ask("report"), "critical")) < count:
        if time.monotonic() > deadline:
            raise MeasurementFailed(f"{len(numbers(said, 'critical'))} of {count} critical events came")
        time.sleep(POLL)
    return said


# -- what is said of it ---------------------------------------------------------------------------------------


def _cell_row(seen: Seen) -> Row:
    return row(f"critical, longest: {seen.cell.text}", "ms", [max(seen.delays)], "median", [_middle(seen.delays)])


def _rate_rows(seen: Sequence[Seen]) -> list[Row]:
    bound = seen[0].cell.bound
    within = Budget(bound + MARGIN, f"at most {bound + MARGIN:.0f} ms: credit / rate + 20")
    what = f"backlog of {BACKLOG:,} at {amount_of(seen[0].cell.rate)}/s"
    longest = max(max(each.delays) for each in seen)
    rows = [row(f"{what}: longest of all", "ms", [longest], "credit / rate", [bound], within)]
    for native in (True, False):
        between = [each for one in seen if one.cell.native is native for each in one.between]
        name = f"{what}: routine before a critical one, most, {'native' if native else 'pings only'}"
        rows.append(row(name, "", [max(between)], "median", [_middle(between)]))
    return rows


def _remarks(seen: Iterable[Seen]) -> Iterable[str]:
    for each in seen:
        if each.rate < 0.95 * each.cell.rate:
            yield f"overtaking, {each.cell.text}: it read {amount_of(each.rate)}/s only"
        if each.buffer != each.cell.buffer:
            yield f"overtaking, {each.cell.text}: the system gave a buffer of {amount_of(each.buffer)}"


def _middle(values: Sequence[float]) -> float:
    return statistics.median(values)


def amount_of(size: float) -> str:
    """Bytes in words."""
    return f"{size / 1024 / 1024:.3g} MiB" if size >= 1024 * 1024 else f"{size / 1024:.3g} KiB"
