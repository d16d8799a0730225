"""What every actor of one actor system shares, and how an actor comes to know it.

Rules of this file: an actor is told who it is (its ``Birth``) by the one who makes it, in the same thread, and
its constructor takes that away at once, so that an actor made inside a constructor is nobody's twin.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count

import msgspec
import pykka

from actors.runtime.deadletters import DeadLetters
from actors.runtime.errors import ActorDead
from actors.runtime.future import ActorRef
from actors.runtime.lanes import Envelope, refuse
from actors.runtime.mailbox import Post
from actors.runtime.observer import Observer
from actors.runtime.registry import Registry, mailbox_of


class Environment(msgspec.Struct):
    """What the actors of one system share; ``launch`` runs an actor that has no supervisor."""

    observer: Observer
    random: random.Random
    post: Post
    letters: DeadLetters
    launch: Callable[[pykka.Actor], None]
    registry: Registry = msgspec.field(default_factory=Registry)
    abandoned: Counter[str] = msgspec.field(default_factory=Counter)
    names: Iterator[int] = msgspec.field(default_factory=lambda: count(1))

    def bury(self, ref: ActorRef, path: str, reason: str = "the actor has ended") -> None:
        """End the address ``ref`` for good: what waits goes to the dead letters."""
        if self.registry.get(path) is ref:
            self.registry.drop(path)
        ref.actor_stopped.set()
        mailbox = mailbox_of(ref)
        if mailbox.sealed:
            return
        left = self.letters.bury(path, mailbox.seal(), reason)
        mailbox.owner = None
        self.observer.actor_buried(path, left)

    def bury_below(self, path: str) -> None:
        """End the lasting addresses under ``path``: their supervisor does not come back."""
        for below in self.registry.below(path):
            ref = self.registry.get(below)
            if ref is not None:
                self.bury(ref, below)

    def undeliverable(self, path: str, envelope: Envelope) -> None:
        """Take, on any thread, a message that came too late."""
        reason = "the actor has ended"
        refuse(envelope, ActorDead(f"{path}: {reason}"))
        letter = _Told(envelope.message)
        self.post.run_on_trio(lambda: self.letters.bury(path, (letter,), reason))


class Birth(msgspec.Struct, frozen=True):
    """Who an actor is: its place in the tree, and the address of its earlier lives if it had one."""

    environment: Environment
    id: str
    path: str
    ref: ActorRef | None = None


class _Told:
    """A message whose asker, if it had one, has been answered."""

    __slots__ = ("message", "reply_to")

    def __init__(self, message: object) -> None:
        self.message = message
        self.reply_to: pykka.Future[object] | None = None


current_environment: ContextVar[Environment] = ContextVar("current_environment")
_making = threading.local()


@contextmanager
def born_as(birth: Birth) -> Iterator[None]:
    """Have the actor that is made inside be ``birth``."""
    _making.birth = birth
    try:
        yield
    finally:
        _making.birth = None


def claim_birth(actor_class: type) -> Birth:
    """Return who the actor being made is, once; then who it is if nobody says so.

    Raises:
        RuntimeError: if there is no actor system.
    """
    birth = getattr(_making, "birth", None)
    if isinstance(birth, Birth):
        _making.birth = None
        return birth
    environment = current_environment.get(None)
    if environment is None:
        raise RuntimeError(f"{actor_class.__name__} needs an actor system: async with ActorSystem.open()")
    name = f"{actor_class.__name__}-{next(environment.names)}"
    return Birth(environment, name, name)
