from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from actors.pulse import BEAT, COLLECT_INTERVAL, QUIET_CONNECTIONS, Pulse
from actors.runtime import ChildSpec
from telemetry import gauges

PATH = "gateway/pulse"


@pytest.fixture
def run(grow):
    @asynccontextmanager
    async def running(connections=lambda: 0) -> AsyncIterator[object]:
        async with grow([ChildSpec("pulse", Pulse, (connections,))]) as tree:
            yield tree

    return running


async def test_a_loop_that_turns_in_time_has_no_lag(run, autojump_clock):
    async with run() as tree:
        await trio.sleep(10)
        assert gauges.read("loop_lag") == 0.0
        assert (await tree.status(PATH)).description["lag_ms"] == 0.0


async def test_the_worst_lag_of_the_last_second_is_told(run, mock_clock):
    async with run() as tree:
        await tree.settle()
        mock_clock.jump(BEAT + 3.0)
        await tree.settle()
        assert gauges.read("loop_lag") == pytest.approx(3.0)
        for _ in range(3):
            mock_clock.jump(BEAT)
            await tree.settle()
            assert gauges.read("loop_lag") == pytest.approx(3.0)
        mock_clock.jump(BEAT)
        await tree.settle()
        assert gauges.read("loop_lag") == pytest.approx(0.0, abs=1e-6)


async def test_what_survived_is_kept_out_of_the_collectors_sight_and_given_back_at_the_end(run, autojump_clock):
    async with run() as tree:
        await trio.sleep(1)
        frozen = gc.get_freeze_count()
        assert frozen > 1000
        kept = [[] for _ in range(5000)]
        await trio.sleep(1)
        assert gc.get_freeze_count() >= frozen + 4000
        assert (await tree.status(PATH)).description["frozen"] > 0
        assert len(kept) == 5000
    assert gc.get_freeze_count() == 0
    assert gauges.read("loop_lag") is None


class Cycle:
    """Garbage that only the collector can find."""

    alive = 0

    def __init__(self) -> None:
        self.me = self
        Cycle.alive += 1

    def __del__(self) -> None:
        Cycle.alive -= 1


async def test_now_and_then_everything_is_collected_while_few_clients_could_notice(run, autojump_clock):
    connections = [QUIET_CONNECTIONS + 1]
    async with run(lambda: connections[0]):
        Cycle()
        await trio.sleep(COLLECT_INTERVAL + 1)
        assert Cycle.alive == 1
        connections[0] = QUIET_CONNECTIONS
        await trio.sleep(1)
        assert Cycle.alive == 0
        Cycle()
        await trio.sleep(COLLECT_INTERVAL - 10)
        assert Cycle.alive == 1
        await trio.sleep(20)
        assert Cycle.alive == 0
