"""Who is let in: how many connections in all, and how many of one address.

Rules of this file: plain counting, no I/O and no clock. The server asks at two moments:

* ``enter()`` when a TCP connection was accepted: one place of all there are, given back by ``leave()``. Past the limit
  a bounded reserve of places exists for connections that are only told why they are refused (503, 429); past the
  reserve a connection is turned away at once.
* ``claim()`` when it is known who the client is: one place of that address, given back by ``release()``. A direct
  client is known by its socket and holds its place as long as the socket; a client behind a proxy is known by each
  request and holds its place for that request, or for its WebSocket.

Refused means refused at the handshake: nobody is accepted and then closed.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from domain import address_key
from transport.addresses import ClientAddress
from transport.codes import ProtocolError

CONNECTION_RETRY = 5
"""Seconds after which a client may try again when all places were taken."""

ADDRESS_RETRY = 10
"""Seconds after which a client may try again when its address had too many."""


class Entry(Enum):
    """What becomes of a TCP connection: served, told why not, or closed unheard."""

    SERVED = "served"
    REFUSED = "refused"
    TURNED_AWAY = "turned away"


class AdmissionLimits(msgspec.Struct, frozen=True):
    """``connections`` in all and ``per_address`` at once; ``reserve`` more only to be refused politely.

    With ``exempt_loopback`` a client on this machine that came through no proxy is not counted by address.
    """

    connections: int
    per_address: int
    exempt_loopback: bool = True
    reserve: int = 64


class AdmissionStatistics(msgspec.Struct, frozen=True):
    """Places taken now, and the most that one address holds."""

    connections: int
    refusing: int
    addresses: int
    busiest: int


class Admission:
    """Counts connections; ``limits`` may be replaced while it runs and holds for those that come after."""

    __slots__ = ("_by_address", "_connections", "_refusing", "limits")

    def __init__(self, limits: AdmissionLimits) -> None:
        self.limits = limits
        self._connections = 0
        self._refusing = 0
        # A proxied client and a direct one of the same address are two: one is told by a socket, one by a proxy.
        self._by_address: dict[tuple[str, bool], int] = {}

    def enter(self) -> Entry:
        """Take a place for a TCP connection; give it back with ``leave()`` unless it was turned away."""
        if self._connections < self.limits.connections:
            self._connections += 1
            return Entry.SERVED
        return self._enter_reserve()

    def demote(self) -> Entry:
        """Move a served connection to the reserve, because it is only to be told why it is refused.

        When the reserve is full its place is gone and it must be turned away.
        """
        self._connections -= 1
        return self._enter_reserve()

    def leave(self, entry: Entry) -> None:
        """Give back what ``enter()`` or ``demote()`` took."""
        if entry is Entry.SERVED:
            self._connections -= 1
        elif entry is Entry.REFUSED:
            self._refusing -= 1

    def claim(self, client: ClientAddress) -> ProtocolError | None:
        """Take a place of this client's address, or say why there is none."""
        key = (address_key(client.host), client.proxied)
        held = self._by_address.get(key, 0)
        # Who is exempt is counted all the same, so that what is given back was always taken.
        if held >= self.limits.per_address and not self._is_exempt(client):
            return address_refusal(self.limits.per_address)
        self._by_address[key] = held + 1
        return None

    def release(self, client: ClientAddress) -> None:
        """Give back what ``claim()`` took."""
        key = (address_key(client.host), client.proxied)
        held = self._by_address[key] - 1
        if held:
            self._by_address[key] = held
        else:
            del self._by_address[key]

    def statistics(self) -> AdmissionStatistics:
        """The counts at this moment."""
        by_address = self._by_address
        busiest = max(by_address.values(), default=0)
        return AdmissionStatistics(self._connections, self._refusing, len(by_address), busiest)

    def _enter_reserve(self) -> Entry:
        if self._refusing < self.limits.reserve:
            self._refusing += 1
            return Entry.REFUSED
        return Entry.TURNED_AWAY

    def _is_exempt(self, client: ClientAddress) -> bool:
        return self.limits.exempt_loopback and not client.proxied and client.is_loopback


def connection_refusal() -> ProtocolError:
    """What a client is told when every place is taken."""
    return ProtocolError(
        503,
        f"every connection this gateway has room for is taken; try again in {CONNECTION_RETRY} s",
        retry_after=CONNECTION_RETRY,
    )


def draining_refusal() -> ProtocolError:
    """What a client is told when the gateway takes nobody more because it is about to stop."""
    return ProtocolError(503, "this gateway is about to restart; come back in a moment", retry_after=CONNECTION_RETRY)


def address_refusal(limit: int) -> ProtocolError:
    """What a client is told when its address holds ``limit`` connections already."""
    return ProtocolError(
        429,
        f"this address holds {limit} connections, all that one may have; close some and try again in {ADDRESS_RETRY} s",
        retry_after=ADDRESS_RETRY,
        members={"limit": limit},
    )
