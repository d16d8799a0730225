"""What waits, for how long, and that nothing is left out uncounted."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event import Event
from domain.pacing import Pacer, newest_of_each, pacing_key
from domain.priority import Priority
from domain.publication import Publication


def publication(offset: int, subject: str = "load", type_: str = "equipment.reading", priority=Priority.NORMAL):
    event = Event(str(offset), "/press3", type_, None, 0.0, priority, subject)
    return Publication("readings/press3", "e7", offset, 0.0, event)


def told(pairs):
    return [(publication.offset, rate) for publication, rate in pairs]


@pytest.mark.parametrize(
    ("type_", "priority", "waits"),
    [
        ("equipment.reading", Priority.NORMAL, True),
        ("equipment.reading", Priority.LOW, True),
        ("equipment.reading", Priority.HIGH, False),
        ("equipment.reading", Priority.CRITICAL, False),
        ("equipment.state.changed", Priority.NORMAL, False),
        ("equipment.state.changed", Priority.LOW, False),
    ],
)
def test_only_what_a_newer_one_replaces_and_nobody_needs_at_once_can_wait(type_, priority, waits):
    assert (pacing_key(publication(1, type_=type_, priority=priority)) is not None) is waits
    pacer = Pacer(1.0)
    assert [pacer.take(publication(offset, type_=type_, priority=priority), 0.0) for offset in (1, 2)] == [1, not waits]


def test_the_first_passes_and_the_next_wait_until_the_interval_is_over():
    pacer = Pacer(0.5)
    assert pacer.take(publication(1), 10.0) == 1
    assert [pacer.take(publication(offset), 10.1) for offset in (2, 3, 4)] == [0, 0, 0]
    assert pacer.next == 10.5
    assert pacer.due(10.4) == []
    assert told(pacer.due(10.5)) == [(4, 3)]
    assert pacer.next is None
    assert pacer.take(publication(5), 10.6) == 0
    assert pacer.next == 11.0


def test_what_comes_after_a_quiet_time_passes_at_once():
    pacer = Pacer(0.5)
    assert [pacer.take(publication(offset), float(offset)) for offset in (1, 2, 3)] == [1, 1, 1]


def test_one_that_comes_when_it_was_due_already_stands_for_those_that_waited():
    pacer = Pacer(0.5)
    pacer.take(publication(1), 0.0)
    pacer.take(publication(2), 0.1)
    assert pacer.take(publication(3), 0.5) == 2
    assert pacer.due(0.9) == []


def test_each_value_has_a_pace_of_its_own():
    pacer = Pacer(1.0)
    assert pacer.take(publication(1, "load"), 0.0) == 1
    assert pacer.take(publication(2, "speed"), 0.4) == 1
    assert [pacer.take(publication(3, "speed"), 0.5), pacer.take(publication(4, "load"), 0.6)] == [0, 0]
    assert pacer.next == 1.0
    assert told(pacer.due(1.0)) == [(4, 1)]
    assert pacer.next == 1.4
    assert told(pacer.due(2.0)) == [(3, 1)]


def test_all_that_waits_can_be_had_before_its_time():
    pacer = Pacer(1.0)
    for offset, subject in enumerate(["load", "speed", "load", "speed", "load"], 1):
        pacer.take(publication(offset, subject), 0.0)
    assert sorted(pacer.waiting().values()) == [1, 2]
    assert sorted(told(pacer.release())) == [(4, 1), (5, 2)]
    assert (pacer.next, pacer.release(), dict(pacer.waiting())) == (None, [], {})


def test_values_that_come_no_more_are_forgotten():
    pacer = Pacer(1.0)
    for offset in range(10_000):
        pacer.take(publication(offset, f"subject {offset}"), float(offset))
    assert len(pacer._slots) == 1


def test_of_each_value_the_newest_stands_for_all_and_the_rest_is_told_one_by_one():
    state = "equipment.state.changed"
    publications = [
        publication(1, "load"),
        publication(2, "speed"),
        publication(3, type_=state),
        publication(4, "load"),
        publication(5, type_=state),
        publication(6, "load", priority=Priority.HIGH),
    ]
    assert told(newest_of_each(publications)) == [(2, 1), (3, 1), (4, 2), (5, 1), (6, 1)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["load", "speed", "heat"]),
        st.sampled_from([Priority.NORMAL, Priority.LOW, Priority.HIGH]),
        st.floats(0, 0.7),
        st.booleans(),
    ),
    max_size=60,
)


@given(steps=STEPS, interval=st.sampled_from([0.1, 0.5, 2.0]))
def test_nothing_is_left_out_uncounted_nothing_goes_back_and_nothing_is_too_fast(steps, interval):
    pacer = Pacer(interval)
    at = 0.0
    out: list[tuple[float, str, int, int, bool]] = []
    for offset, (subject, priority, delay, looks) in enumerate(steps, 1):
        at += delay
        one = publication(offset, subject, priority=priority)
        if looks:
            out += [(at, each.event.subject, each.offset, rate, True) for each, rate in pacer.due(at)]
        rate = pacer.take(one, at)
        assert rate or priority is not Priority.HIGH
        if rate:
            out.append((at, subject, offset, rate, priority is not Priority.HIGH))
        assert (pacer.next is None) == (not pacer.waiting())
    assert sum(rate for *_, rate, _ in out) + sum(pacer.waiting().values()) == len(steps)
    for subject in ("load", "speed", "heat"):
        paced = [(moment, offset) for moment, name, offset, _, is_paced in out if name == subject and is_paced]
        assert [offset for _, offset in paced] == sorted(offset for _, offset in paced)
        assert all(after - before >= interval - 1e-9 for (before, _), (after, _) in pairwise(paced))
    last = {each.event.subject: rate for each, rate in pacer.release()}
    assert sum(rate for *_, rate, _ in out) + sum(last.values()) == len(steps)
