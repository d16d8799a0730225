"""The portal's alerts: from real counts and a real view to alarms on the floor's desk, over a restart."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio

from actors.desks import AlarmDesk, FloorDesk, PortalDesk, PortalInForce, ReadAlarms
from actors.desks.portal_alerts import EQUIPMENT, PortalAlerts, rules_of
from actors.messages import Commit, EventTaken, Observed, Publish, ReadState, Record
from actors.runtime import ActorSystem, ChildSpec, Supervisor, TrioActor, ask
from config import AlertSettings, PortalSettings
from domain import Event, Priority
from domain.chain import ChainView, Now, Unknown
from domain.chain.observations import HeadSeen, Provenance
from telemetry import Counters, gauges

BEGIN = 1_800_000_000.0
KEYS = ("service_down", "low_throughput", "stream_errors", "high_latency")


class Recorder(TrioActor):
    """Keeps rows and events in what the test gave it, which outlives the tree; silent until it is ``readable``."""

    def __init__(self, rows: dict, told: list[Event], readable: trio.Event) -> None:
        super().__init__()
        self._rows = rows
        self._told = told
        self._readable = readable

    def on_receive(self, message: object) -> object:
        match message:
            case Commit(events=events, rows=rows):
                self._told += events
                self._rows.update({(row.kind, row.key): row.value for row in rows})
                message.settled(True)
                message.is_done = True
                message.line.advance()
            case Record(event=event):
                self._told.append(event)
            case ReadState(kind=kind) if self._readable.is_set():
                return tuple((key, value) for (of, key), value in self._rows.items() if of == kind and value)
        return None


class Channels(TrioActor):
    """Takes what is published."""

    mailbox_limit = 100_000

    def on_receive(self, message: object) -> None:
        assert isinstance(message, Publish)


class Plant:
    """A tree with the desks that alarms go by; ``settings`` may be changed while it runs."""

    def __init__(self) -> None:
        self.rows: dict = {}
        self.told: list[Event] = []
        self.settings = PortalSettings(target_tps=1000)
        self.required: frozenset[str] = frozenset()
        self.began = 0.0
        self.system: ActorSystem | None = None
        self.readable = trio.Event()
        self.readable.set()

    def clock(self) -> float:
        return BEGIN + trio.current_time()

    @asynccontextmanager
    async def running(self):
        in_force = PortalInForce(lambda: self.settings, lambda: self.required)
        desks = [
            ChildSpec("floor", FloorDesk),
            ChildSpec("portal", PortalDesk, (self.settings, self.clock), {"in_force": in_force}),
            ChildSpec("alarms", AlarmDesk, (), {"clock": self.clock}),
        ]
        specs = [
            ChildSpec("recorder", Recorder, (self.rows, self.told, self.readable)),
            ChildSpec("channels", Channels),
            ChildSpec("desks", Supervisor, (desks,)),
        ]
        async with ActorSystem.open() as system:
            await system.settled(system.start(Supervisor, "gateway", specs))
            self.system = system
            yield self

    def ref(self, name: str):
        return self.system.environment.registry.get(f"gateway/desks/{name}")

    def take(self, type_: str, **data) -> None:
        self.ref("portal").tell(EventTaken(Event("1", "/chain", type_, data, self.clock(), Priority.NORMAL)))

    def said(self, type_: str = "alarm.raised") -> list[str]:
        return [event.data["key"] for event in self.told if event.type == type_]

    async def alarms(self) -> dict[str, bool]:
        found = await ask(self.ref("alarms"), ReadAlarms(lambda now: now.listed(lambda _: True)), 1.0)
        return {alarm["key"]: alarm["active_state"] for alarm in found if alarm["equipment"] == EQUIPMENT}


@pytest.fixture
def plant(monkeypatch) -> Plant:
    fresh = Counters()
    for module in ("actors.desks.portal_alerts",):
        monkeypatch.setattr(f"{module}.counters", fresh)
    made = Plant()
    made.counters = fresh
    return made


async def chain(plant: Plant, seconds: int, transactions: int = 2000) -> None:
    """A block a second."""
    for _ in range(seconds):
        plant.height = getattr(plant, "height", 0) + 1
        plant.take("chain.block", blockHeight=plant.height, blockTime=1000, transactions=transactions)
        await trio.sleep(1)


async def test_a_chain_that_falls_silent_is_a_service_that_is_down_until_it_is_heard_again(plant, autojump_clock):
    async with plant.running():
        await chain(plant, 70)
        assert plant.said() == []
        await trio.sleep(30 + 29)
        assert plant.said() == []
        await trio.sleep(3)
        assert plant.said() == ["service_down"]
        assert await plant.alarms() == {"service_down": True}
        await chain(plant, 70)
        assert plant.said("alarm.cleared") == ["service_down"]
        assert await plant.alarms() == {"service_down": False}


async def test_what_is_raised_is_critical_and_says_what_was_found(plant, autojump_clock):
    async with plant.running():
        await chain(plant, 70)
        await trio.sleep(65)
        (event,) = [event for event in plant.told if event.type == "alarm.raised"]
        assert (event.source, event.subject, event.priority) == ("/andond/portal", "service_down", Priority.CRITICAL)
        assert event.data["value"] == 1
        assert event.data["level"] == "FAULT"
        assert event.data["raiseAfterSeconds"] == 30


async def test_low_throughput_is_raised_after_five_minutes(plant, autojump_clock):
    async with plant.running():
        await chain(plant, 295, transactions=999)
        assert plant.said() == []
        await chain(plant, 10, transactions=999)
        assert plant.said() == ["low_throughput"]


async def test_a_limit_in_the_settings_stands_before_the_target_and_a_reload_applies_it(plant, autojump_clock):
    plant.settings = PortalSettings(target_tps=1000, alerts=AlertSettings(low_tps=500))
    async with plant.running():
        await chain(plant, 310, transactions=999)
        assert plant.said() == []
        plant.settings = PortalSettings(alerts=AlertSettings(low_tps=1500, low_tps_after=10.0))
        await chain(plant, 13, transactions=999)
        assert plant.said() == ["low_throughput"]


async def test_more_than_ten_errors_of_streams_in_a_minute_are_raised_at_once(plant, autojump_clock):
    async with plant.running():
        await chain(plant, 5)
        plant.counters.connections_failed += 10
        await chain(plant, 5)
        assert plant.said() == []
        plant.counters.frames_rejected.add("json")
        await chain(plant, 2)
        assert plant.said() == ["stream_errors"]
        await chain(plant, 50)
        assert plant.said("alarm.cleared") == []
        await chain(plant, 80)
        assert plant.said("alarm.cleared") == ["stream_errors"]


async def test_nine_errors_a_minute_for_ever_are_borne(plant, autojump_clock):
    async with plant.running():
        for _ in range(30):
            plant.counters.handshakes_failed.add("tls")
            await chain(plant, 7)
        assert plant.said() == []


async def test_a_p99_above_a_tenth_of_a_second_is_raised_after_a_minute(plant, autojump_clock):
    async with plant.running():
        for _ in range(130):
            plant.counters.request_duration.observe(0.002, 98)
            plant.counters.request_duration.observe(0.3, 2)
            await chain(plant, 1)
            if plant.clock() - BEGIN < 58:
                assert plant.said() == []
        assert plant.said() == ["high_latency"]
        (event,) = [event for event in plant.told if event.type == "alarm.raised"]
        assert event.data["value"] > 0.1


async def test_a_few_slow_answers_say_nothing_of_one_in_a_hundred(plant, autojump_clock):
    async with plant.running():
        for _ in range(20):
            plant.counters.request_duration.observe(3.0)
            await chain(plant, 10)
        assert plant.said() == []


async def test_deliveries_that_take_long_count_as_answers_do(plant, autojump_clock):
    async with plant.running():
        for _ in range(100):
            plant.counters.delivery_delay[Priority.CRITICAL].observe(0.4, 30)
            await chain(plant, 1)
        assert plant.said() == ["high_latency"]


async def test_a_gateway_without_a_chain_has_no_alerts(plant, autojump_clock):
    async with plant.running():
        plant.counters.connections_failed += 1000
        await trio.sleep(300)
        assert plant.said() == []


async def test_alerts_that_are_turned_off_are_over(plant, autojump_clock):
    async with plant.running():
        await chain(plant, 2)
        plant.counters.connections_failed += 11
        await chain(plant, 2)
        plant.settings = PortalSettings(alerts=AlertSettings(enabled=False))
        await chain(plant, 2)
        assert (plant.said(), plant.said("alarm.cleared")) == (["stream_errors"], ["stream_errors"])


async def test_a_required_source_that_is_silent_is_a_service_that_is_down(plant, autojump_clock):
    plant.required = frozenset({"hub"})
    fresh = {"hub": 0.0, "press3": 1.0}
    gauges.feed("sources_fresh", lambda: fresh)
    try:
        async with plant.running():
            await trio.sleep(35)
            assert plant.said() == ["service_down"]
            fresh["hub"] = 1.0
            await heads(plant, 65)
            assert plant.said("alarm.cleared") == ["service_down"]
    finally:
        gauges.forget("sources_fresh")


async def heads(plant: Plant, seconds: int, height: int = 5, at: float | None = None) -> None:
    """A node that tells its head each second: the one of now, or one of ``at``."""
    for second in range(seconds):
        seen = plant.clock()
        head = HeadSeen(Provenance("hub", "n", "poll", seen), height + second, seen if at is None else at)
        plant.ref("portal").tell(Observed((head,)))
        await trio.sleep(1)


async def test_nodes_that_answer_with_an_old_head_or_not_at_all_are_a_service_that_is_down(plant, autojump_clock):
    async with plant.running():
        await heads(plant, 5)
        stood = plant.clock()
        await heads(plant, 115, height=9, at=stood)
        assert plant.said() == []
        await heads(plant, 10, height=9, at=stood)
        assert plant.said() == ["service_down"]
        await heads(plant, 70)
        assert plant.said("alarm.cleared") == ["service_down"]
        # What our own desk repeats of validators is no word of the chain.
        for _ in range(70):
            plant.take("validator.status", validator="v", status="UNKNOWN")
            await trio.sleep(1)
        assert plant.said() == ["service_down"] * 2


async def test_a_restart_neither_repeats_an_alert_nor_loses_its_end(plant, autojump_clock):
    async with plant.running():
        await chain(plant, 5)
        plant.counters.connections_failed += 11
        await chain(plant, 3)
        assert plant.said() == ["stream_errors"]
    plant.counters.connections_failed += 50
    async with plant.running():
        await chain(plant, 30)
        assert plant.said() == ["stream_errors"]
        assert plant.said("alarm.cleared") == []
        assert (await plant.alarms()) == {"stream_errors": True}
        await chain(plant, 40)
        assert plant.said("alarm.cleared") == ["stream_errors"]
        assert (await plant.alarms()) == {"stream_errors": False}


async def test_while_nobody_knows_what_was_raised_the_desk_goes_on_and_asks_again(plant, autojump_clock):
    plant.readable = trio.Event()
    async with plant.running():
        portal = plant.ref("portal")
        await trio.sleep(60)
        plant.take("chain.block", blockHeight=1, transactions=1, blockTime=1000)
        plant.readable.set()
        await trio.sleep(200)
        assert "service_down" in plant.said()
        assert plant.ref("portal") is portal


async def test_metrics_tell_of_the_chain_and_of_alerts_and_only_while_there_is_a_desk(plant, autojump_clock):
    async with plant.running():
        assert gauges.read("chain_tps") is None
        assert gauges.read("chain_silence") is None
        await chain(plant, 60)
        assert gauges.read("chain_tps") == 2000
        assert gauges.read("chain_tps_target") == 1000
        assert gauges.read("chain_silence") == pytest.approx(1.0)
        assert gauges.read("portal_alerts") == dict.fromkeys(KEYS, 0.0)
        plant.counters.connections_failed += 11
        await chain(plant, 2)
        assert gauges.read("portal_alerts")["stream_errors"] == 1.0
    assert gauges.read("chain_tps") is None


# -- without a tree ---------------------------------------------------------------------------------------


def test_nothing_is_raised_before_it_is_known_what_was_raised():
    alerts = PortalAlerts(frozenset)
    now = Now(ChainView(60.0, 30.0), BEGIN)
    now.view.heard["chain.block"] = BEGIN - 500
    assert alerts.look(now, AlertSettings(down_after=0), None) == []
    alerts.restore({})
    assert [change.rule.key for change in alerts.look(now, AlertSettings(down_after=0), None)] == ["service_down"]


def test_the_four_rules_have_the_limits_of_the_settings():
    rules = {rule.key: rule for rule in rules_of(AlertSettings(), 2_000_000)}
    assert set(rules) == set(KEYS)
    assert (rules["low_throughput"].limit, rules["low_throughput"].raise_after) == (2_000_000, 300)
    assert (rules["stream_errors"].limit, rules["stream_errors"].raise_after) == (10, 0)
    assert rules["high_latency"].limit == 0.1
    assert "low_throughput" not in {rule.key for rule in rules_of(AlertSettings(), None)}
    assert rules["low_throughput"].finding(Unknown("no")).value == "unknown"
