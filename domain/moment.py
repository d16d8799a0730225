"""Moments: Unix seconds inside, RFC 3339 in UTC on the wire.

Rules of this file: no clock. A moment is given, never asked for.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_LAST_SECOND = timedelta(hours=23, minutes=59, seconds=59)

# RFC 3339, section 5.6: date-time, with the offset required and a leap second allowed.
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)


def rfc3339(at: float) -> str:
    """``at`` (Unix seconds) as RFC 3339 in UTC with milliseconds: ``2026-11-21T06:00:00.000Z``.

    Raises:
        ValueError: if ``at`` is no number, or outside of the years 1 to 9999.
    """
    try:
        moment = _EPOCH + timedelta(milliseconds=round(at * 1000))
    except OverflowError:
        raise ValueError(f"{at} is outside of the years 1 to 9999") from None
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_rfc3339(text: str) -> float:
    """The Unix seconds that ``text`` (RFC 3339, section 5.6, any offset) names, to the microsecond.

    Raises:
        ValueError: if ``text`` is no RFC 3339 moment.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an RFC 3339 moment such as 2026-11-21T06:00:00.000Z")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    leap = second == 60  # noqa: PLR2004
    moment = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC)
    since_epoch = moment - _EPOCH - _offset(match[8], match[9], match[10])
    # 23:59:60 UTC is a moment on a real clock; Unix time has no place for it but the second after.
    if leap and since_epoch % _DAY != _LAST_SECOND:
        raise ValueError(f"{text!r} is no leap second: those are at 23:59:60 UTC")
    fraction = (match[7] or "")[:6].ljust(6, "0")
    return (since_epoch // _MICROSECOND + leap * 1_000_000 + int(fraction)) / 1_000_000


def _offset(sign: str | None, hours: str | None, minutes: str | None) -> timedelta:
    if sign is None or hours is None or minutes is None:
        return timedelta(0)
    if int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004
        raise ValueError(f"{sign}{hours}:{minutes} is not an offset from UTC")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return offset if sign == "+" else -offset
