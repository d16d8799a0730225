"""What one value of a site must look like. Each rule returns what was expected, or None when the value is right.

Rules of this file: as in ``rules``, a rule sees one value of the right type and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from config.rules import named_equipment, rule_name

_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,126}")
_WHO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,126}")
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_HOURS = re.compile(rf"({_CLOCK})-({_CLOCK})")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(rf"\d{{4}}-\d\d-\d\dT{_CLOCK}")


def segment(value: object) -> str | None:
    """Expect one name of an ISA-95 path."""
    if _SEGMENT.fullmatch(str(value)):
        return None
    return "one name of a path such as line3 (letters, digits, dot, dash, underscore; at most 63)"


def places(value: object) -> str | None:
    """Expect ISA-95 paths."""
    expected = (named_equipment(text) for text in value) if isinstance(value, tuple | list) else ()
    return next((each for each in expected if each), None)


def maybe_segment(value: object) -> str | None:
    """Expect one name of an ISA-95 path, or nothing."""
    return segment(value) if value else None


def word(value: object) -> str | None:
    """Expect the name of a shift."""
    return rule_name(value)


def who(value: object) -> str | None:
    """Expect the name of a person, a team or a role."""
    if _WHO.fullmatch(str(value)):
        return None
    return "a name such as m.huber or maintenance (letters, digits, and any of . _ @ + -)"


def roles(value: object) -> str | None:
    """Expect names of roles."""
    return next((found for found in map(who, _texts(value)) if found), None)


def aliases(value: object) -> str | None:
    """Expect other systems' names, none of them twice."""
    texts = list(_texts(value))
    if all(map(_ALIAS.fullmatch, texts)) and len(set(texts)) == len(texts):
        return None
    return 'different names such as ["BP01.PACK.BAG1"], without slashes and spaces'


def some(value: object) -> str | None:
    """Expect at least one, none twice."""
    texts = list(_texts(value))
    return None if texts and len(set(texts)) == len(texts) else "at least one of them, each once"


def clock(value: object) -> str | None:
    """Expect a time as a clock shows it."""
    return None if re.fullmatch(_CLOCK, str(value), re.ASCII) else "a time from 00:00 to 23:59 such as 06:00"


def hours(value: object) -> str | None:
    """Expect stretches of time as clocks show them."""
    for text in _texts(value):
        found = _HOURS.fullmatch(text)
        if found is None or found[1] == found[2]:
            return f'stretches of time such as ["09:00-09:15"], and {text!r} is none'
    return None


def day(value: object) -> str | None:
    """Expect a date."""
    return None if _is_date(str(value)) else "a day of the calendar such as 2026-12-24"


def moment(value: object) -> str | None:
    """Expect a date and a time, without a zone."""
    if _MOMENT.fullmatch(str(value)):
        try:
            datetime.fromisoformat(str(value))
        except ValueError:
            pass
        else:
            return None
    return "a day and a time by the clock on the wall, such as 2026-12-24T12:00"


def holidays(value: object) -> str | None:
    """Expect words by date."""
    wrong = next((each for each in value if not _is_date(str(each))), None) if isinstance(value, Mapping) else ""
    if wrong is None:
        return None
    return f'a table such as {{ "2026-12-25" = "Christmas" }} of days and what they are; {wrong!r} is no day'


def absences(value: object) -> str | None:
    """Expect days, or stretches of days."""
    for text in _texts(value):
        first, _, last = text.partition("/")
        if not _is_date(first) or (last and not _is_date(last)) or text.endswith("/") or (last and last < first):
            return f'days such as ["2026-12-24", "2026-12-27/2026-12-31"], and {text!r} is none'
    return None


def time_zone(value: object) -> str | None:
    """Expect a zone of the IANA database."""
    try:
        ZoneInfo(str(value))
    except (KeyError, ValueError, OSError):
        return "a time zone such as Europe/Berlin or America/New_York"
    return None


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _texts(value: object) -> Iterable[str]:
    return (str(item) for item in value) if isinstance(value, tuple | list) else ()
