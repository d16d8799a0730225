"""What the author of a hook imports: the whole interface, in one place that stays.

Rules of this file: names are added here and never taken away or changed within a major version. A hook imports this
module of andond and no other. docs/hooks.md tells how one is written; docs/examples has one.
"""

from domain import Event, JsonObject, JsonValue, Priority, parse_rfc3339, rfc3339
from domain.hooks import (
    ChannelHook,
    Draft,
    EventType,
    Hook,
    Intent,
    NotDelivered,
    Notice,
    Options,
    RuleHook,
    SourceHook,
    SourceTable,
)

__all__ = [
    "ChannelHook",
    "Draft",
    "Event",
    "EventType",
    "Hook",
    "Intent",
    "JsonObject",
    "JsonValue",
    "NotDelivered",
    "Notice",
    "Options",
    "Priority",
    "RuleHook",
    "SourceHook",
    "SourceTable",
    "parse_rfc3339",
    "rfc3339",
]
