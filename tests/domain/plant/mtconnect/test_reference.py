"""The rules against real machines: the NIST logs and what is known of them, where a copy is at hand."""

import csv
import gzip
import json
import lzma
import os
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import Event
from domain.plant.mtconnect import (
    Change,
    Conditions,
    Equipment,
    Grammar,
    Machine,
    Novelty,
    Observation,
    Reader,
    Repeats,
    Role,
    Roles,
    parse_stamp,
)
from domain.plant.mtconnect.observation import LEVELS

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[5] / "shared"))
NIST = SHARED / "data" / "nist"
OKUMA = SHARED / "data" / "mtconnect-demo" / "demo" / "agent" / "okuma.txt"

needs_nist = pytest.mark.skipif(not NIST.is_dir(), reason=f"no NIST logs in {NIST}; ANDOND_SHARED says where they are")
needs_okuma = pytest.mark.skipif(not OKUMA.is_file(), reason=f"no {OKUMA}; ANDOND_SHARED says where it is")


def extract(machine: str) -> Iterator[Observation]:
    roles = Roles()
    with gzip.open(NIST / f"{machine}.events.csv.gz", "rt", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            value = row["value"]
            role = roles.of(row["key"]) or (Role.CONDITION if value.upper() in LEVELS else Role.VALUE)
            word = value.upper() if role is Role.CONDITION else value
            yield Observation(row["key"], role, word, parse_stamp(row["ts"]), row["ts"], row["code"], text=row["text"])


@needs_nist
@pytest.mark.parametrize("machine", ["GFAgie01", "Mazak03"])
def test_alarms_and_states_of_a_real_machine_are_those_of_the_reference(machine: str) -> None:
    reference = json.loads((NIST / "reference-events.json").read_text())[machine]
    conditions, equipment, repeats = Conditions(), Equipment(), Repeats()
    activations: Counter[tuple[str, str]] = Counter()
    seconds: dict[str, float] = defaultdict(float)
    transitions = 0
    for observation in extract(machine):
        assert repeats.judge(observation) is Novelty.NEW
        at = observation.at or 0.0
        if observation.role is Role.CONDITION:
            for change in conditions.take(observation, at):
                if change.change is Change.RAISED:
                    activations[change.alarm.key, change.alarm.code] += 1
        elif observation.role is Role.EXECUTION:
            changed = equipment.take(observation, at)
            if changed is not None:
                transitions += 1
                if changed.before.execution is not None and changed.before.since is not None:
                    seconds[changed.before.execution] += at - changed.before.since
    assert activations.total() == reference["alarm_activations"]
    assert len(activations) == reference["distinct"]
    assert transitions == reference["exec_transitions"]
    assert {word: round(sum_, 3) for word, sum_ in seconds.items()} == reference["exec_seconds"]
    assert round(sum(seconds.values()), 3) == reference["exec_span"]


def raw_events(speed: float) -> tuple[Machine, list[Event]]:
    """The raw log as the source reads it, received at ``speed`` times its own; without positions, which are many."""
    machine, reader = Machine("nist/gf/agie/agie01", "agie", 300.0), Reader(Grammar())
    told: list[Event] = []
    newest = began_at = 1_462_597_200.0
    began = received = 1_800_000_000.0
    machine.connected(received)
    with lzma.open(NIST / "GFAgie01.tar.xz") as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
        for member in archive:
            log = archive.extractfile(member)
            lines = log.readlines() if log is not None else []
            for line in reader.feed(b"".join(raw for raw in lines if b"pos" not in raw.split(b"|")[1].lower())):
                for observation in line.observations:
                    if observation.at is not None:
                        newest = max(newest, observation.at)
                        received = max(received, began + (newest - began_at) / speed)
                    told += machine.take(observation, received)
    assert (reader.faults, reader.replaced, reader.lines) == (0, 0, 106_337)
    return machine, told


@needs_nist
def test_the_raw_log_of_a_real_machine_gives_the_same_alarms_and_no_clock_that_jumps() -> None:
    reference = json.loads((NIST / "reference-events.json").read_text())["GFAgie01"]
    machine, told = raw_events(speed=60.0)
    kinds = Counter(event.type for event in told)
    assert kinds["alarm.raised"] == kinds["alarm.cleared"] == reference["alarm_activations"]
    assert kinds["source.clock.jumped"] == 0
    assert machine.late == 0
    assert machine.repeated > 21_000
    names = [event.id for event in told]
    assert len(names) == len(set(names))


@needs_okuma
def test_a_recorded_adapter_with_assets_and_many_pairs_a_line_is_read_without_a_fault() -> None:
    reader = Reader(Grammar())
    roles = Counter(found.role for line in reader.feed(OKUMA.read_bytes()) for found in line.observations)
    assert reader.faults == 0
    assert roles[Role.EXECUTION] == 16
    assert roles[Role.CONDITION] == 40
