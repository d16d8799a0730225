import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import JournalSettings
from domain import Priority
from storage import Keep, keep_of, verify
from storage.retention import Front, leaving

CRITICAL, HIGH, NORMAL, LOW = Priority
NOTHING = b""


def front(*ages_and_sizes: tuple[float, int]) -> list[Front]:
    return [Front(place, 1000.0 - age, size, NOTHING) for place, (age, size) in enumerate(ages_and_sizes, 1)]


def places(records: list[Front]) -> list[int]:
    return [record.place for record in records]


def test_what_is_too_old_goes_and_what_is_not_stays():
    records = front((50, 10), (31, 10), (29, 10), (40, 10))
    # The last is older than the one before it: a clock was set. It waits for its turn.
    assert places(leaving(records, Keep(30.0, 1000), 1000.0, 40, NORMAL, is_pressed=False)) == [1, 2]
    assert places(leaving(records, Keep(30.0, 1000), 1000.0, 40, CRITICAL, is_pressed=False)) == [1, 2]


def test_what_is_too_much_goes_oldest_first_until_it_fits():
    records = front((5, 10), (4, 20), (3, 30), (2, 40))
    assert places(leaving(records, Keep(30.0, 75), 1000.0, 100, HIGH, is_pressed=False)) == [1, 2]
    assert places(leaving(records, Keep(30.0, 100), 1000.0, 100, HIGH, is_pressed=False)) == []


def test_pressure_and_size_take_everything_but_critical_records():
    records = front((5, 10), (4, 20))
    for priority in (HIGH, NORMAL, LOW):
        assert places(leaving(records, Keep(30.0, 1000), 1000.0, 30, priority, is_pressed=True)) == [1, 2]
    assert leaving(records, Keep(30.0, 1), 1000.0, 30, CRITICAL, is_pressed=True) == []


@given(
    st.lists(st.tuples(st.floats(-10, 100), st.integers(1, 50)), max_size=20),
    st.floats(0.001, 100),
    st.integers(0, 500),
    st.sampled_from(Priority),
    st.booleans(),
)
def test_what_goes_is_at_the_front_and_no_more_than_must(ages_and_sizes, age, size, priority, is_pressed):
    records = front(*ages_and_sizes)
    total = sum(record.size for record in records)
    gone = leaving(records, Keep(age, size), 1000.0, total, priority, is_pressed=is_pressed)
    assert gone == records[: len(gone)]
    if len(gone) < len(records):
        first = records[len(gone)]
        assert 1000.0 - first.at < age
        if priority is not CRITICAL:
            assert not is_pressed
            assert total - sum(record.size for record in gone) <= size
    if priority is CRITICAL:
        assert all(1000.0 - record.at >= age for record in gone)


def test_the_settings_say_how_much_is_kept():
    keep = keep_of(JournalSettings(normal_age=7.0, low_size=1 << 20))
    assert keep[CRITICAL] == Keep(400 * 86_400, 256 << 20)
    assert keep[NORMAL].age == 7.0
    assert keep[LOW] == Keep(0, 1 << 20)


def test_the_journal_deletes_by_age_and_numbers_go_on(opened, entry, keep, tmp_path):
    keep |= {CRITICAL: Keep(100.0, 1 << 30), NORMAL: Keep(10.0, 1 << 30)}
    journal = opened(keep=keep)
    journal.append([entry(one, at=at) for at in (0.0, 50.0, 95.0) for one in (CRITICAL, HIGH, NORMAL)])
    told = journal.retain(100.0)
    assert told.deleted == {CRITICAL: 1, NORMAL: 2}
    assert not told.more
    assert (journal.critical_first, journal.critical) == (2, 3)
    assert [kept.critical for kept in journal.critical_since(0, 10)] == [2, 3]
    journal.close()
    journal = opened(keep=keep)
    assert journal.begun is None
    assert (journal.critical_first, journal.append([entry()])[0].critical) == (2, 4)
    assert journal.statistics().oldest[NORMAL] == 95.0
    assert verify(tmp_path / "data").is_intact


def test_a_lane_can_be_emptied_and_its_numbers_go_on(opened, entry, tmp_path):
    journal = opened(keep={CRITICAL: Keep(10.0, 1 << 30)})
    journal.append([entry(at=0.0), entry(at=1.0)])
    assert journal.retain(500.0).deleted == {CRITICAL: 2}
    assert (journal.critical_first, journal.critical, journal.critical_since(0, 9)) == (3, 2, [])
    journal.close()
    journal = opened()
    assert journal.begun is None
    assert journal.append([entry()])[0].critical == 3
    assert verify(tmp_path / "data").is_intact


def test_size_deletes_all_but_critical_records_and_says_by_how_much_these_are_too_many(opened, entry, keep):
    journal = opened(keep=keep | {one: Keep(1e9, 2_000) for one in Priority})
    journal.append([entry(one, data="x" * 500) for one in Priority for _ in range(10)])
    told = journal.retain(0.0)
    sizes = journal.statistics().sizes
    assert set(told.deleted) == {HIGH, NORMAL, LOW}
    assert all(1_000 < sizes[one] <= 2_000 for one in (HIGH, NORMAL, LOW))
    assert told.oversize == sizes[CRITICAL] - 2_000 > 0


def test_a_step_looks_at_so_many_records_and_says_that_there_is_more(opened, entry):
    journal = opened(keep={NORMAL: Keep(10.0, 1 << 30), HIGH: Keep(10.0, 1 << 30)})
    journal.append([entry(one, at=0.0) for one in (NORMAL, HIGH) for _ in range(5)])
    told = [journal.retain(100.0, 4) for _ in range(3)]
    assert [one.deleted for one in told] == [{NORMAL: 4}, {NORMAL: 1, HIGH: 3}, {HIGH: 2}]
    assert [one.more for one in told] == [True, True, False]


def test_what_is_kept_can_be_changed_while_it_runs(opened, entry):
    journal = opened(keep={NORMAL: Keep(math.inf, 1 << 30)})
    journal.append([entry(NORMAL, at=0.0)])
    journal.adjust({NORMAL: Keep(0, 0)}, reserve=0)
    assert journal.append([entry(NORMAL)])[0].is_kept is False
    assert journal.retain(0.0).deleted == {NORMAL: 1}


@pytest.mark.parametrize("priority", Priority)
def test_room_is_made_by_what_matters_less_and_least_of_all_first(opened, entry, priority):
    journal = opened()
    journal.append([entry(one) for one in Priority for _ in range(3)])
    lesser = [one for one in (LOW, NORMAL, HIGH) if one > priority]
    for position, one in enumerate(lesser):
        told = journal.make_room(priority)
        assert told.deleted == {one: 3}
        assert told.more == (position < len(lesser) - 1)
    told = journal.make_room(priority)
    assert (told.deleted, told.more) == ({}, False)
    assert journal.statistics().records[CRITICAL] == 3
