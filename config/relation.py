"""What is told of settings that do not fit each other.

Rules of this file: a key may lead into a table, ``site.people[2].shifts``; the setting it is of is ``root_of`` it.
"""

from __future__ import annotations

import msgspec


class Broken(msgspec.Struct, frozen=True):
    """A relation that does not hold: the keys it is between, and what was expected of the first."""

    keys: tuple[str, ...]
    expected: str

    @property
    def roots(self) -> tuple[str, ...]:
        """The settings that the keys are of."""
        return tuple(root_of(key) for key in self.keys)


def root_of(key: str) -> str:
    """The setting that ``key`` is of: ``site.people`` of ``site.people[2].shifts``; a source's key is its own."""
    if key.startswith("sources."):
        return key
    return ".".join(key.split(".")[:2]).partition("[")[0]
