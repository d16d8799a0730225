"""A program that keeps events in a journal and tells, each time, what it answered for: the tests end it anywhere.

Rules of this file: it is run as a program: DIRECTORY SEED BATCHES FILE. It writes to FILE "epoch WORD" after each
opening and "kept NUMBER ID" for each critical event, when the journal has returned and not before.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from domain import Event, Priority
from storage import Entry, Journal, Keep

KEEP = {priority: Keep(1e9, 1 << 30) for priority in Priority} | {Priority.NORMAL: Keep(1e9, 40_000)}
AT = 1_795_240_800.0
REOPEN = 90
RETAIN = 7


def main(directory: Path, seed: int, batches: int, answers: Path) -> None:
    """Append batches, with retention and an orderly restart now and then."""
    chance = random.Random(seed)
    told = os.open(answers, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    journal = _opened(directory, told)
    for batch in range(batches):
        entries = [_entry(f"{seed}-{batch}-{number}", chance) for number in range(chance.randint(1, 8))]
        kept = [one for one in journal.append(entries) if one.critical is not None]
        os.write(told, "".join(f"kept {one.critical} {one.entry.event.id}\n" for one in kept).encode())
        if batch % RETAIN == 0:
            journal.retain(AT, 20)
        if batch % REOPEN == REOPEN - 1:
            journal.close()
            journal = _opened(directory, told)
    journal.close()


def _opened(directory: Path, told: int) -> Journal:
    journal = Journal.open(directory, KEEP, reserve=0, at=AT)
    os.write(told, f"epoch {journal.epoch}\n".encode())
    return journal


def _entry(id_: str, chance: random.Random) -> Entry:
    priority = chance.choice((Priority.CRITICAL, Priority.CRITICAL, Priority.HIGH, Priority.NORMAL))
    text = "x" * chance.choice((10, 300, 6000))
    event = Event(id_, "/acme/press3", "andon.call.raised", {"text": text}, AT, priority)
    return Entry(event, f"andon/acme/press{chance.randint(1, 3)}", AT)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
