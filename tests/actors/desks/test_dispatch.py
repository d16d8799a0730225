from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio

from actors.desks.dispatch import Dispatch
from actors.messages import Keep, Publish, Record
from actors.runtime import ChildSpec, TrioActor
from config import JournalSettings
from domain import Priority
from telemetry import counters

CRITICAL, HIGH, NORMAL, LOW = Priority


class Full(TrioActor):
    """A recorder with room for two of each priority, that takes nothing until its gate opens."""

    mailbox_limit = 2

    def __init__(self, kept: list, gate: trio.Event) -> None:
        super().__init__()
        self._kept = kept
        self._gate = gate

    async def on_receive(self, message: object) -> None:
        await self._gate.wait()
        self._kept.append(message)


class Rig:
    def __init__(self, tree, recorded: list, published: list) -> None:
        self.tree = tree
        self.recorded = recorded
        self.published = published
        self.settings = JournalSettings()
        self.dispatch = Dispatch(tree.system.environment, lambda: self.settings)
        self.answers: list[bool] = []

    async def send(self, *events) -> None:
        for event in events:
            self.dispatch.send(event, self.answers.append)
        await self.tree.settle()


@pytest.fixture
def run(grow, keeper):
    @asynccontextmanager
    async def running(recorder: ChildSpec | None = None, *, is_there: bool = True):
        recorded: list = []
        published: list = []
        specs = [recorder or ChildSpec("recorder", keeper, (recorded,))] if is_there else []
        async with grow([*specs, ChildSpec("channels", keeper, (published,))]) as tree:
            yield Rig(tree, recorded, published)

    return running


@pytest.mark.parametrize("priority", [CRITICAL, HIGH])
async def test_what_is_urgent_goes_by_way_of_the_recorder_who_answers(run, make_event, priority):
    async with run() as rig:
        await rig.send(make_event("1", priority))
        (record,) = rig.recorded
        assert (type(record), record.event.id, record.priority) == (Record, "1", priority)
        assert (rig.published, rig.answers) == ([], [])
        assert record.told_at > 0
        record.settled(True)
        assert rig.answers == [True]


async def test_the_rest_is_published_at_once_and_the_recorder_gets_a_copy_of_what_is_kept(run, make_event):
    async with run() as rig:
        await rig.send(make_event("1", NORMAL), make_event("2", LOW))
        assert [(type(message), message.event.id) for message in rig.published] == [(Publish, "1"), (Publish, "2")]
        assert [message.critical for message in rig.published] == [None, None]
        assert [(type(message), message.event.id) for message in rig.recorded] == [(Keep, "1")]
        assert rig.answers == [True, True]


async def test_a_copy_of_a_reading_is_not_replaced_by_the_next_one(run, make_event):
    gate = trio.Event()
    kept: list = []
    async with run(ChildSpec("recorder", Full, (kept, gate))) as rig:
        await rig.send(*[make_event(str(number), type="equipment.reading") for number in range(2)])
        gate.set()
        await rig.tree.settle()
        assert [message.event.id for message in kept] == ["0", "1"]


async def test_a_reload_changes_what_the_recorder_gets(run, make_event):
    async with run() as rig:
        rig.settings = JournalSettings(normal_age=0, low_age=60.0)
        await rig.send(make_event("1", NORMAL), make_event("2", LOW))
        assert [message.event.id for message in rig.recorded] == ["2"]


async def test_what_the_recorder_has_no_room_for_is_published_and_not_said_to_be_kept(run, make_event):
    before = counters.journal_unkept[CRITICAL]
    gate = trio.Event()
    kept: list = []
    async with run(ChildSpec("recorder", Full, (kept, gate))) as rig:
        await rig.send(make_event("first", HIGH))
        await rig.send(*[make_event(str(number), CRITICAL) for number in range(4)])
        assert [message.event.id for message in rig.published] == ["2", "3"]
        assert rig.answers == [False, False]
        assert counters.journal_unkept[CRITICAL] - before == 2
        gate.set()
        await rig.tree.settle()
        assert [message.event.id for message in kept] == ["first", "0", "1"]


async def test_without_a_recorder_everything_is_published_and_nothing_urgent_is_said_to_be_kept(run, make_event):
    before = counters.journal_shed[NORMAL]
    async with run(is_there=False) as rig:
        await rig.send(make_event("1", CRITICAL), make_event("2", NORMAL))
        assert sorted(message.event.id for message in rig.published) == ["1", "2"]
        assert rig.answers == [False, True]
        assert counters.journal_shed[NORMAL] - before == 1


async def test_for_what_was_sent_before_the_recorder_is_asked_only_if_it_is_urgent(run, make_event):
    async with run() as rig:
        rig.dispatch.answer_for(make_event("1", HIGH), rig.answers.append)
        rig.dispatch.answer_for(make_event("2", NORMAL), rig.answers.append)
        await rig.tree.settle()
        assert [message.event.id for message in rig.recorded] == ["1"]
        assert (rig.answers, rig.published) == ([True], [])
