"""What a plant's machines say, and what it means: plain rules."""

from domain.plant.clock import Clock, Jumped, Settled
from domain.plant.conditions import Alarm, AlarmChange, Change, Conditions
from domain.plant.equipment import EXECUTION, Equipment, State, StateChanged, Status
from domain.plant.liveness import Act, Liveness
from domain.plant.machine import Machine
from domain.plant.notices import CLOCK_JUMPED, CLOCK_SETTLED, Notices
from domain.plant.observation import UNAVAILABLE, Observation, Role, Roles, roles_of
from domain.plant.reader import LINE_LIMIT, Reader
from domain.plant.readings import Reading, Readings
from domain.plant.repeats import Novelty, Repeats
from domain.plant.shdr import Command, Grammar, Line, LineFault
from domain.plant.stamp import as_rfc3339, parse_stamp

__all__ = [
    "CLOCK_JUMPED",
    "CLOCK_SETTLED",
    "EXECUTION",
    "LINE_LIMIT",
    "UNAVAILABLE",
    "Act",
    "Alarm",
    "AlarmChange",
    "Change",
    "Clock",
    "Command",
    "Conditions",
    "Equipment",
    "Grammar",
    "Jumped",
    "Line",
    "LineFault",
    "Liveness",
    "Machine",
    "Notices",
    "Novelty",
    "Observation",
    "Reader",
    "Reading",
    "Readings",
    "Repeats",
    "Role",
    "Roles",
    "Settled",
    "State",
    "StateChanged",
    "Status",
    "as_rfc3339",
    "parse_stamp",
    "roles_of",
]
