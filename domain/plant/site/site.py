"""A site: its equipment, and the working time of each part of it.

Rules of this file:

* A line, or whatever names shifts of its own, works those alone; everything else works all that are worked there.
* A role means at a place those who work there, so that nobody is told of a line that is not theirs.
* Who sees a part of the plant has a site of that part: its places, the shifts that are worked there, its people. Its
  working time is that of the whole site: a line whose area is not seen works the shifts of that area all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

from domain.plant.site.calendar import ShiftCalendar
from domain.plant.site.equipment import EquipmentModel
from domain.plant.site.shifts import ShiftPlan

_Key = tuple[tuple[str, ...], frozenset[str]]
"""The names of the shifts, and of the people who work elsewhere."""


class Site:
    """The equipment and the calendar of a site; without arguments one of which nothing is known."""

    def __init__(
        self, equipment: EquipmentModel | None = None, calendar: ShiftCalendar | None = None, path: str = ""
    ) -> None:
        self.path = path
        self.equipment = equipment or EquipmentModel()
        self.calendar = calendar or ShiftCalendar(UTC)
        self._is_everywhere = not any(plan.places for plan in self.calendar.plans)
        self._placed = [person for person in self.calendar.people if person.places]
        self._calendars: dict[_Key, ShiftCalendar] = {}

    def calendar_of(self, name: str) -> ShiftCalendar:
        """The calendar by which the place that ``name`` means works: a path or an alias."""
        path = "" if self._is_everywhere and not self._placed else self.equipment.path_of(name)
        plans = self.calendar.plans if self._is_everywhere else self._worked_at(path)
        named = self.equipment.shifts_of(name)
        elsewhere = frozenset(person.name for person in self._placed if not person.works_at(path))
        if not named and not elsewhere and len(plans) == len(self.calendar.plans):
            return self.calendar
        names = tuple(plan.name for plan in plans if not named or plan.name in named or not plan.is_production)
        known = self._calendars.get((names, elsewhere))
        if known is None:
            worked = [plan for plan in plans if plan.name in names]
            known = self.calendar.of(worked, self.calendar.people, elsewhere)
            self._calendars[names, elsewhere] = known
        return known

    def seen(self, sees: Callable[[str], bool]) -> Site:
        """What of the site is at places that ``sees``; ``sees("")`` tells whether the plant as a whole is seen."""
        return _SeenSite(self, sees)

    def _worked_at(self, path: str) -> tuple[ShiftPlan, ...]:
        # Of the whole plant nobody works less than all.
        return tuple(plan for plan in self.calendar.plans if not path or plan.is_worked_at(path))


class _SeenSite(Site):
    """The part of a ``whole`` that is at places which ``sees``."""

    def __init__(self, whole: Site, sees: Callable[[str], bool]) -> None:
        model = whole.equipment.seen(sees)
        named = {name for place in whole.equipment for name in place.shifts}
        here = {name for place in model for name in place.shifts}
        plans = [
            plan
            for plan in whole.calendar.plans
            if (any(map(sees, plan.places)) if plan.places else plan.name not in named or plan.name in here)
        ]
        people = [person for person in whole.calendar.people if person.is_seen(sees)]
        super().__init__(model, whole.calendar.of(plans, people), whole.path if sees(whole.path) else "")
        self._whole, self._sees = whole, sees

    def calendar_of(self, name: str) -> ShiftCalendar:
        """The calendar of a place that is seen is that of the whole site; of any other the one of what is seen."""
        path = self.equipment.path_of(name)
        if not self._sees(path):
            return super().calendar_of(name)
        whole = self._whole.calendar_of(path)
        key = tuple(plan.name for plan in whole.plans), whole.elsewhere
        known = self._calendars.get(key)
        if known is None:
            known = self._calendars[key] = whole.of(whole.plans, self.calendar.people, whole.elsewhere)
        return known
