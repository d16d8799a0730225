"""Commits: events and rows together, in the order in which a desk has decided, whatever the disk does."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages import Commit, Keep, Line, ReadState
from actors.recorder.batch import BATCH, Standing, append, batches
from actors.recorder.commits import in_line
from domain import Priority, Row
from storage import Journal, StorageError

CRITICAL, HIGH, NORMAL, LOW = Priority
BAD = StorageError(None, "append", "input/output error")


def row(key: str, value: object = 1, kind: str = "call") -> Row:
    return Row(kind, key, {"value": value})


@dataclass
class Desk:
    """Commits in one line, as a desk does."""

    rig: object
    line: Line = field(default_factory=Line)
    settled: list[tuple[int, bool]] = field(default_factory=list)
    count: int = 0

    def commit(self, events=(), rows=()) -> Commit:
        self.count += 1
        number = self.count
        commit = Commit(events, rows, lambda kept: self.settled.append((number, kept)), trio.current_time(), self.line)
        self.rig.ref.tell(commit)
        return commit

    async def kept(self, kind: str = "call") -> dict[str, object]:
        return {key: value["value"] for key, value in await self.rig.ask(ReadState(kind))}

    async def answers(self, count: int) -> list[tuple[int, bool]]:
        with trio.fail_after(20):
            while len(self.settled) < count:
                await trio.lowlevel.checkpoint()
        await self.rig.tree.settle()
        return self.settled


async def test_events_and_rows_are_on_disk_before_it_is_said_and_the_events_are_published(run, make_event, tmp_path):
    async with run(low_age=60.0) as rig:
        desk = Desk(rig)
        events = [make_event(str(number), priority) for number, priority in enumerate(Priority)]
        desk.commit(events, [row("a"), row("b"), row("a", 2)])
        assert await desk.answers(1) == [(1, True)]
        with closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as connection:
            assert connection.execute("SELECT count(*) FROM records").fetchone() == (4,)
            assert connection.execute("SELECT key, value FROM state").fetchall() == [
                ("a", '{"value":2}'),
                ("b", '{"value":1}'),
            ]
        assert rig.commits[-1] == ["0", "1", "2", "3"]
        assert rig.ids == ["0", "1", "2", "3"]
        assert rig.numbers == [1, None, None, None]


async def test_what_was_kept_is_read_after_a_restart_and_each_kind_alone(run):
    async with run() as rig:
        desk = Desk(rig)
        desk.commit(rows=[row("b"), row("a"), row("job", kind="job")])
        desk.commit(rows=[Row("call", "b", None)])
        await desk.answers(2)
    async with run() as rig:
        desk = Desk(rig)
        assert await desk.kept() == {"a": 1}
        assert await desk.kept("job") == {"job": 1}
        assert await desk.kept("none") == {}


async def test_a_gateway_without_a_disk_keeps_state_in_memory(run, make_event):
    async with run(None) as rig:
        desk = Desk(rig)
        desk.commit([make_event("1", HIGH)], [row("a")])
        assert await desk.answers(1) == [(1, True)]
        assert await desk.kept() == {"a": 1}


@pytest.mark.parametrize(
    ("priorities", "expected"),
    [((), CRITICAL), ((NORMAL, CRITICAL, LOW), CRITICAL), ((NORMAL, HIGH), HIGH), ((LOW, NORMAL), HIGH)],
)
def test_a_commit_is_as_urgent_as_its_most_urgent_event_and_never_dropped(make_event, priorities, expected):
    assert Commit([make_event(priority=each) for each in priorities], []).priority is expected


async def test_an_urgent_commit_takes_along_what_its_desk_decided_before_and_nothing_overtakes(run, make_event, gate):
    disk = gate()
    async with run(disk=disk) as rig:
        desk, other = Desk(rig), Desk(rig)
        disk.hold()
        rig.put(make_event("first", CRITICAL))
        await rig.tree.settle()
        desk.commit([make_event("older", HIGH)], [row("a", "older")])
        other.commit([make_event("another desk's", HIGH)], [row("o")])
        desk.commit([make_event("newer", CRITICAL)], [row("a", "newer")])
        disk.open()
        await desk.answers(2)
        await other.answers(1)
        assert rig.commits == [["first"], ["older", "newer"], ["another desk's"]]
        assert await desk.kept() == {"a": "newer", "o": 1}
        assert len(desk.line) == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(Priority)), max_size=30), st.randoms())
def test_whatever_comes_first_each_line_is_written_in_its_order_and_once(plan, random):
    lines, commits = [Line() for _ in range(3)], []
    for number, (which, _) in enumerate(plan):
        commits.append(Commit((), [row(str(which), number)], line=lines[which]))
    arriving = list(commits)
    random.shuffle(arriving)
    written = []
    while arriving:
        taken, arriving = arriving[:3], arriving[3:]
        for batch in batches(in_line(taken)):
            for one in batch:
                if not one.is_done:
                    written.append(one)
                    one.is_done = True
                    one.line.advance()
    assert sorted(map(id, written)) == sorted(map(id, commits))
    for line in lines:
        own = [one.rows[0].value["value"] for one in written if one.line is line]
        assert own == sorted(own)
        assert len(line) == 0


def test_what_a_desk_has_decided_is_never_parted(make_event):
    events = [make_event(str(number)) for number in range(BATCH - 1)]
    commits = [Commit(events, []), Commit(events[:2], []), Commit((), []), Commit(events * 2, []), Commit((), [])]
    assert [list(batch) for batch in batches(commits)] == [[commits[0]], commits[1:3], [commits[3]], [commits[4]]]


async def test_a_disk_that_fails_stops_no_event_and_the_newest_rows_are_written_when_it_is_back(
    run, make_event, broken, gate, autojump_clock
):
    async with run(disk=gate()) as rig:
        desk = Desk(rig)
        desk.commit(rows=[row("a", "before"), row("gone")])
        await desk.answers(1)
        broken[0] = BAD
        desk.commit([make_event("1", CRITICAL)], [row("a", "meanwhile"), Row("call", "gone", None)])
        desk.commit([make_event("2", HIGH)], [row("a", "at last"), row("b")])
        assert (await desk.answers(3))[1:] == [(2, False), (3, False)]
        assert [id_ for id_ in rig.ids if id_ in "12"] == ["1", "2"]
        assert await rig.ask(ReadState("call")) is None
        broken[0] = None
        await trio.sleep(5)
        assert await desk.kept() == {"a": "at last", "b": 1}
        assert not rig.standing.owed
        assert [one.critical.offset for one in rig.told if one.event.id == "1" and one.critical] == [1]
    async with run(disk=gate()) as rig:
        assert await Desk(rig).kept() == {"a": "at last", "b": 1}


async def test_from_a_full_disk_state_is_read_with_what_it_did_not_take(run, broken, gate, autojump_clock):
    async with run(disk=gate()) as rig:
        desk = Desk(rig)
        desk.commit(rows=[row("a", "old"), row("b")])
        await desk.answers(1)
        broken[0] = StorageError(None, "append", "no space left", full=True)
        desk.commit(rows=[row("a", "new"), Row("call", "b", None), row("other", kind="job")])
        assert (await desk.answers(2))[-1] == (2, False)
        assert await desk.kept() == {"a": "new"}


async def test_what_waits_for_the_disk_outlives_a_life_of_the_recorder(run, make_event, broken, gate, autojump_clock):
    standing = Standing()
    async with run(disk=gate(), standing=standing) as rig:
        broken[0] = BAD
        desk = Desk(rig)
        desk.commit([make_event("1", CRITICAL)], [row("a")])
        await desk.answers(1)
    broken[0] = None
    async with run(disk=gate(), standing=standing) as rig:
        assert await Desk(rig).kept() == {"a": 1}


async def test_who_reads_finds_all_that_was_committed_before_however_urgent(run, make_event, gate):
    disk = gate()
    async with run(disk=disk) as rig, trio.open_nursery() as nursery:
        desk, found = Desk(rig), []
        disk.hold()
        rig.put(make_event("first", CRITICAL))
        await rig.tree.settle()
        for number in range(40):
            desk.commit([make_event(priority=HIGH if number % 2 else CRITICAL)], [row("a", number)])

        async def read() -> None:
            found.append(await desk.kept())

        nursery.start_soon(read)
        await rig.tree.settle()
        disk.open()
        await desk.answers(40)
        assert found == [{"a": 39}]


async def test_a_commit_that_a_life_did_not_get_to_publish_is_published_by_the_next(
    run, make_event, monkeypatch, autojump_clock, gate
):
    deaths = iter([RuntimeError("planted")])
    append_ = Journal.append

    def dying(self, entries, rows=(), **options):
        done = append_(self, entries, rows, **options)
        if rows:
            for death in deaths:
                raise death
        return done

    monkeypatch.setattr(Journal, "append", dying)
    async with run(disk=gate()) as rig:
        desk = Desk(rig)
        desk.commit([make_event("call", CRITICAL), make_event("routine", HIGH)], [row("a")])
        desk.commit([make_event("next", HIGH)], [row("a", 2)])
        await trio.sleep(1)
        assert len(desk.settled) >= 2
        assert (await rig.tree.status("gateway/recorder")).restarts == 1
        assert sorted(rig.ids) == ["call", "next", "routine"]
        assert await desk.kept() == {"a": 2}
        assert len(desk.line) == 0


async def test_an_event_that_cannot_be_written_stops_neither_the_others_nor_the_rows(run, make_event):
    async with run() as rig:
        desk = Desk(rig)
        desk.commit([make_event("\ud800", CRITICAL), make_event("good", CRITICAL)], [row("a"), row("b", object())])
        assert await desk.answers(1) == [(1, False)]
        assert await desk.kept() == {"a": 1}
        assert "good" in rig.ids


def test_for_rows_alone_room_is_made_as_for_a_call():
    asked = []

    class Full:
        def append(self, *_, **__):
            raise StorageError(None, "append", "full", full=True)

        def make_room(self, priority):
            asked.append(priority)
            return type("Room", (), {"deleted": {}})()

    with pytest.raises(StorageError):
        append(Full(), [], [row("a")])
    assert asked == [CRITICAL]


async def test_what_the_operator_does_not_want_kept_is_as_good_as_kept(run, make_event, gate):
    async with run(disk=gate(), high_age=0.0) as rig:
        desk = Desk(rig)
        desk.commit([make_event("1", HIGH)], [row("a")])
        assert await desk.answers(1) == [(1, True)]
        assert await desk.kept() == {"a": 1}


def test_the_standing_rows_are_the_newest():
    standing = Standing()
    standing.owe([row("a"), row("b")])
    standing.owe([row("a", 2), Row("call", "b", None)])
    assert list(standing.owed.values()) == [row("a", 2), Row("call", "b", None)]


async def test_on_a_full_disk_telemetry_makes_room_for_what_a_desk_has_decided(
    run, make_event, monkeypatch, autojump_clock, gate
):
    write, is_full = Journal.append, [False]

    def crammed(self, entries, rows=(), **options):
        if is_full[0] and self.statistics().records[NORMAL] > 0:
            raise StorageError(None, "append", "no space left", full=True)
        return write(self, entries, rows, **options)

    monkeypatch.setattr(Journal, "append", crammed)
    async with run(disk=gate()) as rig:
        desk = Desk(rig)
        for number in range(700):
            rig.ref.tell(Keep(make_event(f"reading{number}", NORMAL)))
        await trio.sleep(5)
        is_full[0] = True
        desk.commit([make_event("call", CRITICAL)], [row("a")])
        await trio.sleep(1)
        assert desk.settled == [(1, True)]
        assert await desk.kept() == {"a": 1}
