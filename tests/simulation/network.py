"""The network between the gateway and its clients: sockets with bounded buffers, lines that take their time.

Rules of this file: the gateway's end behaves as a non-blocking socket does. ``send()`` takes what there is room for;
what it took goes to the client at the line's rate. Nothing is delivered from within a call of the gateway: whatever
comes, comes by the agenda, or ``watch`` would be told of bytes while it still wrote.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol
from unittest.mock import patch

import trio

from tests.simulation.agenda import Agenda
from transport.addresses import ClientAddress

PIECE = 2048
"""Bytes that come over a slow line at a time."""


@dataclass(frozen=True)
class Line:
    """How a client is connected: ``rate`` in bytes a second (None: as fast as one likes), ``capacity`` of buffers."""

    latency: float = 0.004
    rate: float | None = None
    capacity: int = 64 * 1024


class Far(Protocol):
    """The program at the other end."""

    def came(self, data: bytes) -> None:
        """``data`` came from the gateway."""

    def ended(self) -> None:
        """Nothing more will come."""


class Socket:
    """The gateway's end of one connection, and the client's handles on it."""

    family = socket.AF_UNIX

    def __init__(self, agenda: Agenda, line: Line, far: Far) -> None:
        self._agenda = agenda
        self._line = line
        self._far: Far | None = far
        self._outgoing = bytearray()
        self._incoming = bytearray()
        self._is_under_way = False
        self._is_frozen = False
        self._is_reset = False
        self._is_finished = False
        self._has_said_all = False
        self._is_gone = False
        self.is_closed = False
        self._arrived: Callable[[bool], None] | None = None
        self._changed = trio.Event()

    # -- what the gateway calls -------------------------------------------------------------------------------

    def fileno(self) -> int:
        return -1

    def send(self, data: bytes) -> int:
        self._check()
        room = self._line.capacity - len(self._outgoing)
        if room <= 0:
            raise BlockingIOError
        taken = min(room, len(data))
        self._outgoing += memoryview(data)[:taken]
        self._go_on()
        return taken

    def recv(self, size: int) -> bytes:
        if self.is_closed or (self._is_reset and not self._incoming):
            self._check()
        if self._incoming:
            data = bytes(self._incoming[:size])
            del self._incoming[:size]
            return data
        if self._has_said_all:
            return b""
        raise BlockingIOError

    def shutdown(self, _how: int) -> None:
        self._check()
        self._is_finished = True
        self._go_on()

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = self._is_finished = True
            self._wake()
            self._go_on()

    def _check(self) -> None:
        if self.is_closed:
            raise OSError(errno.EBADF, "closed")
        if self._is_reset:
            raise ConnectionResetError(errno.ECONNRESET, "reset")

    # -- what the loop does for it ----------------------------------------------------------------------------

    async def until_readable(self) -> None:
        await self._until(lambda: bool(self._incoming or self._has_said_all or self._is_reset))

    async def until_writable(self) -> None:
        # As TCP_NOTSENT_LOWAT has it: not at the first byte that leaves.
        await self._until(lambda: self._is_reset or len(self._outgoing) <= self._line.capacity // 2)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        await trio.lowlevel.checkpoint()
        while not (is_so() or self.is_closed):
            await self._changed.wait()
        if self.is_closed:
            raise trio.ClosedResourceError

    def watch(self, arrived: Callable[[bool], None] | None) -> None:
        """Have ``arrived`` called whenever something comes, and once for what is there already."""
        self._arrived = arrived
        if arrived is not None and (self._incoming or self._has_said_all or self._is_reset):
            self._agenda.later(0.0, self._tell)

    def _tell(self) -> None:
        if self._arrived is not None:
            self._arrived(self._has_said_all or self._is_reset)

    def _wake(self) -> None:
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    # -- what the client does ---------------------------------------------------------------------------------

    def say(self, data: bytes) -> None:
        """Send ``data`` to the gateway."""
        if not self._is_gone and not self._is_frozen:
            self._agenda.later(self._line.latency, lambda: self._arrive(data))

    def finish(self) -> None:
        """Send no more."""
        if not self._is_gone:
            self._agenda.later(self._line.latency, self._say_all)

    def reset(self) -> None:
        """Break the connection: the gateway's next look finds out."""
        self.vanish()
        self._agenda.later(self._line.latency, self._reset)

    def vanish(self) -> None:
        """Be gone without a word: what the gateway sends goes nowhere, and nothing comes."""
        self._is_gone = True
        self._far = None

    def freeze(self, *, is_frozen: bool) -> None:
        """Take nothing and say nothing, or go on."""
        self._is_frozen = is_frozen
        self._go_on()

    def _arrive(self, data: bytes) -> None:
        if not self.is_closed and not self._is_reset:
            self._incoming += data
            self._wake()
            self._tell()

    def _say_all(self) -> None:
        self._has_said_all = True
        self._wake()
        self._tell()

    def _reset(self) -> None:
        if not self.is_closed:
            self._is_reset = True
            self._wake()
            self._tell()

    # -- what is on its way to the client ---------------------------------------------------------------------

    def _go_on(self) -> None:
        if self._is_under_way or self._is_frozen or self._is_gone or not (self._outgoing or self._is_finished):
            return
        rate, size = self._line.rate, len(self._outgoing)
        if rate is not None:
            size = min(size, PIECE)
        self._is_under_way = True
        delay = self._line.latency + (size / rate if rate is not None else 0.0)
        self._agenda.later(delay, lambda: self._deliver(size if rate is not None else None))

    def _deliver(self, size: int | None) -> None:
        self._is_under_way = False
        far = self._far
        if self._is_frozen or far is None:
            return
        data = bytes(self._outgoing[:size])
        del self._outgoing[: len(data)]
        if data:
            far.came(data)
            if len(self._outgoing) <= self._line.capacity // 2:
                self._wake()
        if self._outgoing or not self._is_finished:
            self._go_on()
        elif self._far is not None:
            self._far, self._is_gone = None, True
            far.ended()


