"""The listener: the one port as an actor of the tree.

Rules of this file: the sockets that listen belong to the process, so that no client is refused while the listener
begins anew; each life serves copies of them, by the settings that are in force when it begins. The server behind it
decides nothing about actors.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import msgspec
import trio

from actors.audit.words import AuditTrail
from actors.connections.connection import ConnectionGate, Neighbours
from actors.connections.lobby import Lobby
from actors.connections.memory import RememberingGate
from actors.connections.parting import Parting, offered_position
from actors.connections.prompter import Prompter
from actors.connections.unrecovered import Unrecovered
from actors.connections.warden import Warden, review
from actors.places import CHANNELS, CONNECTIONS, RECEIPTS, RECORDER, Address
from actors.runtime import TrioActor
from config import ServerSettings
from domain import JsonValue, Memory, Priority
from domain.access import Identity, Rights
from domain.audit import Outcome
from telemetry import events, gauges
from transport import Door, Request, Response, Routes, Server, UnsentLimit, check_unsent_limit, is_tcp

_BOUND_BROKEN = "a critical event waits behind all that the kernel takes for a socket: its bound does not hold"


class Drain(msgspec.Struct, frozen=True):
    """Take nobody more and let the clients leave, within ``timeout`` seconds; answered with how many were cut."""

    timeout: float
    priority: ClassVar[Priority] = Priority.HIGH


class Apply(msgspec.Struct, frozen=True):
    """Put in force what can change while the port is open, the certificate included."""

    settings: ServerSettings
    priority: ClassVar[Priority] = Priority.HIGH


class Review(msgspec.Struct, frozen=True):
    """Rights may have changed: look at all links again, as the warden does; answered with how many were closed.

    ``rights_of`` tells what an identity may by now, None if it may nothing any more.
    """

    rights_of: Callable[[Identity], Rights | None]
    priority: ClassVar[Priority] = Priority.HIGH


class Front(msgspec.Struct):
    """Who serves the port at the moment, for those who want its figures; ``server`` is None between two lives.

    ``unsent`` is what was found out about the kernel, once for all lives; None where nobody listens on TCP.
    ``memory`` is what clients follow that do not ask again.
    """

    server: Server | None = None
    unsent: UnsentLimit | None = None
    memory: Memory = msgspec.field(default_factory=Memory)

    def open_links(self) -> int:
        """How many WebSockets are open."""
        return 0 if self.server is None else sum(self.server.statistics().links.values())


class Listener(TrioActor):
    """Serves ``routes`` and ``doors`` on ``sockets`` by what ``present`` returns; tells ``front`` who it is."""

    has_tasks = True

    def __init__(
        self,
        present: Callable[[], ServerSettings],
        sockets: Sequence[socket.socket],
        routes: Routes,
        doors: Callable[[Request], Door | Response],
        front: Front,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        environment = self.life.environment
        self._channels = Address(environment, CHANNELS)
        self._recorder = Address(environment, RECORDER)
        self._lobby = Lobby(present().connect_timeout)
        self._unrecovered = Unrecovered(self._recorder)
        self._prompter = Prompter(clock)
        self._warden = Warden(clock)
        neighbours = Neighbours(
            self._channels,
            self._recorder,
            Address(environment, RECEIPTS),
            self._lobby,
            self._unrecovered,
            self._prompter,
            self._warden,
        )
        gate = ConnectionGate(doors, Address(environment, CONNECTIONS), neighbours, clock)
        self._present = present
        self._front = front
        self._sockets = sockets
        remembering = RememberingGate(gate, front.memory, clock)
        self._server = Server(present(), routes, remembering, sockets=[each.dup() for each in sockets])
        self._trail = AuditTrail(environment, clock)
        self._server.hear_renewals(self._renewed)

    async def setup(self) -> None:
        """Begin to serve."""
        if self._front.unsent is None and any(map(is_tcp, self._sockets)):
            self._front.unsent = _check_kernel(self._present().notsent_lowat)
        gauges.feed("connections", self._by_door)
        gauges.feed("outbox_depth", lambda: _by_priority(self._server.backlog().depth))
        gauges.feed("outbox_age", lambda: _by_priority(self._server.backlog().age))
        gauges.feed("certificate_end", lambda: self._server.certificate_end)
        self._front.server = self._server
        self._server.open()
        self.start_task(self._server.run)
        self.start_task(self._lobby.watch)
        self.start_task(self._prompter.watch)
        self.start_task(self._warden.watch)
        self.start_task(self._unrecovered.watch)

    async def close(self) -> None:
        """Serve nobody any more."""
        for name in ("connections", "outbox_depth", "outbox_age", "certificate_end"):
            gauges.forget(name)
        self._front.server = None

    async def on_receive(self, message: object) -> object:
        """Drain, put other settings in force, or look at everybody's rights again."""
        match message:
            case Drain(timeout=timeout):
                return await self._drain(timeout)
            case Apply(settings=settings):
                self._server.apply(settings)
            case Review(rights_of=rights_of):
                return review(self._server.links, rights_of)
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """Where the listener listens and what it is doing."""
        now = self._server.statistics()
        return {
            "listen": list(now.addresses),
            "connections": now.connections,
            "accepted": now.accepted,
            "handshakes": now.handshakes,
            "handshakes_waiting": now.handshakes_waiting,
            "draining": now.draining,
            "unsent_limit": _unsent_limit(self._front.unsent),
        }

    async def _drain(self, timeout: float) -> int:  # noqa: ASYNC109 - it cuts, not raises
        """Let what is critical out, tell each client what its dialect has words for, and part."""
        deadline = trio.current_time() + timeout
        server = self._server
        server.shut()
        # They may be told where to resume from a log that has gone on since they asked it.
        unsure = frozenset(link for link in server.links if link.busy)
        position = None
        if any(link.farewell is not None for link in server.links):
            position = await offered_position(self._recorder, self._channels)
        remaining = max(0.0, deadline - trio.current_time())
        parting = Parting(server.links, self._present().restart_time, remaining, position, unsure)
        return await server.drain(remaining, parting.part)

    def _renewed(self, path: str, fingerprint: str, fault: str) -> None:
        outcome = Outcome.FAILED if fault else Outcome.DONE
        after: JsonValue = {"sha256": fingerprint} if fingerprint else None
        self._trail.gateway("certificate.renew", f"{path}: {fault}" if fault else path, outcome, after=after)

    def _by_door(self) -> Mapping[str, float]:
        return dict(self._server.statistics().links)


def _check_kernel(size: int) -> UnsentLimit:
    found = check_unsent_limit(size)
    if found.fault:
        events.socket_misconfigured(option="TCP_NOTSENT_LOWAT", detail=found.fault, meaning=_BOUND_BROKEN)
    return found


def _unsent_limit(found: UnsentLimit | None) -> JsonValue:
    return None if found is None else {"size": found.size, "holds": not found.fault, "fault": found.fault or None}


def _by_priority(figures: Sequence[float]) -> Mapping[str, float]:
    return {priority.wire: figure for priority, figure in zip(Priority, figures, strict=True)}
