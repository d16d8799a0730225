"""How urgent what a source says is: the policy in force, and the source's budget of critical events.

Rules of this file: an event is ranked at its source, before it comes to a desk's mailbox, so that one source's flood
does not even stand in line before another's critical events. The budget outlives the lives of its source; what a reload
changes holds for what comes after it.
"""

from __future__ import annotations

from collections.abc import Callable

import trio
from msgspec.structs import replace

from config import PolicySettings
from domain import BUILT_IN, Budget, Event, Policy, Priority, Rule, rule_text
from telemetry import counters, events


class Ranks:
    """Ranks the events of the source ``name``; ``present`` returns the settings in force."""

    def __init__(self, name: str, present: Callable[[], PolicySettings] = PolicySettings) -> None:
        self._name = name
        self._present = present
        self._settings = settings = present()
        self._policy = policy_of(settings)
        self._budget = Budget(settings.critical_rate, settings.critical_burst, self._exceeded)

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        settings = self._present()
        if settings is not self._settings:
            self._settings = settings
            self._policy = policy_of(settings)
            self._budget.change(settings.critical_rate, settings.critical_burst)
        return self._policy

    def rank(self, event: Event) -> Event:
        """An event of our own making, with the priority that the policy in force gives it."""
        policy = self.policy
        if policy is not BUILT_IN:
            priority = policy.priority_of(event.type, event.data, event.source)
            if priority is not event.priority:
                event = replace(event, priority=priority)
        return event

    def admit(self, event: Event) -> Event:
        """``event``, demoted if its source has had its share of critical ones."""
        if event.priority is not Priority.CRITICAL:
            return event
        admitted = self._budget.admit(event, trio.current_time())
        if admitted is not event:
            counters.events_demoted.add(self._name)
        return admitted

    def _exceeded(self, publisher: str) -> None:
        budget = self._budget
        events.budget_exceeded(source=self._name, publisher=publisher, rate=budget.rate, burst=budget.burst)


def policy_of(settings: PolicySettings) -> Policy:
    """The policy that ``settings`` ask for: their rules, then those that are built in."""
    if not settings.rules:
        return BUILT_IN
    own = tuple(
        Rule(
            name=rule.name,
            type=rule.type,
            priority=Priority[rule.priority.upper()],
            where=tuple((member, rule_text(value)) for member, value in rule.where.items()),
            source=rule.source,
        )
        for rule in settings.rules
    )
    return Policy((*own, *BUILT_IN.rules))
