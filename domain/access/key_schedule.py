"""When the keys of an issuer are fetched: from time to time, sooner when one is missed, later when nobody answers.

Rules of this file: pure; moments are arguments, seconds of a clock that does not jump. A stranger can name a key that
nobody has, so what is missed is fetched at most once in ``GAP``: that is no way to make this gateway attack a provider.
"""

from __future__ import annotations

GAP = 10.0
"""Seconds between two fetches at least, however often a key is missed."""

MISSED_LIMIT = 256
"""Keys that are remembered as missed."""

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
_MOST_DOUBLINGS = 16


class KeySchedule:
    """The next fetch of one issuer, every ``interval`` seconds while all is well. The first is due at once."""

    def __init__(self, interval: float, gap: float = GAP) -> None:
        self._interval = interval
        self._gap = gap
        self._due = float("-inf")
        self._began_at: float | None = None
        self._fetched_at: float | None = None
        # When the fetch began that brought what is at hand.
        self._asked_at = float("-inf")
        self._failures = 0
        self._missed: dict[str, float] = {}

    @property
    def due(self) -> float:
        """When the next fetch is due."""
        return self._due

    def missed(self, key_id: str, at: float) -> float | None:
        """The key ``key_id`` was asked for and is not at hand; the seconds after which it may be.

        None if it was fetched for already, not long ago, and there is no such key.
        """
        missed_at = self._missed.get(key_id)
        was_fetched_for = missed_at is not None and missed_at <= self._asked_at
        if was_fetched_for and self._fetched_at is not None and at < self._fetched_at + self._gap:
            return None
        if missed_at is None or was_fetched_for:
            self._remember(key_id, at)
        allowed = at if self._began_at is None else max(at, self._began_at + self._gap)
        # While the provider is away its own delays count, if they are shorter.
        self._due = min(self._due, allowed)
        return max(1.0, self._due - at)

    def _remember(self, key_id: str, at: float) -> None:
        self._missed.pop(key_id, None)
        if len(self._missed) >= MISSED_LIMIT:
            del self._missed[next(iter(self._missed))]
        self._missed[key_id] = at

    def began(self, at: float) -> None:
        """A fetch begins."""
        self._began_at = at

    def fetched(self, at: float) -> None:
        """It succeeded."""
        self._fetched_at = at
        self._asked_at = at if self._began_at is None else self._began_at
        self._failures = 0
        self._due = at + self._interval

    def failed(self, at: float) -> None:
        """It failed."""
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(self._failures, _MOST_DOUBLINGS))
        self._failures += 1
        self._due = at + min(delay, self._interval)
