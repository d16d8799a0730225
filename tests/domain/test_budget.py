from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import DEMOTED_FROM, TOGETHER, Budget, Event, Priority
from domain.budget import ALL, CAPACITY

RATE = 10.0
BURST = 20


def critical(source="/acme/press3", priority=Priority.CRITICAL, **members):
    return Event("1", source, "andon.call.raised", None, 0.0, priority, **members)


class Rig:
    """A budget, and the episodes that it told."""

    def __init__(self, rate=RATE, burst=BURST):
        self.episodes = []
        self.budget = Budget(rate, burst, self.episodes.append)

    def admitted(self, count, at, source="/acme/press3"):
        """How many of ``count`` critical events stay so."""
        return sum(self.budget.admit(critical(source), at).priority is Priority.CRITICAL for _ in range(count))


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.parametrize("priority", [Priority.HIGH, Priority.NORMAL, Priority.LOW])
def test_only_critical_events_have_a_budget(priority):
    rig = Rig(rate=0.1, burst=1)
    for _ in range(100):
        event = critical(priority=priority)
        assert rig.budget.admit(event, 0.0) is event


def test_a_quiet_source_may_have_its_burst_at_once(rig):
    assert rig.admitted(100, 0.0) == BURST
    assert rig.budget.demoted == 80


def test_afterwards_it_may_have_its_rate(rig):
    rig.admitted(BURST, 0.0)
    assert [rig.admitted(100, second) for second in (1.0, 2.0, 2.5)] == [10, 10, 5]


def test_a_source_that_was_quiet_for_long_saves_up_no_more_than_its_burst(rig):
    rig.admitted(BURST, 0.0)
    assert rig.admitted(100, 3600.0) == BURST


def test_what_is_within_the_budget_is_not_touched(rig):
    event = critical(extensions={"line": "3"})
    assert rig.budget.admit(event, 0.0) is event


def test_a_demoted_event_is_high_and_says_what_it_was(rig):
    rig.admitted(BURST, 0.0)
    event = critical(extensions={"line": "3"}, subject="x")
    demoted = rig.budget.admit(event, 0.0)
    assert demoted.priority is Priority.HIGH
    assert demoted.extensions == {"line": "3", DEMOTED_FROM: "critical"}
    assert demoted.to_members()["demotedfrom"] == "critical"
    assert (demoted.id, demoted.source, demoted.subject) == (event.id, event.source, event.subject)


def test_a_flood_takes_nothing_from_another_source(rig):
    rig.admitted(5000, 0.0, "/acme/flood")
    assert rig.admitted(BURST, 0.0, "/acme/press3") == BURST


def test_who_changes_its_name_with_each_event_does_not_get_round_the_budget(rig):
    admitted = sum(rig.admitted(1, 0.0, f"/acme/{number}") for number in range(10 * BURST * TOGETHER))
    assert admitted == BURST * TOGETHER
    assert rig.episodes == [ALL]


def test_an_episode_is_told_once_until_the_bucket_was_full_again(rig):
    for tenth in range(100):
        rig.admitted(30, tenth / 10)
    assert rig.episodes == ["/acme/press3"]
    rig.admitted(BURST + 1, 9.9 + BURST / RATE - 0.1)
    assert len(rig.episodes) == 1
    rig.admitted(BURST + 1, 100.0)
    assert rig.episodes == ["/acme/press3"] * 2


def test_each_source_has_an_episode_of_its_own(rig):
    for source in ("/a", "/b", "/a"):
        rig.admitted(BURST + 1, 0.0, source)
    assert rig.episodes == ["/a", "/b"]


def test_the_sources_that_are_remembered_are_so_many_and_the_quietest_go_first():
    rig = Rig(burst=1_000_000)
    for number in range(CAPACITY + 1):
        rig.admitted(1, 0.0, f"/{number}")
    assert len(rig.budget._buckets) == CAPACITY
    assert "/0" not in rig.budget._buckets
    assert f"/{CAPACITY}" in rig.budget._buckets


def test_a_source_that_speaks_is_not_forgotten():
    rig = Rig(burst=1_000_000)
    for number in range(CAPACITY + 10):
        rig.admitted(1, 0.0, "/speaks")
        rig.admitted(1, 0.0, f"/{number}")
    assert "/speaks" in rig.budget._buckets


def test_another_rate_and_burst_hold_from_then_on(rig):
    rig.admitted(BURST, 0.0)
    rig.budget.change(100.0, 50)
    assert rig.admitted(1000, 0.1) == 10
    assert rig.admitted(1000, 100.0) == 50
    rig.budget.change(1.0, 5)
    assert rig.admitted(1000, 1000.0) == 5


def test_a_clock_that_stands_gives_nothing(rig):
    rig.admitted(BURST, 5.0)
    assert rig.admitted(10, 5.0) == 0
    assert rig.admitted(10, 4.0) == 0


@given(st.lists(st.tuples(st.floats(0.0, 2.0), st.integers(1, 60), st.sampled_from("abc")), max_size=40))
def test_in_no_span_of_time_has_a_source_more_than_its_burst_and_what_came_in_meanwhile(course):
    rig, at = Rig(), 0.0
    admitted = {source: [] for source in "abc"}
    for pause, count, source in course:
        at += pause
        kept = rig.admitted(count, at, source)
        admitted[source].append((at, kept))
        for first in range(len(admitted[source])):
            since, counts = admitted[source][first][0], [kept for _, kept in admitted[source][first:]]
            assert sum(counts) <= BURST + RATE * (at - since) + 1e-6
    assert rig.budget.demoted == sum(count for _, count, _ in course) - sum(
        kept for each in admitted.values() for _, kept in each
    )
