"""The words of the native protocol: every command, every reply and every push, as types.

Rules of this file: no I/O and no decisions. What stands here is what is taken from clients, what is sent to them, and
what ``/asyncapi.json`` describes: there is no second list. A message is an object; a member that a type does not have
is left out of account, so that a newer client can speak to an older gateway. Where a limit has an error code of its own
it is only described here and checked by the session. PROTOCOL, "Connection" to "Errors and closes".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from domain import NAME_LIMIT, Reason
from transport.dialects.native_bodies import Act, Acted, Error, Limits, Nothing, Refresh, Refreshed, Unsubscribed

ID_LIMIT = 2**53 - 1
"""The largest id: the largest integer that every JSON library reads exactly."""

SUBSCRIPTIONS = 64
LATEST_LIMIT = 1000
SHOWN_LIMIT = 1000
HZ_LIMIT = 1000
SMALLEST_CREDIT = 1024
LARGEST_CREDIT = 1024 * 1024

_TEXT = 1024
_CHANNEL = r"^[A-Za-z0-9][A-Za-z0-9._~:@+-]*(/[A-Za-z0-9._~:@+-]+)*(/[A-Za-z0-9._~:@+-]+|/\*)$"
_NAME = {"pattern": _CHANNEL, "maxLength": NAME_LIMIT}
_POSITION = r"^([A-Za-z0-9._-]{1,64}:(0|[1-9][0-9]{0,15}))?$"

Id = Annotated[int, Meta(ge=0, le=ID_LIMIT, description="Chosen by the client; the reply has the same")]
Channel = Annotated[str, Meta(description="`kind/path`, or `kind/*` for all below", extra_json_schema=_NAME)]
Position = Annotated[str, Meta(description="`epoch:number`; empty: from now", extra_json_schema={"pattern": _POSITION})]
Moment = Annotated[str, Meta(description="RFC 3339, UTC", extra_json_schema={"format": "date-time"})]
PriorityWord = Literal["critical", "high", "normal", "low"]
Credit = Annotated[
    int,
    Meta(ge=SMALLEST_CREDIT, le=LARGEST_CREDIT, description="Bytes that may be in flight, critical ones apart"),
]
Offset = Annotated[int, Meta(ge=0, description="The number in a position")]
Latest = Annotated[int, Meta(ge=0, le=LATEST_LIMIT, description="The newest that come first; 1 unless there is `from`")]


# -- commands ---------------------------------------------------------------------------------------------------


class ResumeFrom(Struct):
    """What a client that was here before has seen last."""

    critical: Position | None = None
    channels: Annotated[
        dict[str, Position | None],
        Meta(
            description="Channels to follow at once, each from a position; null: from now. A tree has none.",
            extra_json_schema={"maxProperties": SUBSCRIPTIONS, "propertyNames": _NAME},
        ),
    ] = {}


class Connect(Struct):
    """Who the client is and where it goes on."""

    token: Annotated[str, Meta(max_length=8192, description="In place of the Authorization header")] | None = None
    client: Annotated[str, Meta(max_length=128, description="Name and version, for people")] = ""
    credit: Credit | None = None
    resume: ResumeFrom | None = None


class Subscribe(Struct):
    """Which channel to follow, from where, and how much of it."""

    channel: Channel
    from_: Position | None = msgspec.field(name="from", default=None)
    latest: Latest | None = None
    max_hz: (
        Annotated[float, Meta(gt=0, le=HZ_LIMIT, description="Values a second, for each that is replaced")] | None
    ) = None
    min_priority: PriorityWord = "low"


class Unsubscribe(Struct):
    """Which channel to follow no more."""

    channel: Channel


class Ack(Struct):
    """Up to where the client has received every critical event."""

    critical: Annotated[str, Meta(extra_json_schema={"pattern": _POSITION.replace("?$", "$")})]


class ConnectCommand(Struct):
    """The first command of a session."""

    id: Id
    connect: Connect


class SubscribeCommand(Struct):
    """Follow a channel."""

    id: Id
    subscribe: Subscribe


class UnsubscribeCommand(Struct):
    """Follow a channel no more."""

    id: Id
    unsubscribe: Unsubscribe


class PingCommand(Struct):
    """Ask whether the gateway hears, and for its time."""

    id: Id
    ping: Nothing


class RefreshCommand(Struct):
    """Stay for longer than the token lasts that was shown before."""

    id: Id
    refresh: Refresh


class ActCommand(Struct):
    """Do something at the plant."""

    id: Id
    act: Act


class AckCommand(Struct):
    """Say what was received."""

    ack: Ack
    id: Id | UnsetType = UNSET


class ShownCommand(Struct):
    """Say what was shown to a person."""

    shown: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=_TEXT)]],
        Meta(description="Ids of events", extra_json_schema={"maxItems": SHOWN_LIMIT}),
    ]
    id: Id | UnsetType = UNSET


class CreditCommand(Struct):
    """Return credit for what was processed."""

    credit: Annotated[int, Meta(ge=1, le=LARGEST_CREDIT, description="Bytes of frames that were processed")]
    id: Id | UnsetType = UNSET


Command = (
    ConnectCommand
    | SubscribeCommand
    | UnsubscribeCommand
    | PingCommand
    | RefreshCommand
    | ActCommand
    | AckCommand
    | ShownCommand
    | CreditCommand
)

COMMANDS: Mapping[str, type[Command]] = MappingProxyType(
    {
        "connect": ConnectCommand,
        "subscribe": SubscribeCommand,
        "unsubscribe": UnsubscribeCommand,
        "ping": PingCommand,
        "refresh": RefreshCommand,
        "act": ActCommand,
        "ack": AckCommand,
        "shown": ShownCommand,
        "credit": CreditCommand,
    }
)
"""Every command by its word, which is the member that it has beside its id."""


# -- replies ----------------------------------------------------------------------------------------------------


class CriticalState(Struct):
    """What became of the critical events that were missed, and where their log is now."""

    recovered: Annotated[bool, Meta(description="All that were missed follow")]
    missed: Annotated[int, Meta(ge=0, description="How many follow")]
    position: Position


class Connected(Struct):
    """The session."""

    session: str
    server: str
    time: Moment
    ping_ms: int
    credit: Annotated[int | None, Meta(description="null: the gateway's pings do it")]
    limits: Limits
    critical: CriticalState


class Hole(Struct):
    """Publications that this client does not get, both ends included; `to` is below `from` where none can be named."""

    from_: Offset = msgspec.field(name="from")
    to: Offset
    count: Annotated[int | None, Meta(description="How many publications; null: nobody can know")]
    reason: Reason


class Subscribed(Struct):
    """Where the channel is now. A tree has no position: its epoch is empty."""

    channel: str
    epoch: str
    offset: Offset
    recovered: Annotated[bool, Meta(description="Nothing is missing between `from` and what follows")]
    gap: Hole | UnsetType = UNSET


class Now(Struct):
    """The gateway's clock."""

    time: Moment


