"""Rules: plain functions and small classes, without I/O, clock or runtime."""

from domain.duplicates import Duplicates
from domain.event import Event, EventFault, Fault, parse_event
from domain.gap import Gap
from domain.history import History, Missed
from domain.json import JsonObject, JsonValue
from domain.moment import parse_rfc3339, rfc3339
from domain.names import below, channel_of, conflation_key, holds_state, is_channel, is_tree
from domain.position import Position
from domain.priority import Priority, priority_of
from domain.publication import Publication

__all__ = [
    "Duplicates",
    "Event",
    "EventFault",
    "Fault",
    "Gap",
    "History",
    "JsonObject",
    "JsonValue",
    "Missed",
    "Position",
    "Priority",
    "Publication",
    "below",
    "channel_of",
    "conflation_key",
    "holds_state",
    "is_channel",
    "is_tree",
    "parse_event",
    "parse_rfc3339",
    "priority_of",
    "rfc3339",
]
