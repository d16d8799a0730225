"""Alarms after ISA-18.2: their states, what is on record of them, how many and how fast: plain rules."""

from domain.plant.alarms.acts import ACTS, Wish, act, no_alarm
from domain.plant.alarms.alarm import BY_HAND, Alarm, Change, Removal, Shelving, Signal, alarm_id, step
from domain.plant.alarms.alarms import HEARD, Alarms, Occurred, merged
from domain.plant.alarms.board import LINES, Line, Shown, board
from domain.plant.alarms.classes import DEFAULT, AlarmClass, Rulebook, Suppression, Terms
from domain.plant.alarms.documents import document, flood_document
from domain.plant.alarms.hearing import CLEARED, RAISED, SIGNALS, expire, hear, shifted, signal_of
from domain.plant.alarms.logs import Occurrence, activations, occurrences
from domain.plant.alarms.performance import Counts, Performance
from domain.plant.alarms.rates import (
    Activation,
    Chatter,
    Figures,
    Flood,
    FloodChange,
    FloodWord,
    TrailingWindow,
    aligned_floods,
    bad_actors,
    chattering,
    figures,
    trailing_floods,
)
from domain.plant.alarms.rationale import DISTRIBUTION, AlarmList, AlarmPriority, Entry, Rationale
from domain.plant.alarms.rows import KINDS, alarm_of, flood_of, flood_row, row_of
from domain.plant.alarms.states import TRANSITIONS, Fact, Impossible, State, Trigger, diagram, next_state
from domain.plant.alarms.view import AlarmsNow, spread
from domain.plant.escalation.clocks import Clocks

__all__ = [
    "ACTS",
    "BY_HAND",
    "CLEARED",
    "DEFAULT",
    "DISTRIBUTION",
    "HEARD",
    "KINDS",
    "LINES",
    "RAISED",
    "SIGNALS",
    "TRANSITIONS",
    "Activation",
    "Alarm",
    "AlarmClass",
    "AlarmList",
    "AlarmPriority",
    "Alarms",
    "AlarmsNow",
    "Change",
    "Chatter",
    "Clocks",
    "Counts",
    "Entry",
    "Fact",
    "Figures",
    "Flood",
    "FloodChange",
    "FloodWord",
    "Impossible",
    "Line",
    "Occurred",
    "Occurrence",
    "Performance",
    "Rationale",
    "Removal",
    "Rulebook",
    "Shelving",
    "Shown",
    "Signal",
    "State",
    "Suppression",
    "Terms",
    "TrailingWindow",
    "Trigger",
    "Wish",
    "act",
    "activations",
    "alarm_id",
    "alarm_of",
    "aligned_floods",
    "bad_actors",
    "board",
    "chattering",
    "diagram",
    "document",
    "expire",
    "figures",
    "flood_document",
    "flood_of",
    "flood_row",
    "hear",
    "merged",
    "next_state",
    "no_alarm",
    "occurrences",
    "row_of",
    "shifted",
    "signal_of",
    "spread",
    "step",
    "trailing_floods",
]
