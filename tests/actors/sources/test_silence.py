from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.messages import EventTaken, TakeEvents
from actors.places import SOURCES, Address
from actors.runtime import ActorSystem, ChildSpec, Policy, Supervisor, TrioActor, ask
from actors.sources import ApplySources, Roll, Sources, Vigil, find_source
from actors.sources.silence import LOOK
from actors.sources.sources import KINDS
from config import HostSource, HttpSource, MtconnectSource
from domain import Priority
from telemetry import counters

BEGIN = 1_800_000_000.0
WITHIN = 1.0
HTTP = HttpSource(cadence=5.0, required=True, equipment="acme/plant1")
PRESS = MtconnectSource(address="127.0.0.1:1", equipment="acme/press3", cadence=4.0, required=True)
HOST = HostSource(cadence=1.0)


def member(number: int):
    return {"specversion": "1.0", "id": str(number), "source": "/acme/press3", "type": "acme.thing.happened"}


class Ill(TrioActor):
    """A source that fails at once, or hangs in whatever it is told."""

    has_tasks = True

    def __init__(self, name: str, settings, freshness, **_more) -> None:
        super().__init__()
        del name, freshness
        self._fails = settings.equipment == "fails/always"

    async def setup(self) -> None:
        if self._fails:
            raise RuntimeError("planted")

    async def on_receive(self, _message: object) -> None:
        await trio.sleep_forever()


class Desk(TrioActor):
    """Notes when it was told what; while ``is_away`` it takes nothing."""

    mailbox_limit = 1

    def __init__(self, told: list, doors: dict) -> None:
        super().__init__()
        self._told = told
        self._doors = doors

    async def on_receive(self, message: object) -> None:
        while self._doors.get("closed"):  # noqa: ASYNC110
            await trio.sleep(0.1)
        assert type(message) is EventTaken
        self._told.append((trio.current_time(), message.event))


class Rig:
    def __init__(self, tree, present: dict, told: list, doors: dict) -> None:
        self.tree = tree
        self.present = present
        self.told = told
        self.doors = doors
        self.sources = Address(tree.system.environment, SOURCES)

    def words(self, name: str) -> list[tuple[float, str]]:
        return [
            (round(at, 3), event.type)
            for at, event in self.told
            if event.subject == name and event.type in {"source.silent", "source.returned"}
        ]

    def notices(self) -> list:
        return [event for _, event in self.told if event.type in {"source.silent", "source.returned"}]

    async def post(self, number: int) -> None:
        await ask(await find_source(self.sources, "http"), TakeEvents([member(number)]))

    async def apply(self, **wanted) -> None:
        self.present.clear()
        self.present.update(wanted)
        await ask(self.sources.ref, ApplySources())


@pytest.fixture
def run(grow, keeper):
    @asynccontextmanager
    async def running(policy: Policy | None = None, **present):
        told: list = []
        doors: dict = {}
        roll = Roll()
        desks = [ChildSpec("floor", Desk, (told, doors)), ChildSpec("portal", keeper, ([],))]
        specs = [
            ChildSpec("desks", Supervisor, (desks,)),
            ChildSpec("sources", Sources, (lambda: present, roll)),
            ChildSpec("vigil", Vigil, (lambda: present, roll, lambda: BEGIN + trio.current_time())),
        ]
        async with grow(specs, policy) as tree:
            yield Rig(tree, present, told, doors)
            doors.clear()

    return running


async def test_a_source_that_never_speaks_is_told_of_counted_from_its_start(run, autojump_clock):
    before = counters.source_silences["http"]
    async with run(http=HTTP) as rig:
        await trio.sleep(60)
        ((at, word),) = rig.words("http")
        assert word == "source.silent"
        assert 10.0 <= at <= 10.0 + WITHIN
        (event,) = rig.notices()
        assert (event.priority, event.source, event.subject) == (Priority.CRITICAL, "/acme/plant1", "http")
        assert event.data["last"] is None
        assert (await rig.tree.status("gateway/vigil")).description == {"silent": {"http": event.data["since"]}}
    assert counters.source_silences["http"] == before + 1


