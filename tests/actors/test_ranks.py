from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from actors import Ranks, TakeEvents, policy_of
from actors.desks import PortalDesk
from actors.places import SOURCES, Address
from actors.runtime import ChildSpec, Supervisor
from actors.sources import Roll, Sources, Vigil, find_source
from config import HostSource, HttpSource, MtconnectSource, PolicySettings, PortalSettings, RuleSettings
from domain import BUILT_IN, DEMOTED_FROM, Event, Priority, Rule
from telemetry import counters, events

READING_RULE = RuleSettings(name="press-load", type="equipment.reading", priority="critical", where={"value": 3})
PRESS = PolicySettings(rules=(READING_RULE,))


def reading(value, priority=Priority.NORMAL):
    return Event("1", "/acme/press3", "equipment.reading", {"value": value}, 0.0, priority)


def call(source="/acme/press3"):
    return Event("1", source, "andon.call.raised", None, 0.0, Priority.CRITICAL)


@pytest.fixture
def said(monkeypatch):
    """What was logged of budgets."""
    lines = []
    monkeypatch.setattr(events, "budget_exceeded", lambda **fields: lines.append(fields))
    return lines


def test_without_rules_of_its_own_a_configuration_has_the_policy_that_is_built_in():
    assert policy_of(PolicySettings(critical_rate=5.0)) is BUILT_IN


def test_the_operators_rules_come_before_those_that_are_built_in():
    policy = policy_of(
        PolicySettings(
            rules=(
                RuleSettings(name="one", type="a", priority="low", where={"x.y": "Fault", "n": 2.0}, source="/acme/*"),
                RuleSettings(name="two", type="b", priority="high", where={"on": True}),
            )
        )
    )
    assert policy.rules == (
        Rule("one", "a", Priority.LOW, (("x.y", "FAULT"), ("n", "2")), "/acme/*"),
        Rule("two", "b", Priority.HIGH, (("on", "TRUE"),)),
        *BUILT_IN.rules,
    )
    assert policy.version != BUILT_IN.version


def test_an_event_of_our_own_making_is_ranked_by_the_policy_in_force():
    ranks = Ranks("press3", lambda: PRESS)
    assert ranks.rank(reading(3)).priority is Priority.CRITICAL
    untouched = reading(4)
    assert ranks.rank(untouched) is untouched


def test_a_reload_changes_the_policy_for_what_comes_after_it():
    present = [PolicySettings()]
    ranks = Ranks("press3", lambda: present[0])
    assert ranks.rank(reading(3)).priority is Priority.NORMAL
    present[0] = PRESS
    assert ranks.policy.version == policy_of(PRESS).version
    assert ranks.rank(reading(3)).priority is Priority.CRITICAL


async def test_past_its_budget_a_source_is_demoted_counted_and_said_once(autojump_clock, said):
    before = counters.events_demoted["flood"]
    ranks = Ranks("flood", lambda: PolicySettings(critical_rate=10.0, critical_burst=20))
    priorities = [ranks.admit(call()).priority for _ in range(50)]
    assert priorities == [Priority.CRITICAL] * 20 + [Priority.HIGH] * 30
    assert counters.events_demoted["flood"] - before == 30
    assert said == [{"source": "flood", "publisher": "/acme/press3", "rate": 10.0, "burst": 20}]
    await trio.sleep(0.5)
    assert [ranks.admit(call()).priority for _ in range(6)].count(Priority.CRITICAL) == 5


async def test_a_reload_changes_the_budget_for_what_comes_after_it(autojump_clock, said):
    present = [PolicySettings(critical_rate=1.0, critical_burst=1)]
    ranks = Ranks("changing", lambda: present[0])
    assert [ranks.admit(call()).priority for _ in range(3)].count(Priority.CRITICAL) == 1
    present[0] = PolicySettings(critical_rate=100.0, critical_burst=100)
    await trio.sleep(0.1)
    assert ranks.policy is BUILT_IN
    assert [ranks.admit(call()).priority for _ in range(30)].count(Priority.CRITICAL) == 10


async def test_what_is_not_critical_is_not_looked_at(autojump_clock, said):
    ranks = Ranks("quiet", lambda: PolicySettings(critical_rate=0.1, critical_burst=1))
    event = reading(3)
    assert all(ranks.admit(event) is event for _ in range(100))
    assert said == []


# -- in the tree ------------------------------------------------------------------------------------------

HOST = HostSource(equipment="acme/gateway")
MACHINE = MtconnectSource(address="127.0.0.1:1", equipment="acme/press3", cadence=1.0, required=True)


