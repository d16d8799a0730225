"""The daemon's pulse: how late the loop turns, and a garbage collector that does not stop it.

Rules of this file: a full collection with ten thousand connections stops everything for half a second, and an idle
connection makes no cyclic garbage. So what has survived is frozen, out of every collection's sight, each beat;
and thawed and collected now and then while few clients could notice.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Mapping

import trio

from actors.runtime import TrioActor
from domain import JsonValue, beat_after
from telemetry import gauges

BEAT = 0.25
LAG_WINDOW = 4
COLLECT_INTERVAL = 3600.0
QUIET_CONNECTIONS = 500


class Pulse(TrioActor):
    """Beats four times a second; ``connections`` tells how many links are open."""

    has_tasks = True

    def __init__(self, connections: Callable[[], int]) -> None:
        super().__init__()
        self._connections = connections
        self._lags: deque[float] = deque([0.0], maxlen=LAG_WINDOW)
        self._collected_at = trio.current_time()

    async def setup(self) -> None:
        """Begin to beat."""
        gauges.feed("loop_lag", self.lag)
        self.start_task(self._beat)

    async def close(self) -> None:
        """Let the collector see everything again."""
        gauges.forget("loop_lag")
        gc.unfreeze()

    def lag(self) -> float:
        """How late the loop turned at worst within the last second, in seconds."""
        return max(self._lags)

    def describe(self) -> Mapping[str, JsonValue]:
        """The lag, and how many objects are kept out of collections."""
        return {"lag_ms": round(self.lag() * 1000, 3), "frozen": gc.get_freeze_count()}

    async def _beat(self) -> None:
        while True:
            due = beat_after(trio.current_time(), BEAT)
            await trio.sleep_until(due)
            now = trio.current_time()
            self._lags.append(now - due)
            if now - self._collected_at >= COLLECT_INTERVAL and self._connections() <= QUIET_CONNECTIONS:
                self._collected_at = now
                gc.unfreeze()
                gc.collect()
            gc.freeze()
