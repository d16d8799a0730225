"""Who a client is: the address of its socket, or the one that a trusted proxy gives for it.

Rules of this file: pure, and nothing a stranger writes is believed.

* A forwarding header counts only if the peer of the socket is a trusted proxy.
* The hops are walked from the right, the end that the nearest proxy wrote. Each hop is believed only as far as the
  one that reported it is trusted; the first address that is no trusted proxy is the client.
* What is no address (``unknown``, ``_hidden``, garbage) ends the walk at the hop that reported it.
* ``X-Forwarded-For`` wins over ``Forwarded`` (RFC 7239): of the two a proxy must remove the one that it does not write.
* An IPv4 address is the same client whether it comes as IPv4 or mapped into IPv6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# A proxy chain is short; who sends more makes us work for nothing.
_HOP_LIMIT = 32
_PORT_LIMIT = 65535

# One ``name=value`` of RFC 7239, the value a token or a quoted string.
_PAIR = re.compile(r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s";,]*)\s*""")


class ClientAddress(msgspec.Struct, frozen=True):
    """Where a client is. ``port`` is 0 when it is not known; a Unix socket's host is ``local``."""

    host: str
    port: int = 0
    proxied: bool = False

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, as far as the address tells."""
        if self.host == _LOCAL:
            return True
        address = _parse_address(self.host)
        return address is not None and address.is_loopback

    def __str__(self) -> str:
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_LOCAL = "local"


class Origin(msgspec.Struct, frozen=True):
    """What the headers of one request add: its client, and whether that spoke TLS to the first proxy."""

    client: ClientAddress
    secure: bool


class TrustedProxies:
    """The proxies whose word about a client is taken: addresses and networks in CIDR form.

    Raises:
        ValueError: if one of ``trusted`` is neither; the text names it.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._networks: tuple[Network, ...] = tuple(ip_network(text.strip(), strict=False) for text in trusted)

    def trusts(self, host: str) -> bool:
        """Whether ``host`` is one of the proxies."""
        if not self._networks:
            return False
        address = _parse_address(host)
        return address is not None and any(address in network for network in self._networks)

    def origin(self, peer: ClientAddress, headers: Mapping[str, str], *, secure: bool) -> Origin:
        """Who sent a request with ``headers`` (lower-case names) that came from ``peer``, over TLS if ``secure``."""
        if not self._networks or not self.trusts(peer.host):
            return Origin(peer, secure)
        hops, proto = _forwarding(headers)
        client = peer
        for hop in hops:
            if not self.trusts(client.host):
                break
            reported = parse_hop(hop)
            if reported is None:
                break
            client = reported
        return Origin(client, secure if proto is None else proto == "https")


def peer_address(name: object) -> ClientAddress:
    """The client at the other end of a socket, from what ``getpeername()`` or ``accept()`` gave."""
    if isinstance(name, tuple) and len(name) >= 2:  # noqa: PLR2004 - host and port, then what IPv6 adds
        host, port = name[:2]
        if isinstance(host, str) and isinstance(port, int):
            return ClientAddress(_normal(host), port)
    return ClientAddress(_LOCAL)


def parse_hop(text: str) -> ClientAddress | None:
    """The address in one hop: ``1.2.3.4``, ``1.2.3.4:80``, ``2001:db8::1``, ``[2001:db8::1]:80``; None for the rest."""
    text = text.strip().strip('"').strip()
    host, port = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return None
        port = rest[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    address = _parse_address(host)
    if address is None:
        return None
    return ClientAddress(str(address), _parse_port(port), proxied=True)


def _parse_address(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _normal(host: str) -> str:
    address = _parse_address(host)
    return host if address is None else str(address)


def _parse_port(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= len(str(_PORT_LIMIT)):
        port = int(text)
        return port if port <= _PORT_LIMIT else 0
    return 0


def _forwarding(headers: Mapping[str, str]) -> tuple[list[str], str | None]:
    """The hops, nearest first, and the scheme that the nearest proxy was spoken to with."""
    listed = headers.get("x-forwarded-for")
    if listed is not None:
        proto = headers.get("x-forwarded-proto")
        hops = listed.rsplit(",", _HOP_LIMIT)[-_HOP_LIMIT:]
        return hops[::-1], None if proto is None else proto.rpartition(",")[2].strip().lower()
    standard = headers.get("forwarded")
    if standard is not None:
        elements = list(_elements(standard))[-_HOP_LIMIT:]
        proto = elements[-1].get("proto") if elements else None
        return [element.get("for", "") for element in reversed(elements)], None if proto is None else proto.lower()
    proto = headers.get("x-forwarded-proto")
    return [], None if proto is None else proto.rpartition(",")[2].strip().lower()


def _elements(text: str) -> Iterator[dict[str, str]]:
    """The elements of a ``Forwarded`` header; one that cannot be read is empty, so that the walk ends there."""
    element: dict[str, str] = {}
    broken = False
    position = 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            broken = True
            position = _next_separator(text, position)
        else:
            element[match[1].lower()] = _unquote(match[2])
            position = match.end()
        separator = text[position : position + 1]
        position += 1
        if separator == ",":
            yield {} if broken else element
            element, broken = {}, False
        elif separator not in {";", ""}:
            broken = True
            position = _next_separator(text, position)
    yield {} if broken else element


def _next_separator(text: str, position: int) -> int:
    while position < len(text) and text[position] not in ",;":
        position += 1
    return position


def _unquote(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
