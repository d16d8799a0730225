"""``andond analyse``: the floor's rules over recorded logs, and what a plant asks of its past.

Rules of this file:

* Logs of one machine are looked at together; a machine is called by its file: ``GFAgie01-20160507-20160508.txt`` and
  ``GFAgie01.events.csv.gz`` are both of GFAgie01.
* The order of the rows, and that some come twice, changes nothing: they are sorted by what they say, on disk where
  they are many, and each counts once.
* Rows that a clock stamped which had jumped are put where they were received, see ``domain.plant.ledger.logclock``.
* What could not be read is said on standard error; the figures are made of the rest. Exit code 0: there are figures;
  66: a log is not there, is none, or says nothing; 74: there is no room to sort in.
"""

from __future__ import annotations

import json
import os
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import msgspec

from andond.analyse_table import notes, table, voices
from andond.progress import Progress
from andond.recording import RecordingError, lines_of
from andond.rows import Item, Log, Row, observed
from andond.spill import LIMIT, Spill
from domain import JsonValue
from domain.plant.ledger import LogClock, Past, Quarantine, parse_us, report, speaker
from domain.plant.mtconnect import Role

EXIT_NO_ROOM = 74

TEXT_LIMIT = 4096
AFTER = 2
"""Above every rank of a row that is believed."""

Span = tuple[int | None, int | None]

_DAILY = re.compile(r"(.+?)-\d{8}(-\d{8})?")


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "logs",
        metavar="FILE",
        nargs="+",
        type=Path,
        help="SHDR logs or event rows (ts,key,value,code,text), plain, .gz, .xz or in .tar.xz, in any order",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, machine by machine")
    parser.add_argument("--since", metavar="MOMENT", type=_moment, help="leave out what is stamped before this")
    parser.add_argument("--until", metavar="MOMENT", type=_moment, help="leave out what is stamped from this on")
    parser.add_argument("--execution", metavar="KEY", help="the data item that says what the machine does")


def main(options: Namespace) -> int:
    """Look at the logs and print what they amount to; the exit code."""
    documents: dict[str, JsonValue] = {}
    texts: list[str] = []
    try:
        with ExitStack() as spills:
            for name, machine in read(options.logs, spills, options.since, options.until, options.execution).items():
                past = machine.past(options.execution)
                said = voices(name, machine.executions, past.execution)
                for line in (*notes(name, machine.log.faults, machine.clocked, machine.cut), *said):
                    print(f"andond analyse: {line}", file=sys.stderr)
                documents[name] = report(past)
                texts.append(table(name, past, machine.texts))
    except RecordingError as error:
        print(f"andond analyse: {error}", file=sys.stderr)
        return os.EX_NOINPUT
    except OSError as error:
        print(f"andond analyse: no room to sort in: {error.strerror}; make room or set TMPDIR", file=sys.stderr)
        return EXIT_NO_ROOM
    print(json.dumps(documents, indent=1) if options.json else "\n\n".join(texts))
    return 0


