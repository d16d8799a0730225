"""What waits in an outbox: a frame of its own, or frames that a channel has joined for all who follow it.

Rules of this file: no I/O. Both say how many frames they are, their bytes, for how many publications they stand, and
give as many bytes as there is room for, at least those of one frame.
"""

from __future__ import annotations

from collections.abc import Sequence

from transport.frames import Batch, Frame


class Waiting:
    """A frame that waits, and for how many of its key it stands, from the offset ``first`` on.

    ``since`` is when it took its place, ``at`` when the newest of its key came.
    """

    __slots__ = ("at", "first", "frame", "rate", "since")

    count = 1

    def __init__(self, frame: Frame, at: float) -> None:
        self.frame = frame
        self.at = self.since = at
        self.rate = frame.rate
        self.first = 0 if frame.publication is None else frame.publication.offset

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return len(self.frame.data)

    @property
    def last(self) -> Frame:
        """The newest frame."""
        return self.frame

    def take(self, room: int) -> bytes:
        """The frame's bytes, with the number it stands for where its dialect can say it."""
        del room
        frame = self.frame
        return frame.data if self.rate == frame.rate or frame.again is None else frame.again(self.rate)


class WaitingBatch:
    """Frames that wait together, as all subscribers share them; ``begun`` of them have gone."""

    __slots__ = ("at", "batch", "begun")

    def __init__(self, batch: Batch, at: float) -> None:
        self.batch = batch
        self.at = at
        self.begun = 0

    @property
    def since(self) -> float:
        """When they took their place."""
        return self.at

    @property
    def frames(self) -> Sequence[Frame]:
        """Those that wait."""
        return self.batch.frames[self.begun :]

    @property
    def count(self) -> int:
        """How many wait."""
        return len(self.batch.frames) - self.begun

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return sum([len(frame.data) for frame in self.frames]) if self.begun else len(self.batch.blob)

    @property
    def rate(self) -> int:
        """For how many publications they stand."""
        return sum([frame.rate for frame in self.frames])

    @property
    def first(self) -> int:
        """The offset of the oldest."""
        publication = self.batch.frames[self.begun].publication
        return 0 if publication is None else publication.offset

    @property
    def last(self) -> Frame:
        """The newest frame."""
        return self.batch.frames[-1]

    def take(self, room: int) -> bytes:
        """The bytes of as many as there is room for, at least of one."""
        batch = self.batch
        if not self.begun and len(batch.blob) <= room:
            self.begun = len(batch.frames)
            return batch.blob
        parts: list[bytes] = []
        size = 0
        for frame in self.frames:
            if parts and size + len(frame.data) > room:
                break
            parts.append(frame.data)
            size += len(frame.data)
        self.begun += len(parts)
        return b"".join(parts)
