"""Where clients wait that have not said who they are: for so long, then they are shown out.

Rules of this file: no task and no timer for one client. All have the same patience, so who came first is the first to
go, and one task looks at the first alone.
"""

from __future__ import annotations

import trio

from transport import Link

NOT_CONNECTED = 4003
REASON = "not connected in time"


class Lobby:
    """The links that must introduce themselves within ``patience`` seconds; who does not is closed."""

    __slots__ = ("_arrival", "_waiting", "patience")

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._waiting: dict[Link, tuple[float, int, str]] = {}
        self._arrival = trio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self, link: Link, code: int = NOT_CONNECTED, reason: str = REASON) -> None:
        """``link`` has opened and is waited for; in vain, it is closed with ``code`` and ``reason``."""
        self._waiting[link] = (trio.current_time() + self.patience, code, reason)
        self._arrival.set()

    def leave(self, link: Link) -> None:
        """``link`` has said who it is, or is gone."""
        self._waiting.pop(link, None)

    async def watch(self) -> None:
        """Show out who waits for too long, until cancelled; asleep while nobody waits."""
        while True:
            await self._arrival.wait()
            self._arrival = trio.Event()
            while self._waiting:
                await trio.sleep_until(next(iter(self._waiting.values()))[0])
                self._show_out(trio.current_time())

    def _show_out(self, now: float) -> None:
        for link, (deadline, code, reason) in list(self._waiting.items()):
            if deadline > now:
                return
            del self._waiting[link]
            link.close(code, reason)
