"""The listener: the one port as an actor of the tree.

Rules of this file: the sockets that listen belong to the process, so that no client is refused while the listener
begins anew; each life serves copies of them, by the settings that are in force when it begins. The server behind it
decides nothing about actors.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from actors.connection import ConnectionGate
from actors.places import CHANNELS, CONNECTIONS, Address
from actors.runtime import TrioActor
from config import ServerSettings
from domain import JsonValue, Priority
from telemetry import gauges
from transport import Door, Request, Response, Routes, Server

# A client of the native protocol knows what a planned restart is; the others know RFC 6455's registry.
PLANNED_RESTART = {"stream": 4201}
SERVICE_RESTART = 1012


@dataclass(frozen=True, slots=True)
class Drain:
    """Take nobody more and let the clients leave, within ``timeout`` seconds; answered with how many were cut."""

    timeout: float
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class Apply:
    """Put in force what can change while the port is open, the certificate included."""

    settings: ServerSettings
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(slots=True)
class Front:
    """Who serves the port at the moment, for those who want its figures; None between two lives."""

    server: Server | None = None

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
        gate = ConnectionGate(doors, Address(environment, CONNECTIONS), Address(environment, CHANNELS), clock)
        self._front = front
        self._server = Server(present(), routes, gate, sockets=[each.dup() for each in sockets])

    async def setup(self) -> None:
        """Begin to serve."""
        gauges.feed("connections", self._by_door)
        self._front.server = self._server
        self._server.open()
        self.start_task(self._server.run)

    async def close(self) -> None:
        """Serve nobody any more."""
        gauges.forget("connections")
        self._front.server = None

    async def on_receive(self, message: object) -> object:
        """Drain, or put other settings in force."""
        match message:
            case Drain(timeout=timeout):
                return await self._drain(timeout)
            case Apply(settings=settings):
                self._server.apply(settings)
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
        }

    async def _drain(self, timeout: float) -> int:  # noqa: ASYNC109 - it cuts, not raises
        for link in self._server.links:
            code = PLANNED_RESTART.get(link.door.name)
            if code is not None:
                link.close(code, "restart", patience=timeout)
        return await self._server.drain(timeout, SERVICE_RESTART, "restart")

    def _by_door(self) -> Mapping[str, float]:
        return dict(self._server.statistics().links)
