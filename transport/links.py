"""A link to a node, as plain values: where it leads, what bounds it, how it ended.

Rules of this file: no library, no I/O. A message names the node by where it is, never by its whole address.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec

from transport.refusals import place_of

_SCHEMES = {"ws": False, "http": False, "wss": True, "https": True}

Ending = Literal["closed", "cut", "silent", "oversized", "garbled", "behind"]

_ADVICE: dict[Ending, str] = {
    "closed": "the node ended it",
    "cut": "the node, or what stands before it, is gone",
    "silent": "the node is hung, or its network is gone",
    "oversized": "whoever subscribed must subscribe to less",
    "garbled": "what the node sent is no WebSocket",
    "behind": "this machine is too slow for what was subscribed to",
}


class LinkLimits(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds.

    ``deadline`` is for the opening. After ``ping_interval`` without a byte the node is asked for a pong; it has
    ``patience`` to say anything. A message is at most ``message_size``; ``waiting_count`` messages of together
    ``waiting_size`` may wait to be taken, one of any size always.
    """

    deadline: float = 10.0
    ping_interval: float = 10.0
    patience: float = 10.0
    message_size: int = 64 * 1024 * 1024
    waiting_count: int = 10_000
    waiting_size: int = 64 * 1024 * 1024


class Closed(Exception):
    """A link has ended. ``code`` and ``reason`` are of its Close frame, 1006 where there was none.

    ``ending`` is one of few words: who ended it, and why.
    """

    def __init__(self, place: str, ending: Ending, code: int, reason: str) -> None:
        super().__init__(f"{place}: the link ended with {code}{f': {reason}' if reason else ''}; {_ADVICE[ending]}")
        self.place = place
        self.ending = ending
        self.code = code
        self.reason = reason


class LinkStatistics(msgspec.Struct, frozen=True):
    """``waiting`` messages wait to be taken; ``received`` and ``sent`` count since the opening. Sizes are in bytes."""

    waiting: int
    waiting_size: int
    received: int
    received_size: int
    sent: int


class Target(msgspec.Struct, frozen=True):
    """An address taken apart: ``named`` is the host as the request names it, ``headers`` what it has with it."""

    place: str
    host: str
    port: int
    is_secret: bool
    named: str
    resource: str
    headers: list[tuple[bytes, bytes]]

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str]) -> Target:
        """Where ``url`` leads; a name and a password in it become a header (RFC 7617).

        Raises:
            ValueError: if it leads nowhere.
        """
        parts = urlsplit(url)
        place = place_of(url)
        if parts.scheme not in _SCHEMES:
            raise ValueError("a link is opened to ws or wss")
        is_secret = _SCHEMES[parts.scheme]
        sent = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            sent.append((b"authorization", b"Basic " + base64.b64encode(pair)))
        port = parts.port or (443 if is_secret else 80)
        resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(place, parts.hostname or "", port, is_secret, parts.netloc.rpartition("@")[2], resource, sent)
