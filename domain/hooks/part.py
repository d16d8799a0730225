"""The parts of a hook and the state of each: what runs, what waits to be configured, what is in quarantine.

Rules of this file: the time is an argument (Unix seconds). A part is in quarantine from its first failure until the
process ends; nothing else leads out of it, so that what is broken is not tried again in the middle of a shift.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from domain.event import Event
from domain.hooks.event_type import name_faults
from domain.hooks.hook import Hook
from domain.json import JsonValue
from domain.moment import rfc3339
from domain.policy import BUILT_IN

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
REASON_LIMIT = 300

QUARANTINED_TYPE = "hook.quarantined"


class PartKind(StrEnum):
    """What a part of a hook is; the hook itself is one where it cannot even be loaded."""

    HOOK = "hook"
    TYPE = "type"
    RULE = "rule"
    CHANNEL = "channel"
    SOURCE = "source"


class PartState(StrEnum):
    """Where a part is in its life."""

    READY = "ready"
    QUARANTINED = "quarantined"


class Part(msgspec.Struct):
    """One part of the hook ``hook``: how often it was called, what it gave, and what it failed with.

    ``missed`` counts urgent events that came while it was behind; ``refusal`` is why the last intent was refused.
    """

    hook: str
    kind: PartKind
    name: str
    state: PartState = PartState.READY
    reason: str | None = None
    at: float | None = None
    calls: int = 0
    made: int = 0
    missed: int = 0
    refusal: str | None = None

    @property
    def path(self) -> str:
        """The part in a word: ``line4/rule/overheating``."""
        return self.hook if self.kind is PartKind.HOOK else f"{self.hook}/{self.kind.value}/{self.name}"

    @property
    def is_quarantined(self) -> bool:
        """Whether it is not to be called any more."""
        return self.state is PartState.QUARANTINED

    def quarantine(self, reason: str, at: float) -> Event | None:
        """Put it into quarantine for ``reason``; the event that tells of it, None if it is there already."""
        if self.is_quarantined:
            return None
        self.state, self.reason, self.at = PartState.QUARANTINED, reason[:REASON_LIMIT], at
        data: dict[str, JsonValue] = {
            "hook": self.hook,
            "kind": self.kind.value,
            "name": self.name,
            "reason": self.reason,
        }
        source = f"/andond/hooks/{self.path}"
        return Event(
            id=f"{self.path}-{at:.3f}",
            source=source,
            type=QUARANTINED_TYPE,
            data=data,
            recorded=at,
            priority=BUILT_IN.priority_of(QUARANTINED_TYPE, data, source),
            subject=self.name,
            time=rfc3339(at),
        )

    def describe(self) -> dict[str, JsonValue]:
        """The part in the status document."""
        return {
            "hook": self.hook,
            "kind": self.kind.value,
            "name": self.name,
            "state": self.state.value,
            "reason": self.reason,
            "since": None if self.at is None else rfc3339(self.at),
            "calls": self.calls,
            "made": self.made,
            "missed": self.missed,
            "refusal": self.refusal,
        }


def parts_of(name: str, hook: Hook) -> Iterator[Part]:
    """The parts of ``hook``, which is installed as ``name``."""
    for each in hook.types:
        yield Part(name, PartKind.TYPE, each.name)
    sections: tuple[tuple[PartKind, Mapping[str, object]], ...] = (
        (PartKind.RULE, hook.rules),
        (PartKind.CHANNEL, hook.channels),
        (PartKind.SOURCE, hook.sources),
    )
    for kind, parts in sections:
        for part in parts:
            yield Part(name, kind, part)


def hook_faults(name: str, hook: Hook) -> list[str]:
    """What is wrong with ``hook`` before any of it has run: names that nobody could use."""
    named = (("hook", (name,)), ("rule", hook.rules), ("channel", hook.channels), ("source", hook.sources))
    faults = [
        f"{word} {each!r} is no name of lower-case letters, digits, dashes and underscores, at most 63"
        for word, names in named
        for each in names
        if not _NAME.fullmatch(each)
    ]
    return [*faults, *name_faults(hook.types)]
