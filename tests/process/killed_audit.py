"""An audit whose writer is killed between any two of its steps, and the writer that follows.

``python -m tests.process.killed_audit DIRECTORY --seed 1 --kills 100`` prints what was found as JSON.

Rules of this file: each life is a process of its own, forked so that it begins at once, with real files; it is killed
by SIGKILL, from within, at a point that was drawn: before and behind each write, in the middle of a line, each sync,
each word to the head, each deletion. Two lives write at the same time now and then, as a daemon and a command line do.
An entry counts as answered for when the life has noted it elsewhere, after the audit had taken it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import traceback
from collections import Counter
from pathlib import Path

from domain.audit import Entry, Outcome
from storage import AuditLog, audit, read_audit, verify_audit
from storage.audit_files import HeadFile

NOW = 1_800_000_000.0
DAY = 86_400.0
FILE_SIZE = 2_000
BATCHES = 4
HALVED = 600
"""Bytes of which only half are taken at a time."""


class Deadly:
    """Counts the points that are passed, and kills the process at the one that is drawn."""

    def __init__(self, point: int) -> None:
        self._point = point
        self._passed = 0

    def __call__(self) -> None:
        self._passed += 1
        if self._passed == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


def arm(passed: Deadly) -> None:
    """Have ``passed`` called wherever something reaches the disk."""
    write, sync, word, unlink = os.write, os.fdatasync, HeadFile.write, Path.unlink

    def written(descriptor: int, block: memoryview) -> int:
        passed()
        done = write(descriptor, block[: len(block) // 2] if len(block) > HALVED else block)
        passed()
        return done

    def synced(descriptor: int) -> None:
        sync(descriptor)
        passed()

    def told(self: HeadFile, descriptor: int, head: object) -> None:
        passed()
        word(self, descriptor, head)
        passed()

    def deleted(self: Path, *, missing_ok: bool = False) -> None:
        passed()
        unlink(self, missing_ok=missing_ok)
        passed()

    audit.os.write, audit.os.fdatasync = written, synced
    HeadFile.write, Path.unlink = told, deleted


def live(directory: Path, number: int, point: int) -> None:
    """One life: it writes a few batches, a day later than the last one, and deletes what is old."""
    arm(Deadly(point))
    log, at = AuditLog(directory, FILE_SIZE), NOW + number * DAY / 4
    with (directory / "answered").open("a") as answered:
        for batch in range(BATCHES):
            names = [f"{number}-{batch}-{each}" for each in range(3)]
            log.append([Entry(at, "x.done", Outcome.DONE, why=name) for name in names], at)
            answered.write("".join(f"{name}\n" for name in names))
            answered.flush()
        log.retain(1000 * DAY, 30_000, at)


def fork(directory: Path, number: int, point: int) -> int:
    """Begin one life; its process id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            live(directory, number, point)
            code = 0
        except Exception:  # noqa: BLE001 - it is printed
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def kill(directory: Path, seed: int, kills: int) -> Counter[str]:
    """Have lives write until so many were killed; what was counted on the way."""
    chance, counted, number = random.Random(seed), Counter[str](), 0
    while counted["kills"] < kills:
        lives = []
        for _ in range(chance.choice((1, 1, 1, 2))):
            number += 1
            lives.append(fork(directory, number, chance.randrange(1, 60)))
        for each in lives:
            _, status = os.waitpid(each, 0)
            counted["kills"] += os.WIFSIGNALED(status)
            counted["broken lives"] += os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0
        if (directory / "audit" / "head").exists() and any((directory / "audit").glob("*.jsonl")):
            counted["broken chains"] += not verify_audit(directory).is_intact
    return counted


def main() -> None:
    """Kill lives and say what was found."""
    grammar = argparse.ArgumentParser()
    grammar.add_argument("directory", type=Path)
    grammar.add_argument("--seed", type=int, default=1)
    grammar.add_argument("--kills", type=int, default=100)
    options = grammar.parse_args()
    counted = kill(options.directory, options.seed, options.kills)
    AuditLog(options.directory).append([Entry(NOW, "x.end", Outcome.DONE)], NOW)
    report = verify_audit(options.directory)
    entries = list(read_audit(options.directory))
    kept = Counter(str(entry["why"]) for entry in entries if entry["what"] == "x.done")
    # What was deleted in order came before what is there.
    known = [name for name in (options.directory / "answered").read_text().split() if name.count("-") == 2]
    first = next(known.index(name) for name in known if name in kept)
    json.dump(
        {
            **{name: counted[name] for name in ("kills", "broken lives", "broken chains")},
            "holds": report.is_intact,
            "why": report.why,
            "doubts": report.doubts,
            "lost": [name for name in known[first:] if name not in kept],
            "twice": [name for name, count in kept.items() if count > 1],
            "torn": len(list((options.directory / "audit").glob("*.torn-*"))),
            "damaged": sum(entry["what"] == "audit.damaged" for entry in entries),
            "retired": sum(entry["what"] == "audit.retired" for entry in entries),
            "entries": len(entries),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
