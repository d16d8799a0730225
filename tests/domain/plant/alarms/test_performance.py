"""What is counted at one operating position."""

import pytest
from msgspec.structs import replace

from domain.plant.alarms import Alarm, AlarmPriority, Change, Counts, Performance, Rulebook, State, Trigger, step
from domain.plant.alarms.performance import NAMES, OTHER

START = 1_800_000_000.0
MEDIUM = AlarmPriority.MEDIUM
TERMS = Rulebook().terms("acme/press3", "servo", "7")


def rise(code: str = "7", at: float = START) -> Change:
    return step(Alarm("acme/press3", "servo", code, born=0), Trigger.OCCUR, TERMS, at)


def test_only_what_comes_onto_the_list_as_a_new_occurrence_counts() -> None:
    found = Performance(START)
    risen = rise()
    found.note(risen, MEDIUM)
    for trigger in (Trigger.REALARM, Trigger.ACKNOWLEDGE, Trigger.SHELVE):
        risen = step(risen.alarm, trigger, TERMS, START + 1)
        found.note(risen, MEDIUM)
    found.note(step(replace(risen.alarm, active=False), Trigger.OCCUR, TERMS, START + 2), MEDIUM)
    assert (found.alarm_count, found.maximum_re_alarm_count) == (1, 1)


def test_beyond_so_many_names_the_rest_counts_together() -> None:
    found = Performance(START)
    for number in range(NAMES + 5):
        found.note(rise(str(number), START + number), MEDIUM)
    assert len(found.by_alarm) == NAMES + 1
    assert found.by_alarm[OTHER] == 5


def test_a_flood_counts_its_alarms_and_seconds_when_it_is_over() -> None:
    found = Performance(START)
    told = [change for number in range(12) for change in found.note(rise(str(number), START + number), MEDIUM)]
    assert [change.word.value for change in told] == ["began"]
    assert (found.floods, found.flood_seconds) == (1, 0.0)
    (ended,) = found.advance(START + 3600)
    assert ended.flood.count == 12
    assert (found.flood_alarms, found.flood_seconds) == (12, pytest.approx(597.0))


def test_a_clock_that_is_set_takes_the_counts_along() -> None:
    found = Performance(START)
    for number in range(11):
        found.note(rise(str(number), START + number), MEDIUM)
    found.shift(-3600.0)
    assert found.advance(START - 3600 + 20) == []
    assert found.began == START - 3600
    assert found.window.flood is not None
    assert found.average_alarm_rate(START - 3600 + 1200) == pytest.approx(5.5)


def test_a_clock_that_goes_back_a_little_counts_on_in_the_same_minute() -> None:
    found = Performance(START)
    found.note(rise("1", START + 60), MEDIUM)
    found.note(rise("2", START), MEDIUM)
    assert found.count_within(3600, START + 60) == 2


def test_counts_follow_each_alarm_from_state_to_state_and_out() -> None:
    counts = Counts()
    counts.move(None, (State.UNACKNOWLEDGED, True))
    counts.move((State.UNACKNOWLEDGED, True), (State.RETURNED, False))
    counts.move((State.RETURNED, False), None)
    assert (counts.standing, counts.standing_peak, counts.now.total()) == (0, 1, 0)
    assert counts.peak[State.RETURNED] == 1
