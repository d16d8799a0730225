"""The ledger portal's dialect: its live stream, its five DTO streams, and the doors to them.

Rules of this file:

* No I/O, no clock. A client may send anything: every message gets an answer in words, none ends the connection.
* The live stream greets, then follows ``tps_updates`` by itself; the other channels on request. A repeated subscribe
  is confirmed again and changes nothing; an unsubscribe ends the updates and is confirmed.
* No client of the live stream asks again after a reconnect. Who returns follows what it followed when it was last here,
  and is told so in the greeting (``restored``); who never asked for anything follows the default.
* A command is read wherever one of the client generations puts it: flat, under ``payload`` or under ``data``, and
  without a ``type`` of its own (the web client wraps what it sends in ``{channel, data}``).
* The DTO streams only tell: what a client says there is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Protocol

from domain import JsonObject, JsonValue, Priority, Recollection
from domain.chain import milliseconds
from transport.codec import CodecError, decode_json
from transport.dialects.portal_frames import encode_chain, encode_live, encode_metrics, encode_transaction, live_frame
from transport.encoder import Encoder
from transport.frames import text_frame
from transport.session import Send, Session, Step, Subscribe, Unsubscribe

LIVE_CHANNELS: Mapping[str, str] = MappingProxyType(
    {
        "tps_updates": "portal/tps",
        "block_updates": "portal/blocks",
        "network_status": "portal/network",
        "validator_metrics": "portal/validators",
    }
)
"""The channels of the live stream by the names that clients give them."""

DEFAULT_CHANNELS = ("tps_updates",)
"""What is followed by who never asked for anything."""

# A client's word in an error is cut here: it must recognise it, we need not repeat it whole.
_ECHO_LIMIT = 64

_NOT_UNDERSTOOD = "Invalid message format"
_NO_CHANNEL = "Channel not specified"
_KNOWN_CHANNELS = f"one of {', '.join(LIVE_CHANNELS)}"
_COMMANDS = "type is one of subscribe, unsubscribe, ping"


class _Refused(Exception):
    """The client's message is not understood: what it says, and what is taken instead."""

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(error)
        self.error = error
        self.detail = detail


class LiveStreamSession:
    """One connection to ``/api/v11/live/stream``; ``recollection`` is what is known of its client."""

    __slots__ = ("_connection_id", "_followed", "_recollection")

    def __init__(self, connection_id: str, recollection: Recollection | None = None) -> None:
        self._connection_id = connection_id
        self._recollection = recollection
        self._followed: set[str] = set()

    def opened(self, at: float) -> list[Step]:
        """Greet, and begin with the newest update of each channel."""
        greeting: dict[str, JsonValue] = {"connectionId": self._connection_id, "timestamp": milliseconds(at)}
        names: Sequence[str] = DEFAULT_CHANNELS
        had = None if self._recollection is None else self._recollection.names
        if had is not None:
            names = [name for name in LIVE_CHANNELS if name in had]
            greeting["restored"] = list(names)
        return [_reply("connection_established", greeting, at), *chain.from_iterable(map(self._follow, names))]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Do what the client asks, or say why not."""
        try:
            return self._obey(_command(message), at)
        except _Refused as refused:
            return [_reply("error", {"error": refused.error, "detail": refused.detail}, at)]

    def _obey(self, command: JsonObject, at: float) -> list[Step]:
        verb = command.get("type")
        if not isinstance(verb, str):
            raise _Refused(_NOT_UNDERSTOOD, _COMMANDS)
        if verb == "ping":
            return [_reply("pong", {"timestamp": milliseconds(at)}, at)]
        if verb == "subscribe":
            name = _channel(command)
            confirmation = {"channel": name, "status": "subscribed"}
            steps = self._follow(name)
            self._note(at)
            return [_reply("subscription_confirmed", confirmation, at), *steps]
        if verb == "unsubscribe":
            name = _channel(command)
            confirmation = {"channel": name, "status": "unsubscribed"}
            steps = self._leave(name)
            self._note(at, left=name)
            return [*steps, _reply("unsubscription_confirmed", confirmation, at)]
        raise _Refused(f"Unknown message type: {verb[:_ECHO_LIMIT]}", _COMMANDS)

    def _note(self, at: float, left: str = "") -> None:
        if self._recollection is not None:
            self._recollection.note(self._followed, at, left)

    def _follow(self, name: str) -> list[Step]:
        if name in self._followed:
            return []
        self._followed.add(name)
        return [Subscribe(LIVE_CHANNELS[name], encode_live, latest=1)]

    def _leave(self, name: str) -> list[Step]:
        if name not in self._followed:
            return []
        self._followed.remove(name)
        return [Unsubscribe(LIVE_CHANNELS[name])]


class TellingSession:
    """One connection to a stream that only tells: follows its channel, ignores what the client says."""

    __slots__ = ("_subscription",)

    def __init__(self, subscription: Subscribe) -> None:
        self._subscription = subscription

    def opened(self, at: float) -> list[Step]:
        """Follow the stream's channel."""
        del at
        return [self._subscription]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Nothing: this stream takes no commands."""
        del message, at
        return []


class Opening(Protocol):
    """Makes the session of a new connection."""

    def __call__(self, connection_id: str, recollection: Recollection | None = None, /) -> Session:
        """The session, given the connection's id and what is known of its client."""


