"""What a question about the chain's history asks for: ``startTime``, ``endTime``, ``granularity``, ``appId``.

Rules of this file: no I/O. A moment is RFC 3339, a date, or Unix milliseconds in digits. What is not said has a
default that makes a chart; what cannot be meant is 400 in words. An answer has at most ``ROW_LIMIT`` rows: whoever asks
for more is told which granularity has fewer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from andond.api.describe import Parameter
from domain import JsonValue, parse_rfc3339
from domain.chain import DAY, HOUR, MINUTE, SPANS, begin_of
from transport import ProtocolError

ROW_LIMIT = 1500
"""Rows of one answer at most: a day of minutes and a little more."""

SECOND = "second"
DEFAULT_GRANULARITY = "minute"

_TEXT_LIMIT = 128
_SHOWN = 64
_DIGITS_LIMIT = 15
_MILLI = 1000

DEFAULT_TIMES: Mapping[str, float] = MappingProxyType({"minute": DAY, "hour": 30 * DAY, "day": 365 * DAY})
"""How long a time is meant, by its granularity, when no ``startTime`` is given; seconds."""

_MOMENT: Mapping[str, JsonValue] = {"type": "string", "examples": ["2026-11-21T06:00:00Z"]}

RANGE = (
    Parameter("startTime", "From when on: RFC 3339, a date, or Unix milliseconds", _MOMENT),
    Parameter("endTime", "Before when; now, if it is not said", _MOMENT),
    Parameter(
        "granularity",
        "Length of a row; a row is in the answer if it begins in the time that is asked for",
        {"type": "string", "enum": list(SPANS), "default": DEFAULT_GRANULARITY},
    ),
    Parameter("appId", "No event tells of applications: with one, all values are null", {"type": "string"}),
)
"""What the documents say of the query."""


class Wanted(msgspec.Struct, frozen=True):
    """Rows of ``granularity`` from ``begin`` on and before ``end`` (Unix seconds), of the application ``app``."""

    begin: float
    end: float
    granularity: str
    app: str = ""

    @property
    def span(self) -> int:
        """The length of a row in seconds; of seconds it is that of minutes, which are not asked for."""
        return SPANS.get(self.granularity, MINUTE)


def wanted_of(query: Mapping[str, Sequence[str]], at: float, *, has_seconds: bool = False) -> Wanted:
    """What ``query`` asks for at ``at``; ``has_seconds``: the last seconds may be asked for too.

    Raises:
        ProtocolError: 400, if it cannot be meant.
    """
    granularity = _last(query, "granularity") or DEFAULT_GRANULARITY
    known = (SECOND, *SPANS) if has_seconds else tuple(SPANS)
    if granularity not in known:
        raise _refused(f"granularity is {' or '.join(known)}, not {granularity[:_SHOWN]!r}")
    app = _last(query, "appId")
    if len(app) > _TEXT_LIMIT:
        raise _refused(f"appId has at most {_TEXT_LIMIT} characters")
    end = _moment(query, "endTime", at)
    begin = _moment(query, "startTime", end - DEFAULT_TIMES.get(granularity, MINUTE))
    if begin >= end:
        raise _refused("startTime lies before endTime")
    wanted = Wanted(begin, end, granularity, app)
    if granularity == SECOND:
        return wanted
    return _bounded(Wanted(float(begin_of(begin, wanted.span)), end, granularity, app))


def last(seconds: float, granularity: str, at: float) -> Wanted:
    """The last ``seconds`` before ``at``."""
    wanted = Wanted(at - seconds, at, granularity)
    return Wanted(float(begin_of(wanted.begin, wanted.span)), at, granularity)


def _bounded(wanted: Wanted) -> Wanted:
    if wanted.end - wanted.begin <= ROW_LIMIT * wanted.span:
        return wanted
    fits = next((word for word, span in SPANS.items() if wanted.end - wanted.begin <= ROW_LIMIT * span), None)
    advice = "ask for a shorter time" if fits is None else f"ask for granularity {fits}, or for a shorter time"
    raise _refused(f"an answer has at most {ROW_LIMIT} rows: {advice}")


def _moment(query: Mapping[str, Sequence[str]], name: str, default: float) -> float:
    text = _last(query, name)
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS_LIMIT:
        return int(text) / _MILLI
    for written in (text, f"{text}T00:00:00Z"):
        try:
            return parse_rfc3339(written)
        except ValueError:
            continue
    raise _refused(f"{name} is a moment such as 2026-11-21T06:00:00Z, not {text[:_SHOWN]!r}")


def _last(query: Mapping[str, Sequence[str]], name: str) -> str:
    values = query.get(name)
    return values[-1] if values else ""


def _refused(detail: str) -> ProtocolError:
    return ProtocolError(400, detail)


PERIODS: Mapping[str, tuple[float, str]] = MappingProxyType(
    {
        "1h": (HOUR, "minute"),
        "6h": (6 * HOUR, "minute"),
        "24h": (DAY, "hour"),
        "7d": (7 * DAY, "hour"),
        "30d": (30 * DAY, "hour"),
        "90d": (90 * DAY, "day"),
    }
)
"""Periods by their words: seconds, and the granularity of their rows."""


def period_of(word: str, known: Sequence[str], at: float) -> Wanted:
    """The rows of the period ``word`` that ends ``at``.

    Raises:
        ProtocolError: 400, if it is none of those ``known``.
    """
    if word not in known:
        raise _refused(f"a period is {' or '.join(known)}, not {word[:_SHOWN]!r}")
    seconds, granularity = PERIODS[word]
    return last(seconds, granularity, at)