class ConnectReply(Struct):
    """The session is there."""

    id: Id
    connect: Connected


class SubscribeReply(Struct):
    """The channel is followed."""

    id: Id
    subscribe: Subscribed


class UnsubscribeReply(Struct):
    """The channel is followed no more; what was on its way may still come."""

    id: Id
    unsubscribe: Unsubscribed


class PingReply(Struct):
    """The gateway hears."""

    id: Id
    ping: Now


class RefreshReply(Struct):
    """The newer token counts."""

    id: Id
    refresh: Refreshed


class AckReply(Struct):
    """It was noted."""

    id: Id
    ack: Nothing


class ShownReply(Struct):
    """It was noted."""

    id: Id
    shown: Nothing


class CreditReply(Struct):
    """It was noted."""

    id: Id
    credit: Nothing


class ActReply(Struct):
    """The act is done, and everybody is told."""

    id: Id
    act: Acted


class ErrorReply(Struct):
    """The command was not done."""

    id: Id
    error: Error


Reply = (
    ConnectReply
    | SubscribeReply
    | UnsubscribeReply
    | PingReply
    | RefreshReply
    | ActReply
    | AckReply
    | ShownReply
    | CreditReply
    | ErrorReply
)

REPLIES: Mapping[str, type[Reply]] = MappingProxyType(
    {
        "connect": ConnectReply,
        "subscribe": SubscribeReply,
        "unsubscribe": UnsubscribeReply,
        "ping": PingReply,
        "refresh": RefreshReply,
        "act": ActReply,
        "ack": AckReply,
        "shown": ShownReply,
        "credit": CreditReply,
        "error": ErrorReply,
    }
)
"""Every reply by its word."""


# -- pushes -----------------------------------------------------------------------------------------------------


class CloudEvent(Struct):
    """An event with its place; further attributes are the publisher's own."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    recordedtime: Annotated[Moment, Meta(description="When the gateway received it")]
    channel: str
    quality: Literal["good", "uncertain", "bad", "synthetic"]
    data: Annotated[object, Meta(description="The publisher's own", extra_json_schema={})]
    subject: str | UnsetType = UNSET
    time: Annotated[Moment, Meta(description="The source's clock")] | UnsetType = UNSET
    offset: Annotated[Position, Meta(description="Absent: read back from the journal")] | UnsetType = UNSET
    criticaloffset: Annotated[Position, Meta(description="Place in the log of critical events")] | UnsetType = UNSET
    sampledrate: Annotated[int, Meta(ge=2, description="How many events this one stands for")] | UnsetType = UNSET


class EventPush(Struct, tag_field="push", tag="event"):
    """Something happened."""

    priority: PriorityWord
    event: CloudEvent


class GapPush(Struct, tag_field="push", tag="gap"):
    """Publications that this client does not get, both ends included."""

    channel: str
    from_: Offset = msgspec.field(name="from")
    to: Offset
    reason: Reason
    count: Annotated[int | None, Meta(description="How many publications; null: nobody can know")]


class SubscribedPush(Struct, tag_field="push", tag="subscribed"):
    """A channel of `resume.channels` is followed; what is said is what a reply to subscribe would say."""

    channel: str
    epoch: str
    offset: Offset
    recovered: bool
    gap: Hole | UnsetType = UNSET


class DisconnectPush(Struct, tag_field="push", tag="disconnect"):
    """The connection is about to be closed; what the client is to do stands in the table of close codes."""

    code: int
    reason: str
    delay_ms: Annotated[int, Meta(ge=0, description="Not to come back sooner")]
    resume: Annotated[Position | None, Meta(description="`resume.critical` for the next connect; null: the own one")]


PUSHES: Mapping[str, type[Struct]] = MappingProxyType(
    {"event": EventPush, "subscribed": SubscribedPush, "gap": GapPush, "disconnect": DisconnectPush}
)
"""Every push by its word."""
