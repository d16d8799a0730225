"""Signing in on the page in a real browser: as a user of the gateway, and with a certified provider."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from tests.providers.gateway import Gateway as Port
from tests.providers.provider import needs_provider, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.process.conftest import Daemon, Page

PASSWORD = "correct horse battery"  # noqa: S105
# Between two pages there is no document.
LIVE = "document.documentElement?.dataset.link === 'live'"
NEEDED = "document.documentElement?.dataset.account === 'needed' && !document.querySelector('#sign-in').hidden"
HIDDEN = "getComputedStyle(document.querySelector('main')).display === 'none'"
SOON = 20.0
KEPT = """
[storage]
path = "{}"
"""
DOOR = """
[sources.door]
kind = "http"
"""
PROVIDED = """
[access.issuers.id]
issuer = "{}"
discovery = true
client = "andond"
title = "Plant ID"

[access.page]
address = "http://127.0.0.1:{}"
"""
CALL = {"department": "maintenance", "priority": "high", "title": "Spindle", "key": "c1"}


class Plant:
    """A daemon with a data directory, where lee is an operator of line 3 and max is an admin."""

    def __init__(self, start: Callable[..., Daemon], directory: Path, more: str = "") -> None:
        self.directory = directory
        self.user("add", "lee", "--role", "operator", "--place", "acme/plant1/line3", "--password-file", "-")
        self.user("add", "max", "--role", "admin", "--password-file", "-")
        self.daemon = start(config=(more or DOOR) + KEPT.format(directory))

    def user(self, *words: str) -> None:
        command = [sys.executable, "-m", "andond", "user", *words, "--data-dir", str(self.directory)]
        subprocess.run(command, input=f"{PASSWORD}\n".encode(), check=True, capture_output=True)

    def raise_call(self, path: str) -> None:
        """As max, who may everywhere."""
        with closing(HTTPConnection("127.0.0.1", self.daemon.port, timeout=SOON)) as link:
            media = {"content-type": "application/json"}
            body = json.dumps({"username": "max", "password": PASSWORD})
            link.request("POST", "/api/v1/auth/login", body, media)
            token = json.loads(link.getresponse().read())["access_token"]
            shown = {**media, "authorization": f"Bearer {token}", "idempotency-key": path}
            told = {"equipment": path, "title": f"at {path}", "type": "maintenance", "priority": "high"}
            link.request("POST", "/api/v1/andon/calls", json.dumps(told), shown)
            answer = link.getresponse()
            said = answer.read()
            assert answer.status in (200, 201, 202), said


@pytest.fixture
def plant(start_daemon: Callable[..., Daemon], tmp_path: Path) -> Plant:
    (tmp_path / "data").mkdir(mode=0o700)
    return Plant(start_daemon, tmp_path / "data")


@pytest.fixture(autouse=True)
def nobody_is_signed_in(page: Page) -> None:
    page.call("Network.clearBrowserCookies")


def fill(page: Page, name: str, password: str = PASSWORD) -> None:
    page.evaluate(f"document.querySelector('#login-name').value = {json.dumps(name)}")
    page.evaluate(f"document.querySelector('#login-password').value = {json.dumps(password)}")
    page.evaluate("document.querySelector('#login').requestSubmit()")


def says(selector: str, words: str) -> str:
    return (
        f"[...document.querySelectorAll({json.dumps(selector)})].some(e => e.textContent.includes({json.dumps(words)}))"
    )


def test_a_user_signs_in_does_what_he_may_and_signs_out(plant: Plant, page: Page) -> None:
    page.open(plant.daemon.url)
    page.wait(NEEDED, SOON)
    assert page.evaluate(HIDDEN)
    fill(page, "lee", "wrong, and long enough")
    page.wait(says("#login-word", "password is wrong"), SOON)
    fill(page, "lee")
    page.wait(LIVE, SOON)
    page.wait(says("#user", "lee · operator"), SOON)
    assert not page.evaluate(HIDDEN)
    # The button makes the header no higher than it is without one.
    high = "['#top', '#user', '#sign-out'].map(e => document.querySelector(e).getBoundingClientRect().height)"
    assert page.evaluate(f"(([header, name, button]) => header < 50 && button <= name + 2)({high})")
    assert page.evaluate("document.querySelector('#who').readOnly && document.querySelector('#who').value") == "lee"
    # An operator is not told how the gateway is; the rest of the page does without it.
    page.wait("!document.querySelector('#gateway').checkVisibility()", SOON)
    page.wait(says("#no-calls", "No call is open"), SOON)
    plant.raise_call("acme/plant1/line3")
    plant.raise_call("acme/plant1/line4")
    page.wait("document.querySelectorAll('.call').length === 2", SOON)
    offered = "[...document.querySelectorAll('.act-acknowledge')].filter(e => e.checkVisibility())"
    assert page.wait(f"{offered}.map(e => e.closest('.call').querySelector('h3').textContent).join()") == "line3"
    assert "You answer calls at acme/plant1/line3" in page.text(".call:not(:has(button:not([hidden])))")
    page.evaluate(f"{offered}[0].click()")
    page.wait(says(".call.taken .place, .call.taken", "line3"), SOON)
    # A type breaks behind its dots, not within a word.
    assert page.evaluate("[...document.querySelectorAll('.type')].some(e => e.innerHTML.startsWith('andon.<wbr>'))")
    # Who is signed in is said once.
    assert not page.evaluate("document.querySelector('#who').checkVisibility()")
    assert page.evaluate("document.cookie") == ""
    page.evaluate("document.querySelector('#sign-out').click()")
    page.wait(NEEDED, SOON)
    assert page.evaluate(HIDDEN)


def test_the_page_of_an_operator_asks_for_nothing_that_it_is_refused(plant: Plant, page: Page) -> None:
    page.open(plant.daemon.url)
    page.wait(NEEDED, SOON)
    fill(page, "lee")
    page.wait(LIVE, SOON)
    page.wait(says("#no-calls", "No call is open"), SOON)
    page.evaluate("new Promise(done => setTimeout(done, 2500))")
    assert page.complaints == []
    files = sorted((plant.directory / "audit").glob("*.jsonl"))
    written = [line for file in files for line in file.read_text().splitlines()]
    assert any('"login"' in line for line in written)
    assert [line for line in written if '"refused"' in line] == []


ANONYMOUS = """
[access]
required = "always"

