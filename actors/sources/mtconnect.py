"""A machine that speaks through an MTConnect adapter: SHDR lines over TCP.

Rules of this file: it keeps one connection, and hands what comes over it to the ``Machine``, which decides what it
means; ``Liveness`` decides when to ping and to drop a link. Here is only what those cannot do.

* A connection that ends is made anew, after a random time of at most 0.5 s that doubles up to 20 s while no line
  comes.
* When a desk is behind or away, the socket is not read: the machine's adapter holds the lines, nothing is thrown away.
* What the link lost in the middle of a line is no line.
"""

from __future__ import annotations

import os
import random
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import trio

from actors.messages import EventTaken
from actors.ranks import Ranks
from actors.routing import Desks
from actors.runtime import ActorDead, MailboxFull, TrioActor
from actors.sources.backoff import Backoff
from actors.sources.source import Freshness
from config import MtconnectSource as MtconnectSettings
from domain import Event, JsonValue, rfc3339
from domain.plant.mtconnect import (
    CLOCK_JUMPED,
    CLOCK_SETTLED,
    Act,
    Command,
    Grammar,
    Line,
    Liveness,
    Machine,
    Reader,
    roles_of,
)
from telemetry import counters, events
from transport import outgoing_context

READ_SIZE = 16_384
LINES_A_TURN = 32
PROBES = 3
TICK = 0.2
DESK_PATIENCE = 0.02
PING = b"* PING\r\n"
SEND_TIMEOUT = 5.0

Connect = Callable[[str, int], Awaitable[trio.abc.Stream]]


