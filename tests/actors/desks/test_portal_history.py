"""The chain's history from the portal's desk to the file and back, in virtual time."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio

from actors.desks import PortalDesk, ReadPortal, ReadSeries, SeriesKeeper
from actors.desks.portal_history import PortalHistory
from actors.messages import EventTaken, Keep, Publish, Record
from actors.recorder.disk import at_once
from actors.runtime import ActorSystem, ChildSpec, Supervisor, TrioActor, ask
from config import PortalSettings
from domain import Event, Priority, rfc3339
from domain.chain import DAY, HOUR, MINUTE, Cell, whole_of
from domain.chain.sampling import LONGEST

BEGIN = 1_800_000_000.0
HOST = {"cpuPercent": 12.5, "memoryUsedBytes": 2_048_000_000}


class Sink(TrioActor):
    """Takes what it is told."""

    mailbox_limit = 100_000

    def on_receive(self, message: object) -> None:
        assert isinstance(message, Publish | Record | Keep)


class Rig:
    """Desk and keeper with a directory of their own; ``offset`` is the time between two runs.

    The file is used where the loop is: a clock that jumps would not wait for a thread.
    """

    def __init__(self, directory) -> None:
        self.directory = directory
        self.offset = 0.0
        self.height = 0
        self.system: ActorSystem | None = None

    def clock(self) -> float:
        return BEGIN + self.offset + trio.current_time()

    @asynccontextmanager
    async def running(self):
        desks = [
            ChildSpec("series", SeriesKeeper, (self.directory,), {"clock": self.clock, "run": at_once}),
            ChildSpec("portal", PortalDesk, (PortalSettings(), self.clock)),
        ]
        specs = [ChildSpec("recorder", Sink), ChildSpec("channels", Sink), ChildSpec("desks", Supervisor, (desks,))]
        async with ActorSystem.open() as system:
            root = system.start(Supervisor, "gateway", specs)
            await system.settled(root)
            self.system = system
            yield self
            root.stop(block=False)
            await system.settled(root)

    def take(self, type_: str, *, late: float = 0.0, **data) -> None:
        at = self.clock()
        event = Event("1", "/chain", type_, data, at, Priority.NORMAL, time=rfc3339(at - late) if late else None)
        self._ref("portal").tell(EventTaken(event))

    async def blocks(self, seconds: int, transactions: int) -> None:
        for _ in range(seconds):
            self.height += 1
            self.take("chain.block", blockHeight=self.height, blockTime=1000, transactions=transactions)
            await trio.sleep(1)

    async def read(self, reading):
        return await ask(self._ref("portal"), ReadPortal(lambda now, _around: reading(now)), 5.0)

    async def kept(self, span: int = MINUTE) -> dict[int, Cell]:
        read = await ask(self._ref("series"), ReadSeries(span, 0, 2 * BEGIN, 100_000), 5.0)
        return {at - int(BEGIN): cell for at, cell in read.cells.items()}

    def _ref(self, name: str):
        return self.system.environment.registry.get(f"gateway/desks/{name}")


@pytest.fixture
def rig(tmp_path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def fleeting() -> Rig:
    """A rig without a directory."""
    return Rig(None)


async def test_each_minute_is_kept_when_it_has_ended_with_all_that_it_had(fleeting, autojump_clock):
    async with fleeting.running() as rig:
        rig.take("host.metrics", **HOST)
        rig.take("validator.status", validator="v1", status="ACTIVE")
        rig.take("validator.status", validator="v2", status="JAILED")
        rig.take("chain.peer", peerId="p", connected=True)
        await rig.blocks(125, 10)
        kept = await rig.kept()
        assert list(kept) == [0, 60]
        minute = kept[60]
        assert (minute.transactions, minute.live, minute.blocks, minute.height) == (600, 600, 60, 120)
        assert minute.rate == pytest.approx(10, rel=0.02)
        assert minute.peak == pytest.approx(10, rel=0.2)
        assert minute.block_time.mean == 1000
        assert minute.covered_ms == pytest.approx(60_000, abs=1100)
        assert minute.validators[1:] == (2, 1)
        assert minute.nodes[1:] == (1, 1)
        assert kept[0].cpu.mean == 12.5
        assert kept[0].memory.mean == 2048


async def test_transactions_are_counted_with_their_latency_finality_and_failures(fleeting, autojump_clock):
    async with fleeting.running() as rig:
        for number in range(10):
            status = "FAILED" if number < 2 else "SUCCESS"
            rig.take("chain.transaction", txHash=f"0x{number}", status=status, latencyMs=10 * number, finalityMs=500)
        rig.take("chain.transaction", txHash="0x1", status="SUCCESS", latencyMs=9999)
        await trio.sleep(61)
        minute = (await rig.kept())[0]
        assert (minute.transactions, minute.confirmed, minute.failed) == (10, 8, 2)
        assert (minute.latency.count, minute.latency.mean, minute.latency.most) == (10, 45, 90)
        assert minute.finality.mean == 500


async def test_what_comes_late_counts_in_the_total_of_its_own_minute_and_in_no_rate(fleeting, autojump_clock):
    async with fleeting.running() as rig:
        await rig.blocks(130, 10)
        rig.take("chain.transaction", txHash="0xold", status="SUCCESS", late=100.0)
        rig.take("chain.block", blockHeight=1000, blockTime=1000, transactions=7, late=100.0)
        await rig.blocks(60, 10)
        minute = (await rig.kept())[0]
        assert (minute.transactions, minute.live) == (607, 600)
        assert minute.rate == pytest.approx(10, rel=0.02)


async def test_a_block_that_two_nodes_tell_counts_once(fleeting, autojump_clock):
    async with fleeting.running() as rig:
        for _ in range(2):
            rig.take("chain.block", blockHeight=5, blockTime=1000, transactions=9)
        await trio.sleep(61)
        minute = (await rig.kept())[0]
        assert (minute.transactions, minute.blocks, minute.block_time.count) == (9, 1, 1)


async def test_hours_and_days_are_there_as_soon_as_their_minutes(fleeting, autojump_clock):
    async with fleeting.running() as rig:
        await rig.blocks(185, 10)
        for span in (HOUR, DAY):
            assert whole_of((await rig.kept(span)).values()) == whole_of((await rig.kept()).values())


async def test_in_a_time_without_a_word_of_the_chain_nothing_is_covered_and_there_is_no_rate(fleeting, autojump_clock):
    async with fleeting.running() as rig:
        await rig.blocks(20, 10)
        await trio.sleep(300)
        kept = await rig.kept()
        assert list(kept) == [0, 60, 120, 180, 240]
        assert kept[240].rate is None
        # What flows is stale after 30 s.
        assert kept[0].covered_ms == pytest.approx(50_000, abs=2000)


async def test_a_loop_that_stood_still_has_not_watched(fleeting, mock_clock):
    mock_clock.autojump_threshold = 0
    async with fleeting.running() as rig:
        await rig.blocks(10, 10)
        mock_clock.jump(25)
        await rig.blocks(2, 10)
        covered = sum(cell.covered_ms for cell in (await rig.read(lambda now: now.view.tally.copy())).values())
        assert covered <= 1000 * (12 + LONGEST + 1)


# -- over a restart ---------------------------------------------------------------------------------------


async def test_a_restart_keeps_the_peak_and_goes_on_with_the_minute(rig, autojump_clock):
    async with rig.running():
        await rig.blocks(30, 500)
        peak = await rig.read(lambda now: now.peak_tps)
        assert peak > 400
    rig.offset += 5
    async with rig.running():
        assert await rig.read(lambda now: now.peak_tps) == peak
        await rig.blocks(40, 10)
        assert await rig.read(lambda now: now.peak_tps) == peak
    async with rig.running():
        minute = whole_of((await rig.kept()).values())
        assert minute.transactions == 30 * 500 + 40 * 10


async def test_blocks_that_are_read_again_after_a_restart_are_not_counted_again(rig, autojump_clock):
    async with rig.running():
        await rig.blocks(30, 10)
        peak = await rig.read(lambda now: now.peak_tps)
    rig.offset += 5
    async with rig.running():
        for age in range(15, 0, -1):
            height = rig.height + 6 - age
            rig.take("chain.block", late=float(age), blockHeight=height, blockTime=1000, transactions=10)
            rig.take("chain.transaction", late=float(age), txHash=f"0x{height}", status="FAILED", blockHeight=height)
        rig.height += 5
        await rig.blocks(10, 10)
        assert await rig.read(lambda now: now.peak_tps) == peak
    async with rig.running():
        whole = whole_of((await rig.kept()).values())
        assert (whole.transactions, whole.blocks, whole.failed, whole.height) == (450, 45, 5, 45)
        assert whole.rate == pytest.approx(10, rel=0.1)


async def test_a_peak_is_forgotten_after_a_day(rig, autojump_clock):
    async with rig.running():
        await rig.blocks(30, 500)
    rig.offset += DAY + 120
    async with rig.running():
        await rig.blocks(30, 10)
        assert await rig.read(lambda now: now.peak_tps) < 20


async def test_a_daemon_that_is_killed_loses_no_more_than_the_running_minute(rig, autojump_clock, monkeypatch):
    async def killed(_self, _at):
        """Nothing is handed over at the end."""

    monkeypatch.setattr(PortalHistory, "close", killed)
    async with rig.running():
        await rig.blocks(110, 10)
        peak = await rig.read(lambda now: now.peak_tps)
    async with rig.running():
        kept = await rig.kept()
        assert list(kept) == [0]
        assert kept[0].transactions == 600
        assert await rig.read(lambda now: now.peak_tps) == pytest.approx(peak, rel=0.1)


async def test_without_a_keeper_the_desk_goes_on_and_the_minutes_wait(autojump_clock):
    rig = Rig(None)
    desks = [ChildSpec("portal", PortalDesk, (PortalSettings(), rig.clock))]
    specs = [ChildSpec("recorder", Sink), ChildSpec("channels", Sink), ChildSpec("desks", Supervisor, (desks,))]
    async with ActorSystem.open() as system:
        await system.settled(system.start(Supervisor, "gateway", specs))
        rig.system = system
        await rig.blocks(200, 10)
        waiting = await rig.read(lambda now: now.view.tally.copy())
        assert [at - int(BEGIN) for at in waiting] == [0, 60, 120, 180]
        assert await rig.read(lambda now: now.peak_tps) == 10
