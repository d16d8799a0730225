"""One life of an actor: where it is, what it has in hand, and how it ends.

Rules of this file: a life is used on the trio thread, except for the few plain values that a thread of its own
keeps up to date. It does not know its actor, so that an actor that has ended is freed without the garbage
collector, which the daemon keeps from looking.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol, TypeVar

import pykka
import trio

from actors.runtime.environment import Birth, Environment
from actors.runtime.future import ActorRef
from actors.runtime.lanes import Envelope
from actors.runtime.registry import AnyMailbox
from domain import Priority


class State(Enum):
    """Where a life is: STARTING until setup is done, STOPPING from the last message on."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"


class Outcome(Enum):
    """How a life ended: asked to, by an error, or because it was cancelled."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Life:
    """The state of one life. Moments are on trio's clock.

    ``interrupted`` says that what ended the life was not the message in hand, ``abandoned`` that a thread goes on
    with it, unwatched.

    ``last_at`` is when the actor last began to handle what waited, ``busy_since`` when it began to wait inside a
    handler, ``progress_at`` when a handler that takes long last said that it goes on.
    """

    __slots__ = (
        "_watched",
        "abandoned",
        "busy_since",
        "current",
        "environment",
        "error",
        "former",
        "id",
        "interrupted",
        "joined",
        "last_at",
        "leaving",
        "mailbox",
        "outcome",
        "path",
        "pending_report",
        "progress_at",
        "scope",
        "started_at",
        "state",
    )

    mailbox: AnyMailbox

    def __init__(self, birth: Birth) -> None:
        self.environment: Environment = birth.environment
        self.id = birth.id
        self.path = birth.path
        self.former: ActorRef | None = birth.ref
        self.state = State.STARTING
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self.scope = trio.CancelScope()
        self.leaving = False
        self.abandoned = False
        self.interrupted = False
        self.current: Envelope | None = None
        self.joined: list[Envelope] | None = None
        self.started_at = birth.environment.post.clock.current_time()
        self.last_at: float | None = None
        self.busy_since: float | None = None
        self.progress_at: float | None = None
        self.pending_report: pykka.Future[object] | None = None
        self._watched: trio.Event | None = None

    def enter(self, state: State) -> None:
        """Go on to ``state``."""
        self.state = state
        watched, self._watched = self._watched, None
        if watched is not None:
            watched.set()

    async def settled(self) -> None:
        """Wait until setup is done, or has failed."""
        while self.state is State.STARTING:
            await self._change()

    @property
    def is_over(self) -> bool:
        """Whether the life has ended."""
        return self.state is State.ENDED

    async def over(self) -> None:
        """Wait until the life has ended."""
        while not self.is_over:
            await self._change()

    async def end(self, *, drain: bool, deadline: float) -> None:
        """Ask the life to end and see to it that it has, by force after ``deadline`` seconds."""
        if self.is_over:
            return
        self.leave(drain=drain)
        with trio.move_on_after(deadline):
            await self.over()
        if not self.is_over:
            self.scope.cancel()
            await self.over()

    @property
    def message(self) -> str | None:
        """The class of the message in hand, None if there is none."""
        return None if self.current is None else type(self.current.message).__name__

    def leave(self, *, drain: bool) -> None:
        """Ask the life to end: after what waits now (``drain``), or after the present message, keeping the rest."""
        if drain:
            self.mailbox.close()
        else:
            self.leaving = True
        self.mailbox.wake()

    def in_hand(self) -> list[Envelope]:
        """Return the messages being handled, or that were when the life ended."""
        return [*(() if self.current is None else (self.current,)), *(self.joined or ())]

    def settle(self, *, redeliver: bool = False) -> int:
        """Decide about what was in hand when the life ended, and return how many messages were quarantined.

        With ``redeliver`` they go to the next life, but never twice. Else those that an error ended are
        quarantined, and those that were merely interrupted go to the dead letters.
        """
        in_hand, self.current, self.joined = self.in_hand(), None, None
        again: list[Envelope] = []
        if redeliver and not self.abandoned:
            seen = self.mailbox.redelivered
            again = [one for one in in_hand if all(one is not other for other in seen)]
        if again:
            self.mailbox.put_back(again)
            self.mailbox.redelivered = tuple(again)
        rest = [one for one in in_hand if all(one is not other for other in again)]
        if self.error is None or self.interrupted:
            self.environment.letters.bury(self.path, rest, "abandoned" if self.abandoned else "interrupted")
            return 0
        for envelope in rest:
            self.environment.letters.quarantine(self.path, envelope, self.error)
        return len(rest)

    def report_losses(self) -> None:
        """Tell the observer what the mailbox did not keep since the last call."""
        losses = self.mailbox.fresh_losses()
        if losses is None:
            return
        for priority in Priority:
            counts = (losses.dropped[priority], losses.conflated[priority], losses.refused[priority])
            if any(counts):
                self.environment.observer.messages_dropped(self.path, priority, *counts)

    async def _change(self) -> None:
        if self._watched is None:
            self._watched = trio.Event()
        await self._watched.wait()


class Livable(Protocol):
    """An actor, as far as its life is concerned."""

    life: Life

    async def run(self) -> None:
        """Live once."""


L = TypeVar("L", bound=Livable)


async def live(actor: L, ended: Callable[[L], None]) -> None:
    """Let ``actor`` live once, in a scope of its own, and then call ``ended``; no failure gets out of here."""
    life = actor.life
    # Taken for the case that the scope, or one around it, is cancelled.
    life.outcome = Outcome.CANCELLED
    try:
        with life.scope:
            await actor.run()
            life.outcome = Outcome.COMPLETED
    except Exception as error:  # noqa: BLE001 - whatever it is, the supervisor decides about it
        life.error = error
        life.outcome = Outcome.FAILED
    finally:
        life.enter(State.ENDED)
        ended(actor)
        # The traceback holds the frames, and the frames hold the life.
        life.error = None
