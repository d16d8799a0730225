"""What was last said on a channel, and what a late joiner missed.

Rules of this file: no I/O, no clock, no trio. ``actors.channel`` drives it.
"""

from __future__ import annotations

from collections import deque

from domain.event import Event
from domain.position import Position
from domain.publication import Publication


class Missed(Exception):
    """What was asked for is no longer kept, or belongs to another epoch; the subscriber starts afresh."""

    def __init__(self, wanted: str, oldest: str) -> None:
        super().__init__(f"wanted what follows {wanted}, oldest kept is {oldest}")
        self.wanted = wanted
        self.oldest = oldest


class History:
    """The newest ``keep`` publications of one channel, oldest first."""

    __slots__ = ("_kept", "_last", "channel", "epoch")

    def __init__(self, channel: str, epoch: str, keep: int) -> None:
        self.channel = channel
        self.epoch = epoch
        self._kept: deque[Publication] = deque(maxlen=keep)
        self._last = 0

    @property
    def offset(self) -> int:
        """The offset of the newest publication; 0 before the first."""
        return self._last

    def append(self, at: float, event: Event, critical: Position | None = None) -> Publication:
        """Give ``event`` the next offset and keep it; ``critical`` is its place in the log of critical events."""
        self._last += 1
        publication = Publication(self.channel, self.epoch, self._last, at, event, critical)
        self._kept.append(publication)
        return publication

    def latest(self) -> Publication | None:
        """The newest publication, or None before the first."""
        return self._kept[-1] if self._kept else None

    def kept(self) -> list[Publication]:
        """Everything that is kept, oldest first."""
        return list(self._kept)

    def since(self, epoch: str, offset: int) -> list[Publication]:
        """What followed ``offset`` of ``epoch``.

        Raises:
            Missed: if some of it is no longer kept, was never there, or belongs to another epoch.
        """
        oldest = self._kept[0].offset if self._kept else self._last + 1
        # Having everything up to the one before the oldest means that nothing was missed.
        if epoch != self.epoch or not oldest - 1 <= offset <= self._last:
            raise Missed(f"{epoch}:{offset}", f"{self.epoch}:{oldest}")
        return [publication for publication in self._kept if publication.offset > offset]
