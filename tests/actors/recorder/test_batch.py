"""What the recorder decides without a disk, an actor or a clock."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from actors.messages import Record
from actors.recorder.batch import BATCH, Spool, Unkept, advice, append, batches, pays_off, remembered, retain
from actors.recorder.faults import RETRY_LAST, Fault
from config import JournalSettings
from domain import Position, Priority
from storage import Entry, Journal, Kept, Retained, StorageError, keep_of

CRITICAL, HIGH, NORMAL, LOW = Priority
FULL = StorageError(Path("/data"), "append", "the disk is full", full=True)
BAD = StorageError(Path("/data"), "append", "input/output error")


class Crammed:
    """A journal that has room when ``needs`` was deleted, and then for as long."""

    def __init__(self, needs: int, holds: int) -> None:
        self.needs = needs
        self.holds = holds
        self.asked: list[Priority] = []

    def append(self, entries, _rows=(), **_how):
        if self.needs > 0:
            raise FULL
        return list(entries)

    def make_room(self, priority):
        self.asked.append(priority)
        gone = min(self.holds, 500)
        self.holds -= gone
        self.needs -= gone
        return Retained({NORMAL: gone} if gone else {}, bool(self.holds))


@pytest.mark.parametrize(("count", "former", "pays"), [
    (1, 0, False), (1, 1, False), (1, 3, False), (1, 4, True), (2, 4, False), (49, 100, True), (50, 100, False),
])  # fmt: skip
def test_a_commit_waits_only_when_more_than_half_of_the_last_one_may_come_back(count, former, pays):
    assert pays_off(count, former) is pays


def test_a_commit_is_bounded_and_keeps_the_order(make_event):
    records = [Record(make_event(str(number))) for number in range(2 * BATCH + 1)]
    parts = list(batches(records))
    assert [len(part) for part in parts] == [BATCH, BATCH, 1]
    assert [record for part in parts for record in part] == records
    assert list(batches([])) == []


def test_on_a_full_disk_room_is_made_until_there_is_enough(make_event):
    journal = Crammed(needs=1200, holds=5000)
    entries = [Entry(make_event("1", HIGH), "c/1", 1.0), Entry(make_event("2", CRITICAL), "c/1", 1.0)]
    assert append(journal, entries).deleted == Counter({NORMAL: 1500})
    # It is made for the most urgent of them.
    assert journal.asked == [CRITICAL] * 3


def test_when_nothing_is_left_to_delete_a_full_disk_is_a_full_disk(make_event):
    journal = Crammed(needs=1200, holds=600)
    with pytest.raises(StorageError) as full:
        append(journal, [Entry(make_event("1", CRITICAL), "c/1", 1.0)])
    assert full.value is FULL
    assert len(journal.asked) == 3


def test_what_is_set_aside_is_room_too(make_event):
    journal = Crammed(needs=1, holds=0)

    def give_up(priority):
        journal.needs = 0
        return Retained()

    journal.make_room = give_up
    entries = [Entry(make_event("1", CRITICAL), "c/1", 1.0)]
    assert append(journal, entries).recorded == entries


def test_what_retention_deletes_for_want_of_room_is_told_apart_from_what_is_too_old(make_event, monkeypatch):
    keep = keep_of(JournalSettings(normal_age=10.0, low_age=10.0))
    journal = Journal.open(None, keep)
    journal.append([Entry(make_event(str(number), priority), "c/1", 1.0) for number, priority in enumerate(Priority)])
    monkeypatch.setattr(Journal, "refused", frozenset({LOW}))
    looked = retain(journal, 100.0)
    assert (looked.retired, looked.shed) == ({NORMAL: 1}, {LOW: 1})
    assert looked.statistics.records == {CRITICAL: 1, HIGH: 1, NORMAL: 0, LOW: 0}
    journal.close()


def test_what_could_not_be_kept_is_told_once_and_forgotten_when_it_is_written(make_event):
    unkept = Unkept(3)
    made = [make_event(str(number), HIGH) for number in range(5)]
    assert [unkept.is_new(event) for event in (made[0], made[0], made[1])] == [True, False, True]
    for event in made:
        unkept.wait(event)
    assert (len(unkept), unkept.waiting(2)) == (3, made[2:4])
    unkept.written(2)
    assert unkept.waiting(9) == made[4:]


def test_of_what_is_not_urgent_the_newest_wait(make_event):
    spool = Spool(3)
    made = [make_event(str(number)) for number in range(5)]
    assert spool.put(made[:2]) == []
    assert spool.put(made[2:]) == made[:2]
    assert (spool.take(2), len(spool), spool.take(9)) == (made[2:4], 1, made[4:])


def test_what_is_remembered_ends_with_what_was_told(make_event):
    kept = [Kept(n, n, "c/1", 1.0, make_event(str(n), CRITICAL)) for n in range(3, 8)]
    log = remembered("e7", 6, kept)
    assert (log.position, log.oldest, len(log)) == (Position("e7", 6), 3, 4)
    # The newest cannot be read: memory has nothing, rather than something with a hole.
    assert (remembered("e7", 9, kept).position, len(remembered("e7", 9, kept))) == (Position("e7", 9), 0)
    assert remembered("e7", 0, []).position == Position("e7", 0)


@pytest.mark.parametrize(("error", "words"), [
    (FULL, ("/data", "full", "operator must make room")),
    (BAD, ("/data", "input/output error", "by itself")),
    (StorageError(Path("/data"), "lock", "another andond", needs_operator=True), ("another", "operator must act")),
])  # fmt: skip
def test_a_fault_says_where_it_is_and_who_must_act(error, words):
    assert all(word in advice(error) for word in words)


def test_a_disk_that_fails_again_soon_is_tried_no_sooner():
    fault = Fault()
    assert fault.begin(BAD, 0.0)
    assert not fault.begin(FULL, 1.0)
    assert [fault.delay() for _ in range(3)] == [0.5, 1.0, 2.0]
    assert fault.end(10.0) == 10.0
    assert fault.begin(BAD, 20.0)
    assert fault.delay() == 4.0
    fault.end(30.0)
    assert fault.begin(BAD, 91.0)
    assert fault.delay() == 0.5
    assert [fault.delay() for _ in range(20)][-1] == RETRY_LAST
