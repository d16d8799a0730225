"""What the world outside the gateway does, and when: one task, one call after the other.

Rules of this file: a call is plain and quick. What is due at the same moment comes in the order in which it was put
down. A call that fails ends the simulation.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

import trio

Act = Callable[[], object]


class Agenda:
    """Calls that are due later."""

    def __init__(self) -> None:
        self._numbers = count()
        self._due: list[tuple[float, int, Act]] = []
        self._nap: trio.CancelScope | None = None

    def later(self, delay: float, act: Act) -> None:
        """Call ``act`` in ``delay`` seconds."""
        due = trio.current_time() + delay
        heapq.heappush(self._due, (due, next(self._numbers), act))
        if self._nap is not None and due < self._nap.deadline:
            self._nap.deadline = due

    async def run(self) -> None:
        """Call what is due, until cancelled."""
        while True:
            deadline = self._due[0][0] if self._due else trio.current_time() + 3600.0
            with trio.CancelScope(deadline=deadline) as self._nap:
                await trio.sleep_forever()
            self._nap = None
            now = trio.current_time()
            while self._due and self._due[0][0] <= now:
                heapq.heappop(self._due)[2]()
