"""A channel: encodes once, fans out in slices, lets critical publications overtake.

Rules of this file: what has piled up in the mailbox goes out as one write a follower, so a delivery costs
the less the more there is to deliver; idle, nothing waits. A critical publication travels alone and does not
wait for a fan-out that is under way, nor for a dialect that cannot write it. What somebody missed is decided by
``Replayer``, what may wait by the ``Pacer`` of each group.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Container, Mapping, Sequence
from typing import ClassVar

import msgspec
import trio
from trio.lowlevel import checkpoint

from actors.channels.followers import Followers, Group, PacedGroup
from actors.channels.replay import Replayer
from actors.channels.seeds import Seeds
from actors.messages import Follow, Publish, ReadNewest, Unfollow
from actors.places import RECORDER, Address
from actors.runtime import ActorDead, MailboxFull, TrioActor, ask
from config import ChannelSettings
from domain import History, JsonValue, Priority, Publication, may_be_kept, newest_suffices
from telemetry import counters, events
from transport import Batch, Encoder, Frame, FrameStream

# Bytes written before other tasks get their turn: a slice of joined frames takes longer than one of single ones.
SLICE_SIZE = 64 * 1024
# A write up to this size costs what the system call costs, so only their number counts.
SMALL = 1024
SEED_TIMEOUT = 1.0
FULL_DELAY = 0.1


class TellDue(msgspec.Struct, frozen=True):
    """Something has waited for as long as its followers wanted: until ``at``, on trio's clock."""

    at: float
    priority: ClassVar[Priority] = Priority.HIGH


