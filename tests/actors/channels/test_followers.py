"""Followers by how often they want to be told, through the channel itself; and what each of them can account for."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.channels.followers import Followers
from actors.messages import Follow
from actors.runtime import Policy
from domain import Position, Priority, Publication
from domain.access import OPEN_RIGHTS
from telemetry import counters
from transport import Encoder, Followed, Frame, text_frame

NAME = "equipment/acme/press3"


@pytest.fixture
def reading(make_event):
    def make(id_: str, subject: str = "load", priority: Priority = Priority.NORMAL):
        return make_event(id_, priority, "equipment.reading", subject=subject)

    return make


# -- a pace of one's own ------------------------------------------------------------------------------------


async def test_a_value_is_told_as_often_as_was_asked_for_and_says_for_how_many_it_stands(
    channel, outlet, dialect, reading, autojump_clock
):
    slow, fast, encode = outlet(), outlet(), dialect(sampled=True)
    async with channel() as rig:
        await rig.follow(slow, encode, max_hz=2.0)
        await rig.follow(fast, encode)
        for number in range(10):
            await rig.published(reading(f"{number}"))
            await trio.sleep(0.11)
        await trio.sleep(1.1)
    assert fast.texts == [f"{number}" for number in range(10)]
    assert slow.texts == ["0", "4*4", "9*5"]


async def test_what_each_one_of_counts_is_told_at_once_and_in_its_order(
    channel, outlet, dialect, reading, make_event, autojump_clock
):
    one = outlet()
    async with channel() as rig:
        await rig.follow(one, dialect(sampled=True), max_hz=1.0)
        await rig.published(reading("r1"), make_event("s1"), reading("r2"), make_event("s2", Priority.HIGH))
        await rig.published(reading("r3"), make_event("fire", Priority.CRITICAL), reading("r4", priority=Priority.HIGH))
        assert one.texts == ["r1", "s1", "s2", "fire", "r4"]
        await trio.sleep(1.1)
        assert one.texts == ["r1", "s1", "s2", "fire", "r4", "r3*2"]


async def test_what_has_piled_up_goes_out_in_one_write_at_every_pace(channel, outlet, dialect, reading, make_event):
    one = outlet()
    async with channel() as rig:
        await rig.follow(one, dialect(), max_hz=1.0)
        rig.publish(*[make_event(f"{number}") for number in range(20)], reading("r"))
        await rig.tree.settle()
    assert [len(frames) for frames in one.writes] == [21]


async def test_who_joins_while_something_waits_is_told_for_no_more_than_came_since(
    channel, outlet, dialect, reading, autojump_clock
):
    first, second, third, encode = outlet(), outlet(), outlet(), dialect(sampled=True)
    async with channel() as rig:
        await rig.follow(first, encode, max_hz=1.0)
        await rig.published(reading("1"), reading("2"), reading("3"), reading("a", "heat"), reading("b", "heat"))
        await rig.follow(second, encode, max_hz=1.0)
        await rig.published(reading("4"))
        await rig.follow(third, encode, max_hz=1.0)
        assert (await rig.says())["followers"] == 3
        await trio.sleep(1.1)
        assert first.texts == ["1", "a", "4*3", "b"]
        assert second.texts == ["4"]
        assert third.texts == []
        await rig.published(reading("5"), reading("6"))
        await trio.sleep(1.1)
    assert [each.texts[-1] for each in (first, second, third)] == ["6*2"] * 3


async def test_what_waits_is_told_before_the_channel_ends_or_fails(channel, outlet, dialect, reading, autojump_clock):
    one = outlet()
    async with channel() as rig:
        await rig.follow(one, dialect(sampled=True), max_hz=0.01)
        await rig.published(reading("1"), reading("2"), reading("3"))
        rig.fail()
        await trio.sleep(1.1)
        assert one.texts == ["1", "3*2"]
        await rig.published(reading("4"), reading("5"))
    assert one.texts == ["1", "3*2", "4", "5"]


async def test_who_left_is_not_told_what_waited(channel, outlet, dialect, reading, autojump_clock):
    one, other, encode = outlet(), outlet(), dialect()
    async with channel() as rig:
        await rig.follow(one, encode, max_hz=1.0)
        await rig.follow(other, encode, max_hz=1.0)
        await rig.published(reading("1"), reading("2"))
        await rig.unfollow(one)
        await trio.sleep(2)
        await rig.unfollow(other)
        assert not rig.followers
    assert (one.texts, other.texts) == (["1"], ["1", "2"])


@pytest.mark.parametrize(("paces", "told"), [((None, 1.0), 4), ((1.0, None), 4), ((1.0, 4.0), 3), ((4.0, 1.0), 3)])
async def test_of_several_names_the_one_that_asks_for_most_counts(
    channel, outlet, dialect, reading, autojump_clock, paces, told
):
    one, encode = outlet(), dialect(sampled=True)
    async with channel() as rig:
        for pace in paces:
            await rig.follow(one, encode, max_hz=pace)
        assert (await rig.says())["followers"] == 1
        for number in range(4):
            await rig.published(reading(f"{number}"))
            await trio.sleep(0.1)
        await trio.sleep(5)
    assert len(one.texts) == told


async def test_who_changes_to_a_faster_pace_loses_nothing_of_what_waited(
    channel, outlet, dialect, reading, autojump_clock
):
    one, encode = outlet(), dialect(sampled=True)
    async with channel() as rig:
        await rig.follow(one, encode, max_hz=1.0)
        await rig.published(reading("1"), reading("2"), reading("3"))
        await rig.follow(one, encode)
        assert one.texts == ["1", "3*2"]
        await rig.published(reading("4"))
    assert one.texts == ["1", "3*2", "4"]


async def test_there_is_a_timer_only_while_something_waits(channel, outlet, dialect, reading, autojump_clock):
    async with channel() as rig:
        await rig.follow(outlet(), dialect(), max_hz=1.0)
        idle = trio.lowlevel.current_statistics().tasks_living
        await rig.published(reading("1"))
        assert trio.lowlevel.current_statistics().tasks_living == idle
        await rig.published(*[reading(f"{number}", subject) for number in range(20) for subject in ("load", "heat")])
        assert trio.lowlevel.current_statistics().tasks_living == idle + 1
        await trio.sleep(3)
        assert trio.lowlevel.current_statistics().tasks_living == idle


async def test_what_was_told_at_a_pace_is_counted_as_it_was_delivered(
    channel, outlet, dialect, reading, autojump_clock
):
    encode, outlets = dialect(), [outlet() for _ in range(3)]
    async with channel() as rig:
        for each in outlets:
            await rig.follow(each, encode, max_hz=1.0)
        before, sent = counters.deliveries[Priority.NORMAL], counters.frames_sent
        await rig.published(*[reading(f"{number}") for number in range(5)])
        await trio.sleep(3)
        offered = sum(len(each.frames) for each in outlets)
    assert offered == 6
    assert counters.deliveries[Priority.NORMAL] - before == offered
    assert counters.frames_sent - sent == offered


async def test_a_full_mailbox_delays_what_is_due_and_loses_nothing(
    channel, outlet, dialect, reading, make_event, autojump_clock, monkeypatch
):
    monkeypatch.setattr("actors.channels.channel.Channel.mailbox_limit", 3)
    one, gate = outlet(), trio.Event()
    async with channel() as rig:
        await rig.follow(one, dialect(sampled=True), max_hz=1.0)
        await rig.published(reading("1"), reading("2"))

        async def stand_still(*_args) -> None:
            await gate.wait()

        monkeypatch.setattr("actors.channels.channel.Channel._follow", stand_still)
        for _ in range(4):
            rig.ref.tell(Follow(NAME, outlet(), dialect(), rights=OPEN_RIGHTS))
            await rig.tree.settle()
        await trio.sleep(5)
        assert one.texts == ["1"]
        gate.set()
        await trio.sleep(1.1)
    assert one.texts == ["1", "2"]


def test_groups_that_nobody_is_in_are_gone(outlet, dialect):
    followers, one, encode = Followers(), outlet(), dialect()
    assert followers.add(one, encode, 2.0)
    assert not followers.add(one, encode, 1.0)
    assert not followers.add(one, encode)
    assert followers.add(one, dialect())
    assert len(followers) == 2
    followers.discard(one)
    assert (len(followers), followers.free, followers.paced) == (0, {}, {})


# -- the account of each follower ---------------------------------------------------------------------------


def _written(publication: Publication, rate: int) -> bytes:
    event = publication.event
    members = [event.id, publication.epoch, publication.offset, event.subject, rate]
    return json.dumps(members, separators=(",", ":")).encode()


class Visitor:
    """One client over its visits: what it was told, and what it expects."""

    encode = Encoder(lambda publication: _written(publication, 1), sampled=_written)

    def __init__(self, outlet_class, pace: float | None) -> None:
        self._outlet_class = outlet_class
        self.pace = pace
        self.outlet = None
        self.position: Position | None = None
        self.answer: Followed | None = None
        # Ids of what was published since the position, by kind, until the channel's life is another one.
        self.readings: Counter[str] = Counter()
        self.states: list[str] = []
        self.calls: list[str] = []
        self.is_exact = True

    def arrive(self):
        self.outlet = self._outlet_class()
        return self.outlet

    def confirm(self, outcome: Followed) -> Frame:
        self.answer = outcome
        return text_frame(b"[]")

    def told(self) -> list[list]:
        return [json.loads(frame.data[2:]) for frame in self.outlet.frames if len(frame.data) > 4]

    def check(self) -> None:
        """Seen, and what stands for others, and gaps, are all that was published; of each value in its order."""
        told = self.told()
        ids = [each[0] for each in told]
        assert len(set(ids)) == len(ids), "nothing is told twice"
        assert [id_ for id_ in ids if id_[0] == "c"] == self.calls, "no critical one is missing"
        for subject in ("load", "heat"):
            numbers = [int(each[0][1:]) for each in told if each[3] == subject]
            assert numbers == sorted(numbers), "of one value the order stays"
        gap = self.answer.gap
        if not self.is_exact:
            assert gap is not None
            assert gap.count is None
            return
        seen = sum(each[4] for each in told)
        published = self.readings.total() + len(self.states) + len(self.calls)
        assert seen + (gap.count if gap else 0) == published
        assert self.answer.recovered == (gap is None)

    def forget(self) -> None:
        self.readings.clear()
        self.states.clear()
        self.calls.clear()
        self.is_exact = True


class World:
    """A channel, its journal and its visitors, and what each of them has to account for."""

    HISTORY = 6

    def __init__(self, rig, make_event, visitors: list[Visitor]) -> None:
        self.rig = rig
        self.visitors = visitors
        self._make_event = make_event
        self._number = 0
        self._epoch_begin = 0

    def publish_soon(self, kind: str) -> None:
        self._number += 1
        id_ = f"{kind}{self._number}"
        for visitor in self.visitors:
            if kind == "c":
                visitor.calls.append(id_)
            elif kind == "s":
                visitor.states.append(id_)
            else:
                visitor.readings[kind] += 1
        if kind == "c":
            self.rig.record(self._make_event(id_, Priority.CRITICAL, "andon.call.raised"))
        elif kind == "s":
            self.rig.record(self._make_event(id_, Priority.HIGH))
        else:
            subject = {"l": "load", "h": "heat"}[kind]
            # LOW: a mailbox puts nothing in the place of it, so all of it is published.
            self.rig.publish(self._make_event(id_, Priority.LOW, "equipment.reading", subject=subject))

    async def publish(self, kind: str) -> None:
        self.publish_soon(kind)
        await self.rig.tree.settle()

    async def visit(self, visitor: Visitor) -> None:
        if visitor.outlet is not None:
            return
        since = visitor.position
        if since is None:
            visitor.forget()
        says = await self.rig.says()
        if since is not None and since.epoch != says["epoch"]:
            # Of another life nobody knows the count; what is critical is told as far as it is remembered.
            visitor.is_exact = False
            remembered = [each.event.id for each in self._remembered()]
            visitor.calls = [id_ for id_ in remembered if id_[0] == "c"]
        await self.rig.follow(
            visitor.arrive(), visitor.encode, since=since, max_hz=visitor.pace, confirm=visitor.confirm
        )

    def _remembered(self) -> list[Publication]:
        seeds = self.rig.journal[: self._epoch_begin][-self.HISTORY :]
        return [*seeds, *self.rig.journal[self._epoch_begin :]]

    async def leave(self, visitor: Visitor) -> None:
        if visitor.outlet is None:
            return
        # Until nothing waits for it: a client is where its position says only then.
        await trio.sleep(1)
        says = await self.rig.says()
        await self.rig.unfollow(visitor.outlet)
        visitor.check()
        visitor.outlet = None
        visitor.position = Position(says["epoch"], says["offset"])
        visitor.forget()

    async def fail(self, kinds: str) -> None:
        """Fail; the next life finds ``kinds`` in the journal before they are published to it."""
        self.rig.fail()
        for kind in kinds:
            self.publish_soon(kind)
        await self.rig.tree.settle()
        await trio.lowlevel.checkpoint()
        await self.rig.tree.settle()
        self._epoch_begin = len(self.rig.journal)
        assert (await self.rig.tree.status(self.rig.path)).state == "running"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("csllhl"), st.integers(1, 4)),
        st.tuples(st.just("visit"), st.integers(0, 2)),
        st.tuples(st.just("leave"), st.integers(0, 2)),
        st.tuples(st.just("wait"), st.sampled_from([0.1, 0.3, 0.6])),
        st.tuples(st.just("fail"), st.sampled_from(["", "s", "c", "csc"])),
    ),
    min_size=15,
    max_size=60,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, paces=st.lists(st.sampled_from([None, 2.0, 5.0]), min_size=3, max_size=3))
def test_seen_and_conflated_and_gaps_are_all_that_was_published(channel, outlet, make_event, steps, paces):
    trio.run(_live, channel, outlet, make_event, steps, paces, clock=trio.testing.MockClock(autojump_threshold=0))


async def _live(channel, outlet, make_event, steps, paces) -> None:
    policy = Policy(backoff=0.0, intensity=10_000)
    async with channel(policy, recorder={}, history=World.HISTORY) as rig:
        world = World(rig, make_event, [Visitor(outlet, pace) for pace in paces])
        for visitor in world.visitors[1:]:
            await world.visit(visitor)
        for step, value in steps:
            match step:
                case "visit":
                    await world.visit(world.visitors[value])
                case "leave":
                    await world.leave(world.visitors[value])
                case "wait":
                    await trio.sleep(value)
                case "fail":
                    await world.fail(value)
                case _:
                    for _ in range(value):
                        await world.publish(step)
        for visitor in world.visitors:
            await world.leave(visitor)
