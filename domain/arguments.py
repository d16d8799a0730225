"""What a person's act carries, read with care: each argument by its type, all faults at once.

Rules of this file: no argument is guessed. What is missing or wrong is collected; ``check`` refuses with every fault,
each at its JSON pointer (RFC 6901) below the arguments, so that the sender can mend it. Numbers are finite.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TypeGuard

from domain.decision import Grounds, Refused
from domain.event import Fault
from domain.json import JsonObject, JsonValue
from domain.moment import parse_rfc3339

TEXT_LIMIT = 1024
COUNT_LIMIT = 10**12
YEAR_10000 = 253_402_300_800


class Arguments:
    """The ``arguments`` of one act, and what is wrong with them so far."""

    def __init__(self, arguments: JsonObject, prefix: str = "") -> None:
        self._arguments = arguments
        self._prefix = prefix
        self.faults: list[Fault] = []

    def __contains__(self, name: str) -> bool:
        """Whether ``name`` was given; null is not given."""
        return self._arguments.get(name) is not None

    def check(self) -> None:
        """Go on if nothing was wrong.

        Raises:
            Refused: if there was any fault; ``details.faults`` has them all.
        """
        if not self.faults:
            return
        faults: list[JsonValue] = [{"pointer": fault.pointer, "message": fault.message} for fault in self.faults]
        first = self.faults[0]
        raise Refused(Grounds.INVALID, f"{first.pointer}: {first.message}", {"faults": faults})

    def fault(self, name: str, message: str) -> None:
        """Say what is wrong with the argument ``name``."""
        self.faults.append(Fault(f"{self._prefix}/{name}", message))

    def text(self, name: str, limit: int = TEXT_LIMIT) -> str:
        """A text that must be there; "" if there was a fault."""
        if name not in self:
            self.fault(name, "is required")
            return ""
        return self.optional_text(name, limit) or ""

    def optional_text(self, name: str, limit: int = TEXT_LIMIT) -> str | None:
        """A text, or None."""
        value = self._arguments.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip() or len(value) > limit:
            self.fault(name, f"must be a text of 1 to {limit} characters")
            return None
        return value

    def choice(self, name: str, words: Iterable[str]) -> str | None:
        """One of ``words``, or None."""
        value = self.optional_text(name)
        if value is None or value in (known := tuple(words)):
            return value
        self.fault(name, f"must be one of {', '.join(known)}")
        return None

    def count(self, name: str, least: int = 0) -> int | None:
        """A whole number from ``least`` on, or None."""
        value = self._arguments.get(name)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= COUNT_LIMIT:
            self.fault(name, f"must be a whole number of at least {least}")
            return None
        return value

    def number(self, name: str) -> float | None:
        """A finite number, or None."""
        value = self._arguments.get(name)
        if value is None:
            return None
        if is_number(value):
            return float(value)
        self.fault(name, "must be a finite number")
        return None

    def numbers(self, name: str, limit: int) -> tuple[float, ...] | None:
        """One to ``limit`` finite numbers, or None."""
        value = self._arguments.get(name)
        if value is None:
            return None
        if isinstance(value, list | tuple) and 0 < len(value) <= limit and all(is_number(each) for each in value):
            return tuple(float(each) for each in value if is_number(each))
        self.fault(name, f"must be a list of 1 to {limit} finite numbers")
        return None

    def flag(self, name: str) -> bool | None:
        """True or false, or None."""
        value = self._arguments.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.fault(name, "must be true or false")
        return None

    def moment(self, name: str) -> float | None:
        """A moment (RFC 3339 text, or Unix seconds) in Unix seconds, or None."""
        value = self._arguments.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                return parse_rfc3339(value)
            except ValueError:
                pass
        elif is_number(value) and 0 <= value < YEAR_10000:
            return float(value)
        self.fault(name, "must be an RFC 3339 moment such as 2026-11-21T06:00:00.000Z")
        return None

    def object(self, name: str) -> JsonObject:
        """An object; empty if it is not there."""
        value = self._arguments.get(name)
        if value is None:
            return {}
        if isinstance(value, Mapping):
            return value
        self.fault(name, "must be an object")
        return {}

    def objects(self, name: str, limit: int) -> list[Arguments]:
        """Up to ``limit`` objects, each to be read as the arguments are; what is wrong in one is in its own faults."""
        value = self._arguments.get(name)
        if value is None:
            return []
        if not isinstance(value, list | tuple) or len(value) > limit:
            self.fault(name, f"must be a list of at most {limit} objects")
            return []
        found = []
        for index, each in enumerate(value):
            if isinstance(each, Mapping):
                found.append(Arguments(each, f"{self._prefix}/{name}/{index}"))
            else:
                self.fault(f"{name}/{index}", "must be an object")
        return found


def is_number(value: JsonValue) -> TypeGuard[int | float]:
    """Whether ``value`` is a finite number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
