"""Andon calls: people ask for help at a place, others come, and everybody sees how long it takes.

``Calls`` keeps them and decides; ``states.TRANSITIONS`` is the law.
"""

from domain.plant.calls.around import AROUND, HEARD, Around
from domain.plant.calls.call import LINKS, RAISE, Call, Contest, Said, Step
from domain.plant.calls.calls import GRACE, REMEMBERED, SUPERVISORS, Calls, Terms, no_call
from domain.plant.calls.dashboard import dashboard_members
from domain.plant.calls.ids import NOISE_BITS, ulid
from domain.plant.calls.kept import KIND, call_of, row_of
from domain.plant.calls.kinds import KINDS, TYPES, CallKind, CallPriority, Colour
from domain.plant.calls.response import Reaction, Response, facts_of
from domain.plant.calls.rules import CallRule, rule, wishes
from domain.plant.calls.states import (
    OPEN,
    TRANSITIONS,
    State,
    Status,
    Trigger,
    screen_status,
    service_status,
    states_of,
    triggers_of,
)
from domain.plant.calls.statistics import statistics
from domain.plant.calls.telling import CONTESTED, contest_event, document, event_of, history, summary
from domain.plant.calls.timers import (
    ACKNOWLEDGE_WITHIN,
    INTERVALS,
    RESOLVE_WITHIN,
    Deadlines,
    Targets,
    Timer,
    deadlines,
    ended,
    timers,
)
from domain.plant.calls.view import CallsNow, Selection
from domain.plant.calls.wish import Wish, wish_of

__all__ = [
    "ACKNOWLEDGE_WITHIN",
    "AROUND",
    "CONTESTED",
    "GRACE",
    "HEARD",
    "INTERVALS",
    "KIND",
    "KINDS",
    "LINKS",
    "NOISE_BITS",
    "OPEN",
    "RAISE",
    "REMEMBERED",
    "RESOLVE_WITHIN",
    "SUPERVISORS",
    "TRANSITIONS",
    "TYPES",
    "Around",
    "Call",
    "CallKind",
    "CallPriority",
    "CallRule",
    "Calls",
    "CallsNow",
    "Colour",
    "Contest",
    "Deadlines",
    "Reaction",
    "Response",
    "Said",
    "Selection",
    "State",
    "Status",
    "Step",
    "Targets",
    "Terms",
    "Timer",
    "Trigger",
    "Wish",
    "call_of",
    "contest_event",
    "dashboard_members",
    "deadlines",
    "document",
    "ended",
    "event_of",
    "facts_of",
    "history",
    "no_call",
    "row_of",
    "rule",
    "screen_status",
    "service_status",
    "states_of",
    "statistics",
    "summary",
    "timers",
    "triggers_of",
    "ulid",
    "wish_of",
    "wishes",
]
