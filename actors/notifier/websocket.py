"""The channel WebSocket: an event for connected clients, and the receipt that one of them gives.

Rules of this file: the event goes the way of every critical event, so it is on disk before a client has it, and a
client that comes back finds it. It is sent when a client that is meant says that it has it (``ack``, ``shown``; see
``actors.connections.receipts``). That nobody is there, or nobody was handed it, is known at once, and said.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import trio

from actors.connections.receipts import Book
from actors.messages import EventTaken
from actors.notifier.couriers import Office
from actors.notifier.words import Deliver
from actors.places import CALLS_DESK
from actors.ranks import Ranks
from actors.routing import Desks
from actors.runtime import ActorDead, MailboxFull, TrioActor
from config import WebSocketSettings
from domain import BUILT_IN, Event, rfc3339
from domain.plant.escalation import Notification
from domain.receipts import Kind

HAND_OVER = 0.8
"""Seconds within which a critical event is in the hands of a client that follows its channel."""

TYPE = "escalation.notified"


class WebSocketChannel(TrioActor):
    """Tells the clients in ``book``, by the settings that ``present`` returns."""

    has_tasks = True

    def __init__(
        self,
        present: Callable[[], WebSocketSettings],
        book: Book,
        answers: str = CALLS_DESK,
        clock: Callable[[], float] = time.time,
        ranks: Ranks | None = None,
    ) -> None:
        super().__init__()
        self._present = present
        self._book = book
        self._office = Office(self.life.environment, answers)
        self._desks = Desks.at_their_places(self.life.environment)
        self._clock = clock
        self._ranks = ranks or Ranks("notifier")

    def on_receive(self, message: object) -> None:
        """Tell the clients of a notification."""
        if not isinstance(message, Deliver):
            return
        notification = message.notification
        if not self._are_there(notification):
            wanted = " or ".join(notification.addresses) or "no client"
            self._office.failed(
                notification, f"{wanted} is not connected" if notification.addresses else "no client is connected"
            )
            return
        event = event_of(notification, self._clock())
        settled = trio.Event()
        self._book.awaited.wait_for(
            event.id, Kind(self._present().receipt), notification.addresses, partial(self._found, notification, settled)
        )
        try:
            self._desks.of(event).tell(EventTaken(self._ranks.rank(event)))
        except (ActorDead, MailboxFull) as error:
            self._book.awaited.forget(event.id)
            self._office.failed(notification, f"the gateway cannot tell it: {error}")
            return
        self.start_task(self._wait, notification, event.id, settled)

    def _are_there(self, notification: Notification) -> bool:
        book = self._book
        if not notification.addresses:
            return bool(book.links)
        accounts = (book.receipts.account(link) for link in book.links)
        return any(account is not None and account.client in notification.addresses for account in accounts)

    def _found(self, notification: Notification, settled: trio.Event, client: str) -> None:
        settled.set()
        self._office.sent(notification, f"{self._present().receipt} by {client or 'a client without a name'}")

    async def _wait(self, notification: Notification, id_: str, settled: trio.Event) -> None:
        awaited, timeout = self._book.awaited, self._present().timeout
        try:
            with trio.move_on_after(HAND_OVER):
                await settled.wait()
            if settled.is_set():
                return
            self._read()
            if not awaited.was_handed(id_):
                self._office.failed(notification, "no client follows the channel of its escalations")
                return
            with trio.move_on_after(max(0.0, timeout - HAND_OVER)):
                await settled.wait()
            if not settled.is_set():
                self._office.failed(notification, f"no client gave a receipt within {timeout:g} s")
        finally:
            awaited.forget(id_)

    def _read(self) -> None:
        at = trio.current_time()
        for link in list(self._book.links.values()):
            self._book.read(link, at)


def event_of(notification: Notification, at: float) -> Event:
    """The event that tells clients of ``notification`` at ``at`` (Unix seconds)."""
    data, source = notification.members(), f"/{notification.path}"
    # What is sent again must not be taken for what was there already.
    again = f"-{notification.attempt}" if notification.repeated else ""
    return Event(
        id=f"{notification.id}{again}",
        source=source,
        type=TYPE,
        data=data,
        recorded=at,
        priority=BUILT_IN.priority_of(TYPE, data, source),
        subject=notification.call,
        time=rfc3339(notification.at),
    )
