"""A value that is not known, and why: what is null on the wire comes with its reason.

Rules of this file: no value is ever made up. Whoever asks for a value gets it, or ``Unknown`` with words
that can be shown to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from domain.json import JsonValue

REASONS = "reasons"
"""The member that says of each null one why."""


class Unknown(msgspec.Struct, frozen=True):
    """There is no value; ``reason`` says why."""

    reason: str


Known: TypeAlias = JsonValue | Unknown
"""A value or the reason why there is none."""

Document: TypeAlias = dict[str, JsonValue]
"""Values by name; the null ones are explained under ``reasons``."""


def document(values: Mapping[str, Known]) -> Document:
    """``values`` with null for what is not known, and ``reasons`` by name when there are any."""
    members: Document = {name: None if isinstance(value, Unknown) else value for name, value in values.items()}
    reasons = {name: value.reason for name, value in values.items() if isinstance(value, Unknown)}
    if reasons:
        members[REASONS] = reasons
    return members


def carried(members: Mapping[str, JsonValue], name: str) -> Known:
    """The member ``name`` of an event's data, or why the event did not carry it, as far as it says so."""
    value = members.get(name)
    if value is not None:
        return value
    reasons = members.get(REASONS)
    reason = reasons.get(name) if isinstance(reasons, Mapping) else None
    return Unknown(reason if isinstance(reason, str) else "the event carried none")


def milliseconds(at: float) -> int:
    """``at`` (Unix seconds) as the portal writes moments: whole Unix milliseconds."""
    return round(at * 1000)
