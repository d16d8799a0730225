"""What many of the floor's lists and documents are asked by: a place, a span of time, a part of the list.

Rules of this file: a span is at most a year; who names none asks for the day of the plant.
"""

from __future__ import annotations

from andond.api.describe import Parameter
from andond.api.floor_request import HIGHEST_LIMIT, HIGHEST_OFFSET, Query
from andond.api.floor_request import LIMIT as USUAL_LIMIT
from domain import Fault
from domain.plant.site import ShiftCalendar

SECOND = 1_000_000
DAY = 86_400.0
LONGEST_DAYS = 366
LONGEST = LONGEST_DAYS * DAY

BEGINS = ("begin", "start_time", "start_date", "startTime", "date")
ENDS = ("end", "end_time", "end_date", "endTime")
"""What a span begins and ends with, in our words and those of the dashboard's clients."""

EQUIPMENT = Parameter("equipment", "A path or an alias; without it the whole site", {"type": "string"})
BEGIN = Parameter("begin", "From this moment (RFC 3339) or day of the plant on", {"type": "string"})
END = Parameter("end", "Up to this moment (RFC 3339) or the beginning of this day of the plant", {"type": "string"})
LIMIT = Parameter(
    "limit",
    "How many of the list",
    {"type": "integer", "minimum": 1, "maximum": HIGHEST_LIMIT, "default": USUAL_LIMIT},
)
OFFSET = Parameter(
    "offset",
    "How many before them are left out",
    {"type": "integer", "minimum": 0, "maximum": HIGHEST_OFFSET, "default": 0},
)
PAGE = (LIMIT, OFFSET)


def span(query: Query, calendar: ShiftCalendar, now: float) -> tuple[int, int]:
    """The span of time that a query asks for, in microseconds; without one the day of the plant.

    Raises:
        Refused: if it is none, or longer than a year.
    """
    begin, end = query.moment(*BEGINS, calendar=calendar), query.moment(*ENDS, calendar=calendar)
    days = query.whole(("days",), 0, 1, LONGEST_DAYS)
    if days and begin is None:
        begin, end = (now if end is None else end) - days * DAY, now if end is None else end
    if begin is not None and end is not None and not 0 < end - begin <= LONGEST:
        query.faults.append(Fault("/query/end", "must be after begin, and at most a year after it"))
    query.check()
    if begin is None and end is None:
        day = calendar.day_at(now)
        return day.begin_us, day.end_us
    if begin is None:
        return _us((end or 0.0) - DAY), _us(end or 0.0)
    return _us(begin), _us(begin + DAY if end is None else end)


def _us(at: float) -> int:
    return round(at * SECOND)
