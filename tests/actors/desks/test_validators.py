"""The validators' desk on a real journal, in virtual time: alerts, restarts, the portal's view, metrics."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio

from actors.desks import PortalDesk, ReadPortal, ReadValidators, TermsInForce, ValidatorDesk
from actors.messages import Observed, Publish, StatusesTold
from actors.recorder.batch import Standing
from actors.recorder.disk import at_once
from actors.recorder.recorder import Recorder
from actors.runtime import ChildSpec, Policy, Supervisor, ask
from config import ChainRuleSettings, JournalSettings, PortalSettings
from domain import Priority
from domain.chain.observations import (
    BlocksMissed,
    HeadSeen,
    HeightsMissed,
    JailSeen,
    NodeHeard,
    Provenance,
    Reorganized,
    SetChanged,
    SlashingRules,
    ValidatorRow,
    ValidatorsRead,
)
from telemetry import counters, gauges

NOW = 1_800_000_000.0
CHAIN = "testing-1"
ALICE, BOB = "AA" * 20, "BB" * 20
KEY = "0x" + "ab" * 48
OPERATOR = "cosmosvaloper1alice"


class Rig:
    def __init__(self, tree, told, wall):
        self.tree, self.told, self.wall = tree, told, wall

    def place(self, height, method="NewBlockEvents", node="n1"):
        return Provenance(CHAIN, node, method, self.wall(), height, self.wall())

    def head(self, height):
        return HeadSeen(self.place(height), height, self.wall())

    def jail(self, height):
        place = self.place(height)
        return JailSeen(place, ALICE, "downtime"), SetChanged(place, ((ALICE, 0),))

    def read(self, height, *, jailed=False):
        bond = "unbonding" if jailed else "bonded"
        rows = (
            ValidatorRow(ALICE, OPERATOR, "alice", bond=bond, is_jailed=jailed, power=0 if jailed else 10),
            ValidatorRow(BOB, bond="bonded", is_jailed=False, power=5),
        )
        return ValidatorsRead(self.place(height, "staking/validators"), rows, is_complete=True)

    async def say(self, *observations):
        self.tree.ref("gateway/desks/validators").tell(Observed(observations))
        await self.settle()

    async def settle(self):
        # What is committed comes back from the disk's thread; a question behind it is answered when it is done.
        await self.ask(lambda _: None)
        await self.tree.settle()
        await self.ask(lambda _: None)
        await self.tree.settle()

    async def ask(self, read):
        return await ask(self.tree.ref("gateway/desks/validators"), ReadValidators(read), 20)

    async def portal(self, read):
        return await ask(self.tree.ref("gateway/desks/portal"), ReadPortal(lambda now, _: read(now)), 20)

    async def begin(self):
        await self.say(SlashingRules(self.place(None), 2000, 0.5, 600.0), self.head(100))
        await trio.sleep(2)
        await self.say(self.head(101), self.read(101))
        self.told.clear()

    @property
    def events(self):
        return [each.event for each in self.told if type(each) is Publish and not each.event.type.startswith("portal.")]

    @property
    def alerts(self):
        return [event for event in self.events if event.priority is Priority.CRITICAL]


@pytest.fixture
def run(grow, keeper, tmp_path):
    began = None

    @asynccontextmanager
    async def running():
        nonlocal began
        began = trio.current_time() if began is None else began
        told = []

        def wall():
            return NOW + trio.current_time() - began

        recorder = (tmp_path, lambda: JournalSettings(reserve=0, commit_delay=0.0), Standing(), wall, at_once)
        terms = TermsInForce(ChainRuleSettings, lambda: frozenset({OPERATOR}))
        desks = [
            ChildSpec("portal", PortalDesk, (PortalSettings(), wall)),
            ChildSpec("validators", ValidatorDesk, (terms, wall)),
        ]
        specs = [
            ChildSpec("recorder", Recorder, recorder, redeliver=True),
            ChildSpec("channels", keeper, (told,)),
            ChildSpec("desks", Supervisor, (desks,)),
        ]
        async with grow(specs, Policy(backoff=0.05)) as tree:
            yield Rig(tree, told, wall)

    return running


async def test_a_jailing_is_on_the_disk_published_as_critical_and_in_the_portals_view(run, autojump_clock):
    before = counters.validator_jailings[CHAIN]
    async with run() as rig:
        await rig.begin()
        await rig.say(*rig.jail(102))
        (alert,) = rig.alerts
        assert (alert.type, alert.data["status"], alert.data["reason"]) == ("validator.status", "JAILED", "downtime")
        assert next(each for each in rig.told if each.event is alert).critical is not None
        counts = await rig.portal(lambda now: now.validators)
        assert (counts["activeValidators"], counts["jailedValidators"]) == (1, 1)
    assert counters.validator_jailings[CHAIN] == before + 1


async def test_an_alert_is_neither_lost_nor_repeated_by_a_restart_and_the_release_is_told(run, autojump_clock):
    async with run() as rig:
        await rig.begin()
        await rig.say(*rig.jail(102))
        assert len(rig.alerts) == 1
    async with run() as rig:
        await rig.say(rig.head(103), *rig.jail(102), rig.read(103, jailed=True))
        assert rig.alerts == []
        assert next(event.type for event in rig.events if event.data.get("validator") == ALICE) == "validator.confirmed"
        counts = await rig.portal(lambda now: now.validators)
        assert counts["jailedValidators"] == 1
    async with run() as rig:
        await trio.sleep(700)
        await rig.say(rig.head(104), rig.read(450))
        await rig.say(rig.head(500), rig.read(500))
        told = [event for event in rig.events if event.type == "validator.status" and event.data["news"]]
        assert [(event.data["status"], event.data["previous"]) for event in told] == [("ACTIVE", "JAILED")]


async def test_what_only_repeats_a_state_is_published_for_its_figures_and_never_kept(run, autojump_clock):
    async with run() as rig:
        await rig.begin()
        await rig.say(rig.head(102), rig.read(102))
        assert rig.events == []
        changed = rig.read(103)
        rows = (ValidatorRow(BOB, bond="bonded", is_jailed=False, power=77), *changed.rows[:1])
        await rig.say(ValidatorsRead(changed.provenance, rows, is_complete=True))
        (told,) = rig.events
        assert (told.data["validator"], told.data["votingPower"], told.priority) == (BOB, 77, Priority.LOW)


async def test_silence_makes_validators_unknown_for_the_portal_and_is_told_once(run, autojump_clock):
    async with run() as rig:
        await rig.begin()
        await trio.sleep(12)
        await rig.settle()
        types = [event.type for event in rig.events if event.type.startswith("chain.")]
        assert types == ["chain.node.quarantined", "chain.stale"]
        counts = await rig.portal(lambda now: now.validators)
        assert (counts["unknownValidators"], counts["inactiveValidators"]) == (2, 0)
        assert rig.alerts == []


async def test_a_halt_is_one_critical_event_while_nodes_answer(run, autojump_clock):
    before = counters.chain_halts[CHAIN]
    async with run() as rig:
        await rig.begin()
        for _ in range(40):
            await trio.sleep(1)
            await rig.say(NodeHeard(rig.place(None, "health"), 0.01))
        assert [event.type for event in rig.alerts] == ["chain.halted"]
        await rig.say(rig.head(102))
        assert rig.events[-1].type == "chain.resumed"
    assert counters.chain_halts[CHAIN] == before + 1


async def test_what_is_taken_back_contested_missed_or_reorganized_is_counted(run, autojump_clock):
    tallies = (counters.validator_retractions, counters.validator_conflicts, counters.chain_heights_missed)
    before = [tally[CHAIN] for tally in tallies]
    async with run() as rig:
        await rig.begin()
        jail, _ = rig.jail(102)
        await rig.say(jail, SetChanged(jail.provenance, ((BOB, 9),)))
        await rig.say(HeightsMissed(rig.place(None), 3, 7, "pruned"), Reorganized(rig.place(102), 102, 1))
        await rig.say(rig.read(103))
        types = [event.type for event in rig.events if not event.type.endswith(".status")]
        assert types == ["validator.conflict", "chain.missed", "chain.reorganized", "validator.retracted"]
        counts = await rig.portal(lambda now: now.validators)
        assert (counts["activeValidators"], counts["jailedValidators"]) == (2, 0)
    assert [tally[CHAIN] for tally in tallies] == [before[0] + 1, before[1] + 1, before[2] + 5]


async def test_what_is_taken_back_leaves_the_portals_view_with_the_urgency_of_a_state(
    grow, keeper, tmp_path, autojump_clock
):
    told, portal = [], []
    recorder = (tmp_path, lambda: JournalSettings(reserve=0, commit_delay=0.0), Standing(), lambda: NOW, at_once)
    desks = [ChildSpec("portal", keeper, (portal,)), ChildSpec("validators", ValidatorDesk, (None, lambda: NOW))]
    specs = [
        ChildSpec("recorder", Recorder, recorder, redeliver=True),
        ChildSpec("channels", keeper, (told,)),
        ChildSpec("desks", Supervisor, (desks,)),
    ]
    async with grow(specs) as tree:
        rig = Rig(tree, told, lambda: NOW)
        place, row = rig.place(101, "validators"), ValidatorRow(KEY, bond="bonded", is_jailed=False)
        await rig.say(rig.head(101), ValidatorsRead(place, (row,), is_complete=False))
        await rig.say(JailSeen(rig.place(102), KEY, "slashed"))
        portal.clear()
        await rig.say(Reorganized(rig.place(102), 102, 1))
        assert "validator.retracted" in [event.type for event in rig.events]
        (seen,) = [message for message in portal if type(message) is StatusesTold]
        assert seen.priority is Priority.HIGH
        assert [(event.data["validator"], event.data["status"]) for event in seen.events] == [(KEY, "ACTIVE")]


async def test_without_the_portals_desk_alerts_are_told_all_the_same(grow, keeper, tmp_path, autojump_clock):
    told = []
    recorder = (tmp_path, lambda: JournalSettings(reserve=0, commit_delay=0.0), Standing(), lambda: NOW, at_once)
    specs = [
        ChildSpec("recorder", Recorder, recorder, redeliver=True),
        ChildSpec("channels", keeper, (told,)),
        ChildSpec("desks", Supervisor, ([ChildSpec("validators", ValidatorDesk, (None, lambda: NOW))],)),
    ]
    async with grow(specs) as tree:
        rig = Rig(tree, told, lambda: NOW)
        await rig.say(rig.head(101), rig.read(101))
        await rig.say(*rig.jail(102))
        assert len(rig.alerts) == 1


async def test_the_gauges_have_states_nodes_and_the_countdown_of_those_that_are_watched(run, autojump_clock):
    async with run() as rig:
        await rig.begin()
        place = rig.place(102)
        await rig.say(BlocksMissed(place, ALICE, 985), BlocksMissed(place, BOB, 900))
        await trio.sleep(1)
        sample = gauges.sample()
        assert sample["chain_validators"][f"{CHAIN}\tACTIVE"] == 2
        assert sample["chain_validators_jailed"] == {CHAIN: 0}
        assert sample["chain_node_height"] == {f"{CHAIN}\tn1": 101}
        assert sample["chain_node_head_age"][f"{CHAIN}\tn1"] == pytest.approx(1.0, abs=0.1)
        assert sample["chain_nodes_quarantined"] == {CHAIN: 0}
        assert sample["chain_blocks_to_jail"] == {f"{CHAIN}\t{OPERATOR}": 16}
    assert "chain_validators" not in gauges.sample()


async def test_it_answers_what_is_known_of_chains_and_validators(run, autojump_clock):
    async with run() as rig:
        await rig.begin()
        (chain,) = await rig.ask(lambda now: now.chains())
        assert (chain["chain"], chain["state"], chain["headHeight"], chain["blockTimeMs"]) == (CHAIN, "live", 101, 2000)
        assert chain["validators"]["ACTIVE"] == 2
        assert [row["validator"] for row in await rig.ask(lambda now: now.validators(CHAIN))] == [ALICE, BOB]
        found = await rig.ask(lambda now: now.validator(OPERATOR))
        assert (found["validator"], found["name"], found["watched"]) == (ALICE, "alice", True)
        assert await rig.ask(lambda now: now.validator("nobody")) is None
        assert [node["state"] for node in await rig.ask(lambda now: now.nodes(CHAIN))] == ["fresh"]
        assert await rig.ask(lambda now: now.nodes("other")) == []
        status = await rig.tree.status("gateway/desks/validators")
        assert status.description["chains"][0]["chain"] == CHAIN


async def test_what_comes_while_the_disk_cannot_be_read_waits_and_is_told_then(grow, keeper, autojump_clock):
    told = []
    desks = [ChildSpec("portal", keeper, ([],)), ChildSpec("validators", ValidatorDesk)]
    async with grow([ChildSpec("channels", keeper, (told,)), ChildSpec("desks", Supervisor, (desks,))]) as tree:
        place = Provenance(CHAIN, "n1", "m", 1.0, 5, 1.0)
        tree.ref("gateway/desks/validators").tell(Observed((JailSeen(place, ALICE, "downtime"),)))
        await trio.sleep(30)
        status = await tree.status("gateway/desks/validators")
        assert status.description == {"chains": [], "aside": []}


def test_the_terms_are_the_settings_and_are_made_once():
    settings = ChainRuleSettings(stale_after=9.0, halted_after=3.0, lag=7)
    terms = TermsInForce(lambda: settings, lambda: frozenset({"x"}))
    assert terms() is terms()
    assert (terms().stale_after, terms().halted_after, terms().lag) == (9.0, 9.0, 7)
    assert terms().watched == {"x"}


def test_a_word_counts_until_its_node_had_its_turn_again():
    turns = [12.0]
    terms = TermsInForce(turn=lambda: turns[0])
    assert terms().stands_for == 30.0
    turns[0] = 270.0
    assert terms().stands_for == 270.0
