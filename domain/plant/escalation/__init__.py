"""Escalation: who is told of a call, by what, and what happens when nobody answers.

``Escalations`` is told what happens to calls and to notifications and what time it is; it returns decisions. Chains are
data (``chain``, ``words``), frozen when they begin; times are the site's.
"""

from domain.plant.escalation.chain import (
    ACKNOWLEDGER,
    PRIORITIES,
    RAISER,
    Chain,
    Importance,
    NotifyOnCall,
    Webhook,
    every,
)
from domain.plant.escalation.clocks import Reading
from domain.plant.escalation.course import TRANSITIONS, Phase, Trigger
from domain.plant.escalation.defaults import ACKNOWLEDGE, CHANNELS, GROUPS, RECIPIENTS, RESOLVE, Defaults
from domain.plant.escalation.duty import Directory, Schedule
from domain.plant.escalation.escalations import KINDS, Escalations, Outgoing
from domain.plant.escalation.notification import CallFacts, Notification
from domain.plant.escalation.rulebook import Rulebook
from domain.plant.escalation.walk import Ask
from domain.plant.escalation.words import ChainFault, read_chain, write_chain

__all__ = [
    "ACKNOWLEDGE",
    "ACKNOWLEDGER",
    "CHANNELS",
    "GROUPS",
    "KINDS",
    "PRIORITIES",
    "RAISER",
    "RECIPIENTS",
    "RESOLVE",
    "TRANSITIONS",
    "Ask",
    "CallFacts",
    "Chain",
    "ChainFault",
    "Defaults",
    "Directory",
    "Escalations",
    "Importance",
    "Notification",
    "NotifyOnCall",
    "Outgoing",
    "Phase",
    "Reading",
    "Rulebook",
    "Schedule",
    "Trigger",
    "Webhook",
    "every",
    "read_chain",
    "write_chain",
]
