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
from functools import partial

import trio

from domain import Allowance
from telemetry import counters, events
from transport.addresses import ClientAddress, Origin
from transport.admission import Entry, draining_refusal
from transport.attendant import Attendant, Visit
from transport.codes import ProtocolError, UsageError
from transport.gate import Door
from transport.http import Head, HttpConnection, Request, Response, problem, problem_of
from transport.origins import guarded
from transport.quotas import check_commands
from transport.reception import Reception
from transport.stream import FrameStream
from transport.tls import half_close, secure, subject_of
from transport.websocket import (
    Handshake,
    check_upgrade,
    choose_subprotocol,
    upgrade_required,
)

# The client has gone, or reads no more: nothing to be done, nothing to be said.
_GONE = (OSError, trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)

_REFUSAL_PATIENCE = 2.0
_PART_PATIENCE = 5.0
_REFUSED = {429, 503}
_FAILED = problem(500, "Internal Server Error", "the gateway failed at this request and has reported it", 500)
_HANDSHAKE_FAULTS = {408: "timeout", 426: "upgrade"}


class Conversation:
    """One connection. ``refusal`` says why it is only to be told to go."""

    __slots__ = (
        "_allowance", "_attendant", "_certificate", "_claimed", "_entry", "_has_turn", "_is_behind_proxy", "_peer",
        "_reception", "_refusal", "_sock", "_stream",
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
        self._is_behind_proxy = reception.proxies.trusts(peer.host)
        self._claimed = None if self._is_behind_proxy or entry is not Entry.SERVED else peer
        self._allowance = reception.allow(peer)
        self._certificate = ""
        self._attendant: Attendant | None = None
        self._stream: FrameStream | None = None
        self._has_turn = False
        reception.arrived()

    async def run(self) -> None:
        """Converse until one side ends it."""
        try:
            async with trio.open_nursery() as nursery:
                try:
                    attendant = await self._exchange(nursery)
                    if attendant is not None:
                        await attendant.attend(self._give_turn)
                        half_close(self._sock)
                except _GONE:
                    pass
                nursery.cancel_scope.cancel()
        except* Exception as error:  # noqa: BLE001 - one connection's failure is nobody else's
            events.connection_failed(client=str(self._peer), error=error)
        finally:
            self._leave()

    def lost(self, reason: str) -> None:
        """The socket can be written no more."""
        if self._attendant is not None:
            self._attendant.link.lost(reason)

    def _leave(self) -> None:
        if self._stream is None:
            trio.lowlevel.notify_closing(self._sock)
            self._sock.close()
        else:
            self._stream.close()
        if self._claimed is not None:
            self._reception.admission.release(self._claimed)
        self._allowance.end()
        self._reception.admission.leave(self._entry)
        self._reception.departed()
        # The collector is kept from looking, so what ends must be freed by being forgotten.
        self._attendant = self._refusal = self._stream = None

    # -- requests ---------------------------------------------------------------------------------------------

    async def _exchange(self, nursery: trio.Nursery) -> Attendant | None:
        """Answer requests until one opens a WebSocket, or the connection ends."""
        patience = self._reception.settings.head_timeout if self._refusal is None else _REFUSAL_PATIENCE
        deadline = trio.current_time() + patience
        fault = await self._secure(deadline)
        stream = self._stream = FrameStream(self._sock, nursery, self._reception.limits, on_lost=self.lost)
        http = HttpConnection(stream, self._reception.http_limits, trio.CancelScope())
        with http.timer:
            try:
                if fault is None:
                    return await self._answer_all(http, stream, nursery, deadline)
            except ProtocolError as error:
                fault = error
        if http.timer.cancelled_caught:
            fault = http.overdue
            if self._reception.draining:
                fault = draining_refusal() if http.has_begun else None
        try:
            if fault is not None:
                await self._part(http, fault)
        finally:
            # The traceback of a fault holds this frame.
            del fault
        return None

    async def _answer_all(
        self, http: HttpConnection, stream: FrameStream, nursery: trio.Nursery, first: float
    ) -> Attendant | None:
        deadline: float | None = first
        while await self._head_came(http, deadline):
            deadline = None
            if self._refusal is not None:
                raise self._refusal
            answer = await (self._upgrade(http, stream, nursery) if http.is_upgrade else self._answer(http))
            if isinstance(answer, Attendant):
                return answer
            if not await self._respond(http, answer):
                await http.linger(partial(half_close, self._sock))
                return None
        return None

    async def _respond(self, http: HttpConnection, answer: Response) -> bool:
        try:
            return await http.respond(answer, close=self._reception.draining)
        except UsageError as error:
            events.request_failed(method="", path="", error=error)
            await http.give_up(_FAILED)
            return False

    async def _secure(self, deadline: float) -> ProtocolError | None:
        """Turn the socket into a TLS one if the port has a certificate; returns what a plain client is to be told."""
        context = self._reception.tls
        if context is None:
            return None
        try:
            with trio.fail_at(deadline):
                self._sock = await secure(self._sock, context, self._reception.tls_turns)
                self._certificate = subject_of(self._sock)
        except ProtocolError as fault:
            return fault
        except (OSError, trio.TooSlowError) as error:
            reason = "timeout" if isinstance(error, trio.TooSlowError) else "tls"
            events.handshake_failed(client=self._peer.host, reason=reason, detail=str(error))
            raise
        return None

    async def _head_came(self, http: HttpConnection, deadline: float | None) -> bool:
        """Wait for the next request; draining ends the wait."""
        if self._reception.draining:
            return False
        heads = self._reception.heads
        heads.add(http.timer)
        try:
            return await http.wait_head(deadline)
        finally:
            heads.discard(http.timer)

    async def _answer(self, http: HttpConnection) -> Response:
        """Read a plain request and have it answered."""
        head = http.read_head()
        reception = self._reception
        origin = reception.origin(self._peer, head, secure=self._is_secure)
        reception.origins.check_change(head.method, head.headers)
        allowance = reception.allow(origin.client) if self._is_behind_proxy else self._allowance
        claims = self._claimed is None
        if claims:
            reception.claim(origin.client)
        try:
            request = await http.read_request(head, origin, allowance, self._certificate)
            return await self._handle(request, allowance)
        finally:
            if claims:
                reception.admission.release(origin.client)

    async def _handle(self, request: Request, allowance: Allowance) -> Response:
        began, origins = time.perf_counter(), self._reception.origins
        try:
            check_commands(allowance, request.client.host, time.time())
            response = origins.preflight(request) or await self._reception.app(request)
        except ProtocolError as fault:
            response = problem_of(fault)
        except Exception as error:  # noqa: BLE001 - a handler's failure is answered, and the next request served
            events.request_failed(method=request.method, path=request.path, error=error)
            response = _FAILED
        if response.status in {404, 405}:
            response = self._at_a_door(request) or response
        counters.requests_answered.add(str(response.status))
        counters.request_duration.observe(time.perf_counter() - began)
        return guarded(origins.shared(request, response), secure=request.secure)

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
            await http.respond(guarded(problem_of(fault), secure=self._is_secure), close=True)
            await http.linger(partial(half_close, self._sock))

    @property
    def _is_secure(self) -> bool:
        return isinstance(self._sock, ssl.SSLSocket)

    # -- the handshake of a WebSocket ---------------------------------------------------------------------------

    async def _upgrade(self, http: HttpConnection, stream: FrameStream, nursery: trio.Nursery) -> Attendant | Response:
        """Admit the WebSocket that a request asks for, in its turn; or say why not.

        Nothing is waited for while the turn is held. An attendant gives it back when the link is open.
        """
        reception = self._reception
        await reception.handshakes.acquire_on_behalf_of(self)
        self._has_turn = True
        admitted: Attendant | Response | None = None
        try:
            head = http.read_head()
            origin = reception.origin(self._peer, head, secure=self._is_secure)
            reception.check_open(origin.client)
            if self._is_behind_proxy:
                self._allowance = reception.allow(origin.client)
                reception.check_pace(self._allowance, origin.client)
            if self._claimed is None:
                reception.claim(origin.client)
                self._claimed = origin.client
            admitted = await self._admit(http, stream, nursery, head, origin)
            return admitted
        finally:
            if not isinstance(admitted, Attendant):
                self._give_turn()
                if self._is_behind_proxy and self._claimed is not None:
                    reception.admission.release(self._claimed)
                    self._claimed = None

    async def _admit(
        self, http: HttpConnection, stream: FrameStream, nursery: trio.Nursery, head: Head, origin: Origin
    ) -> Attendant | Response:
        key = check_upgrade(head.method, head.version, head.headers, head.body_size)
        self._reception.check_origin(head.headers, origin.client)
        request = await http.read_request(head, origin, self._allowance, self._certificate)
        door = self._reception.gate.door(request)
        if isinstance(door, Response):
            counters.requests_answered.add(str(door.status))
            return guarded(door, secure=request.secure)
        self._reception.identify(self._allowance, door.user, door.tenant, origin.client)
        handshake = Handshake(key, choose_subprotocol(head.headers, door.subprotocols), http.take_rest())
        self._attendant = Attendant(self._reception, nursery, stream, Visit(request, door, handshake, self._allowance))
        return self._attendant

    def _give_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._reception.handshakes.release_on_behalf_of(self)
