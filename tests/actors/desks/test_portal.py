from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio

from actors.desks import PortalDesk, ReadPortal
from actors.desks.portal import Tick
from actors.messages import EventTaken, Publish, Record
from actors.runtime import ChildSpec, Supervisor, ask
from config import PortalSettings
from domain import Priority, channel_of, parse_rfc3339

PATH = "gateway/desks/portal"
BEGIN = 1_800_000_000.0
HOST = {"cpuPercent": 12.5, "memoryUsedBytes": 2_048_000_000, "memoryTotalBytes": 8_000_000_000, "disks": {}}
INTERVALS = {
    "portal.tps": 1,
    "portal.block": 2,
    "portal.network": 3,
    "portal.validators": 5,
    "portal.metrics": 1,
    "portal.channel": 2,
    "portal.analytics": 1,
    "portal.realtime": 1,
}


def clock() -> float:
    return BEGIN + trio.current_time()


class Rig:
    """The portal's desk, and what it published."""

    def __init__(self, tree, published: list[Publish], recorded: list) -> None:
        self.tree = tree
        self.published = published
        self.recorded = recorded

    @property
    def ref(self):
        return self.tree.ref(PATH)

    def take(self, *events) -> None:
        for event in events:
            self.ref.tell(EventTaken(event))

    def of(self, type_: str) -> list:
        return [message.event for message in self.published if message.event.type == type_]

    def newest(self, type_: str):
        return self.of(type_)[-1].data


@pytest.fixture
def run(grow, keeper):
    @asynccontextmanager
    async def running(**options):
        published: list[Publish] = []
        spec = ChildSpec("portal", PortalDesk, (PortalSettings(**options), clock))
        recorded: list = []
        lasting = [ChildSpec("recorder", keeper, (recorded,)), ChildSpec("channels", keeper, (published,))]
        async with grow([*lasting, ChildSpec("desks", Supervisor, ([spec],))]) as tree:
            yield Rig(tree, published, recorded)

    return running


@pytest.fixture
def chain(make_event):
    """Makes an event of the chain that is told now."""

    def make(type_: str, **data):
        return make_event(type=type_, source="/chain", data=data)

    return make


# -- kept -------------------------------------------------------------------------------------------------


async def test_what_is_urgent_is_answered_for_by_the_recorder_and_learned_at_once(run, make_event, autojump_clock):
    answers: list[bool] = []
    jailed = make_event("1", Priority.CRITICAL, "validator.jailed", "/chain", {"validator": "v1"})
    async with run() as rig:
        rig.ref.tell(EventTaken(jailed, answers.append))
        rig.ref.tell(EventTaken(make_event("2", type="chain.block", source="/chain", data={}), answers.append))
        await rig.tree.settle()
        (record,) = [message for message in rig.recorded if type(message) is Record]
        assert record.event.id == "1"
        assert answers == [True]
        record.settled(True)
        assert answers == [True, True]
        assert rig.of("validator.jailed") == []


async def test_what_the_desk_makes_itself_is_not_kept(run, autojump_clock):
    async with run() as rig:
        await trio.sleep(10)
        assert rig.of("portal.metrics")
        assert rig.recorded == []


# -- time -------------------------------------------------------------------------------------------------


