"""Desks: the actors that decide what an event means, and publish it."""

from actors.desks.alarm_rules import at_work
from actors.desks.alarms import AlarmDesk, ReadAlarms, SignalTaken
from actors.desks.calls import CallDesk, ReadCalls
from actors.desks.deciding import DecidingDesk
from actors.desks.floor import FloorDesk
from actors.desks.job_rules import CountersInForce, counters_of, ideal_cycle, path_of
from actors.desks.job_words import CountsTold, CountTaken, ReadJobs, RunsTold
from actors.desks.jobs import JobDesk
from actors.desks.portal import PortalDesk, ReadPortal
from actors.desks.production import Presence, ProductionDesk, ReadProduction, StatesInForce, StateTaken
from actors.routing import Desks

__all__ = [
    "AlarmDesk",
    "CallDesk",
    "CountTaken",
    "CountersInForce",
    "CountsTold",
    "DecidingDesk",
    "Desks",
    "FloorDesk",
    "JobDesk",
    "PortalDesk",
    "Presence",
    "ProductionDesk",
    "ReadAlarms",
    "ReadCalls",
    "ReadJobs",
    "ReadPortal",
    "ReadProduction",
    "RunsTold",
    "SignalTaken",
    "StateTaken",
    "StatesInForce",
    "at_work",
    "counters_of",
    "ideal_cycle",
    "path_of",
]
