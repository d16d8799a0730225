"""What is written, answered for and told, in which order, and what a life leaves to the next."""

from __future__ import annotations

import trio

from actors.messages import Keep, Publish, ReadCritical, ReadFault, ReadNewest, Record
from actors.recorder.batch import BATCH, Spool, Standing, name_of
from actors.runtime import ChildSpec, TrioActor
from config import JournalSettings
from domain import Position, Priority
from storage import Entry, Journal, keep_of
from telemetry import counters, gauges

CRITICAL, HIGH, NORMAL, LOW = Priority


class Reluctant(TrioActor):
    """A keeper of channels with little room, that takes nothing until its gate opens."""

    mailbox_limit = 3

    def __init__(self, kept: list, gate: trio.Event) -> None:
        super().__init__()
        self._kept = kept
        self._gate = gate

    async def on_receive(self, message: object) -> None:
        await self._gate.wait()
        self._kept.append(message)


# -- written, answered, told ---------------------------------------------------------------------------------


async def test_what_is_urgent_is_answered_for_and_told_with_its_place(run, call, make_event):
    async with run() as rig:
        rig.put(call("fire"), make_event("state", HIGH), call("smoke"))
        await rig.settle(3)
        assert sorted(rig.settled) == [("fire", True), ("smoke", True), ("state", True)]
        places = {message.event.id: message.critical for message in rig.told}
        epoch = places["fire"].epoch
        assert places == {"fire": Position(epoch, 1), "smoke": Position(epoch, 2), "state": None}


async def test_nobody_is_answered_or_told_before_the_disk_has_it(run, call, gate):
    disk = gate()
    async with run(disk=disk) as rig:
        disk.hold()
        rig.put(call("fire"))
        await rig.tree.settle()
        assert (rig.settled, rig.told, disk.waiting) == ([], [], 1)
        disk.open()
        await rig.settle(1)
        assert rig.settled == [("fire", True)]
        assert rig.commits == [["fire"]]


async def test_the_answer_comes_before_the_publication(run, call):
    order: list[str] = []
    async with run() as rig:
        answer = lambda _kept: order.append(f"answered, {len(rig.told)} told")  # noqa: E731
        rig.ref.tell(Record(call("fire"), answer, 0.0))
        await rig.settle(1)
    assert order == ["answered, 0 told"]


async def test_what_waits_while_the_disk_works_shares_the_next_commit_and_never_two_at_a_time(run, call, gate):
    disk = gate()
    async with run(disk=disk) as rig:
        disk.hold()
        rig.put(call("first"))
        await rig.tree.settle()
        rig.put(*[call(str(number)) for number in range(100)])
        await rig.tree.settle()
        assert (disk.waiting, rig.commits) == (1, [])
        disk.open()
        await rig.settle(101)
        assert rig.commits == [["first"], [str(number) for number in range(100)]]
        assert disk.most == 1


async def test_many_publishers_at_once_need_few_commits(run, call):
    async with run() as rig:

        async def publish(name: str) -> None:
            for number in range(20):
                kept = trio.Event()
                record = Record(call(f"{name}-{number}"), lambda _kept, kept=kept: kept.set(), 0.0)
                rig.ref.tell(record)
                await kept.wait()

        async with trio.open_nursery() as nursery:
            for name in range(50):
                nursery.start_soon(publish, str(name))
        assert sum(map(len, rig.commits)) == 1000
        assert len(rig.commits) <= 100


async def test_a_commit_waits_for_those_who_were_just_answered_and_for_nobody_else(run, call, autojump_clock, gate):
    disk = gate()
    async with run(disk=disk, commit_delay=0.002) as rig:
        began = trio.current_time()
        rig.put(call("alone"))
        await rig.settle(1)
        assert trio.current_time() == began
        rig.put(*[call(f"a{number}") for number in range(10)])
        await rig.settle(11)
        rig.put(call("b0"))
        await rig.tree.settle()
        rig.put(*[call(f"b{number}") for number in range(1, 10)])
        await trio.sleep(0.01)
        assert [len(ids) for ids in rig.commits] == [1, 10, 10]


async def test_ten_thousand_critical_events_in_a_row_are_told_once_each_without_a_hole(run, call):
    async with run() as rig:
        for start in range(0, 10_000, 500):
            rig.put(*[call(str(number)) for number in range(start, start + 500)])
            await trio.lowlevel.checkpoint()
        await rig.settle(10_000)
        assert rig.ids == [str(number) for number in range(10_000)]
        assert rig.numbers == list(range(1, 10_001))
        assert len(rig.settled) == 10_000
        assert max(map(len, rig.commits)) <= BATCH


# -- order ---------------------------------------------------------------------------------------------------


