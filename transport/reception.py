"""What all connections of a server share: the rules, the register, and the decision at the door of the house.

Rules of this file: one object a server, used on the trio thread only. ``apply()`` puts other settings in force for what
comes after. Nothing here waits, except a connection for its turn.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

import trio

from config import ServerSettings
from telemetry import events
from transport.addresses import ClientAddress, Origin, TrustedProxies
from transport.admission import Admission, AdmissionLimits, Entry, connection_refusal, draining_refusal
from transport.arrivals import Arrivals
from transport.audit import Audit
from transport.codes import ProtocolError
from transport.gate import Gate, Link, Links
from transport.http import Head, HttpLimits, Request, Response, plain_answer, problem_of
from transport.outbox import Limits
from transport.tls import server_context

App: TypeAlias = Callable[[Request], Awaitable[Response]]

Part: TypeAlias = Callable[[Link], None]
"""Sends the client of one link away: has it closed or dropped, with a last word perhaps."""

_DRAIN_SIZE = 64 * 1024
_TLS_TURNS = 4


class Reception:
    """Settings, admission and register of one server.

    Raises:
        OSError: if the certificate or its key cannot be used.
    """

    def __init__(self, settings: ServerSettings, app: App, gate: Gate) -> None:
        self.app = app
        self.gate = gate
        self.arrivals = Arrivals()
        self.audit = Audit()
        self.links = Links()
        self.draining = False
        self.accepted = 0
        self.refused: dict[str, int] = {}
        self.present = 0
        self.emptied = trio.Event()
        self.part: Part | None = None
        self.cut = 0
        self.heads: set[trio.CancelScope] = set()
        self.handshakes = trio.CapacityLimiter(settings.handshakes)
        # A step of a TLS handshake is some ten times the work of opening a WebSocket.
        self.tls_turns = trio.CapacityLimiter(max(1, settings.handshakes // _TLS_TURNS))
        self.tls: ssl.SSLContext | None = None
        self.admission = Admission(_admission_limits(settings))
        self.apply(settings)

    def apply(self, settings: ServerSettings) -> None:
        """Put ``settings`` in force for what comes after; nothing changes if they cannot be.

        Raises:
            OSError: if the certificate or its key cannot be used.
            ValueError: if a trusted proxy is no address.
        """
        proxies = TrustedProxies(settings.trusted_proxies)
        tls = None
        if settings.certificate is not None and settings.key is not None:
            tls = server_context(settings.certificate, settings.key, settings.key_password)
        self.settings = settings
        self.proxies = proxies
        self.tls = tls
        self.http_limits = HttpLimits(
            settings.head_size, settings.body_size, settings.head_timeout, settings.idle_timeout
        )
        self.limits = Limits(settings.outbox_size, settings.outbox_critical, settings.credit, settings.frame_age)
        self.admission.limits = _admission_limits(settings)

    # -- who comes in -----------------------------------------------------------------------------------------

    def enter(self, peer: ClientAddress) -> tuple[Entry, ProtocolError | None]:
        """Decide about a TCP connection from ``peer``: its place, and why it is refused if it is."""
        self.accepted += 1
        entry = self.admission.enter()
        if entry is not Entry.SERVED:
            return entry, self._refuse(connection_refusal(), "limit", peer)
        if self.proxies.trusts(peer.host):
            return entry, None
        refusal = self.admission.claim(peer)
        if refusal is None:
            return entry, None
        return self.admission.demote(), self._refuse(refusal, "address", peer)

    def claim(self, client: ClientAddress) -> None:
        """Take a place of a proxied client's address.

        Raises:
            ProtocolError: 429, if it has none left.
        """
        refusal = self.admission.claim(client)
        if refusal is not None:
            raise self._refuse(refusal, "address", client)

    def check_open(self, client: ClientAddress) -> None:
        """Let nobody open a WebSocket who would be sent away in a moment.

        Raises:
            ProtocolError: 503, while draining.
        """
        if self.draining:
            raise self._refuse(draining_refusal(), "draining", client)

    def origin(self, peer: ClientAddress, head: Head, *, secure: bool) -> Origin:
        """Who sent a request."""
        return self.proxies.origin(peer, head.headers, secure=secure)

    def turn_away(self, sock: socket.socket, refusal: ProtocolError) -> None:
        """Answer a connection nobody has a place for, without listening to it, and close it."""
        with suppress(OSError):
            if self.tls is None:
                sock.send(plain_answer(problem_of(refusal)))
                sock.shutdown(socket.SHUT_WR)
                # What has come and was not read would make the kernel take the answer back.
                sock.recv(_DRAIN_SIZE)
        sock.close()

    def _refuse(self, refusal: ProtocolError, reason: str, client: ClientAddress) -> ProtocolError:
        self.refused[reason] = self.refused.get(reason, 0) + 1
        events.connection_refused(client=client.host, reason=reason, status=refusal.status)
        return refusal

    # -- who is here ------------------------------------------------------------------------------------------

    def arrived(self) -> None:
        """A connection began."""
        self.present += 1

    def departed(self) -> None:
        """A connection ended."""
        self.present -= 1
        if self.draining and self.present == 0:
            self.emptied.set()

    def opened(self, link: Link) -> None:
        """A link is open; if everybody is being sent away, it is too."""
        self.links.add(link)
        if self.part is not None:
            self.part(link)

    def drain(self) -> None:
        """Take nobody more: connections that wait for a request end, the others after the one they are at."""
        self.draining = True
        for scope in tuple(self.heads):
            scope.cancel()
        if self.present == 0:
            self.emptied.set()


def _admission_limits(settings: ServerSettings) -> AdmissionLimits:
    return AdmissionLimits(settings.connections, settings.connections_per_address, settings.exempt_loopback)
