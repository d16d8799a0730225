"""Why a unit stood still: reasons in two levels, and what each means for the figures.

Rules of this file: the table is data; a site replaces any row and adds others. The first level (``group``) is what a
Pareto is made of, the code is the second. A stop that nobody explained is UNKNOWN, which is no failure: nobody said so.

Source: the 27 codes of the floor dashboard that andond replaces; its four categories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from domain.json import JsonValue
from domain.plant.ledger.bucket import Bucket

PLANNED, UNPLANNED, CHANGEOVER, MAINTENANCE = CATEGORIES = ("planned", "unplanned", "changeover", "maintenance")
UNKNOWN = "UNKNOWN"


class Reason(msgspec.Struct, frozen=True):
    """One reason; ``bucket`` is what its time counts as, None as the machine's own word says."""

    code: str
    group: str
    category: str
    description: str
    is_failure: bool = False
    bucket: Bucket | None = None

    def document(self) -> dict[str, JsonValue]:
        """The reason as the clients know it: category and subcategory are the two levels of the predecessor."""
        return {
            "code": self.code,
            "description": self.description,
            "category": self.category,
            "subcategory": self.group,
            "is_failure": self.is_failure,
        }


def _failure(code: str, group: str, description: str) -> Reason:
    return Reason(code, group, UNPLANNED, description, is_failure=True)


BUILT_IN: tuple[Reason, ...] = (
    _failure("MECH_FAULT", "mechanical", "Mechanical fault"),
    _failure("BEARING_FAIL", "mechanical", "Bearing failed"),
    _failure("BELT_BREAK", "mechanical", "Belt broken"),
    _failure("GEAR_FAIL", "mechanical", "Gear failed"),
    _failure("MOTOR_FAIL", "mechanical", "Motor failed"),
    _failure("ELEC_FAULT", "electrical", "Electrical fault"),
    _failure("SENSOR_FAIL", "electrical", "Sensor failed"),
    _failure("PLC_FAULT", "electrical", "Controller fault"),
    _failure("POWER_LOSS", "electrical", "Power lost"),
    _failure("WIRING_FAULT", "electrical", "Wiring fault"),
    Reason("MAT_SHORTAGE", "material", UNPLANNED, "Material missing"),
    Reason("MAT_JAM", "material", UNPLANNED, "Material jammed"),
    Reason("WRONG_MAT", "material", UNPLANNED, "Wrong material"),
    Reason("MAT_QUALITY", "material", UNPLANNED, "Material not good enough"),
    Reason("UPSTREAM_STOP", "flow", UNPLANNED, "Starved: the station before stands still"),
    Reason("DOWNSTREAM_STOP", "flow", UNPLANNED, "Blocked: the station behind stands still"),
    Reason("CONVEYOR_STOP", "flow", UNPLANNED, "Conveyor stands still"),
    Reason("MAINTENANCE", "planned", MAINTENANCE, "Planned maintenance", bucket=Bucket.PREVENTIVE),
    Reason("CHANGEOVER", "planned", CHANGEOVER, "Changeover", bucket=Bucket.SETUP),
    Reason("CLEANING", "planned", PLANNED, "Cleaning"),
    Reason("INSPECTION", "planned", PLANNED, "Inspection"),
    Reason("BREAK_TIME", "planned", PLANNED, "Break"),
    Reason("QUALITY_ISSUE", "quality", UNPLANNED, "Quality problem"),
    Reason("REJECTION", "quality", UNPLANNED, "Parts rejected"),
    Reason("REWORK", "quality", UNPLANNED, "Rework"),
    Reason(UNKNOWN, "other", UNPLANNED, "Not explained yet"),
    Reason("OTHER", "other", UNPLANNED, "Another reason"),
)


class Reasons:
    """The reasons of a site; ``rows`` go before those that are built in."""

    def __init__(self, rows: Iterable[Reason] = ()) -> None:
        table = {reason.code: reason for reason in BUILT_IN}
        table.update({reason.code: reason for reason in rows})
        self.table: Mapping[str, Reason] = MappingProxyType(table)

    def get(self, code: str) -> Reason | None:
        """The reason called ``code``, None if there is none."""
        return self.table.get(code)

    def of(self, code: str) -> Reason:
        """The reason called ``code``; that of the unexplained if the site has done away with it."""
        return self.table.get(code) or self.table[UNKNOWN]
