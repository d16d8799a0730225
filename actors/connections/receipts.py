"""Who watches whether clients say that they received, and showed, what is critical.

Rules of this file:

* A delivery costs no message. Each client's stream notes the critical publications that were handed to its socket, and
  the notes of all are looked through once a second, in slices.
* The book is made with the tree: what is owed, and what was told, outlives each life of the one who looks.
* What cannot be told, because the desk is full or away, is told at a later look. A receipt for what was never handed
  over, or for another log, changes nothing and is counted.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

import msgspec
import trio
from trio.lowlevel import checkpoint

from actors.beats import beat
from actors.messages import EventTaken
from actors.routing import Desks
from actors.runtime import ActorDead, MailboxFull, TrioActor
from config import ReceiptSettings
from domain import Awaited, JsonValue, Position, Priority, Publication
from domain.receipts import Account, Accounts, Handed, Kind, Notice, Outcome, Word
from telemetry import counters, events, gauges

LOOK = 1.0
SLICE = 256
NOTED = 1024
"""Critical publications noted for one client between two looks; the oldest beyond it are not asked for by their ids."""

SHOWN = 64
"""Clients in the status document: those who owe most."""


class Outlet(Protocol):
    """A client's stream: where it notes the critical publications that it handed to the socket; None: nowhere."""

    criticals: deque[Publication] | None


class Client(Protocol):
    """A link, as it is seen from here."""

    @property
    def id(self) -> str:
        """The connection's name."""

    @property
    def stream(self) -> Outlet:
        """Where its frames go."""

    @property
    def closing(self) -> tuple[int, str] | None:
        """How it ends, once it does."""


class Introduced(msgspec.Struct, frozen=True):
    """A native client has said who it is: it owes receipts from now on."""

    link: Client
    client: str
    priority: ClassVar[Priority] = Priority.HIGH


class Acknowledged(msgspec.Struct, frozen=True):
    """A client has received every critical event up to ``position``; a newer word takes the place of one that waits."""

    link: Client
    position: Position

    @property
    def key(self) -> str:
        """One word of each client waits."""
        return self.link.id


class Shown(msgspec.Struct, frozen=True):
    """A client has shown these events."""

    link: Client
    ids: tuple[str, ...]


class Left(msgspec.Struct, frozen=True):
    """A client is gone."""

    link: Client
    priority: ClassVar[Priority] = Priority.HIGH


class Book:
    """What the clients owe, the links where it is noted, and of which events somebody waits for a receipt."""

    def __init__(self) -> None:
        self.receipts = Accounts()
        self.awaited = Awaited()
        self.links: dict[str, Client] = {}

    def open(self, link: Client, client: str) -> None:
        """``link`` owes receipts from now on."""
        if link.stream.criticals is None:
            link.stream.criticals = deque(maxlen=NOTED)
        self.links[link.id] = link
        self.receipts.open(link.id, client)

    def close(self, link: Client) -> None:
        """``link`` is gone."""
        link.stream.criticals = None
        self.links.pop(link.id, None)
        self.receipts.close(link.id)
        self.awaited.leave(link.id)

    def read(self, link: Client, at: float) -> Account | None:
        """The account of ``link`` with what was noted until ``at``; None if it has none."""
        account = self.receipts.account(link.id)
        noted = link.stream.criticals
        if account is not None and noted:
            handed = [Handed(one.critical, one.event.id) for one in noted if one.critical is not None]
            noted.clear()
            account.hand(handed, at)
            self.awaited.hand(link.id, account.client, handed)
        return account


class Receipts(TrioActor):
    """Keeps ``book`` by the limits that ``present`` returns."""

    mailbox_limit = 100_000
    has_tasks = True

    def __init__(
        self, present: Callable[[], ReceiptSettings], book: Book, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self._present = present
        self._book = book
        self._clock = clock
        self._desks = Desks.at_their_places(self.life.environment)

    async def setup(self) -> None:
        """Begin to look."""
        gauges.feed("receipts_overdue", self._overdue)
        self.start_task(self._look_for_ever)

    async def close(self) -> None:
        """Tell no more figures."""
        gauges.forget("receipts_overdue")

    def on_receive(self, message: object) -> None:
        """Note who is there, who has gone, and what each says."""
        match message:
            case Introduced(link=link, client=client):
                # One that has gone already says so no more.
                if link.closing is None:
                    self._book.open(link, client)
            case Acknowledged(link=link, position=position):
                account = self._book.read(link, trio.current_time())
                if account is not None:
                    self._count(account.acknowledge(position), Kind.RECEIVED)
                    self._book.awaited.receive(link.id, position)
            case Shown(link=link, ids=ids):
                account = self._book.read(link, trio.current_time())
                for outcome in account.show(ids) if account is not None else ():
                    self._count(outcome, Kind.SHOWN)
                self._book.awaited.show(link.id, ids)
            case Left(link=link):
                self._book.close(link)

    def describe(self) -> Mapping[str, JsonValue]:
        """How many owe and are late, and those who owe most."""
        receipts = self._book.receipts
        return {
            "clients": len(receipts),
            "overdue": {kind.value: count for kind, count in receipts.overdue.items()},
            "worst": [_row(account) for account in receipts.worst(SHOWN)],
        }

    def _count(self, outcome: Outcome, kind: Kind) -> None:
        if outcome is not Outcome.TAKEN:
            counters.receipts_ignored.add(outcome.value)
        elif kind is Kind.RECEIVED:
            counters.receipts_received += 1
        else:
            counters.receipts_shown += 1

    def _overdue(self) -> Mapping[str, float]:
        return {kind.value: float(count) for kind, count in self._book.receipts.overdue.items()}

    async def _look_for_ever(self) -> None:
        while True:
            await beat(LOOK)
            await self._look_at_all()

    async def _look_at_all(self) -> None:
        book, present = self._book, self._present()
        limits = {Kind.RECEIVED: present.received, Kind.SHOWN: present.shown}
        for number, link in enumerate(list(book.links.values()), 1):
            if link.closing is not None:
                book.close(link)
            account = book.read(link, trio.current_time())
            if account is not None and not self._tell(account, limits):
                return
            if not number % SLICE:
                await checkpoint()
        for account in book.receipts.leavers():
            if not self._tell(account, limits):
                return

    def _tell(self, account: Account, limits: Mapping[Kind, float]) -> bool:
        """Tell what is due of one client; False if nobody can be told now."""
        at = trio.current_time()
        for notice in account.due(at, limits):
            event = notice.event(self._clock(), at)
            try:
                self._desks.of(event).tell(EventTaken(event))
            except (MailboxFull, ActorDead):
                return False
            self._book.receipts.told(account, notice)
            _log(notice, at)
        return True


def _log(notice: Notice, at: float) -> None:
    who = {"client": notice.client, "connection": notice.connection, "kind": notice.kind.value}
    if notice.word is Word.OVERDUE:
        events.receipt_overdue(**who, count=notice.count, since=at - notice.oldest.since)
    elif notice.cause is not None:
        events.receipt_settled(**who, cause=notice.cause.value)


def _row(account: Account) -> dict[str, JsonValue]:
    return {
        "client": account.client or None,
        "connection": account.connection,
        "sent": None if account.sent is None else str(account.sent),
        "received": None if account.received is None else str(account.received),
        "lag": account.lag,
        "overdue": [kind.value for kind in account.told],
    }
