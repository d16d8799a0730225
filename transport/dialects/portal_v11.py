"""The portal's newer door ``/ws/v11``: channels with rights, filters, and a token as first message.

Rules of this file:

* No I/O, no clock. A client may send anything: every message but ``pong`` gets an answer, none ends the connection.
* A channel is followed by who sees it; one that andond has no source for, by who has the role of the predecessor. Who
  may not is told ``auth_required`` while it showed no token, and that it may not once it did. Who checks tokens is
  handed in; where nobody does, a token is not taken.
* A filter is applied, not only echoed. ``priority`` is the client's own note: what is urgent is decided by the event.
* From its first subscription on a client gets a ``ping`` after each thirty seconds of silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain import JsonObject, JsonValue
from domain.chain import milliseconds
from transport.dialects.portal_commands import NOT_UNDERSTOOD, Misunderstood, command_of, echo, say
from transport.dialects.portal_filters import Terms, encoder_of, filter_of
from transport.dialects.portal_guests import Setting, guest_of
from transport.frames import Frame
from transport.session import Admit, Prompt, Step, Subscribe, Unsubscribe, Withhold

PING = 30.0
"""Seconds of silence after which a client is pinged."""

PRIORITIES = (0, 10)

V11_CHANNELS: Mapping[str, str] = MappingProxyType(
    {
        "transactions": "chain/transactions",
        "blocks": "chain/blocks",
        "bridge": "",
        "analytics": "panels/analytics",
        "consensus": "chain/consensus",
        "admin": "",
        "network": "chain/peers",
        "validators": "chain/validators",
        "debug": "",
        "metrics": "portal/metrics",
    }
)
"""The channels by the names that clients give them; empty where andond has no source."""

RIGHTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"admin": frozenset({"ADMIN"}), "debug": frozenset({"DEVELOPER", "ADMIN"})}
)
"""The roles of which one is needed for a channel without a source; ``bridge`` needs none."""

_FORMAT: Mapping[str, JsonValue] = MappingProxyType({"type": "auth", "token": "the token"})
_COMMANDS = "type is one of auth, subscribe, unsubscribe, ping, pong"


class V11Session:
    """One connection to ``/ws/v11``."""

    __slots__ = ("_followed", "_guest", "_is_pinged", "_rights", "_setting")

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._guest = setting.guest
        self._rights = setting.rights
        self._followed: dict[str, Terms] = {}
        self._is_pinged = False

    def opened(self, at: float) -> list[Step]:
        """Say what a token is needed for."""
        del at
        if self._guest.user_id:
            return []
        return [_auth_required("Send a token for the channels that need a role; the others are open")]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Do what the client asks, or say why not."""
        try:
            return self._obey(command_of(message, "type"), at)
        except Misunderstood as fault:
            return [_stamped({"type": "error", "message": fault.error, "detail": fault.detail}, at)]

    def _obey(self, command: JsonObject, at: float) -> list[Step]:
        match command.get("type"):
            case None:
                raise Misunderstood("Missing 'type' field in message", _COMMANDS)
            case "auth":
                return self._authenticate(command.get("token"), at)
            case "subscribe":
                return self._subscribe(command)
            case "unsubscribe":
                return self._unsubscribe(command)
            case "ping":
                return [_stamped({"type": "pong"}, at)]
            case "pong":
                return []
            case str() as verb:
                raise Misunderstood(f"Unknown message type: {echo(verb)}", _COMMANDS)
        raise Misunderstood(NOT_UNDERSTOOD, _COMMANDS)

    def _authenticate(self, token: JsonValue, at: float) -> list[Step]:
        if not isinstance(token, str) or not token.strip():
            return [_auth_response("error", "Missing token", at)]
        if self._setting.tokens is None:
            return [_auth_response("error", "This gateway checks no tokens; its channels need none", at)]
        rights = self._setting.tokens(token.strip())
        if rights is None:
            return [_auth_response("error", "Invalid or expired token", at)]
        self._guest, self._rights = guest_of(rights), rights
        return [Admit(rights), _auth_response("success", "Authentication successful", at)]

    def _subscribe(self, command: JsonObject) -> list[Step]:
        name = _channel(command)
        if not self._may_follow(name):
            return [self._refusal(name), Withhold(f"channel {name} of the portal")]
        terms, priority = filter_of(name, _filter_text(command)), _priority(command)
        confirmation: dict[str, JsonValue] = {
            "type": "subscribe_response",
            "status": "success",
            "channel": name,
            "filter": _filter_text(command),
            "priority": priority,
        }
        if not V11_CHANNELS[name]:
            confirmation["reasons"] = {"data": "no source tells of it: nothing will come"}
        return [say(confirmation), *self._follow(name, terms), *self._ping()]

    def _unsubscribe(self, command: JsonObject) -> list[Step]:
        name = _channel(command)
        steps = self._leave(name)
        return [*steps, say({"type": "unsubscribe_response", "status": "success", "channel": name})]

    def _may_follow(self, name: str) -> bool:
        if V11_CHANNELS[name]:
            return self._rights.sees(V11_CHANNELS[name])
        needed = RIGHTS.get(name)
        return needed is None or self._rights.sees_everything or not needed.isdisjoint(self._guest.roles)

    def _refusal(self, name: str) -> Step:
        if not self._guest.user_id:
            return _auth_required(f"Authentication required before subscribing to channel: {name}", channel=name)
        return say({"type": "error", "message": f"Not authorized to subscribe to channel: {name}"})

    def _follow(self, name: str, terms: Terms) -> list[Step]:
        if self._followed.get(name) == terms:
            return []
        steps = self._leave(name)
        self._followed[name] = terms
        channel = V11_CHANNELS[name]
        latest = 0 if channel.startswith("chain/") else 1
        return [*steps, Subscribe(channel, encoder_of(name, terms), latest)] if channel else steps

    def _leave(self, name: str) -> list[Step]:
        if self._followed.pop(name, None) is None or not V11_CHANNELS[name]:
            return []
        return [Unsubscribe(V11_CHANNELS[name])]

    def _ping(self) -> list[Step]:
        if self._is_pinged:
            return []
        self._is_pinged = True
        return [Prompt(PING, _ping_frame)]


def _ping_frame(at: float) -> Frame:
    return say({"type": "ping", "timestamp": milliseconds(at)}).frame


def _stamped(members: dict[str, JsonValue], at: float) -> Step:
    return say({**members, "timestamp": milliseconds(at)})


def _auth_required(message: str, **more: JsonValue) -> Step:
    return say({"type": "auth_required", "message": message, **more, "format": dict(_FORMAT)})


def _auth_response(status: str, message: str, at: float) -> Step:
    return _stamped({"type": "auth_response", "status": status, "message": message}, at)


def _channel(command: JsonObject) -> str:
    name = command.get("channel")
    known = f"channel is one of {', '.join(V11_CHANNELS)}"
    if not isinstance(name, str) or not name.strip():
        raise Misunderstood("Missing 'channel' field", known)
    if name not in V11_CHANNELS:
        raise Misunderstood(f"Unknown channel: {echo(name)}", known)
    return name


def _filter_text(command: JsonObject) -> str:
    text = command.get("filter")
    if text is None:
        return ""
    if not isinstance(text, str):
        raise Misunderstood(NOT_UNDERSTOOD, "filter is a string: field:value")
    return text


def _priority(command: JsonObject) -> int:
    least, most = PRIORITIES
    value = command.get("priority", least)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Misunderstood(NOT_UNDERSTOOD, f"priority is an integer from {least} to {most}")
    return value
