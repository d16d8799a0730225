"""What a client of the floor says: bodies, keys, filters, pages and spans, and what is wrong with them."""

from __future__ import annotations

import json
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andond.api.floor_query import DAY, SECOND, span
from andond.api.floor_request import HIGHEST_LIMIT, Page, Query, said_by
from domain import Grounds, Refused
from domain.plant.site import ShiftCalendar
from transport import ClientAddress, Request

CALENDAR = ShiftCalendar(UTC)
NOW = 1_795_000_000.0


def request(body=None, query=None, **headers):
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    headers.setdefault("content-type", "application/json; charset=utf-8")
    return Request("POST", "/x", query or {}, headers, raw, ClientAddress("10.0.0.9"), secure=False, target="/x")


def asked(**members):
    return Query(request(query={name: [value] for name, value in members.items()}))


def pointers(refused):
    return [fault["pointer"] for fault in refused.value.details["faults"]]


def test_who_when_where_and_the_key_are_not_arguments_of_the_act():
    body = {"by": "anna", "at": "2026-11-21T06:00:00Z", "key": "k1", "station": "st4", "comment": "hot", "x": [1]}
    said, _ = said_by(request(body))
    assert (said.by, said.at, said.key, said.station) == ("anna", 1795240800.0, "k1", "st4")
    assert said.arguments == {"comment": "hot", "x": [1]}
    assert said.written_at == "2026-11-21T06:00:00Z"


def test_without_a_body_nothing_is_said_and_the_address_is_who():
    said, _ = said_by(request())
    assert (said.by, said.at, said.key, said.arguments) == ("anonymous@10.0.0.9", None, None, {})


@pytest.mark.parametrize("word", ["user_id", "reported_by", "acknowledged_by", "resolved_by", "performed_by"])
def test_the_dashboards_words_for_who_are_understood(word):
    assert said_by(request({word: "u1"}))[0].by == "u1"
    assert said_by(request({word: "u1", "by": "anna"}))[0].by == "anna"


def test_a_key_in_the_header_and_another_in_the_body_are_a_fault():
    assert said_by(request({"key": "a"}, **{"idempotency-key": "a"}))[0].key == "a"
    assert said_by(request({}, **{"idempotency-key": "b"}))[0].key == "b"
    _, faults = said_by(request({"key": "a"}, **{"idempotency-key": "b"}))
    assert [fault.pointer for fault in faults] == ["/key"]


@pytest.mark.parametrize("media", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_a_body_that_another_sites_page_could_post_is_refused(media):
    with pytest.raises(Refused, match="a body is application/json"):
        said_by(request({"by": "anna"}, **{"content-type": media}))
    assert said_by(request(None, **{"content-type": media}))[0].arguments == {}


@given(st.binary(max_size=40))
def test_any_bytes_are_a_body_or_a_validation_error(body):
    grounds = None
    try:
        assert isinstance(said_by(request(body))[0].arguments, dict)
    except Refused as refused:
        grounds = refused.grounds
    assert grounds in (None, Grounds.INVALID)


@given(st.text(max_size=12))
def test_any_limit_is_a_page_or_a_validation_error(text):
    query = asked(limit=text)
    page = query.page()
    assert 1 <= page.limit <= HIGHEST_LIMIT
    if query.faults:
        with pytest.raises(Refused) as refused:
            query.check()
        assert pointers(refused) == ["/query/limit"]


@given(items=st.lists(st.integers()), limit=st.integers(1, 20))
def test_pages_together_are_the_list(items, limit):
    pages = [Page(limit, offset).of(items) for offset in range(0, len(items) + 1, limit)]
    assert [item for page in pages for item in page] == items


def test_a_page_says_how_many_there_are():
    assert Page(2, 1).members(["a", "b", "c"]) == {"items": ["b", "c"], "total": 3, "limit": 2, "offset": 1}
    assert asked(skip="3").page() == Page(offset=3)


def test_all_faults_of_a_query_are_told_at_once():
    query = asked(limit="x", begin="noon", open="maybe")
    query.page()
    query.moment("begin", calendar=CALENDAR)
    query.flag("open")
    with pytest.raises(Refused) as refused:
        query.check()
    assert pointers(refused) == ["/query/limit", "/query/begin", "/query/open"]


@pytest.mark.parametrize(
    ("members", "begin", "length"),
    [
        ({"begin": "2026-11-21T06:00:00Z", "end": "2026-11-21T07:00:00Z"}, 1795240800, 3600),
        ({"start_time": "2026-11-21T06:00:00Z"}, 1795240800, DAY),
        ({"end_date": "2026-11-22"}, 1795219200, DAY),
        ({"date": "2026-11-21"}, 1795219200, DAY),
        ({"days": "2"}, NOW - 2 * DAY, 2 * DAY),
        ({"days": "1", "end": "2026-11-22"}, 1795219200, DAY),
        ({}, NOW - NOW % DAY, DAY),
    ],
)
def test_a_span_is_said_in_several_ways(members, begin, length):
    assert span(asked(**members), CALENDAR, NOW) == (begin * SECOND, (begin + length) * SECOND)


@pytest.mark.parametrize(
    "members",
    [
        {"begin": "2026-11-22", "end": "2026-11-21"},
        {"begin": "2026-11-21", "end": "2026-11-21"},
        {"begin": "2020-01-01", "end": "2026-01-01"},
        {"begin": "soon"},
        {"days": "0"},
        {"days": "400"},
    ],
)
def test_a_span_that_is_none_is_refused(members):
    with pytest.raises(Refused) as refused:
        span(asked(**members), CALENDAR, NOW)
    assert refused.value.grounds is Grounds.INVALID
