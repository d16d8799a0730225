"""From the settings of the floor to the terms of calls, the rules that raise some, and what is heard for them.

Rules of this file: the settings are valid. What is made of them is made anew when they are others.
"""

from __future__ import annotations

from collections.abc import Callable

from config import CallRuleSettings, FloorSettings
from domain.plant.calls import HEARD, CallRule, Targets, Terms, rule

KNOWN_LIMIT = 1_000


class CallTerms:
    """The terms and rules of the settings that ``present`` returns."""

    def __init__(self, present: Callable[[], FloorSettings]) -> None:
        self._present = present
        self._settings: FloorSettings | None = None
        self._terms = Terms()
        self._rules: tuple[CallRule, ...] = ()
        self._wanted: dict[str, bool] = {}

    @property
    def terms(self) -> Terms:
        """What the plant has agreed."""
        self._look()
        return self._terms

    @property
    def rules(self) -> tuple[CallRule, ...]:
        """The events that raise calls."""
        self._look()
        return self._rules

    def wants(self, type_: str) -> bool:
        """Whether events of ``type_`` may concern a call."""
        self._look()
        known = self._wanted.get(type_)
        if known is None:
            # Strangers choose types: what is remembered of them is bounded.
            if len(self._wanted) >= KNOWN_LIMIT:
                self._wanted.clear()
            known = self._wanted[type_] = type_ in HEARD or any(each.may_fit(type_) for each in self._rules)
        return known

    def _look(self) -> None:
        settings = self._present()
        if settings is self._settings:
            return
        self._settings = settings
        calls, escalation = settings.calls, settings.escalation
        targets = Targets(
            {str(name): seconds for name, seconds in escalation.acknowledge.items()},
            {str(name): seconds for name, seconds in escalation.resolve.items()},
            {str(name): seconds for name, seconds in calls.targets.items()},
        )
        self._terms = Terms(calls.grace, frozenset(calls.supervisors), calls.remembered, targets)
        self._rules = tuple(_rule(each) for each in settings.rules)
        self._wanted.clear()


def _rule(settings: CallRuleSettings) -> CallRule:
    return rule(
        settings.name,
        settings.call,
        type_=settings.type,
        source=settings.source,
        where=tuple(settings.where.items()),
        priority=settings.priority,
        text=settings.text,
        equipment=settings.equipment,
    )
