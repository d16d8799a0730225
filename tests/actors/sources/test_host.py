from __future__ import annotations

import os
import socket
import threading
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from actors.runtime import ChildSpec, Supervisor
from actors.sources import HostSource
from actors.sources.host import DISK_TIMEOUT
from config import HostSource as HostSettings
from domain import parse_rfc3339
from telemetry import counters

PATH = "gateway/host"
BEGIN = 1_800_000_000.0


@pytest.fixture
def patient_clock() -> trio.testing.MockClock:
    """Virtual time that waits a moment of real time for the threads that ask the disks."""
    return trio.testing.MockClock(autojump_threshold=0.02)


@pytest.fixture
def run(grow, keeper):
    @asynccontextmanager
    async def running(told: list, **options):
        desks = [ChildSpec("floor", keeper, ([],)), ChildSpec("portal", keeper, (told,))]
        source = ChildSpec("host", HostSource, ("host", HostSettings(**options), lambda: BEGIN + trio.current_time()))
        async with grow([ChildSpec("desks", Supervisor, (desks,)), source]) as tree:
            yield tree

    return running


async def test_the_host_is_read_once_every_cadence(run, patient_clock):
    told: list = []
    async with run(told, cadence=2.0) as tree:
        assert (await tree.status(PATH)).description["state"] == "stale"
        await trio.sleep(10.5)
        says = (await tree.status(PATH)).description
        assert (says["state"], says["events"]) == ("fresh", 5)
    moments = [parse_rfc3339(message.event.time) - BEGIN for message in told]
    assert moments == pytest.approx([2, 4, 6, 8, 10], abs=0.1)


async def test_a_reading_has_what_this_machine_says_of_itself(run, patient_clock):
    told: list = []
    async with run(told, equipment="acme/plant1/gateway") as tree:
        await trio.sleep(1.5)
        assert (await tree.status(PATH)).restarts == 0
    event = told[0].event
    assert (event.type, event.source, event.subject) == ("host.metrics", "/acme/plant1/gateway", socket.gethostname())
    data = event.data
    assert 0 <= data["cpuPercent"] <= 100 * data["cpuCount"]
    assert data["cpuCount"] == os.cpu_count()
    assert len(data["loadAverage"]) == 3
    assert 0 < data["memoryUsedBytes"] < data["memoryTotalBytes"]
    assert 0 < data["processMemoryBytes"] < data["memoryTotalBytes"]
    assert data["disks"]["/"]["totalBytes"] == os.statvfs("/").f_blocks * os.statvfs("/").f_frsize
    assert data["diskPercent"] == data["disks"]["/"]["percent"]


async def test_without_a_place_the_source_is_the_machines_name(run, patient_clock):
    told: list = []
    async with run(told):
        await trio.sleep(1.5)
    assert told[0].event.source == f"/hosts/{socket.gethostname()}"


async def test_the_daemons_own_rates_are_those_between_two_readings(run, patient_clock):
    told: list = []
    async with run(told):
        await trio.sleep(0.5)
        counters.published[2] += 30
        counters.frames_sent += 300
        counters.broadcast_latency.observe(0.004, 100)
        await trio.sleep(2)
    first, second = (message.event.data for message in told[:2])
    assert (first["eventRate"], first["deliveryRate"]) == (30.0, 300.0)
    assert 2.5 <= first["deliveryP50Ms"] <= 5
    assert 2.5 <= first["deliveryP99Ms"] <= 5
    assert (second["eventRate"], second["deliveryRate"]) == (0.0, 0.0)
    assert (second["deliveryP50Ms"], second["deliveryP99Ms"]) == (None, None)


async def test_a_reading_has_an_id_of_its_own_even_over_a_restart(run, patient_clock, monkeypatch):
    told: list = []
    async with run(told) as tree:
        await trio.sleep(3.5)
        with monkeypatch.context() as patch:
            patch.setattr("psutil.virtual_memory", fail)
            await trio.sleep(1)
        await trio.sleep(3)
        status = await tree.status(PATH)
        assert status.restarts > 0
        assert status.state == "running"
    ids = [message.event.id for message in told]
    assert len(ids) > 5
    assert len(set(ids)) == len(ids)


def fail(*_args) -> None:
    raise RuntimeError("planted")


# -- disks ------------------------------------------------------------------------------------------------


async def test_a_disk_that_is_not_there_is_null_with_the_reason(run, patient_clock, tmp_path):
    told: list = []
    lost = str(tmp_path / "lost")
    async with run(told, disks=("/", lost)):
        await trio.sleep(1.5)
    data = told[0].event.data
    assert data["disks"][lost] == {
        "usedBytes": None,
        "totalBytes": None,
        "percent": None,
        "reason": "No such file or directory",
    }
    assert data["diskPercent"] == data["disks"]["/"]["percent"]


async def test_without_any_disk_the_figure_to_watch_is_null(run, patient_clock):
    told: list = []
    async with run(told, disks=()):
        await trio.sleep(1.5)
    assert told[0].event.data["diskPercent"] is None
    assert told[0].event.data["disks"] == {}


async def test_disks_that_do_not_answer_cost_one_thread_each_and_delay_one_reading(run, patient_clock, monkeypatch):
    told: list = []
    released = threading.Event()
    asked: list[str] = []

    def usage(path: str):
        asked.append(path)
        if path != "/":
            released.wait(20)
        return SimpleNamespace(used=1, total=2, percent=50.0)

    monkeypatch.setattr("psutil.disk_usage", usage)
    try:
        async with run(told, disks=("/", "/hangs", "/hangs/too")) as tree:
            await trio.sleep(20.5)
            assert (await tree.status(PATH)).description["state"] == "fresh"
            moments = [message.event.recorded - BEGIN for message in told]
            assert moments[0] == pytest.approx(1 + DISK_TIMEOUT, abs=0.1)
            assert len(moments) >= 18
            for message in told:
                disks = message.event.data["disks"]
                assert disks["/"]["percent"] == message.event.data["diskPercent"] == 50.0
                assert disks["/hangs"]["reason"] == disks["/hangs/too"]["reason"] == "did not answer within 2 s"
            assert [asked.count(path) for path in ("/hangs", "/hangs/too")] == [1, 1]
            # Others find a thread as well.
            with trio.fail_after(5):
                await trio.to_thread.run_sync(int)
            released.set()
            await trio.sleep(3)
            assert told[-1].event.data["disks"]["/hangs"]["percent"] == 50.0
    finally:
        released.set()
