"""Downtime in figures: how often, how long, why, day by day.

Rules of this file: a stop counts with the part of it that lies in the window, however far it reaches out of it, and in
time in which something was planned to run; where no calendar says that, in all of it. What of stops lies outside of
planned time is told beside, and is no downtime. The field names are those of the floor dashboard that andond replaces;
a mean of nothing is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from domain.json import JsonValue
from domain.plant.ledger.downtime import Downtime, Piece, within
from domain.plant.ledger.instants import SECOND_US
from domain.plant.ledger.reasons import CATEGORIES, Reasons
from domain.plant.site import Day, Interval

TOP = 10
_MINUTE = 60
_HOUR = 3600


class _Sum(msgspec.Struct):
    us: int = 0
    stops: set[str] = msgspec.field(default_factory=set)

    def add(self, us: int, stop: str) -> None:
        self.us += us
        self.stops.add(stop)


Busy = Callable[[str], Sequence[Interval] | None]
"""When something is planned to run at a unit, within the window; None: nobody said."""

_Cut = tuple[Downtime, list[Piece]]


def statistics(
    downtimes: Iterable[Downtime],
    begin: int,
    end: int,
    reasons: Reasons,
    days: Sequence[Day] = (),
    busy: Busy = lambda _: None,
) -> dict[str, JsonValue]:
    """The downtime in [``begin``, ``end``); ``days`` are what it is broken down by."""
    stops = [each for each in downtimes if each.begin < end and begin < each.end]
    found = [(each, pieces) for each in stops if (pieces := _planned(each, begin, end, busy(each.unit)))]
    whole = sum(piece.length for each in stops for piece in within(each, begin, end))
    us, by_category, by_reason = 0, {category: _Sum() for category in CATEGORIES}, dict[str, _Sum]()
    for each, pieces in found:
        for piece in pieces:
            us += piece.length
            by_reason.setdefault(piece.reason, _Sum()).add(piece.length, each.id)
            by_category.setdefault(reasons.of(piece.reason).category, _Sum()).add(piece.length, each.id)
    seconds = us / SECOND_US
    mean = seconds / len(found) if found else None
    return {
        "total_events": len(found),
        "total_downtime_seconds": seconds,
        "total_downtime_minutes": seconds / _MINUTE,
        "total_downtime_hours": seconds / _HOUR,
        "avg_duration_seconds": mean,
        "avg_duration_minutes": None if mean is None else mean / _MINUTE,
        **{f"{category}_events": len(sums.stops) for category, sums in by_category.items()},
        **{f"{category}_seconds": sums.us / SECOND_US for category, sums in by_category.items()},
        "outside_seconds": (whole - us) / SECOND_US,
        "top_reasons": _top(by_reason, reasons),
        "daily_breakdown": [_day(day, found, begin, end) for day in days],
    }


def _top(by_reason: dict[str, _Sum], reasons: Reasons) -> list[JsonValue]:
    worst = sorted(by_reason.items(), key=lambda each: (-each[1].us, each[0]))[:TOP]
    return [
        {
            "reason_code": code,
            "description": reasons.of(code).description,
            "category": reasons.of(code).category,
            "subcategory": reasons.of(code).group,
            "events": len(sums.stops),
            "seconds": sums.us / SECOND_US,
        }
        for code, sums in worst
    ]


def _planned(downtime: Downtime, begin: int, end: int, busy: Sequence[Interval] | None) -> list[Piece]:
    """The pieces as they lie in the window, and in time that was planned."""
    spans = [(begin, end)] if busy is None else busy
    return [piece for first, last in spans for piece in within(downtime, max(first, begin), min(last, end))]


def _day(day: Day, found: Sequence[_Cut], begin: int, end: int) -> JsonValue:
    first, last = max(day.begin_us, begin), min(day.end_us, end)
    cut = [sum(max(0, min(p.end, last) - max(p.begin, first)) for p in pieces) for _, pieces in found]
    return {
        "date": day.date.isoformat(),
        "events": sum(us > 0 for us in cut),
        "downtime_seconds": sum(cut) / SECOND_US,
    }
