import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import beat_after


@pytest.mark.parametrize(
    ("now", "interval", "beat"),
    [(0.0, 1.0, 1.0), (0.99, 1.0, 1.0), (1.0, 1.0, 2.0), (1.0, 0.25, 1.25), (7.3, 10.0, 10.0), (-0.5, 1.0, 0.0)],
)
def test_the_next_beat_is_the_next_whole_multiple(now, interval, beat):
    assert beat_after(now, interval) == beat


@given(st.floats(0, 1e9), st.floats(0.001, 1e5))
def test_a_beat_is_always_ahead_and_never_far(now, interval):
    assert now < beat_after(now, interval) <= now + interval * (1 + 1e-6) + 1e-6


@given(st.floats(0, 1e6), st.sampled_from([0.1, 0.25, 0.3, 1.0, 3.7]))
def test_whoever_wakes_at_a_beat_is_given_another_one(now, interval):
    beat = beat_after(now, interval)
    assert beat_after(beat, interval) > beat


@given(st.floats(0, 1e6), st.integers(1, 40))
def test_those_who_look_more_often_are_awake_when_the_others_are(now, times):
    beat = beat_after(now, times * 0.25)
    assert beat_after(beat - 0.25, 0.25) == beat
