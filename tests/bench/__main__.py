"""``make bench``: measures the daemon side by side with peers and limits, and prints one table.

    python -m tests.bench [--only NAME ...] [--quick] [--json FILE]

Rules of this file: a section that fails is named at the end and the others still run. Exit code 0 when everything was
measured, whether or not every budget is met; 1 when something was not. ``docs/benchmarks.md`` says how to read it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.build import build
from tests.bench.figures import Result, markdown, table
from tests.bench.machine import CORES, LOAD_CORE, allow_descriptors, describe
from tests.bench.processes import MeasurementFailed, Program
from tests.bench.stage import Stage

SECTIONS = {
    "fanout": "one send a frame, for 100 to 10,000 subscribers",
    "coalescing": "many small publications when a channel is behind",
    "encrypted": "processor time for a delivery over TLS",
    "idle": "memory and heartbeats of 10,000 connections",
    "storm": "9,000 clients reconnect while 100 are served",
    "hostile": "10,000 hostile connections in a minute beside 100 honest clients",
    "critical": "a critical event in a saturated channel of 5,000",
    "overtaking": "critical events behind a backlog of 20,000, for every kind of client",
    "flood": "a source that floods beside one that does not",
    "jailing": "a jailing to 1,000 clients while another channel is saturated",
    "calls": "an Andon call from HTTP to a client while 10,000 routine deliveries a second pass",
    "returns": "what a client gets that was away for 100,000 events",
    "journal": "critical events on disk before they are answered for",
    "messages": "actor messages a second",
    "restart": "a failed actor comes back",
    "kills": "kill -9 at random points while critical events pass clients that resume (takes a quarter of an hour)",
    "startup": "start to ready, idle memory and processor time",
}
DESCRIPTORS = 10_200
HEADING = "## Last figures"


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked for; returns the exit code."""
    options = _parser().parse_args(arguments)
    os.sched_setaffinity(0, {LOAD_CORE})
    Program.precedence = options.precedence
    began = time.monotonic()
    result, failed = Result(), []
    with tempfile.TemporaryDirectory(prefix="andond-bench-") as directory:
        tools = build(Path(directory))
        result.notes += _warnings(tools.note)
        stage = Stage(Path(directory), tools, quick=options.quick)
        for name in options.only or SECTIONS:
            _say(f"{name}: {SECTIONS[name]} ...")
            fault = _measure(name, stage, result)
            if fault:
                failed.append(f"{name}: {fault}")
    machine = {**describe(), "seconds": round(time.monotonic() - began), "quick": options.quick}
    _say(_text(machine, result, failed))
    if options.record:
        _record(Path(options.record), machine, result, failed)
    if options.json:
        rows = [each.members() for each in result.rows]
        document = {"machine": machine, "rows": rows, "notes": result.notes, "failed": failed}
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    words = "\n".join(f"  {name:12}{meaning}" for name, meaning in SECTIONS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures andond side by side with peers and limits.",
        epilog=f"what there is to measure:\n{words}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), metavar="NAME", help="measure only these")
    parser.add_argument("--quick", action="store_true", help="fewer, shorter rounds: to see that it works")
    parser.add_argument(
        "--precedence", action="store_true", help="hold the machine's other work back meanwhile (needs root)"
    )
    parser.add_argument("--record", metavar="FILE", help=f"replace what follows {HEADING!r} in a document")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    return parser


def _measure(name: str, stage: Stage, result: Result) -> str:
    """Measure one section into ``result``; returns why it failed, if it did."""
    section = importlib.import_module(f"tests.bench.{name}")
    began = time.monotonic()
    try:
        found: Result = section.measure(stage)
    except (MeasurementFailed, OSError) as error:
        _say(f"  failed: {error}")
        return str(error)
    result.rows += found.rows
    result.notes += found.notes
    _say(f"  {time.monotonic() - began:.0f} s")
    return ""


def _warnings(build_note: str) -> list[str]:
    notes = [build_note] if build_note else []
    if len(CORES) == 1:
        notes.append("one core only: servers and loads share it, and rates mean little")
    descriptors = allow_descriptors()
    if descriptors < DESCRIPTORS:
        notes.append(f"only {descriptors} open files are allowed here: 10,000 connections will fail")
    return notes


def _text(machine: dict[str, object], result: Result, failed: Sequence[str]) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in machine.items())
    budgets = [each.met for each in result.rows if each.met is not None]
    lines = ["", table(result.rows), "", f"{sum(budgets)} of {len(budgets)} budgets met; {facts}"]
    lines += [f"note: {note}" for note in result.notes]
    lines += [f"NOT MEASURED: {fault}" for fault in failed]
    return "\n".join(lines)


def _record(document: Path, machine: dict[str, object], result: Result, failed: Sequence[str]) -> None:
    """Put the figures into ``document``, in the place of the last ones."""
    kept = document.read_text(encoding="utf-8").partition(HEADING)[0]
    facts = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    remarks = [*(f"note: {note}" for note in result.notes), *(f"not measured: {fault}" for fault in failed)]
    text = "\n".join(f"- {remark.splitlines()[0]}" for remark in remarks)
    parts = [kept + HEADING, facts, markdown(result.rows), *([text] if text else [])]
    document.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
