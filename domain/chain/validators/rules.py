"""A chain's own rules for downtime, as they are kept: they hold until the chain says others.

Rules of this file: values that can be kept and read again.
"""

from __future__ import annotations

import msgspec

from domain.json import JsonObject, JsonValue
from domain.kept import integer, number


class Rules(msgspec.Struct, frozen=True):
    """The ``window`` in blocks, the share of it to sign, and the seconds in jail."""

    window: int
    least_signed: float
    jail_time: float

    def kept(self) -> JsonObject:
        """For the disk."""
        return {"window": self.window, "least_signed": self.least_signed, "jail_time": self.jail_time}


def rules_of(value: JsonValue) -> Rules | None:
    """The rules that were kept as ``value``.

    Raises:
        Unreadable: if they are none.
    """
    if value is None:
        return None
    return Rules(integer(value, "window"), number(value, "least_signed"), number(value, "jail_time"))
