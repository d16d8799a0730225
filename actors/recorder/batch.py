"""What the recorder decides about records: which go together, which are told, which wait for the disk to come back.

Rules of this file: no trio, no actor, no clock; a function that works on a journal blocks and is called where it may.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from actors.messages import Writing
from config import JournalSettings
from domain import CriticalLog, Duplicates, Event, Position, Priority, Publication, Row
from storage import Entry, Journal, Kept, Recorded, Statistics, StorageError, keep_of

BATCH = 1000
"""Records of one commit: what is told next waits for no more than these."""

REMEMBERED = 10_000
"""Critical events that are remembered in memory."""

UNKEPT_LIMIT = 10_000
SPOOL_LIMIT = 10_000
SIBLINGS = 4
MAKING_ROOM = 16

Name = tuple[str, str]


class Unkept:
    """Urgent events that were published although the journal could not take them.

    The newest ``limit`` wait for the journal to come back; each is published once, however often it is sent again.
    """

    def __init__(self, limit: int = UNKEPT_LIMIT) -> None:
        self._told = Duplicates(limit)
        self._waiting: deque[Event] = deque(maxlen=limit)

    def __len__(self) -> int:
        return len(self._waiting)

    def is_new(self, event: Event) -> bool:
        """Whether ``event`` was not published in this way before; it counts as published from now on."""
        return self._told.is_new(event)

    def wait(self, event: Event) -> None:
        """Let ``event`` be written later."""
        self._waiting.append(event)

    def waiting(self, limit: int) -> list[Event]:
        """The oldest ``limit`` of those that wait."""
        return [event for event, _ in zip(self._waiting, range(limit), strict=False)]

    def written(self, count: int) -> None:
        """The oldest ``count`` are in the journal now."""
        for _ in range(count):
            self._told.forget(self._waiting.popleft())


class Standing:
    """What outlives a life of the recorder.

    ``told``: the newest critical event that was published; what is on disk behind it was not. ``in_hand``: the records
    that were taken and not published yet. ``unkept``: what waits for the disk to come back; ``owed``: the newest rows
    that do, by kind and key.
    """

    __slots__ = ("in_hand", "owed", "told", "unkept")

    def __init__(self) -> None:
        self.told: Position | None = None
        self.in_hand: set[Name] = set()
        self.unkept = Unkept()
        self.owed: dict[tuple[str, str], Row] = {}

    def owe(self, rows: Iterable[Row]) -> None:
        """Let ``rows`` be written later, in place of older ones."""
        self.owed |= {(row.kind, row.key): row for row in rows}


class Spool:
    """Events that were published and wait to be written when there is time: the newest ``limit``."""

    def __init__(self, limit: int = SPOOL_LIMIT) -> None:
        self._limit = limit
        self._events: deque[Event] = deque()

    def __len__(self) -> int:
        return len(self._events)

    def put(self, told: Iterable[Event]) -> list[Event]:
        """Let ``told`` wait; returns the oldest that find no place any more."""
        self._events.extend(told)
        return self.take(max(0, len(self._events) - self._limit))

    def take(self, limit: int) -> list[Event]:
        """The oldest ``limit``; they wait no more."""
        return [self._events.popleft() for _ in range(min(limit, len(self._events)))]


class Appended(msgspec.Struct, frozen=True):
    """What became of the entries of a commit, what was ``deleted`` to have room for them, why some were left out."""

    recorded: list[Recorded]
    deleted: Counter[Priority]
    faults: tuple[str, ...] = ()


def append(
    journal: Journal, entries: Sequence[Entry], rows: Sequence[Row] = (), *, is_synced: bool = False
) -> Appended:
    """Write ``entries`` and ``rows`` in one transaction; on a full disk in place of what matters less.

    What cannot be written at all is left out, the others are written one by one: the rows first, because what is
    published of a change must not be known of a thing that has not changed.

    Raises:
        StorageError: with none of them written; of those that are written one by one, the first may be.
    """
    try:
        return _append(journal, entries, rows, is_synced=is_synced)
    except (TypeError, ValueError, OverflowError) as error:
        if len(entries) + len(rows) == 1:
            return Appended([Recorded(entry, None, is_kept=False) for entry in entries], Counter(), (repr(error),))
    parts = [append(journal, [], [row]) for row in rows]
    parts += [append(journal, [entry], is_synced=is_synced) for entry in entries]
    deleted: Counter[Priority] = Counter()
    for part in parts:
        deleted.update(part.deleted)
    faults = tuple(fault for part in parts for fault in part.faults)
    return Appended([recorded for part in parts for recorded in part.recorded], deleted, faults)


def _append(journal: Journal, entries: Sequence[Entry], rows: Sequence[Row], *, is_synced: bool) -> Appended:
    deleted: Counter[Priority] = Counter()
    # What a desk knows is worth as much as what is critical.
    priority = Priority.CRITICAL if rows else min(entry.event.priority for entry in entries)
    for _ in range(MAKING_ROOM):
        try:
            return Appended(journal.append(entries, rows, is_synced=is_synced), deleted)
        except StorageError as error:
            if not error.full:
                raise
        room = journal.make_room(priority)
        deleted.update(room.deleted)
        if not room.deleted:
            break
    return Appended(journal.append(entries, rows, is_synced=is_synced), deleted)


class Looked(msgspec.Struct, frozen=True):
    """What a step of retention did: records ``retired`` by age or size, records ``shed`` for want of room.

    ``oversize`` is by how many bytes the critical ones are too many; ``more`` says that there is more to do.
    """

    retired: Mapping[Priority, int]
    shed: Mapping[Priority, int]
    oversize: int
    more: bool
    statistics: Statistics


def retain(journal: Journal, at: float) -> Looked:
    """Delete what must go at ``at``, a step of it, and look how the journal is then.

    Raises:
        StorageError: if the disk fails.
    """
    pressed = journal.refused
    done = journal.retain(at)
    retired = {priority: count for priority, count in done.deleted.items() if priority not in pressed}
    shed = {priority: count for priority, count in done.deleted.items() if priority in pressed}
    return Looked(retired, shed, done.oversize, done.more, journal.statistics())


def name_of(event: Event) -> Name:
    """What CloudEvents tells events apart by."""
    return event.source, event.id


def batches(taken: Iterable[Writing]) -> Iterator[Sequence[Writing]]:
    """``taken`` in their order, as many at a time as go into one commit; what a desk has decided is never parted."""
    batch: list[Writing] = []
    size = 0
    for one in taken:
        own = max(1, len(one.parts()[0]))
        if batch and size + own > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += own
    if batch:
        yield batch


def pays_off(count: int, former: int) -> bool:
    """Whether a commit of ``count`` records should wait for others, when the one before had ``former``.

    Those who were answered by that one are about to come back: together they share a sync.
    """
    return former >= SIBLINGS and 2 * count < former


def publications(kept: Iterable[Kept], epoch: str) -> list[Publication]:
    """What was read from the journal, as publications."""
    return [
        Publication(
            one.channel,
            epoch,
            0,
            one.at,
            one.event,
            None if one.critical is None else Position(epoch, one.critical),
        )
        for one in kept
    ]


def remembered(epoch: str, newest: int, kept: Iterable[Kept]) -> CriticalLog:
    """The log up to the critical event ``newest``, with as much of its end in memory as is in ``kept``."""
    end = [one for one in publications(kept, epoch) if one.critical is not None and one.critical.offset <= newest]
    first = end[0].critical if end else None
    log = CriticalLog(epoch, newest if first is None else first.offset - 1, REMEMBERED)
    for one in end:
        log.append(one)
    # Where the newest cannot be read memory has nothing, and whoever asks gets to know.
    return log if log.newest == newest else CriticalLog(epoch, newest, REMEMBERED)


def kept_priorities(settings: JournalSettings) -> frozenset[Priority]:
    """The priorities whose events the journal is to keep."""
    return frozenset(priority for priority, keep in keep_of(settings).items() if keep.age > 0)


def advice(error: StorageError) -> str:
    """What is wrong with the journal and who must act, for a publisher and for an operator."""
    if error.full:
        return f"{error}; the operator must make room on the disk"
    if error.needs_operator:
        return f"{error}; the operator must act"
    return f"{error}; andond tries again by itself, the operator should look at the disk"
