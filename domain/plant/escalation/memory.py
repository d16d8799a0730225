"""What chains remember beyond one call: how many calls came from a place, and whose turn it is.

Rules of this file: what changed is a row, so that it is kept. Both are bounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.decision import Row
from domain.json import JsonObject
from domain.plant.escalation.words import LONGEST, RATE_LIMIT

RATE = "escalation.rate"
ROTA = "escalation.rota"

_SEPARATOR = "\n"


class Rates:
    """When calls came from each place, as far back as a chain may ask, the newest ``RATE_LIMIT`` and one of each."""

    def __init__(self, kept: Mapping[str, JsonObject] | None = None) -> None:
        self._moments: dict[str, list[float]] = {}
        self._changed: set[str] = set()
        for path, value in (kept or {}).items():
            moments = value.get("moments")
            found = moments if isinstance(moments, Sequence) and not isinstance(moments, str) else ()
            self._moments[path] = [float(each) for each in found if isinstance(each, int | float)]

    def add(self, path: str, at: float) -> None:
        """A call came from ``path`` at ``at``."""
        moments = [each for each in self._moments.get(path, []) if each > at - LONGEST]
        self._moments[path] = [*moments, at][-RATE_LIMIT - 1 :]
        self._changed.add(path)

    def count(self, path: str, within: float, at: float) -> int:
        """How many came from ``path`` in the last ``within`` seconds."""
        return sum(at - within < each <= at for each in self._moments.get(path, []))

    def changed(self) -> tuple[Row, ...]:
        """The rows that are others than when they were asked for last."""
        rows = tuple(Row(RATE, path, {"moments": list(self._moments[path])}) for path in sorted(self._changed))
        self._changed.clear()
        return rows


class Rotas:
    """Whose turn it is in each list of people."""

    def __init__(self, kept: Mapping[str, JsonObject] | None = None) -> None:
        self._next: dict[str, int] = {}
        self._changed: set[str] = set()
        for key, value in (kept or {}).items():
            turn = value.get("next")
            self._next[key] = turn if isinstance(turn, int) else 0

    def turn(self, people: Sequence[str]) -> int:
        """The index of who is next."""
        return self._next.get(_SEPARATOR.join(people), 0) % len(people)

    def took(self, people: Sequence[str], index: int) -> None:
        """The one at ``index`` had the turn."""
        key = _SEPARATOR.join(people)
        self._next[key] = (index + 1) % len(people)
        self._changed.add(key)

    def changed(self) -> tuple[Row, ...]:
        """The rows that are others than when they were asked for last."""
        rows = tuple(Row(ROTA, key, {"next": self._next[key]}) for key in sorted(self._changed))
        self._changed.clear()
        return rows
