"""Calls and their escalations, decided together: what one does to the other is one decision, kept whole.

Rules of this file: no I/O, no clock. A notification of a decision is sent when its rows are kept, never before. A chain
may want something done to its call; that is done in its name, in the same decision.

* The chain of a call begins when the gateway learns of it; the clock to resolve runs from the moment of the
  acknowledgement, also where that came late.
* What that chain allows is the call's own deadline, whatever the chains become later.
* The first receipt makes a call notified. The level of the chain becomes the call's; the first one is no escalation.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import msgspec

from domain.decision import Decision, Refused, Row
from domain.event import Event
from domain.json import JsonValue
from domain.plant.calls.around import Around
from domain.plant.calls.call import Call, Promise, Said
from domain.plant.calls.calls import Calls, Outcome
from domain.plant.calls.states import Trigger
from domain.plant.calls.wish import Wish
from domain.plant.escalation import Ask, CallFacts, Escalations, Notification, Outgoing, Reading


class Reaction(msgspec.Struct, frozen=True):
    """The call, or why not, the ``steps`` that calls made, and what is to be sent when all of it is kept."""

    answer: Call | Refused | None
    notifications: tuple[Notification, ...] = ()
    steps: tuple[Call, ...] = ()


class Response:
    """Has ``calls`` and ``escalations`` decide; ``around`` knows what else is going on."""

    def __init__(self, calls: Calls, escalations: Escalations, around: Around) -> None:
        self.calls = calls
        self.escalations = escalations
        self.around = around
        self.outstanding: dict[str, Notification] = {}

    def raise_call(self, wish: Wish, said: Said) -> Decision[Reaction]:
        """Raise a call.

        Raises:
            Refused: as ``Calls.raise_call``.
        """
        turn = _Turn(self)
        call = turn.take(self.calls.raise_call(wish, said))
        if call is not None:
            turn.escalate(call.id, self.escalations.raised(facts_of(call), said.received), said.received)
            turn.take(self.calls.promised(call.id, self._promise(call.id)))
            links = {name: value for name, value in self.around.at(call.path).items() if name not in wish.links}
            turn.take(self.calls.linked(call.id, links, said.received, wish.incident or links.get("stop")))
        return turn.done()

    def join(self, id_: str, wish: Wish, at: float) -> Decision[Reaction]:
        """What ``wish`` is about is of one incident with the open call ``id_``."""
        turn = _Turn(self)
        turn.take(self.calls.linked(id_, wish.links, at))
        return turn.done()

    def act(
        self, id_: str, trigger: Trigger, said: Said, detail: Mapping[str, JsonValue] | None = None
    ) -> Decision[Reaction]:
        """Do ``trigger`` to the call ``id_``.

        Raises:
            Refused: as ``Calls.act``.
        """
        turn = _Turn(self)
        call = turn.take(self.calls.act(id_, trigger, said, detail))
        if call is not None:
            self._follow(turn, call, trigger, said)
        return turn.done()

    def escalate(self, id_: str, said: Said) -> Decision[Reaction]:
        """Somebody wants the next level of the call ``id_`` now.

        Raises:
            Refused: if there is no such call, or nothing more is escalated about it.
        """
        turn = _Turn(self, self.calls.find(id_))
        turn.escalate(id_, self.escalations.escalate(id_, said.by, said.received), said.received)
        return turn.done()

    def hear(self, event: Event, at: float) -> Decision[Reaction]:
        """Learn from the ``event`` of another desk what else is going on."""
        path, begun, rows = self.around.hear(event)
        turn = _Turn(self)
        turn.rows += rows
        if begun:
            for call in self.calls.open_calls(path):
                turn.take(self.calls.linked(call.id, begun, at))
        return turn.done()

    # --- notifications and time

    def sent(self, notification: str, receipt: str, at: float) -> Decision[Reaction]:
        """There is a receipt for a notification."""
        turn, told = _Turn(self), self.outstanding.pop(notification, None)
        turn.escalate(None if told is None else told.call, self.escalations.sent(notification, receipt, at), at)
        if told is not None:
            turn.take(self.calls.notified(told.call, told.channel, told.target, at))
        return turn.done()

    def failed(self, notification: str, reason: str, at: float) -> Decision[Reaction]:
        """There is none, and will be none."""
        turn, told = _Turn(self), self.outstanding.pop(notification, None)
        turn.escalate(None if told is None else told.call, self.escalations.failed(notification, reason, at), at)
        return turn.done()

    def due(self, at: float) -> Decision[Reaction]:
        """Do what is due at ``at``."""
        turn = _Turn(self)
        turn.escalate(None, self.escalations.due(at), at)
        return turn.done()

    def resume(self, at: float) -> Decision[Reaction]:
        """A life begins: send again, marked, what has no result."""
        turn = _Turn(self)
        turn.escalate(None, self.escalations.resume(at), at)
        return turn.done()

    def read_clocks(self, reading: Reading) -> Decision[Reaction]:
        """If the wall clock was set, let what is waited for come when it would have come without that."""
        turn = _Turn(self)
        turn.escalate(None, self.escalations.read_clocks(reading), reading.wall)
        return turn.done()

    def _promise(self, id_: str) -> Promise | None:
        chain = self.escalations.chain(id_)
        return None if chain is None else Promise(chain.acknowledge, chain.resolve)

    def _follow(self, turn: _Turn, call: Call, trigger: Trigger, said: Said) -> None:
        """Have the chain know what was done to its call."""
        chains, at, when = self.escalations, said.received, call.last.moment
        match trigger:
            case Trigger.ACKNOWLEDGE:
                turn.escalate(call.id, chains.acknowledged(call.id, said.by, when), at)
            case Trigger.ARRIVE:
                turn.escalate(call.id, chains.arrived(call.id, said.by, when), at)
            case Trigger.RESOLVE:
                turn.escalate(call.id, chains.resolved(call.id, said.by, at), at)
            case Trigger.CANCEL:
                turn.escalate(call.id, chains.cancelled(call.id, said.by, at), at)
            case Trigger.REOPEN:
                turn.escalate(call.id, chains.reopened(facts_of(call), said.by, at), at)
                turn.take(self.calls.promised(call.id, self._promise(call.id)))
            case Trigger.CLOSE:
                turn.escalate(call.id, chains.closed(call.id), at)
            case Trigger.CHANGE:
                turn.escalate(call.id, chains.changed(facts_of(call)), at)
            case Trigger.REASSIGN if call.assigned_to:
                # Where nothing is escalated there is nobody to tell by it.
                with suppress(Refused):
                    turn.escalate(call.id, chains.page(call.id, call.assigned_to, said.by, at), at)


class _Turn:
    """One decision, while it is put together."""

    def __init__(self, response: Response, answer: Call | None = None) -> None:
        self._response = response
        self._answer: Call | Refused | None = answer
        self._events: list[Event] = []
        self._notifications: list[Notification] = []
        self._steps: list[Call] = []
        self.rows: list[Row] = []

    def take(self, outcome: Outcome | None) -> Call | None:
        """What was decided about a call; the call, if it was done."""
        if outcome is None:
            return None
        self._events += outcome.events
        self.rows += outcome.rows
        self._answer = outcome.answer
        if isinstance(outcome.answer, Refused):
            return None
        if outcome.events:
            self._steps.append(outcome.answer)
        return outcome.answer

    def escalate(self, id_: str | None, decision: Decision[Outgoing], at: float) -> None:
        """What was decided about the escalation of call ``id_`` (None: of any)."""
        self._events += decision.events
        self.rows += decision.rows
        self._notifications += decision.answer.notifications
        self._response.outstanding |= {told.id: told for told in decision.answer.notifications}
        for ask in decision.answer.asks:
            self._ask(ask, at)
        self._level(id_, at)

    def done(self) -> Decision[Reaction]:
        """All of it."""
        reaction = Reaction(self._latest(), tuple(self._notifications), tuple(self._steps))
        return Decision(reaction, tuple(self._events), tuple(self.rows))

    def _latest(self) -> Call | Refused | None:
        if not isinstance(self._answer, Call):
            return self._answer
        return self._response.calls.find(self._answer.id)

    def _level(self, id_: str | None, at: float) -> None:
        calls, chains = self._response.calls, self._response.escalations
        for call in [calls.find(id_)] if id_ is not None and calls.has(id_) else calls.open_calls():
            level = chains.level(call.id)
            if level > call.level:
                answer = self._answer
                self.take(calls.escalated(call.id, level, at))
                self._answer = answer

    def _ask(self, ask: Ask, at: float) -> None:
        """Do what a chain wants done to its call; one that is over wants nothing."""
        said = Said(f"chain:{ask.chain}", at, at)
        trigger, detail = (Trigger.CHANGE, {"priority": ask.priority}) if ask.priority else (Trigger.RESOLVE, None)
        answer = self._answer
        with suppress(Refused):
            decision = self._response.act(ask.call, trigger, said, detail)
            self._events += decision.events
            self.rows += decision.rows
            self._notifications += decision.answer.notifications
            self._steps += decision.answer.steps
        self._answer = answer


def facts_of(call: Call) -> CallFacts:
    """What a chain needs to know of ``call``."""
    return CallFacts(call.id, call.path, call.type, call.priority, call.text, call.raised.said.by, call.opened.moment)
