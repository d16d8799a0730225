"""What all connections of a server share: the rules, the register, and the decision at the door of the house.

Rules of this file: one object a server, used on the trio thread only. ``apply()`` puts other settings in force for what
comes after. Nothing here waits, except a connection for its turn.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TypeAlias

import trio

from config import ServerSettings
from domain import Allowance, Excess, Throttle, address_key
from telemetry import events
from transport.addresses import ClientAddress, Origin, TrustedProxies
from transport.admission import Admission, AdmissionLimits, Entry, connection_refusal, draining_refusal
from transport.arrivals import Arrivals
from transport.audit import Audit
from transport.certificates import ends_at
from transport.codes import ProtocolError
from transport.gate import Gate, Link, Links
from transport.http import Head, HttpLimits, Request, Response, plain_answer, problem_of
from transport.origins import Origins
from transport.outbox import Limits
from transport.quotas import allotments, refusal_of
from transport.tls import Mark, context_of, mark_of

App: TypeAlias = Callable[[Request], Awaitable[Response]]

Part: TypeAlias = Callable[[Link], None]
"""Sends the client of one link away: has it closed or dropped, with a last word perhaps."""

Renewed: TypeAlias = Callable[[str, str, str], None]
"""Is told of a renewed certificate: its path, its fingerprint, or why it is not used."""

_DRAIN_SIZE = 64 * 1024
_TLS_TURNS = 4


class Reception:
    """Settings, admission and register of one server; ``applied`` is set by the next ``apply()``.

    Raises:
        OSError: if the certificate or its key cannot be used.
    """

    def __init__(self, settings: ServerSettings, app: App, gate: Gate) -> None:
        self.applied = trio.Event()
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
        self.renewed: Renewed = _unheard
        self.cut = 0
        self.heads: set[trio.CancelScope] = set()
        self.handshakes = trio.CapacityLimiter(settings.handshakes)
        # A step of a TLS handshake is some ten times the work of opening a WebSocket.
        self.tls_turns = trio.CapacityLimiter(max(1, settings.handshakes // _TLS_TURNS))
        self.tls: ssl.SSLContext | None = None
        self.mark: Mark = ()
        self.admission = Admission(_admission_limits(settings))
        self.throttle = Throttle(allotments(settings.limits))
        self.apply(settings)

    def apply(self, settings: ServerSettings) -> None:
        """Put ``settings`` in force for what comes after; nothing changes if they cannot be.

        Raises:
            OSError: if the certificate or its key cannot be used.
            ValueError: if a trusted proxy is no address.
        """
        proxies = TrustedProxies(settings.trusted_proxies)
        mark, tls = mark_of(settings), context_of(settings)
        self.settings = settings
        self.applied.set()
        self.applied = trio.Event()
        self.proxies = proxies
        self.mark, self.tls = mark, tls
        self.ends_at = _end_of(settings)
        self.http_limits = HttpLimits(
            settings.head_size, settings.body_size, settings.head_timeout, settings.idle_timeout
        )
        self.limits = Limits(settings.outbox_size, settings.outbox_critical, settings.credit, settings.frame_age)
        self.admission.limits = _admission_limits(settings)
        self.throttle.limits = allotments(settings.limits)
        self.origins = Origins(settings.origins)

    def renew(self) -> None:
        """Take the certificate's files as they are now, for who comes after.

        Raises:
            OSError: if they cannot be used; nothing has changed then.
        """
        # First, because what is written meanwhile is to be found later; and what fails is not tried again.
        self.mark = mark_of(self.settings)
        self.tls = context_of(self.settings)
        self.ends_at = _end_of(self.settings)

    # -- who comes in -----------------------------------------------------------------------------------------

    def enter(self, peer: ClientAddress) -> tuple[Entry, ProtocolError | None]:
        """Decide about a TCP connection from ``peer``: its place, and why it is refused if it is."""
        self.accepted += 1
        entry = self.admission.enter()
        if entry is not Entry.SERVED:
            return entry, self._refuse(connection_refusal(), "limit", peer)
        if self.proxies.trusts(peer.host):
            return entry, None
        refusal = self._hasty(self.allow(peer).handshake(trio.current_time()), peer) or self.admission.claim(peer)
        if refusal is None:
            return entry, None
        return self.admission.demote(), self._refuse(refusal, "address", peer)

    def allow(self, client: ClientAddress) -> Allowance:
        """What a connection of ``client`` may take."""
        is_exempt = self.settings.exempt_loopback and not client.proxied and client.is_loopback
        return self.throttle.allow("" if is_exempt else address_key(client.host))

    def claim(self, client: ClientAddress) -> None:
        """Take a place of a proxied client's address.

        Raises:
            ProtocolError: 429, if it has none left.
        """
        refusal = self.admission.claim(client)
        if refusal is not None:
            raise self._refuse(refusal, "address", client)

    def check_pace(self, allowance: Allowance, client: ClientAddress) -> None:
        """Let nobody open WebSockets faster than an address may that comes through a proxy.

        Raises:
            ProtocolError: 429, if its address is too fast.
        """
        refusal = self._hasty(allowance.handshake(trio.current_time()), client)
        if refusal is not None:
            raise self._refuse(refusal, "address", client)

    def identify(self, allowance: Allowance, user: str, tenant: str, client: ClientAddress) -> None:
        """Count one more connection of a user and a tenant.

        Raises:
            ProtocolError: 429, if one of them has as many as it may.
        """
        excess = allowance.identify(user, tenant)
        if excess is not None:
            raise self._refuse(refusal_of(excess, client.host), str(excess.holder), client)

    def check_origin(self, headers: Mapping[str, str], client: ClientAddress) -> None:
        """Open no WebSocket to a web page that is neither ours nor listed.

        Raises:
            ProtocolError: 403.
        """
        try:
            self.origins.check(headers)
        except ProtocolError as refusal:
            raise self._refuse(refusal, "origin", client) from None

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

    def _hasty(self, excess: Excess | None, client: ClientAddress) -> ProtocolError | None:
        return None if excess is None else refusal_of(excess, client.host)

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


def _unheard(path: str, fingerprint: str, fault: str) -> None:
    """Where nobody wants to know of a renewed certificate."""
    del path, fingerprint, fault


def _end_of(settings: ServerSettings) -> float | None:
    """Until when the certificate is good that is shown; None where there is none, or nobody can say."""
    if settings.certificate is None or settings.key is None:
        return None
    with suppress(OSError, ValueError):
        return ends_at(settings.certificate)
    return None
