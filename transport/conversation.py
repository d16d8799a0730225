"""One TCP connection from its first byte to its last: TLS, requests, and perhaps a WebSocket.

Rules of this file:

* Whatever goes wrong here ends this connection and no other. What nobody planned for is reported and swallowed at one
  place, ``run()``.
* A turn for a handshake is taken when a whole head has come and given back when the link is open: who sends a head
  byte by byte holds nobody up.
* The phases return before the next one begins, so that an idle link keeps nothing of its handshake in memory.
* The peer of a link is told of its end exactly once, also when everything is cancelled.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from functools import partial

import trio

from telemetry import counters, events
from transport.addresses import ClientAddress, Origin
from transport.admission import Entry
from transport.codes import (
    CONNECTION_FAILED,
    INVALID_TEXT,
    LINK_LOST,
    MESSAGE_TOO_BIG,
    ProtocolError,
    is_sendable,
)
from transport.gate import Door, Link, Peer
from transport.http import Head, HttpConnection, Request, Response, problem, problem_of
from transport.reception import Reception
from transport.stream import FrameStream
from transport.tls import half_close, secure
from transport.websocket import (
    Handshake,
    WebSocket,
    WebSocketEnded,
    accept,
    check_upgrade,
    choose_subprotocol,
    upgrade_required,
)

# The client has gone, or reads no more: nothing to be done, nothing to be said.
_GONE = (OSError, trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)

_REFUSAL_PATIENCE = 2.0
_PART_PATIENCE = 5.0
_CLOSED_PATIENCE = 5.0
_FAULTS = {MESSAGE_TOO_BIG: "size", INVALID_TEXT: "utf8"}
_REFUSED = {429, 503}
_HANDSHAKE_FAULTS = {408: "timeout", 426: "upgrade"}


@dataclass(frozen=True, slots=True)
class _Opened:
    """A WebSocket that was opened, and who minds it; None if nobody could."""

    link: Link
    websocket: WebSocket
    peer: Peer | None


class Conversation:
    """One connection. ``refusal`` says why it is only to be told to go."""

    __slots__ = (
        "_claimed", "_entry", "_link", "_nursery", "_peer", "_reception", "_refusal", "_sock", "_websocket",
    )  # fmt: skip

    def __init__(
        self,
        reception: Reception,
        sock: socket.socket,
        peer: ClientAddress,
        entry: Entry,
        refusal: ProtocolError | None,
    ) -> None:
        self._reception = reception
        self._sock = sock
        self._peer = peer
        self._entry = entry
        self._refusal = refusal
        trusted = reception.proxies.trusts(peer.host)
        self._claimed = None if trusted or entry is not Entry.SERVED else peer
        self._link: Link | None = None
        self._websocket: WebSocket | None = None
        self._nursery: trio.Nursery | None = None
        reception.arrived()

    async def run(self) -> None:
        """Converse until one side ends it."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                try:
                    opened = await self._exchange(nursery)
                    if opened is not None:
                        await self._mind(opened)
                except _GONE:
                    pass
                nursery.cancel_scope.cancel()
        except* Exception as error:  # noqa: BLE001 - one connection's failure is nobody else's
            events.connection_failed(client=str(self._peer), error=error)
        finally:
            self._leave()

    def lost(self, reason: str) -> None:
        """The socket can be written no more."""
        if self._link is not None:
            self._link.lost(reason)

    def link_closing(self) -> None:
        """The link was told to close, by whoever minds it or by us."""
        if self._nursery is not None:
            self._nursery.start_soon(self._say_goodbye)

    def _leave(self) -> None:
        trio.lowlevel.notify_closing(self._sock)
        self._sock.close()
        if self._claimed is not None:
            self._reception.admission.release(self._claimed)
        self._reception.admission.leave(self._entry)
        self._reception.departed()

    # -- requests ---------------------------------------------------------------------------------------------

    async def _exchange(self, nursery: trio.Nursery) -> _Opened | None:
        """Answer requests until one opens a WebSocket, or the connection ends."""
        patience = self._reception.settings.head_timeout if self._refusal is None else _REFUSAL_PATIENCE
        deadline = trio.current_time() + patience
        fault = await self._secure(deadline)
        settings = self._reception.settings
        stream = FrameStream(
            self._sock,
            nursery,
            outbox_size=settings.outbox_size,
            critical_limit=settings.outbox_critical,
            on_lost=self.lost,
        )
        timer = trio.CancelScope()
        http = HttpConnection(stream, self._reception.http_limits, timer)
        with timer:
            try:
                if fault is None:
                    return await self._answer_all(http, stream, nursery, timer, deadline)
            except ProtocolError as error:
                fault = error
        if timer.cancelled_caught:
            fault = http.overdue
        if fault is not None:
            await self._part(http, fault)
        return None

    async def _answer_all(
        self, http: HttpConnection, stream: FrameStream, nursery: trio.Nursery, timer: trio.CancelScope, first: float
    ) -> _Opened | None:
        deadline: float | None = first
        while await self._head_came(http, timer, deadline):
            deadline = None
            if self._refusal is not None:
                raise self._refusal
            answer = await (self._upgrade(http, stream, nursery) if http.is_upgrade else self._answer(http))
            if isinstance(answer, _Opened):
                return answer
            if not await http.respond(answer, close=self._reception.draining):
                await http.linger(partial(half_close, self._sock))
                return None
        return None

    async def _secure(self, deadline: float) -> ProtocolError | None:
        """Turn the socket into a TLS one if the port has a certificate; returns what a plain client is to be told."""
        context = self._reception.tls
        if context is None:
            return None
        try:
            with trio.fail_at(deadline):
                self._sock = await secure(self._sock, context, self._reception.tls_turns)
        except ProtocolError as fault:
            return fault
        except (OSError, trio.TooSlowError) as error:
            reason = "timeout" if isinstance(error, trio.TooSlowError) else "tls"
            events.handshake_failed(client=self._peer.host, reason=reason, detail=str(error))
            raise
        return None

    async def _head_came(self, http: HttpConnection, timer: trio.CancelScope, deadline: float | None) -> bool:
        """Wait for the next request; draining ends the wait."""
        if self._reception.draining:
            return False
        heads = self._reception.heads
        heads.add(timer)
        try:
            return await http.wait_head(deadline)
        finally:
            heads.discard(timer)

    async def _answer(self, http: HttpConnection) -> Response:
        """Read a plain request and have it answered."""
        head = http.read_head()
        origin = self._reception.origin(self._peer, head, secure=self._is_secure)
        claims = self._claimed is None
        if claims:
            self._reception.claim(origin.client)
        try:
            return await self._handle(await http.read_request(head, origin))
        finally:
            if claims:
                self._reception.admission.release(origin.client)

    async def _handle(self, request: Request) -> Response:
        began = time.perf_counter()
        try:
            response = await self._reception.app(request)
        except ProtocolError as fault:
            response = problem_of(fault)
        except Exception as error:  # noqa: BLE001 - a handler's failure is answered, and the next request served
            events.request_failed(method=request.method, path=request.path, error=error)
            detail = "the gateway failed at this request; it is reported there"
            response = problem(500, "Internal Server Error", detail, 500)
        if response.status in {404, 405}:
            response = self._at_a_door(request) or response
        counters.requests_answered.add(str(response.status))
        counters.request_duration.observe(time.perf_counter() - began)
        return response

    def _at_a_door(self, request: Request) -> Response | None:
        """What a plain request is told at the path of a WebSocket; None at any other path."""
        if not isinstance(self._reception.gate.door(request), Door):
            return None
        return problem_of(upgrade_required(f"{request.path} is a WebSocket: connect to it with ws:// or wss://"))

    async def _part(self, http: HttpConnection, fault: ProtocolError) -> None:
        """Say what was wrong and end the connection: nobody knows where the next request would begin."""
        fault = self._refusal or fault
        counters.requests_answered.add(str(fault.status))
        if fault.status not in _REFUSED:
            reason = _HANDSHAKE_FAULTS.get(fault.status, "malformed")
            events.handshake_failed(client=self._peer.host, reason=reason, detail=str(fault))
        with trio.move_on_after(_PART_PATIENCE):
            await http.respond(problem_of(fault), close=True)
            await http.linger(partial(half_close, self._sock))

    @property
    def _is_secure(self) -> bool:
        return isinstance(self._sock, ssl.SSLSocket)

    # -- the handshake of a WebSocket ---------------------------------------------------------------------------

    async def _upgrade(self, http: HttpConnection, stream: FrameStream, nursery: trio.Nursery) -> _Opened | Response:
        """Open the WebSocket that a request asks for, in its turn; or say why not."""
        async with self._reception.handshakes:
            with trio.fail_after(self._reception.settings.head_timeout):
                head = http.read_head()
                origin = self._reception.origin(self._peer, head, secure=self._is_secure)
                self._reception.check_open(origin.client)
                if self._claimed is not None:
                    return await self._open(http, stream, nursery, head, origin)
                self._reception.claim(origin.client)
                opened: _Opened | Response | None = None
                try:
                    opened = await self._open(http, stream, nursery, head, origin)
                    return opened
                finally:
                    if isinstance(opened, _Opened):
                        self._claimed = origin.client
                    else:
                        self._reception.admission.release(origin.client)

    async def _open(
        self, http: HttpConnection, stream: FrameStream, nursery: trio.Nursery, head: Head, origin: Origin
    ) -> _Opened | Response:
        request = await http.read_request(head, origin)
        door = self._reception.gate.door(request)
        if isinstance(door, Response):
            counters.requests_answered.add(str(door.status))
            return door
        key = check_upgrade(head.method, head.version, head.headers, head.body_size)
        handshake = Handshake(key, choose_subprotocol(head.headers, door.subprotocols), http.take_rest())
        self._websocket = await accept(nursery, stream, handshake, self._reception.settings.message_size)
        self._link = Link(stream, door, origin.client, self, subprotocol=handshake.subprotocol)
        return _Opened(self._link, self._websocket, await self._introduce(request, self._link))

    async def _introduce(self, request: Request, link: Link) -> Peer | None:
        """Ask the gate who minds the link; a gate that fails closes it."""
        events.connection_opened(connection=link.id, door=link.door.name, client=link.client.host)
        try:
            return await self._reception.gate.opened(link.door, request, link)
        except Exception as error:  # noqa: BLE001 - the client is told by a Close, everybody else nothing
            events.connection_failed(client=link.client.host, error=error)
            link.close(CONNECTION_FAILED, "the gateway failed")
            return None

    # -- the link ---------------------------------------------------------------------------------------------

    async def _mind(self, opened: _Opened) -> None:
        """Give each message to the peer, the next one when it has returned, until the link has ended."""
        link, websocket, peer = opened.link, opened.websocket, opened.peer
        self._reception.links.add(link)
        try:
            while True:
                message = await websocket.receive()
                # Behind our Close nothing is listened to but the client's answer.
                if peer is not None and link.closing is None:
                    counters.frames_received += 1
                    link.busy = True
                    try:
                        await peer.received(message)
                    except Exception as error:  # noqa: BLE001 - whoever minds the link failed; only the link ends
                        events.connection_failed(client=link.client.host, error=error)
                        link.close(CONNECTION_FAILED, "the gateway failed")
                    link.busy = False
                    link.resumed_at = trio.current_time()
        except WebSocketEnded as ended:
            await self._conclude(link, websocket, ended)
        finally:
            self._reception.links.discard(link)
            link.end(LINK_LOST, "cut")
            await _let_go(link, peer)
        half_close(self._sock)

    async def _conclude(self, link: Link, websocket: WebSocket, ended: WebSocketEnded) -> None:
        """Note why there are no more messages; a client at fault is told by a Close and given time to read it."""
        fault = websocket.fault(ended)
        if fault is None or link.closing is not None:
            link.end(*websocket.outcome(ended))
            return
        reason = _FAULTS.get(fault.close, "protocol")
        events.frame_rejected(connection=link.id, door=link.door.name, reason=reason, code=fault.close)
        link.close(fault.close, fault.detail)
        await websocket.outlast()

    async def _say_goodbye(self) -> None:
        """Send the Close frame; the client's answer, or the end of our patience, ends the connection."""
        link, websocket, nursery = self._link, self._websocket, self._nursery
        if link is None or websocket is None or nursery is None or link.closing is None:
            return
        code, reason = link.closing
        if is_sendable(code):
            with trio.move_on_after(link.patience):
                try:
                    await websocket.send_close(code, reason)
                    await trio.sleep_forever()
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    pass
        nursery.cancel_scope.cancel()


async def _let_go(link: Link, peer: Peer | None) -> None:
    """Tell the peer that the link is over, whatever else is being cancelled."""
    code, reason = link.closing or (LINK_LOST, "")
    duration = max(0.0, time.time() - link.opened_at)
    events.connection_closed(connection=link.id, door=link.door.name, code=code, reason=reason, duration=duration)
    if peer is None:
        return
    with trio.CancelScope(shield=True, deadline=trio.current_time() + _CLOSED_PATIENCE):
        try:
            await peer.closed(code, reason)
        except Exception as error:  # noqa: BLE001 - the link is over all the same
            events.connection_failed(client=link.client.host, error=error)
