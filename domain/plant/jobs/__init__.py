"""Jobs, what is made for them, and the changeovers between them: plain rules."""

from domain.plant.jobs.changeover import PHASES, Cause, Changeover, Phase
from domain.plant.jobs.changeovers import Changeovers, cause_of, no_changeover
from domain.plant.jobs.counters import Counter, Mark, Nature
from domain.plant.jobs.counts import DUPLICATE, MINUTE_US, UNCHANGED, Count, Counts, Made, Shown, Taken, Tally
from domain.plant.jobs.jobs import EVENTS, Jobs, no_job
from domain.plant.jobs.now import JobsNow
from domain.plant.jobs.order import JobOrder
from domain.plant.jobs.production import Counted, Production
from domain.plant.jobs.quantities import Kind, Quantities
from domain.plant.jobs.runs import Run, Runs
from domain.plant.jobs.states import (
    METHODS,
    REPORTS,
    STATE_OF_STATUS,
    TRANSITIONS,
    State,
    Status,
    Trigger,
    status_of,
    triggers_of,
)
from domain.plant.jobs.tellings import COUNTED, faults_of, telling_of
from domain.plant.jobs.workshop import KINDS, Done, Workshop

__all__ = [
    "COUNTED",
    "DUPLICATE",
    "EVENTS",
    "KINDS",
    "METHODS",
    "MINUTE_US",
    "PHASES",
    "REPORTS",
    "STATE_OF_STATUS",
    "TRANSITIONS",
    "UNCHANGED",
    "Cause",
    "Changeover",
    "Changeovers",
    "Count",
    "Counted",
    "Counter",
    "Counts",
    "Done",
    "JobOrder",
    "Jobs",
    "JobsNow",
    "Kind",
    "Made",
    "Mark",
    "Nature",
    "Phase",
    "Production",
    "Quantities",
    "Run",
    "Runs",
    "Shown",
    "State",
    "Status",
    "Taken",
    "Tally",
    "Trigger",
    "Workshop",
    "cause_of",
    "faults_of",
    "no_changeover",
    "no_job",
    "status_of",
    "telling_of",
    "triggers_of",
]
