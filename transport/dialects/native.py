"""andond's own protocol: one session as a state machine, for dashboards, tablets, boards and other gateways.

Rules of this file:

* No I/O, no clock. Any bytes may come; the answer is a list of steps, never an exception.
* A command with an id gets exactly one reply with that id. One that needs no id is done in silence.
* A fault is a message that cannot be answered because nobody can tell its id, and everything that is refused before the
  session is connected. Three in a row end the connection; whatever is done in between begins the row anew.
* What is refused has changed nothing.
* Nobody is connected whose rights are not known: by the request that opened the connection, or by the token in connect.
  A channel that they do not see is refused, whether it is there or not.
* Everything the session ends itself is told twice: in a push that says when to come back, and in the Close.

PROTOCOL, "Connection", "Recovery", "Errors and closes".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

import msgspec
from msgspec import UnsetType

from domain import Allotments, Allowance, Excess, Position, Priority, Refused, Throttle, is_tree, rfc3339
from domain.access import NO_RIGHTS, Rights
from transport.codec import CodecError, convert
from transport.codes import PROTOCOL_ERROR, RIGHTS_CHANGED, TOO_MANY_COMMANDS, UNSUPPORTED_FRAME, ProtocolError
from transport.dialects import native_frames as wire
from transport.dialects.deeds import NOT_IDENTIFIED, Done, TokenRefusal, TokenShown
from transport.dialects.native_acts import deed_of, error_of
from transport.dialects.native_bodies import Act, Acted, Error, Limits, Nothing, Refreshed, Unsubscribed
from transport.dialects.native_encoding import ENCODINGS, JSON, MSGPACK, Encoding, hole
from transport.dialects.native_reading import BAD_REQUEST, UNKNOWN_COMMAND, Asked, read
from transport.dialects.native_recovery import (
    ECHO_LIMIT,
    UNKNOWN_CHANNEL,
    Recovery,
    check_count,
    position_of,
    start_of,
)
from transport.dialects.native_states import OUT_OF_TURN, TRANSITIONS, State
from transport.dialects.pace import RATE, Pace
from transport.frames import Frame
from transport.quotas import answer_of
from transport.session import (
    Acknowledge,
    Admit,
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
    Withhold,
)

__all__ = [
    "ENCODINGS", "JSON", "MSGPACK", "NOT_IDENTIFIED", "TRANSITIONS", "Encoding", "NativeSession", "State", "Terms",
    "TokenRefusal", "TokenShown",
]  # fmt: skip

FAULTS = 3
"""Faults in a row that end the connection."""

_PERMISSION_DENIED, _ALREADY_SUBSCRIBED, _TOO_MANY_REQUESTS = 103, 105, 111

# Channels that were left are remembered up to here; beyond it, critical events may be told again.
_LEFT_LIMIT = 1024

# What is said about a client's word is cut here.
_DETAIL_LIMIT = 200

_HASTY = f"at most {RATE} commands a second"


class Terms(msgspec.Struct, frozen=True):
    """What the gateway tells every client: its name, its ``ping_interval`` (seconds), its limits.

    ``takes_acts`` if there is somebody behind the door who has done what a client wants done at the plant.
    """

    server: str
    ping_interval: float
    message_size: int
    takes_acts: bool = False


class NativeSession:
    """One connection that speaks the native protocol; ``name`` is the session's own.

    ``rights`` tells what its client may do and see now; ``NO_RIGHTS`` while nobody knows who it is. ``allowance`` is
    what it may take of what it shares with others. With ``refusal`` it is not connected, whatever it shows: the request
    that opened the connection had a token that does not count.
    """

    __slots__ = (
        "_allowance", "_client", "_credited", "_encoding", "_faults", "_followed", "_left", "_name", "_pace",
        "_recovery", "_refusal", "_rights", "_terms", "state",
    )  # fmt: skip

    def __init__(
        self,
        encoding: Encoding,
        name: str,
        terms: Terms,
        rights: Callable[[], Rights],
        allowance: Allowance | None = None,
        refusal: TokenRefusal | None = None,
    ) -> None:
        self.state = State.CONNECTING
        self._allowance = allowance or Throttle(Allotments()).allow()
        self._encoding = encoding
        self._name = name
        self._terms = terms
        self._rights = rights
        self._refusal = refusal
        self._pace = Pace()
        self._faults = 0
        self._client = ""
        self._credited = False
        self._recovery: Recovery | None = None
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
            shared = self._allowance.command(asked.cost, at)
            steps = self._obey(asked, at, None if asked.is_light else _refusal(wait, shared))
        except ProtocolError as fault:
            return self._refuse(fault, asked.id)
        self._faults = 0
        return steps

    # -- commands ---------------------------------------------------------------------------------------------

    def _obey(self, asked: Asked, at: float, hasty: ProtocolError | None) -> list[Step]:
        if hasty is not None:
            raise hasty
        word = asked.word()
        following = TRANSITIONS[self.state].get(word)
        if following is None:
            raise ProtocolError(BAD_REQUEST, OUT_OF_TURN[self.state])
        try:
            command = convert(asked.members, wire.COMMANDS[word])
        except CodecError as error:
            raise ProtocolError(BAD_REQUEST, str(error)) from None
        steps = self._take(command, asked, at)
        if self.state is not State.CLOSED:
            self.state = following
        return steps

    def _take(self, command: wire.Command, asked: Asked, at: float) -> list[Step]:
        steps: list[Step]
        match command:
            case wire.ConnectCommand(id=id_, connect=body):
                steps = self._enter(id_, body, at)
            case wire.SubscribeCommand(id=id_, subscribe=body):
                steps = [self._subscribe(id_, body)]
            case wire.UnsubscribeCommand(id=id_, unsubscribe=body):
                steps = self._unsubscribe(id_, body.channel)
            case wire.PingCommand(id=id_):
                steps = [self._reply(wire.PingReply(id_, wire.Now(rfc3339(at))))]
            case wire.RefreshCommand(id=id_, refresh=body):
                steps = [Enquire(TokenShown(body.token), partial(self._refreshed, id_))]
            case wire.ActCommand(id=id_, act=body):
                steps = self._act(id_, body, asked, at)
            case wire.AckCommand() | wire.ShownCommand() | wire.CreditCommand():
                steps = self._note(command)
        return steps

    def _note(self, command: wire.AckCommand | wire.ShownCommand | wire.CreditCommand) -> list[Step]:
        """What a client tells of what it was told; it need not be answered."""
        match command:
            case wire.AckCommand(id=id_, ack=body):
                return [Acknowledge(position_of(body.critical, "ack.critical")), *self._noted(wire.AckReply, id_)]
            case wire.ShownCommand(id=id_, shown=ids):
                check_count("ids in shown", len(ids), wire.SHOWN_LIMIT)
                return [Show(tuple(ids)), *self._noted(wire.ShownReply, id_)]
            case wire.CreditCommand(id=id_, credit=size):
                if not self._credited:
                    raise ProtocolError(BAD_REQUEST, "connect gave no credit that could be returned")
                return [Grant(size), *self._noted(wire.CreditReply, id_)]

    def _enter(self, id_: int, body: wire.Connect, at: float) -> list[Step]:
        check_count("channels in resume", len(body.resume.channels) if body.resume else 0, wire.SUBSCRIPTIONS)
        if self._refusal is not None:
            return self._turn_away(id_, self._refusal)
        if body.token:
            return [Enquire(TokenShown(body.token), partial(self._identified, id_, body, at))]
        if self._rights() is NO_RIGHTS:
            return self._turn_away(id_, NOT_IDENTIFIED)
        return self._connect(id_, body, at)

    def _identified(self, id_: int, body: wire.Connect, at: float, answer: object) -> list[Step]:
        if not isinstance(answer, Rights):
            return self._turn_away(id_, answer)
        self._rights = lambda: answer
        try:
            return [Admit(answer), *self._connect(id_, body, at)]
        except ProtocolError as fault:
            self.state = State.CONNECTING
            return self._refuse(fault, id_)

    def _refreshed(self, id_: int, answer: object) -> list[Step]:
        if not isinstance(answer, Rights):
            return self._turn_away(id_, answer)
        expires = None if answer.expires_at is None else rfc3339(answer.expires_at)
        reply = self._reply(wire.RefreshReply(id_, Refreshed(expires)))
        before = self._rights()
        if answer != before or answer.identity.person != before.identity.person:
            # A session is one person's, and so is all that it was told and has asked for.
            return [reply, *self._end(*RIGHTS_CHANGED)]
        self._rights = lambda: answer
        return [Admit(answer), reply]

    def _connect(self, id_: int, body: wire.Connect, at: float) -> list[Step]:
        resume = body.resume or wire.ResumeFrom()
        names = tuple(resume.channels)
        for name in names:
            self._check_sight(name)
        self._check_room(len(names))
        since = position_of(resume.critical, "resume.critical") if resume.critical else None
        then = tuple(self._resumed(name, position, since) for name, position in resume.channels.items())
        self._followed.update(names)
        self._client = body.client
        self._credited = body.credit is not None
        self._recovery = None if body.resume is None else Recovery(since, names)
        encoding = self._encoding
        confirm = partial(self._greet, id_, body.credit, at)
        return [
            Introduce(body.client, body.credit, encoding.gap, encoding.disconnect),
            Resume(since, names or None, encoding.encoders[Priority.LOW], confirm, then),
        ]

    def _resumed(self, name: str, position: str | None, critical: Position | None) -> Subscribe:
        since = start_of(name, position)
        confirm = self._confirm_resumed
        # Whoever takes the steps knows better what was told by then; from here on there is no hole in any case.
        return Subscribe(
            name, self._encoding.encoders[Priority.LOW], since=since, critical_after=critical, confirm=confirm
        )

    def _subscribe(self, id_: int, body: wire.Subscribe) -> Subscribe:
        channel, since = body.channel, start_of(body.channel, body.from_)
        self._check_sight(channel)
        if channel in self._followed:
            raise ProtocolError(_ALREADY_SUBSCRIBED, f"{channel} is subscribed to already")
        check_count("subscriptions", len(self._followed) + 1, wire.SUBSCRIPTIONS)
        self._check_room(1)
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
            raise ProtocolError(UNKNOWN_CHANNEL, f"{channel[:ECHO_LIMIT]!r} is not subscribed to")
        self._followed.remove(channel)
        if len(self._left) >= _LEFT_LIMIT:
            self._left.clear()
        self._left.add(channel)
        return [Unsubscribe(channel), self._reply(wire.UnsubscribeReply(id_, Unsubscribed(channel)))]

    def _act(self, id_: int, body: Act, asked: Asked, at: float) -> list[Step]:
        members = asked.members["act"]
        if not self._terms.takes_acts or not isinstance(members, Mapping):
            raise ProtocolError(UNKNOWN_COMMAND, f"no act {body.type[:ECHO_LIMIT]!r}: nothing is done here")
        return [Enquire(deed_of(body, members, self._client, at), partial(self._acted, id_))]

    def _check_sight(self, channel: str) -> None:
        rights = self._rights()
        if not (rights.sees_any(channel.partition("/")[0]) if is_tree(channel) else rights.sees(channel)):
            raise ProtocolError(_PERMISSION_DENIED, rights.look(channel).why)

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

    def _noted(self, reply: Callable[[int, Nothing], wire.Reply], id_: int | UnsetType) -> list[Step]:
        return [] if isinstance(id_, UnsetType) else [self._reply(reply(id_, Nothing()))]

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
            limits=Limits(terms.message_size, wire.SUBSCRIPTIONS, RATE),
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

    def _check_room(self, count: int) -> None:
        excess = self._allowance.room(count)
        if excess is not None:
            raise answer_of(excess, self._client)

    # -- refusals ---------------------------------------------------------------------------------------------

    def _refuse(self, fault: ProtocolError, id_: int | None) -> list[Step]:
        if id_ is None or self.state is State.CONNECTING:
            self._faults += 1
        steps = self._error(fault, id_)
        if fault.code.number == _PERMISSION_DENIED:
            steps.append(Withhold(fault.detail))
        return [*steps, *self._end(PROTOCOL_ERROR, fault.detail)] if self._faults >= FAULTS else steps

    def _error(self, fault: ProtocolError, id_: int | None) -> list[Step]:
        if id_ is None:
            return []
        retry_ms = math.ceil((fault.retry_after or 0) * 1000)
        body = Error(fault.code.number, fault.detail[:_DETAIL_LIMIT], fault.code.temporary, retry_ms)
        return [self._reply(wire.ErrorReply(id_, body))]

    def _turn_away(self, id_: int, refusal: object) -> list[Step]:
        """Say why a client may not be here, and end."""
        if not isinstance(refusal, TokenRefusal):
            raise TypeError(f"{refusal!r} says of no token whose it is")
        fault = ProtocolError(refusal.error, refusal.message)
        return [*self._error(fault, id_), *self._end(refusal.close, fault.detail)]

    def _end(self, code: int, reason: str, delay: float = 0.0) -> list[Step]:
        self.state = State.CLOSED
        reason = reason[:_DETAIL_LIMIT]
        return [Send(self._encoding.disconnect(code, reason, delay, None)), Close(code, reason)]


def _hasty(wait: float) -> ProtocolError:
    return ProtocolError(_TOO_MANY_REQUESTS, _HASTY, retry_after=wait)


def _refusal(wait: float, shared: Excess | None) -> ProtocolError | None:
    """What a command is told that comes too fast, for its own client or for those that it shares a limit with."""
    if wait:
        return _hasty(wait)
    return None if shared is None else answer_of(shared, "")
