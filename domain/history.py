"""What was last said on a channel, and what a late joiner missed.

Rules of this file: no I/O, no clock, no trio. ``actors.channels.channel`` drives it. The critical publications are
remembered for longer than the others, because nobody may miss one; what is not told of the rest is stated as a gap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec

from domain.event import Event
from domain.gap import Gap
from domain.position import Position
from domain.priority import Priority
from domain.publication import Publication

CRITICAL_KEPT = 1000
"""Critical publications that a channel remembers, apart from the others."""


class Missed(Exception):
    """What was asked for is no longer kept, or belongs to another epoch; the subscriber starts afresh."""

    def __init__(self, wanted: str, oldest: str) -> None:
        super().__init__(f"wanted what follows {wanted}, oldest kept is {oldest}")
        self.wanted = wanted
        self.oldest = oldest


class Backlog(msgspec.Struct, frozen=True):
    """What a subscriber that returns can still be told, oldest first, and the ``gap`` that stays."""

    critical: tuple[Publication, ...]
    others: tuple[Publication, ...]
    gap: Gap | None = None


class History:
    """The newest ``keep`` publications of one channel, oldest first, and its newest critical ones."""

    __slots__ = ("_critical", "_kept", "_last", "channel", "epoch")

    def __init__(self, channel: str, epoch: str, keep: int) -> None:
        self.channel = channel
        self.epoch = epoch
        self._kept: deque[Publication] = deque(maxlen=keep)
        # Most channels never have one.
        self._critical: deque[Publication] | None = None
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
        if event.priority is Priority.CRITICAL:
            if self._critical is None:
                self._critical = deque(maxlen=CRITICAL_KEPT)
            self._critical.append(publication)
        return publication

    def seed(self, publications: Iterable[Publication]) -> list[Publication]:
        """Begin with what was published in an earlier life, oldest first; each as it is numbered here."""
        return [self.append(each.at, each.event, each.critical) for each in publications]

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
        oldest = self._oldest
        # Having everything up to the one before the oldest means that nothing was missed.
        if epoch != self.epoch or not oldest - 1 <= offset <= self._last:
            raise Missed(f"{epoch}:{offset}", f"{self.epoch}:{oldest}")
        return [publication for publication in self._kept if publication.offset > offset]

    def critical_after(self, position: Position) -> list[Publication]:
        """The critical publications that are remembered and not known to be at or before ``position``."""
        return [publication for publication in self._critical or () if _is_behind(publication, position)]

    def recover(self, since: Position, critical_after: Position | None = None) -> Backlog:
        """What followed ``since`` as far as it is remembered, and every critical one behind ``critical_after``."""
        try:
            followed = self.since(since.epoch, since.offset)
        except Missed:
            return self._recover_what_is_left(since, critical_after)
        wanted = {each.offset: each for each in followed if each.event.priority is Priority.CRITICAL}
        if critical_after is not None:
            wanted |= {each.offset: each for each in self.critical_after(critical_after)}
        return Backlog(_in_order(wanted), _others(followed))

    def _recover_what_is_left(self, since: Position, critical_after: Position | None) -> Backlog:
        oldest = self._oldest
        is_same_log = since.epoch == self.epoch and since.offset <= self._last
        wanted = {each.offset: each for each in self._kept if each.event.priority is Priority.CRITICAL}
        for each in self._critical or ():
            # In another log its offset says nothing; then all count, or those that nobody has told on another way.
            is_wanted = each.offset > since.offset if is_same_log else critical_after is None
            if is_wanted or (critical_after is not None and _is_behind(each, critical_after)):
                wanted[each.offset] = each
        gap: Gap | None = Gap(self.channel, 1, oldest - 1, None, "epoch")
        if is_same_log:
            told = sum(since.offset < offset < oldest for offset in wanted)
            count = oldest - 1 - since.offset - told
            gap = Gap(self.channel, since.offset + 1, oldest - 1, count, "history") if count else None
        return Backlog(_in_order(wanted), _others(self._kept), gap)

    @property
    def _oldest(self) -> int:
        """The offset of the oldest that is kept; behind the newest when none is."""
        return self._kept[0].offset if self._kept else self._last + 1


def _is_behind(publication: Publication, position: Position) -> bool:
    critical = publication.critical
    # What cannot be compared may have been missed: told twice is better than not at all.
    return critical is None or critical.epoch != position.epoch or critical.offset > position.offset


def _in_order(wanted: dict[int, Publication]) -> tuple[Publication, ...]:
    return tuple(wanted[offset] for offset in sorted(wanted))


def _others(publications: Iterable[Publication]) -> tuple[Publication, ...]:
    return tuple(each for each in publications if each.event.priority is not Priority.CRITICAL)
