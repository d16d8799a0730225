"""What the clock on the wall says, and the instant at which it says so.

Rules of this file:

* The zone is given; nothing is looked up. Instants are Unix microseconds, wall times have no zone.
* A wall time that is there twice, in the night that is an hour longer, means the first one.
* A wall time that is never there, in the night that is an hour shorter, means the instant at which the clock jumps.
* So a later wall time is never an earlier instant: what is cut by wall times is cut without overlap.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

SECOND_US = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall time has no zone
_MICROSECOND = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)


def wall_us(wall: datetime, zone: tzinfo) -> int:
    """The Unix microseconds at which a clock in ``zone`` shows ``wall``, which has no zone itself."""
    before = _offset(wall.replace(tzinfo=zone, fold=0))
    after = _offset(wall.replace(tzinfo=zone, fold=1))
    since = wall - _NAIVE_EPOCH
    # PEP 495: in a gap the fold tells the offset before the jump from the larger one behind it.
    if before < after:
        return _jump(since - after, since - before, after, zone)
    return (since - before) // _MICROSECOND


def local(at_us: int, zone: tzinfo) -> datetime:
    """What a clock in ``zone`` shows at ``at_us``, with its zone."""
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)


def _jump(low: timedelta, high: timedelta, after: timedelta, zone: tzinfo) -> int:
    """The first instant at which the offset is ``after``: it is behind ``low`` and not behind ``high``."""
    least, most = low // _SECOND, high // _SECOND
    while most - least > 1:
        middle = (least + most) // 2
        if _offset(local(middle * SECOND_US, zone)) == after:
            most = middle
        else:
            least = middle
    return most * SECOND_US


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta(0)