async def test_a_backlog_of_high_delays_a_critical_event_by_no_more_than_the_commit_under_way(
    run, call, make_event, gate
):
    disk = gate()
    async with run(disk=disk) as rig:
        disk.hold()
        rig.put(*[make_event(f"h{number}", HIGH) for number in range(3 * BATCH)])
        await rig.tree.settle()
        rig.put(call("fire"))
        disk.open()
        await rig.settle(3 * BATCH + 1)
        assert rig.ids.index("fire") <= BATCH
        rest = [id_ for id_ in rig.ids if id_ != "fire"]
        assert rest == [f"h{number}" for number in range(3 * BATCH)]


async def test_a_keeper_of_channels_without_room_holds_the_recorder_up_and_loses_nothing(
    run, call, autojump_clock, gate
):
    kept: list[Publish] = []
    room = trio.Event()
    async with run(disk=gate(), channels=ChildSpec("channels", Reluctant, (kept, room))) as rig:
        rig.put(*[call(str(number)) for number in range(20)])
        await trio.sleep(1)
        assert kept == []
        room.set()
        await trio.sleep(1)
    assert [message.event.id for message in kept] == [str(number) for number in range(20)]


# -- what nobody can write --------------------------------------------------------------------------------


async def test_an_event_that_cannot_be_written_takes_no_other_along(run, call, make_event, autojump_clock, gate):
    disk = gate()
    before = counters.journal_failed
    async with run(disk=disk) as rig:
        disk.hold()
        rig.put(call("first"))
        await rig.tree.settle()
        rig.put(call("one"), call("bad", data={"text": "\ud800"}), call("other"))
        disk.open()
        await rig.answers(4)
        assert sorted(rig.settled) == [("bad", False), ("first", True), ("one", True), ("other", True)]
        assert {message.event.id: message.critical and message.critical.offset for message in rig.told} == {
            "first": 1,
            "one": 2,
            "bad": None,
            "other": 3,
        }
        assert counters.journal_failed - before == 1
        status = await rig.tree.status(rig.ref.actor_inbox.path)
        assert (status.restarts, status.quarantined) == (0, 0)


# -- known already -------------------------------------------------------------------------------------------


async def test_what_the_journal_knows_is_answered_for_and_not_told_again(run, call, make_event):
    async with run() as rig:
        rig.put(call("fire"), call("fire"), make_event("state", HIGH), make_event("state", HIGH))
        await rig.settle(2)
        rig.put(call("fire"), make_event("state", HIGH), call("fire", "/acme/line4"))
        await rig.answers(7)
        assert sorted(rig.ids) == ["fire", "fire", "state"]
        assert all(kept for _, kept in rig.settled)


async def test_a_restarted_daemon_knows_what_it_told_and_counts_on(run, call, make_event):
    async with run() as rig:
        rig.put(call("fire"), make_event("state", HIGH))
        await rig.settle(2)
    async with run() as rig:
        rig.put(call("fire"), make_event("state", HIGH), call("smoke"))
        await rig.answers(3)
        assert (rig.ids, rig.numbers) == (["smoke"], [2])
        assert sorted(rig.settled) == [("fire", True), ("smoke", True), ("state", True)]


# -- ended in the middle -------------------------------------------------------------------------------------


async def _fail() -> None:
    raise RuntimeError("planted")


async def test_what_was_in_hand_when_the_recorder_was_ended_is_told_once_by_its_next_life(
    run, call, make_event, autojump_clock, gate
):
    disk = gate()
    async with run(disk=disk) as rig:
        disk.hold()
        rig.put(call("fire"), call("smoke"), make_event("state", HIGH))
        await rig.tree.settle()
        # Struck down while it waits for the disk, which goes on.
        rig.ref.actor_inbox.owner.start_task(_fail)
        await rig.tree.settle()
        disk.open()
        await trio.sleep(1)
        assert sorted(rig.ids) == ["fire", "smoke", "state"]
        assert sorted(number for number in rig.numbers if number) == [1, 2]
        assert sorted(rig.settled) == [("fire", True), ("smoke", True), ("state", True)]


async def test_what_is_on_disk_and_was_not_told_is_told_by_the_next_life(run, call, make_event, tmp_path):
    async with run() as rig:
        rig.put(call("fire"))
        await rig.settle(1)
        epoch = rig.told[0].critical.epoch
        keep = keep_of(JournalSettings())
    # As if the life had ended between the commit and the publication of what comes after "fire".
    standing = Standing()
    standing.told = Position(epoch, 1)
    journal = Journal.open(tmp_path, keep, 0)
    entries = [Entry(event, "events/acme", 1_800_000_000.0) for event in (call("smoke"), make_event("state", HIGH))]
    standing.in_hand.add(name_of(entries[1].event))
    journal.append(entries)
    journal.close()
    async with run(standing=standing, is_first=False) as rig:
        await rig.settle(1)
        assert (rig.ids, rig.numbers) == (["smoke"], [2])
        # The record itself is handed to the next life.
        rig.put(entries[1].event)
        await rig.settle(2)
        rig.put(entries[1].event)
        await rig.answers(2)
        assert rig.ids == ["smoke", "state"]
        assert standing.in_hand == set()


