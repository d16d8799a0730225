"""Desks: the actors that decide what an event means, and publish it."""

from actors.desks.alarm_rules import at_work
from actors.desks.alarms import AlarmDesk, ReadAlarms, SignalTaken
from actors.desks.calls import CallDesk, ReadCalls
from actors.desks.deciding import DecidingDesk
from actors.desks.floor import FloorDesk
from actors.desks.job_rules import CountersInForce, counters_of, ideal_cycle, path_of
from actors.desks.job_words import CountsTold, CountTaken, ReadJobs, RunsTold
from actors.desks.jobs import JobDesk
from actors.desks.portal import PortalDesk, PortalInForce, ReadPortal
from actors.desks.portal_series import AddSeries, ReadSeries, SeriesKeeper, SeriesKept
from actors.desks.production import Presence, ProductionDesk, ReadProduction, StatesInForce, StateTaken
from actors.desks.validator_rules import NodesNamed, TermsInForce
from actors.desks.validators import ReadValidators, ValidatorDesk
from actors.routing import Desks

__all__ = [
    "AddSeries",
    "AlarmDesk",
    "CallDesk",
    "CountTaken",
    "CountersInForce",
    "CountsTold",
    "DecidingDesk",
    "Desks",
    "FloorDesk",
    "JobDesk",
    "NodesNamed",
    "PortalDesk",
    "PortalInForce",
    "Presence",
    "ProductionDesk",
    "ReadAlarms",
    "ReadCalls",
    "ReadJobs",
    "ReadPortal",
    "ReadProduction",
    "ReadSeries",
    "ReadValidators",
    "RunsTold",
    "SeriesKeeper",
    "SeriesKept",
    "SignalTaken",
    "StateTaken",
    "StatesInForce",
    "TermsInForce",
    "ValidatorDesk",
    "at_work",
    "counters_of",
    "ideal_cycle",
    "path_of",
]
