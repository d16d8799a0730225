"""The one port: listens, lets connections in, keeps them alive, and drains.

Rules of this file: it holds the pieces together and decides nothing itself. Everything runs on the trio thread, in
the nursery of ``run()``; when that is cancelled every connection ends at once.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec
import trio

from config import ServerSettings
from domain import Priority
from telemetry import events
from transport.addresses import ClientAddress
from transport.admission import AdmissionStatistics, Entry
from transport.codes import UsageError
from transport.conversation import Conversation
from transport.gate import Gate, Link
from transport.heartbeat import Heartbeat
from transport.listeners import accept_connections, address_of, close_listener, configure_listeners, open_listeners
from transport.reception import App, Part, Reception, Renewed
from transport.renewal import Renewal

_PART_AT_ONCE = 256


class Backlog(msgspec.Struct, frozen=True):
    """What waits in all outboxes: frames by priority, and the age of the oldest in seconds.

    ``credit`` is the most that is in flight to one client below CRITICAL, in bytes: a critical frame waits for no more
    than that, and one frame.
    """

    depth: tuple[int, ...]
    age: tuple[float, ...]
    credit: int


class ServerStatistics(msgspec.Struct, frozen=True):
    """A server at one moment.

    ``links`` are the open WebSockets by door; ``accepted``, ``opened`` and ``refused`` (by reason) count up from 0.
    """

    addresses: tuple[str, ...]
    connections: int
    links: dict[str, int]
    accepted: int
    opened: int
    refused: dict[str, int]
    handshakes: int
    handshakes_waiting: int
    admission: AdmissionStatistics
    draining: bool
    listening: bool


class Server:
    """HTTP and WebSocket on the same listeners.

    ``app`` answers requests (``Routes`` is one), ``gate`` minds WebSockets. ``sockets`` are listening already, given by
    the service manager; without them ``settings.listen`` is opened.

    Raises:
        OSError: if the certificate or its key cannot be used.
    """

    def __init__(
        self, settings: ServerSettings, app: App, gate: Gate, *, sockets: Sequence[socket.socket] = ()
    ) -> None:
        self._settings = settings
        self._reception = Reception(settings, app, gate)
        reception = self._reception
        self._heartbeat = Heartbeat(reception.links, settings.ping_interval, settings.dead_after, reception.audit)
        self._inherited = tuple(sockets)
        self._listeners: list[socket.socket] = []
        self._addresses: tuple[str, ...] = ()
        self._connections: trio.Nursery | None = None
        self._stop: Callable[[], None] = _nothing

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the server listens, or listened; a port given as 0 is the one that was found."""
        return self._addresses

    @property
    def links(self) -> Iterator[Link]:
        """The links that are open now."""
        return iter(tuple(self._reception.links))

    def open(self) -> tuple[str, ...]:
        """Begin to listen; clients queue until ``run()``. Returns the addresses.

        Raises:
            OSError: if an address cannot be listened on.
        """
        if self._listeners:
            return self._addresses
        size = self._settings.notsent_lowat
        if self._inherited:
            self._listeners = configure_listeners(self._inherited, size)
        else:
            self._listeners = open_listeners(self._settings.listen, size)
        self._addresses = tuple(map(address_of, self._listeners))
        return self._addresses

    async def run(self, *, task_status: trio.TaskStatus[tuple[str, ...]] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until drained or cancelled; started with the addresses.

        Raises:
            OSError: if an address cannot be listened on.
            UsageError: if it runs already, or ran.
        """
        if self._connections is not None:
            raise UsageError("a server runs once")
        addresses = self.open()
        try:
            async with trio.open_nursery() as connections:
                self._connections = connections
                self._stop = connections.cancel_scope.cancel
                connections.start_soon(self._heartbeat.run)
                connections.start_soon(self._reception.arrivals.run)
                connections.start_soon(Renewal(self._reception).watch)
                for listener in self._listeners:
                    events.listener_opened(address=address_of(listener), tls=self._reception.tls is not None)
                    connections.start_soon(
                        accept_connections, listener, partial(self._admit, connections), self._reception.handshakes
                    )
                task_status.started(addresses)
        finally:
            self._close_listeners()

    def apply(self, settings: ServerSettings) -> None:
        """Put in force what can change while the server runs, the certificate included.

        Raises:
            OSError: if the certificate or its key cannot be used; nothing has changed then.
            ValueError: if a trusted proxy is no address; nothing has changed then.
        """
        self._reception.apply(settings)

    def hear_renewals(self, renewed: Renewed) -> None:
        """Tell ``renewed`` of each certificate of our own that comes in place of the one before."""
        self._reception.renewed = renewed

    def shut(self) -> None:
        """Take nobody more; a request that is being answered is answered to its end."""
        self._close_listeners()
        self._reception.drain()

    async def drain(self, timeout: float, part: Part) -> int:  # noqa: ASYNC109 - it cuts, not raises
        """Take nobody more, ``part`` with every link, and stop; returns how many connections had to be cut.

        A link that opens in spite of that is parted with as well. All within ``timeout`` seconds.
        """
        self.shut()
        reception = self._reception
        reception.part = part
        before = reception.cut
        with trio.move_on_after(timeout):
            for index, link in enumerate(self.links):
                part(link)
                if index % _PART_AT_ONCE == _PART_AT_ONCE - 1:
                    await trio.lowlevel.checkpoint()
            await reception.emptied.wait()
        left = reception.present + reception.cut - before
        self._stop()
        return left

    @property
    def certificate_end(self) -> float | None:
        """Until when the certificate is good that is shown, in Unix seconds; None where none is."""
        return self._reception.ends_at

    def statistics(self) -> ServerStatistics:
        """What the server is doing now."""
        reception = self._reception
        turns = reception.handshakes.statistics()
        return ServerStatistics(
            addresses=self._addresses,
            connections=reception.present,
            links=reception.links.by_door(),
            accepted=reception.accepted,
            opened=reception.links.opened,
            refused=dict(reception.refused),
            handshakes=turns.borrowed_tokens,
            handshakes_waiting=turns.tasks_waiting,
            admission=reception.admission.statistics(),
            draining=reception.draining,
            listening=bool(self._listeners),
        )

    def backlog(self) -> Backlog:
        """What waits for the clients now."""
        depth, age = [0] * len(Priority), [0.0] * len(Priority)
        for link in self._reception.links:
            if link.stream.is_waiting:
                now = link.stream.statistics()
                depth = [sum(pair) for pair in zip(depth, now.depth, strict=True)]
                age = [max(pair) for pair in zip(age, now.age, strict=True)]
        return Backlog(tuple(depth), tuple(age), self._reception.limits.credit)

    def _admit(self, connections: trio.Nursery, sock: socket.socket, peer: ClientAddress) -> None:
        entry, refusal = self._reception.enter(peer)
        if entry is Entry.TURNED_AWAY:
            if refusal is not None:
                self._reception.turn_away(sock, refusal)
            return
        conversation = Conversation(self._reception, sock, peer, entry, refusal)
        # A name that is made for each task costs more than the rest of the task's start.
        connections.start_soon(conversation.run, name="connection")

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            events.listener_closed(address=address_of(listener))
            close_listener(listener)
        self._listeners.clear()


def _nothing() -> None:
    """What stops a server that does not run."""
