"""How the chain's history leaves the portal's desk, and what of it comes back to the next life.

Rules of this file: a minute is handed over when it has ended, with what came late of earlier ones; the running one
when the desk is closed in order. So a daemon that is killed loses the running minute and no more. What the keeper has
no room for stays in the tally and goes along with the next minute.
"""

from __future__ import annotations

from math import inf

import msgspec

from actors.desks.portal_series import AddSeries, ReadSeries, SeriesKept
from actors.places import SERIES, Address
from actors.runtime import ActorDead, AskTimeout, Environment, MailboxFull, ask
from domain.chain import DAY, MINUTE, ChainView, Now, Sampling, Surroundings, begin_of

CLOSING_PATIENCE = 2.0
RECALL_PATIENCE = 2.0


class Earlier(msgspec.Struct, frozen=True):
    """What the last day of earlier lives left.

    ``peaks`` are moments with the highest rate of the minute of each, ``height`` is that of the highest block that was
    counted; None if there was none.
    """

    peaks: tuple[tuple[float, float], ...]
    height: int | None


class PortalHistory:
    """Looks at the chain each second for the history of ``view``."""

    def __init__(self, environment: Environment, view: ChainView, began: float) -> None:
        self._keeper = Address(environment, SERIES)
        self._view = view
        self._view.began = self._view.tally.taken_at = began
        self._sampling = Sampling()
        self._minute = begin_of(began, MINUTE)

    def look(self, now: Now, around: Surroundings) -> None:
        """Count what is so now, and hand over what has ended."""
        self._sampling.look(now, around)
        minute = begin_of(now.at, MINUTE)
        if minute == self._minute:
            return
        self._minute = minute
        minutes = self._view.tally.take(now.at)
        if not minutes:
            return
        try:
            self._keeper.tell(AddSeries(minutes, now.at))
        except (ActorDead, MailboxFull):
            self._view.tally.put_back(minutes)

    async def close(self, at: float) -> None:
        """Hand over all that was counted, and wait until it is on disk, but not for long."""
        minutes = self._view.tally.take(inf)
        if not minutes:
            return
        try:
            await ask(self._keeper.ref, AddSeries(minutes, at), CLOSING_PATIENCE)
        except (ActorDead, AskTimeout, MailboxFull):
            return

    async def recall(self, at: float) -> Earlier | None:
        """What is kept of the last day; None while nobody knows."""
        wanted = ReadSeries(MINUTE, at - DAY, at + MINUTE, DAY // MINUTE + 1)
        try:
            kept = await ask(self._keeper.ref, wanted, RECALL_PATIENCE)
        except (ActorDead, AskTimeout, MailboxFull):
            return None
        if not isinstance(kept, SeriesKept):
            return None
        peaks = tuple((begin, cell.peak) for begin, cell in kept.cells.items() if cell.peak is not None)
        heights = [cell.height for cell in kept.cells.values() if cell.height is not None]
        return Earlier(peaks, max(heights, default=None))
