"""Alarms of recorded logs, and the figures of real machines against what is known of them."""

import csv
import gzip
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.plant.alarms import activations, figures, occurrences
from domain.plant.mtconnect import Observation, Role, Roles, parse_stamp
from domain.plant.mtconnect.observation import LEVELS

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[5] / "shared"))
NIST = SHARED / "data" / "nist"
BLOCK = 600.0

needs_nist = pytest.mark.skipif(not NIST.is_dir(), reason=f"no NIST logs in {NIST}; ANDOND_SHARED says where they are")


def extract(machine: str) -> Iterator[Observation]:
    roles = Roles()
    with gzip.open(NIST / f"{machine}.events.csv.gz", "rt", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            word = row["value"].upper()
            role = roles.of(row["key"]) or (Role.CONDITION if word in LEVELS else Role.VALUE)
            if role is Role.CONDITION:
                at = parse_stamp(row["ts"])
                yield Observation(row["key"], role, word, at, row["ts"], row["code"], text=row["text"])


def shuffled(log: list[Observation]) -> list[Observation]:
    """Each somewhere within ten minutes of its place."""
    chance = random.Random(42)
    keyed = [((each.at or 0.0) + chance.uniform(0, BLOCK), number, each) for number, each in enumerate(log)]
    return [each for _, _, each in sorted(keyed)]


ORDERS = {"file": list, "shuffled": shuffled, "doubled": lambda log: [each for one in log for each in (one, one)]}


@needs_nist
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("machine", ["GFAgie01", "Mazak03"])
def test_the_figures_of_a_real_machine_are_those_of_the_reference_in_any_order(machine: str, order: str) -> None:
    reference = json.loads((NIST / "reference-events.json").read_text())[machine]
    found = figures(activations(occurrences(ORDERS[order](list(extract(machine))))))
    assert found.activations == reference["alarm_activations"]
    assert found.distinct == reference["distinct"]
    assert round(found.top10_share or 0.0, 4) == reference["top10_share"]
    assert len(found.aligned) == reference["flood_episodes_aligned"]
    assert found.aligned_count == reference["flood_alarms"]
    assert found.aligned_peak == reference["flood_peak"]
    assert len(found.trailing) == reference["flood_sliding_episodes"]
    assert found.trailing_peak == reference["sliding_peak"]
    assert len(found.chattering) == reference["chattering"]
    assert reference["chattering_list"].items() <= found.chattering.items()


@needs_nist
def test_shuffling_gives_the_same_occurrences_one_by_one() -> None:
    log = list(extract("Mazak03"))
    assert shuffled(log) != log
    assert occurrences(shuffled(log)) == occurrences(log)


def said(at: float | None, value: str, key: str = "servo", code: str = "") -> Observation:
    return Observation(key, Role.CONDITION, value, at, str(at), code)


def names(log: list[Observation]) -> list[tuple[str, int, int | None]]:
    return [(each.name, each.began, each.ended) for each in occurrences(log)]


def test_an_alarm_is_active_from_its_first_fault_until_its_normal() -> None:
    log = [said(1.0, "WARNING", code="7"), said(2.0, "FAULT", code="7"), said(3.0, "NORMAL", code="7")]
    assert names(log) == [("servo|7", 1_000_000, 3_000_000)]


def test_normal_without_a_code_and_unavailable_clear_all_codes_of_the_key() -> None:
    for word in ("NORMAL", "UNAVAILABLE"):
        log = [said(1.0, "FAULT", code="7"), said(2.0, "FAULT", code="8"), said(2.5, "FAULT", "logic", "7")]
        log.append(said(3.0, word))
        assert names(log) == [
            ("servo|7", 1_000_000, 3_000_000),
            ("servo|8", 2_000_000, 3_000_000),
            ("logic|7", 2_500_000, None),
        ]


def test_of_one_moment_the_clearance_counts_first() -> None:
    log = [said(1.0, "FAULT", code="7"), said(2.0, "FAULT", code="7"), said(2.0, "NORMAL")]
    assert names(log) == [("servo|7", 1_000_000, 2_000_000), ("servo|7", 2_000_000, None)]
    assert names(list(reversed(log))) == names(log)


def test_what_has_no_moment_or_is_no_condition_is_left_out() -> None:
    assert names([said(None, "FAULT", code="7"), Observation("mode", Role.VALUE, "FAULT", 1.0, "1")]) == []
