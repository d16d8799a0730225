"""What somebody who begins to follow a channel is told of the time before.

Rules of this file: no I/O, no trio. Everything is decided in one go, so that nothing falls between what is told of the
past and what comes live. One follow is bounded; what does not fit is in the gap that its answer states, and a critical
publication always fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from actors.messages import Follow
from domain import Gap, History, Priority, Publication, newest_of_each, pacing_key
from transport import Encoder, Followed, Frame

REPLAY_SIZE = 128 * 1024
"""Bytes of one follow below CRITICAL: half of what an outbox usually holds, so that live ones find room beside."""

REPLAY_LIMIT = 1000
"""Publications of one follow below CRITICAL: more would keep the channel from telling what is new."""

FRAMES_KEPT = 256

Told = Sequence[tuple[Publication, int]]


class Replay(msgspec.Struct, frozen=True):
    """The answer to a follow, and the frames that come right behind it."""

    followed: Followed
    frames: tuple[Frame, ...]


class Replayer:
    """Makes replays of one ``history``; it remembers the frames it made, because clients return by the thousand."""

    __slots__ = ("_frames", "_history")

    def __init__(self, history: History) -> None:
        self._history = history
        self._frames: dict[tuple[Encoder, int, int], Frame | None] = {}

    def replay(self, follow: Follow) -> Replay:
        """What ``follow`` asks for: critical ones first, then the newest of each value, then the rest at LOW."""
        if follow.since is not None:
            return self._since(follow)
        latest = self._history.kept()[-follow.latest :] if follow.latest else []
        frames, _ = self._newest_that_fit(follow.encode, [(publication, 1) for publication in latest])
        missed = [] if follow.critical_after is None else self._history.critical_after(follow.critical_after)
        told = {publication.offset for publication in latest}
        first = self._critical(follow.encode, [each for each in missed if each.offset not in told])
        return Replay(self._followed(None), (*first, *(frame for _, frame in frames)))

    def _since(self, follow: Follow) -> Replay:
        if follow.since is None:
            raise ValueError("a follow from now on has no since")
        backlog = self._history.recover(follow.since, follow.critical_after)
        frames, left_out = self._newest_that_fit(follow.encode, _conflated(follow.encode, backlog.others))
        snapshot, history = [], []
        for publication, frame in frames:
            if pacing_key(publication) is None:
                history.append(Frame(frame.data, Priority.LOW, None, publication))
            else:
                snapshot.append(frame)
        first = self._critical(follow.encode, backlog.critical)
        return Replay(self._followed(_with(backlog.gap, left_out)), (*first, *snapshot, *history))

    def _followed(self, gap: Gap | None) -> Followed:
        history = self._history
        return Followed(history.channel, history.epoch, history.offset, recovered=gap is None, gap=gap)

    def _critical(self, encode: Encoder, publications: Iterable[Publication]) -> list[Frame]:
        frames = [self._frame(encode, publication, 1) for publication in publications]
        return [frame for frame in frames if frame is not None]

    def _newest_that_fit(self, encode: Encoder, told: Told) -> tuple[list[tuple[Publication, Frame]], Told]:
        """The frames of the newest within the bounds, oldest first; and what of the oldest does not fit."""
        frames: list[tuple[Publication, Frame]] = []
        size = 0
        for index in range(len(told) - 1, -1, -1):
            publication, rate = told[index]
            frame = self._frame(encode, publication, rate)
            if frame is None:
                continue
            is_critical = frame.priority is Priority.CRITICAL
            size += 0 if is_critical else len(frame.data)
            if not is_critical and (size > REPLAY_SIZE or len(frames) >= REPLAY_LIMIT):
                return frames[::-1], told[: index + 1]
            frames.append((publication, frame))
        return frames[::-1], ()

    def _frame(self, encode: Encoder, publication: Publication, rate: int) -> Frame | None:
        key = encode, publication.offset, rate
        if key not in self._frames:
            if len(self._frames) >= FRAMES_KEPT:
                self._frames.clear()
            self._frames[key] = encode.frame(publication, rate)
        return self._frames[key]


def _conflated(encode: Encoder, publications: Sequence[Publication]) -> Told:
    """Of each value the newest, for all of them, in a dialect that can say so."""
    told = newest_of_each(publications)
    replaced = next((publication for publication, rate in told if rate > 1), None)
    frame = None if replaced is None else encode.frame(replaced)
    if frame is not None and frame.again is None:
        return [(publication, 1) for publication in publications]
    return told


def _with(gap: Gap | None, left_out: Told) -> Gap | None:
    """``gap`` and what was left out of what follows it, as one."""
    if not left_out:
        return gap
    offsets = [publication.offset for publication, _ in left_out]
    reason = "overflow" if gap is None else gap.reason
    count = sum(rate for _, rate in left_out)
    more = Gap(left_out[0][0].channel, min(offsets), max(offsets), count, reason)
    return more if gap is None else gap.with_more(more)