async def test_each_periodic_value_comes_at_its_interval_beginning_at_once(run, autojump_clock):
    async with run() as rig:
        await trio.sleep(60.5)
        for type_, interval in INTERVALS.items():
            moments = [parse_rfc3339(event.time) - BEGIN for event in rig.of(type_)]
            assert moments == pytest.approx([interval * number for number in range(60 // interval + 1)])


async def test_after_the_loop_stood_still_values_come_once_and_not_for_all_that_was_missed(run, mock_clock):
    async with run() as rig:
        await rig.tree.settle()
        mock_clock.jump(3600)
        await rig.tree.settle()
        assert len(rig.of("portal.tps")) <= 3
        before = len(rig.of("portal.tps"))
        mock_clock.jump(1)
        await rig.tree.settle()
        assert len(rig.of("portal.tps")) == before + 1


async def test_periodic_events_name_themselves_once_even_over_a_restart(run, autojump_clock):
    async with run() as rig:
        await trio.sleep(10)
        rig.ref.tell(Tick("portal.nonsense"))
        await trio.sleep(10)
        assert (await rig.tree.status(PATH)).restarts == 1
        names = [(message.event.source, message.event.id) for message in rig.published]
        assert len(names) > 60
        assert len(set(names)) == len(names)


async def test_periodic_values_go_to_the_channels_that_the_portals_doors_follow(run, autojump_clock):
    async with run() as rig:
        await rig.tree.settle()
        assert {channel_of(message.event) for message in rig.published} == {
            "portal/tps",
            "portal/blocks",
            "portal/network",
            "portal/validators",
            "portal/metrics",
            "panels/channel",
            "panels/analytics",
            "panels/realtime",
        }
        assert {message.priority for message in rig.published} == {Priority.NORMAL}


# -- values -----------------------------------------------------------------------------------------------


def unexplained(document) -> list[str]:
    reasons = document.get("reasons", {})
    return [name for name, value in document.items() if value is None and name not in reasons]


async def test_before_the_first_event_everything_is_null_with_a_reason(run, autojump_clock):
    async with run() as rig:
        await rig.tree.settle()
        for type_ in INTERVALS:
            assert unexplained(rig.newest(type_)) == []
        assert rig.newest("portal.tps")["currentTPS"] is None
        assert (
            rig.newest("portal.tps")["reasons"]["currentTPS"]
            == "no chain.transaction or chain.block event received yet"
        )
        assert rig.newest("portal.metrics")["reasons"]["cpu"] == "no host reading received yet"


async def test_posted_events_feed_every_stream(run, chain, autojump_clock):
    async with run() as rig:
        rig.take(
            chain("chain.block", blockHeight=7, blockTime=2000, transactions=500, producer="v1"),
            chain("validator.status", validator="v1", status="ACTIVE"),
            chain("validator.status", validator="v2", status="JAILED"),
            chain("chain.peer", peerId="p1", connected=True, latency=40),
            chain("chain.peer", peerId="p2", connected=False),
            chain("chain.transaction", txHash="0x1", status="SUCCESS", latencyMs=120),
        )
        await trio.sleep(5.5)
        block = rig.newest("portal.block")
        assert (block["blockHeight"], block["transactions"], block["producer"]) == (7, 500, "v1")
        network = rig.newest("portal.network")
        assert (network["activeNodes"], network["totalNodes"], network["avgLatency"]) == (1, 2, 40)
        validators = rig.newest("portal.validators")
        assert (validators["totalValidators"], validators["jailedValidators"]) == (2, 1)
        assert rig.newest("portal.tps")["latency"] == 120
        assert rig.newest("portal.metrics")["avgLatencyMs"] == 120


async def test_what_was_posted_goes_on_itself_with_its_own_priority(run, make_event, autojump_clock):
    jailed = make_event("j", Priority.CRITICAL, "validator.status", "/chain", {"validator": "v", "status": "JAILED"})
    async with run() as rig:
        rig.take(jailed)
        await rig.tree.settle()
        assert [(message.event is jailed, message.priority) for message in rig.recorded] == [(True, Priority.CRITICAL)]


async def test_values_that_have_gone_stale_are_null_with_their_age(run, chain, autojump_clock):
    async with run(stale_after=30.0) as rig:
        rig.take(chain("chain.block", blockHeight=7, blockTime=2000, transactions=500))
        await trio.sleep(20)
        assert rig.newest("portal.block")["blockHeight"] == 7
        await trio.sleep(20)
        block = rig.newest("portal.block")
        assert block["blockHeight"] is None
        assert "came 40 s ago" in block["reasons"]["blockHeight"] or "came 38 s ago" in block["reasons"]["blockHeight"]


async def test_the_host_feeds_the_metrics_and_goes_stale(run, make_event, autojump_clock):
    async with run(stale_after=30.0) as rig:
        rig.take(make_event(type="host.metrics", data=HOST))
        await trio.sleep(1.5)
        assert rig.newest("portal.metrics")["cpu"] == 12.5
        assert rig.newest("portal.metrics")["memory"] == 2048
        await trio.sleep(40)
        assert rig.newest("portal.metrics")["cpu"] is None


@pytest.mark.parametrize("data", [None, 7, "x", [], {"blockHeight": "seven"}, {"blockHeight": -1}])
async def test_an_event_with_faults_changes_nothing_and_harms_nobody(run, make_event, autojump_clock, data):
    async with run() as rig:
        for type_ in ("chain.block", "chain.transaction", "validator.status", "chain.peer", "host.metrics", "chain.x"):
            rig.take(make_event(type=type_, data=data))
        await trio.sleep(3)
        status = await rig.tree.status(PATH)
        assert status.restarts == 0
        assert status.description["refused"] == 4
        assert rig.newest("portal.block")["blockHeight"] is None


# -- questions --------------------------------------------------------------------------------------------


async def test_what_is_asked_is_answered_from_the_present_view(run, chain, autojump_clock):
    async with run() as rig:
        rig.take(chain("chain.block", blockHeight=7))
        await trio.sleep(2)
        height, at, uptime = await ask(
            rig.ref, ReadPortal(lambda now, around: (now.block_height, now.at, around.uptime))
        )
        assert (height, at, uptime) == (7, clock(), pytest.approx(2.0))


async def test_a_question_that_fails_is_the_askers_trouble(run, autojump_clock):
    def fail(_now, _around):
        raise RuntimeError("planted")

    async with run() as rig:
        with pytest.raises(RuntimeError, match="planted"):
            await ask(rig.ref, ReadPortal(fail))
        assert (await rig.tree.status(PATH)).restarts == 0


async def test_the_history_has_a_row_a_second_for_a_minute(run, autojump_clock):
    async with run() as rig:
        await trio.sleep(100.5)
        rows = await ask(rig.ref, ReadPortal(lambda now, _around: list(now.view.history)))
    moments = [parse_rfc3339(row["timestamp"]) for row in rows]
    assert len(rows) == 60
    assert moments[-1] - moments[0] == pytest.approx(59)


async def test_the_desk_says_what_it_has_heard(run, chain, autojump_clock):
    async with run() as rig:
        rig.take(chain("chain.block", blockHeight=7))
        await trio.sleep(3)
        says = (await rig.tree.status(PATH)).description
    assert list(says["heard"]) == ["chain.block"]
    assert parse_rfc3339(says["heard"]["chain.block"]) == pytest.approx(BEGIN)
