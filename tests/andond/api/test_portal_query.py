from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andond.api.portal_query import PERIODS, RANGE, ROW_LIMIT, Wanted, period_of, wanted_of
from domain import rfc3339
from domain.chain import DAY, HOUR, MINUTE, SPANS
from transport import ProtocolError

AT = 1_800_000_030.0


def asked(**query: str) -> Wanted:
    return wanted_of({name: [value] for name, value in query.items()}, AT)


def test_what_is_not_said_makes_a_chart_up_to_now():
    assert asked() == Wanted(1_799_913_600.0, AT, "minute")
    assert asked(granularity="hour").end - asked(granularity="hour").begin == pytest.approx(30 * DAY, abs=HOUR)
    assert asked(granularity="day").span == DAY


@pytest.mark.parametrize(
    "text", ["2027-01-15T07:00:00Z", "2027-01-15T08:00:00+01:00", "2027-01-15T07:00:00.000Z", "1799996400000"]
)
def test_a_moment_is_rfc_3339_or_unix_milliseconds(text):
    assert asked(startTime=text).begin == 1_799_996_400


def test_a_date_is_its_first_moment():
    assert asked(startTime="2027-01-15").begin == 1_799_971_200


def test_rows_begin_at_multiples_of_their_length_and_the_one_that_the_start_is_in_counts():
    assert asked(startTime="2027-01-15T07:00:59Z").begin == 1_799_996_400
    assert asked(startTime="2027-01-15T07:59:00Z", granularity="hour").begin == 1_799_996_400


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"granularity": "week"}, "granularity is minute or hour or day, not 'week'"),
        ({"granularity": "second"}, "granularity is"),
        ({"startTime": "yesterday"}, "startTime is a moment such as"),
        ({"endTime": "2027-13-01"}, "endTime is a moment such as"),
        ({"startTime": "9" * 16}, "startTime is a moment"),
        ({"startTime": "2027-01-15T09:00:00Z"}, "startTime lies before endTime"),
        ({"startTime": "2027-01-01", "endTime": "2027-01-01"}, "startTime lies before endTime"),
        ({"appId": "x" * 129}, "appId has at most 128 characters"),
        ({"startTime": "2027-01-01"}, "ask for granularity hour, or for a shorter time"),
        ({"startTime": "1970-01-01", "granularity": "hour"}, "ask for a shorter time"),
        ({"startTime": "2026-09-01", "granularity": "hour"}, "ask for granularity day, or"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(query, words):
    with pytest.raises(ProtocolError) as refused:
        asked(**query)
    assert refused.value.status == 400
    assert words in refused.value.detail


@given(st.sampled_from(list(SPANS)), st.integers(1, ROW_LIMIT), st.integers(0, 86_399))
def test_as_many_rows_as_there_may_be_can_be_asked_for(word, rows, offset):
    end = AT + offset
    # A time that begins where it ends is none.
    begin = (end - 1) // SPANS[word] * SPANS[word] - (rows - 1) * SPANS[word]
    wanted = wanted_of({"startTime": [rfc3339(begin)], "endTime": [rfc3339(end)], "granularity": [word]}, AT)
    assert wanted.begin == begin


def test_the_last_seconds_can_be_asked_for_where_they_are_kept():
    wanted = wanted_of({"granularity": ["second"]}, AT, has_seconds=True)
    assert (wanted.granularity, wanted.end - wanted.begin) == ("second", MINUTE)


def test_a_period_is_one_of_those_that_the_path_knows():
    assert period_of("7d", ("7d",), AT).granularity == "hour"
    with pytest.raises(ProtocolError, match="a period is 24h or 7d, not '1y'"):
        period_of("1y", ("24h", "7d"), AT)


def test_no_period_has_more_rows_than_an_answer():
    for seconds, granularity in PERIODS.values():
        assert seconds / SPANS[granularity] <= ROW_LIMIT


def test_the_document_knows_every_parameter():
    assert [parameter.name for parameter in RANGE] == ["startTime", "endTime", "granularity", "appId"]