@dataclass(frozen=True, slots=True)
class Door:
    """A path that clients connect to: what it is counted as, what is followed at once, and who speaks there."""

    path: str
    word: str
    channels: tuple[str, ...]
    encode: Encoder
    open: Opening


def _telling_door(word: str, channel: str, encode: Encoder, latest: int = 0) -> Door:
    subscription = Subscribe(channel, encode, latest)
    return Door(f"/ws/{word}", word, (channel,), encode, lambda _id, _recollection=None: TellingSession(subscription))


DOORS: Mapping[str, Door] = MappingProxyType(
    {
        door.path: door
        for door in (
            Door("/api/v11/live/stream", "live", ("portal/tps",), encode_live, LiveStreamSession),
            # Periodic, so its newest publication is now; on the others an old event would look like a new one.
            _telling_door("metrics", "portal/metrics", encode_metrics, latest=1),
            _telling_door("transactions", "chain/transactions", encode_transaction),
            _telling_door("validators", "chain/validators", encode_chain),
            _telling_door("consensus", "chain/consensus", encode_chain),
            _telling_door("network", "chain/peers", encode_chain),
        )
    }
)
"""The portal's doors by path."""


def _reply(type_: str, fields: JsonObject, at: float) -> Send:
    return Send(text_frame(live_frame(type_, fields, at), Priority.HIGH))


def _command(message: str | bytes) -> JsonObject:
    """The object that holds the client's command.

    Raises:
        _Refused: if there is none.
    """
    try:
        value = decode_json(message)
    except CodecError as error:
        raise _Refused(_NOT_UNDERSTOOD, str(error)) from None
    if not isinstance(value, Mapping):
        raise _Refused(_NOT_UNDERSTOOD, "a message is a JSON object")
    wrapped = value.get("data")
    # The web client wraps all it sends in {channel, data, timestamp}; the command is what is inside.
    return wrapped if value.get("type") is None and isinstance(wrapped, Mapping) else value


def _channel(command: JsonObject) -> str:
    """The channel that ``command`` is about.

    Raises:
        _Refused: if it names none of ours.
    """
    name = _named_channel(command)
    if name is None or name == "":
        raise _Refused(_NO_CHANNEL, f"channel is {_KNOWN_CHANNELS}")
    if not isinstance(name, str):
        raise _Refused(_NOT_UNDERSTOOD, "channel is a string")
    if name not in LIVE_CHANNELS:
        raise _Refused(f"Unknown channel: {name[:_ECHO_LIMIT]}", f"channel is {_KNOWN_CHANNELS}")
    return name


def _named_channel(command: JsonObject) -> JsonValue:
    # Inside first: a client that wraps puts the name of its socket outside.
    for place in ("payload", "data"):
        inner = command.get(place)
        if isinstance(inner, Mapping) and inner.get("channel") is not None:
            return inner["channel"]
    return command.get("channel")
