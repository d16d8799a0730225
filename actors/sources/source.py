"""What every source has: a name, a place, a cadence, and a word on how fresh it is.

Rules of this file: plain state, the time is an argument. A source knows its desk, never a channel or a client. What
it read goes to the desk as ``EventTaken``; when nothing came for twice its cadence, it is stale. How fresh it is
outlives a life of it: it is kept by the roll of the sources (``silence``), which is where its silence is told.
"""

from __future__ import annotations

import msgspec

from config import SourceSettings
from domain import JsonValue, rfc3339
from domain.silence import PATIENCE


class Freshness(msgspec.Struct):
    """When a source last had something to say; ``cadence`` (seconds) of 0 promises nothing, so never goes stale."""

    name: str
    kind: str
    equipment: str
    cadence: float
    is_required: bool
    last: float | None = None
    count: int = msgspec.field(default=0)

    @classmethod
    def of(cls, name: str, settings: SourceSettings) -> Freshness:
        """How fresh a source with these settings is before it has said anything."""
        kind = str(settings.__struct_config__.tag)
        return cls(name, kind, settings.equipment, settings.cadence, settings.required)

    def note(self, at: float) -> None:
        """Something came, at ``at`` (Unix seconds)."""
        self.last = at
        self.count += 1

    def is_stale(self, at: float) -> bool:
        """Whether twice the cadence has passed without a word; before the first word it has."""
        if not self.cadence:
            return False
        return self.last is None or at - self.last > PATIENCE * self.cadence

    def describe(self, at: float, state: str | None = None) -> dict[str, JsonValue]:
        """The source in the status document; ``state`` where it knows better than fresh or stale."""
        age = None if self.last is None else round(max(0.0, at - self.last), 3)
        return {
            "name": self.name,
            "kind": self.kind,
            "equipment": self.equipment or None,
            "required": self.is_required,
            "state": state or ("stale" if self.is_stale(at) else "fresh"),
            "cadence": self.cadence or None,
            "last": None if self.last is None else rfc3339(self.last),
            "age": age,
            "events": self.count,
        }
