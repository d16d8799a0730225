"""The channel actor, with outlets that count and with real sockets."""

from __future__ import annotations

import socket
from itertools import pairwise

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.channels.channel import Channel
from actors.channels.followers import Followers
from actors.messages import Follow, Publish, Unfollow
from actors.runtime import ChildSpec, Policy
from actors.runtime.registry import mailbox_of
from config import ChannelSettings
from domain import Priority, conflation_key
from domain.access import OPEN_RIGHTS
from telemetry import counters
from transport import Encoder, FrameStream, Limits

NAME = "equipment/acme/press3"
PATH = "gateway/channel"


@pytest.fixture
def run(channel):
    return channel


# -- encoding ---------------------------------------------------------------------------------------------


async def test_a_publication_is_encoded_once_for_all_who_are_spoken_to_alike(run, outlet, dialect, make_event):
    one, other = dialect(), dialect()
    outlets = [outlet() for _ in range(20)]
    async with run() as rig:
        for index, each in enumerate(outlets):
            await rig.follow(each, one if index % 2 else other)
        await rig.published(make_event("a"), make_event("b", Priority.CRITICAL))
    assert (one.calls, other.calls) == (2, 2)
    assert [each.texts for each in outlets] == [["a", "b"]] * 20


async def test_what_a_dialect_has_no_word_for_is_left_out_there_alone(run, outlet, dialect, make_event):
    near, far = outlet(), outlet()
    async with run() as rig:
        await rig.follow(near, dialect(skips="b"))
        await rig.follow(far, dialect())
        rig.publish(make_event("a"), make_event("b"), make_event("c"))
        await rig.published(make_event("d"))
        assert (await rig.says())["offset"] == 4
    assert near.texts == ["a", "c", "d"]
    assert far.texts == ["a", "b", "c", "d"]


@pytest.mark.parametrize("priority", Priority)
async def test_a_frame_has_the_events_priority(run, outlet, dialect, make_event, priority):
    one = outlet()
    async with run() as rig:
        await rig.follow(one, dialect())
        await rig.published(make_event(priority=priority))
    assert [frame.priority for frame in one.frames] == [priority]


async def test_a_frame_is_replaced_only_by_a_newer_one_of_the_same_thing_on_the_same_channel(
    run, outlet, dialect, make_event
):
    one = outlet()
    reading = make_event(type="equipment.reading", subject="load")
    state = make_event(type="equipment.state.changed", subject="load")
    async with run() as rig:
        await rig.follow(one, dialect())
        await rig.published(reading, state)
    assert [frame.key for frame in one.frames] == [(NAME, *conflation_key(reading)), None]


# -- one write for what has piled up ----------------------------------------------------------------------


async def test_idle_each_publication_goes_out_at_once(run, outlet, dialect, make_event):
    one = outlet()
    async with run() as rig:
        await rig.follow(one, dialect())
        await rig.published(make_event("a"), make_event("b"))
    assert [len(frames) for frames in one.writes] == [1, 1]


async def test_what_has_piled_up_goes_out_in_one_write_in_the_order_it_was_published(run, outlet, dialect, make_event):
    one = outlet()
    async with run() as rig:
        await rig.follow(one, dialect())
        rig.publish(*[make_event(f"{number}") for number in range(50)])
        await rig.tree.settle()
    assert [len(frames) for frames in one.writes] == [50]
    assert one.texts == [f"{number}" for number in range(50)]


async def test_a_write_is_no_larger_than_the_batch_size_and_one_frame(run, outlet, make_event):
    one = outlet()
    async with run(batch_size=1024) as rig:
        await rig.follow(one, Encoder(lambda _publication: b"x" * 98))
        rig.publish(*[make_event() for _ in range(100)])
        await rig.tree.settle()
    assert len(one.frames) == 100
    sizes = [sum(len(frame.data) for frame in frames) for frames in one.writes]
    assert max(sizes) < 1024 + 100
    assert len(sizes) == 10


