"""What became of every publication that was meant for one client: the delivery ledger.

Rules of this file: no I/O. For each client and priority, at any moment:

    enqueued = delivered + conflated + expired + gapped + queued

``enqueued`` is counted where a publication is offered, the others where it leaves, ``queued`` is what really waits. So
whoever loses one on the way, or tells one twice, is found: the difference is the imbalance, and it is 0. Answers and
control frames are no publications and are not in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain import Priority


class Entry(msgspec.Struct, frozen=True):
    """One priority's row, in publications. ``delivered``: handed to the socket; ``gapped``: given up, and told so."""

    enqueued: int
    delivered: int
    conflated: int
    expired: int
    gapped: int
    queued: int

    @property
    def imbalance(self) -> int:
        """How many publications cannot be accounted for; negative if there are more than were offered."""
        return self.enqueued - self.delivered - self.conflated - self.expired - self.gapped - self.queued


class Ledger:
    """The counts of what had to wait for one client, by priority."""

    __slots__ = ("conflated", "delivered", "enqueued", "expired", "gapped")

    def __init__(self) -> None:
        self.enqueued = [0, 0, 0, 0]
        self.delivered = [0, 0, 0, 0]
        self.conflated = [0, 0, 0, 0]
        self.expired = [0, 0, 0, 0]
        self.gapped = [0, 0, 0, 0]

    def entries(self, direct: Sequence[int], queued: Sequence[int]) -> tuple[Entry, ...]:
        """The rows, by priority, while ``queued`` publications wait and ``direct`` ones never had to."""
        return tuple(
            Entry(
                enqueued=direct[each] + self.enqueued[each],
                delivered=direct[each] + self.delivered[each],
                conflated=self.conflated[each],
                expired=self.expired[each],
                gapped=self.gapped[each],
                queued=queued[each],
            )
            for each in Priority
        )


def imbalance(entries: Sequence[Entry]) -> int:
    """How far a client's rows are from balanced, all priorities together."""
    return sum(abs(entry.imbalance) for entry in entries)
