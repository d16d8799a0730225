"""The newest critical publications of the gateway, and what somebody who was away has missed.

Rules of this file: no I/O, no clock. What is in memory is answered from memory; what is older is read from the journal,
chunk after chunk, by whoever drives a ``Recovery``. A partial answer always says that it is one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from domain.names import below, is_tree
from domain.position import Position
from domain.publication import Publication


class CriticalLog:
    """The end of the one log of critical events: at most ``keep`` publications without a hole, oldest first.

    ``newest`` is the number of the newest one that was published; it may be older than what is in memory.
    """

    __slots__ = ("_kept", "epoch", "newest")

    def __init__(self, epoch: str, newest: int, keep: int) -> None:
        self.epoch = epoch
        self.newest = newest
        self._kept: deque[Publication] = deque(maxlen=keep)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def position(self) -> Position:
        """The place of the newest one; offset 0 before the first."""
        return Position(self.epoch, self.newest)

    @property
    def oldest(self) -> int:
        """The number of the oldest one in memory; with none, the number that the next one gets."""
        return self.newest + 1 - len(self._kept)

    def append(self, publication: Publication) -> None:
        """Keep a publication that has its critical position in this log.

        Raises:
            ValueError: if it has none, or one that is not behind the newest.
        """
        position = publication.critical
        if position is None or position.epoch != self.epoch or position.offset <= self.newest:
            raise ValueError(f"{position} does not follow {self.position}")
        if position.offset != self.newest + 1:
            # Memory has no holes: what is before this one is left to the journal.
            self._kept.clear()
        self._kept.append(publication)
        self.newest = position.offset

    def behind(self, offset: int) -> Iterable[Publication]:
        """What is in memory behind ``offset``, oldest first."""
        return islice(self._kept, max(0, offset + 1 - self.oldest), None)


class Recovery:
    """What followed ``since`` on ``channels`` (trees too; None: on all), up to the newest ``limit`` publications.

    While it is not ``done`` it wants what the journal has behind ``offset``. A position of another life of the log, or
    one that never was, is answered with everything that is still there, as not recovered.
    """

    def __init__(self, log: CriticalLog, since: Position, channels: Sequence[str] | None, limit: int) -> None:
        self._log = log
        self._names = None if channels is None else frozenset(channels)
        self._trees = tuple(name for name in channels or () if is_tree(name))
        self._found: deque[Publication] = deque(maxlen=limit)
        self.recovered = since.epoch == log.epoch and since.offset <= log.newest
        self.offset = since.offset if self.recovered else 0
        self.newest = log.position
        self.done = False
        self._finish_from_memory()

    @property
    def publications(self) -> tuple[Publication, ...]:
        """What was found so far, oldest first."""
        return tuple(self._found)

    def take(self, chunk: Sequence[Publication]) -> None:
        """Take what the journal has behind ``offset``, oldest first; nothing when it has no more."""
        for publication in chunk:
            number = publication.critical.offset if publication.critical is not None else 0
            if number >= self._log.oldest:
                # Memory has it, or it is on disk and not yet published and comes live.
                break
            if number != self.offset + 1:
                self.recovered = False
            self._add(publication)
            self.offset = number
        else:
            if chunk:
                self._finish_from_memory()
                return
        self.give_up()

    def give_up(self) -> None:
        """Answer with what was found and what memory has: the journal has no more, or cannot be read."""
        if self.offset < self._log.oldest - 1:
            self.recovered = False
            self.offset = self._log.oldest - 1
        self._finish_from_memory()

    def _finish_from_memory(self) -> None:
        if self.offset < self._log.oldest - 1:
            return
        for publication in self._log.behind(self.offset):
            self._add(publication)
        self.newest = self._log.position
        self.done = True

    def _add(self, publication: Publication) -> None:
        if not self._is_wanted(publication.channel):
            return
        if len(self._found) == self._found.maxlen:
            self.recovered = False
        self._found.append(publication)

    def _is_wanted(self, channel: str) -> bool:
        names = self._names
        return names is None or channel in names or any(below(channel, tree) for tree in self._trees)