async def test_a_word_ends_the_silence(run, autojump_clock):
    async with run(http=HTTP) as rig:
        await trio.sleep(30)
        await rig.post(1)
        await trio.sleep(2 * LOOK)
        assert [word for _, word in rig.words("http")] == ["source.silent", "source.returned"]
        assert rig.notices()[-1].data["silence"] == pytest.approx(30, abs=2 * LOOK)
        await trio.sleep(20)
        assert [word for _, word in rig.words("http")][2:] == ["source.silent"]
        assert rig.notices()[-1].data["last"] is not None


async def test_who_keeps_its_cadence_is_never_told_of(run, autojump_clock):
    async with run(http=HTTP) as rig:
        for number in range(40):
            await rig.post(number)
            await trio.sleep(9.9)
        assert rig.words("http") == []


async def test_the_host_is_watched_like_anybody(run, autojump_clock, monkeypatch):
    async def stuck(self) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr("actors.sources.host.HostSource._read_for_ever", stuck)
    async with run(host=HOST) as rig:
        await trio.sleep(10)
        ((at, _),) = rig.words("host")
        assert 2.0 <= at <= 2.0 + WITHIN
        assert rig.notices()[0].source == "/andond/sources/host"
        assert rig.notices()[0].priority is Priority.HIGH


@pytest.mark.parametrize("equipment", ["fails/always", "acme/press3"])
async def test_a_source_that_is_restarted_for_ever_or_stuck_is_told_of_once(
    run, autojump_clock, monkeypatch, equipment
):
    monkeypatch.setitem(KINDS, MtconnectSource, Ill)
    settings = MtconnectSource(address="127.0.0.1:1", equipment=equipment, cadence=4.0, required=True)
    async with run(press3=settings) as rig:
        (await find_source(rig.sources, "mtconnect")).tell("hang")
        await trio.sleep(120)
        ((at, _),) = rig.words("press3")
        assert 8.0 <= at <= 8.0 + WITHIN


async def test_a_source_that_cannot_even_be_made_is_told_of(run, autojump_clock, monkeypatch):
    class Unmade(Ill):
        def __init__(self, *_args, **_more) -> None:
            raise RuntimeError("planted")

    monkeypatch.setitem(KINDS, MtconnectSource, Unmade)
    async with run(Policy(intensity=1000), press3=PRESS) as rig:
        await trio.sleep(60)
        assert [word for _, word in rig.words("press3")] == ["source.silent"]


async def fail() -> None:
    raise RuntimeError("planted")


async def break_source(rig: Rig) -> None:
    (await find_source(rig.sources, "http")).tell(TakeEvents(None))  # type: ignore[arg-type]


async def break_sources(rig: Rig) -> None:
    rig.tree.ref(SOURCES).actor_inbox.owner._running = None
    rig.sources.tell(ApplySources())


async def break_vigil(rig: Rig) -> None:
    rig.tree.ref("gateway/vigil").actor_inbox.owner.start_task(fail)


@pytest.mark.parametrize("break_", [break_source, break_sources, break_vigil])
async def test_a_restart_of_anybody_neither_forgets_nor_repeats(run, autojump_clock, break_):
    async with run(Policy(intensity=1000), http=HTTP) as rig:
        await rig.post(1)
        await trio.sleep(6)
        await break_(rig)
        await trio.sleep(20)
        ((at, _),) = rig.words("http")
        assert 10.0 <= at <= 10.0 + WITHIN
        await break_(rig)
        await trio.sleep(20)
        assert len(rig.words("http")) == 1
        await rig.post(2)
        await trio.sleep(1)
        assert [word for _, word in rig.words("http")] == ["source.silent", "source.returned"]
        restarts = sum(status.restarts for status in (await rig.tree.status("gateway")).walk())
        assert restarts == 2


@pytest.mark.parametrize(
    ("wanted", "cause"), [({}, "removed"), ({"http": HttpSource(cadence=50.0)}, "changed"), ({"http": HTTP}, None)]
)
async def test_a_reload_that_takes_the_promise_away_ends_the_silence(run, autojump_clock, wanted, cause):
    async with run(http=HTTP) as rig:
        await trio.sleep(15)
        await rig.apply(**wanted)
        await trio.sleep(40)
        told = [(event.type, event.data.get("cause")) for event in rig.notices()]
        assert told == [("source.silent", None), *([("source.returned", cause)] if cause else [])]


