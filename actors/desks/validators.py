"""The validators' desk: what the nodes of chains say becomes states of validators, and what is told of them.

Rules of this file:

* The rules decide (``domain.chain.validators``); the desk keeps time, commits and tells. What changed and the events
  that tell of it are written together, so a restart neither loses nor repeats an alert.
* The portal's view learns each state behind its commit: from the desk to the portal's, never back.
* What only repeats a state is published by the portal's desk and not kept: it follows from what is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import ClassVar

import msgspec

from actors.beats import beat
from actors.desks.deciding import DecidingDesk
from actors.desks.validator_levels import GAUGES, Levels
from actors.desks.validator_rules import TermsInForce
from actors.desks.validator_words import log
from actors.messages import EventTaken, Observed, StateRead, StatusesTold
from actors.places import PORTAL_DESK, Address
from actors.ranks import Ranks
from actors.runtime import ActorDead, MailboxFull
from domain import Decision, Event, JsonValue, Priority
from domain.chain import VALIDATOR
from domain.chain.validators import KINDS, Chains, Named, Outcome, Terms, ValidatorsNow
from telemetry import counters, events, gauges

LOOK = 0.5
"""Seconds between two looks at what time has done: silence and halts are told at most so much late."""


class ReadValidators(msgspec.Struct, frozen=True):
    """Answer what ``read`` makes of chains and validators now."""

    read: Callable[[ValidatorsNow], object]
    priority: ClassVar[Priority] = Priority.HIGH


class Look(msgspec.Struct, frozen=True):
    """It is time to see what is due."""

    priority: ClassVar[Priority] = Priority.HIGH


class ValidatorDesk(DecidingDesk):
    """Keeps the ``Chains`` that are ``named`` (None: all that are spoken of) by the ``terms`` in force."""

    name = "validators"
    kinds = KINDS

    def __init__(
        self,
        terms: Callable[[], Terms] | None = None,
        clock: Callable[[], float] = time.time,
        ranks: Ranks | None = None,
        named: Callable[[], Named | None] = lambda: None,
    ) -> None:
        super().__init__(clock, ranks)
        self._chains = Chains(terms or TermsInForce(), named)
        self._portal = Address(self.life.environment, PORTAL_DESK)
        self._levels = Levels(lambda: self._chains.now(self.clock()))

    def restore(self, kept: Mapping[str, StateRead]) -> None:
        """Take up the chains and their validators."""
        lost = self._chains.restore(kept, self.clock())
        if lost:
            events.state_unreadable(kind=KINDS[1], count=lost)

    def begin(self) -> None:
        """Begin to keep time."""
        self._levels.feed()
        self.start_task(self._keep_looking)

    async def close(self) -> None:
        """Tell no more how the chains are."""
        for name in GAUGES:
            gauges.forget(name)

    def take(self, message: object) -> object:
        """Hear what nodes said, see what is due, answer what is asked."""
        match message:
            case Observed(observations=observations):
                self._do(self._chains.take(observations, self.clock()))
            case Look():
                self._do(self._chains.look(self.clock()))
            case ReadValidators(read=read):
                return read(self._chains.now(self.clock()))
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """Each chain: its head, its nodes, and how many validators it has of each status; and those put aside."""
        return {
            "chains": [dict(chain) for chain in self._chains.now(self.clock()).chains()],
            "aside": [dict(chain) for chain in self._chains.aside()],
        }

    def _do(self, outcome: Outcome) -> None:
        for event in outcome.events:
            log(event)
        statuses = tuple(event for event in outcome.events if event.type == VALIDATOR)
        if statuses or outcome.seen or outcome.told:
            self.when_settled(partial(self._show, (*statuses, *outcome.seen), tuple(outcome.told)))
        self.commit(Decision(None, outcome.decision.events, outcome.decision.rows))

    def _show(self, seen: tuple[Event, ...], told: tuple[Event, ...]) -> None:
        """Have the portal's view learn all that was ``seen`` or ``told``, and publish what was only told."""
        try:
            # What is published is less urgent, and a jailing that was taken back is not to stay on the boards.
            if seen or told:
                self._portal.tell(StatusesTold((*seen, *told)))
            for event in told:
                self._portal.tell(EventTaken(event if self._ranks is None else self._ranks.rank(event)))
        except (ActorDead, MailboxFull):
            # The next look at the chain shows it all again.
            counters.dead_letters.add("refused")

    async def _keep_looking(self) -> None:
        while True:
            await beat(LOOK)
            with suppress(MailboxFull):
                self.actor_ref.tell(Look())
