"""``andond audit``: whether what stands in the audit is what was written, and what that is.

Rules of this file: it reads and changes nothing, whether a daemon writes or not. Exit codes: 0 all holds, 65 it does
not, and the first entry that does not is named; 66 there is no audit to read; 78 the settings are wrong.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from pathlib import Path

from andond.audit_words import COLUMNS, Wanted, row
from andond.checks import EX_CONFIG, directory_of, settings_of
from domain import JsonValue, parse_rfc3339
from domain.audit import Head
from storage import AuditReport, StorageError, read_audit, verify_audit

BROKEN = 65


def add_arguments(grammar: ArgumentParser) -> None:
    """Describe the command line."""
    acts = grammar.add_subparsers(dest="act", metavar="ACT", required=True)
    for name, meaning, arguments in (
        ("verify", "follow the chain: was an entry changed, deleted, added?", _verify_arguments),
        ("export", "write the entries out", _export_arguments),
    ):
        act = acts.add_parser(name, help=meaning, description=f"{meaning[0].upper()}{meaning[1:]}")
        act.add_argument("-c", "--config", metavar="FILE", help="the configuration whose storage.path is looked at")
        act.add_argument("--data-dir", metavar="DIR", help="where the audit is, in place of storage.path")
        arguments(act)


def main(options: Namespace) -> int:
    """Verify or export; the exit code."""
    settings = settings_of(options)
    if settings is None:
        return EX_CONFIG
    directory = directory_of(settings)
    if directory is None:
        return os.EX_NOINPUT
    try:
        return _verify(directory, options) if options.act == "verify" else _export(directory, options)
    except StorageError as error:
        print(f"andond: {error}", file=sys.stderr)
        return os.EX_NOINPUT


def _verify(directory: Path, options: Namespace) -> int:
    report = verify_audit(directory, options.start, options.head)
    if options.json:
        print(json.dumps(document(report), indent=2))
    else:
        print("\n".join(lines(report)))
    return 0 if report.is_intact else BROKEN


def lines(report: AuditReport) -> Iterator[str]:
    """The report for a person."""
    entries = "1 entry" if report.count == 1 else f"{report.count} entries"
    counted = f"{entries}, {report.first} to {report.head.number}" if report.count else "no entries"
    if report.is_intact:
        yield f"the audit holds: {counted}"
    else:
        where = f" ({report.place})" if report.place else ""
        yield f"the audit is BROKEN at entry {report.broken}{where}: {report.why}"
        yield f"what holds before it: {counted}"
    yield f"head {report.head}"
    yield from (f"note: {doubt}" for doubt in report.doubts)


def document(report: AuditReport) -> dict[str, JsonValue]:
    """The report as JSON."""
    return {
        "holds": report.is_intact,
        "first": report.first,
        "entries": report.count,
        "head": {"number": report.head.number, "hash": report.head.hash},
        "broken": report.broken,
        "why": report.why or None,
        "place": report.place or None,
        "notes": list(report.doubts),
    }


def _export(directory: Path, options: Namespace) -> int:
    wanted = Wanted(options.since, options.until, options.who or "", options.what or "")
    found = (entry for entry in read_audit(directory) if wanted(entry))
    if options.format == "jsonl":
        for entry in found:
            print(json.dumps(entry, separators=(",", ":"), sort_keys=True))
        return 0
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(COLUMNS)
    for entry in found:
        table.writerow(row(entry))
    return 0


def _verify_arguments(act: ArgumentParser) -> None:
    act.add_argument("--from", dest="start", metavar="N", type=_number, default=1, help="begin with entry N")
    act.add_argument(
        "--head", metavar="NUMBER:HASH", type=_head, help="a head that was noted elsewhere: the log says one a minute"
    )
    act.add_argument("--json", action="store_true", help="print what was found as JSON")


def _export_arguments(act: ArgumentParser) -> None:
    act.add_argument("--since", metavar="MOMENT", type=_moment, help="as 2026-11-21T06:00:00Z")
    act.add_argument("--until", metavar="MOMENT", type=_moment, help="up to this moment, without it")
    act.add_argument("--who", metavar="NAME", help="by this name or subject")
    act.add_argument("--what", metavar="PATTERN", help="such as andon.acknowledge, andon.* or login")
    act.add_argument("--format", choices=("jsonl", "csv"), default="jsonl", help="default: %(default)s")


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError("must be the number of an entry, from 1 on")
    return int(text)


def _head(text: str) -> Head:
    try:
        return Head.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _moment(text: str) -> float:
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