async def test_while_messages_keep_coming_nothing_waits_longer_than_for_a_full_batch(run, outlet, make_event):
    one = outlet()
    left = 400
    async with run(batch_size=1024) as rig:

        @Encoder
        def encode(_publication):
            # The mailbox is never empty, so the channel is never idle.
            nonlocal left
            left -= 1
            if left > 0:
                rig.publish(make_event())
            return b"x" * 98

        await rig.follow(one, encode)
        await rig.published(make_event())
    assert len(one.frames) == 400
    assert max(len(frames) for frames in one.writes) == 10


# -- critical first ---------------------------------------------------------------------------------------


async def test_a_critical_publication_travels_alone_and_before_what_has_piled_up(run, outlet, dialect, make_event):
    one = outlet()
    async with run() as rig:
        await rig.follow(one, dialect())
        rig.publish(*[make_event(f"{number}") for number in range(3)], make_event("fire", Priority.CRITICAL))
        await rig.tree.settle()
    assert [[frame.priority.wire for frame in frames] for frames in one.writes] == [["critical"], ["normal"] * 3]
    assert one.texts == ["fire", "0", "1", "2"]


async def test_a_critical_publication_overtakes_a_fan_out_that_is_under_way(run, outlet, dialect, make_event):
    rig: object
    written = 0

    def count() -> None:
        nonlocal written
        written += 1
        if written == 100:
            rig.publish(make_event("fire", Priority.CRITICAL), make_event("flood", Priority.CRITICAL))

    outlets = [outlet(count) for _ in range(600)]
    async with run(slice=256) as rig:
        encode = dialect()
        for each in outlets:
            rig.ref.tell(Follow(NAME, each, encode, rights=OPEN_RIGHTS))
        await rig.tree.settle()
        await rig.published(make_event("a"))
    assert [each.texts for each in outlets[:256]] == [["a", "fire", "flood"]] * 256
    assert [each.texts for each in outlets[256:]] == [["fire", "flood", "a"]] * 344


async def test_what_overtook_is_kept_once_and_at_its_place(run, outlet, dialect, make_event):
    rig: object
    late = outlet()
    fired: list[None] = []

    def fire() -> None:
        if not fired:
            fired.append(None)
            rig.publish(make_event("fire", Priority.CRITICAL))

    async with run(slice=1) as rig:
        encode = dialect()
        for each in (outlet(fire), outlet(), outlet()):
            await rig.follow(each, encode)
        rig.publish(make_event("a"), make_event("b"))
        await rig.tree.settle()
        await rig.follow(late, encode, latest=10)
        assert (await rig.says())["offset"] == 3
    assert late.texts == ["a", "b", "fire"]


async def test_others_get_their_turn_between_two_slices(run, outlet, dialect, make_event):
    turns: list[int] = []
    outlets = [outlet() for _ in range(10)]

    async def watch() -> None:
        while True:
            turns.append(sum(len(each.writes) for each in outlets))
            await trio.lowlevel.checkpoint()

    async with run(slice=2) as rig, trio.open_nursery() as nursery:
        encode = dialect()
        for each in outlets:
            await rig.follow(each, encode)
        rig.publish(make_event())
        nursery.start_soon(watch)
        while turns[-1:] != [10]:
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert all(turn % 2 == 0 for turn in turns)
    # Within one turn of the loop nobody says who is first, so one slice can be missed.
    assert all(after - before <= 4 for before, after in pairwise(turns))


# -- who joins and who leaves -----------------------------------------------------------------------------


@pytest.mark.parametrize(("latest", "expected"), [(0, ""), (1, "e"), (3, "cde"), (99, "bcde")])
async def test_who_follows_gets_as_many_of_the_newest_as_were_asked_for(
    run, outlet, dialect, make_event, latest, expected
):
    one = outlet()
    async with run(history=4) as rig:
        await rig.published(*map(make_event, "abcde"))
        await rig.follow(one, dialect(), latest)
    assert one.texts == list(expected)


async def test_without_a_history_there_is_nothing_to_begin_with(run, outlet, dialect, make_event):
    one = outlet()
    async with run(history=0) as rig:
        await rig.published(make_event("a"))
        await rig.follow(one, dialect(), latest=5)
        await rig.published(make_event("b"))
    assert one.texts == ["b"]