class Listening:
    """A listening socket of the process; the listener serves copies of it."""

    family = socket.AF_UNIX

    def __init__(self) -> None:
        self.closed = trio.Event()

    def dup(self) -> Listening:
        return Listening()

    def setblocking(self, _flag: bool) -> None:  # noqa: FBT001 - as a socket has it
        pass

    def getsockname(self) -> str:
        return "simulated"

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.closed.set()


class Arrivals:
    """Stands for the watch over all sockets: each tells by itself."""

    def watch(self, sock: Socket, arrived: Callable[[bool], None]) -> None:
        sock.watch(arrived)

    def forget(self, sock: Socket) -> None:
        sock.watch(None)

    async def run(self) -> None:
        await trio.sleep_forever()


Admit = Callable[[Socket, ClientAddress], None]


class Network:
    """All connections to one gateway; ``is_up`` while its process has the port."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._admit: Admit | None = None
        self._queue: list[tuple[Socket, ClientAddress]] = []
        self._sockets: dict[Socket, None] = {}
        self.is_up = False
        self.connected = 0

    def connect(self, line: Line, far: Far, address: ClientAddress) -> Socket | None:
        """Connect; None if nobody listens."""
        if not self.is_up:
            return None
        sock = Socket(self._agenda, line, far)
        self.connected += 1
        for old in [old for old in self._sockets if old.is_closed]:
            del self._sockets[old]
        self._sockets[sock] = None
        self._agenda.later(line.latency, lambda: self._arrive(sock, address))
        return sock

    def _arrive(self, sock: Socket, address: ClientAddress) -> None:
        if self._admit is not None:
            self._admit(sock, address)
        else:
            self._queue.append((sock, address))

    async def accept(self, listener: Listening, admit: Admit, _turns: object) -> None:
        """Stands for the loop that accepts."""
        self._admit = admit
        for sock, address in self._queue:
            admit(sock, address)
        self._queue.clear()
        try:
            await listener.closed.wait()
        finally:
            if self._admit is admit:
                self._admit = None

    def cut(self) -> None:
        """The process is gone from one moment to the next: so are its ends of all connections."""
        self.is_up = False
        self._admit = None
        for sock in [*self._sockets, *(sock for sock, _ in self._queue)]:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
            sock._reset()
        self._sockets.clear()
        self._queue.clear()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have the gateway's transport use this network."""

        async def until_readable(sock: Socket) -> None:
            await sock.until_readable()

        async def until_writable(sock: Socket) -> None:
            await sock.until_writable()

        with (
            patch("transport.stream.wait_readable", until_readable),
            patch("transport.writer.wait_writable", until_writable),
            patch("transport.reception.Arrivals", Arrivals),
            patch("transport.server.accept_connections", self.accept),
        ):
            yield
