"""The way to jail, right to one block: V11."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import Priority
from domain.chain.validators.countdown import allowed_misses, countdown, level_of
from domain.chain.validators.pace import Pace

ALICE, BOB = "AA" * 20, "BB" * 20


@pytest.mark.parametrize(
    ("window", "least", "allowed"),
    [(2000, 0.5, 1000), (10_000, 0.05, 9500), (20_000, 0.05, 19_000), (5, 0.5, 3), (7, 0.5, 3), (100, 0.0, 100)],
)
def test_the_share_to_sign_is_rounded_half_to_even(window, least, allowed):
    assert allowed_misses(window, least) == allowed


@pytest.mark.parametrize(("missed", "blocks"), [(985, 16), (976, 25), (952, 49), (1000, 1), (1001, 0), (0, 1001)])
def test_blocks_and_seconds_until_jail_of_the_counters_that_were_recorded(missed, blocks):
    way = countdown(1000, 2000, missed, 168481, 1000, 6.0)
    assert (way.blocks, way.seconds, way.allowed) == (blocks, blocks * 6.0, 1000)


@given(
    window=st.integers(1, 60),
    percent=st.integers(0, 100),
    start=st.integers(0, 30),
    signed=st.lists(st.booleans(), max_size=80),
)
def test_a_validator_that_misses_every_block_is_jailed_at_exactly_the_block_that_was_told(
    window, percent, start, signed
):
    """Against a chain that counts as x/slashing does, whatever it signed before."""
    allowed = allowed_misses(window, percent / 100)
    ring, missed, height = [False] * window, 0, start

    def live(is_signed):
        nonlocal missed, height
        height += 1
        slot = (height - start) % window
        missed += (not is_signed) - ring[slot]
        ring[slot] = not is_signed
        return height > start + window and missed > allowed

    for is_signed in signed:
        if live(is_signed):
            return
    way = countdown(allowed, window, missed, height, start, None)
    for block in range(1, way.blocks + window + 2):
        if live(False):
            # What leaves the window was missed too, or makes room: never sooner than told.
            assert block >= way.blocks
            if not any(not each for each in signed):
                assert block == max(1, way.blocks)
            return
    assert allowed >= window


def test_a_threshold_is_told_once_and_again_only_after_it_was_left_clearly():
    thresholds = (0.5, 0.8)
    level = 0
    seen = []
    for share in (0.4, 0.5, 0.49, 0.5, 0.8, 0.79, 0.8, 0.74, 0.8, 0.44, 0.3):
        level = level_of(share, thresholds, level)
        seen.append(level)
    assert seen == [0, 1, 1, 1, 2, 2, 2, 1, 2, 0, 0]


def test_who_comes_near_is_told_with_blocks_and_seconds_once_for_each_threshold(rig):
    rig.begin()
    told = []
    for height, missed in enumerate((400, 501, 502, 803, 810, 960, 970), 106):
        rig.grow(height, height)
        told += rig.say(rig.missed(height, missed))
    assert [event.type for event in told] == ["validator.risk"] * 3
    assert [event.data["level"] for event in told] == [1, 2, 3]
    assert [event.data["blocksToJail"] for event in told] == [500, 198, 41]
    assert told[0].data["secondsToJail"] == pytest.approx(3000.0)
    assert told[0].priority is Priority.HIGH
    assert rig.validator()["blocksToJail"] == 31


def test_who_recovers_is_told_too_and_a_restart_repeats_nothing(rig):
    rig.begin()
    rig.say(rig.missed(106, 600))
    rig.restart()
    rig.grow(106, 108)
    rig.say(rig.rules())
    assert rig.say(rig.missed(107, 610)) == []
    (told,) = rig.say(rig.missed(108, 300))
    assert (told.data["level"], told.data["threshold"]) == (0, None)


def test_misses_that_come_late_do_not_count_backwards(rig):
    rig.begin()
    rig.say(rig.missed(107, 600))
    rig.say(rig.missed(106, 100))
    assert rig.validator()["missedBlocks"] == 600


def test_the_risk_of_a_watched_validator_is_critical_once_when_jail_is_near(rig):
    rig.begin().with_terms(watched=frozenset({ALICE.lower()}), imminent=120.0)
    rig.say(rig.rules(window=100, least_signed=0.5))
    told = []
    for height in range(106, 157):
        rig.grow(height, height)
        told += rig.say(rig.missed(height, height - 105), rig.missed(height, height - 105, BOB))
    mine = [event for event in told if event.data["validator"] == ALICE]
    near = [(event.priority, event.data["imminent"], event.data["blocksToJail"]) for event in mine]
    # Blocks of six seconds: 26 of them are more than two minutes, 20 are not; the share of 0.95 says no more.
    assert near == [(Priority.HIGH, False, 25), (Priority.CRITICAL, True, 20)]
    assert {event.priority for event in told if event.data["validator"] == BOB} == {Priority.HIGH}
    rig.restart()
    assert rig.say(rig.missed(157, 51)) == []
    (told,) = rig.say(rig.missed(158, 3))
    assert (told.data["level"], told.data["imminent"], told.priority) == (0, False, Priority.HIGH)


def test_a_small_window_makes_nobody_near_who_misses_nothing(rig):
    rig.begin().with_terms(watched=frozenset({ALICE.lower()}))
    rig.say(rig.rules(window=20, least_signed=0.5))
    rig.grow(106, 130)
    assert rig.say(rig.missed(130, 1)) == []


def test_the_jailed_are_at_no_risk_and_those_that_return_begin_anew(rig, make_record):
    rig.begin()
    rig.say(rig.missed(106, 990), rig.jail(107))
    assert rig.say(rig.missed(108, 1000)) == []
    rig.say(rig.read(108, make_record(jailed=True, bond="unbonding")))
    rig.grow(108, 220)
    rig.say(rig.read(220, make_record(missed=0)))
    (told,) = rig.say(rig.missed(221, 600))
    assert told.type == "validator.risk"


def test_uptime_is_over_the_window_or_the_time_that_the_validator_was_there(rig, make_record):
    rig.begin(make_record(missed=100))
    assert rig.validator()["uptime"] == 95.0
    rig.say(rig.read(106, make_record(missed=1, start_height=6)))
    assert rig.validator()["uptime"] == 99.0
    rig.say(rig.read(106, make_record(missed=1, start_height=106)))
    assert rig.validator()["uptime"] is None


def test_without_the_chains_rules_there_is_no_countdown(rig, make_record):
    rig.grow(100, 101)
    rig.say(rig.read(101, make_record(missed=5)))
    data = rig.validator()
    assert (data["uptime"], data["blocksToJail"], data["missedBlocks"]) == (None, None, 5)


def test_the_pace_is_the_mean_of_the_chains_own_times():
    pace = Pace()
    pace.note(10, 100.0)
    assert pace.block_time is None
    pace.note(12, 112.0)
    assert pace.block_time == 6.0
    pace.note(12, 300.0)
    pace.note(11, 300.0)
    assert pace.block_time == 6.0


def test_a_pause_is_no_pace():
    pace = Pace()
    for height in range(10):
        pace.note(height, height * 2.0)
    pace.note(10, 5000.0)
    assert pace.block_time == 2.0
    pace.note(11, 5002.0)
    assert pace.block_time == 2.0


def test_blocks_within_one_second_of_a_chain_that_counts_whole_seconds_have_a_pace():
    pace = Pace()
    pace.note(1, 100.0)
    pace.note(2, 100.0)
    assert pace.block_time == 0.001
