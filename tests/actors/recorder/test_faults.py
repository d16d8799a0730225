"""A disk that fails, hangs or is full: nobody is told a lie, and the boards are told all the same."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import trio

from actors.messages import Keep, ReadCritical, ReadFault
from domain import Position, Priority
from storage import Journal, StorageError
from telemetry import counters, gauges

CRITICAL, HIGH, NORMAL, LOW = Priority
BAD = StorageError(Path("/var/lib/andond"), "append", "input/output error")
FULL = StorageError(Path("/var/lib/andond"), "append", "the disk is full", full=True)


async def test_what_cannot_be_kept_is_told_all_the_same_and_nobody_is_told_that_it_is_kept(
    run, call, make_event, broken, autojump_clock, gate
):
    before = counters.journal_failed, counters.journal_unkept[CRITICAL]
    async with run(disk=gate()) as rig:
        broken[0] = BAD
        rig.put(call("fire"), make_event("state", HIGH))
        await rig.answers(2)
        assert sorted(rig.settled) == [("fire", False), ("state", False)]
        told = {message.event.type: message.critical for message in rig.told}
        assert told == {"andon.call.raised": None, "equipment.state.changed": None, "journal.failed": None}
        (word,) = [message.event for message in rig.told if message.event.type == "journal.failed"]
        assert (word.priority, word.source) == (CRITICAL, "/andond/journal")
        assert "input/output error" in word.data["action"]
        assert "input/output error" in await rig.ask(ReadFault())
        says = await rig.says()
        assert (says["writable"], "input/output error" in says["fault"]) == (False, True)
        assert gauges.sample()["journal_writable"] == 0.0
        # Sent again it is not told again, and still not kept.
        rig.put(call("fire"))
        await rig.answers(3)
        assert (rig.settled[-1], len(rig.told)) == (("fire", False), 3)
        broken[0] = None
        assert counters.journal_failed > before[0]
        assert counters.journal_unkept[CRITICAL] - before[1] == 2


async def test_what_could_not_be_kept_is_written_when_the_disk_is_back_and_then_has_its_place(
    run, call, make_event, broken, autojump_clock, gate
):
    async with run(disk=gate()) as rig:
        broken[0] = BAD
        rig.put(call("fire"), make_event("state", HIGH))
        await trio.sleep(10)
        broken[0] = None
        await trio.sleep(31)
        assert await rig.ask(ReadFault()) == ""
        assert (await rig.says())["writable"] is True
        assert gauges.sample()["journal_writable"] == 1.0
        types = [message.event.type for message in rig.told]
        assert types.count("andon.call.raised") == 2
        assert types.count("equipment.state.changed") == 1
        assert types.count("journal.recovered") == 1
        placed = {message.event.id: message.critical.offset for message in rig.told if message.critical}
        assert placed["fire"] == 1
        rig.put(call("fire"), make_event("state", HIGH), call("smoke"))
        await rig.answers(5)
        assert rig.settled[2:] == [("fire", True), ("smoke", True), ("state", True)]
        assert rig.numbers[-1] == 3
        assert (await rig.tree.status(rig.ref.actor_inbox.path)).restarts == 0


async def test_a_disk_that_is_broken_is_tried_less_and_less_often(run, call, broken, autojump_clock, monkeypatch, gate):
    tries: list[float] = []
    async with run(disk=gate()) as rig:
        opened = Journal.open

        def opening(*args):
            tries.append(trio.current_time())
            return opened(*args)

        monkeypatch.setattr(Journal, "open", opening)
        broken[0] = BAD
        rig.put(call("fire"))
        await trio.sleep(300)
        pauses = [later - earlier for earlier, later in pairwise(tries)]
        assert pauses[:4] == pytest.approx([1.0, 2.0, 4.0, 8.0])
        assert set(pauses[6:]) == {30.0}
        assert (await rig.tree.status(rig.ref.actor_inbox.path)).restarts == 0
        broken[0] = None


async def test_a_disk_that_is_broken_at_the_start_stops_nobody(run, call, broken, autojump_clock, gate):
    broken[0] = BAD
    async with run(disk=gate()) as rig:
        rig.put(call("fire"))
        await rig.answers(1)
        assert rig.settled == [("fire", False)]
        assert "fire" in rig.ids
        read = await rig.ask(ReadCritical(Position("e7", 1)))
        assert (read.recovered, read.publications) == (False, ())
        broken[0] = None
        await trio.sleep(31)
        assert (await rig.says())["writable"] is True
        assert [message.event.id for message in rig.told if message.critical][1] == "fire"


async def test_a_disk_that_hangs_delays_a_call_by_two_seconds_and_no_longer(run, call, autojump_clock, gate):
    disk = gate()
    async with run(disk=disk) as rig:
        disk.hold()
        rig.put(call("fire"))
        await trio.sleep(1.9)
        assert rig.told == []
        await trio.sleep(0.2)
        assert (rig.ids[0], rig.numbers[0], rig.settled) == ("fire", None, [("fire", False)])
        rig.put(call("smoke"))
        await rig.answers(2)
        assert "smoke" in rig.ids
        assert "does not answer" in await rig.ask(ReadFault()) or "has not answered" in await rig.ask(ReadFault())
        await trio.sleep(60)
        disk.open()
        await trio.sleep(31)
        assert await rig.ask(ReadFault()) == ""
        placed = [message.event.id for message in rig.told if message.critical]
        assert sorted(placed[:3]) == sorted(["fire", "smoke", next(i for i in placed if i not in {"fire", "smoke"})])
        assert [n for n in rig.numbers if n] == list(range(1, len(placed) + 1))
        assert disk.most == 1


async def test_while_a_journal_takes_long_to_open_again_calls_are_told_at_once(run, call, broken, autojump_clock, gate):
    disk = gate()
    async with run(disk=disk) as rig:
        broken[0] = BAD
        rig.put(call("fire"))
        await rig.answers(1)
        broken[0] = None
        disk.hold()
        await trio.sleep(10)
        assert disk.waiting == 1
        began = trio.current_time()
        rig.put(call("smoke"))
        await rig.answers(2)
        assert trio.current_time() == began
        assert "smoke" in rig.ids
        disk.open()
        await trio.sleep(10)
        assert (await rig.says())["writable"] is True
        assert {"fire", "smoke"} <= {message.event.id for message in rig.told if message.critical}


async def test_on_a_full_disk_what_was_kept_can_still_be_read(run, call, broken, autojump_clock, gate):
    async with run(disk=gate()) as rig:
        rig.put(*[call(str(number)) for number in range(5)])
        await rig.answers(5)
        start = Position(rig.told[0].critical.epoch, 0)
        broken[0] = FULL
        rig.put(call("fire"))
        await rig.answers(6)
        assert rig.settled[-1] == ("fire", False)
        fault = await rig.ask(ReadFault())
        assert "full" in fault
        assert "/var/lib/andond" in fault
        assert "operator" in fault
        read = await rig.ask(ReadCritical(start))
        assert (read.recovered, len(read.publications)) == (True, 5)
        broken[0] = None
        await trio.sleep(31)
        assert (await rig.says())["writable"] is True


async def test_on_a_full_disk_telemetry_makes_room_for_a_call_and_it_is_said(
    run, call, make_event, monkeypatch, autojump_clock, gate
):
    append, is_full = Journal.append, [False]

    def crammed(self, entries, rows=(), **options):
        if is_full[0] and self.statistics().records[NORMAL] > 0:
            raise FULL
        return append(self, entries)

    monkeypatch.setattr(Journal, "append", crammed)
    shed = counters.journal_shed[NORMAL], counters.journal_shed[HIGH]
    async with run(disk=gate()) as rig:
        for number in range(700):
            rig.ref.tell(Keep(make_event(f"n{number}")))
        rig.put(make_event("state", HIGH))
        await trio.sleep(2)
        is_full[0] = True
        rig.put(call("fire"))
        await rig.answers(2)
        await trio.sleep(1)
        assert rig.settled[-1] == ("fire", True)
        (word,) = [message.event for message in rig.told if message.event.type == "journal.shed"]
        assert (word.priority, word.data["shed"]) == (HIGH, {"normal": 700})
        assert (counters.journal_shed[NORMAL] - shed[0], counters.journal_shed[HIGH] - shed[1]) == (700, 0)
        assert await rig.ask(ReadFault()) == ""


async def test_a_high_event_for_which_there_is_no_room_is_told_and_not_said_to_be_kept(
    run, make_event, monkeypatch, autojump_clock, gate
):
    async with run(disk=gate()) as rig:
        monkeypatch.setattr("storage.room.Room.refused", lambda _self: frozenset({HIGH, NORMAL, LOW}))
        rig.put(make_event("state", HIGH))
        await rig.answers(1)
        rig.put(make_event("state", HIGH))
        await rig.answers(2)
        assert rig.settled == [("state", False)] * 2
        assert rig.ids.count("state") == 1


async def test_high_events_that_are_not_wanted_in_the_journal_are_answered_for_and_told(run, make_event):
    async with run(high_age=0) as rig:
        rig.put(make_event("state", HIGH))
        await rig.answers(1)
        assert (rig.settled, rig.ids) == ([("state", True)], ["state"])
