"""The ledger channels' door and the dashboard's: both take lists of channels.

Rules of this file:

* No I/O, no clock. A client may send anything: every message gets an answer in words, none ends the connection.
* One portal is one chain, so there is one ledger channel, ``main-channel``. Who asks for nothing gets it. Who asks gets
  what it asked for, and who has left all of it gets nothing: that it follows everything again would surprise it.
* The dashboard's metrics go to everybody there; its nodes and its performance to who asks for them. Who asks for
  nothing gets the nodes too. A new list takes the place of the one before.
* A name that is no channel here is said back under ``unknown``; the others count all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain import JsonObject, JsonValue
from domain.chain import milliseconds
from transport.dialects.portal_commands import NOT_UNDERSTOOD, Misunderstood, command_of, echo, names_of, say
from transport.dialects.portal_messages import LEDGER_CHANNEL, LEDGER_CHANNELS, encode_dashboard, encode_ledger
from transport.session import Step, Subscribe, Unsubscribe

DASHBOARD_CHANNELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "all": ("panels/nodes",),
        "metrics": (),
        "transactions": (),
        "blocks": (),
        "nodes": ("panels/nodes",),
        "performance": ("panels/performance",),
    }
)
"""What a channel of the dashboard adds to its metrics, by the names that clients give them."""

METRICS = "panels/dashboard"
_NODES = "panels/nodes"


class LedgerSession:
    """One connection to ``/ws/channels``."""

    __slots__ = ("_connection_id", "_follows", "_wanted")

    def __init__(self, connection_id: str) -> None:
        self._connection_id = connection_id
        self._follows = False
        self._wanted: set[str] = set()

    def opened(self, at: float) -> list[Step]:
        """Greet, and begin with the newest metrics."""
        greeting = {"sessionId": self._connection_id, "message": "Connected to the ledger channels"}
        return [say({"type": "connected", **greeting, "timestamp": milliseconds(at)}), *self._follow()]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Do what the client asks, or say why not."""
        try:
            command = command_of(message, "action")
            action = command.get("action")
            if action == "subscribe":
                return self._subscribe(command, at)
            if action == "unsubscribe":
                return self._unsubscribe(command, at)
            raise _no_action(action, "subscribe, unsubscribe")
        except Misunderstood as fault:
            return [_error(fault, at)]

    def _subscribe(self, command: JsonObject, at: float) -> list[Step]:
        names = names_of(command)
        if not names:
            # The predecessor's word for everything.
            names = [LEDGER_CHANNEL]
        self._wanted.update(name for name in names if name == LEDGER_CHANNEL)
        steps = self._follow() if self._wanted else self._leave()
        return [say({"type": "subscribed", **_sorted(names, (LEDGER_CHANNEL,)), **_stamp(at)}), *steps]

    def _unsubscribe(self, command: JsonObject, at: float) -> list[Step]:
        names = names_of(command)
        self._wanted.difference_update(names)
        steps = [] if self._wanted or LEDGER_CHANNEL not in names else self._leave()
        return [*steps, say({"type": "unsubscribed", **_sorted(names, (LEDGER_CHANNEL,)), **_stamp(at)})]

    def _follow(self) -> list[Step]:
        if self._follows:
            return []
        self._follows = True
        # Periodic, so its newest publication is now; of the others an old event would look like a new one.
        return [
            Subscribe(channel, encode_ledger, latest=0 if channel.startswith("chain/") else 1)
            for channel in LEDGER_CHANNELS
        ]

    def _leave(self) -> list[Step]:
        if not self._follows:
            return []
        self._follows = False
        return [Unsubscribe(channel) for channel in LEDGER_CHANNELS]


class DashboardSession:
    """One connection to ``/ws/dashboard``."""

    __slots__ = ("_followed",)

    def __init__(self) -> None:
        self._followed = {METRICS, _NODES}

    def opened(self, at: float) -> list[Step]:
        """Begin with the newest metrics and nodes."""
        del at
        return [Subscribe(channel, encode_dashboard, latest=1) for channel in (METRICS, _NODES)]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Do what the client asks, or say why not."""
        try:
            command = command_of(message, "action")
            if command.get("action") != "subscribe":
                raise _no_action(command.get("action"), "subscribe")
            names = names_of(command)
        except Misunderstood as fault:
            return [_error(fault, at)]
        wanted = {METRICS} | {each for name in names for each in DASHBOARD_CHANNELS.get(name, ())}
        left, new = sorted(self._followed - wanted), sorted(wanted - self._followed)
        self._followed = wanted
        return [
            *(Unsubscribe(channel) for channel in left),
            say({"status": "subscribed", **_sorted(names, tuple(DASHBOARD_CHANNELS)), **_stamp(at)}),
            *(Subscribe(channel, encode_dashboard, latest=1) for channel in new),
        ]


def _sorted(names: list[str], known: tuple[str, ...]) -> dict[str, JsonValue]:
    """The channels that there are, and those that there are not, where there are such."""
    found: list[JsonValue] = [name for name in names if name in known]
    missing: list[JsonValue] = [echo(name) for name in names if name not in known]
    return {"channels": found, "unknown": missing} if missing else {"channels": found}


def _stamp(at: float) -> dict[str, JsonValue]:
    return {"timestamp": milliseconds(at)}


def _no_action(action: JsonValue, known: str) -> Misunderstood:
    told = f"Unknown action: {echo(action)}" if isinstance(action, str) else NOT_UNDERSTOOD
    return Misunderstood(told, f"action is one of {known}")


def _error(fault: Misunderstood, at: float) -> Step:
    return say({"type": "error", "error": fault.error, "detail": fault.detail, **_stamp(at)})
