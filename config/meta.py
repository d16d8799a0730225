"""What is said of a setting beside its type: its meaning, unit, limits and rule, and whether a reload applies it.

Rules of this file: every setting is described by ``means``, wherever its table is.
"""

from __future__ import annotations

import msgspec

from config import rules

Limits = tuple[float | None, float | None]

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


def means(
    meaning: str, *, unit: str = "", reload: bool = False, rule: rules.Rule | None = None, within: Limits = (None, None)
) -> msgspec.Meta:
    """Describe a setting; ``within`` are the least and the greatest value."""
    extra = {"unit": unit, "reload": reload, "rule": rule}
    return msgspec.Meta(description=meaning, extra=extra, ge=within[0], le=within[1])


def seconds(meaning: str, *, least: float = 0.001, reload: bool = False) -> msgspec.Meta:
    """Describe a time of at most a day."""
    return means(meaning, unit="seconds", within=(least, 86_400), reload=reload)


def size(meaning: str, least: int, most: int, *, reload: bool = False) -> msgspec.Meta:
    """Describe a size in bytes."""
    return means(meaning, unit="bytes", within=(least, most), reload=reload)
