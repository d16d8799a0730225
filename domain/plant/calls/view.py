"""What there is to read of calls at one moment: the board, one call, a selection, figures.

Rules of this file: reading changes nothing. What is asked for is given as plain data.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from domain.json import JsonObject, JsonValue
from domain.plant.calls.call import Call
from domain.plant.calls.calls import Calls
from domain.plant.calls.states import State
from domain.plant.calls.statistics import statistics
from domain.plant.calls.telling import document, history
from domain.plant.calls.timers import Targets
from domain.plant.escalation import Escalations

_RANKS = {"critical": 0, "high": 1, "medium": 2, "low": 3}


class Selection(msgspec.Struct, frozen=True):
    """Which calls: each word that is given must fit. ``since`` and ``until`` (Unix seconds) are about the raising."""

    states: Collection[State] | None = None
    path: str | None = None
    word: str | None = None
    priority: str | None = None
    by: str | None = None
    is_escalated: bool | None = None
    since: float | None = None
    until: float | None = None

    def has(self, call: Call) -> bool:
        """Whether ``call`` is one of them."""
        raised = call.raised
        return (
            (self.states is None or call.state in self.states)
            and (self.path is None or call.path == self.path or call.path.startswith(f"{self.path}/"))
            and (self.word is None or self.word in (call.word, call.type))
            and (self.priority is None or call.priority == self.priority)
            and (self.by is None or any(step.said.by == self.by for step in call.steps))
            and (self.is_escalated is None or (call.level > 1) is self.is_escalated)
            and (self.since is None or raised.moment >= self.since)
            and (self.until is None or raised.moment < self.until)
        )


class CallsNow:
    """The calls at the moment ``at`` (Unix seconds)."""

    def __init__(self, calls: Calls, escalations: Escalations, at: float, targets: Targets) -> None:
        self.calls = calls
        self.at = at
        self._escalations = escalations
        self._targets = targets

    def seen(self, calls: Callable[[str], bool], escalations: Callable[[str], bool]) -> CallsNow:
        """The same without what is at places that are not seen: ``calls`` and ``escalations`` tell of a path."""
        return CallsNow(self.calls.seen(calls), self._escalations.seen(escalations), self.at, self._targets)

    def board(self) -> list[JsonObject]:
        """The open calls, the most urgent first, the oldest first among equals."""
        found = sorted(
            self.calls.open_calls(), key=lambda call: (_RANKS.get(call.priority, len(_RANKS)), call.raised.moment)
        )
        return [self.document(call) for call in found]

    def one(self, id_: str) -> JsonObject:
        """The call ``id_`` with its history and its escalation.

        Raises:
            Refused: if there is none.
        """
        call = self.calls.find(id_)
        chain: JsonValue = self._escalations.view(id_)
        return {**self.document(call), "history": history(call), "escalation": chain}

    def escalations(self) -> list[JsonObject]:
        """The escalations that go on, each with its chain as it was frozen."""
        return self._escalations.views()

    def chains(self) -> list[JsonObject]:
        """The chains for calls that are yet to come: the first one that fits is taken."""
        return self._escalations.chains()

    def selected(self, selection: Selection) -> list[Call]:
        """The calls of a selection, the newest first."""
        return [call for call in reversed(list(self.calls)) if selection.has(call)]

    def document(self, call: Call) -> dict[str, JsonValue]:
        """One call."""
        return document(call, self.at, self._targets)

    def statistics(self, begin: float, end: float) -> dict[str, JsonValue]:
        """Figures of the calls raised in [``begin``, ``end``)."""
        return statistics(self.calls, begin, end, self._targets)
