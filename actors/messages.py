"""What actors say to each other.

Rules of this file: frozen classes; imperative for a command, past participle for a fact. A message that carries
an event has the event's priority, so that it overtakes in every mailbox on its way, and the event's
conflation key, so that a newer reading takes the place of one that still waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import ClassVar

import msgspec

from domain import Event, Fault, JsonObject, JsonValue, Position, Priority, Publication, Row, conflation_key
from domain.access import NO_RIGHTS, Rights
from domain.chain import Observation
from transport import Encoder, Followed, Frame, FrameStream


class _Carrier:
    """A message that carries an event."""

    __slots__ = ("event", "key", "priority")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.priority: Priority = event.priority
        self.key: Hashable = conflation_key(event)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.event.type} {self.event.id})"


class EventTaken(_Carrier):
    """A source took an event in; a desk decides what it means.

    ``settled`` is called, on the trio thread, when the gateway answers for the event: at once for one that is not kept,
    after the disk has it for one that is; with False if it could not be kept.
    """

    __slots__ = ("settled",)

    def __init__(self, event: Event, settled: Callable[[bool], None] | None = None) -> None:
        super().__init__(event)
        self.settled = settled


class Observed(msgspec.Struct, frozen=True):
    """The nodes of a chain said this, in the order in which it came."""

    observations: tuple[Observation, ...]
    priority: ClassVar[Priority] = Priority.HIGH


class StatusesTold(msgspec.Struct, frozen=True):
    """``validator.status`` events for the portal's view; they are published by whoever tells them, or were before."""

    events: tuple[Event, ...]
    priority: ClassVar[Priority] = Priority.HIGH


class Writing:
    """What the recorder is to write, and to publish then.

    ``settled`` is called when that is done, with False if not all of it could be kept; ``told_at`` is when it was told,
    on trio's clock.
    """

    __slots__ = ()
    priority: Priority
    settled: Callable[[bool], None] | None
    told_at: float

    def parts(self) -> tuple[tuple[Event, ...], tuple[Row, ...]]:
        """The events and the rows."""
        raise NotImplementedError


class Record(_Carrier, Writing):
    """A desk wants ``event`` kept in the journal and then published; ``settled`` as in ``EventTaken``."""

    __slots__ = ("settled", "told_at")

    def __init__(self, event: Event, settled: Callable[[bool], None] | None = None, told_at: float = 0.0) -> None:
        super().__init__(event)
        self.settled = settled
        self.told_at = told_at

    def parts(self) -> tuple[tuple[Event, ...], tuple[Row, ...]]:
        """The event."""
        return (self.event,), ()


class Commit(Writing):
    """A desk has decided: ``events`` are to be kept and ``rows`` with them, all or nothing, synced, then published.

    It is as urgent as its most urgent event, CRITICAL if it has none, and never less than HIGH: what is less may be
    dropped on the way. It must not overtake what its desk has decided before, or an old row would take the place of a
    newer one; so the recorder writes all that stands in the same ``line`` with it.
    """

    __slots__ = ("events", "is_done", "line", "priority", "rows", "settled", "told_at")
    key: ClassVar[None] = None

    def __init__(
        self,
        events: Sequence[Event],
        rows: Sequence[Row],
        settled: Callable[[bool], None] | None = None,
        told_at: float = 0.0,
        line: Line | None = None,
    ) -> None:
        self.events = tuple(events)
        self.rows = tuple(rows)
        self.settled = settled
        self.told_at = told_at
        urgent = (Priority.HIGH, *(event.priority for event in events)) if events else (Priority.CRITICAL,)
        self.priority = min(urgent)
        self.is_done = False
        self.line = Line() if line is None else line
        self.line.append(self)

    def __repr__(self) -> str:
        types = " ".join(event.type for event in self.events)
        return f"Commit({types or 'no event'}; {len(self.rows)} rows)"

    def parts(self) -> tuple[tuple[Event, ...], tuple[Row, ...]]:
        """The events and the rows."""
        return self.events, self.rows