async def test_an_error_nobody_planned_for_ends_one_life_and_loses_nothing(run, call, autojump_clock, gate):
    async with run(disk=gate()) as rig:
        settled: list[bool] = []

        def answer(is_kept) -> None:
            settled.append(is_kept)
            if len(settled) == 1:
                raise RuntimeError("planted")

        rig.ref.tell(Record(call("fire"), answer, 0.0))
        rig.put(call("smoke"))
        await trio.sleep(1)
        assert sorted(rig.ids) == ["fire", "smoke"]
        assert sorted(rig.numbers) == [1, 2]
        assert settled == [True, True]
        assert (await rig.tree.status(rig.ref.actor_inbox.path)).restarts == 1


# -- kept besides, and not for ever --------------------------------------------------------------------------


async def test_what_is_not_urgent_is_written_when_there_is_time_and_told_by_nobody(
    run, make_event, autojump_clock, gate
):
    async with run(disk=gate(), low_age=3600.0) as rig:
        for number in range(1500):
            rig.ref.tell(Keep(make_event(f"n{number}", type="equipment.reading")))
        rig.ref.tell(Keep(make_event("low", LOW)))
        await trio.sleep(2)
        assert rig.told == []
        newest = await rig.ask(ReadNewest("readings/acme/press3", 2000))
        assert [one.event.id for one in newest] == [f"n{number}" for number in range(1500)]
        assert len(rig.commits) <= 3


async def test_what_is_left_is_written_before_the_journal_is_closed(run, make_event):
    async with run() as rig:
        rig.ref.tell(Keep(make_event("n")))
        await rig.tree.settle()
    async with run() as rig:
        assert [one.event.id for one in await rig.ask(ReadNewest("equipment/acme/press3", 9))] == ["n"]


async def test_of_too_much_that_is_not_urgent_the_oldest_is_given_up_and_counted(
    run, make_event, autojump_clock, monkeypatch, gate
):
    before = counters.journal_shed[NORMAL]
    monkeypatch.setattr("actors.recorder.recorder.Spool", lambda: Spool(100))
    async with run(disk=gate()) as rig:
        for number in range(150):
            rig.ref.tell(Keep(make_event(f"n{number}")))
        await trio.sleep(2)
        newest = await rig.ask(ReadNewest("equipment/acme/press3", 200))
        assert [one.event.id for one in newest] == [f"n{number}" for number in range(50, 150)]
        assert counters.journal_shed[NORMAL] - before == 50


async def test_what_is_too_old_is_deleted_every_minute(run, call, make_event, autojump_clock, gate):
    before = counters.journal_retired[HIGH]
    async with run(disk=gate(), high_age=1.0) as rig:
        rig.put(call("fire"), *[make_event(f"s{number}", HIGH) for number in range(1200)])
        await rig.answers(1201)
        owner = rig.ref.actor_inbox.owner
        owner._clock = lambda: 1_800_000_100.0
        await trio.sleep(61)
        assert await rig.ask(ReadNewest("equipment/acme/press3", 9)) == ()
        assert counters.journal_retired[HIGH] - before == 1200
        says = await rig.says()
        assert (says["records"]["critical"], says["records"]["high"]) == (1, 0)
        assert says["bytes"] == gauges.sample()["journal_bytes"] > 0


async def test_a_reload_changes_what_is_kept(run, make_event, monkeypatch):
    async with run() as rig:
        rig.put(make_event("one", HIGH))
        await rig.answers(1)
        owner = rig.ref.actor_inbox.owner
        owner._disk._present = lambda: JournalSettings(high_age=0, reserve=0)
        rig.put(make_event("two", HIGH))
        await rig.answers(2)
        assert [one.event.id for one in await rig.ask(ReadNewest("equipment/acme/press3", 9))] == ["one"]


# -- in memory -----------------------------------------------------------------------------------------------


async def test_without_a_directory_all_works_and_nothing_survives(run, call, capsys):
    async with run(path=None) as rig:
        rig.put(call("fire"), call("fire"))
        await rig.answers(2)
        assert (rig.ids, rig.numbers) == (["fire"], [1])
        epoch = rig.told[0].critical.epoch
        assert (await rig.says())["volatile"] is True
    async with run(path=None) as rig:
        read = await rig.ask(ReadCritical(Position(epoch, 1)))
        assert (read.recovered, read.newest.epoch == epoch) == (False, False)
    assert capsys.readouterr().err.count("journal.volatile") == 2


async def test_a_second_daemon_on_the_same_directory_says_so_and_takes_nothing(run, call):
    async with run() as rig, run() as other:
        other.put(call("fire"))
        await other.answers(1)
        assert other.settled == [("fire", False)]
        assert "another andond" in await other.ask(ReadFault())
        assert await rig.ask(ReadFault()) == ""
