"""What was measured: rows of a table, each a figure beside that of a peer or a limit, and perhaps a budget.

Rules of this file: plain data and text, no I/O. A ratio is ours divided by theirs. Of several visits the median counts,
and where both came equally often, in turn, the median of the visits' ratios, so that drift hits both alike.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

_HEADINGS = ("figure", "ours", "against", "theirs", "ratio", "spread", "budget", "met")
_NUMBERS = frozenset({1, 3, 4, 5})


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit for a figure, or for its ratio: ``least`` or else at most ``limit``; ``words`` say it."""

    limit: float
    words: str
    least: bool = False
    of_ratio: bool = False

    def met(self, ours: float, ratio: float | None) -> bool | None:
        """Whether the budget is met; None when what it is about was not measured."""
        value = ratio if self.of_ratio else ours
        if value is None:
            return None
        return value >= self.limit if self.least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; ``spread`` is the range of our visits relative to their median."""

    figure: str
    unit: str
    ours: float
    against: str = ""
    theirs: float | None = None
    ratio: float | None = None
    spread: float | None = None
    budget: Budget | None = None

    @property
    def met(self) -> bool | None:
        """Whether the budget is met; None without one."""
        return None if self.budget is None else self.budget.met(self.ours, self.ratio)

    def members(self) -> dict[str, object]:
        """The row for JSON."""
        return {
            "figure": self.figure,
            "unit": self.unit,
            "ours": self.ours,
            "against": self.against,
            "theirs": self.theirs,
            "ratio": self.ratio,
            "spread": self.spread,
            "budget": None if self.budget is None else self.budget.words,
            "met": self.met,
        }


def row(
    figure: str,
    unit: str,
    ours: Sequence[float],
    against: str = "",
    theirs: Sequence[float] = (),
    budget: Budget | None = None,
) -> Row:
    """The row of one or more visits; as many of theirs as of ours are taken as pairs."""
    middle = statistics.median(ours)
    spread = (max(ours) - min(ours)) / middle if len(ours) > 1 and middle else None
    if not theirs:
        return Row(figure, unit, middle, against, None, None, spread, budget)
    their_middle = statistics.median(theirs)
    ratio: float | None
    if len(ours) == len(theirs) and all(theirs):
        ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    else:
        ratio = middle / their_middle if their_middle else None
    return Row(figure, unit, middle, against, their_middle, ratio, spread, budget)


@dataclass(slots=True)
class Result:
    """What a section found: rows, and what the reader must know about them."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def table(rows: Sequence[Row]) -> str:
    """The rows as text, columns aligned."""
    lines = [_HEADINGS, *(_cells(each) for each in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    text = [
        "  ".join(
            cell.rjust(width) if column in _NUMBERS else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:]])


def markdown(rows: Sequence[Row]) -> str:
    """The rows as a table for a document."""
    lines = [_HEADINGS, tuple("---:" if column in _NUMBERS else "---" for column in range(len(_HEADINGS)))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (*lines, *map(_cells, rows)))


def _cells(each: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: "-"}[each.met]
    return (
        each.figure,
        f"{amount(each.ours)} {each.unit}",
        each.against or "-",
        "-" if each.theirs is None else amount(each.theirs),
        "-" if each.ratio is None else f"{each.ratio:.2f}",
        "-" if each.spread is None else f"{each.spread:.0%}",
        "-" if each.budget is None else each.budget.words,
        met,
    )


def amount(value: float) -> str:
    """A number with three digits that count."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