class MtconnectSource(TrioActor):
    """Reads one adapter; ``name`` is the table of its settings."""

    has_tasks = True

    def __init__(
        self,
        name: str,
        settings: MtconnectSettings,
        clock: Callable[[], float] = time.time,
        chance: random.Random | None = None,
        connect: Connect | None = None,
        freshness: Freshness | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        super().__init__()
        self._name = name
        self._settings = settings
        self._desks = Desks.at_their_places(self.life.environment)
        self._clock = clock
        self._connect = connect or (partial(_connect_securely, settings) if settings.tls else _connect)
        self._backoff = Backoff(chance or random.Random())
        self._machine = Machine(settings.equipment, name, settings.clock_step)
        self._reader = Reader(Grammar(roles_of(settings.keys)))
        self._freshness = freshness or Freshness.of(name, settings)
        self._ranks = ranks or Ranks(name)
        self._stream: trio.abc.Stream | None = None
        self._connected_at: float | None = None
        self._reason: str | None = None
        self._last_fault: str | None = None
        self._liveness = Liveness(settings.heartbeat)
        self._wanted = trio.Event()

    async def setup(self) -> None:
        """Begin to read."""
        self.start_task(self._keep_connected)
        self.start_task(self._watch)

    def describe(self) -> Mapping[str, JsonValue]:
        """How the link is, what came over it, and what is known of the machine and its clock."""
        at = self._clock()
        return {
            **self._freshness.describe(at, "lost" if self._stream is None else None),
            "address": self._settings.address,
            "connected": self._stream is not None,
            "connectedSince": None if self._connected_at is None else rfc3339(self._connected_at),
            "reason": self._reason,
            "heartbeat": self._liveness.interval,
            "lines": self._reader.lines,
            "faults": self._reader.faults,
            "lastFault": self._last_fault,
            "cutLines": self._reader.cut,
            "replacedCharacters": self._reader.replaced,
            "machine": self._machine.describe(),
        }

    async def _keep_connected(self) -> None:
        host, port = _split(self._settings.address)
        while True:
            self._reason = await self._connect_and_read(host, port)
            delay = self._backoff.next()
            events.source_lost(source=self._name, kind="mtconnect", reason=self._reason, delay=delay)
            await trio.sleep(delay)

    async def _connect_and_read(self, host: str, port: int) -> str:
        """Make a connection and read it to its end; why it ended."""
        try:
            with trio.fail_after(self._settings.connect_timeout):
                stream = await self._connect(host, port)
        except trio.TooSlowError:
            return f"no connection within {self._settings.connect_timeout:g} s"
        except (OSError, trio.BrokenResourceError) as error:
            return _why(error)
        async with stream:
            await self._opened(stream)
            try:
                reason = await self._read(stream)
            except trio.BrokenResourceError as error:
                reason = _why(error)
            except trio.ClosedResourceError:
                reason = "no heartbeat"
            finally:
                self._stream = None
        await self._closed(reason)
        return reason

    async def _opened(self, stream: trio.abc.Stream) -> None:
        at = self._clock()
        carrier = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
        if isinstance(carrier, trio.SocketStream):
            _keep_alive(carrier, self._settings.heartbeat)
        self._stream, self._connected_at, self._reason = stream, at, None
        self._liveness.connected(trio.current_time())
        self._machine.connected(at)
        self._wanted.set()
        events.source_connected(source=self._name, kind="mtconnect", address=self._settings.address)
        await self._tell([self._machine.notices.link("connected", {"address": self._settings.address}, at)])

    async def _closed(self, reason: str) -> None:
        self._reader.reset()
        self._liveness.lost()
        self._connected_at = None
        members: dict[str, JsonValue] = {"reason": reason, "required": self._settings.required}
        await self._tell([self._machine.notices.link("lost", members, self._clock())])

    async def _read(self, stream: trio.abc.Stream) -> str:
        while received := await stream.receive_some(READ_SIZE):
            self._liveness.touched(trio.current_time())
            taken, repeated = self._machine.taken, self._machine.repeated
            for count, line in enumerate(self._reader.feed(bytes(received)), 1):
                await self._take(line)
                # A machine that was away sends hours in one go, and others have a turn meanwhile.
                if not count % LINES_A_TURN:
                    await trio.lowlevel.checkpoint()
            counters.readings.add(self._name, self._machine.taken - taken)
            counters.readings_duplicated.add(self._name, self._machine.repeated - repeated)
        return "closed by the adapter"

    async def _take(self, line: Line) -> None:
        at = self._clock()
        self._backoff.reset()
        self._freshness.note(at)
        if line.command is not None:
            self._obey(line.command)
        if line.fault is not None:
            self._last_fault = f"field {line.fault.field}: {line.fault.reason}"
            events.reading_rejected(source=self._name, key="", reason=self._last_fault, text=line.fault.excerpt)
        await self._tell(self._machine.take_line(line.observations, at))
        if self._machine.is_waiting:
            self._wanted.set()

    def _obey(self, command: Command) -> None:
        if command.name.upper() == "PONG":
            self._liveness.ponged(command.value, trio.current_time())
            self._wanted.set()

    async def _watch(self) -> None:
        """Do what is due because time passes."""
        while True:
            for act in self._liveness.acts(trio.current_time()):
                await self._do(act)
            await self._tell(self._machine.tick(self._clock()))
            self._wanted = trio.Event()
            due = self._liveness.due()
            if self._machine.is_waiting:
                soon = trio.current_time() + TICK
                due = soon if due is None else min(due, soon)
            with trio.CancelScope() as scope:
                if due is not None:
                    scope.deadline = due
                await self._wanted.wait()

    async def _do(self, act: Act) -> None:
        stream = self._stream
        if stream is None:
            return
        if act is Act.DROP:
            await trio.aclose_forcefully(stream)
        else:
            with trio.move_on_after(SEND_TIMEOUT):
                try:
                    await stream.send_all(PING)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    # The one who reads learns it too, and says why.
                    return

    async def _tell(self, told: list[Event]) -> None:
        for event in told:
            _log_clock(self._name, event)
            ranked = self._ranks.admit(self._ranks.rank(event))
            # A mailbox does not say when it has room again, nor a place when somebody lives there.
            while not self._is_taken(ranked):  # noqa: ASYNC110
                await trio.sleep(DESK_PATIENCE)

    def _is_taken(self, event: Event) -> bool:
        try:
            self._desks.of(event).tell(EventTaken(event))
        except (MailboxFull, ActorDead):
            return False
        return True


async def _connect(host: str, port: int) -> trio.abc.Stream:
    return await trio.open_tcp_stream(host, port)


async def _connect_securely(settings: MtconnectSettings, host: str, port: int) -> trio.abc.Stream:
    plain = await trio.open_tcp_stream(host, port)
    stream = trio.SSLStream(plain, outgoing_context(settings), server_hostname=host, https_compatible=True)
    try:
        await stream.do_handshake()
    except BaseException:
        # A goodbye would wait for somebody who may never have spoken TLS.
        await trio.aclose_forcefully(plain)
        raise
    return stream


def _keep_alive(stream: trio.SocketStream, heartbeat: float) -> None:
    """Have the kernel find out when the other end is gone without a word: we send too little to notice."""
    idle = max(1, round(heartbeat))
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, idle // PROBES))
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
    # Unanswered pings count as well; without this the kernel repeats them for a quarter of an hour.
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 2000 * idle)


def _why(error: BaseException) -> str:
    """The system's own word for what went wrong, under what trio wraps around it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        elif isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate refused: {cause.verify_message}"
        elif isinstance(cause, ssl.SSLError):
            return f"no TLS: {cause.reason or cause}"
        elif isinstance(cause, OSError) and cause.strerror:
            # Names that cannot be resolved have numbers of their own, below zero.
            number = cause.errno or 0
            return os.strerror(number) if number > 0 else cause.strerror
        else:
            cause = cause.__cause__
    return str(error) or type(error).__name__


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _log_clock(name: str, event: Event) -> None:
    figures = event.data if isinstance(event.data, Mapping) else {}
    step, offset = figures.get("step"), figures.get("offset")
    if event.type == CLOCK_JUMPED and isinstance(step, float):
        events.clock_quarantined(source=name, step=step)
    elif event.type == CLOCK_SETTLED and isinstance(offset, float):
        events.clock_released(source=name, offset=offset)
