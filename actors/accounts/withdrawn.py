"""Who wants to know that tokens were taken back, or have had their time: those whose connections lean on them.

Rules of this file: told on the trio thread, in the turn of who knows it; who is told does not block. Moments are Unix
seconds; who has had its time is told when the clock is looked at next.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from domain.access import Withdrawal

Listener = Callable[[Withdrawal], None]


class Withdrawn:
    """Spreads what was taken back. Those who listen for one user's tokens are found by its id."""

    def __init__(self) -> None:
        self._numbers = count()
        self._of_all: dict[int, Listener] = {}
        self._of_user: dict[str, dict[int, Listener]] = {}
        self._due: list[tuple[float, int]] = []
        self._at_end: dict[int, Callable[[], None]] = {}

    def __len__(self) -> int:
        return len(self._of_all) + sum(map(len, self._of_user.values())) + len(self._at_end)

    def follow(self, listener: Listener, user_id: str | None = None) -> Callable[[], None]:
        """Tell ``listener`` from now on, of this user's tokens alone if one is named; returns how to stop."""
        number = next(self._numbers)
        listeners = self._of_all if user_id is None else self._of_user.setdefault(user_id, {})
        listeners[number] = listener

        def leave() -> None:
            listeners.pop(number, None)
            if user_id is not None and not listeners and self._of_user.get(user_id) is listeners:
                del self._of_user[user_id]

        return leave

    def remind(self, at: float, ended: Callable[[], None]) -> Callable[[], None]:
        """Call ``ended`` once it is ``at``; returns how to have it forgotten."""
        number = next(self._numbers)
        self._at_end[number] = ended
        heappush(self._due, (at, number))

        def forget() -> None:
            self._at_end.pop(number, None)

        return forget

    def pass_by(self, at: float) -> None:
        """It is ``at`` now."""
        while self._due and (self._due[0][0] <= at or self._due[0][1] not in self._at_end):
            ended = self._at_end.pop(heappop(self._due)[1], None)
            if ended is not None:
                ended()

    def tell(self, withdrawal: Withdrawal) -> None:
        """Tell everybody whom it is about."""
        for listener in (*self._of_user.get(withdrawal.user_id, {}).values(), *self._of_all.values()):
            listener(withdrawal)
