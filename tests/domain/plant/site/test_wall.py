"""Wall times and instants, in the nights in which an hour is there twice or never."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plant.site import wall_us
from domain.plant.site.wall import local

BERLIN, NEW_YORK, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")

WALLS = st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2040-01-01"))


def utc(text):
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        (BERLIN, "2026-11-21T06:00", "2026-11-21T05:00"),
        (BERLIN, "2026-07-01T06:00", "2026-07-01T04:00"),
        # The night of 29 March 2026: 02:00 is 03:00, 02:30 is never.
        (BERLIN, "2026-03-29T01:59", "2026-03-29T00:59"),
        (BERLIN, "2026-03-29T02:00", "2026-03-29T01:00"),
        (BERLIN, "2026-03-29T02:30", "2026-03-29T01:00"),
        (BERLIN, "2026-03-29T03:00", "2026-03-29T01:00"),
        (BERLIN, "2026-03-29T03:01", "2026-03-29T01:01"),
        # The night of 25 October 2026: 02:30 is twice, at 00:30 and at 01:30 UTC.
        (BERLIN, "2026-10-25T02:00", "2026-10-25T00:00"),
        (BERLIN, "2026-10-25T02:30", "2026-10-25T00:30"),
        (BERLIN, "2026-10-25T03:00", "2026-10-25T02:00"),
        (NEW_YORK, "2026-03-08T02:30", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08T03:00", "2026-03-08T07:00"),
        (NEW_YORK, "2026-11-01T01:30", "2026-11-01T05:30"),
        (NEW_YORK, "2026-11-01T02:00", "2026-11-01T07:00"),
        # Half an hour is enough for a change.
        (LORD_HOWE, "2026-10-04T02:15", "2026-10-03T15:30"),
        (UTC, "2026-03-29T02:30", "2026-03-29T02:30"),
    ],
)
def test_a_wall_time_is_an_instant_also_when_it_is_twice_or_never(zone, wall, instant):
    assert wall_us(datetime.fromisoformat(wall), zone) == utc(instant)


@given(
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE]),
    earlier=WALLS,
    later=st.timedeltas(timedelta(0), timedelta(hours=4)),
)
def test_a_later_wall_time_is_never_an_earlier_instant(zone, earlier, later):
    assert wall_us(earlier, zone) <= wall_us(earlier + later, zone)


@given(
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE]),
    wall=WALLS,
)
def test_the_clock_shows_the_wall_time_at_its_instant_or_has_just_jumped_over_it(zone, wall):
    at_us = wall_us(wall, zone)
    shown = local(at_us, zone).replace(tzinfo=None)
    just_before = local(at_us - 1, zone).replace(tzinfo=None)
    assert shown == wall or just_before < wall < shown
