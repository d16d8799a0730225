"""What an adapter says of one data item at one moment, and the role a data item plays.

Rules of this file: data and names only. Which key plays which role is a table, and a plant's own
settings go before it, because the line protocol itself does not say.

Source of the words: MTConnect standard, part 2 (Streams), and the adapter guide of the reference agent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

UNAVAILABLE = "UNAVAILABLE"
LEVELS = frozenset({"NORMAL", "WARNING", "FAULT", UNAVAILABLE})


class Role(Enum):
    """What a key means to andond; the value is the word in the settings."""

    EXECUTION = "execution"
    AVAILABILITY = "availability"
    MODE = "mode"
    EMERGENCY_STOP = "emergency_stop"
    CONDITION = "condition"
    MESSAGE = "message"
    SERIES = "series"
    VALUE = "value"
    IGNORED = "ignored"


class Observation(NamedTuple):
    """One thing said of one data item.

    ``at`` is the source's clock in Unix seconds, None if it gave none that can be read; ``stamp`` is how it wrote it.
    ``value`` of a condition is its level in capitals. ``code``, ``severity``, ``qualifier`` and ``text`` belong to
    conditions and messages, ``duration`` (seconds) and ``reset`` to values.
    """

    key: str
    role: Role
    value: str
    at: float | None
    stamp: str
    code: str = ""
    severity: str = ""
    qualifier: str = ""
    text: str = ""
    duration: float | None = None
    reset: str = ""

    @property
    def is_available(self) -> bool:
        """Whether there is a value at all."""
        return self.value.upper() != UNAVAILABLE


# The names that adapters give these data items by habit. A multi-path control counts them: execution2, p2execution.
_HABITS: tuple[tuple[re.Pattern[str], Role], ...] = (
    (re.compile(r"(p(ath)?\d*_?)?execution_?\d*"), Role.EXECUTION),
    (re.compile(r"avail(ability)?"), Role.AVAILABILITY),
    (re.compile(r"(p(ath)?\d*_?)?(controller_?)?mode_?\d*"), Role.MODE),
    (re.compile(r"(p(ath)?\d*_?)?(e_?stop|emergency_?stop)_?\d*"), Role.EMERGENCY_STOP),
    (re.compile(r"(message|msg)_?\d*"), Role.MESSAGE),
)


class Roles:
    """Which role each key plays: the plant's settings first, then habit, else none."""

    def __init__(self, configured: Mapping[str, Role] | None = None) -> None:
        self._configured = dict(configured or {})
        self._known: dict[str, Role | None] = {}

    def of(self, key: str) -> Role | None:
        """The role of ``key``, None if nothing is known of it. A device prefix (``mill:execution``) does not count."""
        if key in self._known:
            return self._known[key]
        name = key.rpartition(":")[2]
        role = self._configured.get(key) or self._configured.get(name) or _by_habit(name)
        if len(self._known) < KEY_LIMIT:
            self._known[key] = role
        return role


KEY_LIMIT = 4096


def _by_habit(name: str) -> Role | None:
    folded = name.casefold()
    return next((role for pattern, role in _HABITS if pattern.fullmatch(folded)), None)


def roles_of(words: Mapping[str, str]) -> dict[str, Role]:
    """The roles that settings name: key to word.

    Raises:
        ValueError: naming the first word that is no role, and those that are.
    """
    roles = {}
    for key, word in words.items():
        try:
            roles[key] = Role(word)
        except ValueError:
            known = ", ".join(role.value for role in Role)
            raise ValueError(f"{key}: {word!r} is not one of {known}") from None
    return roles
