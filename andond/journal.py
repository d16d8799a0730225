"""``andond journal verify``: whether every record of the journal is what was written.

Rules of this file: it reads the journal and changes nothing, whether a daemon writes it or not. Exit code 0: every
record is what was written and where; 1: the first one that is not is named; 66: there is no journal to look at;
78: the settings are wrong.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from andond.checks import EX_CONFIG, settings_of
from domain import JsonValue, rfc3339
from storage import Finding, Report, StorageError, verify


def add_arguments(grammar: ArgumentParser) -> None:
    """Describe the command line."""
    acts = grammar.add_subparsers(dest="act", metavar="ACT", required=True)
    meaning = "look at every record: is it what was written, is one missing?"
    act = acts.add_parser("verify", help=meaning, description=f"{meaning[0].upper()}{meaning[1:]}")
    where = act.add_mutually_exclusive_group()
    where.add_argument("-c", "--config", metavar="FILE", help="the configuration whose storage.path is looked at")
    where.add_argument("directory", metavar="DIR", nargs="?", type=Path, help="where the journal is, or its file")
    act.add_argument("--json", action="store_true", help="print what was found as JSON")


def main(options: Namespace) -> int:
    """Verify a journal and print what was found; the exit code."""
    directory = options.directory
    if directory is None:
        settings = settings_of(options)
        if settings is None:
            return EX_CONFIG
        directory = settings.storage.directory
        if directory is None:
            print("andond: storage.path is not set: no journal is kept on disk", file=sys.stderr)
            return os.EX_NOINPUT
    try:
        report = verify(directory)
    except StorageError as error:
        print(f"andond: {error}", file=sys.stderr)
        return 1 if error.damaged else os.EX_NOINPUT
    if options.json:
        print(json.dumps(document(report), indent=2))
    else:
        print("\n".join(lines(report)))
    return 0 if report.is_intact else 1


def lines(report: Report) -> Iterator[str]:
    """The report for a person; the first bad record comes first."""
    counted = f"{report.records} records, critical ones up to {report.epoch}:{report.critical}"
    if report.is_intact:
        yield f"{report.path}: intact: {counted}"
        return
    yield f"{report.path}: NOT INTACT: {counted}"
    for number, finding in enumerate(report.findings):
        yield f"{'first: ' if number == 0 else '       '}{_sentence(finding)}"


def document(report: Report) -> dict[str, JsonValue]:
    """The report as JSON."""
    return {
        "path": str(report.path),
        "intact": report.is_intact,
        "epoch": report.epoch,
        "records": report.records,
        "critical": report.critical,
        "findings": [_members(finding) for finding in report.findings],
    }


def _sentence(finding: Finding) -> str:
    if finding.priority is None or finding.place is None:
        of = "" if finding.priority is None else f" ({finding.priority.wire})"
        return f"{finding.what}{of}: {finding.detail}"
    where = f"{finding.priority.wire} record {finding.place}"
    if finding.what == "missing":
        behind = "" if finding.number is None else f", behind number {finding.number}{_of(finding.at)}"
        return f"{where} is missing{behind}: {finding.detail}"
    return f"{where}, number {finding.number}{_of(finding.at)} is {finding.what}: {finding.detail}"


def _of(at: float | None) -> str:
    moment = _moment(at)
    return "" if moment is None else f" of {moment}"


def _members(finding: Finding) -> dict[str, JsonValue]:
    return {
        "what": finding.what,
        "detail": finding.detail,
        "priority": None if finding.priority is None else finding.priority.wire,
        "place": finding.place,
        "number": finding.number,
        "at": _moment(finding.at),
    }


def _moment(at: float | None) -> str | None:
    """``at`` as text; a changed record may tell of a moment that no calendar has."""
    try:
        return None if at is None else rfc3339(at)
    except ValueError:
        return None
