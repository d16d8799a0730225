"""A plant's equipment and its working time: who is where, when work is planned, and who is on duty.

``Site`` has both. Moments are Unix seconds where they are called ``at``, integer microseconds where a name ends in
``_us``; intervals are half-open. Local time is the site's, and only this package knows what it is worth.
"""

from domain.plant.site.calendar import ShiftCalendar
from domain.plant.site.equipment import (
    ELEMENTS,
    Equipment,
    EquipmentFault,
    EquipmentModel,
    Level,
    Node,
    is_within,
)
from domain.plant.site.intervals import Interval
from domain.plant.site.roster import Person
from domain.plant.site.shifts import Closure, Day, Hours, Shift, ShiftPlan
from domain.plant.site.site import Site
from domain.plant.site.wall import wall_us

__all__ = [
    "ELEMENTS",
    "Closure",
    "Day",
    "Equipment",
    "EquipmentFault",
    "EquipmentModel",
    "Hours",
    "Interval",
    "Level",
    "Node",
    "Person",
    "Shift",
    "ShiftCalendar",
    "ShiftPlan",
    "Site",
    "is_within",
    "wall_us",
]