[access.anonymous]
enabled = true
channels = ["{}"]

[sources.door]
kind = "http"
"""


def test_the_page_of_a_stranger_shows_what_strangers_see_and_offers_no_act(
    start_daemon: Callable[..., Daemon], page: Page
) -> None:
    daemon = start_daemon(config=ANONYMOUS.format("portal/*"))
    page.open(daemon.url)
    page.wait(f"{LIVE} && {says('#read-only', 'read only')}", SOON)
    assert page.evaluate("document.querySelector('#read-only').checkVisibility()")
    for panel in ("board", "alarms", "machines", "summary", "gateway", "actors", "who"):
        assert not page.evaluate(f"document.querySelector('#{panel}').checkVisibility()"), panel
    page.evaluate("new Promise(done => setTimeout(done, 2500))")
    assert page.complaints == []


def test_a_stranger_who_sees_calls_is_offered_no_answer_to_them(
    start_daemon: Callable[..., Daemon], page: Page, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    plant = Plant(start_daemon, tmp_path / "data", ANONYMOUS.format("andon/*"))
    plant.raise_call("acme/plant1/line3")
    page.open(plant.daemon.url)
    page.wait("document.querySelector('.call') !== null", SOON)
    assert not page.evaluate("[...document.querySelectorAll('.acts button')].some(e => e.checkVisibility())")
    assert not page.evaluate("document.querySelector('#who').checkVisibility()")
    assert page.evaluate("document.querySelector('#read-only').checkVisibility()")


def test_who_cannot_be_sent_to_a_provider_reads_so_in_the_look_of_the_page(plant: Plant, page: Page) -> None:
    page.open(f"{plant.daemon.url}auth/login?provider=nobody", 390, 844)
    assert "no such provider" in page.text("#sign-in")
    bounds = "(e => e.getBoundingClientRect().bottom)"
    assert page.evaluate(f"{bounds}(document.querySelector('.way')) < {bounds}(document.querySelector('#sign-in'))")
    assert page.evaluate("getComputedStyle(document.querySelector('.way')).minHeight") == "48px"
    page.evaluate("document.querySelector('.way').click()")
    page.wait(NEEDED, SOON)


def test_whoever_is_sent_away_is_asked_to_sign_in_and_finds_the_view_again(plant: Plant, page: Page) -> None:
    page.open(plant.daemon.url)
    page.wait(NEEDED, SOON)
    fill(page, "max")
    page.wait(LIVE, SOON)
    page.wait(says("#tree strong", "gateway"), SOON)
    page.evaluate(
        "(e => { e.value = 'spindle'; e.dispatchEvent(new Event('input')) })(document.querySelector('#search'))"
    )
    plant.user("logout", "max")
    page.wait(NEEDED, SOON)
    assert page.evaluate(HIDDEN)
    assert "ended" in page.text("#sign-in-why")
    fill(page, "max")
    page.wait(LIVE, SOON)
    assert page.evaluate("document.querySelector('#search').value") == "spindle"
    assert not page.evaluate(HIDDEN)


@needs_provider
def test_somebody_signs_in_with_a_provider_and_is_back_where_he_was(
    start_daemon: Callable[..., Daemon], page: Page
) -> None:
    # The provider must know where to send people back before the gateway can know the provider.
    port = Port()
    port.close()
    with running(port.callback) as provider:
        daemon = start_daemon(port.port, PROVIDED.format(provider.url, port.port))
        page.open(f"{daemon.url}#machines")
        page.wait(NEEDED, SOON)
        page.evaluate(
            "(e => { e.value = 'press'; e.dispatchEvent(new Event('input')) })(document.querySelector('#search'))"
        )
        page.wait(says("#providers .way", "Sign in with Plant ID"), SOON)
        page.wait(
            "fetch('auth/login?provider=id', { redirect: 'manual' }).then(a => a.type === 'opaqueredirect')", SOON
        )
        page.evaluate("document.querySelector('#providers .way').click()")
        page.wait("document.querySelector('input[name=login]') !== null", SOON)
        page.evaluate("document.querySelector('input[name=login]').value = 'lee'")
        page.evaluate("document.querySelector('input[name=password]').value = 'any'")
        page.evaluate("document.querySelector('form').submit()")
        page.wait(f"location.href.startsWith({json.dumps(daemon.url)}) && {LIVE}", SOON)
        page.wait(says("#user", "lee · operator"), SOON)
        assert page.evaluate("location.hash") == "#machines"
        assert page.evaluate("document.querySelector('#search').value") == "press"
        stored = "JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }])"
        assert "eyJ" not in str(page.evaluate(stored))
        page.evaluate("document.querySelector('#sign-out').click()")
        page.wait(f"location.href.startsWith({json.dumps(provider.url)})", SOON)
        page.wait("document.querySelector('button[name=logout]') !== null", SOON)
        page.evaluate("document.querySelector('button[name=logout]').click()")
        page.wait(f"location.href.startsWith({json.dumps(daemon.url)}) && {NEEDED}", SOON)
        written = daemon.log.read_text()
        assert "page.signed_in" in written
        assert "eyJ" not in written
        assert "code=" not in written
