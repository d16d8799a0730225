"""One link from its handshake to its end: introduces it to the gate, hands on what comes, and says goodbye.

Rules of this file:

* The connection's own task reads; a second one exists only while the link opens, and again while it closes.
* A turn for a handshake is held until the gate has taken the link, for a bounded time.
* The peer is told of the end exactly once, also when everything is cancelled, and never if it was never there.
* What ended a link first is what counts: a close that was asked for, a fault of the client, or the client's own Close.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import trio

from domain import Allowance
from telemetry import counters, events
from transport.codes import (
    CONNECTION_FAILED,
    INVALID_TEXT,
    LINK_LOST,
    MESSAGE_TOO_BIG,
    TOO_MANY_COMMANDS,
    UsageError,
    is_sendable,
)
from transport.gate import CLOSE_PATIENCE, Door, Link, Peer
from transport.messages import Request
from transport.pace import Pace
from transport.quotas import told
from transport.reception import Reception
from transport.stream import FrameStream
from transport.tls import half_close
from transport.websocket import Handshake, WebSocket

_CLOSED_PATIENCE = 5.0
_LONGEST_WAIT = 5.0
_POLICY_VIOLATION = 1008
_FAULTS = {MESSAGE_TOO_BIG: "size", INVALID_TEXT: "utf8"}


class Visit(msgspec.Struct, frozen=True):
    """A request for a WebSocket that was found good, the door it leads to, its handshake, and what it may take."""

    request: Request
    door: Door
    handshake: Handshake
    allowance: Allowance


class Attendant:
    """Attends the link of one ``visit`` in the nursery of its connection; cancelling that nursery ends it."""

    __slots__ = ("_hasty", "_is_cut", "_nursery", "_peer", "_reception", "_visit", "_websocket", "link")

    def __init__(self, reception: Reception, nursery: trio.Nursery, stream: FrameStream, visit: Visit) -> None:
        self._reception = reception
        self._nursery = nursery
        self._peer: Peer | None = None
        self._is_cut = False
        self._visit: Visit | None = visit
        self._hasty = TOO_MANY_COMMANDS if visit.door.weighs else _POLICY_VIOLATION
        pace = Pace(visit.allowance, self._hasty, visit.request.client.host)
        self._websocket = WebSocket(stream, visit.handshake, reception.settings.message_size, self, pace)
        self.link = Link(
            stream,
            visit.door,
            visit.request.client,
            self,
            subprotocol=visit.handshake.subprotocol,
            allowance=visit.allowance,
        )

    async def attend(self, done: Callable[[], None]) -> None:
        """Open the link and see it through; ``done`` is called when its handshake is over, well or not."""
        visit, self._visit = self._visit, None
        if visit is None:
            raise UsageError("a visit is attended once")
        self._nursery.start_soon(self._open, visit.request, done, name="handshake")
        del visit
        try:
            await (await self._websocket.reader())()
            await self._conclude()
        finally:
            self._reception.links.discard(self.link)
            self._reception.audit.close(self.link)
            self.link.end(LINK_LOST, "cut")
            await self._let_go()
            self.link.disown()
            self._websocket.forget()
            if self._is_cut:
                # Not before: as long as the connection is there, it is counted as present.
                self._reception.cut += 1

    # -- opening ----------------------------------------------------------------------------------------------

    async def _open(self, request: Request, done: Callable[[], None]) -> None:
        link = self.link
        try:
            with trio.fail_after(self._reception.settings.head_timeout):
                await self._websocket.accept()
                await self._introduce(request)
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError) as error:
            reason = "timeout" if isinstance(error, trio.TooSlowError) else "lost"
            events.handshake_failed(client=link.client.host, reason=reason, detail=str(error))
            self._nursery.cancel_scope.cancel()
        else:
            if self._peer is not None:
                self._reception.opened(link)
            self._websocket.listen(self._reception.arrivals)
        finally:
            done()

    async def _introduce(self, request: Request) -> None:
        """Ask the gate who minds the link; a gate that fails closes it."""
        link = self.link
        try:
            self._peer = await self._reception.gate.opened(link.door, request, link)
        except Exception as error:  # noqa: BLE001 - the client is told by a Close, everybody else nothing
            events.connection_failed(client=link.client.host, error=error)
            link.close(CONNECTION_FAILED, "the gateway failed")
        else:
            events.connection_opened(connection=link.id, door=link.door.name, client=link.client.host)

    # -- listening --------------------------------------------------------------------------------------------

    async def received(self, message: str | bytes) -> None:
        """Hand on what the client said; behind our Close nothing is listened to but its answer."""
        link, peer = self.link, self._peer
        if peer is None or link.closing is not None:
            return
        counters.frames_received += 1
        link.busy = True
        if not link.door.weighs and not await self._has_room(link):
            return
        try:
            await peer.received(message)
        except Exception as error:  # noqa: BLE001 - whoever minds the link failed; the others go on
            events.connection_failed(client=link.client.host, error=error)
            link.close(CONNECTION_FAILED, "the gateway failed")
        link.busy = False
        link.resumed_at = trio.current_time()

    async def _has_room(self, link: Link) -> bool:
        """Whether the client may say one thing more; it waits where those that share its limits said too much."""
        excess = link.allowance.message(trio.current_time())
        if excess is not None:
            told(excess, link.client.host)
            link.close(self._hasty, excess.words)
            return False
        shared = link.allowance.command(1.0, time.time())
        while shared is not None and link.closing is None:
            told(shared, link.client.host)
            await trio.sleep(min(shared.wait, _LONGEST_WAIT))
            shared = link.allowance.command(1.0, time.time())
        return True

    # -- closing ----------------------------------------------------------------------------------------------

    def link_closing(self) -> None:
        """The link was told to close, by whoever minds it or by us."""
        self._nursery.start_soon(self._say_goodbye, name="goodbye")

    async def _say_goodbye(self) -> None:
        """Send what waits and the last word; the client's answer, or the end of our patience, ends the connection."""
        with trio.move_on_after(self.link.patience) as patience:
            try:
                await self._send_last()
                # What took long was to send it: an answer is on its way, or will never come.
                patience.deadline = min(patience.deadline, trio.current_time() + CLOSE_PATIENCE)
                await trio.sleep_forever()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
        self._is_cut = patience.cancelled_caught
        self._nursery.cancel_scope.cancel()

    async def _send_last(self) -> None:
        """Send the Close frame behind what waits; where none is to be sent, break off behind what waits."""
        code, reason = self.link.closing or (LINK_LOST, "")
        if is_sendable(code):
            await self._websocket.send_close(code, reason)
            return
        stream = self.link.stream
        await stream.wait_send_all_might_not_block()
        while stream.is_flushing:
            await stream.wait_send_all_might_not_block()
        # To close at once could take back what is still on its way.
        half_close(stream.sock)

    async def _conclude(self) -> None:
        """Note why nothing more will come; a client at fault is told by a Close and given time to read it."""
        link, fault = self.link, self._websocket.fault
        if fault is None:
            link.end(*self._websocket.outcome)
            return
        reason = _FAULTS.get(fault.close, "protocol")
        events.frame_rejected(connection=link.id, door=link.door.name, reason=reason, code=fault.close)
        if fault.close == TOO_MANY_COMMANDS and link.closing is None and link.farewell is not None:
            link.stream.send(link.farewell(fault.close, fault.detail, fault.retry_after or 0.0, None))
        link.close(fault.close, fault.detail)
        await self._websocket.outlast()

    async def _let_go(self) -> None:
        link, peer = self.link, self._peer
        if peer is None:
            return
        code, reason = link.closing or (LINK_LOST, "")
        duration = max(0.0, time.time() - link.opened_at)
        events.connection_closed(connection=link.id, door=link.door.name, code=code, reason=reason, duration=duration)
        with trio.CancelScope(shield=True, deadline=trio.current_time() + _CLOSED_PATIENCE):
            try:
                await peer.closed(code, reason)
            except Exception as error:  # noqa: BLE001 - the link is over all the same
                events.connection_failed(client=link.client.host, error=error)
