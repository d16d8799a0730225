"""Which events were taken before: CloudEvents says that (source, id) names an event.

Rules of this file: bounded memory; the oldest are forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict

from domain.event import Event


class Duplicates:
    """Remembers the newest ``capacity`` events by (source, id)."""

    __slots__ = ("_capacity", "_seen", "count")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        # Taking the first of a plain dict again and again walks over all that was taken before.
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.count = 0

    def __len__(self) -> int:
        return len(self._seen)

    def is_new(self, event: Event) -> bool:
        """Whether ``event`` was not taken before; it is remembered from now on."""
        name = (event.source, event.id)
        if name in self._seen:
            self.count += 1
            return False
        self._seen[name] = None
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return True

    def forget(self, event: Event) -> None:
        """Let ``event`` count as new again: it could not be kept after all."""
        self._seen.pop((event.source, event.id), None)
