import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plant.mtconnect import Clock, Jumped, Settled
from domain.plant.mtconnect.clock import GREETING, PATIENCE, SETTLE

NOW = 1_800_000_000.0
STEP = 300.0
YEAR = 31_536_000.0


def steady(offset: float = 0.0, pace: float = 1.0, seconds: int = 60) -> tuple[Clock, float]:
    """A clock that was read every second for a minute, and when that ends."""
    clock = Clock(STEP)
    for second in range(seconds + 1):
        verdict = clock.take("x", NOW - offset + pace * second, NOW + second)
        assert verdict == (True, None)
    return clock, NOW + seconds


@pytest.mark.parametrize("offset", [0.0, 3600.0, -3600.0, 10 * YEAR])
def test_a_clock_that_is_off_and_goes_evenly_is_believed(offset: float) -> None:
    clock, _ = steady(offset)
    assert clock.offset == pytest.approx(offset)
    assert (clock.pace, clock.is_quarantined, clock.jumps) == (1.0, False, 0)


@pytest.mark.parametrize("pace", [0.5, 10.0, 60.0, 250.0])
def test_a_recording_at_another_speed_is_no_jump_and_its_pace_is_learned(pace: float) -> None:
    clock, _ = steady(10 * YEAR, pace, seconds=600)
    assert clock.pace == pytest.approx(pace)
    assert clock.jumps == 0


def test_a_recording_too_fast_to_learn_its_pace_is_no_jump_either() -> None:
    clock, _ = steady(10 * YEAR, pace=1e6, seconds=60)
    assert (clock.pace, clock.jumps) == (None, 0)


@pytest.mark.parametrize(
    ("step", "backwards"), [(400.0, False), (-400.0, True), (-14 * YEAR, True), (10 * YEAR, False)]
)
def test_a_jump_is_quarantined_and_said_once_the_same_key_comes_again(step: float, *, backwards: bool) -> None:
    clock, end = steady()
    first = clock.take("x", end + 1 + step, end + 1)
    assert first == (False, None)
    assert clock.is_suspicious
    second = clock.take("x", end + 2 + step, end + 2)
    assert not second.is_good
    assert isinstance(second.notice, Jumped)
    assert second.notice.step == pytest.approx(step)
    assert second.notice.backwards is backwards
    assert clock.is_quarantined
    assert not clock.take("x", end + 3 + step, end + 3).is_good
    assert clock.jumps == 1


@pytest.mark.parametrize("step", [299.0, -299.0])
def test_a_step_within_the_limit_is_no_jump(step: float) -> None:
    clock, end = steady()
    assert all(clock.take("x", end + second + step, end + second).is_good for second in range(1, 60))
    assert clock.jumps == 0


def test_a_clock_that_comes_back_is_believed_at_once() -> None:
    clock, end = steady()
    for second in (1, 2, 3):
        clock.take("x", end + second - 14 * YEAR, end + second)
    verdict = clock.take("x", end + 4, end + 4)
    assert verdict.is_good
    notice = verdict.notice
    assert isinstance(notice, Settled)
    assert (notice.offset, notice.lasted) == pytest.approx((0.0, 2.0))
    assert (notice.came_back, notice.backwards) == (True, False)
    assert not clock.is_quarantined


def test_a_clock_that_comes_back_from_the_future_says_that_it_went_backwards() -> None:
    clock, end = steady()
    for second in (1, 2):
        clock.take("x", end + second + YEAR, end + second)
    notice = clock.take("x", end + 3, end + 3).notice
    assert isinstance(notice, Settled)
    assert notice.backwards


def test_a_clock_that_stays_where_it_jumped_to_is_believed_after_a_while() -> None:
    clock, end = steady()
    verdicts = [clock.take("x", end + second - YEAR, end + second) for second in range(1, 20)]
    settled = [verdict.notice for verdict in verdicts if isinstance(verdict.notice, Settled)]
    assert len(settled) == 1
    assert not settled[0].came_back
    assert settled[0].lasted == pytest.approx(SETTLE)
    assert verdicts[-1] == (True, None)
    assert clock.offset == pytest.approx(YEAR)


