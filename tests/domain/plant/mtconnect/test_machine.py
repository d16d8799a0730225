import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import Event, rfc3339
from domain.plant.mtconnect import Grammar, Machine

NOW = 1_800_000_000.0


class Plant:
    """One machine that is told lines, and what it said."""

    def __init__(self) -> None:
        self.machine = Machine("acme/plant1/line3/press3", "press3", 300.0)
        self.grammar = Grammar()
        self.told: list[Event] = []
        self.received = NOW

    def hear(self, text: str, at: float | None = None, received: float | None = None) -> list[Event]:
        self.received = self.received if received is None else received
        stamp = rfc3339(self.received if at is None else at)
        told = []
        for observation in self.grammar.read(f"{stamp}|{text}").observations:
            told += self.machine.take(observation, self.received)
        self.told += told
        return told

    def tick(self, received: float) -> list[Event]:
        self.received = received
        told = self.machine.tick(received)
        self.told += told
        return told

    def run(self, seconds: int) -> None:
        for second in range(seconds):
            self.hear(f"beat|{second}", received=self.received + 1)


def kinds(told: list[Event]) -> list[str]:
    return [event.type for event in told if event.type != "equipment.reading"]


def test_execution_conditions_and_values_become_their_events() -> None:
    plant = Plant()
    assert kinds(plant.hear("execution|ACTIVE")) == ["equipment.state.changed"]
    assert kinds(plant.hear("system|Fault|B6|||External emergency stop")) == ["alarm.raised"]
    assert [event.type for event in plant.hear("Xload|12.5|Yload|3")] == ["equipment.reading"] * 2
    assert kinds(plant.hear("message|CHG|Change Inserts")) == ["equipment.message"]
    assert plant.hear("message||UNAVAILABLE", received=NOW + 1) == []
    assert kinds(plant.hear("system|Normal||||", received=NOW + 2)) == ["alarm.cleared"]


def test_a_snapshot_says_nothing_new() -> None:
    plant = Plant()
    plant.hear("execution|READY", NOW - 5)
    plant.hear("logic|Fault|A|||text", NOW - 4)
    told = len(plant.told)
    assert plant.hear("execution|READY", NOW - 5, NOW + 60) == []
    assert plant.hear("logic|Fault|A|||text", NOW - 4, NOW + 60) == []
    assert (len(plant.told), plant.machine.repeated) == (told, 2)


def test_honest_late_data_is_told_as_late_and_changes_nothing() -> None:
    plant = Plant()
    plant.hear("execution|READY", NOW)
    (late,) = plant.hear("execution|ACTIVE", NOW - 2, NOW + 1)
    assert late.type == "equipment.reading.late"
    assert late.data == {"key": "execution", "role": "execution", "value": "ACTIVE", "code": None, "text": None}
    assert plant.machine.equipment.status.execution == "READY"
    assert plant.machine.late == 1
    assert plant.hear("execution|ACTIVE", NOW - 2, NOW + 2) == []


def test_a_reading_without_a_stamp_is_good_and_one_with_a_broken_stamp_is_uncertain() -> None:
    machine, grammar = Machine("p", "p", 300.0), Grammar()
    qualities = []
    for line in ("|Xload|1", "0000-00-00T00:00:00Z|Yload|1"):
        (observation,) = grammar.read(line).observations
        (event,) = machine.take(observation, NOW)
        qualities.append((event.quality, event.time))
    assert qualities == [("good", None), ("uncertain", None)]


def test_a_clock_that_jumps_back_is_quarantined_and_the_state_follows_what_came_last() -> None:
    plant = Plant()
    plant.hear("execution|ACTIVE")
    plant.run(30)
    years = 14 * 31_536_000.0
    assert plant.hear("execution|STOPPED", plant.received - years) == []
    told = plant.hear("beat|x", plant.received + 1 - years, plant.received + 1)
    assert kinds(told) == []
    told = plant.hear("beat|y", plant.received + 1 - years, plant.received + 1)
    assert kinds(told) == ["source.clock.jumped", "equipment.state.changed"]
    assert plant.machine.equipment.status.execution == "STOPPED"
    assert {event.quality for event in told} == {"uncertain"}
    assert plant.machine.describe()["quarantined"] is True
    told = plant.hear("execution|READY", received=plant.received + 1)
    assert kinds(told) == ["source.clock.settled", "equipment.state.changed"]
    assert {event.quality for event in told} == {"good"}


def test_a_jump_followed_by_silence_is_found_by_the_time_that_passes() -> None:
    plant = Plant()
    plant.hear("execution|ACTIVE")
    plant.run(30)
    assert plant.hear("execution|STOPPED", 1_009_843_200.0) == []
    assert plant.machine.is_waiting
    assert kinds(plant.tick(plant.received + 11)) == ["source.clock.jumped", "equipment.state.changed"]
    assert plant.machine.equipment.status.execution == "STOPPED"


