from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.dialects.pace import BURST, RATE, Pace

AT = 1795240800.0


def drained() -> Pace:
    pace = Pace()
    assert pace.take(BURST, AT) == 0.0
    return pace


def test_a_whole_burst_is_there_from_the_beginning():
    pace = drained()
    assert pace.recovery == BURST / RATE
    assert pace.take(1, AT) == pytest.approx(1 / RATE)


def test_what_was_taken_comes_back_with_time():
    assert drained().take(RATE, AT + 1.0) == 0.0
    assert drained().take(RATE + 1, AT + 1.0) > 0.0


def test_a_long_silence_gives_no_more_than_a_burst():
    pace = drained()
    assert pace.take(BURST, AT + 3600) == 0.0
    assert pace.take(1, AT + 3600) > 0.0


def test_a_clock_that_is_set_back_takes_nothing_and_goes_on_from_there():
    pace = drained()
    assert pace.take(0, AT - 3600) == 0.0
    assert pace.take(RATE, AT - 3600 + 1) == 0.0


def test_a_whole_burst_beyond_the_burst_is_overdrawn():
    pace = drained()
    pace.take(BURST - 1, AT)
    assert not pace.is_overdrawn
    pace.take(1, AT)
    assert pace.is_overdrawn
    assert pace.recovery == 2 * BURST / RATE


@given(st.lists(st.tuples(st.sampled_from([0.1, 1.0]), st.floats(0.0, 5.0))))
def test_what_is_granted_is_never_more_than_rate_and_burst_allow(asked):
    pace, at, granted = Pace(), AT, 0.0
    for cost, passed in asked:
        at += passed
        if pace.take(cost, at) == 0.0:
            granted += cost
        assert granted <= BURST + (at - AT) * RATE + 1e-6
