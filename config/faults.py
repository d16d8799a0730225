"""What is wrong with the settings: every fault names its key, where it came from and what was expected.

Rules of this file: faults are collected, never raised one by one; a secret's value is never part of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from config.secrets import HIDDEN, Secret, without_user

SHOWN_LENGTH = 60


class Fault(msgspec.Struct, frozen=True):
    """One thing to mend. ``key`` is empty when it is about a whole file."""

    key: str
    origin: str
    expected: str
    found: str = ""

    def __str__(self) -> str:
        place = f"{self.key} ({self.origin})" if self.key else self.origin
        found = f", found {self.found}" if self.found else ""
        return f"{place}: expected {self.expected}{found}"


class SettingsError(Exception):
    """The operator's settings are wrong; ``faults`` has everything that is."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = list(faults)


def shown(value: object) -> str:
    """Return ``value`` as a message may show it: on one line, not too long, no secret."""
    if isinstance(value, Secret):
        return HIDDEN
    text = repr(_hidden(value))
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}..."


def _hidden(value: object) -> object:
    """``value`` without the users and passwords of the addresses in it."""
    if isinstance(value, str):
        return without_user(value)
    if isinstance(value, Mapping):
        return {_hidden(key): _hidden(each) for key, each in value.items()}
    return [_hidden(each) for each in value] if isinstance(value, list | tuple) else value


def one_of(known: Iterable[str], found: str) -> str:
    """Return what was expected instead of the unknown word ``found``: the likely one, or all."""
    # Here, because settings without a fault need none of it.
    import difflib  # noqa: PLC0415

    words = list(known)
    near = difflib.get_close_matches(found, words, n=1)
    return f"{near[0]!r}, perhaps" if near else f"one of {', '.join(words)}"