def test_a_late_stray_is_told_as_late_once_the_clock_is_known_to_be_right() -> None:
    plant = Plant()
    plant.hear("execution|ACTIVE")
    plant.run(30)
    assert plant.hear("execution|STOPPED", NOW - 5000) == []
    assert kinds(plant.hear("beat|x", received=plant.received + 1)) == ["equipment.reading.late"]
    assert plant.machine.equipment.status.execution == "ACTIVE"


def test_a_log_that_is_played_again_makes_its_events_again_with_ids_of_their_own() -> None:
    plant = Plant()
    words = ("READY", "ACTIVE", "STOPPED")

    def play() -> list[str]:
        before = len(plant.told)
        for number in range(60):
            plant.hear(f"execution|{words[number % 3]}", NOW - 5e6 + number * 20, plant.received + 1)
        return [event.id for event in plant.told[before:] if event.type == "equipment.state.changed"]

    first, again = play(), play()
    assert len(first) == 60
    assert len(again) >= 59
    assert not set(first) & set(again)
    assert plant.machine.describe()["quarantined"] is False


def test_reading_a_log_in_another_life_gives_the_same_ids() -> None:
    lives = []
    for start in (NOW, NOW + 1e6):
        plant = Plant()
        for number in range(50):
            plant.hear(f"logic|{'Fault' if number % 2 else 'Normal'}|A|||x", NOW + number, start + number)
        lives.append([event.id for event in plant.told if event.type.startswith("alarm")])
    assert lives[0] == lives[1]
    assert len(lives[0]) == 49


def test_a_hundred_readings_a_second_become_five() -> None:
    plant = Plant()
    for number in range(1000):
        plant.hear(f"Xpos|{number}", received=NOW + number / 100)
        plant.tick(plant.received)
    plant.tick(NOW + 20)
    assert 45 <= len(plant.told) <= 55
    counts = [event.extensions.get("sampledrate", 1) for event in plant.told]
    assert sum(int(count) for count in counts) == 1000
    assert plant.told[-1].data == {"key": "Xpos", "value": 999}
    assert not plant.machine.is_waiting


def test_what_waits_for_the_clock_is_bounded() -> None:
    plant = Plant()
    for number in range(3000):
        plant.hear(f"k{number}|1")
    plant.run(30)
    for number in range(3000):
        plant.hear(f"k{number}|2", NOW - 5000)
    assert len(plant.machine._held) == 1024
    assert plant.machine.late == 3000 - 1024


LINES = st.sampled_from(
    [
        "execution|ACTIVE",
        "execution|READY",
        "avail|UNAVAILABLE",
        "avail|AVAILABLE",
        "logic|Fault|A|||t",
        "logic|Normal||||",
        "logic|Warning|A|||t",
        "servo|Fault||||",
        "Xpos|1|Ypos|2",
    ]
)


@given(st.lists(st.tuples(LINES, st.integers(-5000, 5000), st.floats(0, 30)), max_size=40))
def test_every_observation_is_accounted_for(steps: list[tuple[str, int, float]]) -> None:
    plant = Plant()
    for line, off, pause in steps:
        plant.hear(line, plant.received + off, plant.received + pause)
        plant.tick(plant.received)
    machine = plant.machine
    for _ in range(3):
        plant.tick(plant.received + 11)
    assert not machine._held
    readings = sum(
        int(event.extensions.get("sampledrate", 1)) for event in plant.told if event.type == "equipment.reading"
    )
    lates = sum(event.type == "equipment.reading.late" for event in plant.told)
    assert lates == machine.late
    assert readings + machine.repeated + machine.late <= machine.taken
    names = [(event.source, event.id) for event in plant.told if not event.type.startswith("source.")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_within_seconds_the_machine_ends_in_the_same_state(seed: int) -> None:
    words = ("READY", "ACTIVE", "FEED_HOLD", "STOPPED")
    lines = [(NOW + number * 1.5, f"execution|{words[number * 7 % 4]}") for number in range(200)]
    lines += [(NOW + number * 2.0, f"logic|{('Fault', 'Normal')[number % 2]}|A|||x") for number in range(151)]
    ordered, shuffled = Plant(), Plant()
    for at, line in sorted(lines):
        ordered.hear(line, at, at)
    chance = random.Random(seed)
    mixed = sorted(lines, key=lambda each: each[0] + chance.uniform(0, 20))
    for at, line in mixed:
        shuffled.hear(line, at, at + 10)
    for plant in (ordered, shuffled):
        assert plant.machine.equipment.status.execution == words[199 * 7 % 4]
        assert len(plant.machine.conditions) == 1
