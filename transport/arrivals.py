"""Which sockets have something to read: one look at all of them.

Rules of this file: ten thousand clients that answer a Ping are ten thousand Pongs. To ask the loop for each socket and
to wake its task costs four times what a Pong is worth, so the sockets of open links are watched together, edge by edge
(epoll(7), EPOLLET): whoever is told looks at once, and is told again only when something new comes.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

import trio

from telemetry import events

# Handled before other tasks have their turn.
LOT = 256
_WATCHED = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
_ENDING = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR

Arrived = Callable[[bool], None]
"""Called when something came; True when nothing will come behind it."""


class Arrivals:
    """Watches sockets until they are forgotten; ``run()`` does it."""

    __slots__ = ("_epoll", "_watched")

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Arrived] = {}

    def watch(self, sock: socket.socket, arrived: Arrived) -> None:
        """Call ``arrived`` whenever something new comes in on ``sock``, and once for what is there already."""
        number = sock.fileno()
        self._watched[number] = arrived
        self._epoll.register(number, _WATCHED)

    def forget(self, sock: socket.socket) -> None:
        """Watch ``sock`` no more; call this before it is closed."""
        number = sock.fileno()
        if self._watched.pop(number, None) is not None and not self._epoll.closed:
            self._epoll.unregister(number)

    async def run(self) -> None:
        """Watch until cancelled."""
        with self._epoll:
            while True:
                await trio.lowlevel.wait_readable(self._epoll.fileno())
                self._look()

    def _look(self) -> None:
        for number, flags in self._epoll.poll(0, LOT):
            arrived = self._watched.get(number)
            if arrived is None:
                continue
            try:
                arrived(bool(flags & _ENDING))
            except Exception as error:  # noqa: BLE001 - one client's failure is not the others'
                events.connection_failed(client="", error=error)
