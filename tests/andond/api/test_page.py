from __future__ import annotations

import gzip
import re
from importlib.resources import files

import pytest

from andond.api.page import PageFile, load, register
from transport import ClientAddress, ProtocolError, Request, Response, Routes

# Signing in, who it is and what they may, took the last 12 and 5 KiB of them; the chain's state 6 and 2.
SIZE_LIMIT = 112 * 1024
PACKED_LIMIT = 44 * 1024
NAMES = sorted(entry.name for entry in (files("andond") / "page").iterdir())
SCRIPTS = [name for name in NAMES if name.endswith(".js")]


@pytest.fixture(scope="module")
def routes() -> Routes:
    table = Routes()
    register(table)
    return table


async def ask(routes: Routes, path: str, method: str = "GET", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await routes(Request(method, path, {}, named, b"", ClientAddress("127.0.0.1"), False, path))


def text_of(name: str) -> str:
    return (files("andond") / "page" / name).read_text()


async def test_the_front_is_served_at_the_root(routes: Routes) -> None:
    answer = await ask(routes, "/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.body == (files("andond") / "page" / "index.html").read_bytes()


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/page/page.js", "text/javascript; charset=utf-8"),
        ("/page/page.css", "text/css; charset=utf-8"),
        ("/page/icon.svg", "image/svg+xml"),
    ],
)
async def test_each_file_has_its_media_type(routes: Routes, path: str, media: str) -> None:
    assert (await ask(routes, path)).headers["content-type"] == media


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/page/page.css"])
async def test_nothing_may_run_or_be_reached_but_what_is_served_here(routes: Routes, path: str) -> None:
    headers = (await ask(routes, path)).headers
    policy = dict(item.partition(" ")[::2] for item in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_a_browser_that_has_the_file_hears_that_nothing_changed(routes: Routes) -> None:
    first = await ask(routes, "/page/page.js")
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = await ask(routes, "/page/page.js", if_none_match=known)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == "no-cache"


async def test_a_browser_that_has_another_file_gets_this_one(routes: Routes) -> None:
    answer = await ask(routes, "/page/page.js", if_none_match='"other"')
    assert answer.status == 200
    assert answer.body


def test_other_content_has_another_etag() -> None:
    assert PageFile.of("a.js", b"1").mark != PageFile.of("a.js", b"2").mark


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "*"])
async def test_who_takes_gzip_gets_it_under_an_etag_of_its_own(routes: Routes, accepted: str) -> None:
    plain, packed = await ask(routes, "/page/page.css"), await ask(routes, "/page/page.css", accept_encoding=accepted)
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"
    known = await ask(routes, "/page/page.css", accept_encoding=accepted, if_none_match=packed.headers["etag"])
    assert known.status == 304


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0"])
async def test_who_does_not_take_gzip_gets_the_file_as_it_is(routes: Routes, accepted: str) -> None:
    answer = await ask(routes, "/page/page.css", accept_encoding=accepted)
    assert "content-encoding" not in answer.headers
    assert answer.body.startswith(b"/*")


async def test_head_is_answered_like_get(routes: Routes) -> None:
    assert (await ask(routes, "/", "HEAD")).headers == (await ask(routes, "/")).headers


async def test_the_page_only_answers_to_being_read(routes: Routes) -> None:
    with pytest.raises(ProtocolError) as refused:
        await ask(routes, "/", "POST")
    assert refused.value.status == 405


@pytest.mark.parametrize("path", ["/page/index.html", "/page/", "/page/..%2Fversion.py", "/page/../version.py"])
async def test_nothing_beside_the_files_of_the_page_can_be_had(routes: Routes, path: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        await ask(routes, path)
    assert refused.value.status == 404


def test_the_whole_page_stays_small() -> None:
    files_of_it = load().values()
    assert sum(len(file.plain) for file in files_of_it) < SIZE_LIMIT
    assert sum(len(file.packed) for file in files_of_it) < PACKED_LIMIT


@pytest.mark.parametrize("name", NAMES)
def test_the_page_needs_nothing_from_elsewhere(name: str) -> None:
    addresses = set(re.findall(r"""(?:https?:)?//[\w.-]+\.\w[^\s"']*""", text_of(name)))
    assert addresses <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_makes_markup_or_code_out_of_text(name: str) -> None:
    dangerous = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function|javascript:"
    assert not re.findall(dangerous, text_of(name))


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_module_that_is_imported_is_there(name: str) -> None:
    assert set(re.findall(r'from "\./([^"]+)"', text_of(name))) <= set(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_element_a_script_looks_for_is_on_the_page(name: str) -> None:
    wanted = set(re.findall(r'find\("([^"]+)"\)', text_of(name)))
    assert wanted <= set(re.findall(r'\bid="([^"]+)"', text_of("index.html")))


def test_the_front_has_no_script_or_style_of_its_own() -> None:
    assert not re.findall(r"<script>|<style|\sstyle=|\son\w+=", text_of("index.html"))
