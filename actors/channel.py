"""A channel: encodes once, fans out in slices, lets critical publications overtake.

Rules of this file: what has piled up in the mailbox goes out as one write a follower, so a delivery costs
the less the more there is to deliver; idle, nothing waits. A critical publication travels alone and does not
wait for a fan-out that is under way.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence

from trio.lowlevel import checkpoint

from actors.messages import Follow, Publish, Unfollow
from actors.runtime import TrioActor
from config import ChannelSettings
from domain import Event, History, JsonValue, Priority, Publication
from telemetry import counters, events
from transport import Encoder, Frame, FrameStream

# Bytes written before other tasks get their turn: a slice of joined frames takes longer than one of single ones.
SLICE_SIZE = 64 * 1024
# A write up to this size costs what the system call costs, so only their number counts.
SMALL = 1024

# Followers by how they are spoken to. The keeper of the channels makes it, so that it outlives a life of the channel.
Followers = dict[Encoder, dict[FrameStream, None]]


class Channel(TrioActor):
    """One named stream: offset, epoch, history, and those who follow it.

    A restarted channel keeps its followers and begins a new epoch: its history is no longer provably the same.
    """

    mailbox_limit = 100_000

    def __init__(
        self, name: str, followers: Followers, settings: ChannelSettings, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self._name = name
        self._followers = followers
        self._settings = settings
        self._clock = clock
        self._history = History(name, secrets.token_hex(4), settings.history)
        self._pending: list[Publication] = []
        self._frames: dict[Encoder, list[Frame]] = {}
        self._pending_size = 0
        events.channel_created(channel=name, epoch=self._history.epoch)

    async def on_receive(self, message: object) -> None:
        """Publish, follow, unfollow."""
        match message:
            case Publish(event=event):
                await self._publish(event)
            case Follow(outlet=outlet, encode=encode, latest=latest):
                await self._follow(outlet, encode, latest)
            case Unfollow(outlet=outlet):
                await self._flush()
                self._unfollow(outlet)

    async def on_idle(self) -> None:
        """Send what has piled up: nothing waits behind it."""
        await self._flush()

    async def close(self) -> None:
        """Send what has piled up, whatever ends this life."""
        await self._flush()

    def describe(self) -> Mapping[str, JsonValue]:
        """The channel's position and how many follow it."""
        followers = sum(len(outlets) for outlets in self._followers.values())
        return {"epoch": self._history.epoch, "offset": self._history.offset, "followers": followers}

    # -- followers ----------------------------------------------------------------------------------------

    async def _follow(self, outlet: FrameStream, encode: Encoder, latest: int) -> None:
        # What is pending was published before this follower came; it is in the history that it gets.
        await self._flush()
        outlets = self._followers.setdefault(encode, {})
        if outlet in outlets:
            # By its own name and by a tree's: it is one follower, and has what came before.
            return
        outlets[outlet] = None
        kept = self._history.kept()[-latest:] if latest else []
        for publication in kept:
            frame = encode.frame(publication)
            if frame is not None:
                outlet.offer(frame)

    def _unfollow(self, outlet: FrameStream) -> None:
        for encode, outlets in list(self._followers.items()):
            outlets.pop(outlet, None)
            if not outlets:
                del self._followers[encode]

    # -- publications -------------------------------------------------------------------------------------

    async def _publish(self, event: Event) -> None:
        publication = self._number(event)
        if event.priority is Priority.CRITICAL:
            self._send_critical(publication)
            return
        size = 0
        for encode in self._followers:
            frame = encode.frame(publication)
            if frame is not None:
                self._frames.setdefault(encode, []).append(frame)
                size = max(size, len(frame.data))
        if not size:
            # Nobody is to be told: what never fills a batch must not wait for one.
            self._measure(publication)
            return
        self._pending.append(publication)
        self._pending_size += size
        if self._pending_size >= self._settings.batch_size:
            await self._flush()

    def _number(self, event: Event) -> Publication:
        counters.published[event.priority] += 1
        return self._history.append(self._clock(), event)

    def _send_critical(self, publication: Publication) -> None:
        for encode, outlets in self._followers.items():
            frame = encode.frame(publication)
            if frame is not None:
                for outlet in list(outlets):
                    outlet.offer(frame)
                counters.frames_sent += len(outlets)
                counters.bytes_sent += len(outlets) * len(frame.data)
                counters.deliveries[Priority.CRITICAL] += len(outlets)
        self._measure(publication)

    async def _flush(self) -> None:
        """Send what is pending: one write a follower."""
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        batches, self._frames = self._frames, {}
        self._pending_size = 0
        for turn, (encode, frames) in enumerate(batches.items()):
            if turn:
                await self._give_way()
            outlets = self._followers.get(encode)
            if outlets:
                await self._fan_out(frames, list(outlets))
        for publication in pending:
            self._measure(publication)

    async def _fan_out(self, frames: Sequence[Frame], outlets: Sequence[FrameStream]) -> None:
        blob = frames[0].data if len(frames) == 1 else b"".join([frame.data for frame in frames])
        width = self._settings.slice
        if len(blob) > SMALL:
            width = max(1, min(width, SLICE_SIZE // len(blob)))
        for start in range(0, len(outlets), width):
            if start:
                await self._give_way()
            if len(frames) == 1:
                for outlet in outlets[start : start + width]:
                    outlet.offer(frames[0])
            else:
                for outlet in outlets[start : start + width]:
                    outlet.offer_batch(blob, frames)
        counters.frames_sent += len(frames) * len(outlets)
        counters.bytes_sent += len(blob) * len(outlets)
        for frame in frames:
            counters.deliveries[frame.priority] += len(outlets)

    async def _give_way(self) -> None:
        """Let other tasks have their turn, and what they published as critical go first."""
        await checkpoint()
        for message in self.take_waiting(Priority.CRITICAL, Publish):
            self._send_critical(self._number(message.event))

    def _measure(self, publication: Publication) -> None:
        """Note how long it took to the last follower's socket, since the event arrived and since it was published."""
        now = self._clock()
        counters.delivery_delay[publication.event.priority].observe(max(0.0, now - publication.event.recorded))
        # Readings are held back to a few a second before they are published; that is no slowness.
        counters.broadcast_last = max(0.0, now - publication.at)
        counters.broadcast_latency.observe(counters.broadcast_last)
