"""What a window of a unit's time amounts to: ledger, plan, stops and their reasons put together.

Rules of this file:

* A window is cut by shift, job or day; what is cut is the accounting. The windows of a partition sum to the whole.
* The window ends at the present if it would reach beyond: what is to come is neither planned nor lost yet.
* A reason may say what its time counts as (planned maintenance, changeover); it moves time, it never makes any.
* A failure counts in the window in which it began, its repair in each window for the part that lies in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from domain.plant.ledger.bucket import STOPPED, Bucket
from domain.plant.ledger.downtime import Downtime, Piece
from domain.plant.ledger.elements import Elements, elements_of
from domain.plant.ledger.ledger import Ledger
from domain.plant.ledger.reasons import Reasons
from domain.plant.ledger.stops import Counted, counted
from domain.plant.site import Interval


class Calendar(Protocol):
    """Who says when something is planned to run: ``domain.plant.site.ShiftCalendar``."""

    @property
    def is_known(self) -> bool:
        """Whether it says anything."""

    def busy(self, begin_us: int, end_us: int) -> list[Interval]:
        """When something is planned to run in [``begin_us``, ``end_us``)."""


class Books(msgspec.Struct, frozen=True):
    """What the time of a unit is accounted for by."""

    ledger: Ledger
    calendar: Calendar
    reasons: Reasons
    minor: int
    downtimes: Sequence[Downtime] = ()

    def elements(self, begin: int, end: int, present: int) -> Elements:
        """The elements of [``begin``, ``end``), as far as it lies before ``present`` (microseconds), without counts.

        Raises:
            NotKept: if some of it is no longer in the ledger.
        """
        end = max(begin, min(end, present))
        busy = self.calendar.busy(begin, end) if self.calendar.is_known else None
        pieces = self._explained(counted(self.ledger, begin, end, present, self.minor), begin, end)
        elements = elements_of(pieces, begin, end, busy)
        failed = [piece for piece in self._pieces(begin, end) if self.reasons.of(piece.reason).is_failure]
        begun = [piece for d in self.downtimes for piece in d.pieces if begin <= piece.begin < end]
        return replace(
            elements,
            failures=sum(self.reasons.of(piece.reason).is_failure for piece in begun),
            repair=sum(piece.length for piece in failed),
        )

    def _pieces(self, begin: int, end: int) -> Iterator[Piece]:
        """The explained parts of stops in a window, in order."""
        for downtime in sorted(self.downtimes, key=lambda each: each.begin):
            for piece in downtime.pieces:
                cut = piece._replace(begin=max(piece.begin, begin), end=min(piece.end, end))
                if cut.begin < cut.end:
                    yield cut

    def _explained(self, pieces: Iterable[Counted], begin: int, end: int) -> Iterator[Counted]:
        """``pieces``, of which the stops that a reason moves count as that says."""
        moved = [piece for piece in self._pieces(begin, end) if self.reasons.of(piece.reason).bucket is not None]
        for piece in pieces:
            if piece.minor is not None or piece.bucket not in STOPPED or not moved:
                yield piece
            else:
                yield from self._cut(piece, moved)

    def _cut(self, piece: Counted, moved: Sequence[Piece]) -> Iterator[Counted]:
        at = piece.begin
        for reason in moved:
            start, stop = max(reason.begin, at), min(reason.end, piece.end)
            if start >= stop:
                continue
            if at < start:
                yield piece._replace(begin=at, end=start)
            yield piece._replace(begin=start, end=stop, bucket=self._bucket(reason, piece.bucket))
            at = stop
        if at < piece.end:
            yield piece._replace(begin=at)

    def _bucket(self, piece: Piece, otherwise: Bucket) -> Bucket:
        return self.reasons.of(piece.reason).bucket or otherwise
