from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import ProtocolError, json_response, problem, problem_of
from transport.messages import parse_target


@pytest.mark.parametrize(
    ("target", "raw", "path", "query"),
    [
        ("/", "/", "/", {}),
        ("/a/b?x=1&x=2&y", "/a/b", "/a/b", {"x": ["1", "2"], "y": [""]}),
        ("/a%20b?q=c+d%2B&&", "/a%20b", "/a b", {"q": ["c d+"]}),
        ("/a%2Fb", "/a%2Fb", "/a/b", {}),
        ("/caf%C3%A9", "/caf%C3%A9", "/café", {}),
        ("http://gateway:9003/livez?v=1", "/livez", "/livez", {"v": ["1"]}),
        ("HTTPS://gateway", "/", "/", {}),
        ("http://gateway?x=1", "/", "/", {"x": ["1"]}),
        ("*", "*", "*", {}),
        ("/a#fragment", "/a", "/a", {}),
        ("/..//../etc", "/..//../etc", "/..//../etc", {}),
    ],
)
def test_a_target_is_taken_apart(target, raw, path, query):
    parsed = parse_target(target)
    assert (parsed.raw, parsed.path, parsed.query) == (raw, path, query)


@pytest.mark.parametrize(
    "target",
    ["", "a", "ftp://x/", "gateway:443", "/%", "/%zz", "/%1", "/%FF", "/%C3", "/%00", "/a%0d%0aSet-Cookie:x", "/?a=%FF",
     "/?%zz=1", "/?" + "&".join(["a=1"] * 201), "/%7F"],
)  # fmt: skip
def test_a_target_that_cannot_be_decoded_is_the_client_s_fault(target):
    with pytest.raises(ProtocolError) as caught:
        parse_target(target)
    assert caught.value.status == 400


@given(st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
def test_any_target_is_decoded_or_refused(target):
    with suppress(ProtocolError):
        assert not any(ord(character) < 0x20 for character in parse_target(target).path)


def test_json_is_not_to_be_cached():
    answer = json_response({"a": 1}, 202)
    assert (answer.status, answer.body) == (202, b'{"a":1}')
    assert answer.headers == {"content-type": "application/json", "cache-control": "no-store"}


def test_a_problem_says_what_kind_of_fault_it_is_and_what_was_found():
    answer = problem(409, "Conflict", "it is there already", key="k1")
    assert answer.status == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.body) == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "it is there already",
        "key": "k1",
    }


def test_a_problem_with_a_code_says_who_must_act():
    document = json.loads(problem(413, "Content Too Large", "too much", 413).body)
    assert document["type"] == "urn:andond:error:body_too_large"
    assert (document["code"], document["temporary"]) == (413, False)
    assert document["action"].startswith("mend the request")


def test_the_problem_of_an_error_has_its_headers_and_a_whole_number_of_seconds_to_wait():
    error = ProtocolError(429, "slowly", retry_after=2.5, headers={"x-limit": "1"}, members={"limit": 1})
    answer = problem_of(error)
    document = json.loads(answer.body)
    assert (answer.headers["retry-after"], answer.headers["x-limit"]) == ("3", "1")
    assert (document["status"], document["retry_after"], document["limit"]) == (429, 2.5, 1)
