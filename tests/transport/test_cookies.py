"""Cookies, and which pages may use ours."""

from __future__ import annotations

import pytest

from transport import cookie_in, cookie_name, is_own_page, set_cookie

HOST = "andond.example"


@pytest.mark.parametrize(
    ("host", "secure", "name"),
    [
        ("andond.example", True, "__Host-andond"),
        ("andond.example:443", True, "__Host-andond"),
        ("andond.example:9443", True, "__Host-andond-9443"),
        ("192.0.2.7:9003", False, "andond-9003"),
        ("192.0.2.7", False, "andond"),
        ("[2001:db8::1]", False, "andond"),
        ("[2001:db8::1]:9003", False, "andond-9003"),
        ("", False, "andond"),
    ],
)
def test_a_cookie_is_of_one_port_and_with_tls_of_one_host(host, secure, name):
    assert cookie_name("andond", {"host": host}, secure=secure) == name


@pytest.mark.parametrize(
    ("shown", "value"),
    [
        ("andond=x", "x"),
        ("a=1; andond=x; b=2", "x"),
        ("andond = x ", "x"),
        ("xandond=1; andondx=2", ""),
        ("andond=x; andond=y", ""),
        ("andond=x; andond=x", ""),
        ("andond", ""),
        ("", ""),
    ],
)
def test_a_cookie_is_found_once_or_not_at_all(shown, value):
    assert cookie_in({"cookie": shown}, "andond") == value


def test_any_number_of_cookies_is_read_up_to_a_bound():
    assert cookie_in({"cookie": ";".join(f"c{number}=1" for number in range(100_000)) + ";andond=x"}, "andond") == ""


def test_what_a_browser_keeps_no_script_reads_and_no_other_path_narrows():
    said = set_cookie("andond", "x", secure=False, life=60.9, same_site="Strict")["set-cookie"]
    assert said == "andond=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"
    assert set_cookie("__Host-andond", "x", secure=True, life=0, same_site="Lax")["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize(
    ("method", "headers", "is_own"),
    [
        ("GET", {}, True),
        ("POST", {}, False),
        ("POST", {"origin": f"https://{HOST}"}, True),
        ("POST", {"origin": f"https://{HOST}:443"}, True),
        ("POST", {"origin": f"https://{HOST}:9003"}, False),
        ("POST", {"origin": "https://evil.example"}, False),
        ("POST", {"origin": f"https://{HOST}.evil.example"}, False),
        ("POST", {"origin": "null"}, False),
        ("POST", {"origin": f"https://{HOST}", "sec-fetch-site": "same-origin"}, True),
        ("POST", {"origin": f"https://{HOST}", "sec-fetch-site": "same-site"}, False),
        ("POST", {"sec-fetch-site": "same-origin"}, False),
        ("GET", {"origin": "https://evil.example"}, False),
        ("GET", {"sec-fetch-site": "none"}, True),
        ("GET", {"sec-fetch-site": "same-origin"}, True),
        ("GET", {"sec-fetch-site": "same-site"}, False),
        ("GET", {"sec-fetch-site": "cross-site"}, False),
        ("GET", {"upgrade": "websocket"}, False),
        ("GET", {"upgrade": "websocket", "origin": f"https://{HOST}"}, True),
        ("GET", {"upgrade": "websocket", "origin": "https://evil.example"}, False),
    ],
)
def test_a_cookie_counts_only_where_a_page_of_ours_asks(method, headers, is_own):
    assert is_own_page(method, {"host": HOST, **headers}) is is_own
