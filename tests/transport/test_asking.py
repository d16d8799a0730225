"""What a node is asked, before anything is sent: targets, queries, headers, cookies."""

from __future__ import annotations

import gc
import re
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.asking import COOKIES, Address, Content, Cookies, decoded, encoded

NODE = Address.of("http://10.0.0.5:26657")
TARGET = re.compile(rb"/[!-~]*")
HEADER = re.compile(rb"[ -~\x80-\xff]*")


def set_cookie(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"Set-Cookie", value.encode("latin-1")) for value in values]


# -- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "place", "host", "port", "named"),
    [
        ("http://10.0.0.5:26657", "http://10.0.0.5:26657", b"10.0.0.5", 26657, b"10.0.0.5:26657"),
        ("HTTPS://Node.Acme.Example/", "https://node.acme.example", b"node.acme.example", None, b"node.acme.example"),
        ("https://a.example:443", "https://a.example:443", b"a.example", None, b"a.example"),
        ("http://a.example:443", "http://a.example:443", b"a.example", 443, b"a.example:443"),
        ("http://[::1]:8545", "http://[::1]:8545", b"::1", 8545, b"[::1]:8545"),
        ("http://user:secret@node_1/", "http://node_1", b"node_1", None, b"node_1"),
        ("http://bücher.example", "http://bücher.example", b"xn--bcher-kva.example", None, b"xn--bcher-kva.example"),
    ],
)  # fmt: skip
def test_an_address_says_where_to_connect_and_how_the_host_is_named(base, place, host, port, named):
    address = Address.of(base)
    assert (address.place, address.host, address.port, address.named) == (place, host, port, named)


@pytest.mark.parametrize("base", ["", "a:1", "/x", "ftp://a/", "ws://a/", "http://", "http://a:port", "http://a\n/x"])
def test_what_is_no_address_of_a_node_is_refused(base):
    with pytest.raises(ValueError, match=r"address|over http|[Pp]ort"):
        Address.of(base)


@pytest.mark.parametrize(
    ("base", "credentials"),
    [
        ("http://a", {}),
        ("http://us%40er:p%3Aw@a", {b"authorization": b"Basic dXNAZXI6cDp3"}),
        ("http://user@a", {b"authorization": b"Basic dXNlcjo="}),
        ("http://:pass@a", {b"authorization": b"Basic OnBhc3M="}),
    ],
)
def test_a_name_and_a_password_become_a_header(base, credentials):
    address = Address.of(base)
    assert address.credentials == credentials
    assert address.target("/x") == b"/x"


@pytest.mark.parametrize(
    ("base", "path", "target"),
    [
        ("http://a", "", b"/"),
        ("http://a/", "/status", b"/status"),
        ("http://a/rest/", "/cosmos/x", b"/rest/cosmos/x"),
        ("http://a/rest", "", b"/rest"),
        ("http://a/?key=s%20x", "", b"/?key=s%20x"),
        ("http://a", "/x?height=5&prove=true", b"/x?height=5&prove=true"),
        ("http://a", "?a=b", b"/?a=b"),
        ("http://a", "/a b/é/%2F{x}", b"/a%20b/%C3%A9/%2F%7Bx%7D"),
        ("http://a", '/x?q=a b"<é>', b"/x?q=a%20b%22%3C%C3%A9%3E"),
        ("http://a", "/x#part", b"/x"),
        ("http://a", "//b/c", b"//b/c"),
        ("http://a/rest", "/./a/../b", b"/rest/b"),
        ("http://a", "/../../x", b"/x"),
    ],
)  # fmt: skip
def test_a_path_is_added_to_the_address(base, path, target):
    assert Address.of(base).target(path) == target


@pytest.mark.parametrize("path", ["status", "@b.example/", ":80/", ".b.example"])
def test_a_path_does_not_lead_to_another_host(path):
    with pytest.raises(ValueError, match="begins with a slash"):
        NODE.target(path)


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ({}, b"/x"),
        ((), b"/x"),
        ({"none": []}, b"/x"),
        ({"status": "BOND_STATUS_BONDED"}, b"/x?status=BOND_STATUS_BONDED"),
        ({"id": ["1", "2"], "state": "head"}, b"/x?id=1&id=2&state=head"),
        ([("id", "1"), ("id", "a b&c=d"), ("empty", "")], b"/x?id=1&id=a+b%26c%3Dd&empty="),
        ({"pagination.key": "AB+/="}, b"/x?pagination.key=AB%2B%2F%3D"),
        ({"q": "tm.event='é'"}, b"/x?q=tm.event%3D%27%C3%A9%27"),
    ],
)  # fmt: skip
def test_the_members_of_a_query_are_encoded(query, target):
    assert NODE.target("/x", query) == target


