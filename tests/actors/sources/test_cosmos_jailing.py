"""A jailing on its way from a node to the channel: told at once, once, for the right reason, and never for nothing."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from actors.channels.keeper import Channels
from actors.messages import Follow
from actors.runtime import ChildSpec
from config import ChannelSettings
from domain import Event as Published
from domain import Priority
from domain.access import OPEN_RIGHTS
from domain.chain.cosmos import address_of_key
from tests.actors.sources.cosmos_rig import (
    RECORDED,
    Maker,
    RecordedChain,
    begun,
    change,
    grown,
    now,
    recorded_block,
    until,
    watching,
)
from tests.nodes.comet import CometNode
from tests.nodes.comet_chain import Member
from tests.nodes.serving import Answer
from transport import Encoder

needs_recorded = pytest.mark.skipif(
    not RECORDED.is_dir(), reason=f"no recorded jailings in {RECORDED}; ANDOND_SHARED says where they are"
)
BOB = Member("bob").address


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Virtual time that leaves real sockets a moment before it leaps."""
    return trio.testing.MockClock(autojump_threshold=0.01)


# -- V1, V2, V3: at once, and for the right reason --------------------------------------------------------------------


@pytest.mark.parametrize("release", ["0.34.29", "0.37.5", "0.38.25"])
@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [("missing_signature", "JAILED", "downtime"), ("double_sign", "TOMBSTONED", "double_sign")],
)
async def test_a_jailing_is_told_at_once_and_confirmed_by_a_second_look(tmp_path, clock, release, said, status, reason):
    chain = grown(release=release)
    async with CometNode(chain) as node, watching([node], tmp_path, poll=3600.0) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        chain.jail("bob", said)
        told_at = trio.current_time()
        await maker.tell()
        await until(rig.jailings)
        # No poll is due for an hour: it is the block that says it.
        assert trio.current_time() - told_at < 1
        await until(lambda: rig.events("validator.confirmed"))
        assert trio.current_time() - told_at < 5
        await maker.make(5)
    assert rig.jailings() == [(BOB, status, reason)]
    first = next(one for one in rig.events("validator.status") if one.data["status"] == status)
    assert first.priority is Priority.CRITICAL
    assert first.data["confirmed"] is False
    assert first.data["since"] == 9
    assert not rig.events("validator.conflict")


async def test_a_jailing_comes_to_whoever_follows_the_channel(tmp_path, clock, outlet):
    """V1: through source, desk, journal and channel to a follower; how fast is for the benchmarks to say."""
    chain, followed = grown(), outlet()

    def write(publication) -> bytes:
        event: Published = publication.event
        return f"{event.type} {event.data['status']} {publication.critical is not None}".encode()

    specs = ChildSpec("channels", Channels, (ChannelSettings(),))
    async with CometNode(chain) as node, watching([node], tmp_path, channels=specs) as rig:
        maker = Maker(chain, node)
        rig.root.actor_inbox.owner.child("channels").tell(
            Follow("chain/validators", followed, Encoder(write), rights=OPEN_RIGHTS)
        )
        await until(lambda: any("ACTIVE" in text for text in followed.texts))
        await until(lambda: len(node.subscriptions) == 7)
        await maker.make(3)
        chain.jail("bob")
        await maker.tell()
        await until(lambda: any("JAILED" in text for text in followed.texts))
    assert followed.texts.count("validator.status JAILED True") == 1


async def test_who_falls_under_its_own_delegation_is_jailed_without_a_word_in_the_block(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path, poll=3600.0) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        change(chain, "bob", is_jailed=True)
        chain.grow(at=now(), updates=[("bob", 0)])
        await maker.tell()
        await until(rig.jailings)
        await maker.make(4)
    assert rig.jailings() == [(BOB, "JAILED", "self_delegation")]


async def test_it_does_not_wait_for_the_link_of_the_many(tmp_path, clock):
    chain = grown(release="0.38.25")
    async with CometNode(chain) as node, watching([node], tmp_path, poll=3600.0) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        node.subscriptions = [one for one in node.subscriptions if one.query != "tm.event='NewBlock'"]
        change(chain, "bob", is_jailed=True)
        chain.grow(at=now(), updates=[("bob", 0)])
        told_at = trio.current_time()
        await maker.tell()
        await until(rig.jailings)
        assert trio.current_time() - told_at < 5
    assert [(address, status) for address, status, _ in rig.jailings()] == [(BOB, "JAILED")]


class SlowRecords(CometNode):
    """A node whose records do not say of which height they are, and are under way while somebody is jailed."""

    jails = ""

    async def answer(self, asked):
        found = await super().answer(asked)
        if asked.path.endswith("/staking/v1beta1/validators"):
            found = Answer(found.value)
            if self.jails:
                self.chain.jail(self.jails)
                self.jails = ""
                await self.publish()
                await trio.sleep(0.5)
        return found


async def test_records_that_were_asked_for_before_a_jailing_do_not_take_it_back(tmp_path, clock):
    chain = grown()
    async with SlowRecords(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        node.jails = "bob"
        await until(rig.jailings)
        await until(lambda: rig.events("validator.confirmed"))
        await maker.make(5)
    assert rig.jailings() == [(BOB, "JAILED", "downtime")]
    assert not rig.events("validator.retracted")


async def test_who_only_leaves_the_set_is_never_called_jailed(tmp_path, clock):
    """V3."""
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        chain.drop("bob")
        await maker.tell()
        await until(lambda: rig.status("bob") == "INACTIVE")
        await maker.make(20)
    assert rig.news("bob")[-1] == ("INACTIVE", None)
    assert rig.jailings() == []
    assert not rig.events("validator.conflict")


@needs_recorded
@pytest.mark.parametrize(
    ("file", "height", "count", "status", "reason"),
    [
        ("slash_missing_signature_block_results_full", 28, 2, "JAILED", "downtime"),
        ("slash_missing_signature_block_results_trimmed", 168481, 2, "JAILED", "downtime"),
        ("slash_double_sign_block_results", 165487, 1, "TOMBSTONED", "double_sign"),
    ],
)
async def test_the_recorded_jailings_are_told_with_their_addresses_and_reasons(
    tmp_path, clock, file, height, count, status, reason
):
    """V2."""
    recorded = recorded_block(file)
    assert int(recorded["height"]) == height
    keys = [update["pub_key"]["Sum"]["value"]["ed25519"] for update in recorded["validator_updates"]]
    removed = {address_of_key("ed25519", key) for key in keys}
    chain = RecordedChain(recorded, first=height - 3, began=now() - 3)
    for _ in range(3):
        chain.grow()
    async with CometNode(chain, earliest=height - 3) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await until(lambda: rig.status("ann") == "ACTIVE" and len(node.subscriptions) == 7)
        chain.make(now())
        await maker.tell()
        await until(lambda: len(rig.jailings()) == count)
        await maker.make(6)
    told = rig.jailings()
    assert {address for address, *_ in told} == removed
    assert [(one, why) for _, one, why in told] == [(status, reason)] * count
    assert not rig.events("validator.conflict")
