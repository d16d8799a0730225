"""What an event must satisfy that comes from outside: posted by a publisher, or worded by a hook.

Rules of this file: it is an event, it keeps what its type promises, and it does not say what only the gateway itself
can know. Every fault is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain import Event, EventFault, Fault, JsonValue, Policy, parse_event
from domain.chain import faults_of
from domain.hooks import EventType, type_faults
from domain.plant import jobs, ledger

OWN_TYPES = ("host.", "portal.", "source.", "receipt.", "canary.", "journal.", "hook.")

NO_TYPES: Mapping[str, EventType] = MappingProxyType({})


def checked(members: JsonValue, at: float, policy: Policy, types: Mapping[str, EventType] = NO_TYPES) -> Event:
    """The event that ``members`` describe, received ``at``; ``policy`` gives it its priority, ``types`` are the hooks'.

    Raises:
        EventFault: if it is none, breaks what its type promises, or says what only the gateway itself can know.
    """
    event = parse_event(members, at, policy)
    if event.type.startswith(OWN_TYPES):
        raise EventFault([Fault("/type", "is the gateway's own word about itself; choose another")])
    if faults := [*faults_of(event), *ledger.faults_of(event), *jobs.faults_of(event), *type_faults(types, event)]:
        raise EventFault(faults)
    return event
