"""andond's own protocol: one session as a state machine, for dashboards, tablets, boards and other gateways.

Rules of this file:

* No I/O, no clock. Any bytes may come; the answer is a list of steps, never an exception.
* A command with an id gets exactly one reply with that id. One that needs no id is done in silence.
* A fault is a message that cannot be answered because nobody can tell its id, and everything that is refused before the
  session is connected. Three in a row end the connection; whatever is done in between begins the row anew.
* What is refused has changed nothing.
* Everything the session ends itself is told twice: in a push that says when to come back, and in the Close.

PROTOCOL, "Connection", "Recovery", "Errors and closes".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from types import MappingProxyType

from msgspec import UnsetType

from domain import Position, Priority, Refused, below, is_channel, is_tree, rfc3339
from transport.codec import CodecError, convert
from transport.codes import PROTOCOL_ERROR, TOO_MANY_COMMANDS, UNSUPPORTED_FRAME, ProtocolError
from transport.dialects import native_frames as wire
from transport.dialects.deeds import Done
from transport.dialects.native_acts import deed_of, error_of
from transport.dialects.native_bodies import Act, Acted, Error
from transport.dialects.native_encoding import ENCODINGS, JSON, MSGPACK, Encoding, hole
from transport.dialects.native_reading import BAD_REQUEST, UNKNOWN_COMMAND, Asked, read
from transport.dialects.pace import RATE, Pace
from transport.frames import Frame
from transport.session import (
    Acknowledge,
    Close,
    Enquire,
    Followed,
    Grant,
    Introduce,
    Resume,
    Resumed,
    Send,
    Show,
    Step,
    Subscribe,
    Unsubscribe,
)

__all__ = ["ENCODINGS", "JSON", "MSGPACK", "TRANSITIONS", "Encoding", "NativeSession", "State", "Terms"]

FAULTS = 3
"""Faults in a row that end the connection."""

_UNKNOWN_CHANNEL = 102
_ALREADY_SUBSCRIBED = 105
_LIMIT_EXCEEDED = 106
_TOO_MANY_REQUESTS = 111

# Channels that were left are remembered up to here; beyond it, critical events may be told again.
_LEFT_LIMIT = 1024

# A client's word is cut here where it is repeated; so is what is said about it.
_ECHO_LIMIT = 64
_DETAIL_LIMIT = 200


class State(Enum):
    """Where a session is in its life."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"


TRANSITIONS: Mapping[State, Mapping[str, State]] = MappingProxyType(
    {
        State.CONNECTING: {"connect": State.CONNECTED},
        State.CONNECTED: {word: State.CONNECTED for word in wire.COMMANDS if word != "connect"},
        State.CLOSED: {},
    }
)
"""The commands that each state takes, and the state that follows. Faults lead to CLOSED from everywhere."""

