from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import CriticalLog, Event, Position, Priority, Publication, Recovery

CHANNELS = ("alarms/acme/press3", "alarms/acme/press4", "andon/line3")


def publication(number: int, channel: str = CHANNELS[0], epoch: str = "e7") -> Publication:
    event = Event(str(number), "/acme/press3", "alarm.raised", None, 1.0, Priority.CRITICAL)
    return Publication(channel, epoch, 0, 1.0, event, Position(epoch, number))


def a_log(newest: int, keep: int, first: int = 1) -> tuple[CriticalLog, list[Publication]]:
    """A log with the publications ``first`` to ``newest``, and what the journal has of it."""
    log = CriticalLog("e7", first - 1, keep)
    journal = [publication(number, CHANNELS[number % 3]) for number in range(first, newest + 1)]
    for one in journal:
        log.append(one)
    return log, journal


def recover(log, journal, since, channels=None, limit=10_000, chunk=7):
    """Drive a recovery to its end; returns it and how often the journal was read."""
    recovery, reads = Recovery(log, since, channels, limit), 0
    while not recovery.done:
        behind = [one for one in journal if one.critical.offset > recovery.offset]
        recovery.take(behind[:chunk])
        reads += 1
        assert reads < 1000
    return recovery, reads


def numbers(recovery: Recovery) -> list[int]:
    return [one.critical.offset for one in recovery.publications]


def test_an_empty_log_has_a_position_before_the_first():
    log = CriticalLog("e7", 0, 10)
    assert (str(log.position), log.oldest, len(log)) == ("e7:0", 1, 0)
    recovery, reads = recover(log, [], Position("e7", 0))
    assert (recovery.recovered, recovery.publications, recovery.newest, reads) == (True, (), Position("e7", 0), 0)


def test_what_is_in_memory_is_answered_without_the_journal():
    log, journal = a_log(20, keep=10)
    recovery, reads = recover(log, journal, Position("e7", 10))
    assert (recovery.recovered, numbers(recovery), reads) == (True, list(range(11, 21)), 0)
    assert recovery.newest == Position("e7", 20)


def test_what_is_older_comes_from_the_journal_and_the_rest_from_memory():
    log, journal = a_log(30, keep=10)
    recovery, reads = recover(log, journal, Position("e7", 3))
    assert (recovery.recovered, numbers(recovery), reads) == (True, list(range(4, 31)), 3)


def test_only_the_channels_that_are_asked_for_and_those_below_a_tree_are_answered():
    log, journal = a_log(30, keep=10)
    one, _ = recover(log, journal, Position("e7", 0), ["andon/line3"])
    assert numbers(one) == [number for number in range(1, 31) if number % 3 == 2]
    tree, _ = recover(log, journal, Position("e7", 0), ["alarms/*"])
    assert numbers(tree) == [number for number in range(1, 31) if number % 3 != 2]
    none, _ = recover(log, journal, Position("e7", 0), [])
    assert (none.recovered, none.publications) == (True, ())


@pytest.mark.parametrize("since", [Position("e6", 25), Position("e7", 31)])
def test_a_position_that_is_not_of_this_log_gets_all_there_is_as_not_recovered(since):
    log, journal = a_log(30, keep=10)
    recovery, _ = recover(log, journal, since)
    assert (recovery.recovered, numbers(recovery)) == (False, list(range(1, 31)))


def test_what_the_journal_does_not_keep_any_more_is_not_passed_over_in_silence():
    log, journal = a_log(30, keep=10)
    recovery, _ = recover(log, journal[8:], Position("e7", 3))
    assert (recovery.recovered, numbers(recovery)) == (False, list(range(9, 31)))
    complete, _ = recover(log, journal[8:], Position("e7", 8))
    assert (complete.recovered, numbers(complete)) == (True, list(range(9, 31)))


def test_a_hole_in_the_journal_is_not_passed_over_in_silence():
    log, journal = a_log(30, keep=10)
    recovery, _ = recover(log, [*journal[:8], *journal[9:]], Position("e7", 3))
    assert (recovery.recovered, len(recovery.publications)) == (False, 26)


def test_a_journal_that_cannot_be_read_leaves_what_memory_has():
    log, _ = a_log(30, keep=10)
    recovery = Recovery(log, Position("e7", 3), None, 100)
    recovery.give_up()
    assert (recovery.done, recovery.recovered, numbers(recovery)) == (True, False, list(range(21, 31)))


def test_what_is_on_disk_and_not_yet_published_is_left_to_come_live():
    log, journal = a_log(5, keep=2)
    recovery, _ = recover(log, [*journal, publication(6), publication(7)], Position("e7", 0))
    assert (recovery.recovered, numbers(recovery), recovery.newest) == (True, [1, 2, 3, 4, 5], Position("e7", 5))


def test_of_too_much_the_newest_is_answered_as_not_recovered():
    log, journal = a_log(30, keep=10)
    recovery, _ = recover(log, journal, Position("e7", 0), limit=20)
    assert (recovery.recovered, numbers(recovery)) == (False, list(range(11, 31)))


def test_what_is_published_while_the_journal_is_read_is_in_the_answer():
    log, journal = a_log(30, keep=10)
    recovery = Recovery(log, Position("e7", 0), None, 100)
    recovery.take(journal[:10])
    assert not recovery.done
    for number in range(31, 41):
        journal.append(publication(number))
        log.append(journal[-1])
    while not recovery.done:
        recovery.take(journal[recovery.offset : recovery.offset + 10])
    assert (recovery.recovered, numbers(recovery), recovery.newest) == (True, list(range(1, 41)), Position("e7", 40))


def test_memory_has_no_holes():
    log, journal = a_log(5, keep=10)
    log.append(publication(8))
    assert (log.newest, log.oldest, len(log)) == (8, 8, 1)
    recovery, _ = recover(log, journal, Position("e7", 2))
    assert (recovery.recovered, numbers(recovery)) == (False, [3, 4, 5, 8])


@pytest.mark.parametrize("number", [0, 4, 5])
def test_what_does_not_follow_is_refused(number):
    log, _ = a_log(5, keep=10)
    with pytest.raises(ValueError, match="e7:5"):
        log.append(publication(number))
    with pytest.raises(ValueError, match="e7:5"):
        log.append(publication(6, epoch="e8"))


@given(
    kept=st.integers(0, 40),
    deleted=st.integers(0, 40),
    newest=st.integers(0, 40),
    since=st.integers(0, 45),
    chunk=st.integers(1, 50),
    wanted=st.sets(st.sampled_from(CHANNELS)) | st.none(),
)
def test_an_answer_is_all_that_followed_or_says_that_it_is_not(kept, deleted, newest, since, chunk, wanted):
    log, journal = a_log(newest, kept)
    journal = journal[deleted:]
    names = None if wanted is None else sorted(wanted)
    recovery, _ = recover(log, journal, Position("e7", since), names, chunk=chunk)
    found = numbers(recovery)
    assert found == sorted(set(found))
    asked = [n for n in range(since + 1, newest + 1) if wanted is None or CHANNELS[n % 3] in wanted]
    if recovery.recovered:
        assert found == asked
        assert since <= newest
    elif since <= newest:
        # Nothing that is still anywhere is left out.
        assert found == [n for n in asked if n > min(deleted, newest) or n >= log.oldest]
        assert since < deleted
    assert recovery.newest == log.position
