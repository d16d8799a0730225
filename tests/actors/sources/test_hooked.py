from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from actors.hooks import Found, Installed
from actors.runtime import ChildSpec, Supervisor
from actors.sources.hooked import HookedSource
from config import HookSource as HookSettings
from config import HooksSettings
from domain import Priority
from domain.hooks import Draft, EventType, Hook, Intent, SourceTable

PATH = "gateway/gauge"
BEGIN = 1_800_000_000.0
SETTINGS = HookSettings(hook="line4/gauge", equipment="acme/press1", cadence=2.0, options={"port": 4001})


@pytest.fixture
def patient_clock() -> trio.testing.MockClock:
    """Virtual time that waits a moment of real time for the hook's thread."""
    return trio.testing.MockClock(autojump_threshold=0.02)


class Gauge:
    """Answers each question with what ``answer`` makes of it."""

    def __init__(self, answer: Callable[[], Iterable[Draft]]) -> None:
        self.read = answer
        self.closed = threading.Event()
        self.close = self.closed.set
        self.tables: list[SourceTable] = []

    def made(self, table: SourceTable) -> Gauge:
        self.tables.append(table)
        return self


@pytest.fixture
def run(grow, keeper):
    @asynccontextmanager
    async def running(gauge: Gauge | None, told: list, limit: float = 5.0, **parts: object):
        hook = Hook(sources={} if gauge is None else {"gauge": gauge.made}, **parts)
        installed = Installed([Found("line4", hook)], HooksSettings(timeout=limit))
        desks = [ChildSpec("floor", keeper, (told,)), ChildSpec("portal", keeper, ([],))]
        options = {"clock": lambda: BEGIN + trio.current_time(), "installed": installed}
        source = ChildSpec("gauge", HookedSource, ("gauge", SETTINGS), options)
        async with grow([ChildSpec("desks", Supervisor, (desks,)), source]) as tree:
            yield tree

    return running


def reading(value: float = 1.5) -> list[Draft]:
    return [Draft("equipment.reading", {"value": value}, subject="force")]


async def test_the_source_is_asked_once_every_cadence(run, patient_clock):
    told: list = []
    gauge = Gauge(reading)
    async with run(gauge, told) as tree:
        await trio.sleep(7)
        says = (await tree.status(PATH)).description
        assert (says["state"], says["events"], says["hook"]) == ("fresh", 4, "line4/gauge")
    events = [message.event for message in told]
    assert [event.recorded - BEGIN for event in events] == pytest.approx([0, 2, 4, 6], abs=0.1)
    assert {event.source for event in events} == {"/acme/press1"}
    assert len({event.id for event in events}) == 4
    assert gauge.tables == [SourceTable("gauge", "acme/press1", 2.0, {"port": 4001})]
    assert gauge.closed.is_set()


async def test_a_source_that_cannot_be_reached_is_asked_again(run, patient_clock):
    told: list = []
    answers = iter([ConnectionRefusedError("nobody there"), ConnectionRefusedError("nobody there"), None])

    def answer():
        error = next(answers, None)
        if error is not None:
            raise error
        return reading()

    async with run(Gauge(answer), told) as tree:
        await trio.sleep(1)
        says = (await tree.status(PATH)).description
        assert (says["state"], says["reason"]) == ("stale", "nobody there")
        await trio.sleep(4)
        says = (await tree.status(PATH)).description
        assert (says["state"], says["reason"]) == ("fresh", None)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: [Intent("andon.raise")], "a source words events"),
        (lambda: [Draft("host.metrics")], "gateway's own word"),
        (lambda: [Draft("press.overloaded", {})], "/data/force"),
        (lambda: ["text"], "neither a Draft nor an Intent"),
    ],
)
async def test_a_source_that_fails_is_in_quarantine(run, patient_clock, given, reason):
    told: list = []
    types = (EventType("press.overloaded", Priority.HIGH, "", {"force": "number"}),)
    async with run(Gauge(given), told, types=types) as tree:
        await trio.sleep(7)
        says = (await tree.status(PATH)).description
        assert says["state"] == "quarantined"
        assert reason in says["reason"]
        assert (await tree.status(PATH)).restarts == 0
    assert [message.event.type for message in told] == ["hook.quarantined"]


async def test_a_source_that_hangs_is_in_quarantine(run, patient_clock):
    hangs = threading.Event()
    told: list = []
    async with run(Gauge(hangs.wait), told, limit=3.0) as tree:
        await trio.sleep(7)
        assert (await tree.status(PATH)).description["reason"] == "did not return within 3 s"
    hangs.set()
    assert len(told) == 1


async def test_a_table_without_its_hook_is_missing_and_says_so(run, patient_clock):
    told: list = []
    async with run(None, told) as tree:
        await trio.sleep(7)
        says = (await tree.status(PATH)).description
        assert (says["state"], says["reason"]) == ("missing", "no such hook is installed")
        assert (await tree.status(PATH)).restarts == 0
    assert told == []