async def test_who_joins_while_something_is_pending_gets_it_once(run, outlet, dialect, make_event):
    one, other = outlet(), outlet()
    async with run() as rig:
        await rig.follow(one, dialect())
        for _ in range(16):
            # Every sixteenth turn serves the lowest lane, so one of these finds something pending.
            rig.publish(make_event("a"), make_event("b"))
        rig.ref.tell(Follow(NAME, other, dialect(), latest=100, rights=OPEN_RIGHTS))
        await rig.tree.settle()
        await rig.published(make_event("c"))
    assert other.texts == one.texts == ["a", "b"] * 16 + ["c"]


async def test_who_follows_the_same_twice_gets_nothing_twice(run, outlet, dialect, make_event):
    one, encode = outlet(), dialect()
    async with run() as rig:
        await rig.published(make_event("a"))
        await rig.follow(one, encode, latest=1)
        await rig.follow(one, encode, latest=1)
        await rig.published(make_event("b"))
    assert one.texts == ["a", "b"]


async def test_who_has_left_gets_nothing_more_and_may_come_back(run, outlet, dialect, make_event):
    one, encode = outlet(), dialect()
    async with run() as rig:
        await rig.follow(one, encode)
        await rig.published(make_event("a"))
        await rig.unfollow(one)
        assert not rig.followers
        await rig.published(make_event("b"))
        await rig.follow(one, encode, latest=1)
        await rig.published(make_event("c"))
        assert (await rig.says())["followers"] == 1
    assert one.texts == ["a", "b", "c"]
    assert encode.calls == 3


