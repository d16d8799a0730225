from __future__ import annotations

import pytest

from transport import ProtocolError, Request, Response
from transport.addresses import ClientAddress
from transport.origins import Origins, guarded, is_asked_here

NEAR = ClientAddress("127.0.0.1", 1)
PORTAL = "https://portal.example"


def request(method="GET", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, "/x", {}, named, b"", NEAR, secure=False, target="/x")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://10.0.0.9:9003", "10.0.0.9:9003"),
        ("http://andond.example", "andond.example"),
        ("http://andond.example", "andond.example:80"),
        ("https://andond.example:443", "andond.example"),
        ("https://ANDOND.example", "andond.Example"),
        ("http://[::1]:9003", "[::1]:9003"),
        # A proxy that ends TLS and does not say so.
        ("https://andond.example:9003", "andond.example:9003"),
    ],
)
def test_a_page_of_ours_is_let_in(origin, host):
    Origins().check({"origin": origin, "host": host})


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "andond.example"),
        ("http://andond.example:8080", "andond.example"),
        ("http://andond.example.evil", "andond.example"),
        ("http://xandond.example", "andond.example"),
        ("null", "andond.example"),
        ("", "andond.example"),
        ("file://", ""),
        ("http://", ""),
        ("ftp://andond.example", "andond.example"),
        ("http://[", "["),
        ("chrome-extension://abc", "andond.example"),
        ("http://evil.example", ""),
    ],
)
def test_a_page_of_another_origin_is_not_let_in_unless_it_is_listed(origin, host):
    with pytest.raises(ProtocolError, match=r"server\.origins") as refused:
        Origins(["https://portal.example"]).check({"origin": origin, "host": host})
    assert refused.value.status == 403


def test_who_sends_no_origin_is_no_page():
    Origins().check({"host": "andond.example"})


@pytest.mark.parametrize("listed", [[PORTAL], ["*"], ["http://other.example", PORTAL]])
def test_a_listed_page_is_let_in(listed):
    Origins(listed).check({"origin": PORTAL, "host": "andond.example"})
    Origins(listed).check_change("POST", {"origin": PORTAL, "host": "andond.example"})


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
def test_a_page_of_another_origin_changes_nothing(method):
    with pytest.raises(ProtocolError, match="not let in"):
        Origins().check_change(method, {"origin": "http://evil.example", "host": "andond.example"})


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_changes_nothing_is_answered_and_its_browser_keeps_the_answer(method):
    origins = Origins([PORTAL])
    origins.check_change(method, {"origin": "http://evil.example", "host": "andond.example"})
    asked = request(method, origin="http://evil.example")
    assert origins.shared(asked, Response(200)).headers == {}


def test_an_answer_to_a_listed_page_says_that_it_may_be_shown_there_and_nowhere_else():
    answer = Response(200, {"vary": "accept-encoding", "cross-origin-resource-policy": "same-origin"}, b"x")
    headers = Origins([PORTAL]).shared(request(origin=PORTAL), answer).headers
    assert headers["access-control-allow-origin"] == PORTAL
    assert headers["vary"] == "accept-encoding, origin"
    assert "retry-after" in headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in headers
    assert "cross-origin-resource-policy" not in headers


def test_a_preflight_of_a_listed_page_is_answered_for_any_path():
    asked = request(
        "OPTIONS", origin=PORTAL, access_control_request_method="POST", access_control_request_headers="x-api-key"
    )
    answer = Origins([PORTAL]).preflight(asked)
    assert answer.status == 204
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "x-api-key"


@pytest.mark.parametrize("asked_for", ["x-\xff", "x-a\x01", "x-a, " * 500])
def test_what_no_header_can_hold_is_not_said_back(asked_for):
    asked = request(
        "OPTIONS", origin=PORTAL, access_control_request_method="PUT", access_control_request_headers=asked_for
    )
    told = Origins([PORTAL]).preflight(asked).headers["access-control-allow-headers"]
    assert told.isascii()
    assert told.isprintable()
    assert told == told.strip()
    for origin in ("https://b\xe9", "https://b.example, "):
        assert "access-control-allow-origin" not in Origins(["*"]).shared(request(origin=origin), Response(200)).headers


@pytest.mark.parametrize(
    "asked",
    [
        request("OPTIONS"),
        request("OPTIONS", origin=PORTAL),
        request("GET", origin=PORTAL, access_control_request_method="POST"),
        request("OPTIONS", origin="http://evil.example", access_control_request_method="POST"),
    ],
)
def test_what_is_no_preflight_of_a_listed_page_is_answered_as_usual(asked):
    assert Origins([PORTAL]).preflight(asked) is None


def test_every_answer_is_neither_guessed_nor_framed_nor_run_unless_it_says_otherwise():
    headers = guarded(Response(200, {"referrer-policy": "origin"}), secure=False).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "origin"
    assert "strict-transport-security" not in headers
    assert "max-age=" in guarded(Response(200), secure=True).headers["strict-transport-security"]


@pytest.mark.parametrize(
    ("headers", "is_here"),
    [
        ({"host": "127.0.0.1:9003"}, True),
        ({"host": "127.9.9.9"}, True),
        ({"host": "[::1]:9003"}, True),
        ({"host": "localhost:9003"}, True),
        ({"host": "LocalHost."}, True),
        ({"host": "board.localhost:1"}, True),
        ({}, True),
        ({"host": "evil.example:9003"}, False),
        ({"host": "localhost.evil.example"}, False),
        ({"host": "127.0.0.1.evil.example"}, False),
        ({"host": "10.0.0.7:9003"}, False),
        ({"host": "[::1"}, False),
        ({"host": ""}, False),
        ({"host": "127.0.0.1", "x-forwarded-for": "127.0.0.1"}, False),
        ({"host": "127.0.0.1", "forwarded": "for=127.0.0.1"}, False),
        ({"host": "127.0.0.1", "x-real-ip": "127.0.0.1"}, False),
    ],
)
def test_who_asks_for_this_machine_by_another_name_or_through_somebody_does_not_ask_here(headers, is_here):
    assert is_asked_here(headers) is is_here
