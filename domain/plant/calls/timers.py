"""How long each part of a call took, or has taken so far, and when somebody should have done something.

Rules of this file: seven intervals, each with its own target. They are of the present round: a call that was opened
again is answered again; only from its raising to its closing counts all of it. An interval without its beginning is not
defined, one without its end runs on. The clock to resolve runs from the acknowledgement, not from the raising (defect
P14 of the system before this one); both clocks are told.

Sources: the three phases call, arrival, completion are those of Andon practice; mean time to acknowledge is the mean of
the interval ``raise_to_acknowledge``, mean time to repair of a call that of ``arrive_to_resolve``.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from domain.plant.calls.call import Call
from domain.plant.calls.states import State, Trigger

MINUTE = 60.0

INTERVALS = (
    "raise_to_deliver",
    "raise_to_acknowledge",
    "acknowledge_to_arrive",
    "raise_to_arrive",
    "arrive_to_resolve",
    "resolve_to_close",
    "raise_to_close",
)
ACKNOWLEDGE_WITHIN = {"low": 15 * MINUTE, "medium": 10 * MINUTE, "high": 5 * MINUTE, "critical": 2 * MINUTE}
"""Seconds, by priority: those of the system before this one."""

RESOLVE_WITHIN = {"low": 60 * MINUTE, "medium": 45 * MINUTE, "high": 30 * MINUTE, "critical": 15 * MINUTE}
"""The same, from the acknowledgement on."""


class Targets(msgspec.Struct, frozen=True):
    """Seconds by priority: to be acknowledged in, to be resolved in from then on; and those of further intervals.

    What a call's own chain allows goes before what its priority does.
    """

    acknowledge: Mapping[str, float] = msgspec.field(default_factory=lambda: ACKNOWLEDGE_WITHIN)
    resolve: Mapping[str, float] = msgspec.field(default_factory=lambda: RESOLVE_WITHIN)
    intervals: Mapping[str, float] = msgspec.field(default_factory=dict)

    def of(self, interval: str, call: Call) -> float | None:
        """The target of ``interval`` in ``call``; None if there is none."""
        if interval == "raise_to_acknowledge" and interval not in self.intervals:
            return self.to_acknowledge(call)
        return self.intervals.get(interval)

    def to_acknowledge(self, call: Call) -> float | None:
        """In which time ``call`` is to be acknowledged; None: no target."""
        return self.acknowledge.get(call.priority) if call.promise is None else call.promise.acknowledge

    def to_resolve(self, call: Call) -> float | None:
        """In which time from its acknowledgement ``call`` is to be resolved; None: no target."""
        return self.resolve.get(call.priority) if call.promise is None else call.promise.resolve


class Timer(msgspec.Struct, frozen=True):
    """One interval; moments are Unix seconds. Without ``until`` it runs on, without ``since`` it has no value.

    ``seconds`` is how long it took, or has taken so far; None in a call in which it cannot end any more.
    """

    name: str
    since: float | None
    until: float | None
    seconds: float | None
    target: float | None

    @property
    def is_running(self) -> bool:
        """Whether it still runs."""
        return self.since is not None and self.until is None and self.seconds is not None

    @property
    def is_late(self) -> bool:
        """Whether it is past its target."""
        return self.seconds is not None and self.target is not None and self.seconds > self.target


class Deadlines(msgspec.Struct, frozen=True):
    """When it is to be acknowledged and, once it is, to be resolved (Unix seconds); None: no target, or not yet."""

    acknowledge_by: float | None
    resolve_by: float | None


def timers(call: Call, at: float, targets: Targets) -> tuple[Timer, ...]:
    """The seven intervals of ``call`` as they stand at ``at``."""
    raised, opened = call.raised.moment, call.opened.moment
    delivered = _moment(call, Trigger.NOTIFY)
    acknowledged = _moment(call, Trigger.ACKNOWLEDGE, Trigger.ARRIVE)
    arrived = _moment(call, Trigger.ARRIVE)
    resolved, closed = _moment(call, Trigger.RESOLVE), _moment(call, Trigger.CLOSE)
    ends: dict[str, tuple[float | None, float | None]] = {
        "raise_to_deliver": (opened, delivered),
        "raise_to_acknowledge": (opened, acknowledged),
        "acknowledge_to_arrive": (acknowledged, arrived),
        "raise_to_arrive": (opened, arrived),
        "arrive_to_resolve": (arrived, resolved),
        "resolve_to_close": (resolved, closed),
        "raise_to_close": (raised, closed),
    }
    return tuple(_timer(name, *ends[name], call, at, targets.of(name, call)) for name in INTERVALS)


def deadlines(call: Call, targets: Targets) -> Deadlines:
    """When ``call`` is to be acknowledged, and resolved."""
    acknowledge, resolve = targets.to_acknowledge(call), targets.to_resolve(call)
    taken = call.acknowledged
    return Deadlines(
        None if acknowledge is None else call.opened.moment + acknowledge,
        None if resolve is None or taken is None else taken.moment + resolve,
    )


def ended(call: Call, targets: Targets) -> tuple[Timer, ...]:
    """The intervals that the last step of ``call`` has ended."""
    if len(call.steps) == 1 or call.last.trigger == Trigger.REOPEN:
        return ()
    at, before = call.last.moment, replace(call, steps=call.steps[:-1], state=call.steps[-2].state)
    over = {timer.name for timer in timers(before, at, targets) if timer.until is not None}
    return tuple(timer for timer in timers(call, at, targets) if timer.until is not None and timer.name not in over)


def _timer(name: str, since: float | None, until: float | None, call: Call, at: float, target: float | None) -> Timer:
    if since is None:
        return Timer(name, None, None, None, target)
    if until is not None:
        return Timer(name, since, until, until - since, target)
    if not _may_still_end(name, call.state):
        return Timer(name, since, None, None, target)
    return Timer(name, since, None, max(0.0, at - since), target)


_RUNS_IN = {
    "raise_to_deliver": {State.RAISED},
    "raise_to_acknowledge": {State.RAISED, State.NOTIFIED},
    "acknowledge_to_arrive": {State.ACKNOWLEDGED},
    "raise_to_arrive": {State.RAISED, State.NOTIFIED, State.ACKNOWLEDGED},
    "arrive_to_resolve": {State.IN_PROGRESS},
    "resolve_to_close": {State.RESOLVED},
}


def _may_still_end(name: str, state: State) -> bool:
    return not state.is_over and state in _RUNS_IN.get(name, State)


def _moment(call: Call, *triggers: Trigger) -> float | None:
    step = call.first(*triggers)
    return None if step is None else step.moment
