"""The way of a chain's source to the desks: in order, once each, and nothing lost when somebody gives up waiting."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio

from actors.messages import EventTaken, Observed
from actors.ranks import Ranks
from actors.runtime import ChildSpec, Supervisor, TrioActor
from actors.sources.chain_link import WAITING_LIMIT, ChainLink, NodeState
from actors.sources.source import Freshness
from domain.chain import BlockSeen, HeadSeen, NodeHeard, Provenance, Relay, TransactionSeen
from telemetry import counters

AT = 1_800_000_000.0


class Desk(TrioActor):
    """Keeps what it is told, behind a gate."""

    mailbox_limit = 2

    def __init__(self, told: list, gate: trio.Event) -> None:
        super().__init__()
        self._told, self._gate = told, gate

    async def on_receive(self, message: object) -> None:
        await self._gate.wait()
        self._told.append(message)


def head(height: int) -> HeadSeen:
    return HeadSeen(Provenance("1", "a", "test", AT, height, AT), height, AT)


@pytest.fixture
def linked(grow):
    @asynccontextmanager
    async def make(*, is_open: bool = True):
        gate, validators, portal = trio.Event(), [], []
        desks = [ChildSpec("validators", Desk, (validators, gate)), ChildSpec("portal", Desk, (portal, gate))]
        if is_open:
            gate.set()
        async with grow([ChildSpec("desks", Supervisor, (desks,))]) as tree:
            freshness = Freshness("m", "ethereum", "", 30.0, False)
            link = ChainLink(tree.system.environment, Relay("1"), lambda: AT, freshness, Ranks("m"))
            yield tree, link, freshness, gate, validators, portal

    return make


def heights(told: list) -> list[int]:
    return [said.height for message in told if type(message) is Observed for said in message.observations]


async def test_both_desks_are_told_and_the_portal_has_the_events_too(linked, autojump_clock):
    origin = Provenance("1", "a", "test", AT, 7, AT)
    said = (head(7), BlockSeen(origin, 7, AT, "0x7", transactions=1), TransactionSeen(origin, "0xaa", "SUCCESS"))
    async with linked() as (tree, link, freshness, _, validators, portal):
        await link.tell(said)
        await tree.settle()
        assert [message.observations for message in validators] == [said[:2]]
        assert [type(message) for message in portal] == [Observed, EventTaken, EventTaken]
        assert [message.event.type for message in portal[1:]] == ["chain.block", "chain.transaction"]
        assert freshness.last == AT


async def test_a_fault_of_a_node_is_no_sign_of_life(linked, autojump_clock):
    async with linked() as (tree, link, freshness, _, validators, _portal):
        await link.tell([NodeHeard(Provenance("1", "a", "connect", AT), None, "no answer")])
        await tree.settle()
        assert len(validators) == 1
        assert freshness.last is None


async def test_who_tells_waits_for_a_desk_that_is_behind_and_the_order_stays(linked, autojump_clock):
    async with linked(is_open=False) as (tree, link, _, gate, validators, portal):
        done = []

        async def tell(height: int) -> None:
            await link.tell([head(height)])
            done.append(height)

        async with trio.open_nursery() as nursery:
            for height in range(12):
                nursery.start_soon(tell, height)
                await trio.sleep(0.1)
            assert len(done) < 12
            gate.set()
        await tree.settle()
        assert heights(validators) == heights(portal) == list(range(12))


async def test_the_validators_desk_does_not_wait_for_the_portals(grow, autojump_clock):
    open_, shut, validators, portal = trio.Event(), trio.Event(), [], []
    open_.set()
    desks = [ChildSpec("validators", Desk, (validators, open_)), ChildSpec("portal", Desk, (portal, shut))]
    async with grow([ChildSpec("desks", Supervisor, (desks,))]) as tree:
        freshness = Freshness("m", "ethereum", "", 30.0, False)
        link = ChainLink(tree.system.environment, Relay("1"), lambda: AT, freshness, Ranks("m"))
        async with trio.open_nursery() as nursery:
            for height in range(8):
                nursery.start_soon(link.tell, [head(height)])
                await trio.sleep(0.1)
            assert heights(validators) == list(range(8))
            assert not portal
            shut.set()
        await tree.settle()
        assert heights(portal) == list(range(8))


async def test_what_was_told_by_one_who_gave_up_waiting_is_not_lost(linked, autojump_clock):
    async with linked(is_open=False) as (tree, link, _, gate, validators, portal):
        for height in range(8):
            with trio.move_on_after(0.1):
                await link.tell([head(height)])
        gate.set()
        await link.tell([])
        await tree.settle()
        assert heights(validators) == heights(portal) == list(range(8))


async def test_a_desk_that_is_not_there_is_waited_for(grow, autojump_clock):
    async with grow([]) as tree:
        freshness = Freshness("m", "ethereum", "", 30.0, False)
        link = ChainLink(tree.system.environment, Relay("1"), lambda: AT, freshness, Ranks("m"))
        with trio.move_on_after(5) as scope:
            await link.tell([head(1)])
        assert scope.cancelled_caught


async def test_of_more_than_can_wait_the_oldest_goes_and_is_counted(grow, autojump_clock):
    before = counters.dead_letters["overflow"]
    async with grow([]) as tree:
        freshness = Freshness("m", "ethereum", "", 30.0, False)
        link = ChainLink(tree.system.environment, Relay("1"), lambda: AT, freshness, Ranks("m"))
        # Who gives up waiting leaves behind what was told, again and again while the desks are away.
        for height in range(WAITING_LIMIT + 7):
            with trio.CancelScope() as scope:
                scope.cancel()
                await link.tell([head(height)])
        assert link.describe()["portal"] == link.describe()["validators"] == {"waiting": WAITING_LIMIT, "dropped": 7}
        assert counters.dead_letters["overflow"] == before + 14


def test_a_node_says_how_it_is():
    state = NodeState("m", "a", "beacon", "http://a:1", lambda: AT)
    state.connected()
    state.answered()
    state.failed("/eth/v1/node/health", "no answer")
    said = state.describe()
    assert (said["connected"], said["answers"], said["failures"]) == (True, 1, 1)
    assert said["lastFailure"] == "/eth/v1/node/health: no answer"
    state.lost("gone", 1.0)
    said = state.describe()
    assert (said["connected"], said["connectedSince"], said["reason"]) == (False, None, "gone")
