"""Which heights to read again after a connection was away.

Rules of this file: pure arithmetic. The newest are read first in importance, so it is the oldest that are given up
when there are too many, and whatever is given up is said, with the reason.
"""

from __future__ import annotations

import msgspec

TOO_MANY = "more heights were missed than the limit allows to read again"
PRUNED = "the node no longer has them"


class Lost(msgspec.Struct, frozen=True):
    """Heights from ``first`` to ``last`` that are not read again."""

    first: int
    last: int
    reason: str


class Fill(msgspec.Struct, frozen=True):
    """The heights to read, the lowest first, and those that are given up."""

    heights: range
    lost: tuple[Lost, ...] = ()


def fill(seen: int, head: int, limit: int, earliest: int = 1) -> Fill:
    """What to read when ``seen`` was the last height taken and ``head`` is the newest that the node has.

    ``limit`` is the most heights to read, ``earliest`` the lowest that the node still has.
    """
    first = min(seen, head) + 1
    kept = max(first, earliest)
    newest = max(kept, head - limit + 1)
    lost = (Lost(first, min(kept - 1, head), PRUNED), Lost(kept, min(newest - 1, head), TOO_MANY))
    return Fill(range(newest, head + 1), tuple(one for one in lost if one.first <= one.last))
