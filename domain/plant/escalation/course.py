"""How far one call's escalation is: its state, and what each trigger makes of it.

Rules of this file: the table says everything; a pair that is not in it changes nothing, or is refused where somebody
asked for it. The level is no state: a call can be acknowledged and at level 2. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from domain.json import JsonObject, JsonValue
from domain.plant.escalation.chain import Chain, Importance, Program
from domain.plant.escalation.notification import CallFacts


class Phase(StrEnum):
    """What is being done about a call."""

    UNACKNOWLEDGED = "unacknowledged"
    """The first program runs."""
    EXHAUSTED = "exhausted"
    """It ran to its end, and nobody acknowledged."""
    ACKNOWLEDGED = "acknowledged"
    """The second program runs: the clock to resolve."""
    ABANDONED = "abandoned"
    """It ran to its end, and nobody resolved."""
    STOPPED = "stopped"
    """The call is resolved or cancelled."""


class Trigger(StrEnum):
    """What can happen to it."""

    ACKNOWLEDGED = "acknowledged"
    ARRIVED = "arrived"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    """A person wants the next level now."""
    ENDED = "ended"
    """The program is at its end."""


_STOPS = (Trigger.RESOLVED, Trigger.CANCELLED)
_LIVE = (Phase.UNACKNOWLEDGED, Phase.EXHAUSTED, Phase.ACKNOWLEDGED, Phase.ABANDONED)

TRANSITIONS: Mapping[tuple[Phase, Trigger], Phase] = {
    # Whoever is there has taken the call over, whether they said so or not.
    **{
        (phase, trigger): Phase.ACKNOWLEDGED
        for phase in (Phase.UNACKNOWLEDGED, Phase.EXHAUSTED)
        for trigger in (Trigger.ACKNOWLEDGED, Trigger.ARRIVED)
    },
    **{(phase, trigger): Phase.STOPPED for phase in _LIVE for trigger in _STOPS},
    (Phase.STOPPED, Trigger.REOPENED): Phase.UNACKNOWLEDGED,
    (Phase.UNACKNOWLEDGED, Trigger.ESCALATED): Phase.UNACKNOWLEDGED,
    (Phase.EXHAUSTED, Trigger.ESCALATED): Phase.UNACKNOWLEDGED,
    (Phase.ACKNOWLEDGED, Trigger.ESCALATED): Phase.ACKNOWLEDGED,
    (Phase.ABANDONED, Trigger.ESCALATED): Phase.ACKNOWLEDGED,
    (Phase.UNACKNOWLEDGED, Trigger.ENDED): Phase.EXHAUSTED,
    (Phase.ACKNOWLEDGED, Trigger.ENDED): Phase.ABANDONED,
}


class Fate(StrEnum):
    """What became of an attempt."""

    OPEN = "open"
    SENT = "sent"
    FAILED = "failed"


class Attempt(msgspec.Struct):
    """One target is to be told: by ``channels`` in their order, at present by the one at ``index``.

    ``group`` is the level's number it counts for, 0 for none; ``tries`` how often the present channel was asked.
    """

    id: str
    run: int
    group: int
    level: int
    target: str
    channels: tuple[str, ...]
    importance: Importance
    begun: float
    expires: float
    index: int = 0
    tries: int = 1
    fate: Fate = Fate.OPEN
    more: JsonObject = msgspec.field(default_factory=dict)
    is_orphan: bool = False
    """Whether it is from a former life, and nobody knows what became of it."""

    @property
    def channel(self) -> str:
        """The channel that is asked at present."""
        return self.channels[self.index]

    @property
    def notification(self) -> str:
        """The id of the notification by that channel."""
        return f"{self.id}-{self.channel}"

    @property
    def is_open(self) -> bool:
        """Whether a receipt is still waited for."""
        return self.fate is Fate.OPEN


class Course(msgspec.Struct):
    """One call's escalation: the chain as it was when it began, and how far it is.

    ``run`` counts the beginnings of a program, ``round`` its repetitions, ``place`` is where it is in it. ``skipped``
    are the seconds of the waits that were passed over in this round.
    """

    facts: CallFacts
    chain: Chain
    run: int
    begun: float
    phase: Phase = Phase.UNACKNOWLEDGED
    round: int = 0
    place: int = 0
    level: int = 0
    group: int = 0
    is_level_open: bool = False
    has_tried: bool = False
    has_delivered: bool = False
    wait_until: float | None = None
    is_pausing: bool = False
    skipped: float = 0.0
    cause: str = "began"
    reached: int = 0
    pages: int = 0
    events: int = 0
    acknowledged_at: float | None = None
    acknowledged_by: str = ""
    stopped_at: float | None = None
    attempts: list[Attempt] = msgspec.field(default_factory=list)

    @property
    def is_acknowledged(self) -> bool:
        """Whether somebody has taken the call over."""
        return self.phase in (Phase.ACKNOWLEDGED, Phase.ABANDONED)

    @property
    def is_running(self) -> bool:
        """Whether a program runs."""
        return self.phase in (Phase.UNACKNOWLEDGED, Phase.ACKNOWLEDGED)

    @property
    def program(self) -> Program:
        """The program of this phase."""
        return self.chain.second_program if self.is_acknowledged else self.chain.first_program

    @property
    def has_failed(self) -> bool:
        """Whether nobody of the present level was told, and nobody will be."""
        return (
            self.is_level_open
            and not self.has_delivered
            and not any(attempt.is_open and attempt.group == self.group for attempt in self.attempts)
        )

    @property
    def open_attempts(self) -> list[Attempt]:
        """Those of which a receipt is waited for."""
        return [attempt for attempt in self.attempts if attempt.is_open]

    @property
    def awaits_receipts(self) -> bool:
        """Whether a receipt is waited for of something that this run has sent."""
        return any(attempt.is_open and attempt.run == self.run for attempt in self.attempts)

    @property
    def has_reached_nobody(self) -> bool:
        """Whether it is there to tell people, and none of them knows of the call."""
        return not self.is_acknowledged and not self.reached and self.level > 0

    @property
    def due(self) -> float | None:
        """When something is to be done next, in Unix seconds; None: nothing by itself."""
        moments = [attempt.expires for attempt in self.attempts if attempt.is_open and not attempt.is_orphan]
        if self.is_running and self.wait_until is not None:
            moments.append(self.wait_until)
        return min(moments, default=None)

    def next_phase(self, trigger: Trigger) -> Phase | None:
        """What ``trigger`` makes of it; None: nothing."""
        return TRANSITIONS.get((self.phase, trigger))

    def begin(self, phase: Phase, at: float, *, place: int = 0) -> None:
        """Begin the program of ``phase``."""
        self.phase = phase
        self.run += 1
        self.begun = at
        self.round, self.place, self.skipped = 0, place, 0.0
        self.wait_until, self.is_pausing, self.is_level_open = None, False, False

    def open_level(self) -> None:
        """What is told next is another level; a repetition has been there before."""
        if self.is_level_open:
            return
        self.is_level_open, self.has_tried, self.has_delivered = True, False, False
        self.group += 1
        self.level += self.round == 0
        self.attempts = self.open_attempts

    def shift(self, step: float) -> None:
        """The wall clock was set by ``step`` seconds: what is waited for comes when it would have."""
        if self.wait_until is not None:
            self.wait_until += step
        for attempt in self.attempts:
            attempt.expires += step

    def members(self) -> dict[str, JsonValue]:
        """What events and notifications say of it."""
        return {
            "call": self.facts.id,
            "call_type": self.facts.type,
            "call_priority": self.facts.priority,
            "path": self.facts.path,
            "chain": self.chain.name,
            "version": self.chain.version,
            "state": self.phase.value,
            "level": self.level,
            "run": self.run,
            "round": self.round,
        }
