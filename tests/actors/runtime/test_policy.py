from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from actors.runtime import Policy, Restart
from actors.runtime.policy import Intensity


@pytest.mark.parametrize(
    ("restart", "after_failure", "after_success"),
    [(Restart.PERMANENT, True, True), (Restart.TRANSIENT, True, False), (Restart.TEMPORARY, False, False)],
)
def test_a_child_comes_back_as_its_restart_type_says(restart, after_failure, after_success):
    assert restart.wanted(failed=True) is after_failure
    assert restart.wanted(failed=False) is after_success


def test_the_delay_doubles_up_to_its_limit():
    policy = Policy(backoff=1.0, backoff_limit=5.0)
    assert [policy.delay(failures, 0.5) for failures in (1, 2, 3, 4, 10_000)] == [1.0, 2.0, 4.0, 5.0, 5.0]


@given(failures=st.integers(1, 10_000), draw=st.floats(0, 1))
def test_the_delay_varies_by_a_tenth(failures, draw):
    policy = Policy()
    middle = policy.delay(failures, 0.5)
    assert 0.9 * middle <= policy.delay(failures, draw) <= 1.1 * middle * (1 + 1e-9)


def test_without_a_backoff_there_is_no_delay():
    assert Policy(backoff=0.0).delay(7, 1.0) == 0.0


def test_a_healthy_period_makes_a_new_beginning():
    policy = Policy(period=10.0)
    assert policy.failures(4, lived=9.9) == 5
    assert policy.failures(4, lived=10.0) == 1


def test_no_restart_at_all_may_be_allowed():
    assert Intensity(0, 10.0).exceeded(1.0)


class IntensityAgainstModel(RuleBasedStateMachine):
    """The naive model keeps every moment and counts those within the period."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.moments = []
        self.intensity = Intensity(3, 10.0)

    @rule(later=st.floats(0, 12, allow_nan=False))
    def restart(self, later):
        self.now += later
        self.moments.append(self.now)
        within = [at for at in self.moments if at >= self.now - 10.0]
        assert self.intensity.exceeded(self.now) is (len(within) > 3)


TestIntensityAgainstModel = IntensityAgainstModel.TestCase
TestIntensityAgainstModel.settings = settings(max_examples=100, stateful_step_count=40)
