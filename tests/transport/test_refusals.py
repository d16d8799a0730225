"""What goes wrong when a node is asked, in words."""

from __future__ import annotations

import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import Refused, Unfetched, place_of
from transport.refusals import ANSWER_LIMIT, WORDS_LIMIT, refusal, tls_hint, unreached, words_of


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://10.0.0.5:26657/secret?token=1", "http://10.0.0.5:26657"),
        ("https://user:pass@node.acme.example/key", "https://node.acme.example"),
        ("ws://[::1]:8546/", "ws://[::1]:8546"),
    ],
)
def test_a_place_has_nothing_that_may_be_secret(url, place):
    assert place_of(url) == place


@pytest.mark.parametrize("url", ["", "10.0.0.5", "10.0.0.5:26657", "//10.0.0.5", "http:///path", "http://a:port"])
def test_what_leads_nowhere_is_no_place(url):
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        place_of(url)


def test_the_systems_word_is_found_under_what_libraries_wrap_around_it():
    inner = ConnectionRefusedError(111, "Connection refused")
    middle = OSError("all attempts failed")
    middle.__cause__ = ExceptionGroup("attempts", [inner])
    outer = RuntimeError("something")
    outer.__context__ = middle
    assert words_of(outer) == "Connection refused"
    assert words_of(RuntimeError("something")) == "something"
    assert words_of(RuntimeError()) == "RuntimeError"


def test_a_certificate_and_something_that_is_no_tls_are_told_apart():
    certificate = ssl.SSLCertVerificationError(1, "verify failed")
    certificate.verify_message = "certificate has expired"
    found = unreached("https://a", certificate)
    assert (found.trouble, found.detail) == ("untrusted", "certificate refused: certificate has expired")
    assert "its operator must renew the certificate" in str(found)
    assert unreached("https://a", ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]")).trouble == "garbled"
    assert "perhaps its address is http" in str(unreached("https://a", ssl.SSLError(1, "[SSL: X]")))
    unnamed = unreached("https://a", socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    assert "Name or service not known; is the name written right" in str(unnamed)
    assert unreached("https://a", OSError(113, "No route to host")).trouble == "unreachable"


def test_two_errors_that_have_each_other_as_cause_are_read_once():
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one
    assert words_of(one) == "other"


def test_a_refusal_beyond_all_measure_is_read_as_far_as_its_limit():
    found = refusal("http://a", 500, {}, b'{"message": "' + b"x" * ANSWER_LIMIT + b'"}')
    assert found.answer is None
    assert found.message == "Internal Server Error"
    assert len(refusal("http://a", 500, {}, b"x" * 5000).message) == WORDS_LIMIT


@given(
    st.integers(100, 599),
    st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(repr).map(str.encode),
)
def test_whatever_a_node_answers_is_a_refusal_with_words(status, body):
    found = refusal("http://a", status, {}, body)
    assert isinstance(found, Refused)
    assert found.status == status
    assert found.message
    assert str(found).startswith(f"http://a: refused with HTTP {status}")


@pytest.mark.parametrize(("said", "seconds"), [("0", 0.0), ("120", 120.0), ("-1", None), ("soon", None), ("²", None)])
def test_when_to_ask_again_is_a_number_of_seconds_or_nothing(said, seconds):
    assert refusal("http://a", 429, {"retry-after": said}, b"").retry_after == seconds


def test_an_error_keeps_what_it_is_made_of():
    found = Unfetched("http://a", "cut", "closed")
    assert (found.place, found.trouble, found.detail) == ("http://a", "cut", "closed")


def test_who_is_not_let_in_is_told_who_must_act():
    assert "headers_file" in str(refusal("http://a", 401, {}, b"who are you?"))
    assert "whoever runs it must allow it" in str(refusal("http://a", 403, {}, b""))
    assert "; " not in str(refusal("http://a", 404, {}, b""))


def test_plain_http_at_a_port_of_tls_is_told_what_to_write():
    assert tls_hint("http://a", "Connection reset by peer") == " (if it speaks TLS, write https)"
    assert tls_hint("ws://a", r"illegal status line: bytearray(b'\x15\x03\x01')") == " (it speaks TLS: write wss)"
    assert tls_hint("https://a", "Connection reset by peer") == ""
