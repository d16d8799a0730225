"""The transactions' door: a stream for who only listens, and text commands for who speaks.

Rules of this file:

* No I/O, no clock. Who says nothing gets the transactions and nothing else: no greeting, no heartbeat.
* Commands are lines of text: PING, SUBSCRIBE c, UNSUBSCRIBE c, LIST, STATS. Each gets its answer; from the first on
  the client gets a HEARTBEAT after each thirty seconds of silence. What begins like JSON is no command: a generation
  of clients that wraps all it sends cannot read an answer in text, and gets none.
* A client that is known is greeted and follows ``system`` too.
* A channel is followed by who sees it. Who does not and asks for it is told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from domain.chain import milliseconds
from transport.dialects.portal_commands import echo, say, say_text
from transport.dialects.portal_frames import encode_chain, encode_metrics, encode_transaction
from transport.dialects.portal_guests import Present, Setting
from transport.dialects.portal_system import encode_block, encode_system
from transport.encoder import Encoder
from transport.frames import Frame
from transport.session import Prompt, Step, Subscribe, Unsubscribe, Withhold

HEARTBEAT = 30.0
"""Seconds of silence after which who speaks the commands is told that we are here."""

COMMANDS = "PING, SUBSCRIBE, UNSUBSCRIBE, LIST, STATS"


class Told(msgspec.Struct, frozen=True):
    """What stands behind a channel's name: our channel, how it is written, and how much of the past comes first."""

    channel: str
    encode: Encoder
    latest: int = 0


TEXT_CHANNELS: Mapping[str, Told] = MappingProxyType(
    {
        "transactions": Told("chain/transactions", encode_transaction),
        "system": Told("chain/state", encode_system),
        "blocks": Told("chain/blocks", encode_block),
        "validators": Told("chain/validators", encode_chain),
        "consensus": Told("chain/consensus", encode_chain),
        "network": Told("chain/peers", encode_chain),
        "metrics": Told("portal/metrics", encode_metrics, latest=1),
    }
)
"""The channels of this door by the names that clients give them."""

_NAMELESS = {verb: say_text(f"ERROR: {verb} requires channel name") for verb in ("SUBSCRIBE", "UNSUBSCRIBE")}

DEFAULT_CHANNELS = ("transactions",)
KNOWN_USER_CHANNELS = ("transactions", "system")


class TransactionsSession:
    """One connection to ``/ws/transactions``."""

    __slots__ = ("_connection_id", "_followed", "_opened_at", "_setting", "_speaks")

    def __init__(self, connection_id: str, setting: Setting) -> None:
        self._connection_id = connection_id
        self._setting = setting
        self._followed: dict[str, None] = {}
        self._opened_at = 0.0
        self._speaks = False
        setting.crowd.enter(setting.name, Present(setting.guest, self._followed, setting.waiting))

    def opened(self, at: float) -> list[Step]:
        """Follow the transactions; greet who is known."""
        self._opened_at = at
        user_id = self._setting.guest.user_id
        if not user_id:
            return [step for name in DEFAULT_CHANNELS if self._sees(name) for step in self._follow(name)]
        greeting = {"userId": user_id, "sessionId": self._connection_id, "message": "Connected to the transactions"}
        steps: list[Step] = [say({"type": "WELCOME", **greeting})]
        for name in filter(self._sees, KNOWN_USER_CHANNELS):
            steps += [*self._follow(name), say_text(f"SUBSCRIBED {name}")]
        return [*steps, *self._listen()]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Do what the client's line says, or say why not."""
        text = message.decode(errors="replace") if isinstance(message, bytes) else message
        words = text.split(maxsplit=1)
        if not words or text.lstrip()[0] in "{[":
            return []
        command, about = words[0].upper(), words[1].strip() if len(words) > 1 else ""
        return [*self._obey(command, about, at), *self._listen()]

    def _obey(self, command: str, about: str, at: float) -> list[Step]:
        match command:
            case "PING":
                return [say_text("PONG")]
            case "LIST":
                return [say({"type": "SUBSCRIPTIONS", "channels": list(self._followed)})]
            case "STATS":
                return [say({"type": "STATS", **self._setting.crowd.statistics(at)})]
            case "SUBSCRIBE":
                return self._subscribe(about)
            case "UNSUBSCRIBE":
                return self._unsubscribe(about)
        return [say_text(f"ERROR: Unknown command '{echo(command)}'. Valid commands: {COMMANDS}")]

    def _subscribe(self, name: str) -> list[Step]:
        if not name:
            return [_NAMELESS["SUBSCRIBE"]]
        if name not in TEXT_CHANNELS:
            known = ", ".join(TEXT_CHANNELS)
            return [say_text(f"ERROR: Unknown channel '{echo(name)}'. Channels: {known}")]
        if not self._sees(name):
            refusal = say_text(f"ERROR: Not authorized to subscribe to channel '{name}'")
            return [refusal, Withhold(f"channel {name} of the portal")]
        return [say_text(f"SUBSCRIBED {name}"), *self._follow(name)]

    def _unsubscribe(self, name: str) -> list[Step]:
        if not name:
            return [_NAMELESS["UNSUBSCRIBE"]]
        if name not in self._followed:
            return [say_text(f"ERROR: Not subscribed to channel '{echo(name)}'")]
        del self._followed[name]
        return [Unsubscribe(TEXT_CHANNELS[name].channel), say_text(f"UNSUBSCRIBED {name}")]

    def _sees(self, name: str) -> bool:
        return self._setting.rights.sees(TEXT_CHANNELS[name].channel)

    def _follow(self, name: str) -> list[Step]:
        if name in self._followed:
            return []
        self._followed[name] = None
        told = TEXT_CHANNELS[name]
        return [Subscribe(told.channel, told.encode, told.latest)]

    def _listen(self) -> list[Step]:
        """From now on the client is told that we are here."""
        if self._speaks:
            return []
        self._speaks = True
        return [Prompt(HEARTBEAT, self._heartbeat)]

    def _heartbeat(self, at: float) -> Frame:
        duration = max(0, round(at - self._opened_at))
        return say({"type": "HEARTBEAT", "timestamp": milliseconds(at), "connectionDuration": duration}).frame
