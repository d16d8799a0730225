"""Every publication is accounted for: by the ledger at any moment, and by what the client itself has seen."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from domain import Event, Gap, Priority, Publication
from transport import outbox, writer
from transport.frames import CLOSE, Batch, Frame, frame_bytes, text_frame
from transport.ledger import imbalance
from transport.outbox import Behind, Limits
from transport.stream import FrameStream

CRITICAL, HIGH, NORMAL, LOW = Priority
BLOCKED = 0
LIMIT = 2000
GOODBYE = frame_bytes(CLOSE, (1000).to_bytes(2, "big"))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def write_gap(gap: Gap) -> Frame:
    return text_frame(f"gap {gap.channel} {gap.first} {gap.last} {gap.count} {gap.reason} ".encode(), HIGH)


@dataclass
class Publisher:
    """Publishes on channels, in a dialect that can say for how many a frame stands; and what the client makes of it."""

    wire: object
    offsets: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    seen: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    gaps: list[Gap] = field(default_factory=list)

    def frame(self, channel: str, priority: Priority, *, keyed: bool = False, size: int = 100) -> Frame:
        """The next publication of ``channel``; one that is keyed is replaced by the next of its channel."""
        self.offsets[channel] += 1
        offset = self.offsets[channel]
        publication = Publication(channel, "e", offset, 0.0, Event("1", "/a", "a.b", None, 0.0, priority))

        def again(rate: int) -> bytes:
            return text_frame(f"event {channel} {offset} {rate} ".ljust(size, ".").encode()).data

        return Frame(again(1), priority, channel if keyed else None, publication, again if keyed else None)

    def read(self) -> bool:
        """Take note of what has come, and return the credit; whether anything came."""
        news = self.wire.news()
        for one in news:
            if isinstance(one, bytes):
                self.wire.stream.echoed(one)
            elif one.startswith("event "):
                _, channel, offset, rate, *_ = one.split(" ")
                assert int(offset) not in self.seen[channel], "told twice"
                self.seen[channel][int(offset)] = int(rate)
            elif one.startswith("gap "):
                _, channel, first, last, count, reason, *_ = one.split(" ")
                self.gaps.append(Gap(channel, int(first), int(last), int(count), reason))
        return bool(news)

    async def read_all(self) -> None:
        await wait_all_tasks_blocked()
        while self.read():
            await wait_all_tasks_blocked()

    def check(self) -> None:
        """Seen, conflated and told as gaps is what was published, on each channel."""
        for channel, published in self.offsets.items():
            told = [gap for gap in self.gaps if gap.channel == channel]
            seen = self.seen[channel]
            assert sum(seen.values()) + sum(gap.count for gap in told) == published
            for gap in told:
                assert 1 <= gap.first <= gap.last <= published
                assert gap.count <= gap.last - gap.first + 1
            # Whatever is neither seen nor said of another to stand for it lies between the ends of a gap.
            missing = published - sum(seen.values())
            inside = {offset for gap in told for offset in range(gap.first, gap.last + 1)}
            assert len(inside) >= missing


def balance(wire) -> int:
    return imbalance(wire.stream.ledger())


# -- gaps ------------------------------------------------------------------------------------------------------


async def test_what_overflows_while_there_is_no_credit_is_told_when_there_is(wired):
    async with wired(pings=1024, outbox_size=1000) as wire:
        wire.stream.tell_gaps(write_gap)
        publisher = Publisher(wire)
        for _ in range(100):
            wire.stream.offer(publisher.frame("a/a", HIGH))
        await publisher.read_all()
        (gap,) = publisher.gaps
        assert gap.reason == "overflow"
        assert sorted([*publisher.seen["a/a"], *range(gap.first, gap.last + 1)]) == list(range(1, 101))
        publisher.check()


async def test_what_is_too_old_is_told_when_there_is_credit(wired):
    clock = Clock()
    async with wired(pings=1024, clock=clock) as wire:
        wire.stream.tell_gaps(write_gap)
        publisher = Publisher(wire)
        for _ in range(30):
            wire.stream.offer(publisher.frame("a/a", NORMAL))
        clock.now += 61
        await publisher.read_all()
        ((channel, seen),) = publisher.seen.items()
        assert publisher.gaps == [Gap(channel, len(seen) + 1, 30, 30 - len(seen), "expired")]
        assert wire.stream.statistics().expired == 30 - len(seen)
        publisher.check()


async def test_how_old_something_is_has_nothing_to_do_with_the_time_of_day(plain_pair, mock_clock):
    sock, client = await plain_pair()
    with sock, client:
        async with trio.open_nursery() as nursery:
            stream = FrameStream(sock, nursery, Limits(credit=1024))
            publisher = Publisher(None)
            for _ in range(30):
                stream.offer(publisher.frame("a/a", NORMAL))
            mock_clock.jump(61)
            stream.use_credit(100_000)
            assert stream.statistics().expired > 0
            nursery.cancel_scope.cancel()


async def test_what_is_shed_is_told_also_in_front_of_a_close(wired):
    async with wired(pings=1024) as wire:
        wire.stream.tell_gaps(write_gap)
        publisher = Publisher(wire)
        for _ in range(30):
            wire.stream.offer(publisher.frame("a/a", NORMAL))
        wire.stream.shed()
        await wire.stream.send_all(GOODBYE)
        await publisher.read_all()
        ((channel, seen),) = publisher.seen.items()
        assert publisher.gaps == [Gap(channel, len(seen) + 1, 30, 30 - len(seen), "overflow")]
        publisher.check()


async def test_a_client_learns_to_be_told_gaps_while_frames_wait(wired):
    async with wired(pings=1024) as wire:
        publisher = Publisher(wire)
        for _ in range(30):
            wire.stream.offer(publisher.frame("a/a", NORMAL))
        wire.stream.tell_gaps(write_gap)
        wire.stream.shed()
        await publisher.read_all()
        publisher.check()


async def test_a_gap_spends_credit_like_any_other_frame(wired):
    async with wired(credit=1000) as wire:
        wire.stream.tell_gaps(write_gap)
        publisher = Publisher(wire)
        for _ in range(30):
            wire.stream.offer(publisher.frame("a/a", NORMAL, size=250))
        wire.stream.shed()
        publisher.read()
        assert publisher.gaps == []
        wire.stream.grant(1000)
        publisher.read()
        assert len(publisher.gaps) == 1


# -- statistics ------------------------------------------------------------------------------------------------


async def test_the_ages_of_what_waits_are_told_by_priority(wired):
    clock = Clock()
    async with wired(3, *[BLOCKED] * 10**5, clock=clock) as wire:
        publisher = Publisher(wire)
        assert wire.stream.statistics().age == (0.0, 0.0, 0.0, 0.0)
        wire.stream.offer(publisher.frame("first", NORMAL))
        for priority in Priority:
            wire.stream.offer(publisher.frame("a/a", priority))
            clock.now += 1
        assert wire.stream.statistics().age == (4.0, 3.0, 2.0, 1.0)
        assert wire.stream.statistics().depth == (1, 1, 1, 1)
        wire.sock.takes.clear()
        await publisher.read_all()
        assert wire.stream.statistics().age == (0.0, 0.0, 0.0, 0.0)


async def test_the_ledger_says_what_became_of_each_priority(wired):
    clock = Clock()
    async with wired(3, *[BLOCKED] * 10**5, clock=clock) as wire:
        publisher = Publisher(wire)
        wire.stream.offer(publisher.frame("direct", NORMAL))
        for _ in range(3):
            wire.stream.offer(publisher.frame("a/a", NORMAL, keyed=True))
        wire.stream.offer(publisher.frame("b/b", LOW))
        wire.stream.offer(publisher.frame("c/c", CRITICAL))
        wire.stream.send(text_frame(b"answer", HIGH))
        rows = wire.stream.ledger()
        assert [(row.enqueued, row.delivered, row.conflated, row.queued) for row in rows] == [
            (1, 0, 0, 1),
            (0, 0, 0, 0),
            (4, 1, 2, 1),
            (1, 0, 0, 1),
        ]
        clock.now += 61
        wire.sock.takes.clear()
        await publisher.read_all()
        rows = wire.stream.ledger()
        assert [(row.delivered, row.expired, row.queued) for row in rows] == [
            (1, 0, 0),
            (0, 0, 0),
            (1, 1, 0),
            (0, 1, 0),
        ]
        assert imbalance(rows) == 0


# -- any run ---------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.sampled_from(["critical", "high", "normal", "low"]), st.integers(1, 30), st.sampled_from("abc"))
    | st.tuples(st.just("batch"), st.integers(1, 20), st.sampled_from("abc"))
    | st.tuples(st.sampled_from(["keyed", "keyed batch"]), st.integers(1, 20), st.sampled_from("abc"))
    | st.tuples(st.just("wait"), st.sampled_from([1, 30, 61]), st.just(""))
    | st.tuples(st.sampled_from(["turn", "read", "shed", "answer"]), st.just(0), st.just("")),
    max_size=40,
)
TAKES = st.lists(st.sampled_from([BLOCKED, BLOCKED, 1, 150, 1000, 1 << 30]), max_size=40)


def publish(publisher: Publisher, what: str, count: int, channel: str) -> None:
    """Offer ``count`` publications, one by one or in a batch, of a priority or of many."""
    stream = publisher.wire.stream
    if what == "keyed":
        for _ in range(count):
            stream.offer(publisher.frame(f"keyed/{channel}", NORMAL, keyed=True))
    elif what == "keyed batch":
        frames = [publisher.frame(f"keyed/{each}", NORMAL, keyed=True) for each in "abc" for _ in range(count)]
        stream.offer_batch(Batch(frames))
    elif what == "batch":
        priorities = [(HIGH, NORMAL, LOW)[number % 3] for number in range(count)]
        stream.offer_batch(Batch([publisher.frame(f"mixed/{channel}", each) for each in priorities]))
    else:
        for _ in range(count):
            stream.offer(publisher.frame(f"{what}/{channel}", Priority[what.upper()]))


async def run(wire, clock: Clock, steps) -> Publisher:
    """Do what the steps say; after each of them the ledger is looked at."""
    wire.stream.tell_gaps(write_gap)
    publisher = Publisher(wire)
    for what, count, channel in steps:
        if what == "wait":
            clock.now += count
        elif what == "turn":
            await trio.lowlevel.checkpoint()
        elif what == "read":
            publisher.read()
        elif what == "shed":
            wire.stream.shed()
        elif what == "answer":
            wire.stream.send(text_frame(b"answer", HIGH))
        else:
            publish(publisher, what, count, channel)
        assert balance(wire) == 0
    wire.sock.takes.clear()
    await publisher.read_all()
    assert balance(wire) == 0
    assert [entry.queued for entry in wire.stream.ledger()] == [0, 0, 0, 0]
    return publisher


@given(steps=STEPS, takes=TAKES)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_seen_and_conflated_and_gaps_are_what_was_published(wired, steps, takes):
    clock = Clock()
    async with wired(*takes, pings=LIMIT, outbox_size=5 * LIMIT, critical_limit=10_000, clock=clock) as wire:
        publisher = await run(wire, clock, steps)
        publisher.check()
        rows = wire.stream.ledger()
        assert sum(row.enqueued for row in rows) == sum(publisher.offsets.values())
        assert sum(row.delivered for row in rows) == sum(len(seen) for seen in publisher.seen.values())
        lost = sum(row.expired + row.gapped for row in rows)
        # A gap tells also what had been replaced before it was given up.
        assert lost <= sum(gap.count for gap in publisher.gaps) <= lost + sum(row.conflated for row in rows)
        assert rows[CRITICAL].delivered == rows[CRITICAL].enqueued


# -- planted faults --------------------------------------------------------------------------------------------

EVERYTHING = [
    ("low", 30, "a"),
    ("high", 30, "a"),
    ("critical", 5, "a"),
    ("keyed", 20, "a"),
    ("batch", 20, "b"),
    *[("turn", 0, "")] * 20,
    ("read", 0, ""),
    ("shed", 0, ""),
    ("normal", 60, "c"),
    ("wait", 61, ""),
    ("read", 0, ""),
    ("read", 0, ""),
    ("keyed", 20, "b"),
    ("high", 90, "a"),
    ("critical", 5, "a"),
    ("shed", 0, ""),
]


class LosesOne(outbox.Outbox):
    """Forgets the seventh frame that it is given."""

    __slots__ = ("count",)

    def put(self, frame):
        self.count = getattr(self, "count", 0) + 1
        if self.count == 7:
            self.ledger.enqueued[frame.priority] += 1
        else:
            super().put(frame)


class TakesOneTooMany(outbox.Outbox):
    """Throws the frame away that it has taken, and takes another."""

    __slots__ = ()

    def _take_from(self, lane):
        waiting = super()._take_from(lane)
        return super()._take_from(lane) if self._lanes[lane] else waiting


class CountsAPieceTwice(outbox.Outbox):
    """Counts a piece of critical frames once more."""

    __slots__ = ()

    def take_urgent(self):
        piece = super().take_urgent()
        self.ledger.delivered[CRITICAL] += bool(piece)
        return piece


class ReplacesOneTooMany(outbox.Outbox):
    """Counts the first of a key as replaced."""

    __slots__ = ()

    def _conflate(self, frame):
        if not super()._conflate(frame):
            self.ledger.conflated[NORMAL] += 1
            return False
        return True


class DropsInSilence(outbox.Outbox):
    """Drops and says nothing."""

    __slots__ = ()

    def _give_up(self, waiting, lane):
        pass


class ExpiresInSilence(outbox.Outbox):
    """Lets things grow too old and says nothing."""

    __slots__ = ()

    def _expire(self, waiting, lane):
        pass


class SaysExpiredAndDropped(outbox.Outbox):
    """Counts what was too old under two heads."""

    __slots__ = ()

    def _expire(self, waiting, lane):
        super()._expire(waiting, lane)
        self._give_up(waiting, lane)


class RefusesUncounted(outbox.Outbox):
    """Takes no HIGH frame, and does not say that it was offered one; but that it was sent."""

    __slots__ = ()

    def put(self, frame):
        if frame.priority is HIGH:
            self.ledger.delivered[HIGH] += 1
        else:
            super().put(frame)


FAULTS = [
    LosesOne,
    TakesOneTooMany,
    CountsAPieceTwice,
    ReplacesOneTooMany,
    DropsInSilence,
    ExpiresInSilence,
    SaysExpiredAndDropped,
    RefusesUncounted,
]


async def play(wired) -> None:
    clock = Clock()
    async with wired(150, *[BLOCKED] * 5, pings=LIMIT, outbox_size=5 * LIMIT, clock=clock) as wire:
        await run(wire, clock, EVERYTHING)
        rows = wire.stream.ledger()
        assert all(sum(getattr(row, name) for row in rows) for name in ("delivered", "conflated", "expired", "gapped"))


async def test_without_a_fault_the_ledger_finds_none(wired):
    await play(wired)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_planted_fault_is_found_by_the_ledger(wired, fault, monkeypatch):
    monkeypatch.setattr(writer, "Outbox", fault)
    with pytest.RaisesGroup(pytest.RaisesExc(AssertionError, match="assert .+ == 0"), flatten_subgroups=True):
        await play(wired)


async def test_a_client_that_is_given_up_for_being_behind_balances_too(wired):
    async with wired(3, *[BLOCKED] * 100, critical_limit=3) as wire:
        publisher = Publisher(wire)
        for _ in range(10):
            wire.stream.offer(publisher.frame("a/a", CRITICAL))
            wire.stream.offer(publisher.frame("b/b", NORMAL))
            assert balance(wire) == 0
        assert wire.losses == [outbox.CRITICAL_BEHIND]


@pytest.mark.parametrize("takes", [(), (3,), (BLOCKED,)])
async def test_a_client_that_is_gone_balances_and_nothing_counts_as_delivered_to_it(wired, takes):
    async with wired(ConnectionResetError(104, "reset")) as wire:
        publisher = Publisher(wire)
        wire.stream.offer(publisher.frame("a/a", NORMAL))
        wire.stream.offer(publisher.frame("a/a", CRITICAL))
        wire.stream.offer_batch(Batch([publisher.frame("a/a", HIGH)]))
        assert balance(wire) == 0
        assert sum(row.delivered for row in wire.stream.ledger()) == 0


def test_behind_says_why():
    assert str(Behind(outbox.CRITICAL_BEHIND)) == outbox.CRITICAL_BEHIND
