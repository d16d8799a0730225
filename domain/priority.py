"""How urgent a thing is: four priorities, and their names on the wires.

Rules of this file: which event has which priority is the policy's business.
"""

from __future__ import annotations

from enum import IntEnum


class Priority(IntEnum):
    """CRITICAL goes before HIGH, HIGH before NORMAL, NORMAL before LOW."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3

    @property
    def wire(self) -> str:
        """The word on the native wire: ``critical`` ... ``low``."""
        return self.name.lower()

    @property
    def seed(self) -> int:
        """The number that the floor's clients know: 1 (critical) to 4."""
        return self.value + 1

    @classmethod
    def from_wire(cls, word: str) -> Priority | None:
        """The priority that ``word`` names, or None."""
        return _BY_WORD.get(word)


_BY_WORD = {priority.wire: priority for priority in Priority}
