"""What a control says with one stamp, from its lines to the ledger: what it said last holds, whatever it is called."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import Event
from domain.moment import rfc3339
from domain.plant.ledger import SECOND_US, Bucket, Kind, Ledgers, Reasons, StateMap, Terms, us_of
from domain.plant.ledger.saying import faults_of
from domain.plant.mtconnect import Grammar, Machine
from domain.priority import Priority

NOW = 1_800_000_000
US = NOW * SECOND_US
PRESS = "acme/plant1/line3/press3"
RUNNING = ("mtconnect", "RUNNING", "", Bucket.PRODUCTION)


class Control:
    """An adapter, and the ledger of what it says."""

    def __init__(self, *rows: tuple[str, str, str, Bucket]) -> None:
        self.machine, self.grammar = Machine(PRESS, "press3", 300.0), Grammar()
        self.ledgers = Ledgers(Terms(StateMap(rows), Reasons()))
        self.told: list[Event] = []

    def say(self, at: float, text: str, received: float | None = None) -> None:
        observations = self.grammar.read(f"{rfc3339(NOW + at)}|{text}").observations
        came = NOW + (at if received is None else received)
        for event in self.machine.take_line(observations, came):
            if event.type == "equipment.state.changed":
                assert faults_of(event) == []
                self.told.append(event)
                self.ledgers.take_state(event, us_of(came))

    def word(self, at: float) -> str:
        return self.ledgers.unit(PRESS).ledger.at(us_of(NOW + at)).word

    def words(self) -> list[str]:
        return [str(event.data["execution"]) for event in self.told]  # type: ignore[index,call-overload]


def test_a_line_that_makes_a_device_available_and_active_is_one_state() -> None:
    control = Control()
    control.say(0, "avail|AVAILABLE|execution|READY")
    control.say(10, "avail|UNAVAILABLE")
    control.say(20, "avail|AVAILABLE|execution|ACTIVE")
    assert control.words() == ["READY", "READY", "ACTIVE"]
    assert [control.word(at) for at in (5, 15, 20, 25)] == ["READY", "UNAVAILABLE", "ACTIVE", "ACTIVE"]
    assert control.ledgers.status_of(control.ledgers.unit(PRESS)) == "running"


@pytest.mark.parametrize("lines", [["avail|AVAILABLE", "execution|ACTIVE"], ["execution|ACTIVE", "avail|AVAILABLE"]])
def test_lines_of_one_stamp_amount_to_what_the_last_of_them_says(lines: list[str]) -> None:
    control = Control()
    control.say(0, "avail|AVAILABLE|execution|READY")
    control.say(10, "avail|UNAVAILABLE")
    for line in lines:
        control.say(20, line)
    assert control.word(25) == "ACTIVE"


@pytest.mark.parametrize("texts", [["execution|STOPPED|execution2|ACTIVE"], ["execution|STOPPED", "execution2|ACTIVE"]])
def test_of_several_paths_the_one_that_runs_speaks_also_when_they_speak_at_once(texts: list[str]) -> None:
    control = Control()
    for text in texts:
        control.say(0, text)
    assert control.word(5) == "ACTIVE"


def test_a_greeting_with_older_stamps_behind_newer_ones_holds_from_the_newest() -> None:
    control = Control()
    control.say(-10, "execution|STOPPED", received=0)
    control.say(-50, "execution2|ACTIVE", received=0)
    assert [control.word(at) for at in (-20, -10, 5)] == ["", "ACTIVE", "ACTIVE"]


SAID = st.sampled_from(
    [
        "execution|ACTIVE", "execution|READY", "execution|STOPPED", "execution2|ACTIVE", "execution2|READY",
        "avail|UNAVAILABLE", "avail|AVAILABLE", "estop|TRIGGERED", "estop|ARMED", "execution|RUNNING",
    ]
)  # fmt: skip
MOMENTS = st.lists(st.tuples(st.lists(SAID, min_size=1, max_size=4, unique=True), st.booleans()), max_size=12)


@given(MOMENTS, st.randoms(use_true_random=False))
def test_what_was_said_last_of_a_moment_holds_in_any_order_and_twice(
    moments: list[tuple[list[str], bool]], chance: random.Random
) -> None:
    control, last = Control(RUNNING), {}
    for number, (said, at_once) in enumerate(moments):
        for line in ["|".join(said)] if at_once else said:
            control.say(number, line)
        last[number] = control.told[-1] if control.told else None
    if not control.told:
        return
    ledger = control.ledgers.unit(PRESS).ledger
    alone = Control(RUNNING)
    for number, event in last.items():
        if event is not None:
            alone.ledgers.take_state(event, us_of(NOW + number))
            assert ledger.at(us_of(NOW + number)).word == alone.word(number)
    mixed = Ledgers(Terms(StateMap([RUNNING]), Reasons()))
    events = control.told * 2
    chance.shuffle(events)
    for event in events:
        mixed.take_state(event, US + 60 * SECOND_US)
    span = (US - SECOND_US, US + 60 * SECOND_US)
    assert list(mixed.unit(PRESS).ledger.segments(*span)) == list(ledger.segments(*span))


def posted(word: str, at: float, number: int, **more: object) -> Event:
    data = {"state": word, **more}
    moment = rfc3339(NOW + at)
    return Event(f"e{number}", f"/{PRESS}", "equipment.state.changed", data, NOW + at, Priority.HIGH, time=moment)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [("running", "fault"), ("fault", "running"), ("stopped", "idle", "running")])
def test_of_events_of_one_stamp_the_one_that_came_later_holds_and_a_repeat_changes_nothing(
    words: tuple[str, ...],
) -> None:
    ledgers = Ledgers(Terms(StateMap(), Reasons()))
    events = [posted(word, 0, number) for number, word in enumerate(words)]
    for event in events + events:
        ledgers.take_state(event, US)
    ledger = ledgers.unit(PRESS).ledger
    assert ledger.at(US).word == words[-1]
    assert [entry.word for entry in ledger.entries] == list(words)


def test_a_sequence_says_which_of_one_stamp_was_said_later_whenever_it_comes() -> None:
    ledgers = Ledgers(Terms(StateMap(), Reasons()))
    for number, word in ((2, "idle"), (1, "running"), (0, "fault")):
        ledgers.take_state(posted(word, 0, number, sequence=number), US)
    assert [entry.word for entry in ledgers.unit(PRESS).ledger.entries] == ["fault", "running", "idle"]


def test_a_word_of_the_control_that_the_site_maps_counts_as_it_says() -> None:
    control = Control(RUNNING)
    control.say(0, "avail|AVAILABLE|execution|RUNNING")
    control.say(10, "estop|TRIGGERED")
    control.say(20, "estop|ARMED")
    control.say(30, "avail|UNAVAILABLE")
    control.say(40, "avail|AVAILABLE")
    unit = control.ledgers.unit(PRESS)
    assert unit.ledger.sums(US, US + 50 * SECOND_US) == {
        Bucket.PRODUCTION: 30 * SECOND_US,
        Bucket.DOWN: 10 * SECOND_US,
        Bucket.UNKNOWN: 10 * SECOND_US,
    }
    assert [control.word(at) for at in (5, 15, 25, 35, 45)] == [
        "RUNNING",
        "EMERGENCY_STOP",
        "RUNNING",
        "UNAVAILABLE",
        "RUNNING",
    ]
    assert unit.unmapped() == []


def test_a_word_that_nobody_maps_is_named_as_long_as_time_of_it_stands_in_the_ledger() -> None:
    control = Control()
    control.say(0, "execution|DREAMING")
    control.say(100, "execution|ACTIVE")
    named = [("mtconnect", "DREAMING", "")]
    assert control.ledgers.unmapped() == named
    control.ledgers.configure(Terms(StateMap(), Reasons()), control.ledgers.site)
    assert control.ledgers.unmapped() == named
    control.ledgers.configure(
        Terms(StateMap([("mtconnect", "DREAMING", "", Bucket.DELAY)]), Reasons()), control.ledgers.site
    )
    assert control.ledgers.unmapped() == []
    control.ledgers.configure(Terms(StateMap(), Reasons()), control.ledgers.site)
    control.ledgers.unit(PRESS).forget(US + 150 * SECOND_US)
    assert control.ledgers.unmapped() == []


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (None, "/data"),
        ("running", "/data"),
        ({"value": "running"}, "/data"),
        ({"state": 5}, "/data/state"),
        ({"state": "x" * 65}, "/data/state"),
        ({"status": ""}, "/data/status"),
        ({"execution": None, "state": "running"}, "/data"),
        ({"itemState": ["Executing"]}, "/data/itemState"),
    ],
)
def test_an_event_that_says_no_state_has_a_fault_and_changes_none(data: object, pointer: str) -> None:
    event = Event("e", f"/{PRESS}", "equipment.state.changed", data, NOW, Priority.HIGH)  # type: ignore[arg-type]
    assert [fault.pointer for fault in faults_of(event)] == [pointer]


def test_other_events_and_those_that_say_a_state_have_no_fault() -> None:
    for type_, data in (
        ("equipment.reading", {"value": 5}),
        ("equipment.state.changed", {"state": "running"}),
        ("equipment.state.changed", {"state": "unknown", "execution": None}),
        ("equipment.state.changed", {"itemState": "Executing", "operationMode": "Setup"}),
    ):
        assert faults_of(Event("e", f"/{PRESS}", type_, data, NOW, Priority.HIGH)) == []  # type: ignore[arg-type]


def test_a_state_of_a_moment_is_stronger_than_the_link() -> None:
    assert Kind.STATE > Kind.RETURNED > Kind.LOST
