"""The actor system: the nursery that everything lives in, and the actors at its top.

Rules of this file: the block of ``ActorSystem.open()`` ends when all actors have ended, in the reverse order of
their start. When an essential actor at the top fails, a supervisor that gave up, the block is cancelled, the
others are seen out, and what it failed with is raised from the block. A block that is cancelled cancels its actors.
"""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import pykka
import trio

from actors.runtime.actor import Actor
from actors.runtime.deadletters import DeadLetters
from actors.runtime.environment import Birth, Environment, born_as, current_environment
from actors.runtime.errors import ChildExists
from actors.runtime.life import Outcome, live
from actors.runtime.mailbox import Post
from actors.runtime.observer import LoggingObserver, Observer
from actors.runtime.registry import mailbox_of

A = TypeVar("A", bound=Actor)

SHUTDOWN = 5.0  # seconds an actor at the top that is no supervisor gets to handle what waits


class ActorSystem:
    """The actors of one event loop; made by ``open()``."""

    def __init__(
        self, nursery: trio.Nursery, observer: Observer, rng: random.Random, keep: int, patience: float
    ) -> None:
        post = Post(patience)
        letters = DeadLetters(keep, post, observer)
        self.environment = Environment(observer, rng, post, letters, self._launch)
        post.undeliverable = self.environment.undeliverable
        self._nursery = nursery
        self._top: dict[str, Actor] = {}
        self._block = trio.CancelScope()
        self._failure: Exception | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        observer: Observer | None = None,
        rng: random.Random | None = None,
        keep: int = 100,
        patience: float = 5.0,
    ) -> AsyncIterator[ActorSystem]:
        """Open an actor system for the length of a block.

        ``rng`` spreads the restarts, ``keep`` is how many dead letters and quarantined messages are kept, and
        ``patience`` for how many seconds another thread waits for room in a full mailbox.

        Raises:
            Exception: what an essential actor at the top failed with, ``TooManyRestarts`` above all.
        """
        failure: Exception | None = None
        async with trio.open_nursery() as nursery:
            system = cls(nursery, observer or LoggingObserver(), rng or random.Random(), keep, patience)
            token = current_environment.set(system.environment)
            try:
                try:
                    with system._block:
                        yield system
                except Exception as error:  # noqa: BLE001 - raised below, when the actors are out, and without a group
                    failure = error
                await system.close()
            finally:
                current_environment.reset(token)
                nursery.cancel_scope.cancel()
        failure = system._failure or failure
        if failure is not None:
            raise failure

    @property
    def letters(self) -> DeadLetters:
        """What was never handled, and what is quarantined."""
        return self.environment.letters

    @property
    def abandoned(self) -> Mapping[str, int]:
        """How many threads did not end in time, by the path of their actor."""
        return dict(self.environment.abandoned)

    def start(self, actor_class: type[A], name: str, *args: object, **kwargs: object) -> pykka.ActorRef[A]:
        """Start an actor at the top, on the trio thread; ``name`` is its path.

        Raises:
            ChildExists: if there is one of that name.
            Exception: what making it raised.
        """
        if name in self._top:
            raise ChildExists(name)
        with born_as(Birth(self.environment, name, name)):
            actor = actor_class(*args, **kwargs)
        pykka.ActorRegistry.register(actor.actor_ref)
        self._launch(actor)
        return actor.actor_ref

    async def stop(self, ref: object) -> None:
        """End an actor at the top and wait until it has; what waits is handled first."""
        owner = mailbox_of(ref).owner
        if isinstance(owner, Actor):
            await _end(owner)

    async def settled(self, ref: object) -> None:
        """Wait until an actor, and if it is a supervisor all its first children, are set up."""
        owner = mailbox_of(ref).owner
        if isinstance(owner, Actor):
            await owner.life.settled()

    async def close(self) -> None:
        """End all actors at the top, the newest first."""
        for actor in reversed(list(self._top.values())):
            await _end(actor)

    def _launch(self, actor: pykka.Actor) -> None:
        if not isinstance(actor, Actor):
            raise TypeError(f"{actor} is no actor of this runtime")
        self._top[actor.life.path] = actor
        actor.take_office()
        self._nursery.start_soon(live, actor, self._ended, name=actor.life.path)

    def _ended(self, actor: Actor) -> None:
        life = actor.life
        del self._top[life.path]
        message = life.message
        life.settle()
        if life.outcome is Outcome.FAILED:
            self.environment.observer.actor_failed(life.path, life.error, message)
            if actor.essential and self._failure is None:
                self._failure = life.error
                self._block.cancel()
        self.environment.bury_below(life.path)
        self.environment.bury(actor.actor_ref, life.path)
        pykka.ActorRegistry.unregister(actor.actor_ref)


async def _end(actor: Actor) -> None:
    await actor.life.end(drain=True, deadline=math.inf if actor.essential else SHUTDOWN)
