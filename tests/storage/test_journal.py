import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import Event, Priority
from storage import Entry, Journal, Keep, StorageError

CRITICAL, HIGH, NORMAL, LOW = Priority


def numbers(recorded) -> list[int | None]:
    return [one.critical for one in recorded]


def test_critical_events_are_numbered_from_one_without_a_hole(opened, entry):
    journal = opened()
    assert (journal.critical, journal.critical_first) == (0, 1)
    told = journal.append([entry(), entry(HIGH), entry(), entry(NORMAL)]) + journal.append([entry(LOW), entry()])
    assert numbers(told) == [1, None, 2, None, None, 3]
    assert all(one.is_new and one.is_kept for one in told)
    assert journal.critical == 3


def test_a_new_journal_has_an_epoch_of_its_own(opened, tmp_path):
    first, second, third = opened(), opened(tmp_path / "other"), opened(None)
    assert len({first.epoch, second.epoch, third.epoch}) == 3
    assert [journal.begun.reason for journal in (first, second, third)] == ["new"] * 3


def test_what_was_kept_is_there_after_a_restart_and_numbers_go_on(opened, entry):
    entries = [entry(), entry(HIGH), entry()]
    journal = opened()
    journal.append(entries)
    epoch = journal.epoch
    journal.close()
    journal = opened()
    assert (journal.epoch, journal.begun, journal.critical) == (epoch, None, 2)
    assert [kept.event for kept in journal.critical_since(0, 10)] == [entries[0].event, entries[2].event]
    assert numbers(journal.append([entry()])) == [3]


def test_in_memory_nothing_is_different_but_that_nothing_survives(opened, entry):
    journal = opened(None)
    one = entry()
    journal.append([one, entry(NORMAL)])
    assert [kept.event for kept in journal.critical_since(0, 10)] == [one.event]
    assert journal.retain(one.at).deleted == {}
    assert journal.statistics().free is None
    assert journal.refused == frozenset()


def test_the_channels_below_a_tree_are_those_that_there_are_records_of(opened, entry):
    journal = opened()
    names = ["andon/a", "andon/b/c", "andon/b", "andon-x/a", "alarms/a", "equipment/a", "andon0/a"]
    journal.append([entry(HIGH, channel=name) for name in names for _ in range(3)])
    assert journal.channels("andon/*", 10) == ["andon/a", "andon/b", "andon/b/c"]
    assert journal.channels("andon/b/*", 10) == ["andon/b/c"]
    assert journal.channels("andon/*", 2) == ["andon/a", "andon/b"]
    assert journal.channels("quality/*", 10) == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
EXTENSIONS = st.dictionaries(
    st.sampled_from(["correlationid", "causationid", "dataschema", "x1", "count"]),
    TEXT | st.integers(-(2**31), 2**31 - 1) | st.booleans(),
)
EVENTS = st.fixed_dictionaries(
    {
        "id": TEXT,
        "source": TEXT,
        "type": TEXT,
        "data": JSON,
        "recorded": st.floats(0, 2**33),
        "priority": st.sampled_from(Priority),
        "subject": st.none() | TEXT,
        "time": st.none() | TEXT,
        "quality": st.sampled_from(["good", "synthetic"]),
        "extensions": EXTENSIONS,
    }
).map(lambda members: Event(**members))


@settings(max_examples=200)
@given(EVENTS, TEXT, st.floats(0, 2**33))
def test_an_event_that_is_read_back_is_the_event_that_was_written(event, channel, at):
    journal = Journal.open(None, {priority: Keep(1.0, 1 << 30) for priority in Priority})
    journal.append([Entry(event, channel, at)])
    (kept,) = journal.newest(channel, 10)
    assert (kept.number, kept.channel, kept.at, kept.event) == (1, channel, at, event)
    assert type(kept.event.priority) is Priority
    assert repr(kept.event.data) == repr(event.data)
    assert repr(dict(kept.event.extensions)) == repr(dict(event.extensions))
    journal.close()


def test_what_follows_a_position_is_read_in_its_order_and_no_more_than_asked_for(opened, entry):
    journal = opened()
    journal.append([entry(one) for one in (CRITICAL, HIGH, CRITICAL, NORMAL, CRITICAL, CRITICAL)])
    assert [kept.critical for kept in journal.critical_since(1, 2)] == [2, 3]
    assert [kept.number for kept in journal.critical_since(0, 10)] == [1, 3, 5, 6]
    assert journal.critical_since(4, 10) == journal.critical_since(99, 10) == []


def test_the_newest_of_a_channel_are_told_oldest_first(opened, entry):
    journal = opened()
    journal.append(
        [entry(one, channel=channel) for one in (HIGH, CRITICAL, NORMAL) for channel in ("a/b", "a/bc", "a")]
    )
    kept = journal.newest("a/b", 2)
    assert [(one.number, one.critical, one.channel) for one in kept] == [(4, 1, "a/b"), (7, None, "a/b")]
    assert journal.newest("a/c", 2) == []


