"""What a role is granted: what it does, what it sees, and how far that reaches.

Rules of this file: what is not granted is denied, and nothing takes a grant away, so more roles never mean less. A
pattern is a whole name, or the beginning of one and a star for the rest: ``andon.raise``, ``andon.*``, ``chain/*``. A
star anywhere else is no star: it is a character that no name has. Names are compared with their case.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

ANY = "*"


class Within(StrEnum):
    """How far a grant reaches."""

    OWN = "own"
    """Where the identity's own places are: its line."""
    TENANT = "tenant"
    """Everywhere in its tenant."""


class Grant(msgspec.Struct, frozen=True):
    """``does`` are patterns of actions, ``sees`` patterns of channels; both hold ``within``."""

    does: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    within: Within = Within.TENANT


def fits(pattern: str, name: str) -> bool:
    """Whether ``name`` is what ``pattern`` says, or begins as it does where it ends with a star."""
    return name.startswith(pattern[:-1]) if pattern.endswith(ANY) else name == pattern


def fits_any(patterns: Iterable[str], name: str) -> bool:
    """Whether ``name`` is what one of ``patterns`` says."""
    return any(fits(pattern, name) for pattern in patterns)


def meet(one: str, other: str) -> bool:
    """Whether a name could be what both patterns say."""
    if one.endswith(ANY) and other.endswith(ANY):
        return one[:-1].startswith(other[:-1]) or other[:-1].startswith(one[:-1])
    return fits(one, other) or fits(other, one)


def fewest(patterns: Iterable[str], besides: Iterable[str] = ()) -> tuple[str, ...]:
    """The patterns that say the same: without those that another, or one of ``besides``, says already."""
    left, others = set(patterns), tuple(besides)
    return tuple(sorted(one for one in left if not fits_any(others, one) and not fits_any(left - {one}, one)))
