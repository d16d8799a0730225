"""A site: its equipment, and the working time of each part of it.

Rules of this file: a line, or whatever names shifts of its own, works those alone; everything else works all.
"""

from __future__ import annotations

from datetime import UTC

from domain.plant.site.calendar import ShiftCalendar
from domain.plant.site.equipment import EquipmentModel


class Site:
    """The equipment and the calendar of a site; without arguments one of which nothing is known."""

    def __init__(
        self, equipment: EquipmentModel | None = None, calendar: ShiftCalendar | None = None, path: str = ""
    ) -> None:
        self.path = path
        self.equipment = equipment or EquipmentModel()
        self.calendar = calendar or ShiftCalendar(UTC)
        self._calendars: dict[tuple[str, ...], ShiftCalendar] = {(): self.calendar}

    def calendar_of(self, name: str) -> ShiftCalendar:
        """The calendar by which the place that ``name`` means works: a path or an alias."""
        shifts = self.equipment.shifts_of(name)
        if shifts not in self._calendars:
            self._calendars[shifts] = self.calendar.only(shifts)
        return self._calendars[shifts]
