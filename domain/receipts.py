"""What a client owes for the critical events that were handed to it: a word that it received them, and showed them.

Rules of this file: no I/O; a moment is in seconds of a clock that does not jump.

* ``received`` is cumulative: a position stands for every critical event handed over up to it. Every client owes it.
  ``shown`` names single events; it is owed by a client that has said it before, from then on.
* A receipt is overdue when it is owed for as long as is allowed. That is told once for each client and kind, and once
  that it is settled. What is to be told follows from what is and from what was told, so it comes again until it was.
* A client that leaves owes nothing more: what it did not receive it asks for when it comes back.
* Memory is bounded for each client. Events handed over between two looks are one mark; what is beyond the newest marks
  is counted with the last of them, never forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from heapq import nlargest

import msgspec

from domain.event import Event
from domain.json import JsonValue
from domain.moment import rfc3339
from domain.position import Position
from domain.priority import Priority

SOURCE = "/andond/receipts"
MARKS = 32
UNSHOWN = 256
LEAVERS = 1000


class Kind(Enum):
    """What is owed."""

    RECEIVED = "received"
    SHOWN = "shown"


class Word(Enum):
    """What can be told: the type of the event."""

    OVERDUE = "receipt.overdue"
    SETTLED = "receipt.settled"


class Cause(Enum):
    """What settled a receipt that was overdue: it came; the client left; it is not asked for any more."""

    CAME = "came"
    LEFT = "left"
    FORGIVEN = "forgiven"


class Outcome(Enum):
    """What became of a receipt: taken; nothing new; of another log; of what was never handed over; of a stranger."""

    TAKEN = "taken"
    OLD = "old"
    EPOCH = "epoch"
    AHEAD = "ahead"
    UNKNOWN = "unknown"


class Handed(msgspec.Struct, frozen=True):
    """A critical event that was handed to a client: its place in the log of critical events, and its id."""

    position: Position
    id: str


class Owed(msgspec.Struct, frozen=True):
    """What is owed longest, since when."""

    handed: Handed
    since: float


class Notice(msgspec.Struct, frozen=True):
    """One thing to be told of a client: of ``count`` events ``oldest`` is overdue, or was."""

    word: Word
    kind: Kind
    client: str
    connection: str
    count: int
    oldest: Owed
    cause: Cause | None = None

    def event(self, at: float, present: float) -> Event:
        """The notice as an event: it is ``at`` in Unix seconds, ``present`` on the clock of the notice."""
        since = at - (present - self.oldest.since)
        handed = self.oldest.handed
        data: dict[str, JsonValue] = {
            "client": self.client or None,
            "connection": self.connection,
            "kind": self.kind.value,
            "count": self.count,
            "oldest": {"id": handed.id, "position": str(handed.position), "since": rfc3339(since)},
        }
        if self.cause is not None:
            data["cause"] = self.cause.value
        return Event(
            id=f"{self.connection}-{self.kind.value}-{self.word.value}-{since:.3f}",
            source=SOURCE,
            type=self.word.value,
            data=data,
            recorded=at,
            priority=Priority.HIGH,
            subject=self.client or self.connection,
            time=rfc3339(at),
        )


class _Mark(msgspec.Struct):
    """Events that were handed over between two looks, ``first`` to ``last``."""

    first: Handed
    last: Handed
    count: int
    since: float


class Account:
    """What one client owes; ``client`` is its word for itself."""

    __slots__ = (
        "_given", "_marks", "_shows", "_unshown", "client", "connection", "has_left", "received", "sent", "told",
    )  # fmt: skip

    def __init__(self, connection: str, client: str) -> None:
        self.connection = connection
        self.client = client
        self.sent: Position | None = None
        self.received: Position | None = None
        self.has_left = False
        self.told: dict[Kind, Notice] = {}
        self._marks: deque[_Mark] = deque()
        self._shows = False
        self._unshown: dict[str, Owed] = {}
        # What was given to be shown lately, shown or not: a client that resumes may be handed an event twice.
        self._given: deque[str] = deque(maxlen=UNSHOWN)

    @property
    def lag(self) -> int:
        """How many events it has not said to have received."""
        return sum(mark.count for mark in self._marks)

    def hand(self, events: Sequence[Handed], at: float) -> None:
        """These were handed to the client, seen at ``at``, in the order in which they were."""
        if not events:
            return
        newest = max(events, key=lambda handed: handed.position.offset)
        if self.sent is not None and newest.position.epoch != self.sent.epoch:
            # Another log: nobody can be asked for a position in the one before.
            self._marks.clear()
            self.received = self.sent = None
        before = 0 if self.sent is None else self.sent.offset
        new = [handed for handed in events if handed.position.offset > before]
        if new:
            self.sent = newest.position
            self._mark(_Mark(new[0], newest, len(new), at))
        if self._shows:
            self._give(events, at)

    def acknowledge(self, position: Position) -> Outcome:
        """The client says that it has received everything up to ``position``."""
        if self.sent is None:
            return Outcome.AHEAD
        if position.epoch != self.sent.epoch:
            return Outcome.EPOCH
        if position.offset > self.sent.offset:
            return Outcome.AHEAD
        if self.received is not None and position.offset <= self.received.offset:
            return Outcome.OLD
        self.received = position
        marks = self._marks
        while marks and marks[0].last.position.offset <= position.offset:
            marks.popleft()
        if marks and marks[0].first.position.offset <= position.offset:
            # Which of them are left is not known, but the last is.
            marks[0].first, marks[0].count = marks[0].last, 1
        return Outcome.TAKEN

    def show(self, ids: Iterable[str]) -> list[Outcome]:
        """The client says that it has shown these to a person."""
        if not self._shows:
            self._shows = True
            return [Outcome.TAKEN for _ in ids]
        return [self._show(id_) for id_ in ids]

    def due(self, at: float, limits: Mapping[Kind, float]) -> list[Notice]:
        """What is to be told at ``at``, until it was told; ``limits`` are in seconds, 0 asks for nothing."""
        notices = (self._due(kind, at, limits[kind]) for kind in Kind)
        return [notice for notice in notices if notice is not None]

    def _due(self, kind: Kind, at: float, limit: float) -> Notice | None:
        oldest, count = self._oldest(kind)
        is_overdue = oldest is not None and not self.has_left and 0 < limit <= at - oldest.since
        told = self.told.get(kind)
        if told is not None and not is_overdue:
            is_owed = oldest is not None and oldest.since == told.oldest.since
            cause = Cause.LEFT if self.has_left else Cause.FORGIVEN if is_owed else Cause.CAME
            return Notice(Word.SETTLED, kind, self.client, self.connection, told.count, told.oldest, cause)
        if told is None and is_overdue and oldest is not None:
            return Notice(Word.OVERDUE, kind, self.client, self.connection, count, oldest)
        return None

    def _oldest(self, kind: Kind) -> tuple[Owed | None, int]:
        if kind is Kind.SHOWN:
            return next(iter(self._unshown.values()), None), len(self._unshown)
        return (Owed(self._marks[0].first, self._marks[0].since), self.lag) if self._marks else (None, 0)

    def _mark(self, mark: _Mark) -> None:
        if len(self._marks) < MARKS:
            self._marks.append(mark)
            return
        last = self._marks[-1]
        last.last, last.count, last.since = mark.last, last.count + mark.count, mark.since

    def _give(self, events: Sequence[Handed], at: float) -> None:
        for handed in events:
            if handed.id in self._given:
                continue
            if len(self._given) == UNSHOWN:
                self._unshown.pop(self._given[0], None)
            self._given.append(handed.id)
            self._unshown[handed.id] = Owed(handed, at)

    def _show(self, id_: str) -> Outcome:
        if self._unshown.pop(id_, None) is not None:
            return Outcome.TAKEN
        return Outcome.OLD if id_ in self._given else Outcome.UNKNOWN


class Accounts:
    """The accounts of all clients, by their connections."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._leavers: deque[Account] = deque(maxlen=LEAVERS)
        self.overdue = dict.fromkeys(Kind, 0)

    def __len__(self) -> int:
        return len(self._accounts)

    def open(self, connection: str, client: str) -> Account:
        """The account of a client that has said who it is."""
        account = self._accounts.setdefault(connection, Account(connection, client))
        account.client = client
        return account

    def account(self, connection: str) -> Account | None:
        """The account of a client, None if there is none."""
        return self._accounts.get(connection)

    def close(self, connection: str) -> None:
        """A client has left."""
        account = self._accounts.pop(connection, None)
        if account is None or not account.told:
            return
        account.has_left = True
        if len(self._leavers) == LEAVERS:
            self._forget(self._leavers[0])
        self._leavers.append(account)

    def leavers(self) -> list[Account]:
        """Those who have left and of whom something is to be told."""
        return list(self._leavers)

    def told(self, account: Account, notice: Notice) -> None:
        """``notice`` was told of ``account``."""
        if notice.word is Word.OVERDUE:
            account.told[notice.kind] = notice
            self.overdue[notice.kind] += 1
            return
        del account.told[notice.kind]
        self.overdue[notice.kind] -= 1
        if account.has_left and not account.told:
            self._leavers.remove(account)

    def worst(self, limit: int) -> list[Account]:
        """Those who owe most, at most ``limit`` of them; who owes nothing comes last."""
        return nlargest(limit, self._accounts.values(), key=lambda account: (len(account.told), account.lag))

    def _forget(self, account: Account) -> None:
        for kind in account.told:
            self.overdue[kind] -= 1
