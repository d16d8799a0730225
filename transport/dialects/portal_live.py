"""The portal's live stream: its channels, its commands, and who returns to it.

Rules of this file:

* No I/O, no clock. A client may send anything: every message gets an answer in words, none ends the connection.
* The live stream greets, then follows ``tps_updates`` by itself; the other channels on request. A repeated subscribe
  is confirmed again and changes nothing; an unsubscribe ends the updates and is confirmed.
* No client of the live stream asks again after a reconnect. Who returns follows what it followed when it was last here,
  and is told so in the greeting (``restored``); who never asked for anything follows the default.
* A command is read wherever one of the client generations puts it: flat, under ``payload`` or under ``data``, and
  without a ``type`` of its own (the web client wraps what it sends in ``{channel, data}``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType

from domain import JsonObject, JsonValue, Priority, Recollection
from domain.chain import milliseconds
from transport.dialects.portal_commands import NOT_UNDERSTOOD, Misunderstood, command_of, echo
from transport.dialects.portal_frames import encode_live, live_frame
from transport.frames import text_frame
from transport.session import Send, Step, Subscribe, Unsubscribe

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

_NO_CHANNEL = "Channel not specified"
_KNOWN_CHANNELS = f"one of {', '.join(LIVE_CHANNELS)}"
_COMMANDS = "type is one of subscribe, unsubscribe, ping"


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
            return self._obey(command_of(message, "type"), at)
        except Misunderstood as fault:
            return [_reply("error", {"error": fault.error, "detail": fault.detail}, at)]

    def _obey(self, command: JsonObject, at: float) -> list[Step]:
        verb = command.get("type")
        if not isinstance(verb, str):
            raise Misunderstood(NOT_UNDERSTOOD, _COMMANDS)
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
        raise Misunderstood(f"Unknown message type: {echo(verb)}", _COMMANDS)

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


def _reply(type_: str, fields: JsonObject, at: float) -> Send:
    return Send(text_frame(live_frame(type_, fields, at), Priority.HIGH))


def _channel(command: JsonObject) -> str:
    """The channel that ``command`` is about.

    Raises:
        Misunderstood: if it names none of ours.
    """
    name = _named_channel(command)
    if name is None or name == "":
        raise Misunderstood(_NO_CHANNEL, f"channel is {_KNOWN_CHANNELS}")
    if not isinstance(name, str):
        raise Misunderstood(NOT_UNDERSTOOD, "channel is a string")
    if name not in LIVE_CHANNELS:
        raise Misunderstood(f"Unknown channel: {echo(name)}", f"channel is {_KNOWN_CHANNELS}")
    return name


def _named_channel(command: JsonObject) -> JsonValue:
    # Inside first: a client that wraps puts the name of its socket outside.
    for place in ("payload", "data"):
        inner = command.get(place)
        if isinstance(inner, Mapping) and inner.get("channel") is not None:
            return inner["channel"]
    return command.get("channel")