def test_a_clock_that_jumps_about_stays_in_quarantine_and_is_told_once() -> None:
    clock, end = steady()
    verdicts = [clock.take("x", end + second - second * YEAR / 8, end + second) for second in range(1, 90)]
    assert sum(isinstance(verdict.notice, Jumped) for verdict in verdicts) == 1
    assert not any(verdict.is_good for verdict in verdicts)


def test_one_stray_stamp_is_uncertain_and_no_jump() -> None:
    clock, end = steady()
    assert clock.take("x", end - YEAR, end + 1) == (False, None)
    assert clock.take("x", end + 2, end + 2) == (True, None)
    assert not clock.is_suspicious


def test_last_known_values_with_old_stamps_are_no_jump() -> None:
    clock, end = steady()
    for number in range(40):
        assert clock.take(f"k{number}", end - 1000.0 * number - 1000, end + 1).notice is None
    assert clock.take("x", end + 2, end + 2) == (True, None)
    assert clock.jumps == 0


def test_last_known_values_at_the_start_of_a_connection_are_good() -> None:
    clock, end = steady()
    clock.connected(end + 100)
    for number in range(40):
        assert clock.take(f"k{number}", end - 1000.0 * number - 1000, end + 100) == (True, None)
    assert clock.take("x", end + 100, end + 101) == (True, None)


def test_the_greeting_ends_with_time() -> None:
    clock, end = steady()
    clock.connected(end)
    assert not clock.take("k", end - YEAR, end + GREETING + 1).is_good


def test_a_log_that_begins_again_is_a_jump_back_and_settles() -> None:
    clock, end = steady(YEAR)
    clock.connected(end)
    verdicts = [clock.take("x", NOW - YEAR - 9000 + second, end + second) for second in range(20)]
    assert sum(isinstance(verdict.notice, Jumped) for verdict in verdicts) == 1
    assert sum(isinstance(verdict.notice, Settled) for verdict in verdicts) == 1


def test_suspects_alone_for_a_while_are_a_jump() -> None:
    clock, end = steady()
    clock.take("a", end - YEAR, end + 1)
    assert clock.idle(end + 2, waiting=False) is None
    assert isinstance(clock.idle(end + 1 + PATIENCE, waiting=False), Jumped)
    assert clock.is_quarantined


def test_a_greeting_followed_by_silence_is_a_jump_only_if_something_waits_for_it() -> None:
    for waiting in (False, True):
        clock, end = steady()
        clock.connected(end)
        clock.take("a", end - YEAR, end)
        notice = clock.idle(end + PATIENCE, waiting=waiting)
        assert isinstance(notice, Jumped) is waiting
        assert not clock.is_suspicious


def test_the_first_reading_of_all_is_believed_and_so_is_the_leap_to_the_present() -> None:
    clock = Clock(STEP)
    assert clock.take("program", NOW - YEAR, NOW) == (True, None)
    assert clock.take("x", NOW, NOW + 1) == (True, None)
    assert clock.offset == pytest.approx(1.0)


def test_a_recording_that_is_held_up_is_no_jump() -> None:
    clock, end = steady(YEAR, pace=60.0)
    at = NOW - YEAR + 60 * 60
    assert clock.take("x", at + 60, end + 3600) == (True, None)


def test_a_night_that_was_cut_out_of_a_recording_is_a_jump_that_settles() -> None:
    clock, end = steady(YEAR, pace=60.0)
    night = NOW - YEAR + 60 * 60 + 36_000
    verdicts = [clock.take("x", night + 60 * second, end + 5 + second) for second in range(20)]
    assert sum(isinstance(verdict.notice, Jumped) for verdict in verdicts) == 1
    assert verdicts[-1] == (True, None)


@given(
    st.lists(
        st.tuples(st.sampled_from("xyz"), st.floats(0, 2e9), st.floats(0, 100)),
        max_size=60,
    )
)
def test_whatever_the_stamps_jumps_are_told_in_pairs_with_their_end(readings: list[tuple[str, float, float]]) -> None:
    clock, received, quarantined = Clock(STEP), NOW, False
    for key, at, pause in readings:
        received += pause
        notices = [clock.idle(received, waiting=False), clock.take(key, at, received).notice]
        for notice in notices:
            if notice is not None:
                assert isinstance(notice, Settled) is quarantined
                quarantined = not quarantined
        assert clock.is_quarantined is quarantined
