"""Whole frames of many writers onto one socket: at once if it takes them, else by priority when it does.

Rules of this file: a frame is never cut in two by another. It is written at once if the socket and the client's credit
take it, else queued by priority and flushed when they do. Critical frames travel alone and need no credit. Whatever
becomes of a publication is counted in the ledger. Nothing here reads, knows an actor, or waits, but the flusher.

Longer than others: one state (blocked, flushing, starved, over), and every writer's way through it.
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Callable

import trio
from msgspec.structs import replace
from trio.lowlevel import wait_writable

from domain import Gap, Position, Priority, Publication
from transport import codes
from transport.credit import GivenCredit, PingedCredit
from transport.echoes import CREDIT, PROBE, Probes, credit_ping
from transport.frames import CLOSE, PING, Batch, Frame, frame_bytes
from transport.ledger import Entry, Ledger
from transport.outbox import CRITICAL_BEHIND, PIECE_SIZE, Behind, Limits, Outbox, OutboxStatistics

# OpenSSL wants the very same bytes again after either of its two; neither is a BlockingIOError.
_AGAIN = (BlockingIOError, ssl.SSLWantWriteError)
# ValueError is what an SSLSocket says after its shutdown.
_LOST = (OSError, ValueError)
_NOTHING_WAITS = OutboxStatistics((0, 0, 0, 0), 0, 0, 0)
_NO_DEPTH = (0, 0, 0, 0)
USUAL_LIMITS = Limits()
_PING = Frame(frame_bytes(PING, b""), Priority.HIGH)
# PROTOCOL, "Errors and closes": what is left out now is resumed from the journal.
_BEHIND = frame_bytes(CLOSE, codes.CRITICAL_BEHIND.to_bytes(2, "big") + CRITICAL_BEHIND.encode())


class Own:
    """Bytes that a task of this connection writes and waits for; they go first and are never dropped."""

    __slots__ = ("data", "sent")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.sent = trio.Event()


class FrameWriter:
    """The writing side of a non-blocking socket, plain or TLS.

    ``limits`` bound what waits and what is in flight. ``on_lost`` is called once, with the reason, when frames can be
    written no more and nobody here has closed the stream; it may be called from within ``offer()``. The flusher runs in
    ``nursery``. ``critical_sent`` is the position of the newest critical event that was handed to the socket, ``heard``
    when something last came in (trio's clock). Whoever wants to see the critical publications sets ``criticals``.
    ``clock`` (seconds) tells how long frames wait; a wall clock that is set would make them old at once.
    """

    __slots__ = (
        "_awaited", "_blocked", "_clock", "_closed", "_credit", "_direct", "_final", "_flushing", "_ledger", "_left",
        "_limits", "_nursery", "_on_lost", "_outbox", "_own", "_probes", "_send", "_sending", "_starved", "_tail",
        "_tls", "_write_gap", "critical_sent", "criticals", "heard", "lost", "sock",
    )  # fmt: skip

    def __init__(
        self,
        sock: socket.socket,
        nursery: trio.Nursery,
        limits: Limits = USUAL_LIMITS,
        *,
        on_lost: Callable[[str], None] | None = None,
        clock: Callable[[], float] = trio.current_time,
    ) -> None:
        self.sock = sock
        self.heard = trio.current_time()
        self.lost = ""
        self.critical_sent: Position | None = None
        self.criticals: deque[Publication] | None = None
        # Once TLS is shut down, an SSLSocket's send() would go on in plain text; its write() refuses.
        self._send: Callable[[bytes], int] = sock.write if isinstance(sock, ssl.SSLSocket) else sock.send
        self._tls = isinstance(sock, ssl.SSLSocket)
        self._nursery = nursery
        self._limits = limits
        self._on_lost = on_lost
        self._clock = clock
        self._outbox: Outbox | None = None
        self._own: list[Own] | None = None
        self._sending: tuple[Own, ...] = ()
        self._final: Own | None = None
        self._tail = b""
        self._awaited: trio.Event | None = None
        # Bytes that may go before the credit is asked; it is made when it is first needed.
        self._left = 0
        self._credit: PingedCredit | GivenCredit | None = None
        self._probes: Probes | None = None
        self._write_gap: Callable[[Gap], Frame] | None = None
        # Publications that never waited, by priority; the ledger has the others.
        self._direct = [0, 0, 0, 0]
        self._ledger: Ledger | None = None
        # True while a frame may not be written at once, for whichever reason: one look for the hot path.
        self._blocked = False
        self._flushing = False
        self._starved = False
        self._closed = False

    # -- frames ------------------------------------------------------------------------------------------------

    def offer(self, frame: Frame) -> None:
        """Write ``frame`` now if the socket and the credit take it, else queue it. Never blocks, never raises."""
        if self._blocked:
            self._queue(frame)
            return
        data = frame.data
        priority = frame.priority
        if priority:
            left = self._left = self._left - len(data)
            if left < 0:
                data = self._spend(data)
        elif frame.publication is not None:
            self.critical_sent = frame.publication.critical or self.critical_sent
            if self.criticals is not None:
                self.criticals.append(frame.publication)
        self._direct[priority] += 1
        try:
            count = self._send(data)
        except _AGAIN:
            count = 0
        except _LOST as error:
            self._direct[priority] -= 1
            self._lose(reason_of(error))
            return
        if count != len(data):
            self._flush_later(data[count:])

    def offer_batch(self, batch: Batch) -> None:
        """Write the frames of ``batch``, none of them critical, in one send if the socket and the credit take it."""
        blob = batch.blob
        if self._blocked or (self._left < len(blob) and self._spending().room(self._left) < len(blob)):
            self._queue_batch(batch)
            return
        left = self._left = self._left - len(blob)
        data = blob if left >= 0 else self._spend(blob)
        try:
            count = self._send(data)
        except _AGAIN:
            count = 0
        except _LOST as error:
            self._lose(reason_of(error))
            return
        if count == len(data):
            for priority, number in batch.counts:
                self._direct[priority] += number
        else:
            self._keep_rest(data, batch, count)

    def send(self, frame: Frame) -> None:
        """Write an answer to this client: behind what is critical, before all else, and never dropped.

        Answers are no publications: they need no credit and are not in the ledger. A critical one is ahead of what is
        critical, which may only follow from it.
        """
        if not self._blocked:
            self._tail = frame.data
            self._pump()
        elif not self._is_over:
            try:
                self._open_outbox().answer(frame.data, is_ahead=not frame.priority)
            except Behind as behind:
                self._give_up(behind)
                return
            self._pump()

    def probe(self, frame: Frame, echoed: Callable[[float], None]) -> None:
        """Send ``frame`` in the lane of its priority, a Ping behind it; ``echoed`` gets the round trip in seconds."""
        if self._probes is None:
            self._probes = Probes()
        ping = self._probes.begin(trio.current_time(), echoed)
        if isinstance(self._credit, GivenCredit) and frame.priority:
            # The client returns the frame's bytes; of a Ping it may not even know.
            self._left += len(ping)
        self.offer(Frame(frame.data + ping, frame.priority))

    def shed(self) -> None:
        """Give up all that waits below CRITICAL, told as gaps where the client understands that."""
        if self._outbox is not None:
            self._outbox.shed()

    def statistics(self) -> OutboxStatistics:
        """What waits for this socket now, and what was lost to the limits since it opened."""
        now = _NOTHING_WAITS if self._outbox is None else self._outbox.statistics()
        if self._ledger is None:
            return now
        lost = self._ledger
        return replace(now, dropped=sum(lost.gapped), conflated=sum(lost.conflated), expired=sum(lost.expired))

    @property
    def is_flushing(self) -> bool:
        """Whether the socket does not take what waits."""
        return self._flushing

    @property
    def is_waiting(self) -> bool:
        """Whether frames wait, for the socket or for credit."""
        return self._outbox is not None

    def ledger(self) -> tuple[Entry, ...]:
        """What became of everything that was offered, by priority."""
        queued = _NO_DEPTH if self._outbox is None else self._outbox.depth
        return (self._ledger or Ledger()).entries(self._direct, queued)

    # -- credit and gaps ---------------------------------------------------------------------------------------

    def use_credit(self, size: int) -> None:
        """From now on the client itself returns what it has processed, of at most ``size`` bytes in flight."""
        self._credit = GivenCredit(size)
        self._left = self._credit.left
        self._resume()

    def grant(self, size: int) -> None:
        """The client has processed ``size`` bytes; means nothing for one that does not return credit by itself."""
        if isinstance(self._credit, GivenCredit):
            self._left = self._credit.grant(self._left, size)
            self._resume()

    def ping(self) -> None:
        """Ask for a sign of life, and for the return of the credit by the way."""
        credit = self._credit
        if isinstance(credit, PingedCredit) and not self._blocked and self._left < credit.left:
            token = credit.spend(self._left, trio.current_time())
            self._left = credit.left
            self._starved = self._blocked = self._left <= 0
            self._tail = credit_ping(token)
            self._pump()
        elif isinstance(credit, PingedCredit) and (asked := credit.asked):
            # A client may answer the newest Ping alone (RFC 6455, section 5.5.3): it must not be one that says nothing.
            self.send(Frame(credit_ping(asked), Priority.HIGH))
        else:
            self.send(_PING)

    def echoed(self, payload: bytes) -> None:
        """A Pong with ``payload`` came."""
        kind = payload[:1]
        if kind == CREDIT and self._credit is not None:
            self._left = self._credit.returned(payload[1:], trio.current_time(), self._left)
            self._resume()
        elif kind == PROBE and self._probes is not None:
            self._probes.returned(payload, trio.current_time())

    def tell_gaps(self, write: Callable[[Gap], Frame]) -> None:
        """Tell the client what it does not get, in frames that ``write`` makes."""
        self._write_gap = write
        if self._outbox is not None:
            self._outbox.write_gap = write

    def _spending(self) -> PingedCredit | GivenCredit:
        if self._credit is None:
            self._credit = PingedCredit(self._limits.credit)
        return self._credit

    def _spend(self, data: bytes) -> bytes:
        """``data`` has spent a part of the credit, or all: returns it with the Ping that asks for its return."""
        credit = self._spending()
        token = credit.spend(self._left, trio.current_time())
        self._left = credit.left
        if self._left <= 0:
            self._starved = self._blocked = True
        return data if token is None else data + credit_ping(token)

    def _resume(self) -> None:
        """Go on with what waits, if the credit is there again or somebody has to ask for it.

        Where the window has become smaller than what went behind the last Ping, nothing is left and no Ping is out.
        """
        credit = self._credit
        if self._starved and (self._left > 0 or (isinstance(credit, PingedCredit) and credit.asked is None)):
            self._starved = False
            self._pump()

    # -- what has to wait --------------------------------------------------------------------------------------

    @property
    def _is_over(self) -> bool:
        """Whether nothing more is taken: lost, closed, or told goodbye."""
        return bool(self.lost) or self._closed or self._final is not None

    def _queue(self, frame: Frame) -> None:
        if self._is_over:
            return
        try:
            self._open_outbox().put(frame)
        except Behind as behind:
            self._give_up(behind)
            return
        if not frame.priority:
            if self.criticals is not None and frame.publication is not None:
                self.criticals.append(frame.publication)
            self._pump()

    def _queue_batch(self, batch: Batch) -> None:
        if batch.lane is None:
            for frame in batch.frames:
                self.offer(frame)
        elif not self._is_over:
            self._open_outbox().put_batch(batch, batch.lane)
            if not self._starved:
                self._pump()

    def _open_outbox(self) -> Outbox:
        if self._outbox is None:
            self._ledger = self._ledger or Ledger()
            self._outbox = Outbox(self._limits, self._ledger, self._clock, self._write_gap)
        return self._outbox

    def _give_up(self, behind: Behind) -> None:
        """The client is too slow for what must not be lost: it is told so, and nothing else any more."""
        self._forget()
        if behind.reason == CRITICAL_BEHIND:
            self._final = Own(_BEHIND)
        self._lose(behind.reason)

    def _keep_rest(self, data: bytes, batch: Batch, count: int) -> None:
        """Keep what a partial write of ``batch`` has left: a cut frame goes on first, whole ones queue."""
        # OpenSSL has encrypted all of it and must be offered exactly this again.
        is_whole = self._tls and count == 0
        begun, tail = (len(batch.frames), data) if is_whole else batch.rest(count)
        for frame in batch.frames[:begun]:
            self._direct[frame.priority] += 1
        unsent = sum([len(frame.data) for frame in batch.frames[begun:]])
        self._left = self._spending().unspend(self._left, unsent, is_marked=len(data) > len(batch.blob))
        self._starved = self._starved and self._left <= 0
        # The Ping of the credit goes behind what was sent.
        self._flush_later(tail if is_whole else tail + data[max(count, len(batch.blob)) :])
        for frame in batch.frames[begun:]:
            self._queue(frame)

    # -- flushing ----------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Send what may go, unless that is under way; wait for the socket with the rest."""
        if self._flushing:
            return
        self._flushing = self._blocked = True
        if self._drain():
            self._end_flush()
        else:
            self._flush_later(self._tail)

    def _flush_later(self, tail: bytes) -> None:
        self._tail = tail
        self._flushing = self._blocked = True
        try:
            self._nursery.start_soon(self._flush)
        except RuntimeError:
            # The connection's nursery has closed before its stream: no channel may come to grief over that.
            self._lose("connection ended")
            self._end_flush()

    async def _flush(self) -> None:
        """Send what waits; runs only while the socket does not take everything at once."""
        done = False
        try:
            while not self._drain():
                await self._writable()
            done = True
        except (OSError, trio.ClosedResourceError):
            self._lose("closed")
        finally:
            if not done:
                # Cancelled: a frame may be cut, so nothing can follow.
                self._lose("connection ended")
            self._end_flush()

    async def _writable(self) -> None:
        """Wait until the socket is writable, or might be: only one task can ask the loop, the others follow it."""
        if self._closed:
            raise trio.ClosedResourceError
        if self._awaited is not None:
            await self._awaited.wait()
            return
        self._awaited = trio.Event()
        try:
            await wait_writable(self.sock)
        finally:
            self._awaited.set()
            self._awaited = None

    def _drain(self) -> bool:
        """Send until nothing may go or the socket is lost; False when it takes no more for now."""
        try:
            while self._tail or self._take_piece():
                self._tail = self._tail[self._send(self._tail) :]
        except _AGAIN:
            return False
        except _LOST as error:
            self._lose(reason_of(error))
        return True

    def _take_piece(self) -> bool:
        """Make the bytes of the next send: own ones first, then frames by priority, Close last."""
        for own in self._sending:
            own.sent.set()
        self._sending = ()
        if self._own:
            self._sending, self._own = tuple(self._own), None
            self._tail = b"".join([own.data for own in self._sending])
        elif self._outbox is not None and (piece := self._take_frames(self._outbox)):
            self._tail = piece
        elif self._final is not None and self._final.data:
            self._sending = (self._final,)
            self._tail, self._final.data = self._final.data, b""
        return bool(self._tail)

    def _take_frames(self, outbox: Outbox) -> bytes:
        piece = outbox.take_urgent()
        if piece:
            self.critical_sent = outbox.critical_sent or self.critical_sent
        elif not self._starved or self._final is not None:
            credit = self._spending()
            is_last = self._final is not None
            piece = outbox.take_routine(
                PIECE_SIZE if is_last else credit.room(self._left), 0 if is_last else credit.window
            )
            self._left -= len(piece)
            if piece and self._left < 0:
                piece = self._spend(piece)
            elif not piece and outbox.is_held:
                piece = self._await_credit(credit)
        return piece

    def _await_credit(self, credit: PingedCredit | GivenCredit) -> bytes:
        """What waits goes when more is returned; returns the Ping that asks for it, unless one is out."""
        self._starved = True
        if isinstance(credit, GivenCredit) or credit.asked is not None:
            return b""
        token = credit.spend(self._left, trio.current_time())
        self._left = credit.left
        return credit_ping(token)

    def _end_flush(self) -> None:
        self._flushing = False
        self._tail = b""
        for own in (*self._sending, *(self._own or ()), *((self._final,) if self._final else ())):
            own.sent.set()
        self._sending = ()
        self._own = None
        if self._is_over or not self._outbox:
            self._forget()
        self._blocked = self._starved or self._is_over

    def _forget(self) -> None:
        """Let the outbox go, with what may still wait in it."""
        if self._outbox is not None:
            self._outbox.clear()
            self._outbox = None

    # -- the end -----------------------------------------------------------------------------------------------

    def _lose(self, reason: str) -> None:
        if self.lost or self._closed:
            return
        self.lost = reason
        self._blocked = True
        if self._on_lost is not None:
            self._on_lost(reason)


def reason_of(error: OSError | ValueError) -> str:
    """Why the socket failed, in the system's words."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
