"""What was missed is read back while what is new is written."""

from __future__ import annotations

import trio

from actors.messages import CriticalRead, ReadCritical, ReadNewest
from domain import Position, Priority
from storage import StorageError

HIGH = Priority.HIGH
BAD = StorageError(None, "read", "input/output error")


async def test_what_was_missed_comes_from_memory_or_from_the_disk_and_says_whether_it_is_all(run, call):
    async with run() as rig:
        rig.put(*[call(str(number), f"/acme/line{number % 2}") for number in range(2500)])
        await rig.settle(2500)
        epoch = rig.told[0].critical.epoch
        assert await rig.ask(ReadCritical(None)) == CriticalRead(True, Position(epoch, 2500), ())
        read = await rig.ask(ReadCritical(Position(epoch, 2498)))
        assert [one.event.id for one in read.publications] == ["2498", "2499"]
    async with run() as rig:
        read = await rig.ask(ReadCritical(Position(epoch, 0)))
        assert (read.recovered, read.newest) == (True, Position(epoch, 2500))
        assert [one.event.id for one in read.publications] == [str(number) for number in range(2500)]
        assert [one.critical.offset for one in read.publications] == list(range(1, 2501))
        assert {(one.epoch, one.offset) for one in read.publications} == {(epoch, 0)}
        read = await rig.ask(ReadCritical(Position(epoch, 100), (read.publications[1].channel,)))
        assert [one.event.id for one in read.publications] == [str(number) for number in range(101, 2500, 2)]
        read = await rig.ask(ReadCritical(Position("e7", 2499)))
        assert (read.recovered, len(read.publications)) == (False, 2500)
        says = await rig.says()
        assert (says["critical"], says["in_memory"], says["volatile"]) == (f"{epoch}:2500", 1000, False)


async def test_a_commit_waits_for_one_step_of_a_long_read_and_not_for_all_of_it(run, call, autojump_clock, gate):
    async with run(disk=gate()) as rig:
        rig.put(*[call(str(number)) for number in range(5000)])
        await rig.answers(5000)
        epoch = rig.told[0].critical.epoch
    disk = gate()
    async with run(disk=disk) as rig, trio.open_nursery() as nursery:
        answers: list[CriticalRead] = []

        async def read() -> None:
            answers.append(await rig.ask(ReadCritical(Position(epoch, 0))))

        disk.hold()
        nursery.start_soon(read)
        await rig.tree.settle()
        rig.put(call("fire"))
        disk.open()
        await rig.settle(1)
        assert answers == []
        while not answers:
            await trio.lowlevel.checkpoint()
        assert answers[0].recovered
        # It was told before the answer was made, so it is in there.
        assert [one.critical.offset for one in answers[0].publications] == list(range(1, 5002))


async def test_a_journal_that_cannot_be_read_gives_no_partial_answer_for_a_whole_one(
    run, call, broken, autojump_clock, gate
):
    async with run(disk=gate()) as rig:
        rig.put(*[call(str(number)) for number in range(2000)])
        await rig.answers(2000)
        epoch = rig.told[0].critical.epoch
    async with run(disk=gate()) as rig:
        broken[0] = BAD
        read = await rig.ask(ReadCritical(Position(epoch, 0)))
        assert (read.recovered, len(read.publications)) == (False, 1000)
        broken[0] = None


async def test_a_channel_that_begins_anew_is_told_its_newest(run, call, make_event):
    async with run() as rig:
        rig.put(*[make_event(f"s{number}", HIGH, source="/acme/press4") for number in range(5)])
        rig.put(call("fire", "/acme/press4"), call("other"))
        await rig.settle(7)
        channel = "equipment/acme/press4"
        newest = await rig.ask(ReadNewest(channel, 3))
        assert [one.event.id for one in newest] == ["s2", "s3", "s4"]
        assert {(one.channel, one.offset, one.critical) for one in newest} == {(channel, 0, None)}
        (fire,) = await rig.ask(ReadNewest("andon/acme/press4", 9))
        assert fire.critical is not None
        assert await rig.ask(ReadNewest("andon/nowhere", 9)) == ()
