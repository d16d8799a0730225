"""Rules: plain functions and small classes, without I/O, clock or runtime."""

from domain.critical_log import CriticalLog, Recovery
from domain.duplicates import Duplicates
from domain.event import Event, EventFault, Fault, parse_event
from domain.farewell import return_delays, return_window
from domain.gap import Gap, Reason
from domain.history import History, Missed
from domain.json import JsonObject, JsonValue
from domain.memory import Memory, Recollection, Remembered
from domain.moment import parse_rfc3339, rfc3339
from domain.names import NAME_LIMIT, below, channel_of, conflation_key, holds_state, is_channel, is_tree, may_be_kept
from domain.pacing import Pacer, newest_of_each, pacing_key
from domain.position import Position
from domain.priority import Priority, priority_of
from domain.publication import Publication
from domain.turns import Turns

__all__ = [
    "NAME_LIMIT",
    "CriticalLog",
    "Duplicates",
    "Event",
    "EventFault",
    "Fault",
    "Gap",
    "History",
    "JsonObject",
    "JsonValue",
    "Memory",
    "Missed",
    "Pacer",
    "Position",
    "Priority",
    "Publication",
    "Reason",
    "Recollection",
    "Recovery",
    "Remembered",
    "Turns",
    "below",
    "channel_of",
    "conflation_key",
    "holds_state",
    "is_channel",
    "is_tree",
    "may_be_kept",
    "newest_of_each",
    "pacing_key",
    "parse_event",
    "parse_rfc3339",
    "priority_of",
    "return_delays",
    "return_window",
    "rfc3339",
]
