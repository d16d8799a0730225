"""What was missed, told again, or happened while nobody looked: neither lost nor repeated, and never taken for news."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import trio
import trio.testing

from actors.desks import ValidatorDesk
from config import ChainRuleSettings
from domain.chain.cosmos import address_of
from tests.actors.sources.cosmos_rig import (
    RECORDED,
    Maker,
    RecordedChain,
    begun,
    change,
    grown,
    linked,
    now,
    recorded_block,
    until,
    watching,
)
from tests.nodes.comet import CometNode
from tests.nodes.comet_chain import Member, slash
from tests.nodes.serving import Answer, Asked

BOB = Member("bob").address


class Busy(Exception):
    """A node, or what stands before it, has no time."""


def say_busy(_: object) -> Answer:
    raise Busy


def turned_away(node: CometNode, request: Asked) -> Answer | None:
    """What is answered over HTTP, which is no JSON-RPC where there is no time."""
    try:
        return Answer(node._rpc(json.loads(request.body), None))
    except Busy:
        return Answer(b"slow down", 429, {"Retry-After": "1"})


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Virtual time that leaves real sockets a moment before it leaps."""
    return trio.testing.MockClock(autojump_threshold=0.01)


# -- V4: the two signals ----------------------------------------------------------------------------------------------


async def test_a_jailing_without_its_change_of_the_set_is_told_and_is_a_conflict(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        change(chain, "bob", is_jailed=True, until=now() + 600)
        chain.grow(at=now(), events=slash(chain.members["bob"]))
        await maker.tell()
        await maker.make(6)
        await until(lambda: rig.events("validator.conflict"))
    assert rig.jailings() == [(BOB, "JAILED", "downtime")]
    (conflict,) = rig.events("validator.conflict")
    assert "no change of the validator set" in conflict.data["why"]


async def test_a_change_of_the_set_without_its_jailing_is_told_and_is_a_conflict(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        chain.jail("bob", says=False)
        await maker.tell()
        await maker.make(6)
        await until(lambda: rig.events("validator.conflict"))
    assert [status for _, status, _ in rig.jailings()] == ["JAILED"]
    assert "do not say that it was jailed" in rig.events("validator.conflict")[0].data["why"]


# -- V5: a gap --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", ["0.34.29", "0.38.25"])
async def test_a_jailing_in_a_gap_is_told_exactly_once(tmp_path, clock, release):
    chain = grown(release=release)
    async with CometNode(chain) as node, watching([node], tmp_path, poll=30.0) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        node.leave()
        await maker.make(2)
        chain.jail("bob")
        jailed_in = chain.tip
        await maker.make(5)
        await node.come_back()
        await linked(node)
        await until(rig.jailings)
        await maker.make(20)
        gaps = (await rig.describe())["gaps"]
        assert (await rig.validator(BOB))["since"] == jailed_in
    assert rig.jailings() == [(BOB, "JAILED", "downtime")]
    assert gaps == {"waiting": 0, "filled": 8, "missed": 0}
    heights = [one.data["blockHeight"] for one in rig.events("chain.block")]
    assert sorted(heights) == list(range(6, chain.tip + 1))
    assert len(heights) == len(set(heights))


async def test_a_block_that_a_link_swallowed_is_read_again(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        await trio.sleep(1)
        chain.jail("bob")
        node._told = chain.tip
        await maker.make(3)
        await until(rig.jailings)
        await until(lambda: len(rig.events("chain.block")) == chain.tip - 5)
    assert rig.jailings() == [(BOB, "JAILED", "downtime")]


async def test_what_is_beyond_the_limit_and_what_nobody_has_any_more_is_said(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path, gap_limit=5) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        node.leave()
        await maker.make(12)
        node.earliest = chain.tip - 2
        await node.come_back()
        await until(lambda: rig.events("chain.missed"))
        await until(lambda: len(rig.events("chain.block")) >= 6)
        await maker.make(2)
        gaps = (await rig.describe())["gaps"]
    missed = [(one.data["first"], one.data["last"], one.data["reason"]) for one in rig.events("chain.missed")]
    assert missed == [(9, 17, "the node no longer has them")]
    assert gaps == {"waiting": 0, "filled": 3, "missed": 9}


async def test_a_block_that_no_node_tells_readably_is_given_up_and_those_beside_it_are_not(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        node.leave()
        await maker.make(3)
        block = {height: {"block_id": chain.block_id(height), "block": chain.block(height)} for height in (9, 10, 11)}
        node.answers["block"] = lambda params: Answer(
            None if params["height"] == "10" else block[int(params["height"])]
        )
        await node.come_back()
        await until(lambda: rig.events("chain.missed"))
        gaps = (await rig.describe())["gaps"]
    missed = [(one.data["first"], one.data["last"], one.data["reason"]) for one in rig.events("chain.missed")]
    assert missed == [(10, 10, "no node gave an answer that could be used")]
    assert gaps == {"waiting": 0, "filled": 2, "missed": 1}


async def test_a_node_that_has_no_time_for_us_has_not_said_that_it_lacks_a_block(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        node.leave()
        await maker.make(12)
        busy, asked = {"left": 40}, []

        def answer(params: Mapping[str, object]) -> Answer:
            asked.append(trio.current_time())
            if busy["left"]:
                busy["left"] -= 1
                raise Busy
            height = int(str(params["height"]))
            return Answer({"block_id": chain.block_id(height), "block": chain.block(height)})

        node.answers["block"] = answer
        node.answers["/"] = node.answers[""] = lambda request: turned_away(node, request)
        await node.come_back()
        await until(lambda: len(rig.events("chain.block")) == chain.tip - 5, 600)
        gaps = (await rig.describe())["gaps"]
    assert gaps == {"waiting": 0, "filled": 12, "missed": 0}
    assert not rig.events("chain.missed")
    # It is left in peace between, and not asked as fast as it says no.
    assert busy["left"] == 0
    assert len(asked) / (asked[-1] - asked[0]) < 4


async def test_what_one_node_missed_and_another_told_is_no_gap(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, CometNode(chain) as other, watching([node, other], tmp_path) as rig:
        maker = Maker(chain, node, other)
        await begun(rig, maker)
        node.leave()
        await maker.make(8)
        await node.come_back()
        await linked(node, other)
        await maker.make(8)
        gaps = (await rig.describe())["gaps"]
        heights = [one.data["blockHeight"] for one in rig.events("chain.block")]
    assert gaps == {"waiting": 0, "filled": 0, "missed": 0}
    assert heights == list(range(6, chain.tip + 1))


# -- V6: what is told again -------------------------------------------------------------------------------------------


async def test_blocks_that_a_node_tells_again_are_history(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        chain.jail("bob")
        await maker.tell()
        await until(rig.jailings)
        await maker.make(10)
        change(chain, "bob", until=now() - 1)
        chain.release_from_jail("bob")
        await maker.tell()
        await until(lambda: rig.status("bob") == "ACTIVE")
        await maker.make(10)
        node._told = 5
        await maker.tell()
        await maker.make(5)
        heights = [one.data["blockHeight"] for one in rig.events("chain.block")]
    assert rig.jailings() == [(BOB, "JAILED", "downtime")]
    assert rig.news("bob")[-1] == ("ACTIVE", None)
    assert len(heights) == len(set(heights))


async def test_a_jailing_of_long_ago_that_is_read_for_the_first_time_is_kept_as_history(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node:
        maker = Maker(chain, node)
        async with watching([node], tmp_path) as rig:
            await begun(rig, maker)
        chain.jail("bob")
        await maker.make(3)
        change(chain, "bob", until=now() - 1)
        chain.release_from_jail("bob")
        await maker.make(3)
        await trio.sleep(400)
        async with watching([node], tmp_path, rules=ChainRuleSettings(history_after=60)) as rig:
            await until(lambda: rig.events("validator.history"))
            await maker.make(5)
            assert rig.jailings() == []
            assert rig.status("bob") == "ACTIVE"
    (history,) = rig.events("validator.history")
    assert (history.data["validator"], history.data["reason"]) == (BOB, "downtime")


# -- V10: restarts ----------------------------------------------------------------------------------------------------


async def test_a_restart_while_jailed_neither_loses_nor_repeats_it_and_it_ends(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node:
        maker = Maker(chain, node)
        async with watching([node], tmp_path) as rig:
            await begun(rig, maker)
            chain.jail("bob")
            await maker.tell()
            await until(rig.jailings)
            await maker.make(2)
        async with watching([node], tmp_path) as rig:
            await linked(node)
            await maker.make(8)
            assert rig.news("bob") == []
            assert rig.status("bob") == "JAILED"
            change(chain, "bob", until=now() - 1)
            chain.release_from_jail("bob")
            await maker.tell()
            await until(lambda: rig.news("bob"))
            await maker.make(5)
        assert rig.news("bob") == [("ACTIVE", None)]


async def test_a_jailing_while_nobody_looked_is_told_once_afterwards_with_its_reason(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node:
        maker = Maker(chain, node)
        async with watching([node], tmp_path) as rig:
            await begun(rig, maker)
        await maker.make(2)
        chain.jail("bob", "double_sign")
        await maker.make(2)
        async with watching([node], tmp_path) as rig:
            await until(rig.jailings)
            await linked(node)
            await maker.make(8)
            heights = [one.data["blockHeight"] for one in rig.events("chain.block")]
    assert rig.jailings() == [(BOB, "TOMBSTONED", "double_sign")]
    assert set(range(9, chain.tip)) <= set(heights)


async def test_a_gap_that_was_still_to_be_filled_when_a_life_ended_is_filled_by_the_next_one(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node:
        maker = Maker(chain, node)
        async with watching([node], tmp_path) as rig:
            await begun(rig, maker)
            await trio.sleep(10)
            node.leave()
            await maker.make(8)
            # It says where the chain is, and for now it has no time to say what is in its blocks.
            node.answers["block"] = say_busy
            node.answers["/"] = node.answers[""] = lambda request: turned_away(node, request)
            await node.come_back()
            await linked(node)
            await maker.make(8)
            assert (await rig.describe())["gaps"]["filled"] == 0
            told = {one.data["blockHeight"] for one in rig.events("chain.block")}
        missing = set(range(9, 17)) - told
        assert missing
        node.answers.clear()
        async with watching([node], tmp_path) as rig:
            await until(lambda: missing <= {one.data["blockHeight"] for one in rig.events("chain.block")})


async def test_a_chain_is_read_while_the_journal_cannot_be_and_the_gap_before_is_filled_then(
    tmp_path, clock, monkeypatch
):
    chain = grown()
    async with CometNode(chain) as node:
        maker = Maker(chain, node)
        async with watching([node], tmp_path) as rig:
            await begun(rig, maker)
            await trio.sleep(10)
        await maker.make(6)
        is_broken = True
        read = ValidatorDesk._read

        async def unreadable(desk, patience):
            return None if is_broken else await read(desk, patience)

        monkeypatch.setattr(ValidatorDesk, "_read", unreadable)
        async with watching([node], tmp_path) as rig:
            await linked(node)
            await maker.make(3)
            newest = set(range(chain.tip - 2, chain.tip + 1))
            await until(lambda: newest <= {one.data["blockHeight"] for one in rig.events("chain.block")})
            is_broken = False
            await until(lambda: {9, 10, 11} <= {one.data["blockHeight"] for one in rig.events("chain.block")})
            status = (await rig.describe())["state"]
    assert status == "fresh"


async def test_who_was_jailed_before_anybody_looked_is_told_once(tmp_path, clock):
    chain = grown()
    chain.jail("bob")
    for _ in range(5):
        chain.grow()
    async with CometNode(chain) as node:
        maker = Maker(chain, node)
        for _ in range(2):
            async with watching([node], tmp_path) as rig:
                await until(lambda: rig.status("bob") == "JAILED")
                await maker.make(8)
                told = rig.news("bob")
            assert len(told) == (1 if _ == 0 else 0), told


# -- V11: how far from jail -------------------------------------------------------------------------------------------


async def test_the_countdown_to_jail_is_right_to_one_block(tmp_path, clock):
    chain = grown()
    chain.window, chain.least_signed = 20, 0.5
    async with CometNode(chain) as node, watching([node], tmp_path, watched=(Member("bob").operator,)) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        await maker.make(20)
        for missed in range(1, 10):
            await maker.make(absent=["bob"])
            await trio.sleep(0.2)
            validators = await rig.validator(BOB)
            # One is jailed with the miss that is one more than the window allows: 10 of 20, so with the eleventh.
            assert (validators["missedBlocks"], validators["blocksToJail"]) == (missed, 11 - missed)
            assert validators["secondsToJail"] == pytest.approx(11 - missed, rel=0.2)
    levels = [one.data["blocksToJail"] for one in rig.events("validator.risk")]
    assert levels == sorted(levels, reverse=True)
    assert levels


@dataclass(frozen=True)
class Seated(Member):
    """A validator of a real chain: its name is its address."""

    @property
    def address(self) -> str:
        return self.name


@pytest.mark.skipif(
    not RECORDED.is_dir(), reason=f"no recorded blocks in {RECORDED}; ANDOND_SHARED says where they are"
)
async def test_the_countdown_of_a_recorded_block_ends_where_that_chain_jailed(tmp_path, clock):
    recorded = recorded_block("slash_missing_signature_block_results_trimmed")
    told = {}
    for event in recorded["begin_block_events"]:
        members = {b64decode(one["key"]): b64decode(one["value"] or "") for one in event["attributes"]}
        if event["type"] == "liveness":
            told[address_of(members[b"address"].decode())] = int(members[b"missed_blocks"])
    # Two were jailed in it, at 1001 misses of a window of 2000 of which half must be signed.
    seats = {address: missed for address, missed in told.items() if missed < 1001}
    height = int(recorded["height"])
    chain = RecordedChain(recorded, members=[Seated(name) for name in seats], first=height - 3, began=now() - 3)
    chain.window, chain.least_signed = 2000, 0.5
    for _ in range(3):
        chain.grow()
    node = CometNode(chain, earliest=height - 3)
    # The records have no keys for who was not jailed.
    node.answers["/cosmos/staking/v1beta1/validators"] = Answer({"code": 12, "message": "Not Implemented"}, 501)
    async with node, watching([node], tmp_path, poll=3600.0) as rig:
        await linked(node)
        await until(lambda: len(rig.news()) >= len(seats))
        for address, missed in seats.items():
            change(chain, address, missed=missed)
        chain.make(now())
        await Maker(chain, node).tell()
        await until(rig.jailings)
        left = {address: (await rig.validator(address))["blocksToJail"] for address in seats}
    assert left == {address: 1001 - missed for address, missed in seats.items()}
    assert min(left.values()) == 16
