"""Where a link leads, and how it ended, as plain values."""

from __future__ import annotations

import pytest

from transport import Closed
from transport.links import Target


@pytest.mark.parametrize(
    ("url", "host", "port", "is_secret", "named", "resource"),
    [
        ("ws://10.0.0.5:26657/websocket", "10.0.0.5", 26657, False, "10.0.0.5:26657", "/websocket"),
        ("http://10.0.0.5", "10.0.0.5", 80, False, "10.0.0.5", "/"),
        ("wss://u:p@a.example/v3?key=a%20b", "a.example", 443, True, "a.example", "/v3?key=a%20b"),
        ("https://[::1]:8546", "::1", 8546, True, "[::1]:8546", "/"),
    ],
)  # fmt: skip
def test_an_address_says_where_to_connect_and_what_to_ask_for(url, host, port, is_secret, named, resource):
    target = Target.of(url, {})
    assert (target.host, target.port, target.is_secret) == (host, port, is_secret)
    assert (target.named, target.resource) == (named, resource)


def test_a_name_and_a_password_are_a_header_beside_those_that_are_given():
    target = Target.of("ws://us%40er:p%3Aw@a/", {"X-Key": "é"})
    assert target.headers == [(b"x-key", b"\xe9"), (b"authorization", b"Basic dXNAZXI6cDp3")]
    assert target.place == "ws://a"


@pytest.mark.parametrize("url", ["", "a:1", "ftp://a/", "ws://", "ws://a:port"])
def test_what_leads_nowhere_is_no_target(url):
    with pytest.raises(ValueError, match=r"address|opened to|[Pp]ort"):
        Target.of(url, {})


def test_an_end_says_who_must_act():
    assert str(Closed("ws://a", "behind", 1008, "9 messages wait")) == (
        "ws://a: the link ended with 1008: 9 messages wait; this machine is too slow for what was subscribed to"
    )
    assert str(Closed("ws://a", "cut", 1006, "")).startswith("ws://a: the link ended with 1006; ")
