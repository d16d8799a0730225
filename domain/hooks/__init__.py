"""What a plant adds to andond without touching it, and the book that is kept of it."""

from domain.hooks.event_type import RESERVED, EventType, type_faults
from domain.hooks.hook import (
    ChannelHook,
    Draft,
    Hook,
    Intent,
    NotDelivered,
    Notice,
    Options,
    RuleHook,
    SourceHook,
    SourceTable,
)
from domain.hooks.part import Part, PartKind, PartState, hook_faults, parts_of

__all__ = [
    "RESERVED",
    "ChannelHook",
    "Draft",
    "EventType",
    "Hook",
    "Intent",
    "NotDelivered",
    "Notice",
    "Options",
    "Part",
    "PartKind",
    "PartState",
    "RuleHook",
    "SourceHook",
    "SourceTable",
    "hook_faults",
    "parts_of",
    "type_faults",
]
