from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import Priority, rfc3339
from domain.silence import PATIENCE, Cause, Notice, Promise, Watch, Word

PRESS = Promise("press3", "mtconnect", "acme/line3/press3", 10.0, is_required=True)
HOST = Promise("host", "host", "", 1.0, is_required=False)
NOW = 1_800_000_000.0
SWEEP = 0.25


def watching(*promises: Promise) -> Watch:
    watch = Watch()
    watch.keep(promises or (PRESS,), 0.0)
    return watch


def tell(watch: Watch, at: float) -> list[Notice]:
    """Tell all that is due."""
    due = watch.due(at)
    for notice in due:
        watch.told(notice)
    return due


def words(notices: list[Notice]) -> list[tuple[str, str]]:
    return [(notice.promise.name, notice.word.name) for notice in notices]


@pytest.mark.parametrize(("at", "is_due"), [(19.999, False), (20.0, True), (3600.0, True)])
def test_one_that_never_spoke_is_silent_twice_its_cadence_after_the_watch_began(at, is_due):
    assert bool(watching().due(at)) is is_due


def test_a_word_puts_the_silence_off_and_the_same_count_is_no_word():
    watch = watching()
    watch.look("press3", 1, 15.0)
    watch.look("press3", 1, 30.0)
    assert watch.due(34.9) == []
    (notice,) = watch.due(35.0)
    assert (notice.word, notice.began, notice.silence) == (Word.SILENT, 15.0, 20.0)


def test_a_count_that_begins_anew_is_no_word_and_goes_on_from_there():
    watch = watching()
    watch.look("press3", 7, 5.0)
    watch.look("press3", 0, 20.0)
    assert words(tell(watch, 25.0)) == [("press3", "SILENT")]
    watch.look("press3", 1, 26.0)
    assert words(tell(watch, 26.0)) == [("press3", "RETURNED")]


def test_a_silence_is_told_once_and_so_is_the_return():
    watch = watching()
    assert words(tell(watch, 20.0)) == [("press3", "SILENT")]
    assert tell(watch, 500.0) == []
    assert watch.silent == {"press3": 0.0}
    watch.look("press3", 1, 501.0)
    (notice,) = tell(watch, 502.0)
    assert (notice.word, notice.cause, notice.silence) == (Word.RETURNED, Cause.SPOKE, 501.0)
    assert tell(watch, 503.0) == []
    assert watch.silent == {}


def test_what_could_not_be_told_is_due_until_it_was():
    watch = watching()
    assert len(watch.due(20.0)) == len(watch.due(30.0)) == 1
    tell(watch, 40.0)
    watch.look("press3", 1, 41.0)
    assert words(watch.due(41.0)) == words(watch.due(50.0)) == [("press3", "RETURNED")]
    # Silent again before anybody could be told of the return: first the one, then the other.
    assert words(tell(watch, 100.0)) == [("press3", "RETURNED")]
    assert words(tell(watch, 100.0)) == [("press3", "SILENT")]


def test_a_silence_that_nobody_could_be_told_of_and_that_is_over_is_nothing():
    watch = watching()
    assert watch.due(30.0)
    watch.look("press3", 1, 31.0)
    assert watch.due(32.0) == []


def test_who_promises_nothing_is_never_silent():
    assert watching(replace(PRESS, cadence=0.0)).due(1e9) == []


def test_each_source_has_its_own_time():
    watch = watching(PRESS, HOST)
    assert words(tell(watch, 2.0)) == [("host", "SILENT")]
    assert words(tell(watch, 20.0)) == [("press3", "SILENT")]


@pytest.mark.parametrize(
    ("promises", "cause"), [((HOST,), Cause.REMOVED), ((replace(PRESS, cadence=60.0), HOST), Cause.CHANGED)]
)
def test_a_silence_ends_with_the_promise(promises, cause):
    watch = watching()
    tell(watch, 20.0)
    watch.keep(promises, 25.0)
    (notice,) = [notice for notice in tell(watch, 25.0) if notice.word is Word.RETURNED]
    assert (notice.cause, notice.silence, notice.promise) == (cause, 25.0, PRESS)
    assert "press3" not in watch.silent
    assert tell(watch, 26.9) == []


def test_who_changes_is_counted_from_then_on():
    watch = watching()
    watch.keep([replace(PRESS, cadence=5.0)], 15.0)
    assert watch.due(24.9) == []
    assert words(watch.due(25.0)) == [("press3", "SILENT")]


def test_who_has_spoken_before_it_was_taken_away_has_spoken():
    watch = watching()
    tell(watch, 20.0)
    watch.look("press3", 1, 21.0)
    watch.keep([], 30.0)
    (notice,) = tell(watch, 30.0)
    assert (notice.cause, notice.silence) == (Cause.SPOKE, 21.0)


