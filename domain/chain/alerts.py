"""The four alerts of the portal's runbook: when each is raised, and when it is over.

Rules of this file:

* An alert looks at one value. It is raised when the value has been beyond its limit for ``raise_after`` seconds, and
  over when it has been well, by a margin beyond the limit, for ``clear_after`` seconds. In between nothing changes, so
  that a value that wavers about its limit raises it once.
* A value that is not known raises nothing and ends nothing: who cannot see does not say that all is well.
* Where a state goes is the table's to say; what is held long enough goes on by itself.
* No clock: the time is an argument (Unix seconds). One that goes backwards begins what is being held anew.

Source of the four and their limits: the runbook of the portal's predecessor (service down; throughput below its target
for 5 minutes; more than 10 stream errors in a minute; p99 latency above 0.1 s).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from domain.chain.unknown import Unknown
from domain.json import JsonValue
from domain.moment import rfc3339

SERVICE_DOWN = "service_down"
LOW_THROUGHPUT = "low_throughput"
STREAM_ERRORS = "stream_errors"
HIGH_LATENCY = "high_latency"


class State(StrEnum):
    """Where an alert stands."""

    QUIET = "quiet"
    PENDING = "pending"
    RAISED = "raised"
    CLEARING = "clearing"

    @property
    def is_raised(self) -> bool:
        """Whether it was raised and is not over."""
        return self in (State.RAISED, State.CLEARING)


class Finding(StrEnum):
    """What a value says."""

    BEYOND = "beyond"
    WAVERING = "wavering"
    WELL = "well"
    UNKNOWN = "unknown"


TRANSITIONS: Mapping[tuple[State, Finding], State] = MappingProxyType(
    {
        (State.QUIET, Finding.BEYOND): State.PENDING,
        (State.QUIET, Finding.WAVERING): State.QUIET,
        (State.QUIET, Finding.WELL): State.QUIET,
        (State.QUIET, Finding.UNKNOWN): State.QUIET,
        (State.PENDING, Finding.BEYOND): State.PENDING,
        (State.PENDING, Finding.WAVERING): State.QUIET,
        (State.PENDING, Finding.WELL): State.QUIET,
        (State.PENDING, Finding.UNKNOWN): State.QUIET,
        (State.RAISED, Finding.BEYOND): State.RAISED,
        (State.RAISED, Finding.WAVERING): State.RAISED,
        (State.RAISED, Finding.WELL): State.CLEARING,
        (State.RAISED, Finding.UNKNOWN): State.RAISED,
        (State.CLEARING, Finding.BEYOND): State.RAISED,
        (State.CLEARING, Finding.WAVERING): State.RAISED,
        (State.CLEARING, Finding.WELL): State.CLEARING,
        (State.CLEARING, Finding.UNKNOWN): State.RAISED,
    }
)

HELD: Mapping[State, State] = MappingProxyType({State.PENDING: State.RAISED, State.CLEARING: State.QUIET})
"""Where a state goes that was held for its time."""


class Rule(msgspec.Struct, frozen=True):
    """One alert: its ``key``, what it says, its ``limit`` in ``unit``; ``is_floor``: below it is beyond it.

    ``margin`` is the share of the limit by which the value must be well again.
    """

    key: str
    text: str
    unit: str
    limit: float
    raise_after: float
    clear_after: float
    is_floor: bool = False
    margin: float = 0.0

    def finding(self, value: float | Unknown) -> Finding:
        """What ``value`` says."""
        if isinstance(value, Unknown):
            return Finding.UNKNOWN
        sign = -1 if self.is_floor else 1
        if sign * value > sign * self.limit:
            return Finding.BEYOND
        well = self.limit * (1 - sign * self.margin)
        return Finding.WELL if sign * value <= sign * well else Finding.WAVERING


class Change(msgspec.Struct, frozen=True):
    """An alert was raised, or is over, at a moment; ``since`` is when it was raised."""

    rule: Rule
    is_raised: bool
    at: float
    since: float
    value: float | None

    def document(self) -> dict[str, JsonValue]:
        """The data of the event that tells of it."""
        return {
            "key": self.rule.key,
            "level": "FAULT",
            "text": self.rule.text,
            "value": None if self.value is None else round(self.value, 6),
            "limit": self.rule.limit,
            "unit": self.rule.unit,
            "raiseAfterSeconds": self.rule.raise_after,
            "since": rfc3339(self.since),
        }


class Alert(msgspec.Struct):
    """One alert as it stands: its ``state`` since ``at``; ``since`` is when it was raised."""

    state: State = State.QUIET
    at: float = 0.0
    since: float = 0.0

    def look(self, rule: Rule, value: float | Unknown, at: float) -> Change | None:
        """What ``value`` makes of it ``at``: the change to tell of, if there is one."""
        was_raised = self.state.is_raised
        self._go(TRANSITIONS[self.state, rule.finding(value)], at)
        self.at = min(self.at, at)
        held = HELD.get(self.state)
        wanted = rule.raise_after if self.state is State.PENDING else rule.clear_after
        if held is not None and at - self.at >= wanted:
            self._go(held, at)
        if self.state.is_raised is was_raised:
            return None
        if not was_raised:
            self.since = at
        return Change(rule, not was_raised, at, self.since, None if isinstance(value, Unknown) else value)

    def _go(self, state: State, at: float) -> None:
        if state is not self.state:
            self.state, self.at = state, at


class Alerts:
    """All alerts by the keys of their rules."""

    def __init__(self) -> None:
        self._alerts: dict[str, Alert] = {}

    def restore(self, raised: Mapping[str, float]) -> None:
        """Take up what was ``raised`` before this life and is not over: keys, and when it was."""
        for key, since in raised.items():
            self._alerts[key] = Alert(State.RAISED, since, since)

    def look(self, rules: Iterable[Rule], values: Mapping[str, float | Unknown], at: float) -> list[Change]:
        """What ``values``, by the keys of ``rules``, change at ``at``; an alert without a rule any more is over."""
        changes, known = [], set()
        for rule in rules:
            known.add(rule.key)
            alert = self._alerts.setdefault(rule.key, Alert())
            change = alert.look(rule, values.get(rule.key, Unknown("nobody looked")), at)
            if change is not None:
                changes.append(change)
        for key in [key for key in self._alerts if key not in known]:
            gone = self._alerts.pop(key)
            if gone.state.is_raised:
                rule = Rule(key, "The alert was taken out of the settings", "", 0.0, 0.0, 0.0)
                changes.append(Change(rule, is_raised=False, at=at, since=gone.since, value=None))
        return changes

    def states(self) -> dict[str, str]:
        """Where each alert stands."""
        return {key: alert.state.value for key, alert in self._alerts.items()}
