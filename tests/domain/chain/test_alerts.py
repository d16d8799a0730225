from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.chain.alerts import HELD, TRANSITIONS, Alert, Alerts, Finding, Rule, State
from domain.chain.unknown import Unknown

AT = 1_800_000_000.0
BLIND = Unknown("no")
SLOW = Rule("high_latency", "slow", "s", 0.1, raise_after=60, clear_after=60, margin=0.1)
FEW = Rule("low_throughput", "few", "tx/s", 1000, raise_after=300, clear_after=60, is_floor=True, margin=0.05)
MANY = Rule("stream_errors", "many", "errors", 10, raise_after=0, clear_after=60)


def run(rule_: Rule, values, alert: Alert | None = None, begin: float = AT) -> list[tuple[float, bool]]:
    """Looks once a second; the moments of the changes, and whether each raised it."""
    alert = alert or Alert()
    told = []
    for second, value in enumerate(values):
        change = alert.look(rule_, value, begin + second)
        if change is not None:
            told.append((change.at - begin, change.is_raised))
    return told


def test_every_state_knows_what_to_do_with_every_finding():
    assert set(TRANSITIONS) == {(state, finding) for state in State for finding in Finding}
    assert set(HELD) == {State.PENDING, State.CLEARING}


@pytest.mark.parametrize(
    ("rule_", "value", "finding"),
    [
        (SLOW, 0.1001, Finding.BEYOND),
        (SLOW, 0.1, Finding.WAVERING),
        (SLOW, 0.09, Finding.WELL),
        (SLOW, BLIND, Finding.UNKNOWN),
        (FEW, 999.9, Finding.BEYOND),
        (FEW, 1000, Finding.WAVERING),
        (FEW, 1050, Finding.WELL),
        (MANY, 11, Finding.BEYOND),
        (MANY, 10, Finding.WELL),
    ],
)
def test_a_value_is_beyond_its_limit_well_by_a_margin_or_in_between(rule_, value, finding):
    assert rule_.finding(value) is finding


def test_low_throughput_is_raised_after_five_minutes_and_not_before():
    assert run(FEW, [0] * 300) == []
    assert run(FEW, [0] * 302) == [(300, True)]


def test_one_good_second_begins_the_five_minutes_anew():
    assert run(FEW, [0] * 299 + [1000] + [0] * 300) == []
    assert run(FEW, [0] * 299 + [BLIND] + [0] * 301) == [(600, True)]


def test_what_needs_no_time_is_raised_at_once():
    assert run(MANY, [10, 11, 50]) == [(1, True)]


def test_it_is_over_after_its_time_and_not_before():
    assert run(MANY, [11] + [0] * 60) == [(0, True)]
    assert run(MANY, [11] + [0] * 62) == [(0, True), (61, False)]


def test_a_value_that_wavers_about_its_limit_raises_it_once_and_ends_it_never():
    assert run(SLOW, [0.2] * 61 + [0.095, 0.101] * 500) == [(60, True)]


def test_who_cannot_see_neither_raises_nor_ends():
    assert run(SLOW, [0.2] * 59 + [BLIND] * 1000) == []
    assert run(SLOW, [0.2] * 61 + [BLIND] * 1000) == [(60, True)]
    assert run(SLOW, [0.2] * 61 + [0] * 30 + [BLIND] + [0] * 59) == [(60, True)]


def test_a_clock_that_is_set_back_begins_what_is_held_anew():
    alert = Alert()
    assert alert.look(FEW, 0, AT) is None
    assert alert.look(FEW, 0, AT - 3600) is None
    assert alert.look(FEW, 0, AT - 3301) is None
    assert alert.look(FEW, 0, AT - 3300).is_raised


def test_what_was_raised_before_a_restart_is_not_raised_again_and_ends_as_ever():
    alerts = Alerts()
    alerts.restore({"stream_errors": AT - 500})
    assert alerts.look([MANY], {"stream_errors": 50}, AT) == []
    changes = [change for second in range(100) for change in alerts.look([MANY], {"stream_errors": 0}, AT + second)]
    assert [(change.is_raised, change.at, change.since) for change in changes] == [(False, AT + 60, AT - 500)]


def test_an_alert_that_was_taken_out_of_the_settings_is_over():
    alerts = Alerts()
    assert [change.is_raised for change in alerts.look([MANY], {"stream_errors": 50}, AT)] == [True]
    (change,) = alerts.look([], {}, AT + 1)
    assert (change.is_raised, change.rule.key, change.since) == (False, "stream_errors", AT)
    assert alerts.look([], {}, AT + 2) == []


def test_a_value_that_nobody_told_is_not_known():
    alerts = Alerts()
    assert alerts.look([MANY], {}, AT) == []
    assert alerts.states() == {"stream_errors": "quiet"}


def test_a_change_says_what_was_found_and_of_which_occurrence():
    (change,) = Alerts().look([MANY], {"stream_errors": 50}, AT)
    assert change.document() == {
        "key": "stream_errors",
        "level": "FAULT",
        "text": "many",
        "value": 50,
        "limit": 10,
        "unit": "errors",
        "raiseAfterSeconds": 0,
        "since": "2027-01-15T08:00:00.000Z",
    }


@given(st.lists(st.sampled_from([0.0, 0.095, 0.2, BLIND]), max_size=400))
def test_between_two_changes_lies_the_time_that_each_asks_for(values):
    told = run(SLOW, values)
    assert [is_raised for _, is_raised in told] == [number % 2 == 0 for number in range(len(told))]
    for (before, _), (after, is_raised) in pairwise(told):
        assert after - before >= (SLOW.raise_after if is_raised else SLOW.clear_after)
        held = values[int(after - 60) : int(after) + 1]
        assert all(value == (0.2 if is_raised else 0.0) for value in held)


class Restarting(RuleBasedStateMachine):
    """An alert whose daemon is restarted now and then tells the same as a model that never was."""

    def __init__(self) -> None:
        super().__init__()
        self.now = AT
        self.alerts = Alerts()
        self.told: list[bool] = []

    @rule(value=st.sampled_from([0.0, 0.095, 0.2, BLIND]), seconds=st.integers(1, 100))
    def live(self, value, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            self.told += [change.is_raised for change in self.alerts.look([SLOW], {SLOW.key: value}, self.now)]

    @rule()
    def restart(self) -> None:
        is_raised = self.alerts.states().get(SLOW.key) in ("raised", "clearing")
        self.alerts = Alerts()
        if is_raised:
            self.alerts.restore({SLOW.key: self.now})

    @invariant()
    def it_is_raised_and_ended_by_turns(self) -> None:
        assert self.told == [number % 2 == 0 for number in range(len(self.told))]


TestRestarting = Restarting.TestCase
