"""One client's session as a state machine: what a dialect decides when a client speaks.

Rules of this file: no I/O, no clock, no actor. A session is told what happened and answers with the
steps to take; ``actors.connections.connection`` takes them. So every dialect can be tested and fuzzed by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import msgspec

from domain import Gap, Position
from domain.access import Rights
from transport.encoder import Encoder
from transport.frames import Frame


class Send(msgspec.Struct, frozen=True):
    """Send ``frame`` to this client: an answer, no publication."""

    frame: Frame


class Followed(msgspec.Struct, frozen=True):
    """What became of a subscription: where its channel is now, and whether all that was missed follows.

    A tree has no position of its own: its epoch is empty. ``gap`` is what of the missed cannot be told any more.
    """

    channel: str
    epoch: str
    offset: int
    recovered: bool
    gap: Gap | None = None


class Subscribe(msgspec.Struct, frozen=True):
    """Follow ``channel`` (or the tree ``kind/*``), encoded by ``encode``.

    First comes what ``confirm`` makes of the outcome, then what followed ``since``, or the ``latest`` newest. Critical
    publications behind ``critical_after`` come in any case. ``max_hz`` bounds how often a value that is replaced by
    newer ones is told, in times a second for each.
    """

    channel: str
    encode: Encoder
    latest: int = 0
    since: Position | None = None
    critical_after: Position | None = None
    max_hz: float | None = None
    confirm: Callable[[Followed], Frame] | None = None


class Unsubscribe(msgspec.Struct, frozen=True):
    """Follow ``channel`` no more."""

    channel: str


class Introduce(msgspec.Struct, frozen=True):
    """The client has said who it is: ``client`` is its word for itself.

    ``credit`` is how many bytes it allows us to have in flight and returns by itself; None: it does not, so pings do.
    ``gap`` and ``disconnect`` write what only this dialect can say: a hole, and the end (code, reason, delay in
    seconds, position to resume from).
    """

    client: str
    credit: int | None
    gap: Callable[[Gap], Frame]
    disconnect: Callable[[int, str, float, Position | None], Frame]


class Resumed(msgspec.Struct, frozen=True):
    """What became of a resume: ``missed`` critical events follow, up to ``newest``; all of them if ``recovered``."""

    recovered: bool
    missed: int
    newest: Position


class Resume(msgspec.Struct, frozen=True):
    """Send what ``confirm`` makes of the outcome, then the critical events behind ``since``, encoded by ``encode``.

    ``since`` of None asks for nothing but the present position. ``channels`` (trees too) limits it to these; None:
    all. Then take ``then``: what is subscribed to begins behind what was resumed.
    """

    since: Position | None
    channels: tuple[str, ...] | None
    encode: Encoder
    confirm: Callable[[Resumed], Frame]
    then: tuple[Subscribe, ...] = ()


class Grant(msgspec.Struct, frozen=True):
    """The client has processed ``size`` bytes: so many more may be in flight."""

    size: int


class Acknowledge(msgspec.Struct, frozen=True):
    """The client has received every critical event up to ``position``."""

    position: Position


class Show(msgspec.Struct, frozen=True):
    """The client has shown these events, named by their ids, to a person."""

    ids: tuple[str, ...]


class Enquire(msgspec.Struct, frozen=True):
    """Put ``question`` to who answers behind this door, and take the steps that ``then`` makes of the answer.

    A refusal comes as a ``domain.Refused``. What the client says meanwhile waits.
    """

    question: object
    then: Callable[[object], Sequence[Step]]


class Admit(msgspec.Struct, frozen=True):
    """The client has shown who it is: it may do and see what ``rights`` say, from now on and while they last."""

    rights: Rights


class Express(msgspec.Struct, frozen=True):
    """What only this dialect can say, to a client that introduces itself no further: a hole, and the end.

    The arguments are those of ``Introduce``.
    """

    gap: Callable[[Gap], Frame]
    disconnect: Callable[[int, str, float, Position | None], Frame]


class Prompt(msgspec.Struct, frozen=True):
    """Whenever the client has said nothing for ``after`` seconds, send what ``write`` makes, given the Unix seconds."""

    after: float
    write: Callable[[float], Frame]


class Withhold(msgspec.Struct, frozen=True):
    """The client was told that it does not see what it asked for, and ``why``: for the audit."""

    why: str


class Close(msgspec.Struct, frozen=True):
    """Close the connection with ``code`` and ``reason`` (RFC 6455, section 7.4)."""

    code: int
    reason: str


Step: TypeAlias = (
    Send
    | Subscribe
    | Unsubscribe
    | Introduce
    | Resume
    | Grant
    | Acknowledge
    | Show
    | Enquire
    | Admit
    | Express
    | Prompt
    | Withhold
    | Close
)


class Session(Protocol):
    """What every dialect implements."""

    def opened(self, at: float) -> list[Step]:
        """The steps to take when the connection has opened, at ``at`` (Unix seconds)."""

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """The steps to take when the client said ``message``."""
