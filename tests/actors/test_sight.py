"""What somebody does not see is told to nobody else but those who do: channels, trees, what was missed."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.channels.keeper import Channels
from actors.connections.connection import ConnectionGate, Neighbours, Opening
from actors.connections.resumption import Resumption
from actors.messages import Follow, Publish, Unfollow
from actors.places import CHANNELS, RECORDER, Address
from actors.runtime import ChildSpec, Supervisor
from config import ChannelSettings
from domain import Event, Position, Priority, Publication
from domain.access import NO_RIGHTS, OPEN_RIGHTS, AccessPolicy, Identity, Proof, Tenant
from transport import RIGHTS_CHANGED, Admit, ClientAddress, Door, Encoder, Link, Resume, Subscribe, text_frame

POLICY = AccessPolicy(tenants=[Tenant("acme", ("acme",), ()), Tenant("other", ("other",), ())])


def rights_of(tenant, role="viewer", places=()):
    return POLICY.rights(Identity("u1", "lee", frozenset({role}), Proof.TOKEN, tenant, places))


ACME, OTHER = rights_of("acme"), rights_of("other")


class Rig:
    """The keeper of the channels, and events of many places."""

    def __init__(self, tree, make_event) -> None:
        self.tree = tree
        self.ref = tree.ref("gateway/channels")
        self._make_event = make_event

    def publish(self, place: str, priority: Priority = Priority.NORMAL) -> None:
        self.ref.tell(Publish(self._make_event(place, priority, "andon.call.raised", source=f"/{place}")))

    def follow(self, channel, outlet, encode, rights, **options) -> None:
        self.ref.tell(Follow(channel, outlet, encode, rights=rights, **options))


@pytest.fixture
def run(grow, make_event):
    @asynccontextmanager
    async def running(**options):
        async with grow([ChildSpec("channels", Channels, (ChannelSettings(**options),))]) as tree:
            yield Rig(tree, make_event)

    return running


async def test_a_tree_is_what_of_it_a_follower_sees(run, outlet, dialect):
    acme, other, nobody, everybody = outlet(), outlet(), outlet(), outlet()
    encode = dialect()
    async with run() as rig:
        rig.publish("acme/before")
        rig.publish("other/before")
        await rig.tree.settle()
        for who, rights in ((acme, ACME), (other, OTHER), (nobody, NO_RIGHTS), (everybody, OPEN_RIGHTS)):
            rig.follow("andon/*", who, encode, rights, latest=10)
        await rig.tree.settle()
        for place in ("acme/l1", "other/l1", "acme2/l1", "acme/before"):
            rig.publish(place)
            rig.publish(place, Priority.CRITICAL)
        await rig.tree.settle()
    assert set(acme.texts) == {"acme/before", "acme/l1"}
    assert set(other.texts) == {"other/before", "other/l1"}
    assert nobody.texts == []
    assert set(everybody.texts) == {"acme/before", "other/before", "acme/l1", "other/l1", "acme2/l1"}


async def test_a_channel_that_is_not_seen_is_not_followed_and_says_nothing_of_itself(run, outlet, dialect):
    one, answers = outlet(), []
    async with run() as rig:
        rig.publish("other/l1")
        await rig.tree.settle()

        def confirm(now):
            answers.append(now)
            return text_frame(b"confirmed")

        for channel in ("andon/other/l1", "andon/other/none"):
            rig.follow(channel, one, dialect(), ACME, latest=10, confirm=confirm)
        await rig.tree.settle()
        rig.publish("other/l1")
        rig.publish("other/l1", Priority.CRITICAL)
        await rig.tree.settle()
    told, untold = answers
    assert (told.epoch, told.offset, told.recovered, told.gap) == (untold.epoch, untold.offset, untold.recovered, None)
    assert "other/l1" not in one.texts


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=st.lists(st.sampled_from(["acme/a", "acme/b/c", "other/a", "acme2/a", "acm", "other"]), max_size=8),
    trees=st.lists(
        st.sampled_from(["andon/*", "andon/acme/*", "andon/other/*", "andon/acme/a", "andon/other"]), max_size=4
    ),
)
async def test_nobody_is_told_what_is_another_tenants_whatever_they_follow(run, outlet, dialect, places, trees):
    one, encode = outlet(), dialect()
    async with run(limit=3) as rig:
        for index, place in enumerate(places):
            rig.publish(place, Priority.CRITICAL if index % 2 else Priority.NORMAL)
            for tree in trees[index : index + 1]:
                rig.follow(tree, one, encode, ACME, latest=100)
            if index == 5:
                rig.ref.tell(Unfollow(trees[0] if trees else None, one))
        await rig.tree.settle()
    assert [text for text in one.texts if not text.startswith("acme/")] == []


def fires() -> list[Publication]:
    """The log of critical events, of two tenants."""
    return [
        Publication(
            f"andon/{place}",
            "j7",
            0,
            0.0,
            Event(place, f"/{place}", "andon.call.raised", None, 0.0, Priority.CRITICAL),
            Position("j7", number),
        )
        for number, place in enumerate(["acme/1", "other/1", "acme/2", "other/2"], 1)
    ]


class Owner:
    """Whoever holds the socket."""

    def link_closing(self) -> None:
        """Nothing."""


def link_of(client_outlet, rights, opening=None) -> Link:
    link = Link(client_outlet(), Door("test", (), opening), ClientAddress("127.0.0.1"), Owner())
    link.rights = rights
    return link


@pytest.mark.parametrize(("rights", "missed"), [(ACME, ["acme/1", "acme/2"]), (OTHER, ["other/1", "other/2"])])
async def test_what_was_missed_is_what_the_client_may_see(grow, journal, client_outlet, rights, missed):
    outcomes = []

    def confirm(outcome):
        outcomes.append(outcome)
        return text_frame(b"resumed", Priority.CRITICAL)

    encode = Encoder(lambda publication: publication.event.id.encode())
    link = link_of(client_outlet, rights)
    async with grow([ChildSpec("recorder", journal, (fires(),))]) as tree:
        recorder = Address(tree.system.environment, RECORDER)
        step = Resume(Position("j7", 0), None, encode, confirm)
        assert await Resumption(link, recorder, step).run() == Position("j7", 4)
    assert link.stream.texts == ["resumed", *missed]
    assert [(each.recovered, each.missed) for each in outcomes] == [(True, 2)]


class Script:
    """A session that takes the steps it is told."""

    def __init__(self) -> None:
        self.steps = []

    def opened(self, _at):
        return []

    def received(self, _message, _at):
        return self.steps


@pytest.fixture
def opened(grow, client_outlet):
    """A connection whose session takes the steps it is told, of a client with ``rights``."""

    @asynccontextmanager
    async def opening(rights):
        session = Script()
        door = Opening(lambda _link, _request: session, rights=rights)
        specs = [ChildSpec("channels", Channels, (ChannelSettings(),)), ChildSpec("connections", Supervisor)]
        async with grow(specs) as tree:
            environment = tree.system.environment
            neighbours = Neighbours(Address(environment, CHANNELS))
            gate = ConnectionGate(lambda _: None, Address(environment, "gateway/connections"), neighbours)
            link = link_of(client_outlet, NO_RIGHTS, door)
            peer = await gate.opened(link.door, None, link)

            async def take(*steps):
                session.steps = steps
                await peer.received("go on")
                await tree.settle()

            yield tree, link, take

    return opening


@pytest.mark.parametrize(("newer", "closing"), [(ACME, None), (OTHER, RIGHTS_CHANGED), (OPEN_RIGHTS, RIGHTS_CHANGED)])
async def test_a_client_whose_newer_token_gives_other_rights_is_told_to_return(opened, dialect, newer, closing):
    async with opened(ACME) as (_, link, take):
        assert link.rights is ACME
        await take(Subscribe("andon/*", dialect()))
        await take(Admit(newer))
        assert link.closing == closing
        assert link.rights == ACME


async def test_who_shows_a_token_has_its_rights_from_then_on_and_none_before(opened, dialect, make_event):
    async with opened(NO_RIGHTS) as (tree, link, take):
        channels = tree.ref("gateway/channels")
        await take(Admit(ACME))
        await take(Subscribe("andon/*", dialect()))
        for place in ("acme/l0", "other/l0"):
            channels.tell(Publish(make_event(place, source=f"/{place}", type="andon.call.raised")))
        await tree.settle()
        assert link.stream.texts == ["acme/l0"]


async def test_nobody_follows_anything_whose_rights_nobody_knows(opened, dialect, make_event):
    async with opened(NO_RIGHTS) as (tree, link, take):
        await take(Subscribe("andon/*", dialect()), Subscribe("andon/acme/l0", dialect()))
        tree.ref("gateway/channels").tell(Publish(make_event("x", source="/acme/l0", type="andon.call.raised")))
        await tree.settle()
        assert link.stream.texts == []
