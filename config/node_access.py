"""What lets us in at a node: headers that are secret.

Rules of this file: what is wrong is said without a word of the secret. Values of headers are visible ASCII (RFC 9110,
5.5); a header that belongs to the connection itself is none of the operator's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from config.relation import Broken
from config.secrets import Secret

HEADERS_LIMIT = 32

_LINE = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}):[ \t]*([!-~](?:[ -~]*[!-~])?)", re.ASCII)
_OURS = frozenset({"connection", "content-length", "content-type", "host", "transfer-encoding", "upgrade"})


def headers_of(secret: Secret | None) -> dict[str, str]:
    """The headers that ``secret`` writes, one ``Name: value`` a line, by their lower-case names.

    Raises:
        ValueError: if it writes something else; the text says what is expected, and nothing of what is there.
    """
    found: dict[str, str] = {}
    lines = [] if secret is None else [line.strip() for line in secret.reveal().splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        header = _LINE.fullmatch(line)
        if header is None:
            raise ValueError(f"one header a line, such as Authorization: Bearer TOKEN; line {number} is none")
        name = header[1].lower()
        if name in _OURS or name.startswith("sec-websocket-"):
            raise ValueError(f"headers that do not belong to the connection itself, as {name} does")
        if name in found:
            raise ValueError(f"each header once, and {name} is there twice")
        found[name] = header[2]
    if len(found) > HEADERS_LIMIT:
        raise ValueError(f"at most {HEADERS_LIMIT} headers")
    return found


def is_in_clear(address: str) -> bool:
    """Whether what is sent to ``address`` can be read on its way: it goes to another machine, without TLS."""
    parts = urlsplit(address)
    if parts.scheme in ("https", "wss"):
        return False
    try:
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname != "localhost"


def access_faults(sources: Mapping[str, msgspec.Struct]) -> Iterator[Broken]:
    """What nodes of ``sources`` name as their headers is that."""
    for name, source in sources.items():
        nodes = getattr(source, "nodes", ())
        for number, node in enumerate(nodes if isinstance(nodes, tuple) else (), 1):
            expected = _headers_fault(node)
            if expected:
                yield Broken((f"sources.{name}.nodes",), f"of node {number}, {expected}")


def _headers_fault(node: object) -> str:
    try:
        headers_of(getattr(node, "headers", None))
    except ValueError as error:
        return f"headers_file: {error}"
    return ""