async def test_a_reload_that_is_taken_back_does_not_lose_sight_of_the_source(run, autojump_clock):
    async with run(http=HTTP) as rig:
        other = HttpSource(cadence=5.0, required=True, equipment="acme/plant1", duplicates=7)
        rig.present["http"] = other
        await trio.sleep(1)
        rig.present["http"] = HTTP
        for number in range(10):
            await rig.post(number)
            await trio.sleep(9)
        assert rig.words("http") == []


async def test_what_the_desk_had_no_room_for_is_told_when_it_has(run, autojump_clock):
    async with run(http=HTTP, press3=PRESS, press4=PRESS) as rig:
        rig.doors["closed"] = True
        await trio.sleep(60)
        assert rig.notices() == []
        rig.doors.clear()
        await trio.sleep(5)
        assert sorted(event.subject for event in rig.notices()) == ["http", "press3", "press4"]
        # One was in the desk's hand and one waited; for the third there was no room.
        assert [event.data["silence"] > 40 for event in rig.notices()] == [False, False, True]


async def test_when_the_whole_daemon_stood_still_nobody_was_silent(run, mock_clock):
    async with run(http=HTTP) as rig:
        await rig.tree.settle()
        mock_clock.jump(3600.0)
        await rig.tree.settle()
        assert rig.words("http") == []
        for _ in range(int(10 / LOOK) - 2):
            mock_clock.jump(LOOK)
            await rig.tree.settle()
        assert rig.words("http") == []
        for _ in range(int(WITHIN / LOOK) + 2):
            mock_clock.jump(LOOK)
            await rig.tree.settle()
        assert len(rig.words("http")) == 1


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cadence=st.floats(0.5, 5.0),
    gaps=st.lists(st.floats(0.01, 20.0), max_size=10),
    restarts=st.sets(st.integers(0, 9), max_size=3),
)
def test_whatever_the_pattern_of_words_a_silence_is_told_in_time_in_turns_and_nobody_is_accused(
    cadence, gaps, restarts
):
    """The source and the one who looks are begun anew before some of the words."""
    spoken, told = trio.run(spelling, cadence, gaps, restarts, clock=trio.testing.MockClock(autojump_threshold=0))
    assert all(one != other for (_, one), (_, other) in pairwise(told))
    silences = [at for at, word in told if word == "source.silent"]
    for before, after in pairwise([0.0, *spoken]):
        raised = [at for at in silences if before < at <= after]
        if after - before > 2 * cadence + WITHIN:
            assert len(raised) == 1
        assert all(2 * cadence - 1e-6 <= at - before <= 2 * cadence + WITHIN for at in raised)
        if raised:
            assert any(after <= at <= after + 2 * LOOK for at, word in told if word == "source.returned")


async def spelling(cadence: float, gaps: list[float], restarts: set[int]):
    told: list = []
    spoken: list[float] = []
    roll, present = Roll(), {"http": HttpSource(cadence=cadence)}
    specs = [
        ChildSpec("desks", Supervisor, ([ChildSpec("floor", Desk, (told, {})), ChildSpec("portal", Desk, ([], {}))],)),
        ChildSpec("sources", Sources, (lambda: present, roll)),
        ChildSpec("vigil", Vigil, (lambda: present, roll, lambda: BEGIN + trio.current_time())),
    ]
    async with ActorSystem.open() as system:
        await system.settled(system.start(Supervisor, "gateway", specs, Policy(intensity=1000)))
        sources = Address(system.environment, SOURCES)
        began = trio.current_time()
        for number, gap in enumerate(gaps):
            if number in restarts:
                (await find_source(sources, "http")).tell(TakeEvents(None))  # type: ignore[arg-type]
                # It may be away already.
                with suppress(RuntimeError):
                    system.environment.registry.get("gateway/vigil").actor_inbox.owner.start_task(fail)
                await trio.sleep(max(0.0, gap - 0.2))
            await trio.sleep(gap if number not in restarts else min(gap, 0.2))
            await ask(await find_source(sources, "http"), TakeEvents([member(number)]), 30)
            spoken.append(trio.current_time() - began)
        await trio.sleep(2 * LOOK)
    return spoken, [(at - began, event.type) for at, event in told if event.subject == "http"]