async def test_who_leaves_while_something_is_pending_has_got_it(run, outlet, dialect, make_event):
    one = outlet()
    async with run() as rig:
        await rig.follow(one, dialect())
        rig.publish(*[make_event("a", Priority.HIGH) for _ in range(5)])
        rig.ref.tell(Unfollow(NAME, one))
        rig.publish(make_event("b", Priority.HIGH))
        await rig.tree.settle()
    assert one.texts == ["a"] * 5


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.sampled_from(list(Priority)), st.integers(1, 5)),
        st.tuples(st.just("follow"), st.integers(0, 3), st.integers(0, 4)),
        st.tuples(st.just("leave"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("pause"), st.just(0), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, width=st.integers(1, 3))
async def test_whoever_comes_and_goes_gets_a_whole_piece_of_the_channel(run, outlet, make_event, steps, width):
    @Encoder
    def encode(publication) -> bytes:
        return str(publication.offset).encode()

    stays: list[list] = [[] for _ in range(4)]
    async with run(slice=width, history=8, batch_size=1024) as rig:
        for step, which, count in steps:
            match step:
                case "publish":
                    rig.publish(*[make_event(priority=which) for _ in range(count)])
                case "follow" if not stays[which]:
                    stays[which].append(outlet())
                    rig.ref.tell(Follow(NAME, stays[which][0], encode, count, rights=OPEN_RIGHTS))
                case "leave" if stays[which]:
                    rig.ref.tell(Unfollow(NAME, stays[which].pop()))
                case "pause":
                    await rig.tree.settle()
        await rig.tree.settle()
        last = (await rig.says())["offset"]
    for one in (stay[0] for stay in stays if stay):
        offsets = [int(text) for text in one.texts]
        # Nothing twice, no hole, and up to the end.
        assert sorted(offsets) == list(range(min(offsets, default=last + 1), last + 1))
        routine = [int(frame.data[2:]) for frame in one.frames if frame.priority is not Priority.CRITICAL]
        assert routine == sorted(routine)


# -- what survives ----------------------------------------------------------------------------------------


async def test_a_channel_that_failed_while_a_thousand_publications_waited_delivers_all_of_them(
    run, outlet, make_event, autojump_clock
):
    outlets = [outlet() for _ in range(3)]
    positions: list[tuple[str, int]] = []

    @Encoder
    def encode(publication) -> bytes:
        if publication.event.id == "poison":
            raise RuntimeError("planted")
        positions.append((publication.epoch, publication.offset))
        return publication.event.id.encode()

    async with run() as rig:
        for each in outlets:
            await rig.follow(each, encode)
        await rig.published(make_event("before"))
        rig.publish(make_event("pending"), make_event("poison"), *[make_event(f"{n}") for n in range(1000)])
        await rig.tree.settle()
        assert outlets[0].texts == ["before", "pending"]
        await trio.sleep(1)
        status = await rig.tree.status(PATH)
        assert (status.restarts, status.quarantined) == (1, 1)
        assert status.description["followers"] == 3
    assert [each.texts for each in outlets] == [["before", "pending", *[f"{n}" for n in range(1000)]]] * 3
    old, new = dict.fromkeys(epoch for epoch, _ in positions)
    assert [offset for epoch, offset in positions if epoch == old] == [1, 2]
    assert [offset for epoch, offset in positions if epoch == new] == list(range(1, 1001))


async def test_who_joins_at_a_publication_that_cannot_be_told_gets_the_next_ones(run, outlet, dialect, make_event):
    one = outlet()
    async with run(Policy(backoff=0.0)) as rig:
        await rig.published(make_event("poison"))
        rig.ref.tell(Follow(NAME, one, dialect(breaks="poison"), latest=1, rights=OPEN_RIGHTS))
        await rig.tree.settle()
        rig.publish(make_event("a"))
        while not one.frames:
            await trio.lowlevel.checkpoint()
    assert one.texts == ["a"]


async def test_critical_publications_wait_out_a_failure_and_still_go_first(run, outlet, dialect, make_event):
    one = outlet()
    async with run(Policy(backoff=0.0)) as rig:
        await rig.follow(one, dialect(breaks="poison"))
        rig.publish(make_event("poison", Priority.CRITICAL), make_event("a"), make_event("fire", Priority.CRITICAL))
        while len(one.frames) < 2:
            await trio.lowlevel.checkpoint()
    assert one.texts == ["fire", "a"]


async def test_a_channel_that_is_told_to_end_sends_what_is_pending(run, outlet, dialect, make_event):
    one = outlet()
    async with run() as rig:
        await rig.follow(one, dialect())
        rig.publish(*[make_event(f"{number}") for number in range(200)])
    assert len(one.frames) == 200


# -- real sockets -----------------------------------------------------------------------------------------


class Line:
    """A real stream and its far end."""

    def __init__(self, nursery: trio.Nursery) -> None:
        near, self.far = socket.socketpair()
        near.setblocking(False)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.stream = FrameStream(near, nursery, Limits(size=1 << 20, critical=1000))
        # No Ping among the frames: this client returns credit by itself.
        self.stream.use_credit(1 << 20)
        self.far.settimeout(5)

    def received(self) -> bytes:
        self.far.setblocking(False)
        data = b""
        try:
            while more := self.far.recv(65536):
                data += more
        except BlockingIOError:
            pass
        return data

    def close(self) -> None:
        self.stream.close()
        self.far.close()


@pytest.fixture
def lines(nursery):
    made: list[Line] = []

    def make() -> Line:
        made.append(Line(nursery))
        return made[-1]

    yield make
    for line in made:
        line.close()


async def test_a_real_stream_takes_what_an_outlet_takes(run, outlet, lines, dialect, make_event):
    line, one, encode = lines(), outlet(), dialect()
    async with run() as rig:
        await rig.follow(line.stream, encode)
        await rig.follow(one, encode)
        await rig.published(make_event("a"), make_event("b", Priority.CRITICAL))
        rig.publish(*[make_event(f"{number}") for number in range(20)])
        await rig.tree.settle()
        assert line.received() == b"".join(frame.data for frame in one.frames)
        assert len(one.frames) == 22


async def test_a_closed_stream_is_nobodys_trouble(run, lines, dialect, make_event):
    closed, gone, well = lines(), lines(), lines()
    async with run() as rig:
        encode = dialect()
        for line in (closed, gone, well):
            await rig.follow(line.stream, encode)
        closed.stream.close()
        gone.far.close()
        await rig.published(make_event("a"), make_event("b", Priority.CRITICAL))
        rig.publish(make_event("c"), make_event("d"))
        await rig.tree.settle()
        assert well.received() == b"\x81\x01a\x81\x01b\x81\x01c\x81\x01d"
        status = await rig.tree.status(PATH)
        assert (status.restarts, status.state) == (0, "running")
        for line in (closed, gone):
            await rig.unfollow(line.stream)
        assert (await rig.says())["followers"] == 1


async def test_a_follower_that_does_not_read_delays_nobody(run, outlet, lines, make_event):
    slow, fast = lines(), outlet()
    encode = Encoder(lambda publication: publication.event.id.encode().ljust(1000))
    async with run() as rig:
        for each in (slow.stream, fast):
            await rig.follow(each, encode)
        for number in range(200):
            await rig.published(make_event(f"{number}"))
            assert len(fast.frames) == number + 1
        depth = slow.stream.statistics().depth
        assert depth[Priority.NORMAL] > 100
        await rig.published(make_event("fire", Priority.CRITICAL))
        assert slow.stream.statistics().depth[Priority.CRITICAL] == 1


# -- what it says -----------------------------------------------------------------------------------------


async def test_what_is_published_and_delivered_is_counted(run, outlet, dialect, make_event):
    published, deliveries = list(counters.published), list(counters.deliveries)
    sent = counters.frames_sent
    async with run() as rig:
        for _ in range(3):
            await rig.follow(outlet(), dialect())
        await rig.published(make_event(priority=Priority.CRITICAL), make_event(), make_event(priority=Priority.LOW))
    assert [now - then for now, then in zip(counters.published, published, strict=True)] == [1, 0, 1, 1]
    assert [now - then for now, then in zip(counters.deliveries, deliveries, strict=True)] == [3, 0, 3, 3]
    assert counters.frames_sent - sent == 9


async def test_the_delay_of_each_publication_is_measured_once(run, outlet, dialect, make_event):
    before = [histogram.count for histogram in counters.delivery_delay]
    async with run(slice=1) as rig:
        for _ in range(3):
            await rig.follow(outlet(), dialect())
        rig.publish(*[make_event() for _ in range(5)], make_event(priority=Priority.CRITICAL))
        await rig.tree.settle()
    now = [histogram.count for histogram in counters.delivery_delay]
    assert [each - then for each, then in zip(now, before, strict=True)] == [1, 0, 5, 0]


async def test_offsets_are_dense_and_each_channel_has_an_epoch_of_its_own(run, make_event):
    said = []
    for _ in range(2):
        async with run() as rig:
            await rig.published(*[make_event() for _ in range(3)])
            said.append(await rig.says())
    assert [one["offset"] for one in said] == [3, 3]
    assert all(one["epoch"] != other["epoch"] for one, other in pairwise(said))


async def test_what_overtook_is_not_quarantined_when_a_later_publication_fails(grow, make_event, outlet, dialect):
    spec = ChildSpec("c", Channel, ("equipment/a", Followers(), ChannelSettings(slice=1)))
    async with grow([spec]) as tree:
        ref = tree.ref("gateway/c")
        urgent = Publish(make_event("urgent", Priority.CRITICAL))
        waiting = [urgent]
        first, second = outlet(lambda: ref.tell(waiting.pop()) if waiting else None), outlet()
        for each in (first, second):
            ref.tell(Follow("equipment/a", each, dialect(breaks="poison"), rights=OPEN_RIGHTS))
        await tree.settle()
        ref.tell(Publish(make_event("routine")))
        await tree.settle()
        ref.tell(Publish(make_event("poison")))
        await tree.settle()
        quarantined = [letter.message.event.id for letter in tree.system.letters.quarantined]
        assert second.texts == ["urgent", "routine"]
        assert quarantined == ["poison"]


async def test_what_nobody_follows_does_not_pile_up(grow, make_event, outlet, dialect):
    """However long the mailbox does not run dry: what is pending waits for a batch that would never fill."""
    spec = ChildSpec("c", Channel, ("equipment/a", Followers(), ChannelSettings()))
    async with grow([spec]) as tree:
        channel = mailbox_of(tree.ref("gateway/c")).owner
        for number in range(1000):
            await channel.on_receive(Publish(make_event(str(number))))
        assert channel._pending == []
        assert channel.describe()["offset"] == 1000
