from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import ClientAddress, TrustedProxies
from transport.addresses import parse_hop, peer_address

PROXY = ClientAddress("10.0.0.1", 40000)
PROXIES = TrustedProxies(["10.0.0.0/8", "fd00::/8"])


def client_of(proxies=PROXIES, peer=PROXY, *, secure=False, **headers):
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    return proxies.origin(peer, lines, secure=secure)


def test_without_trusted_proxies_nothing_forwarded_is_believed():
    origin = client_of(TrustedProxies(), x_forwarded_for="1.2.3.4", x_forwarded_proto="https")
    assert (origin.client, origin.secure) == (PROXY, False)


def test_a_stranger_s_header_is_ignored():
    stranger = ClientAddress("8.8.8.8", 5)
    assert client_of(peer=stranger, x_forwarded_for="1.2.3.4").client == stranger


def test_the_forwarded_address_is_the_client_s():
    assert client_of(x_forwarded_for="1.2.3.4").client == ClientAddress("1.2.3.4", 0, proxied=True)


def test_the_rightmost_untrusted_address_counts_and_what_the_client_wrote_does_not():
    assert client_of(x_forwarded_for="6.6.6.6, 1.2.3.4, 10.9.9.9").client.host == "1.2.3.4"


def test_when_all_are_trusted_the_leftmost_is_the_client():
    assert client_of(x_forwarded_for="10.1.1.1, 10.2.2.2").client.host == "10.1.1.1"


@pytest.mark.parametrize(
    "garbage", ["unknown", "_hidden", "", "1.2.3", "1.2.3.4.5", "[::1", "a b", "[1.2.3.4]x", "::g"]
)
def test_garbage_ends_the_walk_at_who_reported_it(garbage):
    assert client_of(x_forwarded_for=f"6.6.6.6, {garbage}").client == PROXY
    assert client_of(x_forwarded_for=f"{garbage}, 10.2.2.2").client.host == "10.2.2.2"


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("1.2.3.4", "1.2.3.4", 0),
        ("1.2.3.4:80", "1.2.3.4", 80),
        ("1.2.3.4:99999", "1.2.3.4", 0),
        ("1.2.3.4:x", "1.2.3.4", 0),
        (" 1.2.3.4 ", "1.2.3.4", 0),
        ("2001:DB8::1", "2001:db8::1", 0),
        ("[2001:db8::1]", "2001:db8::1", 0),
        ("[2001:db8::1]:443", "2001:db8::1", 443),
        ("::ffff:1.2.3.4", "1.2.3.4", 0),
        ("fe80::1%eth0", "fe80::1", 0),
        ('"[2001:db8::1]:443"', "2001:db8::1", 443),
    ],
)
def test_a_hop_is_read_in_every_form(text, host, port):
    assert parse_hop(text) == ClientAddress(host, port, proxied=True)


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("for=1.2.3.4", "1.2.3.4"),
        ("For=1.2.3.4;proto=http;by=10.0.0.1", "1.2.3.4"),
        ('for="[2001:db8::1]:4711"', "2001:db8::1"),
        ("for=6.6.6.6, for=1.2.3.4, for=10.0.0.7", "1.2.3.4"),
        ('for="a\\"b", for=1.2.3.4', "1.2.3.4"),
        ("for=unknown", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
        ("=;,;;for=1.2.3.4", "10.0.0.1"),
        ('for="1.2.3.4, for=9.9.9.9', "9.9.9.9"),
        ("", "10.0.0.1"),
    ],
)
def test_the_standard_header_is_read(header, host):
    assert client_of(forwarded=header).client.host == host


def test_an_open_quote_of_the_client_cannot_swallow_what_the_proxy_wrote():
    spoofed = 'for=6.6.6.6, for="x' + ', for="[2001:db8::9]"'
    assert client_of(forwarded=spoofed).client.host != "6.6.6.6"


def test_x_forwarded_for_wins_over_forwarded():
    assert client_of(x_forwarded_for="1.2.3.4", forwarded="for=6.6.6.6").client.host == "1.2.3.4"


@pytest.mark.parametrize(
    ("headers", "secure"),
    [
        ({"x_forwarded_for": "1.2.3.4", "x_forwarded_proto": "https"}, True),
        ({"x_forwarded_for": "1.2.3.4", "x_forwarded_proto": "https, HTTP"}, False),
        ({"x_forwarded_proto": "https"}, True),
        ({"forwarded": "for=1.2.3.4;proto=HTTPS"}, True),
        ({"forwarded": "for=1.2.3.4;proto=https, for=10.0.0.2;proto=http"}, False),
        ({"x_forwarded_for": "1.2.3.4"}, False),
    ],
)
def test_the_scheme_is_what_the_nearest_proxy_says(headers, secure):
    assert client_of(**headers).secure is secure


def test_without_a_word_on_the_scheme_it_is_that_of_the_socket():
    assert client_of(secure=True, x_forwarded_for="1.2.3.4").secure is True


def test_many_hops_are_not_all_walked():
    assert client_of(x_forwarded_for="6.6.6.6," + ",".join(["10.0.0.1"] * 1000)).client.host == "10.0.0.1"


def test_networks_that_are_none_are_refused_by_name():
    with pytest.raises(ValueError, match="nonsense"):
        TrustedProxies(["nonsense"])


def test_a_proxy_mapped_into_ipv6_is_the_same_proxy():
    assert PROXIES.trusts("::ffff:10.0.0.1")


@pytest.mark.parametrize(
    ("name", "client"),
    [
        (("127.0.0.1", 5), ClientAddress("127.0.0.1", 5)),
        (("::1", 5, 0, 0), ClientAddress("::1", 5)),
        (("::ffff:127.0.0.1", 5, 0, 0), ClientAddress("127.0.0.1", 5)),
        (("fe80::1%3", 5, 0, 3), ClientAddress("fe80::1", 5)),
        ("", ClientAddress("local")),
        (b"\0abstract", ClientAddress("local")),
    ],
)
def test_the_peer_of_a_socket_is_named(name, client):
    assert peer_address(name) == client


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("local", True),
        ("10.0.0.1", False),
        ("::2", False),
        ("nonsense", False),
    ],
)
def test_loopback_is_this_machine(host, loopback):
    assert ClientAddress(host).is_loopback is loopback


@pytest.mark.parametrize(
    ("client", "text"),
    [(ClientAddress("1.2.3.4", 5), "1.2.3.4:5"), (ClientAddress("::1", 5), "[::1]:5"), (ClientAddress("::1"), "::1")],
)
def test_an_address_is_written_as_one_writes_it(client, text):
    assert str(client) == text


@given(st.text(max_size=200), st.sampled_from(["x_forwarded_for", "forwarded", "x_forwarded_proto"]))
def test_no_header_breaks_the_walk_or_names_something_that_is_no_address(text, name):
    host = client_of(**{name: text}).client.host
    assert parse_hop(host) is not None


@given(st.text(alphabet='for=;,"\\. 1629', max_size=60))
def test_what_a_client_writes_in_front_never_makes_it_another_trusted_address(text):
    assert client_of(x_forwarded_for=f"{text}, 1.2.3.4").client.host == "1.2.3.4"
