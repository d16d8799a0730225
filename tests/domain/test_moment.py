import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.moment import parse_rfc3339, rfc3339

FIRST = datetime(1, 1, 1, tzinfo=UTC).timestamp()
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1795240800.0, "2026-11-21T06:00:00.000Z"),
        (1795240800.0004, "2026-11-21T06:00:00.000Z"),
        (1795240800.9996, "2026-11-21T06:00:01.000Z"),
        (-0.001, "1969-12-31T23:59:59.999Z"),
        (FIRST, "0001-01-01T00:00:00.000Z"),
        (LAST, "9999-12-31T23:59:59.000Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_milliseconds(at, text):
    assert rfc3339(at) == text


@pytest.mark.parametrize("at", [math.inf, -math.inf, math.nan, LAST + 1, FIRST - 1, 1e300])
def test_a_moment_that_no_calendar_has_is_refused(at):
    with pytest.raises(ValueError):  # noqa: PT011
        rfc3339(at)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01t00:00:00z", 0.0),
        ("1970-01-01 00:00:00Z", 0.0),
        ("1970-01-01T00:00:00.5Z", 0.5),
        ("1970-01-01T00:00:00.123456789Z", 0.123456),
        ("1970-01-01T00:00:00-00:00", 0.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1969-12-31T16:00:00-08:00", 0.0),
        ("1970-01-01T23:59:00+23:59", 0.0),
        ("1937-01-01T12:00:27.87+00:20", -1041337172.13),
        ("2024-02-29T00:00:00Z", 1709164800.0),
        ("9999-12-31T23:59:59Z", LAST),
        ("0001-01-01T00:00:00Z", FIRST),
    ],
)
def test_a_moment_is_read_with_any_offset(text, at):
    assert parse_rfc3339(text) == at


@pytest.mark.parametrize(
    ("text", "next_second"),
    [
        ("1990-12-31T23:59:60Z", "1991-01-01T00:00:00Z"),
        ("1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.25Z"),
        ("9999-12-31T23:59:60Z", None),
    ],
)
def test_a_leap_second_is_the_second_after_it(text, next_second):
    assert parse_rfc3339(text) == (LAST + 1 if next_second is None else parse_rfc3339(next_second))


@pytest.mark.parametrize("text", ["2026-11-21T12:30:60Z", "2026-12-31T23:59:60+01:00", "2026-12-31T23:58:60Z"])
def test_a_sixtieth_second_elsewhere_is_no_leap_second(text):
    with pytest.raises(ValueError, match="leap second"):
        parse_rfc3339(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-21",
        "2026-11-21T06:00:00",
        "2026-11-21T06:00Z",
        "2026-11-21T06:00:00.Z",
        "2026-11-21T06:00:00,5Z",
        "2026-11-21T06:00:00+0100",
        "2026-11-21T06:00:00+01",
        "2026-11-21T06:00:00+24:00",
        "2026-11-21T06:00:00+01:60",
        "2026-11-21_06:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T06:60:00Z",
        "2026-11-21T06:00:61Z",
        "2026-02-29T06:00:00Z",
        "2026-13-01T06:00:00Z",
        "2026-00-01T06:00:00Z",
        "0000-01-01T00:00:00Z",
        "12026-11-21T06:00:00Z",
        "-2026-11-21T06:00:00Z",
        " 2026-11-21T06:00:00Z",
        "2026-11-21T06:00:00Z\n",
        "\u0662026-11-21T06:00:00Z",
        "2026-11-21T06:00:00\u2212" + "01:00",
    ],
)
def test_what_is_no_rfc_3339_moment_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_rfc3339(text)


@given(st.integers(min_value=int(FIRST) * 1000, max_value=int(LAST) * 1000))
def test_every_millisecond_survives_the_wire(milliseconds):
    assert round(parse_rfc3339(rfc3339(milliseconds / 1000)) * 1000) == milliseconds


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),  # noqa: DTZ001
    st.integers(min_value=-1439, max_value=1439),
)
@example(datetime(999, 1, 1), -1439)  # noqa: DTZ001
def test_it_reads_what_another_library_writes(naive, minutes):
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    exact = (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    assert parse_rfc3339(moment.isoformat()) == exact


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_value_error(text):
    try:
        at = parse_rfc3339(text)
    except ValueError:
        return
    assert math.isfinite(at)
