"""Who wants to see what is published, beside those who follow a channel: the rules of hooks, and desks.

Rules of this file: an event of a type that nobody asked for costs one look-up. Nobody waits for a rule: one that is
behind, or away, misses the event: an urgent one is counted on the part's line, the rest by its mailbox.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress

from actors.places import Receiver
from actors.runtime import ActorDead, MailboxFull
from domain import MADE_BY, Event, Priority, conflation_key
from domain.hooks import Part

KNOWN_LIMIT = 1_000


class Seen:
    """An event was published that a rule wants to see."""

    __slots__ = ("event", "key", "priority")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.priority: Priority = event.priority
        self.key: Hashable = conflation_key(event)


class Taps:
    """Tells rules of published events by type; empty, it is false."""

    def __init__(self) -> None:
        self._asked: list[tuple[Part, tuple[str, ...], Receiver]] = []
        self._known: dict[str, list[tuple[Part, Receiver]]] = {}
        self._desks: dict[str, tuple[Callable[[str], bool], Receiver]] = {}

    def __bool__(self) -> bool:
        return bool(self._asked or self._desks)

    def attend(self, desk: str, wants: Callable[[str], bool], receiver: Receiver) -> None:
        """Have the ``receiver`` at the place ``desk`` told of events of types that it ``wants``, those of hooks too."""
        self._desks[desk] = (wants, receiver)

    def leave(self, desk: str) -> None:
        """Tell the ``desk`` no more."""
        self._desks.pop(desk, None)

    def ask(self, part: Part, types: Sequence[str], receiver: Receiver) -> None:
        """Have ``receiver`` told of events of ``types``, or of those below them, for the rule ``part``."""
        self.forget(part)
        self._asked.append((part, tuple(types), receiver))
        self._known.clear()

    def forget(self, part: Part) -> None:
        """Tell the rule ``part`` no more."""
        self._asked = [each for each in self._asked if each[0] is not part]
        self._known.clear()

    def take(self, event: Event) -> None:
        """Tell who asked for it; what a rule made is shown to no rule, or two could answer each other for ever."""
        for wants, receiver in self._desks.values():
            if wants(event.type):
                # One that is away begins with what it missed, if that matters.
                with suppress(ActorDead, MailboxFull):
                    receiver.tell(Seen(event))
        if MADE_BY in event.extensions:
            return
        receivers = self._known.get(event.type)
        if receivers is None:
            receivers = self._learn(event.type)
        for part, receiver in receivers:
            try:
                receiver.tell(Seen(event))
            except (ActorDead, MailboxFull):
                part.missed += 1

    def _learn(self, type_: str) -> list[tuple[Part, Receiver]]:
        # Strangers choose types: what is remembered of them is bounded.
        if len(self._known) >= KNOWN_LIMIT:
            self._known.clear()
        found = [(part, receiver) for part, types, receiver in self._asked if _fits(type_, types)]
        self._known[type_] = found
        return found


def _fits(type_: str, wanted: Sequence[str]) -> bool:
    return any(type_ == each or type_.startswith(f"{each}.") for each in wanted)
