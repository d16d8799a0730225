"""What a supervisor is told about a child, and what it remembers of it.

Rules of this file: data only. Ten thousand connections are as many ``Child`` records, so what few children
need, their past failures, is kept apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import msgspec

from actors.runtime.actor import Actor
from actors.runtime.future import ActorRef
from actors.runtime.life import State
from actors.runtime.policy import Restart
from domain import Priority

_NO_KWARGS: Mapping[str, object] = MappingProxyType({})


class ChildSpec(msgspec.Struct, frozen=True):
    """How to make a child and what to do when it ends.

    ``shutdown`` is how many seconds it gets to handle what waits when it is to end; a supervisor gets as long as
    its own children get. ``redeliver`` hands the message that ended a life to the next one, once.
    """

    id: str
    actor_class: type[Actor]
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = _NO_KWARGS
    restart: Restart = Restart.PERMANENT
    shutdown: float = 5.0
    redeliver: bool = False


class StartChild(msgspec.Struct, frozen=True):
    """Asks a supervisor for a new child; the answer is its ref, and if it cannot be made the reason is raised."""

    priority: ClassVar[Priority] = Priority.HIGH
    spec: ChildSpec


class StopChild(msgspec.Struct, frozen=True):
    """Asks a supervisor to end a child for good; answered with True once it has, False if there is none."""

    priority: ClassVar[Priority] = Priority.HIGH
    id: str


class ListChildren(msgspec.Struct, frozen=True):
    """Asks a supervisor for its children, a tuple of ``ChildInfo`` in the order of their start."""

    priority: ClassVar[Priority] = Priority.HIGH


class ChildInfo(msgspec.Struct, frozen=True):
    """What a supervisor says of a child; ``ref`` is None as long as it could not be made."""

    id: str
    ref: ActorRef | None
    state: str
    restarts: int


class Past:
    """The failures of a child: ``failures`` in a row, ``restarts`` in all."""

    __slots__ = ("delay", "failed_at", "failures", "last_failure", "quarantined", "restarts")

    def __init__(self) -> None:
        self.failures = 0
        self.restarts = 0
        self.quarantined = 0
        self.delay = 0.0
        self.last_failure: str | None = None
        self.failed_at = 0.0


class Ticket:
    """Whoever has put the newest ticket on a child decides when it lives again."""

    __slots__ = ()


class Child:
    """A supervisor's record of one child. ``actor`` is its present life, or the last one."""

    __slots__ = ("actor", "lasting", "past", "ref", "spec", "ticket")

    def __init__(self, spec: ChildSpec, *, lasting: bool) -> None:
        self.spec = spec
        self.lasting = lasting
        self.ref: ActorRef | None = None
        self.actor: Actor | None = None
        self.past: Past | None = None
        self.ticket: Ticket | None = None

    @property
    def is_living(self) -> bool:
        """Whether a life has begun and not ended."""
        return self.actor is not None and self.actor.life.state is not State.ENDED

    @property
    def state(self) -> str:
        """The word for the status document."""
        if self.actor is not None and self.is_living:
            return self.actor.life.state.value
        return "restarting" if self.past is not None else "starting"

    @property
    def had_turn(self) -> bool:
        """Whether it was started and is set up, or has failed at it."""
        if self.actor is None:
            return self.past is not None
        return self.actor.life.state is not State.STARTING

    async def end(self, *, drain: bool) -> None:
        """See its life out, after what waits (``drain``) or after the present message."""
        if self.actor is not None:
            # A supervisor's children have deadlines of their own.
            deadline = math.inf if self.actor.essential else self.spec.shutdown
            await self.actor.life.end(drain=drain, deadline=deadline)

    def info(self) -> ChildInfo:
        """Return what the supervisor says of it."""
        return ChildInfo(self.spec.id, self.ref, self.state, self.past.restarts if self.past is not None else 0)
