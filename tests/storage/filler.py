"""A program that keeps events on a disk which another program has filled; what became of them is printed as JSON.

Rules of this file: it is run as a program: DIRECTORY full|open. The directory is a small file system of its own.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from itertools import count
from pathlib import Path

from domain import Event, Priority
from storage import Entry, Journal, Keep, StorageError, verify

KEEP = {priority: Keep(1e9, 1 << 30) for priority in Priority}
AT = 1_795_240_800.0
RESERVE = 2 << 20
_numbers = count(1)


def entry(priority: Priority) -> Entry:
    """An event of 2 kB that nobody has seen."""
    return Entry(Event(f"{os.getpid()}-{next(_numbers)}", "/acme", "a.b", "x" * 2000, AT, priority), "a/b", AT)


def fill(directory: Path) -> None:
    """Take every byte that is left, as another program would."""
    with (directory / "other").open("ab", buffering=0) as file:
        for size in (65_536, 4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def only_full(error: StorageError) -> None:
    """Let nothing pass but a lack of room."""
    if not error.full:
        raise error


def full(directory: Path) -> dict[str, object]:
    """Append calls until nothing can make room for one more."""
    journal = Journal.open(directory / "data", KEEP, RESERVE, AT)
    for priority in (Priority.HIGH, Priority.NORMAL, Priority.LOW):
        journal.append([entry(priority) for _ in range(300)])
    answered = [one.critical for one in journal.append([entry(Priority.CRITICAL)])]
    fill(directory)
    deleted: list[str] = []
    failures = 0
    is_last = False
    while True:
        try:
            answered += [one.critical for one in journal.append([entry(Priority.CRITICAL)])]
            is_last = False
        except StorageError as error:
            only_full(error)
            failures += 1
            if is_last:
                break
            made = journal.make_room(Priority.CRITICAL)
            deleted += [priority.wire for priority in made.deleted]
            is_last = not made.deleted
    findings = len(verify(directory / "data").findings)
    try:
        journal.close()
    except StorageError as error:
        only_full(error)
    (directory / "other").unlink()
    journal = Journal.open(directory / "data", KEEP, RESERVE, AT)
    assert journal.begun is None, journal.begun
    calls = [kept.critical for kept in journal.critical_since(0, 1_000_000)]
    journal.close()
    return {
        "failures": failures,
        "deleted": deleted,
        "answered": answered,
        "calls": calls,
        "calls_after_the_disk_was_full": len(calls) - 1,
        "findings": findings,
    }


def open_(directory: Path) -> dict[str, object]:
    """Open a journal where there is not a byte left, after a kill."""
    if os.fork() == 0:
        journal = Journal.open(directory / "data", KEEP, RESERVE, AT)
        journal.append([entry(Priority.CRITICAL)])
        os._exit(0)
    os.wait()
    fill(directory)
    journal = Journal.open(directory / "data", KEEP, RESERVE, AT)
    try:
        journal.append([entry(Priority.CRITICAL)])
    except StorageError as error:
        only_full(error)
        journal.make_room(Priority.CRITICAL)
        journal.append([entry(Priority.CRITICAL)])
    calls = [kept.critical for kept in journal.critical_since(0, 10)]
    begun = None if journal.begun is None else journal.begun.reason
    return {"begun": begun, "calls": calls, "findings": len(verify(directory / "data").findings)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"full": full, "open": open_}[sys.argv[2]](Path(sys.argv[1]))))
