"""CloudEvents over WebSocket: one event a text message, receive only.

Rules of this file: no I/O. The channels come from the query string (``?channel=equipment/*&channel=alarms/*``), and
``latest`` says how many of a channel's newest events come first, once for all of them or once for each. PROTOCOL,
subprotocol ``cloudevents.json``; CloudEvents WebSockets protocol binding 1.0.2, section 3 (structured content mode).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain import JsonValue, Publication, is_channel, is_tree
from transport.codec import encode_json
from transport.encoder import Encoder
from transport.session import Close, Step, Subscribe

SUBPROTOCOL = "cloudevents.json"
CHANNEL_LIMIT = 64
LATEST_LIMIT = 1000

_PROTOCOL_ERROR = 4002


class QueryFault(ValueError):
    """A query string that asks for no channel, for too many, or for one that cannot be."""


def members_of(publication: Publication) -> dict[str, JsonValue]:
    """The event of ``publication`` with its place on its channel and, if it is critical, in the log of those."""
    # What was read back from the journal has no place on its channel any more.
    offset = publication.position if publication.offset else None
    critical = None if publication.critical is None else str(publication.critical)
    return publication.event.to_members(publication.channel, offset, critical)


def _payload(publication: Publication) -> bytes:
    return encode_json(members_of(publication))


def _sampled(publication: Publication, rate: int) -> bytes:
    return encode_json(members_of(publication) | {"sampledrate": rate})


encode = Encoder(_payload, sampled=_sampled)
"""The event with its channel and position, in the JSON event format (CloudEvents 1.0.2, section 3)."""


class CloudEventsSession:
    """Follows ``channels`` from the moment it opens, and takes no commands."""

    __slots__ = ("_latest",)

    def __init__(self, latest: Mapping[str, int]) -> None:
        self._latest = latest

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> CloudEventsSession:
        """The session that a query string asks for; ``latest`` stands once for all channels, or once for each.

        Raises:
            QueryFault: if it names no channel, too many, a name that is none, or a ``latest`` that is no count.
        """
        channels = query.get("channel", ())
        if not channels:
            raise QueryFault("name the channels to follow: /stream?channel=equipment/*&channel=alarms/*")
        if len(channels) > CHANNEL_LIMIT:
            raise QueryFault(f"at most {CHANNEL_LIMIT} channels on one connection")
        for channel in channels:
            if not is_channel(channel) and not is_tree(channel):
                raise QueryFault(f"{channel[:64]!r} is no channel: kind/path, or kind/* for all below")
        counts = [_latest(text) for text in query.get("latest") or ("1",)]
        if len(counts) == 1:
            counts *= len(channels)
        if len(counts) != len(channels):
            raise QueryFault("latest stands once for all channels, or once for each in their order")
        return cls(dict(zip(channels, counts, strict=True)))

    @property
    def channels(self) -> Sequence[str]:
        """What it follows."""
        return tuple(self._latest)

    def opened(self, at: float) -> list[Step]:
        """Follow every channel that was asked for."""
        del at
        return [Subscribe(channel, encode, latest) for channel, latest in self._latest.items()]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Close: there are no commands here, a client that sends one has mistaken the door."""
        del message, at
        return [Close(_PROTOCOL_ERROR, "cloudevents.json takes no commands")]


def _latest(text: str) -> int:
    # The length first: a number of thousands of digits is not even converted.
    if len(text) > len(str(LATEST_LIMIT)) or not text.isascii() or not text.isdigit() or int(text) > LATEST_LIMIT:
        raise QueryFault(f"latest is a count from 0 to {LATEST_LIMIT}")
    return int(text)
