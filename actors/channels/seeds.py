"""Events that a channel read from the journal when it began, and that may still be published to it.

Rules of this file: no I/O. An event is on disk before it is published, so a channel that begins in between reads it
first and is told it then. It has its place in the history already; those who followed before the channel read it have
not seen it, those who came later have got it with the history.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from domain import Event, Priority, Publication
from transport import FrameStream


class Seeds:
    """The ``publications`` that a channel began with; ``followers`` are those who were there before."""

    __slots__ = ("_expected", "followers")

    def __init__(self, publications: Iterable[Publication], followers: Iterable[FrameStream]) -> None:
        self.followers: Container[FrameStream] = frozenset(followers)
        self._expected: dict[Priority, dict[tuple[str, str], Publication]] = {}
        for each in publications:
            self._expected.setdefault(each.event.priority, {})[each.event.source, each.event.id] = each

    def __bool__(self) -> bool:
        return bool(self._expected)

    def take(self, event: Event) -> Publication | None:
        """The place that ``event`` has already; None for one that was published after the journal was read."""
        expected = self._expected.get(event.priority, {})
        seed = expected.pop((event.source, event.id), None)
        if seed is None:
            # What is of one priority comes in its order, so none of these will come any more.
            self._expected.pop(event.priority, None)
        return seed