def test_a_reload_that_changes_nothing_changes_nothing():
    watch = watching()
    tell(watch, 20.0)
    watch.keep([PRESS, HOST], 21.0)
    assert tell(watch, 22.0) == []
    assert watch.silent == {"press3": 0.0}


def test_time_in_which_nobody_could_be_heard_is_nobodys_silence():
    watch = watching()
    watch.excuse(100.0)
    assert watch.due(119.0) == []
    tell(watch, 120.0)
    watch.excuse(100.0)
    assert tell(watch, 121.0) == []
    assert "press3" in watch.silent


def test_a_word_of_an_unknown_source_is_nothing():
    watch = watching()
    watch.look("press4", 1, 1.0)
    assert words(watch.due(20.0)) == [("press3", "SILENT")]


# -- the event --------------------------------------------------------------------------------------------


def test_the_event_of_a_silence_says_whose_since_when_and_how_long():
    watch = watching()
    watch.look("press3", 1, 5.0)
    (notice,) = watch.due(26.0)
    event = notice.event(NOW + 26.0, 26.0, NOW + 4.9)
    assert event.data == {
        "source": "press3",
        "kind": "mtconnect",
        "equipment": "acme/line3/press3",
        "required": True,
        "cadence": 10.0,
        "silence": 21.0,
        "since": rfc3339(NOW + 5.0),
        "last": rfc3339(NOW + 4.9),
    }
    assert (event.type, event.source, event.subject) == ("source.silent", "/acme/line3/press3", "press3")
    assert (event.recorded, event.time) == (NOW + 26.0, rfc3339(NOW + 26.0))


@pytest.mark.parametrize(
    ("promise", "priority"), [(PRESS, Priority.CRITICAL), (replace(PRESS, is_required=False), Priority.HIGH)]
)
def test_the_silence_of_a_required_source_is_critical_and_its_return_is_not(promise, priority):
    watch = watching(promise)
    (silent,) = tell(watch, 20.0)
    watch.look("press3", 1, 21.0)
    (returned,) = tell(watch, 21.0)
    assert silent.event(NOW, 20.0, None).priority is priority
    assert returned.event(NOW, 21.0, NOW).priority is Priority.HIGH
    assert returned.event(NOW, 21.0, NOW).data["cause"] == "spoke"


def test_one_without_a_place_is_named_by_the_gateway_and_one_that_never_spoke_has_no_last_word():
    (notice,) = watching(HOST).due(2.0)
    event = notice.event(NOW, 2.0, None)
    assert event.source == "/andond/sources/host"
    assert isinstance(event.data, dict)
    assert (event.data["equipment"], event.data["last"], event.data["since"]) == (None, None, rfc3339(NOW - 2.0))


def test_every_silence_and_every_return_has_an_id_of_its_own():
    watch = watching()
    ids = set()
    for count in range(1, 5):
        at = count * 100.0
        ids |= {notice.event(NOW + at, at, None).id for notice in tell(watch, at)}
        watch.look("press3", count, at + 1)
        ids |= {notice.event(NOW + at + 1, at + 1, NOW).id for notice in tell(watch, at + 1)}
    assert len(ids) == 8


# -- any pattern of words ---------------------------------------------------------------------------------


@given(
    cadence=st.floats(0.5, 5.0),
    gaps=st.lists(st.floats(0.01, 30.0), max_size=12),
    phase=st.floats(0.0, SWEEP),
    deaf=st.sets(st.integers(0, 400), max_size=60),
)
def test_it_is_told_if_and_only_if_there_was_a_silence_within_the_bound_and_in_turns(cadence, gaps, phase, deaf):
    """Swept every quarter of a second; in the sweeps of ``deaf`` nobody can be told."""
    spoken = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    end = (spoken[-1] if spoken else 0.0) + PATIENCE * cadence + 1.0 + SWEEP
    watch = watching(replace(PRESS, cadence=cadence))
    told: list[tuple[float, Notice]] = []
    for sweep in range(int((end - phase) / SWEEP) + 1):
        at = phase + sweep * SWEEP
        watch.look("press3", sum(moment <= at for moment in spoken), at)
        if sweep not in deaf:
            told += [(at, notice) for notice in tell(watch, at)]
    for (_, before), (_, after) in pairwise(told):
        assert before.word is not after.word
    for at, notice in told:
        # Nobody is accused: between the word before and the sweep that told it, or the next word, is a real silence.
        before = max([moment for moment in [0.0, *spoken] if moment <= notice.began], default=0.0)
        later = min([moment for moment in spoken if moment > before], default=at)
        if notice.word is Word.SILENT:
            assert min(later, at) - before >= PATIENCE * cadence - 1e-6
    if not deaf:
        for before, after in pairwise([0.0, *spoken, end + cadence]):
            if after - before > PATIENCE * cadence + 1.0:
                raised = [at for at, notice in told if notice.word is Word.SILENT and before <= at <= after]
                assert len(raised) == 1
                assert raised[0] - before <= PATIENCE * cadence + 1.0
