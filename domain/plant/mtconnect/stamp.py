"""The time stamp at the head of a line.

Rules of this file: no clock. A stamp without a zone is UTC, as the adapter guide says. What cannot be read is a
``ValueError``, never a guess.
"""

from __future__ import annotations

from datetime import UTC, datetime

from domain.moment import parse_rfc3339, rfc3339

# The first 19 characters of what is read here: 2016-05-07T05:00:00
_SHORTEST = 19
_DATE_END = 10
_LONGEST = 48
_FIRST = datetime(1, 1, 1, tzinfo=UTC).timestamp()
_END = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def parse_stamp(text: str) -> float:
    """The Unix seconds that ``text`` names: ISO 8601 with seconds, any fraction, with or without a zone.

    Raises:
        ValueError: if ``text`` is no such moment.
    """
    if not _SHORTEST <= len(text) <= _LONGEST or text[4] != "-" or text[_DATE_END] not in "Tt ":
        raise ValueError(f"{text[:_LONGEST]!r} is not a moment such as 2016-05-07T05:00:00.000Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        # The standard library does not know the leap second 23:59:60, this does.
        return parse_rfc3339(text if _has_zone(text) else text + "Z")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    at = moment.timestamp()
    if not _FIRST <= at < _END:
        raise ValueError(f"{text!r} is outside of the years 1 to 9999 in UTC")
    return at


def as_rfc3339(text: str, at: float) -> str:
    """The stamp ``text``, which names ``at``, as RFC 3339; all its digits are kept where its form allows."""
    moment = text.upper() if _has_zone(text) else text.upper() + "Z"
    try:
        parse_rfc3339(moment)
    except ValueError:
        return rfc3339(at)
    return moment.replace(" ", "T")


def _has_zone(text: str) -> bool:
    return text[-1:] in ("Z", "z") or "+" in text[_DATE_END:] or "-" in text[_DATE_END:]
