"""Moments of the time ledger: integer microseconds since 1970 in UTC, so that sums are exact.

Rules of this file: no clock, no float where a text says the moment. What cannot be read is a ``ValueError``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from domain.moment import parse_rfc3339
from domain.plant.mtconnect import parse_stamp

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# 2016-05-07T05:00:00 and the shapes with a fraction that are read by cutting: everything else goes the long way
_SECONDS_END = 19
_FRACTION_SIZE = 6


def us_of(seconds: float) -> int:
    """``seconds`` (Unix) in microseconds."""
    return round(seconds * SECOND_US)


def seconds_of(us: int) -> float:
    """``us`` microseconds in seconds."""
    return us / SECOND_US


def parse_us(text: str) -> int:
    """The moment that ``text`` names: ISO 8601 with seconds, UTC where it has no zone; digits behind the sixth are cut.

    Raises:
        ValueError: if ``text`` is no such moment.
    """
    fraction = text[_SECONDS_END + 1 : -1]
    if text[-1:] == "Z" and text[_SECONDS_END : _SECONDS_END + 1] == "." and fraction.isascii() and fraction.isdigit():
        return _second_us(text[:_SECONDS_END]) + int(fraction[:_FRACTION_SIZE].ljust(_FRACTION_SIZE, "0"))
    return _second_us(text[:-1]) if text[-1:] == "Z" and len(text) == _SECONDS_END + 1 else _any_us(text)


def rfc3339_us(us: int) -> str:
    """``us`` as RFC 3339 in UTC with microseconds: ``2026-11-21T06:00:00.000000Z``.

    Raises:
        ValueError: if it is outside of the years 1 to 9999.
    """
    try:
        moment = _EPOCH + timedelta(microseconds=us)
    except OverflowError:
        raise ValueError(f"{us} is outside of the years 1 to 9999") from None
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


@lru_cache(maxsize=8192)
def _second_us(text: str) -> int:
    """A moment without fraction and zone. Logs have many lines in one second."""
    return _any_us(text + "Z")


def _any_us(text: str) -> int:
    parse_stamp(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        # A leap second, which only the slow reader knows; it has no fraction finer than a float keeps.
        return us_of(parse_rfc3339(text if text[-1:] in "Zz" else text + "Z"))
    return ((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
