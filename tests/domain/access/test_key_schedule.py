"""When the keys of an issuer are fetched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.access import KeySchedule
from domain.access.key_schedule import GAP, LONGEST_DELAY


def fetched(schedule: KeySchedule, at: float) -> None:
    schedule.began(at)
    schedule.fetched(at)


def test_the_first_fetch_is_due_at_once_and_the_next_after_its_interval():
    schedule = KeySchedule(300)
    assert schedule.due <= 0
    fetched(schedule, 5)
    assert schedule.due == 305


def test_a_missed_key_is_fetched_at_once_if_the_last_fetch_is_a_while_ago():
    schedule = KeySchedule(300)
    fetched(schedule, 0)
    assert schedule.missed("new", 60) == 1
    assert schedule.due == 60


def test_a_missed_key_waits_for_the_gap_after_a_fetch():
    schedule = KeySchedule(300)
    fetched(schedule, 0)
    assert schedule.missed("new", 4) == 6
    assert schedule.due == GAP


def test_a_key_that_was_fetched_for_and_is_not_there_is_none():
    schedule = KeySchedule(300)
    fetched(schedule, 0)
    schedule.missed("made up", 60)
    fetched(schedule, 60)
    assert schedule.missed("made up", 61) is None
    assert schedule.due == 360
    # A provider may publish a key later than it signs with it.
    assert schedule.missed("made up", 60 + GAP) == 1


def test_another_key_is_not_judged_by_a_fetch_that_was_made_before_it_was_missed():
    schedule = KeySchedule(300)
    fetched(schedule, 0)
    schedule.missed("one", 60)
    fetched(schedule, 60)
    assert schedule.missed("other", 61) == 9


def test_failures_wait_longer_each_time_and_no_longer_than_a_minute():
    schedule = KeySchedule(300)
    delays = []
    at = 0.0
    for _ in range(10):
        schedule.began(at)
        schedule.failed(at)
        delays.append(schedule.due - at)
        at = schedule.due
    assert delays[:6] == [1, 2, 4, 8, 16, 32]
    assert max(delays) == LONGEST_DELAY
    fetched(schedule, at)
    assert schedule.due == at + 300
    schedule.failed(at)
    assert schedule.due == at + 1


def test_while_the_provider_is_away_a_missed_key_is_fetched_for_once_a_gap():
    schedule = KeySchedule(300)
    for _ in range(8):
        schedule.began(100)
        schedule.failed(100)
    assert schedule.due == 160
    assert schedule.missed("new", 101) == 9
    assert schedule.due == 110


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 5)), max_size=80))
def test_however_often_keys_are_missed_a_well_provider_is_asked_once_a_gap(misses):
    schedule, at, began = KeySchedule(300), 0.0, list[float]()
    fetched(schedule, at)
    for key, pause in misses:
        at += pause
        schedule.missed(key, at)
        if schedule.due <= at:
            began.append(at)
            fetched(schedule, at)
    assert all(after - before >= GAP for before, after in zip([0.0, *began], began, strict=False))


def test_what_strangers_make_up_is_not_remembered_for_ever():
    schedule = KeySchedule(300)
    fetched(schedule, 0)
    for number in range(5000):
        schedule.missed(f"made up {number}", 1)
    assert len(schedule._missed) <= 256
