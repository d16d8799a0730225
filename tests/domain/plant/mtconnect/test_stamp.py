import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import parse_rfc3339
from domain.plant.mtconnect import as_rfc3339, parse_stamp


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2016-05-07T05:00:00.000000Z", 1462597200.0),
        ("2016-05-07T05:00:00Z", 1462597200.0),
        ("2016-05-07T05:00:00", 1462597200.0),
        ("2016-05-07 05:00:00", 1462597200.0),
        ("2016-05-07T05:00:00.25", 1462597200.25),
        ("2016-05-07T07:00:00+02:00", 1462597200.0),
        ("2016-05-07T00:00:00-05:00", 1462597200.0),
        ("2022-08-08T13:51:34.7167146Z", 1659966694.716714),
        ("2016-12-31T23:59:60Z", 1483228800.0),
        ("2016-12-31T23:59:60", 1483228800.0),
        ("2016-05-07t05:00:00z", 1462597200.0),
    ],
)
def test_a_stamp_is_read_in_every_form_that_adapters_write(text: str, at: float) -> None:
    assert parse_stamp(text) == pytest.approx(at, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2016-05-07",
        "0000-00-00T00:00:00Z",
        "2016-13-07T05:00:00Z",
        "2016-05-07T25:00:00Z",
        "20160507T050000.000Z",
        "1462597200.0",
        "yesterday at five o'clock",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:00:00-23:00",
        "2016-05-07T05:00:00" + "0" * 40,
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_stamp(text)


@given(st.text(max_size=60))
def test_any_text_is_a_moment_or_a_value_error(text: str) -> None:
    try:
        at = parse_stamp(text)
    except ValueError:
        return
    assert parse_rfc3339(as_rfc3339(text, at)) == pytest.approx(at, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("2022-08-08T13:51:34.7167146Z", "2022-08-08T13:51:34.7167146Z"),
        ("2016-05-07 05:00:00", "2016-05-07T05:00:00Z"),
        ("2016-05-07T05:00:00.25", "2016-05-07T05:00:00.25Z"),
        ("2016-05-07T07:00:00+02:00", "2016-05-07T07:00:00+02:00"),
        ("2016-05-07T07:00:00+02", "2016-05-07T05:00:00.000Z"),
    ],
)
def test_a_stamp_keeps_its_digits_on_the_wire_where_its_form_allows(text: str, wire: str) -> None:
    assert as_rfc3339(text, parse_stamp(text)) == wire
