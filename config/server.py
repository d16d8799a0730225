"""The settings of the one port, ``[server]``: where it is, how it is secured, and what it lets in.

Rules of this file: it is a table. What one client, user or tenant may take of the port is in ``limits``.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from config import rules
from config.limits import LimitSettings
from config.meta import KIB, MIB, means, seconds, size
from config.secrets import Secret


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The one port for HTTP and WebSocket, and what it lets in."""

    listen: Annotated[
        str, means("Where to listen; port 0 takes a free one", unit="HOST:PORT", rule=rules.listen_address)
    ] = "127.0.0.1:9003"
    certificate: Annotated[
        str | None, means("TLS certificate chain, PEM; with `key`", unit="path", reload=True, rule=rules.readable_file)
    ] = None
    key: Annotated[
        str | None, means("Private key of the certificate, PEM", unit="path", reload=True, rule=rules.readable_file)
    ] = None
    key_password: Annotated[Secret | None, means("Password of the private key, if it has one", reload=True)] = None
    client_ca: Annotated[
        str | None,
        means("Who signs the certificates of clients, PEM", unit="path", reload=True, rule=rules.readable_file),
    ] = None
    client_certificates: Annotated[
        Literal["none", "optional", "required"],
        means("Whether clients show a certificate; with `client_ca`", reload=True),
    ] = "none"
    origins: Annotated[
        tuple[str, ...],
        means(
            "Pages of other origins that a browser may show this gateway to; `*`: any",
            unit="origins",
            reload=True,
            rule=rules.origins,
        ),
    ] = ()
    limits: Annotated[LimitSettings, means("What one connection, address, user or tenant may take", reload=True)] = (
        LimitSettings()
    )
    head_size: Annotated[int, size("Largest request head (431)", 1 * KIB, 1 * MIB)] = 16 * KIB
    body_size: Annotated[int, size("Largest request body (413)", 1 * KIB, 64 * MIB)] = 1 * MIB
    head_timeout: Annotated[float, seconds("Time for a request head to arrive, TLS included (408)")] = 10.0
    idle_timeout: Annotated[float, seconds("How long an HTTP connection is kept without a request")] = 60.0
    message_size: Annotated[int, size("Largest inbound WebSocket message (1009)", 1 * KIB, 1 * MIB)] = 64 * KIB
    connections: Annotated[
        int, means("Connections in all (503)", unit="connections", within=(1, 1_000_000), reload=True)
    ] = 12_000
    connections_per_address: Annotated[
        int, means("Connections of one address (429)", unit="connections", within=(1, 1_000_000), reload=True)
    ] = 100
    handshakes: Annotated[
        int, means("Handshakes at a time; the others wait their turn", unit="handshakes", within=(1, 1024))
    ] = 16
    trusted_proxies: Annotated[
        tuple[str, ...],
        means(
            "Proxies whose word on the client's address is believed",
            unit="addresses or CIDR",
            reload=True,
            rule=rules.networks,
        ),
    ] = ()
    exempt_loopback: Annotated[bool, means("Loopback without a proxy has no limit per address", reload=True)] = True
    connect_timeout: Annotated[
        float, seconds("Time for a client of the native protocol to introduce itself (4003)")
    ] = 10.0
    ping_interval: Annotated[float, seconds("Time between WebSocket pings to a quiet client")] = 10.0
    dead_after: Annotated[float, seconds("Silence after which a link is dead; more than `ping_interval`")] = 15.0
    drain_timeout: Annotated[
        float, seconds("Time for clients to leave before the daemon stops", least=0, reload=True)
    ] = 20.0
    restart_time: Annotated[
        float, seconds("Time a restart takes; no client is told to return sooner", least=0, reload=True)
    ] = 2.0
    notsent_lowat: Annotated[
        int, size("Unsent bytes the kernel may take per socket; less on slow links", 1 * KIB, 4 * MIB)
    ] = 16 * KIB
    outbox_size: Annotated[int, size("Frames waiting for one client, critical ones apart", 16 * KIB, 64 * MIB)] = (
        256 * KIB
    )
    credit: Annotated[
        int, size("Bytes below critical in flight to one client; a critical event waits behind no more", 4 * KIB, MIB)
    ] = 32 * KIB
    frame_age: Annotated[float, seconds("How long what is not urgent may wait for a client")] = 60.0
    outbox_critical: Annotated[
        int,
        means(
            "Critical frames waiting for one client before it is closed (4202)", unit="frames", within=(1, 1_000_000)
        ),
    ] = 10_000
