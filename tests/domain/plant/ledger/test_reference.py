"""The ledger against real machines: the NIST logs and what is known of them, where a copy is at hand."""

import csv
import gzip
import json
import os
import random
from itertools import pairwise
from pathlib import Path

import pytest

from domain.plant.ledger import Bucket, Entry, Kind, Ledger, StateMap, StateTimes, parse_us

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[5] / "shared"))
NIST = SHARED / "data" / "nist"
MINUTE_US = 60_000_000

needs_nist = pytest.mark.skipif(not NIST.is_dir(), reason=f"no NIST logs in {NIST}; ANDOND_SHARED says where they are")


def executions(machine: str) -> list[Entry]:
    states = StateMap()
    with gzip.open(NIST / f"{machine}.events.csv.gz", "rt", encoding="utf-8") as log:
        return [
            Entry(parse_us(row["ts"]), 0, Kind.STATE, 0, row["value"], states.bucket("mtconnect", row["value"]))
            for row in csv.DictReader(log)
            if row["key"] == "execution"
        ]


def in_order(entries: list[Entry], order: str) -> list[Entry]:
    seeded = random.Random(1)
    if order == "doubled":
        entries = entries * 2
    if order == "as it is":
        return entries
    return sorted(entries, key=lambda entry: entry.at + seeded.randrange(10 * MINUTE_US))


@needs_nist
@pytest.mark.parametrize("order", ["as it is", "shuffled", "doubled"])
@pytest.mark.parametrize("machine", ["GFAgie01", "Mazak03"])
def test_the_ledger_of_a_real_machine_agrees_to_the_microsecond_in_any_order(machine: str, order: str) -> None:
    reference = json.loads((NIST / "reference-events.json").read_text())[machine]
    entries = executions(machine)
    ledger, times = Ledger(), StateTimes()
    for entry in in_order(entries, order):
        ledger.take(entry)
    for entry in sorted(entries):
        times.take(entry.at, entry.word)
    first, last = times.first or 0, times.last or 0
    words = ledger.words(first, last)
    assert words == times.times
    assert words.total() == last - first == times.span
    assert {word: round(us / 1e6, 3) for word, us in words.items()} == reference["exec_seconds"]
    assert round((last - first) / 1e6, 3) == reference["exec_span"]
    assert len(list(ledger.segments(first, last + 1))) == reference["exec_transitions"] == times.transitions
    seeded = random.Random(2)
    cuts = sorted({first, last, *(seeded.randrange(first, last) for _ in range(50))})
    parts = [ledger.sums(begin, end) for begin, end in pairwise(cuts)]
    assert sum(parts, start=type(parts[0])()) == ledger.sums(first, last)


@needs_nist
def test_a_machine_that_is_unavailable_most_of_its_span_was_not_down(  # the mark and the coverage are in test_figures
) -> None:
    ledger = Ledger()
    for entry in executions("Mazak03"):
        ledger.take(entry)
    begin, newest = ledger.begin or 0, ledger.newest
    sums = ledger.sums(begin, newest.at if newest else begin)
    assert 0.91 < sums[Bucket.UNKNOWN] / sums.total() < 0.94
    assert sums[Bucket.DOWN] / sums.total() < 0.08