def test_an_event_that_comes_again_is_not_written_again(opened, entry):
    journal = opened()
    call, state, reading = entry(), entry(HIGH), entry(NORMAL)
    journal.append([entry(), call, state, reading])
    again = journal.append([state, call, entry(), reading])
    assert [(one.critical, one.is_new) for one in again] == [(None, False), (2, False), (3, True), (None, True)]
    assert journal.statistics().records == {CRITICAL: 3, HIGH: 1, NORMAL: 2, LOW: 0}
    journal.close()
    assert numbers(opened().append([call])) == [2]


def test_an_event_that_comes_twice_in_one_batch_is_written_once(opened, entry):
    call = entry()
    told = opened().append([call, entry(HIGH, id=call.event.id), call])
    assert [(one.critical, one.is_new) for one in told] == [(1, True), (1, False), (1, False)]


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_more_urgent_word_of_an_event_is_a_record_of_its_own(opened, entry, is_one_batch):
    journal = opened()
    state = entry(HIGH)
    call = replace(state, event=replace(state.event, priority=CRITICAL))
    told = journal.append([state, call]) if is_one_batch else journal.append([state]) + journal.append([call])
    assert [(one.critical, one.is_new) for one in told] == [(None, True), (1, True)]
    assert [(one.critical, one.is_new) for one in journal.append([call])] == [(1, False)]


def test_another_source_may_use_the_same_id(opened, entry):
    call = entry()
    assert numbers(opened().append([call, entry(id=call.event.id, source="/acme/press4")])) == [1, 2]


def test_what_is_not_kept_is_told_so_and_a_critical_event_always_is(opened, entry):
    journal = opened(keep={HIGH: Keep(0, 0)})
    told = journal.append([entry(HIGH), entry(CRITICAL), entry(NORMAL), entry(LOW)])
    assert [(one.is_kept, one.is_new) for one in told] == [(False, True), (True, True), (False, True), (False, True)]
    assert journal.append([entry(LOW)])[0].is_kept is False
    assert journal.statistics().records == {CRITICAL: 1, HIGH: 0, NORMAL: 0, LOW: 0}


def test_nothing_is_appended_where_nothing_is_given(opened):
    journal = opened()
    assert journal.append([]) == []
    assert journal.critical == 0


def test_the_files_are_ours_alone(opened, entry, tmp_path):
    opened(reserve=1).append([entry()])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}
    assert {"journal.sqlite3", "journal.sqlite3-wal", "journal.state", "journal.ballast"} <= set(modes)


def test_a_directory_that_is_there_keeps_its_mode_and_a_file_that_is_open_to_others_does_not(opened, tmp_path):
    directory = tmp_path / "data"
    directory.mkdir(mode=0o755)
    (directory / "journal.sqlite3").touch(mode=0o644)
    opened()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o755
    assert stat.S_IMODE((directory / "journal.sqlite3").stat().st_mode) == 0o600


def test_two_never_write_one_journal(opened):
    journal = opened()
    with pytest.raises(StorageError, match="another andond writes this journal; stop it, or give this one") as refused:
        opened()
    assert refused.value.needs_operator
    journal.close()
    opened()


def test_a_failed_append_leaves_nothing_behind_and_the_next_one_goes_on(opened, entry):
    journal = opened()
    journal.append([entry()])
    with pytest.raises(TypeError, match="object is no JSON value"):
        journal.append([entry(), entry(data=object())])
    assert (journal.critical, journal.statistics().records[CRITICAL]) == (1, 1)
    assert numbers(journal.append([entry()])) == [2]


def test_a_record_that_the_disk_has_changed_leaves_a_hole_and_the_others_are_read(opened, entry, tamper, tmp_path):
    journal = opened()
    journal.append([entry(), entry(), entry(), entry()])
    statement = "UPDATE records SET event = CAST(? AS TEXT) WHERE number = ?"
    tamper(tmp_path / "data", (statement, (b'{"id":"\xff', 2)), (statement, (b'{"id":"1"}', 3)))
    assert [kept.critical for kept in journal.critical_since(0, 10)] == [1, 4]
    assert journal.statistics().unreadable == 2


def test_the_statistics_tell_what_is_held(opened, entry):
    journal = opened()
    journal.append([entry(NORMAL, at=5.0), entry(CRITICAL, at=7.0), entry(NORMAL, at=6.0)])
    told = journal.statistics()
    assert told.records == {CRITICAL: 1, HIGH: 0, NORMAL: 2, LOW: 0}
    assert told.oldest == {CRITICAL: 7.0, HIGH: None, NORMAL: 5.0, LOW: None}
    assert told.sizes[NORMAL] > told.sizes[CRITICAL] > 0 == told.sizes[HIGH]
    assert told.file_size > 0
    assert told.free > 0


def test_an_error_says_where_what_and_why():
    error = StorageError(None, "append", "no room", full=True)
    assert str(error) == "in memory: cannot append: no room"
    assert (error.full, error.damaged, error.needs_operator) == (True, False, False)