class Line:
    """The commits of one desk in the order in which they were decided; those that are done leave it."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: deque[Commit] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Commit]:
        return iter(tuple(self._waiting))

    def append(self, commit: Commit) -> None:
        """``commit`` comes last."""
        self._waiting.append(commit)

    def advance(self) -> None:
        """Let those leave that are done."""
        while self._waiting and self._waiting[0].is_done:
            self._waiting.popleft()


class ReadState(msgspec.Struct, frozen=True):
    """Answer the kept rows of ``kind`` as ``tuple[(key, value), ...]``, all that was committed before among them.

    None while they cannot be read.
    """

    kind: str
    priority: ClassVar[Priority] = Priority.HIGH


StateRead = tuple[tuple[str, JsonObject], ...]
"""The answer to ``ReadState``."""


class Keep(_Carrier):
    """A desk has published ``event``, which is NORMAL or LOW; the journal is to have it too, when there is time."""

    def __init__(self, event: Event) -> None:
        super().__init__(event)
        # What is kept is the course of a value: a newer one does not take the place of this one.
        self.key = None


class ReadFault(msgspec.Struct, frozen=True):
    """Answer why events cannot be kept and who must act, as a text; empty while they can."""

    priority: ClassVar[Priority] = Priority.CRITICAL


class ReadCritical(msgspec.Struct, frozen=True):
    """Answer the critical events behind ``since`` on ``channels`` (trees too; None: on all): ``CriticalRead``.

    ``since`` of None asks for the newest position alone.
    """

    since: Position | None
    channels: tuple[str, ...] | None = None
    priority: ClassVar[Priority] = Priority.HIGH


class CriticalRead(msgspec.Struct, frozen=True):
    """Critical events in their order up to ``newest``; all that were asked for if ``recovered``.

    Not ``certain`` while the journal cannot be read: it may know better later.
    """

    recovered: bool
    newest: Position
    publications: tuple[Publication, ...]
    certain: bool = True


class ReadNewest(msgspec.Struct, frozen=True):
    """Answer the ``limit`` newest kept publications of ``channel``, oldest first: a tuple of ``Publication``."""

    channel: str
    limit: int
    priority: ClassVar[Priority] = Priority.HIGH


class ReadChannels(msgspec.Struct, frozen=True):
    """Answer the names of at most ``limit`` channels below ``tree`` that there are kept events of: a tuple of texts."""

    tree: str
    limit: int
    priority: ClassVar[Priority] = Priority.HIGH


class Publish(_Carrier):
    """``event`` is to be told to everyone who follows its channel.

    ``critical`` is its place in the log of critical events: it is on disk. ``told``, if there is one, is called when it
    has gone out, with the time on trio's clock.
    """

    __slots__ = ("critical", "told")

    def __init__(self, event: Event, critical: Position | None = None) -> None:
        super().__init__(event)
        self.critical = critical
        self.told: Callable[[float], None] | None = None


class Follow(msgspec.Struct, frozen=True):
    """Send ``outlet`` what is published on ``channel`` (or on every channel below ``kind/*``) from now on.

    Whatever the ``rights`` do not see is not told, of a tree neither. ``is_late``: it is followed already, and what was
    before has become known only now. The other fields are those of ``transport.Subscribe``.
    """

    channel: str
    outlet: FrameStream
    encode: Encoder
    latest: int = 0
    since: Position | None = None
    critical_after: Position | None = None
    max_hz: float | None = None
    confirm: Callable[[Followed], Frame] | None = None
    is_late: bool = False
    rights: Rights = NO_RIGHTS
    priority: ClassVar[Priority] = Priority.HIGH


class Unfollow(msgspec.Struct, frozen=True):
    """Send ``outlet`` nothing more from ``channel``; from no channel at all when it is None."""

    channel: str | None
    outlet: FrameStream
    priority: ClassVar[Priority] = Priority.HIGH


class Received(msgspec.Struct, frozen=True):
    """A client sent a message."""

    message: str | bytes
    priority: ClassVar[Priority] = Priority.HIGH


class TakeEvents(msgspec.Struct, frozen=True):
    """Take the events that a publisher posted, each a decoded object; answered with ``EventsTaken``."""

    members: Sequence[JsonValue]
    priority: ClassVar[Priority] = Priority.HIGH


class Refusal(msgspec.Struct, frozen=True):
    """Why the event at ``index`` of a batch was not taken; ``id`` where it has one that can be shown."""

    index: int
    id: str | None
    faults: tuple[Fault, ...]


class EventsTaken(msgspec.Struct, frozen=True):
    """What became of posted events: how many were taken, were known already, were turned away as too many.

    ``unkept`` were published and are not on disk, although they must be: they may come again.
    """

    accepted: int
    duplicates: int
    overloaded: int
    refused: tuple[Refusal, ...]
    unkept: int = 0
