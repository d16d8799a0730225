"""The alarms' desk on a real journal, in virtual time: restarts, clocks that are set, acts, calls, metrics."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio

from actors.acts import Act, Acted
from actors.desks import AlarmDesk, FloorDesk, ReadAlarms
from actors.messages import EventTaken, Publish
from actors.recorder.batch import Standing
from actors.recorder.disk import at_once
from actors.recorder.recorder import Recorder
from actors.runtime import ChildSpec, Policy, Supervisor, ask
from config import AlarmClassSettings, AlarmEntrySettings, AlarmSettings, JournalSettings, SuppressionSettings
from domain import Event, Grounds, Priority, Refused, rfc3339
from domain.access import OPEN_RIGHTS
from domain.plant.alarms import alarm_id
from domain.plant.escalation import Reading
from telemetry import counters, events, gauges

NOW = 1_800_000_000.0
PRESS = "acme/plant1/line3/press3"
SERVO = alarm_id(PRESS, "servo", "7")
SHELVE = {"alarm": SERVO, "duration": 60.0, "reason": "tuning"}


class World:
    """What outlives the daemon: the disk, the wall clock, the clock that nobody sets, and the settings."""

    def __init__(self, path) -> None:
        self.path = path
        self.set_by = 0.0
        self.boot = "boot-1"
        self.ahead = 0.0
        self.settings = AlarmSettings()

    def wall(self) -> float:
        return NOW + self.steady() + self.set_by

    def steady(self) -> float:
        return trio.current_time() + self.ahead


@dataclass
class Rig:
    tree: object
    world: World
    told: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    numbers: int = 0

    async def say(self, type_, key="servo", code="7", level="FAULT", equipment=PRESS, id_=None, **data):
        self.numbers += 1
        event = Event(
            id=id_ or f"e{self.world.wall():.3f}-{self.numbers}",
            source="/" + equipment,
            type=type_,
            data={"key": key, "code": code, "level": level, "text": "Servo overload", **data},
            recorded=self.world.wall(),
            priority=Priority.CRITICAL if level == "FAULT" and type_ != "alarm.cleared" else Priority.HIGH,
            subject=f"{key}/{code}",
            time=rfc3339(self.world.wall()),
        )
        self.tree.ref("gateway/desks/floor").tell(EventTaken(event))
        await self.tree.settle()

    async def act(self, word, key=None, by="ann", **arguments):
        arguments = arguments or {"alarm": SERVO}
        said = Act(f"alarm.{word}", key, by, self.world.wall(), arguments, "tablet 4", rights=OPEN_RIGHTS)
        return await ask(self.tree.ref("gateway/desks/alarms"), said, 20)

    async def letter(self, id_=SERVO) -> str:
        found = await self.read(lambda alarms: alarms.alarm(id_))
        return found["letter"]

    async def read(self, read):
        return await ask(self.tree.ref("gateway/desks/alarms"), ReadAlarms(read), 20)

    @property
    def types(self) -> list[str]:
        return [each.event.type for each in self.told if type(each) is Publish]

    @property
    def states(self) -> list[str]:
        return [name.removeprefix("alarm.state.") for name in self.types if name.startswith("alarm.state.")]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def run(grow, keeper, world):
    @asynccontextmanager
    async def running():
        told: list = []
        calls: list = []
        recorder = (world.path, lambda: JournalSettings(reserve=0, commit_delay=0.0), Standing(), world.wall, at_once)
        options = {"clock": world.wall, "readings": lambda: Reading(world.wall(), world.steady(), world.boot)}
        desks = [
            ChildSpec("floor", FloorDesk),
            ChildSpec("calls", keeper, (calls,)),
            ChildSpec("alarms", AlarmDesk, (lambda: world.settings,), options),
        ]
        specs = [
            ChildSpec("recorder", Recorder, recorder, redeliver=True),
            ChildSpec("channels", keeper, (told,)),
            ChildSpec("desks", Supervisor, (desks,)),
        ]
        async with grow(specs, Policy(backoff=0.05)) as tree:
            yield Rig(tree, world, told, calls)

    return running


async def test_what_a_source_says_is_published_as_it_is_and_becomes_a_state_behind_it(run, autojump_clock):
    async with run() as rig:
        await rig.say("alarm.raised", id_="raised")
        await rig.say("alarm.cleared", level="NORMAL")
        assert rig.types == ["alarm.raised", "alarm.state.unacknowledged", "alarm.cleared", "alarm.state.returned"]
        acted = await rig.act("acknowledge", comment="seen", alarm=SERVO)
    assert isinstance(acted, Acted)
    assert acted.is_kept
    assert (acted.answer["letter"], acted.answer["acknowledged_by"]) == ("A", "ann")


async def test_a_shelving_ends_on_time_and_outlives_the_daemon(run, autojump_clock):
    async with run() as rig:
        await rig.say("alarm.raised")
        await rig.act("shelve", **SHELVE)
        await trio.sleep(20)
    async with run() as rig:
        assert await rig.letter() == "E"
        await trio.sleep(39)
        assert await rig.letter() == "E"
        await trio.sleep(1.5)
        assert await rig.letter() == "B"
        assert rig.states == ["unshelved"]


async def test_a_shelving_that_ended_while_nobody_ran_is_ended_once(run, world, autojump_clock):
    async with run() as rig:
        await rig.say("alarm.raised")
        await rig.act("shelve", **SHELVE)
    world.ahead += 3600
    async with run() as rig:
        await trio.sleep(1)
        assert rig.states == ["unshelved"]
        assert await rig.letter() == "B"


@pytest.mark.parametrize("step", [-86_400.0, 86_400.0])
@pytest.mark.parametrize("is_running", [True, False])
async def test_a_wall_clock_that_is_set_moves_no_shelving(run, world, autojump_clock, step, is_running):
    async with run() as rig:
        await rig.say("alarm.raised")
        await rig.act("shelve", **SHELVE)
        await trio.sleep(10)
        if is_running:
            world.set_by = step
            await trio.sleep(1)
    world.set_by = step
    async with run() as rig:
        await trio.sleep(45)
        assert await rig.letter() == "E"
        await trio.sleep(7)
        assert await rig.letter() == "B"


async def test_after_a_restart_of_the_machine_the_wall_clock_is_what_counts(run, world, autojump_clock):
    async with run() as rig:
        await rig.say("alarm.raised")
        await rig.act("shelve", **SHELVE)
    world.boot, world.set_by = "boot-2", 3600.0
    async with run() as rig:
        await trio.sleep(1)
        assert await rig.letter() == "B"


async def test_the_time_a_machine_sleeps_counts(run, world, autojump_clock):
    async with run() as rig:
        await rig.say("alarm.raised")
        await rig.act("shelve", **SHELVE)
        world.ahead += 3600
        await trio.sleep(1)
        assert await rig.letter() == "B"


async def test_delays_run_in_real_time_and_over_a_restart(run, world, autojump_clock):
    world.settings = AlarmSettings(classes=(AlarmClassSettings(name="default", on_delay=30.0, off_delay=30.0),))
    async with run() as rig:
        await rig.say("alarm.raised")
        await trio.sleep(20)
        assert rig.states == []
    async with run() as rig:
        await trio.sleep(9)
        assert rig.states == []
        await trio.sleep(1.5)
        assert rig.states == ["unacknowledged"]
        await rig.say("alarm.cleared", level="NORMAL")
        await trio.sleep(31)
        assert rig.states == ["unacknowledged", "returned"]


async def test_an_act_is_on_the_disk_before_it_is_answered_and_done_once_for_its_key(run, world, autojump_clock):
    async with run() as rig:
        await rig.say("alarm.raised")
        first = await rig.act("acknowledge", key="k1")
    async with run() as rig:
        assert await rig.act("acknowledge", key="k1") == first
        assert rig.states == []
        with pytest.raises(Refused) as refused:
            await rig.act("acknowledge", key="k2")
        assert refused.value.grounds is Grounds.CONFLICT


async def test_an_urgent_signal_does_not_overtake_the_clearance_before_it(run, autojump_clock):
    async with run() as rig:
        floor = rig.tree.ref("gateway/desks/floor")
        await rig.say("alarm.raised", level="WARNING", since="2027-01-15T07:00:00.000Z")
        said = {"key": "servo", "code": "7"}
        at = rig.world.wall()
        make = [
            ("alarm.cleared", Priority.HIGH, {**said, "level": "NORMAL", "since": "2027-01-15T07:00:00.000Z"}),
            ("alarm.raised", Priority.CRITICAL, {**said, "level": "FAULT", "since": "2027-01-15T08:00:00.000Z"}),
        ]
        for type_, priority, data in make:
            floor.tell(EventTaken(Event(type_, "/" + PRESS, type_, data, at, priority)))
        await rig.tree.settle()
        found = await rig.read(lambda alarms: alarms.alarm(SERVO))
        assert (found["letter"], found["active_state"], found["level"]) == ("B", True, "FAULT")


async def test_an_alarm_raises_the_call_of_its_class_once_it_is_kept_and_again_after_a_restart(
    run, world, autojump_clock
):
    world.settings = AlarmSettings(
        list=(AlarmEntrySettings(key="servo", priority="high", alarm_class="calling", action="clear the chips"),),
        classes=(AlarmClassSettings(name="calling", call="maintenance"),),
    )
    async with run() as rig:
        await rig.say("alarm.raised")
        (first,) = rig.calls
        assert (first.type, first.by) == ("andon.raise", "alarms")
        assert first.arguments == {
            "equipment": PRESS,
            "type": "maintenance",
            "priority": "high",
            "text": "Servo overload",
            "comment": "clear the chips",
            "alarm": SERVO,
        }
    async with run() as rig:
        await rig.tree.settle()
        assert [each.key for each in rig.calls] == [first.key]
        await rig.act("acknowledge")
    async with run() as rig:
        await rig.tree.settle()
        assert rig.calls == []


async def test_a_reload_brings_another_list_and_other_suppressions(run, world, autojump_clock):
    async with run() as rig:
        await rig.say("equipment.state.changed", state="off")
        await rig.say("alarm.raised")
        suppression = SuppressionSettings(name="standing", equipment="acme/*", states=("off",))
        world.settings = AlarmSettings(list=(AlarmEntrySettings(key="servo", priority="low"),))
        await trio.sleep(1)
        assert (await rig.read(lambda alarms: alarms.alarm(SERVO)))["priority"] == "low"
        world.settings = AlarmSettings(suppressions=(suppression,))
        await rig.say("equipment.state.changed", state="off", reason="again")
        await trio.sleep(1)
        await rig.say("equipment.state.changed", state="off", reason="and again")
        assert await rig.letter() == "F"


async def test_a_flood_is_told_when_it_begins_and_ends_and_survives_a_restart(run, autojump_clock):
    async with run() as rig:
        for number in range(11):
            await rig.say("alarm.raised", code=str(number))
        assert rig.types[-1] == "alarm.flood.began"
        board = await rig.read(lambda alarms: alarms.board("acme/plant1/line3"))
        assert (board["alarms"], board["flood"]["alarms"]) == (11, 11)
        assert len(board["lines"]) <= 10
    async with run() as rig:
        board = await rig.read(lambda alarms: alarms.board("acme/plant1/line3"))
        assert board["flood"]["first_out"] == alarm_id(PRESS, "servo", "0")
        await trio.sleep(599)
        assert "alarm.flood.ended" not in rig.types
        await trio.sleep(2)
        assert rig.types[-1] == "alarm.flood.ended"


async def test_the_metrics_have_the_names_of_opc_ua(run, autojump_clock):
    before = counters.alarm_activations["medium"]
    async with run() as rig:
        await rig.say("alarm.raised")
        await trio.sleep(30)
        sample = gauges.sample()
        position = "acme/plant1/line3"
        assert sample["alarm_count"] == {position: 1.0}
        assert sample["current_alarm_rate"] == {position: 1.0}
        assert sample["maximum_active_state"][position] == pytest.approx(30, abs=1)
        assert sample["maximum_un_ack"][position] == pytest.approx(30, abs=1)
        assert sample["alarms"]["unacknowledged"] == 1.0
        assert (sample["alarms_standing"], sample["alarms_unrationalised"]) == (1.0, 1.0)
    assert counters.alarm_activations["medium"] == before + 1
    assert "alarm_count" not in gauges.sample()


async def test_an_alarm_that_there_is_no_room_for_is_logged_and_counted(run, monkeypatch, autojump_clock):
    monkeypatch.setattr("domain.plant.shares.LEAST", 1)
    monkeypatch.setattr("domain.plant.shares._OF_PLACE", 0.0)
    told: list[dict[str, str]] = []
    say, before = events.alarm_refused, counters.alarm_signals_lost
    monkeypatch.setattr(events, "alarm_refused", lambda **members: (told.append(members), say(**members)))
    async with run() as rig:
        await rig.say("alarm.raised")
        assert told == []
        await rig.say("alarm.raised", code="8")
        await rig.say("alarm.raised", equipment="other/plant/hall/press")
        assert len(rig.states) == 2
    assert told == [{"alarm": "servo/8", "source": f"/{PRESS}"}]
    assert counters.alarm_signals_lost == before + 1


async def test_a_desk_that_is_away_costs_the_event_nothing_and_is_counted(grow, keeper, make_event):
    told: list = []
    recorded: list = []
    before = counters.alarm_signals_lost
    specs = [
        ChildSpec("recorder", keeper, (recorded,)),
        ChildSpec("channels", keeper, (told,)),
        ChildSpec("desks", Supervisor, ([ChildSpec("floor", FloorDesk)],)),
    ]
    async with grow(specs) as tree:
        tree.ref("gateway/desks/floor").tell(EventTaken(make_event(type="alarm.raised", priority=Priority.HIGH)))
        await tree.settle()
    assert [each.event.type for each in recorded] == ["alarm.raised"]
    assert counters.alarm_signals_lost == before + 1
