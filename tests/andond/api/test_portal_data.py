from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from actors.desks import PortalDesk
from actors.messages import EventTaken
from actors.places import PORTAL_DESK, Address
from actors.runtime import ActorSystem, ChildSpec, Supervisor, TrioActor
from andond.api.portal import DeskBusy
from andond.api.portal_data import ANSWER_TIMEOUT, DeskData
from config import PortalSettings
from domain import Event, Priority
from telemetry import counters, gauges


class Deaf(TrioActor):
    """A desk that answers nothing."""

    mailbox_limit = 1

    async def on_receive(self, _message: object) -> None:
        await trio.sleep_forever()


@pytest.fixture
def run():
    @asynccontextmanager
    async def running(desk: ChildSpec | None = None):
        portal = desk or ChildSpec("portal", PortalDesk, (PortalSettings(), lambda: 1_800_000_000.0))
        specs = [ChildSpec("channels", Supervisor), ChildSpec("desks", Supervisor, ([portal],))]
        async with ActorSystem.open() as system:
            await system.settled(system.start(Supervisor, "gateway", specs))
            yield DeskData(Address(system.environment, PORTAL_DESK))

    return running


async def test_what_is_read_is_what_the_desk_knows(run, autojump_clock):
    async with run() as data:
        block = Event("1", "/chain", "chain.block", {"blockHeight": 7}, 1_800_000_000.0, Priority.NORMAL)
        data._desk.tell(EventTaken(block))
        await trio.testing.wait_all_tasks_blocked()
        assert await data.read(lambda now, around: (now.block_height, around.uptime)) == (7, 0.0)


async def test_a_reading_that_fails_is_no_busy_desk(run, autojump_clock):
    def fail(_now, _around):
        raise RuntimeError("planted")

    async with run() as data:
        with pytest.raises(RuntimeError, match="planted"):
            await data.read(fail)


async def test_a_desk_that_does_not_answer_in_time_is_busy(run, autojump_clock):
    async with run(ChildSpec("portal", Deaf)) as data:
        for expected in (ANSWER_TIMEOUT, ANSWER_TIMEOUT, 0.0):
            began = trio.current_time()
            with pytest.raises(DeskBusy):
                await data.read(lambda now, _around: now.at)
            # The third finds the mailbox full, and need not wait.
            assert trio.current_time() - began == pytest.approx(expected)


async def test_without_a_desk_it_is_busy(autojump_clock):
    async with ActorSystem.open() as system:
        with pytest.raises(DeskBusy):
            await DeskData(Address(system.environment, PORTAL_DESK)).read(lambda now, _around: now.at)


async def test_what_goes_out_to_the_streams_is_the_daemons_own_count(run, autojump_clock):
    async with run() as data:
        counters.frames_sent += 1
        counters.published[2] += 1
        counters.broadcast_last = 0.25
        gauges.feed("connections", lambda: {"metrics": 3.0, "live": 1.0})
        try:
            told = await data.broadcasts()
        finally:
            gauges.forget("connections")
        assert dict(told.connections) == {"metrics": 3, "live": 1}
        assert (told.messages_sent, told.last_latency) == (counters.frames_sent, 0.25)
        assert dict((await data.broadcasts()).connections) == {}
