"""The chain's history: what each minute, hour and day had, in sums that can be added.

Rules of this file:

* A cell holds sums, extremes and the newest of what stands, never an average: what is asked for of a longer time is
  made from the sums of its cells, so that any split of the same time gives the same.
* Adding is exact, associative and commutative (integers, extremes, the newest by its moment).
* What came late (``ChainView``) counts in the totals of the minute it is of, not in a rate: nobody watched then.
* ``covered`` is the time in which the chain was heard; a rate is what was counted live, over that.

Times are Unix seconds; a cell's own is the beginning of its span, a multiple of it (days are those of UTC).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import floor
from types import MappingProxyType

import msgspec

from domain.chain.sketch import Sketch, Sum, greater, number, whole
from domain.json import JsonObject, JsonValue

MINUTE, HOUR, DAY = 60, 3600, 86400

SPANS: Mapping[str, int] = MappingProxyType({"minute": MINUTE, "hour": HOUR, "day": DAY})
"""The lengths of cells in seconds, by the word for them."""

OPEN_LIMIT = 2000
"""How many minutes are open at a time, those of a backfill among them; what is of one more is left out and counted."""

_MILLI = 1000
_SUMS: Mapping[str, type[Sum]] = MappingProxyType(
    {"latency": Sketch, "finality": Sketch, "block_time": Sum, "cpu": Sum, "memory": Sum}
)
_COUNTS = ("transactions", "live", "confirmed", "failed", "blocks", "covered_ms")
_NEWEST = ("validators", "nodes")

Newest = tuple[float, int, int]
"""A moment, and two counts that were so then: all of them, and those that are active."""


class Cell(msgspec.Struct):
    """What one span had.

    ``transactions`` were settled, ``live`` of them as we watched; ``confirmed`` and ``failed`` were told one by one;
    ``latency``, ``finality`` and ``block_time`` in ms, ``cpu`` in percent, ``memory`` in MB; ``covered_ms`` as above;
    ``peak`` the highest current rate, transactions/s.
    """

    transactions: int = 0
    live: int = 0
    confirmed: int = 0
    failed: int = 0
    blocks: int = 0
    covered_ms: int = 0
    peak: float | None = None
    height: int | None = None
    latency: Sketch = msgspec.field(default_factory=Sketch)
    finality: Sketch = msgspec.field(default_factory=Sketch)
    block_time: Sum = msgspec.field(default_factory=Sum)
    cpu: Sum = msgspec.field(default_factory=Sum)
    memory: Sum = msgspec.field(default_factory=Sum)
    validators: Newest | None = None
    nodes: Newest | None = None

    @property
    def rate(self) -> float | None:
        """Transactions a second, over the time in which the chain was heard; None if it was not."""
        return self.live * _MILLI / self.covered_ms if self.covered_ms else None

    @property
    def failed_ratio(self) -> float | None:
        """The share of transactions that failed, of those that were told one by one; None if none was."""
        told = self.confirmed + self.failed
        return self.failed / told if told else None

    def merge(self, other: Cell) -> None:
        """Take in all that ``other`` had."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _SUMS:
            getattr(self, name).merge(getattr(other, name))
        self.peak = greater(self.peak, other.peak)
        heights = [height for height in (self.height, other.height) if height is not None]
        self.height = max(heights, default=None)
        self.validators = _newest(self.validators, other.validators)
        self.nodes = _newest(self.nodes, other.nodes)

    def to_json(self) -> dict[str, JsonValue]:
        """The cell as it is kept; what it has none of is left out."""
        members: dict[str, JsonValue] = {name: count for name in _COUNTS if (count := getattr(self, name))}
        members |= {name: counted for name in _SUMS if (counted := getattr(self, name).to_json())}
        members |= {name: list(told) for name in _NEWEST if (told := getattr(self, name)) is not None}
        members |= {name: value for name in ("peak", "height") if (value := getattr(self, name)) is not None}
        return members

    @classmethod
    def of_json(cls, members: JsonObject) -> Cell:
        """The cell that ``members`` were made of.

        Raises:
            ValueError: if it is none.
        """
        cell = cls()
        for name in _COUNTS:
            setattr(cell, name, whole(members.get(name, 0)))
        for name, kind in _SUMS.items():
            setattr(cell, name, kind.of_json(members.get(name, {})))
        for name in _NEWEST:
            setattr(cell, name, _told(members.get(name)))
        cell.peak = None if members.get("peak") is None else number(members["peak"])
        cell.height = None if members.get("height") is None else whole(members["height"])
        return cell


Cells = Mapping[int, Cell]
"""Cells of one span by their beginnings."""


def begin_of(at: float, span: int) -> int:
    """The beginning of the cell of ``span`` seconds that ``at`` is in."""
    return floor(at / span) * span


def folded(cells: Cells, span: int) -> dict[int, Cell]:
    """``cells`` of any shorter span put together to cells of ``span``, in their order."""
    made: dict[int, Cell] = {}
    for at in sorted(cells):
        made.setdefault(begin_of(at, span), Cell()).merge(cells[at])
    return made


def joined_cells(parts: Iterable[Cells]) -> dict[int, Cell]:
    """All ``parts`` of one span as one, in their order; what several have is added."""
    made: dict[int, Cell] = {}
    for part in parts:
        for at, cell in part.items():
            made.setdefault(at, Cell()).merge(cell)
    return dict(sorted(made.items()))


def whole_of(cells: Iterable[Cell]) -> Cell:
    """All ``cells`` as one."""
    cell = Cell()
    for each in cells:
        cell.merge(each)
    return cell


class Tally:
    """The minutes that are being counted."""

    def __init__(self, limit: int = OPEN_LIMIT) -> None:
        self._limit = limit
        self._cells: dict[int, Cell] = {}
        self.left_out = 0
        self.taken_at = 0.0
        """When minutes were taken last."""

    def at(self, at: float) -> Cell:
        """The cell of the minute of ``at``, to be counted in."""
        begin = begin_of(at, MINUTE)
        cell = self._cells.get(begin)
        if cell is None:
            cell = Cell()
            if len(self._cells) < self._limit:
                self._cells[begin] = cell
            else:
                self.left_out += 1
        return cell

    def cover(self, begin: float, end: float) -> None:
        """The chain was heard from ``begin`` to ``end``."""
        while begin < end:
            edge = min(end, begin_of(begin, MINUTE) + MINUTE)
            self.at(begin).covered_ms += round((edge - begin) * _MILLI)
            begin = edge

    def copy(self) -> dict[int, Cell]:
        """What is being counted now."""
        return joined_cells([self._cells])

    def take(self, before: float) -> dict[int, Cell]:
        """The minutes that ended by ``before``; they are not counted in any more."""
        ended = {at: cell for at, cell in self._cells.items() if at + MINUTE <= before}
        for at in ended:
            del self._cells[at]
        if ended:
            self.taken_at = before
        return dict(sorted(ended.items()))

    def put_back(self, minutes: Cells) -> None:
        """Nobody took ``minutes``: they are counted on."""
        for at, cell in minutes.items():
            self.at(at).merge(cell)


def _newest(one: Newest | None, other: Newest | None) -> Newest | None:
    present = [told for told in (one, other) if told is not None]
    return max(present, default=None)


def _told(value: JsonValue) -> Newest | None:
    if value is None:
        return None
    match value:
        case [at, total, active]:
            return number(at), whole(total), whole(active)
    raise ValueError(f"{value!r} is no moment with two counts")
