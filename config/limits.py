"""The settings of what one connection, address, user or tenant may take of the gateway, ``[server.limits]``.

Rules of this file: it is a table; 0 is no limit. A rate is a mean a second: who was quiet before may have two seconds
of it at once, and a handshake its own number. An address is an IPv4 address or an IPv6 network of 64 bits, which is
what one household gets. How many connections an address may hold is ``server.connections_per_address``.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from config.meta import KIB, MIB, means

_MOST = 1_000_000_000


def _count(meaning: str, unit: str) -> msgspec.Meta:
    return means(meaning, unit=unit, within=(0, _MOST), reload=True)


_Commands = Annotated[
    float, _count("HTTP requests (429) and commands on WebSockets (error 111, or they wait)", "a second")
]
_Subscriptions = Annotated[int, _count("Subscriptions (error 106, or close 1008)", "subscriptions")]
_Bytes = Annotated[float, _count("What is read of them; the rest waits at their end", "bytes a second")]


class ConnectionLimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One WebSocket. Commands of the native protocol have a pace of their own (docs/protocol.md)."""

    messages: Annotated[
        float, _count("Messages of a client at the doors of the portal and the floor (close 1008)", "a second")
    ] = 100.0
    frames: Annotated[
        float, _count("Pings, and pieces of messages that do not come in one (close 4103 or 1008)", "a second")
    ] = 50.0
    bytes: Annotated[float, _count("What is read of a client; the rest waits at its end", "bytes a second")] = float(
        1 * MIB
    )


class AddressLimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All clients of one address; those on this machine are exempt with `server.exempt_loopback`."""

    handshakes: Annotated[
        float, _count("Connections opened, and WebSockets of clients behind a proxy (429)", "a second")
    ] = 10.0
    handshakes_at_once: Annotated[int, _count("How many of them at once after quiet", "handshakes")] = 200
    commands: _Commands = 500.0
    subscriptions: _Subscriptions = 5_000
    bytes: _Bytes = float(4 * MIB)


class UserLimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All clients of one proved user, wherever they are."""

    connections: Annotated[int, _count("WebSockets (429); the portal's predecessor had 5", "connections")] = 0
    commands: _Commands = 500.0
    subscriptions: _Subscriptions = 5_000
    bytes: _Bytes = float(4 * MIB)


class TenantLimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All clients of one tenant: no limit, unless one is set."""

    connections: Annotated[int, _count("WebSockets (429)", "connections")] = 0
    commands: _Commands = 0.0
    subscriptions: _Subscriptions = 0
    bytes: _Bytes = 0.0


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What one connection, address, user or tenant may take."""

    connection: Annotated[ConnectionLimitSettings, means("Of one WebSocket", reload=True)] = ConnectionLimitSettings()
    address: Annotated[AddressLimitSettings, means("Of one address", reload=True)] = AddressLimitSettings()
    user: Annotated[UserLimitSettings, means("Of one user", reload=True)] = UserLimitSettings()
    tenant: Annotated[TenantLimitSettings, means("Of one tenant", reload=True)] = TenantLimitSettings()
    remembered: Annotated[
        int,
        means(
            "Addresses, and users, of which it is remembered how fast they were; the quietest go first",
            unit="addresses",
            within=(1 * KIB, 1 * MIB),
            reload=True,
        ),
    ] = 65_536
