"""The whole way of a posted event: source, desk, recorder, channels; only the channels' keeper is a stand-in."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio

from actors.desks import FloorDesk
from actors.messages import EventsTaken, Publish, TakeEvents
from actors.recorder.batch import Standing
from actors.recorder.disk import in_thread
from actors.recorder.recorder import Recorder
from actors.runtime import ChildSpec, Supervisor, ask
from actors.sources import HttpSource
from config import HttpSource as HttpSettings
from config import JournalSettings
from storage import StorageError


def call(id: str):  # noqa: A002
    return {"specversion": "1.0", "id": id, "source": "/acme/line3", "type": "andon.call.raised", "data": {"at": "st4"}}


class Rig:
    def __init__(self, tree, told: list[Publish]) -> None:
        self.tree = tree
        self.told = told

    async def post(self, *members) -> EventsTaken:
        taken = await ask(self.tree.ref("gateway/http"), TakeEvents(members), 20)
        assert isinstance(taken, EventsTaken)
        return taken

    @property
    def ids(self) -> list[str]:
        return [message.event.id for message in self.told]


@pytest.fixture
def way(grow, keeper, tmp_path):
    @asynccontextmanager
    async def running(disk=in_thread):
        told: list[Publish] = []
        settings = JournalSettings(reserve=0)
        recorder = (tmp_path, lambda: settings, Standing(), lambda: 1_800_000_000.0, disk)
        specs = [
            ChildSpec("recorder", Recorder, recorder, redeliver=True),
            ChildSpec("channels", keeper, (told,)),
            ChildSpec("desks", Supervisor, ([ChildSpec("floor", FloorDesk)],)),
            ChildSpec("http", HttpSource, ("http", HttpSettings())),
        ]
        async with grow(specs) as tree:
            yield Rig(tree, told)

    return running


async def test_many_posts_in_flight_share_a_sync_and_each_is_answered_when_its_events_are_on_disk(way, commits, gate):
    disk = gate()
    async with way(disk) as rig, trio.open_nursery() as nursery:
        answers: list[EventsTaken] = []

        async def post(number: int) -> None:
            answers.append(await rig.post(call(f"a{number}"), call(f"b{number}")))

        disk.hold()
        for number in range(50):
            nursery.start_soon(post, number)
        await rig.tree.settle()
        assert (answers, rig.told) == ([], [])
        disk.open()
        while len(answers) < 50:
            await trio.lowlevel.checkpoint()
        assert all(taken == EventsTaken(2, 0, 0, ()) for taken in answers)
        assert sum(map(len, commits)) == 100
        assert len(commits) <= 2


async def test_an_event_that_is_posted_again_after_a_restart_is_answered_for_and_told_once(way):
    async with way() as rig:
        assert (await rig.post(call("fire"))).accepted == 1
        assert (await rig.post(call("fire"))).duplicates == 1
        await rig.tree.settle()
        assert rig.ids == ["fire"]
    async with way() as rig:
        taken = await rig.post(call("fire"), call("smoke"))
        assert (taken.accepted, taken.unkept) == (2, 0)
        await rig.tree.settle()
        assert (rig.ids, rig.told[0].critical.offset) == (["smoke"], 2)


async def test_a_call_that_the_disk_does_not_take_is_told_and_taken_when_it_is_sent_again(
    way, broken, gate, autojump_clock
):
    async with way(gate()) as rig:
        broken[0] = StorageError(None, "append", "input/output error")
        assert (await rig.post(call("fire"))).unkept == 1
        assert (await rig.post(call("fire"))).unkept == 1
        await rig.tree.settle()
        assert rig.ids.count("fire") == 1
        broken[0] = None
        await trio.sleep(2)
        assert await rig.post(call("fire")) == EventsTaken(1, 0, 0, ())
        assert [message.critical.offset for message in rig.told if message.critical and message.event.id == "fire"]