class Channel(TrioActor):
    """One named stream: offset, epoch, history, and those who follow it.

    A restarted channel keeps its followers and begins a new epoch: its history is no longer provably the same.
    """

    mailbox_limit = 100_000
    has_tasks = True

    def __init__(
        self, name: str, followers: Followers, settings: ChannelSettings, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self._name = name
        self._followers = followers
        self._settings = settings
        self._clock = clock
        keep = min(1, settings.history) if newest_suffices(name) else settings.history
        self._history = History(name, secrets.token_hex(4), keep)
        self._replayer = Replayer(self._history)
        self._seeds: Seeds | None = None
        self._pending: list[Publication] = []
        self._pending_size = 0
        self._wakes_at: float | None = None
        self._fault: Exception | None = None
        events.channel_created(channel=name, epoch=self._history.epoch)

    async def setup(self) -> None:
        """Begin with what the journal has of this channel."""
        if not may_be_kept(self._name) or not self._settings.history:
            return
        recorder = Address(self.life.environment, RECORDER)
        try:
            kept = await ask(recorder.ref, ReadNewest(self._name, self._settings.history), SEED_TIMEOUT)
        except ActorDead:
            # Nobody keeps a journal.
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, those who follow are told what is new
            events.channel_unseeded(channel=self._name, reason=repr(error))
            return
        if isinstance(kept, tuple) and kept:
            self._seeds = Seeds(self._history.seed(kept), self._followers.outlets())

    async def on_receive(self, message: object) -> None:
        """Publish, follow, unfollow."""
        match message:
            case Publish():
                await self._publish(message)
            case Follow():
                await self._follow(message)
            case Unfollow(outlet=outlet):
                await self._flush()
                self._followers.discard(outlet)
            case TellDue(at=at):
                await self._tell_due(at)
        self._raise_fault()

    async def on_idle(self) -> None:
        """Send what has piled up: nothing waits behind it."""
        await self._flush()
        self._raise_fault()

    async def close(self) -> None:
        """Send what has piled up and what was held back, whatever ends this life."""
        for group in self._followers.paced.values():
            for publication, rate in group.pacer.release():
                self._put(group, publication, rate)
        await self._send_pending()

    def describe(self) -> Mapping[str, JsonValue]:
        """The channel's position and how many follow it."""
        return {"epoch": self._history.epoch, "offset": self._history.offset, "followers": len(self._followers)}

    # -- followers ----------------------------------------------------------------------------------------

    async def _follow(self, follow: Follow) -> None:
        # What is pending was published before this follower came; it is in the history that it gets.
        await self._flush()
        outlet, followers = follow.outlet, self._followers
        slower = followers.slower(outlet, follow.encode, follow.max_hz)
        if slower is not None:
            # What waits for it there is told before it leaves.
            for publication, rate in slower.pacer.release():
                self._put(slower, publication, rate)
            await self._send_pending()
        # From here on nothing may wait, or something would fall between the past and what comes live.
        is_new = followers.add(outlet, follow.encode, follow.max_hz)
        asks_for_more = follow.is_late or follow.since is not None or follow.critical_after is not None
        if not is_new and follow.confirm is None and not asks_for_more:
            # By its own name and by a tree's: it is one follower, and has what came before.
            return
        replay = self._replayer.replay(follow)
        if follow.confirm is not None:
            outlet.send(follow.confirm(replay.followed))
        self._offer(outlet, replay.frames)

    def _offer(self, outlet: FrameStream, frames: Sequence[Frame]) -> None:
        """Offer ``frames`` to one follower, in few writes."""
        batch: list[Frame] = []
        size = 0
        for frame in frames:
            if frame.priority is Priority.CRITICAL or size + len(frame.data) > self._settings.batch_size:
                _offer_together(outlet, batch)
                batch, size = [], 0
            if frame.priority is Priority.CRITICAL:
                outlet.offer(frame)
            else:
                batch.append(frame)
                size += len(frame.data)
        _offer_together(outlet, batch)

    # -- publications -------------------------------------------------------------------------------------

    async def _publish(self, message: Publish) -> None:
        if message.event.priority is Priority.CRITICAL:
            self._publish_critical(message)
            return
        publication, only = self._number(message)
        if only is not None:
            await self._tell_only(publication, only)
            return
        frames = [(group, self._encode(encode, publication, 1)) for encode, group in self._followers.free.items()]
        size = max([len(frame.data) for _, frame in frames if frame is not None], default=0)
        if self._pending and self._pending_size + size > self._settings.batch_size:
            # Two batches of half a client's credit are all of it, and not a frame more.
            await self._flush()
        for group, frame in frames:
            if frame is not None:
                group.frames.append(frame)
        if self._followers.paced:
            size = max(size, self._pace(publication))
        if not size:
            # Nobody is to be told: what never fills a batch must not wait for one.
            self._measure(publication)
            return
        self._pending.append(publication)
        self._pending_size += size
        if self._pending_size >= self._settings.batch_size:
            await self._flush()

    def _number(self, message: Publish) -> tuple[Publication, Container[FrameStream] | None]:
        """The publication of an event, and whom alone to tell it; None: everybody."""
        counters.published[message.event.priority] += 1
        if self._seeds is not None:
            seed = self._seeds.take(message.event)
            if seed is not None:
                return seed, self._seeds.followers
            if not self._seeds:
                self._seeds = None
        return self._history.append(self._clock(), message.event, message.critical), None

    def _publish_critical(self, message: Publish) -> None:
        try:
            self._send_critical(*self._number(message))
        finally:
            if message.told is not None:
                message.told(trio.current_time())

    def _send_critical(self, publication: Publication, only: Container[FrameStream] | None) -> None:
        frames: dict[Encoder, Frame | None] = {}
        for group in self._followers.groups():
            if group.encode not in frames:
                frames[group.encode] = self._encode(group.encode, publication, 1)
            frame = frames[group.encode]
            if frame is not None:
                outlets = _those(group, only)
                for outlet in outlets:
                    outlet.offer(frame)
                counters.frames_sent += len(outlets)
                counters.bytes_sent += len(outlets) * len(frame.data)
                counters.deliveries[Priority.CRITICAL] += len(outlets)
        self._measure(publication)

    async def _tell_only(self, publication: Publication, only: Container[FrameStream]) -> None:
        await self._flush()
        for group in list(self._followers.groups()):
            frame = self._encode(group.encode, publication, 1)
            if frame is not None:
                await self._fan_out([frame], _those(group, only))
        self._measure(publication)

    def _encode(self, encode: Encoder, publication: Publication, rate: int) -> Frame | None:
        """The frame for one dialect; one that fails ends this life, but first the others are told."""
        try:
            return encode.frame(publication, rate)
        except Exception as error:  # noqa: BLE001 - raised when everybody else was told
            self._fault = self._fault or error
            return None

    def _raise_fault(self) -> None:
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    # -- what may wait ------------------------------------------------------------------------------------

    def _pace(self, publication: Publication) -> int:
        """Put ``publication`` to the next write of those whose pace allows it; returns the bytes of a write."""
        now = trio.current_time()
        size = 0
        for group in self._followers.paced.values():
            rate = group.pacer.take(publication, now)
            if rate:
                size = max(size, self._put(group, publication, rate))
        self._wake_for_next()
        return size

    def _put(self, group: PacedGroup, publication: Publication, rate: int) -> int:
        frame = self._encode(group.encode, publication, rate)
        if frame is None:
            return 0
        group.put(publication, rate, frame)
        return len(frame.data)

    async def _tell_due(self, at: float) -> None:
        if at == self._wakes_at:
            self._wakes_at = None
        now = trio.current_time()
        for group in self._followers.paced.values():
            for publication, rate in group.pacer.due(now):
                self._put(group, publication, rate)
        self._wake_for_next()
        await self._send_pending()

    def _wake_for_next(self) -> None:
        dues = [due for group in self._followers.paced.values() if (due := group.pacer.next) is not None]
        if dues and (self._wakes_at is None or min(dues) < self._wakes_at):
            self._wakes_at = min(dues)
            self.start_task(self._wake, self._wakes_at)

    async def _wake(self, at: float) -> None:
        await trio.sleep_until(at)
        while True:
            try:
                self.actor_ref.tell(TellDue(at))
            except MailboxFull:
                # Behind so much that waits, a little later is soon enough.
                await trio.sleep(FULL_DELAY)
            else:
                return

    # -- to the sockets -----------------------------------------------------------------------------------

    async def _flush(self) -> None:
        """Send what is pending: one write a follower."""
        if self._pending:
            await self._send_pending()

    async def _send_pending(self) -> None:
        pending, self._pending = self._pending, []
        self._pending_size = 0
        writes: list[tuple[list[Frame], list[FrameStream]]] = []
        for group in self._followers.groups():
            if group.frames:
                writes.append((group.frames, list(group.outlets)))
                group.frames = []
            if isinstance(group, PacedGroup):
                writes += [(frames, [outlet]) for outlet, frames in group.take_late()]
        for turn, (frames, outlets) in enumerate(writes):
            if turn:
                await self._give_way()
            await self._fan_out(frames, outlets)
        for publication in pending:
            self._measure(publication)

    async def _fan_out(self, frames: Sequence[Frame], outlets: Sequence[FrameStream]) -> None:
        batch = Batch(frames) if len(frames) > 1 else None
        size = len(frames[0].data) if batch is None else len(batch.blob)
        width = self._settings.slice
        if size > SMALL:
            width = max(1, min(width, SLICE_SIZE // size))
        for start in range(0, len(outlets), width):
            if start:
                await self._give_way()
            if batch is None:
                for outlet in outlets[start : start + width]:
                    outlet.offer(frames[0])
            else:
                for outlet in outlets[start : start + width]:
                    outlet.offer_batch(batch)
        counters.frames_sent += len(frames) * len(outlets)
        counters.bytes_sent += size * len(outlets)
        for frame in frames:
            counters.deliveries[frame.priority] += len(outlets)

    async def _give_way(self) -> None:
        """Let other tasks have their turn, and what they published as critical go first."""
        await checkpoint()
        for message in self.take_waiting(Priority.CRITICAL, Publish):
            self._publish_critical(message)

    def _measure(self, publication: Publication) -> None:
        """Note how long it took to the last follower's socket, since the event arrived and since it was published."""
        now = self._clock()
        counters.delivery_delay[publication.event.priority].observe(max(0.0, now - publication.event.recorded))
        # Readings are held back to a few a second before they are published; that is no slowness.
        counters.broadcast_last = max(0.0, now - publication.at)
        counters.broadcast_latency.observe(counters.broadcast_last)


def _offer_together(outlet: FrameStream, frames: Sequence[Frame]) -> None:
    if len(frames) == 1:
        outlet.offer(frames[0])
    elif frames:
        outlet.offer_batch(Batch(frames))


def _those(group: Group, only: Container[FrameStream] | None) -> list[FrameStream]:
    return [outlet for outlet in group.everybody() if only is None or outlet in only]
