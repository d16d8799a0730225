"""Where a client may show its token."""

from __future__ import annotations

import pytest

from domain.access import TokenFault, TokenRefused
from transport import Where, bearer_word, challenge, has_query_token, protocol_token, shown_token, spoken_protocols

TOKEN = "eyJh.eyJz.c2ln"  # noqa: S105 - of a test


@pytest.mark.parametrize("value", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER   {TOKEN} ", f"  Bearer {TOKEN}"])
def test_a_token_stands_in_the_header(value):
    shown = shown_token({"authorization": value}, {})
    assert (shown.token, shown.where) == (TOKEN, Where.HEADER)


@pytest.mark.parametrize("value", ["", "Basic YTpi", "Negotiate x", "Digest", TOKEN])
def test_another_scheme_is_no_token(value):
    assert shown_token({"authorization": value}, {}) is None


@pytest.mark.parametrize(
    "value",
    ["Bearer", "Bearer ", f"Bearer {TOKEN} {TOKEN}", f"Bearer {TOKEN}, Bearer {TOKEN}", f"Bearer {TOKEN};x", "Bearer =",
     "Bearer a\x00b", "Bearer ä"],
)  # fmt: skip
def test_a_header_that_holds_no_token_is_refused(value):
    with pytest.raises(TokenRefused) as caught:
        shown_token({"authorization": value}, {})
    assert caught.value.reason is TokenFault.MALFORMED
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("offered", "token", "spoken"),
    [
        (f"bearer, {TOKEN}", TOKEN, ["bearer"]),
        (f"Bearer,{TOKEN}", TOKEN, ["Bearer"]),
        (f"andond.v1.json, bearer, {TOKEN}", TOKEN, ["andond.v1.json", "bearer"]),
        (f"bearer, {TOKEN}, andond.v1.json", TOKEN, ["bearer", "andond.v1.json"]),
        ("andond.v1.json", "", ["andond.v1.json"]),
        ("andond.v1.json, bearer", "", ["andond.v1.json", "bearer"]),
        ("", "", []),
    ],
)
def test_a_browser_puts_it_behind_the_word_bearer_and_it_is_never_spoken(offered, token, spoken):
    headers = {"sec-websocket-protocol": offered}
    assert protocol_token(headers) == token
    assert spoken_protocols(headers) == spoken
    shown = shown_token(headers, {})
    assert (shown.token if shown else "") == token


@pytest.mark.parametrize(
    ("offered", "answered"),
    [
        (f"bearer, {TOKEN}", ("bearer",)),
        (f"Bearer,{TOKEN}", ("Bearer",)),
        (f"soap, bearer, {TOKEN}", ("bearer",)),
        ("bearer", ()),
        ("soap", ()),
        ("", ()),
    ],
)
def test_a_door_answers_the_word_as_it_was_offered_and_never_the_token(offered, answered):
    assert bearer_word({"sec-websocket-protocol": offered}) == answered


@pytest.mark.parametrize("name", ["token", "access_token"])
def test_an_address_may_hold_a_token_only_where_that_is_said(name):
    query = {name: [TOKEN]}
    assert shown_token({}, query) is None
    assert has_query_token(query)
    shown = shown_token({}, query, takes_query=True)
    assert (shown.token, shown.where) == (TOKEN, Where.QUERY)
    assert not has_query_token({"page": ["1"], "token": []})


def test_a_token_that_is_shown_twice_must_be_the_same():
    headers = {"authorization": f"Bearer {TOKEN}", "sec-websocket-protocol": f"bearer, {TOKEN}"}
    assert shown_token(headers, {"token": [TOKEN]}, takes_query=True).where is Where.HEADER
    for query in ({"token": ["other"]}, {"token": [TOKEN, "other"]}, {"access_token": ["other"]}):
        with pytest.raises(TokenRefused):
            shown_token(headers, query, takes_query=True)
        # Where an address is not looked at, nothing in it matters.
        assert shown_token(headers, query).token == TOKEN
    with pytest.raises(TokenRefused):
        shown_token({**headers, "sec-websocket-protocol": "bearer, other"}, {})


def test_a_token_shows_nothing_of_itself():
    assert TOKEN not in repr(shown_token({"authorization": f"Bearer {TOKEN}"}, {}))


def test_a_challenge_says_the_way_and_what_was_wrong():
    assert challenge() == {"www-authenticate": 'Bearer realm="andond"'}
    said = challenge("invalid_token", 'it "has"\r\n\\expired é')["www-authenticate"]
    assert said == 'Bearer realm="andond", error="invalid_token", error_description="it ?has????expired ?"'
