"""Where the portal's documents come from: its desk, asked through the mailbox, and the daemon's own counts.

Rules of this file: a desk that does not answer in time is busy, and the client is told to ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from actors.desks import ReadPortal, ReadSeries, SeriesKept
from actors.places import Address
from actors.runtime import ActorDead, AskTimeout, MailboxFull, ask
from andond.api.portal import Broadcasts, DeskBusy
from andond.api.portal_analytics import HistoryAway
from domain.chain import Cells, Now, Surroundings, folded, joined_cells
from telemetry import counters, gauges

ANSWER_TIMEOUT = 2.0

TRIES = 3
"""How often desk and keeper are asked until both speak of the same minutes."""

Answer = TypeVar("Answer")


class DeskData:
    """The portal's data from the desk at ``desk``, and its history from the keeper at ``series``."""

    def __init__(self, desk: Address, series: Address | None = None) -> None:
        self._desk = desk
        self._series = series

    async def read(self, reading: Callable[[Now, Surroundings], Answer]) -> Answer:
        """What ``reading`` makes of the chain, the host and the daemon now.

        Raises:
            DeskBusy: if the desk did not answer in time.
        """
        try:
            answer = await ask(self._desk.ref, ReadPortal(reading), ANSWER_TIMEOUT)
        except (ActorDead, AskTimeout, MailboxFull):
            raise DeskBusy from None
        return cast("Answer", answer)

    async def history(self, span: int, begin: float, end: float, limit: int) -> tuple[Cells, bool]:
        """The newest ``limit`` rows of ``span``, the running one too, and whether older ones were left out.

        Raises:
            DeskBusy: if the desk did not answer in time.
            HistoryAway: if it cannot be read.
        """
        wanted = ReadSeries(span, begin, end, limit)
        for _ in range(TRIES):
            counting, taken_at = await self.read(lambda now, _: (now.view.tally.copy(), now.view.tally.taken_at))
            kept = await self._kept(wanted)
            # What the desk has handed over since it was asked would be counted twice.
            if kept.at <= taken_at:
                break
        told = {at: cell for at, cell in folded(counting, span).items() if begin <= at < end}
        cells = joined_cells([kept.cells, told])
        newest = dict(list(cells.items())[-limit:])
        return newest, kept.has_more or len(newest) < len(cells)

    async def _kept(self, wanted: ReadSeries) -> SeriesKept:
        if self._series is None:
            raise HistoryAway
        try:
            kept = await ask(self._series.ref, wanted, ANSWER_TIMEOUT)
        except (ActorDead, AskTimeout, MailboxFull):
            raise HistoryAway from None
        if not isinstance(kept, SeriesKept):
            raise HistoryAway
        return kept

    async def broadcasts(self) -> Broadcasts:
        """What goes out to the portal's streams."""
        open_ = gauges.read("connections")
        by_door = {word: int(count) for word, count in open_.items()} if isinstance(open_, Mapping) else {}
        latency = counters.broadcast_last if sum(counters.published) else None
        return Broadcasts(by_door, counters.frames_sent, latency)
