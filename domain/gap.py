"""A stated hole in what a subscriber got.

Rules of this file: no I/O. A gap is never silent: whoever leaves something out says which offsets it lies between,
how many publications it holds and why.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Reason = Literal["overflow", "expired", "epoch", "history"]
"""Too much waited; it waited too long; the log is another one; it is no longer kept."""


class Gap(msgspec.Struct, frozen=True):
    """``count`` publications of ``channel`` between the offsets ``first`` and ``last``, both included.

    ``count`` is None where nobody can know it: the log that was asked for is gone.
    """

    channel: str
    first: int
    last: int
    count: int | None
    reason: Reason

    def with_more(self, other: Gap) -> Gap:
        """One gap that says both; they are of one channel and one reason."""
        count = None if self.count is None or other.count is None else self.count + other.count
        return Gap(self.channel, min(self.first, other.first), max(self.last, other.last), count, self.reason)