_HASTY = f"at most {RATE} commands a second"
_OUT_OF_TURN = {
    State.CONNECTING: "the first command is connect",
    State.CONNECTED: "the session is connected already",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What the gateway tells every client: its name, its ``ping_interval`` (seconds), its limits.

    ``takes_acts`` if there is somebody behind the door who has done what a client wants done at the plant.
    """

    server: str
    ping_interval: float
    message_size: int
    takes_acts: bool = False


class NativeSession:
    """One connection that speaks the native protocol; ``name`` is the session's own."""

    __slots__ = (
        "_client",
        "_credited",
        "_encoding",
        "_faults",
        "_followed",
        "_left",
        "_name",
        "_pace",
        "_recovery",
        "_terms",
        "state",
    )

    def __init__(self, encoding: Encoding, name: str, terms: Terms) -> None:
        self.state = State.CONNECTING
        self._encoding = encoding
        self._name = name
        self._terms = terms
        self._pace = Pace()
        self._faults = 0
        self._client = ""
        self._credited = False
        self._recovery: _Recovery | None = None
        self._followed: set[str] = set()
        self._left: set[str] = set()

    def opened(self, at: float) -> list[Step]:
        """Nothing: the client speaks first."""
        del at
        return []

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Do what the client commands, or say why not."""
        if self.state is State.CLOSED:
            return []
        if not self._encoding.takes(message):
            kind = "binary" if isinstance(message, bytes) else "text"
            return self._end(UNSUPPORTED_FRAME, f"{self._encoding.subprotocol} takes no {kind} messages")
        asked = read(self._encoding, message)
        wait = self._pace.take(asked.cost, at)
        if self._pace.is_overdrawn:
            return [*self._error(_hasty(wait), asked.id), *self._end(TOO_MANY_COMMANDS, _HASTY, self._pace.recovery)]
        try:
            # What is light is not refused: credit that gets lost would never come back.
            steps = self._obey(asked, at, 0.0 if asked.is_light else wait)
        except ProtocolError as fault:
            return self._refuse(fault, asked.id)
        self._faults = 0
        return steps

    # -- commands ---------------------------------------------------------------------------------------------

    def _obey(self, asked: Asked, at: float, wait: float) -> list[Step]:
        if wait:
            raise _hasty(wait)
        word = asked.word()
        following = TRANSITIONS[self.state].get(word)
        if following is None:
            raise ProtocolError(BAD_REQUEST, _OUT_OF_TURN[self.state])
        try:
            command = convert(asked.members, wire.COMMANDS[word])
        except CodecError as error:
            raise ProtocolError(BAD_REQUEST, str(error)) from None
        steps = self._take(command, asked, at)
        self.state = following
        return steps

    def _take(self, command: wire.Command, asked: Asked, at: float) -> list[Step]:
        steps: list[Step]
        match command:
            case wire.ConnectCommand(id=id_, connect=body):
                steps = self._connect(id_, body, at)
            case wire.SubscribeCommand(id=id_, subscribe=body):
                steps = [self._subscribe(id_, body)]
            case wire.UnsubscribeCommand(id=id_, unsubscribe=body):
                steps = self._unsubscribe(id_, body.channel)
            case wire.PingCommand(id=id_):
                steps = [self._reply(wire.PingReply(id_, wire.Now(rfc3339(at))))]
            case wire.ActCommand(id=id_, act=body):
                steps = self._act(id_, body, asked, at)
            case wire.AckCommand(id=id_, ack=body):
                steps = [Acknowledge(_position(body.critical, "ack.critical")), *self._noted(wire.AckReply, id_)]
            case wire.ShownCommand(id=id_, shown=ids):
                _check_count("ids in shown", len(ids), wire.SHOWN_LIMIT)
                steps = [Show(tuple(ids)), *self._noted(wire.ShownReply, id_)]
            case wire.CreditCommand(id=id_, credit=size):
                if not self._credited:
                    raise ProtocolError(BAD_REQUEST, "connect gave no credit that could be returned")
                steps = [Grant(size), *self._noted(wire.CreditReply, id_)]
        return steps

    def _connect(self, id_: int, body: wire.Connect, at: float) -> list[Step]:
        resume = body.resume or wire.ResumeFrom()
        names = tuple(resume.channels)
        _check_count("channels in resume", len(names), wire.SUBSCRIPTIONS)
        since = _position(resume.critical, "resume.critical") if resume.critical else None
        then = tuple(self._resumed(name, position, since) for name, position in resume.channels.items())
        self._followed.update(names)
        self._client = body.client
        self._credited = body.credit is not None
        self._recovery = None if body.resume is None else _Recovery(since, names)
        encoding = self._encoding
        confirm = partial(self._greet, id_, body.credit, at)
        return [
            Introduce(body.client, body.credit, encoding.gap, encoding.disconnect),
            Resume(since, names or None, encoding.encoders[Priority.LOW], confirm, then),
        ]

    def _resumed(self, name: str, position: str | None, critical: Position | None) -> Subscribe:
        since = _start(name, position)
        confirm = self._confirm_resumed
        # Whoever takes the steps knows better what was told by then; from here on there is no hole in any case.
        return Subscribe(
            name, self._encoding.encoders[Priority.LOW], since=since, critical_after=critical, confirm=confirm
        )

    def _subscribe(self, id_: int, body: wire.Subscribe) -> Subscribe:
        channel, since = body.channel, _start(body.channel, body.from_)
        if channel in self._followed:
            raise ProtocolError(_ALREADY_SUBSCRIBED, f"{channel} is subscribed to already")
        _check_count("subscriptions", len(self._followed) + 1, wire.SUBSCRIPTIONS)
        latest = body.latest if body.latest is not None else int(since is None)
        least = Priority.from_wire(body.min_priority) or Priority.CRITICAL
        recovery = None if channel in self._left else self._recovery
        self._followed.add(channel)
        return Subscribe(
            channel,
            self._encoding.encoders[least],
            latest,
            since,
            critical_after=None if recovery is None else recovery.told(channel),
            max_hz=body.max_hz,
            confirm=partial(self._confirm, id_),
        )

    def _unsubscribe(self, id_: int, channel: str) -> list[Step]:
        if channel not in self._followed:
            raise ProtocolError(_UNKNOWN_CHANNEL, f"{channel[:_ECHO_LIMIT]!r} is not subscribed to")
        self._followed.remove(channel)
        if len(self._left) >= _LEFT_LIMIT:
            self._left.clear()
        self._left.add(channel)
        return [Unsubscribe(channel), self._reply(wire.UnsubscribeReply(id_, wire.Unsubscribed(channel)))]

    def _act(self, id_: int, body: Act, asked: Asked, at: float) -> list[Step]:
        members = asked.members["act"]
        if not self._terms.takes_acts or not isinstance(members, Mapping):
            raise ProtocolError(UNKNOWN_COMMAND, f"no act {body.type[:_ECHO_LIMIT]!r}: nothing is done here")
        return [Enquire(deed_of(body, members, self._client, at), partial(self._acted, id_))]

    # -- answers ----------------------------------------------------------------------------------------------

    def _reply(self, message: wire.Reply) -> Send:
        return Send(self._encoding.frame(message))

    def _acted(self, id_: int, answer: object) -> list[Step]:
        match answer:
            case Done(answer=result, is_kept=is_kept):
                return [self._reply(wire.ActReply(id_, Acted(is_kept, result)))]
            case Refused():
                return [self._reply(wire.ErrorReply(id_, error_of(answer)))]
        raise TypeError(f"{answer!r} answers no act")

    def _noted(self, reply: Callable[[int, wire.Nothing], wire.Reply], id_: int | UnsetType) -> list[Step]:
        return [] if isinstance(id_, UnsetType) else [self._reply(reply(id_, wire.Nothing()))]

    def _greet(self, id_: int, credit: int | None, at: float, resumed: Resumed) -> Frame:
        if self._recovery is not None:
            self._recovery.newest = resumed.newest
        terms = self._terms
        connected = wire.Connected(
            session=self._name,
            server=terms.server,
            time=rfc3339(at),
            ping_ms=round(terms.ping_interval * 1000),
            credit=credit,
            limits=wire.Limits(terms.message_size, wire.SUBSCRIPTIONS, RATE),
            critical=wire.CriticalState(resumed.recovered, resumed.missed, str(resumed.newest)),
        )
        # Critical as those that follow, or they would overtake it.
        return self._encoding.frame(wire.ConnectReply(id_, connected), Priority.CRITICAL)

    def _confirm(self, id_: int, now: Followed) -> Frame:
        body = wire.Subscribed(now.channel, now.epoch, now.offset, now.recovered, hole(now.gap))
        return self._encoding.frame(wire.SubscribeReply(id_, body), Priority.CRITICAL)

    def _confirm_resumed(self, now: Followed) -> Frame:
        push = wire.SubscribedPush(now.channel, now.epoch, now.offset, now.recovered, hole(now.gap))
        return self._encoding.frame(push, Priority.CRITICAL)

    # -- refusals ---------------------------------------------------------------------------------------------

    def _refuse(self, fault: ProtocolError, id_: int | None) -> list[Step]:
        if id_ is None or self.state is State.CONNECTING:
            self._faults += 1
        steps = self._error(fault, id_)
        return [*steps, *self._end(PROTOCOL_ERROR, fault.detail)] if self._faults >= FAULTS else steps

    def _error(self, fault: ProtocolError, id_: int | None) -> list[Step]:
        if id_ is None:
            return []
        retry_ms = math.ceil((fault.retry_after or 0) * 1000)
        body = Error(fault.code.number, fault.detail[:_DETAIL_LIMIT], fault.code.temporary, retry_ms)
        return [self._reply(wire.ErrorReply(id_, body))]

    def _end(self, code: int, reason: str, delay: float = 0.0) -> list[Step]:
        self.state = State.CLOSED
        reason = reason[:_DETAIL_LIMIT]
        return [Send(self._encoding.disconnect(code, reason, delay, None)), Close(code, reason)]


class _Recovery:
    """What a resume told of the critical events behind ``since``: those of the channels ``names``, or of all.

    ``since`` of None is from now: nothing was missed up to the ``newest`` that the reply tells.
    """

    __slots__ = ("_names", "_since", "newest")

    def __init__(self, since: Position | None, names: tuple[str, ...]) -> None:
        self._since = since
        self._names = names
        self.newest: Position | None = None

    def told(self, channel: str) -> Position | None:
        """Up to where the client has every critical event of ``channel``; None if nobody knows."""
        covered = (
            self._since is None
            or not self._names
            or any(channel == name or (is_tree(name) and below(channel, name)) for name in self._names)
        )
        return self.newest if covered and self.newest is not None else self._since


def _hasty(wait: float) -> ProtocolError:
    return ProtocolError(_TOO_MANY_REQUESTS, _HASTY, retry_after=wait)


def _start(channel: str, position: str | None) -> Position | None:
    """Where to begin on ``channel``; None: now.

    Raises:
        ProtocolError: if it is no channel, or ``position`` no position on it.
    """
    if not is_channel(channel) and not is_tree(channel):
        raise ProtocolError(_UNKNOWN_CHANNEL, f"{channel[:_ECHO_LIMIT]!r} is no channel: kind/path, or kind/*")
    if not position:
        return None
    if is_tree(channel):
        raise ProtocolError(BAD_REQUEST, f"{channel} is many channels and has no position to begin from")
    return _position(position, "from")


def _position(text: str, name: str) -> Position:
    try:
        return Position.parse(text)
    except ValueError as error:
        raise ProtocolError(BAD_REQUEST, f"{name}: {error}") from None


def _check_count(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise ProtocolError(_LIMIT_EXCEEDED, f"at most {limit} {what}")