class Machine(msgspec.Struct):
    """All rows of one machine, and what was seen while they were read."""

    rows: Spill[Row]
    log: Log
    executions: set[str] = msgspec.field(default_factory=set)
    clocked: list[Quarantine] = msgspec.field(default_factory=list)
    cut: list[str] = msgspec.field(default_factory=list)
    texts: dict[str, str] = msgspec.field(default_factory=dict)
    count: int = 0
    left_out: int = 0

    def take(self, items: Iterable[tuple[Item, bool]], since: int | None, until: int | None) -> None:
        """Take what one file says, in the order in which it says it."""
        clock = LogClock()
        try:
            for item, opens in items:
                if opens:
                    self.clocked += clock.quarantined()
                    clock = LogClock()
                if (since is not None and item.at < since) or (until is not None and item.at >= until):
                    self.left_out += 1
                else:
                    self._take(item, clock)
        finally:
            self.clocked += clock.quarantined()

    def _take(self, item: Item, clock: LogClock) -> None:
        if item.role is Role.EXECUTION:
            self.executions.add(item.key)
        elif item.role is Role.CONDITION and item.text and len(self.texts) < TEXT_LIMIT:
            self.texts.setdefault(item.name, item.text)
        clock.take(self.count, item.at, item.name)
        self.rows.add(item.row(self.count))
        self.count += 1

    def past(self, execution: str | None) -> Past:
        """What the rows amount to, each taken once and in the order of time."""
        past = Past(execution if execution is not None else speaker(self.executions))
        for row in self._placed(_once(self.rows, self.clocked)):
            past.take(row[0], observed(row))
        past.settle()
        return past

    def _placed(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows, those in quarantine where they were received."""
        if not self.clocked:
            yield from rows
            return
        with Spill[Row]() as placed:
            for row in rows:
                jumped = _quarantine(row, self.clocked)
                # Behind what was believed at that moment, in the order of receipt.
                placed.add(row if jumped is None else (jumped.at, AFTER + row[-1], *row[2:]))
            yield from placed


def read(
    paths: Sequence[Path],
    spills: ExitStack,
    since: int | None = None,
    until: int | None = None,
    execution: str | None = None,
) -> dict[str, Machine]:
    """The rows of all ``paths``, by machine; what they take on disk is let go of with ``spills``.

    ``execution`` names the data item that says what the machine does.

    Raises:
        RecordingError: if one cannot be opened, or nothing is in any of them.
    """
    machines: dict[str, Machine] = {}
    with Progress.over(paths) as progress:
        reading = _Reading(machines, spills, (since, until), progress, execution)
        barren = [RecordingError(path, _why_nothing(machines, path)) for path in paths if not reading.read(path)]
    for error in barren[1:] if len(barren) == len(paths) else barren:
        print(f"andond analyse: {error}", file=sys.stderr)
    if len(barren) == len(paths):
        raise barren[0]
    return {name: machine for name, machine in machines.items() if machine.count}


class _Reading(msgspec.Struct, frozen=True):
    machines: dict[str, Machine]
    spills: ExitStack
    span: Span
    progress: Progress
    execution: str | None

    def read(self, path: Path) -> bool:
        """Take in the logs of ``path``; whether anything was in them."""
        before = self._count()
        lines = groupby(lines_of([path], self.progress.read), lambda line: machine_name(line.log, path))
        name = machine_name("", path)
        try:
            for name, group in lines:
                machine = self._machine(name)
                machine.take(machine.log.items(group), *self.span)
        except RecordingError as error:
            if name not in self.machines or not self.machines[name].count:
                raise
            self.machines[name].cut.append(str(error))
        return self._count() > before

    def _machine(self, name: str) -> Machine:
        if name not in self.machines:
            self.machines[name] = Machine(self.spills.enter_context(Spill[Row](LIMIT)), Log(self.execution))
        return self.machines[name]

    def _count(self) -> int:
        return sum(machine.count for machine in self.machines.values())


def machine_name(log: str, path: Path) -> str:
    """The machine that a log is of, by the name of its file, or of the archive ``path`` that it is in."""
    daily = _DAILY.fullmatch(log.partition(".")[0])
    if daily is not None:
        return daily[1]
    stem = path.name.partition(".")[0] or path.name
    return daily[1] if (daily := _DAILY.fullmatch(stem)) is not None else stem


def _why_nothing(machines: dict[str, Machine], path: Path) -> str:
    machine = machines.get(machine_name("", path))
    examples = {} if machine is None else machine.log.faults.examples
    if machine is not None and machine.left_out:
        return "nothing in it is between --since and --until"
    begins = f"it begins {next(iter(examples.values()))!r}; " if examples else "it has no line that says anything; "
    return (
        f"no log: {begins}expected 2016-05-07T05:00:00.000Z|key|value, or rows under the header ts,key,value,code,text"
    )


def _once(rows: Iterable[Row], clocked: Sequence[Quarantine]) -> Iterator[Row]:
    """Each row once; one that came in quarantine and out of it is believed."""
    for _, same in groupby(rows, lambda row: row[:-1]):
        first = next(same)
        if clocked and _quarantine(first, clocked) is not None:
            first = next((row for row in same if _quarantine(row, clocked) is None), first)
        yield first


def _quarantine(row: Row, clocked: Sequence[Quarantine]) -> Quarantine | None:
    number = row[-1]
    index = bisect_right(clocked, number, key=lambda each: each.first) - 1
    if index < 0 or number >= clocked[index].end:
        return None
    return clocked[index]


def _moment(text: str) -> int:
    try:
        return parse_us(text if "T" in text or " " in text else f"{text}T00:00:00Z")
    except ValueError as wrong:
        raise ArgumentTypeError(f"{wrong}") from None
