import time
from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from domain.duplicates import Duplicates
from domain.event import Event
from domain.priority import Priority


def event(name: str, source: str = "/press3") -> Event:
    return Event(name, source, "alarm.raised", None, 0.0, Priority.HIGH)


def test_an_event_is_new_once():
    duplicates = Duplicates(10)
    assert duplicates.is_new(event("1"))
    assert not duplicates.is_new(event("1"))
    assert not duplicates.is_new(event("1"))
    assert duplicates.count == 2


def test_the_same_id_from_another_source_is_another_event():
    duplicates = Duplicates(10)
    assert duplicates.is_new(event("1", "/press3"))
    assert duplicates.is_new(event("1", "/press4"))


def test_source_and_id_are_not_run_together():
    duplicates = Duplicates(10)
    assert duplicates.is_new(event("bc", "/a"))
    assert duplicates.is_new(event("c", "/ab"))


def test_the_oldest_is_forgotten_first_and_memory_is_bounded():
    duplicates = Duplicates(2)
    for name in "123":
        assert duplicates.is_new(event(name))
    assert len(duplicates) == 2
    assert not duplicates.is_new(event("2"))
    assert not duplicates.is_new(event("3"))
    assert duplicates.is_new(event("1"))


def test_what_could_not_be_kept_is_new_again():
    duplicates = Duplicates(2)
    duplicates.is_new(event("1"))
    duplicates.forget(event("1"))
    assert duplicates.is_new(event("1"))
    assert duplicates.count == 0


def test_what_was_never_taken_can_be_forgotten():
    Duplicates(2).forget(event("1"))


def test_a_memory_of_nothing_takes_every_event_as_new():
    duplicates = Duplicates(0)
    assert duplicates.is_new(event("1"))
    assert duplicates.is_new(event("1"))
    assert len(duplicates) == 0


def test_forgetting_costs_no_more_than_remembering():
    # Taking the first of a plain dict again and again is quadratic: some thirty times slower here.
    duplicates = Duplicates(50_000)
    events = [event(str(number)) for number in range(100_000)]

    def seconds(part):
        started = time.process_time()
        for item in part:
            duplicates.is_new(item)
        return time.process_time() - started

    assert seconds(events[50_000:]) < 8 * max(seconds(events[:50_000]), 0.01)


@given(st.integers(min_value=0, max_value=4), st.lists(st.sampled_from("abcdef"), max_size=60))
def test_it_answers_as_the_plainest_memory_would(capacity, names):
    duplicates, plain = Duplicates(capacity), OrderedDict()
    for name in names:
        assert duplicates.is_new(event(name)) == (name not in plain)
        plain.setdefault(name)
        while len(plain) > capacity:
            plain.popitem(last=False)
        assert len(duplicates) == len(plain)
