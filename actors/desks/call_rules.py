"""From the settings of the floor to the terms of calls, the rules that raise some, and what is heard for them.

Rules of this file: the settings are valid. What is made of them is made anew when they are others. A call is given to
nobody who is beyond the tenant of who gives it: of them it cannot even be told that they are there.
"""

from __future__ import annotations

from collections.abc import Callable

from actors.acts import Act
from config import CallRuleSettings, FloorSettings
from domain import Arguments
from domain.plant.calls import HEARD, CallRule, Targets, Terms, rule
from domain.plant.site import Site

KNOWN_LIMIT = 1_000

_CALLED = {"andon.raise": "assigned_to", "andon.reassign": "to"}
"""The arguments that say whose a call is to be."""


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


def check_called(act: Act, arguments: Arguments, site: Site) -> None:
    """Note it as a fault if ``act`` gives a call to somebody, or a role of people, whom its author does not reach.

    Who reaches everything may give it to anybody, also to those whom the ``site`` does not know.
    """
    name = _CALLED.get(act.type, "")
    who, rights = act.arguments.get(name), act.rights
    if not isinstance(who, str) or not who or rights.reaches(None):
        return
    called = site.calendar.called(who)
    if not called or not all(person.is_seen(rights.reaches) for person in called):
        arguments.fault(name, "must be a person or role of the site whose places are all yours")


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
