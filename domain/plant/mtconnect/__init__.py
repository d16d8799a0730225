"""A machine that speaks MTConnect: the lines of its adapter, and what they mean: plain rules."""

from domain.plant.mtconnect.clock import Clock, Jumped, Settled
from domain.plant.mtconnect.conditions import Alarm, AlarmChange, Change, Conditions
from domain.plant.mtconnect.equipment import EXECUTION, TRIGGERED, Equipment, State, StateChanged, Status
from domain.plant.mtconnect.liveness import Act, Liveness
from domain.plant.mtconnect.machine import Machine
from domain.plant.mtconnect.notices import CLOCK_JUMPED, CLOCK_SETTLED, Notices
from domain.plant.mtconnect.observation import UNAVAILABLE, Observation, Role, Roles, roles_of
from domain.plant.mtconnect.reader import LINE_LIMIT, Reader
from domain.plant.mtconnect.readings import Reading, Readings
from domain.plant.mtconnect.repeats import Novelty, Repeats
from domain.plant.mtconnect.shdr import Command, Grammar, Line, LineFault
from domain.plant.mtconnect.stamp import as_rfc3339, parse_stamp

__all__ = [
    "CLOCK_JUMPED",
    "CLOCK_SETTLED",
    "EXECUTION",
    "LINE_LIMIT",
    "TRIGGERED",
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