def test_a_query_takes_the_place_of_the_paths_own():
    assert NODE.target("/x?a=1", {"b": "2"}) == b"/x?b=2"
    assert NODE.target("/x?a=1", {}) == b"/x?a=1"


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXT, st.lists(st.tuples(TEXT, TEXT)))
def test_a_target_can_be_sent_whatever_it_is_made_of_and_a_query_is_read_as_it_was(path, query):
    target = NODE.target(f"/{path}", query)
    assert TARGET.fullmatch(target)
    if query:
        read = parse_qsl(target.partition(b"?")[2].decode(), keep_blank_values=True)
        assert read == query


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="%?#."), max_size=20))
def test_a_path_is_read_as_it_was(path):
    assert unquote(NODE.target(f"/{path}").decode()) == f"/{path}"


# -- headers ----------------------------------------------------------------------------------------------------------


def test_headers_take_the_place_of_others_however_they_are_written():
    assert encoded({"Accept": "a"}) | encoded({"ACCEPT": "b", "X-Key": "c"}) == {b"accept": b"b", b"x-key": b"c"}


@pytest.mark.parametrize("headers", [{"X-Key": "é"}, {"é": "x"}])
def test_a_header_of_other_letters_is_refused(headers):
    with pytest.raises(ValueError, match="ascii"):
        encoded(headers)


def test_the_values_of_a_name_are_joined_and_told_in_the_letters_that_they_are_in():
    raw = [(b"Vary", b"a"), (b"X-Utf", "é".encode()), (b"vary", b"b"), (b"X-Latin", b"\xe9")]
    assert decoded(raw) == {"vary": "a, b", "x-utf": "é", "x-latin": "é"}


# -- cookies ----------------------------------------------------------------------------------------------------------


def test_who_has_set_no_cookie_gets_none():
    cookies = Cookies()
    cookies.take(NODE, b"/", [(b"content-type", b"text/plain")])
    assert cookies.given(NODE, b"/") == {}


def test_a_cookie_goes_back_to_where_it_belongs():
    cookies = Cookies()
    cookies.take(NODE, b"/a/b?x=1", set_cookie("at=node2; Path=/a; HttpOnly", "name=\xe9; Path=/"))
    assert cookies.given(NODE, b"/a/c?y=2") == {b"cookie": b"at=node2; name=\xe9"}
    assert cookies.given(NODE, b"/b") == {b"cookie": b"name=\xe9"}
    assert cookies.given(Address.of("http://10.0.0.6:26657"), b"/a/c") == {}


def test_a_cookie_is_forgotten_when_the_node_says_so():
    cookies = Cookies()
    cookies.take(NODE, b"/", set_cookie("at=node2"))
    assert cookies.given(NODE, b"/") == {b"cookie": b"at=node2"}
    cookies.take(NODE, b"/", set_cookie("at=node3"))
    assert cookies.given(NODE, b"/") == {b"cookie": b"at=node3"}
    cookies.take(NODE, b"/", set_cookie("at=; Max-Age=0"))
    assert cookies.given(NODE, b"/") == {}


def test_a_secret_cookie_does_not_go_over_a_line_that_others_read():
    cookies = Cookies()
    cookies.take(Address.of("https://a.example"), b"/", set_cookie("at=node2; Secure"))
    assert cookies.given(Address.of("https://a.example"), b"/") == {b"cookie": b"at=node2"}
    assert cookies.given(Address.of("http://a.example"), b"/") == {}


def test_a_node_that_sets_cookies_without_end_is_not_kept_up_with():
    cookies = Cookies()
    cookies.take(NODE, b"/", set_cookie(*(f"c{number}=x" for number in range(COOKIES))))
    assert cookies.given(NODE, b"/")[b"cookie"].count(b"=") == COOKIES
    cookies.take(NODE, b"/", set_cookie("one=more"))
    assert cookies.given(NODE, b"/") == {}


LINES = st.lists(st.binary(max_size=60).filter(lambda line: HEADER.fullmatch(line) is not None), max_size=4)


@given(LINES)
def test_whatever_a_node_sets_can_be_sent_back(lines):
    cookies = Cookies()
    cookies.take(NODE, b"/a?b", [(b"set-cookie", line) for line in lines])
    for value in cookies.given(NODE, b"/a").values():
        assert HEADER.fullmatch(value)


async def test_a_sending_that_is_given_up_halfway_leaves_nothing_open():
    content = Content(b"piece")
    pieces = aiter(content)
    assert await anext(pieces) == b"piece"
    # A generator would be told of here as one that was not gone through to its end.
    del pieces
    gc.collect()
    assert [piece async for piece in content] == [b"piece"]
    assert [piece async for piece in Content(None)] == []