class Rig:
    """The sources, what the desks were told of them, and the settings of the policy, which can change."""

    def __init__(self, tree, told: list, present: list[PolicySettings]) -> None:
        self.tree = tree
        self.told = told
        self.present = present
        self._posted = 0

    async def post(self, count: int, type_: str = "andon.call.raised", source: str = "/acme/press3") -> list[Priority]:
        """The priorities of ``count`` posted events as they come to the desk."""
        self._posted += count
        ids = range(self._posted - count, self._posted)
        members = [{"specversion": "1.0", "id": str(one), "source": source, "type": type_} for one in ids]
        found = await find_source(Address(self.tree.system.environment, SOURCES), "http")
        assert found is not None
        before = len(self.told)
        found.tell(TakeEvents(members))
        await self.tree.settle()
        for message in self.told[before:]:
            if message.settled is not None:
                message.settled(True)
        return [message.event.priority for message in self.told[before:]]

    def of(self, type_: str) -> list[Event]:
        return [message.event for message in self.told if message.event.type == type_]


@pytest.fixture
def run(grow, keeper, said):
    @asynccontextmanager
    async def running(policy: PolicySettings, **settings):
        told: list = []
        present, sources, roll = [policy], {"http": HttpSource(), **settings}, Roll()
        desks = [ChildSpec("floor", keeper, (told,)), ChildSpec("portal", keeper, (told,))]
        vigil = Ranks("vigil", lambda: present[0])
        specs = [
            ChildSpec("desks", Supervisor, (desks,)),
            ChildSpec("sources", Sources, (lambda: sources, roll, lambda: present[0])),
            ChildSpec("vigil", Vigil, (lambda: sources, roll), {"ranks": vigil}),
        ]
        async with grow(specs) as tree:
            await tree.settle()
            yield Rig(tree, told, present)

    return running


async def test_a_flood_of_posted_critical_events_comes_to_the_desk_as_high_with_a_mark(run, autojump_clock, said):
    async with run(PolicySettings(critical_rate=10.0, critical_burst=20)) as rig:
        assert await rig.post(60) == [Priority.CRITICAL] * 20 + [Priority.HIGH] * 40
        assert [DEMOTED_FROM in event.extensions for event in rig.of("andon.call.raised")] == [False] * 20 + [True] * 40
        assert await rig.post(3, source="/acme/press4") == [Priority.CRITICAL] * 3
        assert [line["publisher"] for line in said] == ["/acme/press3"]


async def test_events_that_were_there_before_spend_no_budget(run, autojump_clock):
    async with run(PolicySettings(critical_rate=1.0, critical_burst=20)) as rig:
        await rig.post(15)
        rig._posted = 0
        assert await rig.post(15) == []
        assert await rig.post(5) == [Priority.CRITICAL] * 5


async def test_a_source_that_begins_anew_has_spent_what_it_had(run, autojump_clock):
    async with run(PolicySettings(critical_rate=0.1, critical_burst=5)) as rig:
        await rig.post(10)
        found = await find_source(Address(rig.tree.system.environment, SOURCES), "http")
        found.tell(TakeEvents(3))
        await trio.sleep(1)
        assert (await rig.tree.status("gateway/sources/http")).restarts == 1
        assert await rig.post(3) == [Priority.HIGH] * 3


async def test_a_new_policy_holds_for_what_is_posted_from_then_on(run, autojump_clock):
    fire = RuleSettings(name="fire", type="press.fire", priority="critical", source="/acme/*")
    async with run(PolicySettings()) as rig:
        assert await rig.post(1, "press.fire") == [Priority.NORMAL]
        rig.present[0] = PolicySettings(rules=(fire,))
        assert await rig.post(1, "press.fire") == [Priority.CRITICAL]
        assert await rig.post(1, "press.fire", "/other") == [Priority.NORMAL]


@pytest.fixture
def patient_clock() -> trio.testing.MockClock:
    """Virtual time that waits a moment of real time for the threads that ask the disks."""
    return trio.testing.MockClock(autojump_threshold=0.02)


async def test_what_the_gateway_says_of_its_host_and_of_silence_is_ranked_too(run, patient_clock):
    rules = (
        RuleSettings(name="host", type="host", priority="low"),
        RuleSettings(name="silence", type="source.silent", priority="normal", where={"kind": "MTConnect"}),
    )
    async with run(PolicySettings(rules=rules), host=HOST, press3=MACHINE) as rig:
        await trio.sleep(5)
        assert {event.priority for event in rig.of("host.metrics")} == {Priority.LOW}
        assert {event.priority for event in rig.of("source.silent")} == {Priority.NORMAL}


async def test_what_the_portals_desk_makes_is_ranked_too(grow, keeper, autojump_clock):
    settings = PolicySettings(rules=(RuleSettings(name="tps", type="portal.tps", priority="high"),))
    told: list = []
    desk = ChildSpec("portal", PortalDesk, (PortalSettings(),), {"ranks": Ranks("portal", lambda: settings)})
    lasting = [ChildSpec("recorder", keeper, (told,)), ChildSpec("channels", keeper, (told,))]
    async with grow([*lasting, ChildSpec("desks", Supervisor, ([desk],))]):
        await trio.sleep(2)
    priorities = {message.event.type: message.event.priority for message in told}
    assert priorities["portal.tps"] is Priority.HIGH
    assert priorities["portal.network"] is Priority.NORMAL
