"""Rules: plain functions and small classes, without I/O, clock or runtime."""

from domain.arguments import Arguments
from domain.awaited import Awaited
from domain.beats import beat_after
from domain.budget import TOGETHER, Budget
from domain.critical_log import CriticalLog, Recovery
from domain.decision import Decision, Grounds, Refused, Row
from domain.duplicates import Duplicates
from domain.event import DEMOTED_FROM, MADE_BY, Event, EventFault, Fault, asked_of, parse_event
from domain.farewell import return_delays, return_window
from domain.gap import Gap, Reason
from domain.history import History, Missed
from domain.intents import Intents, mark_of
from domain.json import JsonObject, JsonValue
from domain.limits import (
    Allotment,
    Allotments,
    Allowance,
    Excess,
    Holder,
    Metered,
    Rate,
    Throttle,
    address_key,
)
from domain.memory import Memory, Recollection, Remembered
from domain.moment import parse_rfc3339, rfc3339
from domain.names import (
    CHANNEL_KINDS,
    NAME_LIMIT,
    PLACELESS_KINDS,
    below,
    channel_of,
    conflation_key,
    holds_state,
    is_channel,
    is_tree,
    may_be_kept,
    newest_suffices,
)
from domain.pacing import Pacer, newest_of_each, pacing_key
from domain.policy import BUILT_IN, Policy, Rule, Ruling, rule_text
from domain.position import Position
from domain.priority import Priority
from domain.publication import Publication
from domain.turns import Turns, one_round

__all__ = [
    "BUILT_IN",
    "CHANNEL_KINDS",
    "DEMOTED_FROM",
    "MADE_BY",
    "NAME_LIMIT",
    "PLACELESS_KINDS",
    "TOGETHER",
    "Allotment",
    "Allotments",
    "Allowance",
    "Arguments",
    "Awaited",
    "Budget",
    "CriticalLog",
    "Decision",
    "Duplicates",
    "Event",
    "EventFault",
    "Excess",
    "Fault",
    "Gap",
    "Grounds",
    "History",
    "Holder",
    "Intents",
    "JsonObject",
    "JsonValue",
    "Memory",
    "Metered",
    "Missed",
    "Pacer",
    "Policy",
    "Position",
    "Priority",
    "Publication",
    "Rate",
    "Reason",
    "Recollection",
    "Recovery",
    "Refused",
    "Remembered",
    "Row",
    "Rule",
    "Ruling",
    "Throttle",
    "Turns",
    "address_key",
    "asked_of",
    "beat_after",
    "below",
    "channel_of",
    "conflation_key",
    "holds_state",
    "is_channel",
    "is_tree",
    "mark_of",
    "may_be_kept",
    "newest_of_each",
    "newest_suffices",
    "one_round",
    "pacing_key",
    "parse_event",
    "parse_rfc3339",
    "return_delays",
    "return_window",
    "rfc3339",
    "rule_text",
]
