"""One Andon call: what it is, and everything that was done about it, in order.

Rules of this file: a call never changes, a step makes a new one. Each step has two instants, both UTC: ``at`` by the
clock of who did it, ``received`` by ours. What is computed with is the ``moment``: the source's word as far as it can
be true, not before the step before it and not after it was received.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from domain.decision import Grounds, Refused
from domain.json import JsonObject, JsonValue
from domain.plant.calls.states import TRANSITIONS, State, Trigger

BELIEVED = 7 * 86_400.0
"""Seconds that an act may be older than its receipt: as long as a tablet's intents are remembered."""

CONTESTS = 100
"""Acts that came too late and are recorded with one call."""

RAISE = "raise"
LINKS = ("alarm", "stop", "job")
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Said(msgspec.Struct, frozen=True):
    """``by`` did something at ``at``, which came here at ``received`` (Unix seconds); ``roles`` as far as known.

    ``by`` is a name, which others may have too: it is shown. ``person`` is who that is, and is compared; it is empty
    where nobody has proved who they are.
    """

    by: str
    at: float
    received: float
    station: str | None = None
    comment: str | None = None
    roles: frozenset[str] = frozenset()
    person: str = ""

    def is_by_same(self, other: Said) -> bool:
        """Whether the same person said this and ``other``; where neither was proved, the names are all there is."""
        return self.person == other.person and (self.person != "" or self.by == other.by)

    def moment(self, before: float) -> float:
        """When it happened, as far as that can be true behind a step at ``before``."""
        at = self.at if self.received - self.at <= BELIEVED else self.received
        return min(max(at, before), max(self.received, before))


class Step(msgspec.Struct, frozen=True):
    """What was done: ``trigger`` (``raise`` for the first one) led to ``state``; ``detail`` is what it set."""

    number: int
    trigger: str
    state: State
    said: Said
    moment: float
    detail: Mapping[str, JsonValue] = msgspec.field(default_factory=dict)


class Contest(msgspec.Struct, frozen=True):
    """An act that somebody else's had beaten: it was possible in what its author saw, and came too late."""

    trigger: str
    said: Said
    beaten_by: int
    """The number of the step that was first."""
    number: int = 1


class Promise(msgspec.Struct, frozen=True):
    """What its escalation allows a call: seconds to be acknowledged in, and to be resolved in from then on."""

    acknowledge: float
    resolve: float


class Call(msgspec.Struct, frozen=True):
    """A call; ``steps`` are never empty, ``incident`` is what it shares with its alarm, stop and job.

    ``is_modelled`` says whether the site described its place when it was raised; None if it described none at all.
    """

    id: str
    path: str
    word: str
    type: str
    priority: str
    text: str
    stops_line: bool
    incident: str
    steps: tuple[Step, ...]
    state: State = State.RAISED
    level: int = 0
    assigned_to: str | None = None
    links: Mapping[str, str] = _NOTHING
    contests: tuple[Contest, ...] = ()
    promise: Promise | None = None
    is_modelled: bool | None = None

    @property
    def raised(self) -> Step:
        """How it began."""
        return self.steps[0]

    @property
    def last(self) -> Step:
        """What was done last."""
        return self.steps[-1]

    @property
    def opened(self) -> Step:
        """Since when it is open: it was raised, or opened again."""
        return next((step for step in reversed(self.steps) if step.trigger == Trigger.REOPEN), self.raised)

    @property
    def round(self) -> tuple[Step, ...]:
        """What was done since it was opened, that included."""
        return self.steps[self.opened.number - 1 :]

    def first(self, *triggers: Trigger) -> Step | None:
        """The first step of this round by one of ``triggers``."""
        return next((step for step in self.round if step.trigger in triggers), None)

    @property
    def acknowledged(self) -> Step | None:
        """Who took it over in this round: who arrives has done so."""
        return self.first(Trigger.ACKNOWLEDGE, Trigger.ARRIVE)

    def seen_at(self, at: float) -> State | None:
        """The state that somebody may have seen at ``at``: the one of the last step received by then."""
        seen = None
        for step in self.steps:
            if step.said.received > at:
                break
            seen = step.state
        return seen

    def step(self, trigger: Trigger, said: Said, detail: Mapping[str, JsonValue] | None = None) -> Call:
        """The call after ``trigger``.

        Raises:
            Refused: if that is impossible in its state.
        """
        state = TRANSITIONS.get((self.state, trigger))
        if state is None:
            raise Refused(
                Grounds.CONFLICT,
                f"call {self.id} is {self.state}: {trigger} is not possible",
                {"state": self.state.value, "trigger": trigger.value},
            )
        detail = detail or {}
        step = Step(self.last.number + 1, trigger.value, state, said, said.moment(self.last.moment), detail)
        call = replace(self, state=state, steps=(*self.steps, step))
        match trigger:
            case Trigger.REASSIGN:
                return replace(call, assigned_to=_text(detail, "assigned_to"))
            case Trigger.ESCALATE:
                level = detail.get("level")
                return replace(call, level=level if isinstance(level, int) else call.level)
            case Trigger.CHANGE:
                return replace(call, priority=_text(detail, "priority") or call.priority)
            case Trigger.LINK:
                links = {name: text for name in LINKS if (text := _text(detail, name))}
                incident = _text(detail, "incident") or call.incident
                return replace(call, links={**call.links, **links}, incident=incident)
            case Trigger.REOPEN:
                return replace(call, level=0)
            case _:
                return call

    def beaten(self, trigger: Trigger, at: float) -> Step | None:
        """The step that made ``trigger`` impossible after ``at``, when it was possible; None if it was not."""
        seen = self.seen_at(at)
        if seen is None or (seen, trigger) not in TRANSITIONS:
            return None
        later = (step for step in self.steps if step.said.received > at)
        return next((step for step in later if (step.state, trigger) not in TRANSITIONS), None)

    def contested(self, trigger: str, said: Said, beaten_by: Step) -> Call:
        """The call with an act noted that came too late."""
        number = self.contests[-1].number + 1 if self.contests else 1
        contest = Contest(trigger, said, beaten_by.number, number)
        return replace(self, contests=(*self.contests, contest)[-CONTESTS:])

    def is_contested(self, trigger: str, said: Said) -> bool:
        """Whether this very act is noted already."""
        return any(
            (one.trigger, one.said.at) == (trigger, said.at) and one.said.is_by_same(said) for one in self.contests
        )


def _text(detail: JsonObject, name: str) -> str | None:
    value = detail.get(name)
    return value if isinstance(value, str) else None
