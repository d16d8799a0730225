"""Signing in on the page with a certified provider, and its tokens at every door."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from msgspec.structs import replace
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from config import IssuerSettings, Secret
from config.page import PageSettings
from tests.providers.gateway import Gateway, Person, standing, until
from tests.providers.provider import Provider, needs_provider, running

pytestmark = needs_provider


class House:
    """A gateway, and providers by the names that it has for them."""

    def __init__(self, gateway: Gateway, stack: ExitStack) -> None:
        self.gateway = gateway
        self.providers: dict[str, Provider] = {}
        self._stack = stack

    def person(self) -> Person:
        return Person(self.gateway)

    def provide(self, name: str = "id", **told: object) -> IssuerSettings:
        provider = self._stack.enter_context(running(self.gateway.callback, **told))
        self.providers[name] = provider
        return IssuerSettings(issuer=provider.url, discovery=True, client="andond", title="Plant ID")


@contextmanager
def building() -> Iterator[Callable[..., House]]:
    with ExitStack() as stack:

        def build(*, page: PageSettings | None = None, more: tuple[str, ...] = (), **told: object) -> House:
            made = House(stack.enter_context(standing()), stack)
            issuers = {name: made.provide(name, **told) for name in ("id", *more)}
            made.gateway.start(page=page, **issuers)
            until(lambda: all(made.gateway.verifier.ring(name).provider for name in issuers))
            return made

        yield build


@pytest.fixture
def house() -> Iterator[Callable[..., House]]:
    """Builds a gateway with one provider called ``id``; ``told`` is what the provider is told."""
    with building() as build:
        yield build


@pytest.fixture(scope="module")
def at_id() -> Iterator[House]:
    """A gateway and its provider for who changes nothing of them."""
    with building() as build:
        yield build()


def changed(url: str, **members: str) -> str:
    """``url`` with other members in its query; an empty one is left out."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | members
    return parts._replace(query=urlencode({name: value for name, value in query.items() if value})).geturl()


def close_code(stream: ClientConnection) -> int:
    """What it is closed with, whatever comes before."""
    with suppress(ConnectionClosed):
        while True:
            stream.recv(timeout=20)
    return stream.close_code or 0


def connect(stream: ClientConnection) -> dict[str, object]:
    stream.send(json.dumps({"id": 1, "connect": {"client": "test"}}))
    return json.loads(stream.recv(timeout=20))


def test_who_signs_in_is_known_everywhere_on_the_page_and_no_script_sees_a_token(at_id: House) -> None:
    lee = at_id.person()
    assert lee.get("/api/v1/andon/calls").status == 401
    assert lee.session()["providers"] == [{"name": "id", "title": "Plant ID"}]
    there = lee.begin()
    assert there.status == 303
    assert there.location.startswith(at_id.providers["id"].url)
    back = lee.sign_in_there(there.location, "lee").location
    done = lee.get(back)
    assert (done.status, done.location) == (303, at_id.gateway.url)
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(done.headers["set-cookie"].split("; "))
    said = lee.session()
    assert said["user"] == {
        "name": "lee", "roles": ["operator"], "tenant": "", "places": ["acme/plant1/line3"], "proof": "token",
        "until": said["user"]["until"],
    }  # fmt: skip
    assert "eyJ" not in json.dumps(said)
    assert lee.get("/api/v1/andon/calls").status == 200
    assert lee.get("/statusz").status == 403
    with lee.stream() as stream:
        assert "connect" in connect(stream)


def test_the_browser_is_sent_with_all_that_keeps_the_answer_its_own(at_id: House) -> None:
    one, other = at_id.person().begin(), at_id.person().begin()
    assert one.query["response_type"] == "code"
    assert one.query["redirect_uri"] == at_id.gateway.callback
    assert one.query["code_challenge_method"] == "S256"
    assert len(one.query["code_challenge"]) == 43
    assert "openid" in one.query["scope"].split()
    assert all(one.query[name] != other.query[name] for name in ("state", "nonce", "code_challenge"))
    assert "SameSite=Lax" in one.headers["set-cookie"]


def test_a_wrong_state_signs_nobody_in(at_id: House) -> None:
    lee = at_id.person()
    back = lee.back_from("lee")
    for state in ("", "x", "a.b", "ü", f"{'A' * 40}.{'B' * 43}"):
        said = lee.finish(changed(back, state=state))
        assert (said.status, "set-cookie" in said.headers) == (400, False)
        assert "not begun in this browser" in str(said.body)
    assert lee.user is None
    assert lee.get(back).status == 303


def test_what_one_browser_began_no_other_can_finish(at_id: House) -> None:
    lee, victim = at_id.person(), at_id.person()
    back = lee.back_from("lee")
    victim.begin()
    said = victim.finish(back)
    assert said.status == 400
    assert "not begun in this browser" in str(said.body)
    assert victim.user is None


def test_two_tabs_of_one_browser_may_sign_in_at_a_time(at_id: House) -> None:
    lee = at_id.person()
    first, second = lee.begin(), lee.begin()
    back = lee.sign_in_there(first.location, "lee").location
    later = lee.sign_in_there(second.location, "lee").location
    assert lee.get(back).status == 303
    assert lee.get(later).status == 303


def test_a_code_counts_once(at_id: House) -> None:
    lee = at_id.person()
    back = lee.back_from("lee")
    assert lee.get(back).status == 303
    said = lee.finish(back)
    assert said.status == 400
    assert "finished before" in str(said.body)


def test_a_code_that_was_used_is_refused_by_the_provider_too(at_id: House) -> None:
    lee = at_id.person()
    used = lee.back_from("lee")
    assert lee.get(used).status == 303
    code = parse_qs(urlsplit(used).query)["code"][0]
    said = lee.finish(changed(lee.back_from("lee"), code=code))
    assert said.status == 400
    assert "does not accept this sign-in" in str(said.body)


def test_a_code_of_another_sign_in_does_not_fit_the_verifier_of_this_one(at_id: House) -> None:
    lee, thief = at_id.person(), at_id.person()
    stolen = parse_qs(urlsplit(lee.back_from("lee")).query)["code"][0]
    assert thief.finish(changed(thief.back_from("ann"), code=stolen)).status == 400
    assert thief.user is None


def test_an_id_token_with_another_nonce_signs_nobody_in(at_id: House) -> None:
    lee = at_id.person()
    back = lee.sign_in_there(changed(lee.begin().location, nonce="another"), "lee").location
    said = lee.finish(back)
    assert said.status == 400
    assert "does not belong to this sign-in" in str(said.body)
    assert lee.user is None


def test_the_provider_sends_nobody_to_another_address(at_id: House) -> None:
    lee = at_id.person()
    refused = lee.get(changed(lee.begin().location, redirect_uri="https://evil.example/auth/callback"))
    assert refused.status == 400
    assert not refused.location


@pytest.mark.parametrize("away", ["next", "redirect_uri", "return_to", "at"])
def test_nobody_is_led_elsewhere_by_an_address(at_id: House, away: str) -> None:
    lee = at_id.person()
    there = lee.get(f"/auth/login?provider=id&{away}=https://evil.example/")
    assert there.query["redirect_uri"] == at_id.gateway.callback
    back = changed(lee.sign_in_there(there.location, "lee").location, **{away: "https://evil.example/"})
    assert lee.get(back).location == at_id.gateway.url


def test_an_answer_of_another_provider_is_not_taken(house: Callable[..., House]) -> None:
    both = house(more=("other",))
    lee = both.person()
    back = lee.back_from("lee", "id")
    for issuer in (both.providers["other"].url, "https://evil.example", "", both.providers["id"].url + "/"):
        said = lee.finish(changed(back, iss=issuer))
        assert said.status == 400
        assert "another provider" in str(said.body)
    # The same with the state of the one and the code of the other.
    state = both.person().begin("other").query["state"]
    assert lee.finish(changed(back, state=state)).status == 400
    mine = lee.begin("other").query["state"]
    assert lee.finish(changed(back, state=mine)).status == 400
    assert "POST /token" not in both.providers["other"].do("tell")["asked"]
    assert lee.user is None
    assert lee.sign_in("lee", "other").status == 303


def test_who_says_no_at_the_provider_is_told_so(at_id: House) -> None:
    lee = at_id.person()
    state = lee.begin().query["state"]
    asked = urlencode({"error": "access_denied", "error_description": "<b>x", "state": state})
    said = lee.finish(f"/auth/callback?{asked}&{urlencode({'iss': at_id.providers['id'].url})}")
    assert said.status == 403
    assert "access_denied" in str(said.body)
    assert "<b>" not in str(said.body)


def test_who_has_no_role_here_is_told_so(at_id: House) -> None:
    ole = at_id.person()
    said = ole.sign_in("ole")
    assert said.status == 403
    assert "no role" in str(said.body)
    assert "<strong>ole</strong>" in str(said.body)
    assert "Ask whoever looks after the accounts of Plant ID for a role here" in str(said.body)
    assert ole.user is None


def test_a_reason_is_told_in_the_look_of_the_page_to_the_browser_that_it_is_for(at_id: House) -> None:
    ole, other = at_id.person(), at_id.person()
    there = ole.get(ole.back_from("ole"))
    assert (there.status, there.location) == (303, f"{at_id.gateway.url}auth/refused")
    said = ole.get(there.location)
    assert '<link rel="stylesheet" href="../page/page.css">' in str(said.body)
    assert f'href="{at_id.gateway.url}">Back to the page' in str(said.body)
    assert "script" not in said.headers["content-security-policy"]
    told = other.get(there.location)
    assert (told.status, "ole" in str(told.body)) == (400, False)
    at_id.gateway.ahead += 601
    assert "ole" not in str(ole.get(there.location).body)


@pytest.mark.parametrize("form", ["jwt", "opaque"])
def test_realm_roles_and_client_roles_are_mapped(house: Callable[..., House], form: str) -> None:
    made = house(format=form)
    mapped = IssuerSettings(
        issuer=made.providers["id"].url, discovery=True, client="andond", role_map={"plant-lead": "shift_manager"}
    )
    made.gateway.verifier.apply({"id": mapped})
    ann = made.person()
    assert ann.sign_in("ann").status == 303
    assert ann.session()["user"]["roles"] == ["shift_manager"]


@pytest.mark.parametrize("form", ["jwt", "opaque"])
def test_a_sign_in_is_renewed_in_the_background(house: Callable[..., House], form: str) -> None:
    made = house(format=form)
    lee = made.person()
    lee.sign_in("lee")
    provider = made.providers["id"]
    before = provider.do("tell")["asked"].count("POST /token")
    provider.do("change", people={"lee": {"roles": ["viewer"]}})
    with lee.stream() as stream:
        connect(stream)
        made.gateway.ahead += 2500
        until(lambda: provider.do("tell")["asked"].count("POST /token") > before)
        until(lambda: lee.session()["user"]["roles"] == ["viewer"])
        # It has other rights now, and is to come back with them.
        assert close_code(stream) == 4201
    # Its first token has ended by now.
    made.gateway.ahead += 1200
    assert lee.get("/api/v1/andon/calls").status == 200


def test_a_sign_in_that_the_provider_does_not_renew_ends_with_its_links(house: Callable[..., House]) -> None:
    at_id = house()
    lee = at_id.person()
    lee.sign_in("lee")
    at_id.providers["id"].do("change", people={})
    with lee.stream() as stream:
        connect(stream)
        at_id.gateway.ahead += 2500
        assert close_code(stream) == 4004
    assert lee.get("/api/v1/andon/calls").status == 401
    said = lee.session()
    assert (said["user"], bool(said["ended"])) == (None, True)


def test_a_provider_that_is_away_ends_no_sign_in_at_once_and_begins_none(house: Callable[..., House]) -> None:
    made = house(page=None)
    lee = made.person()
    lee.sign_in("lee")
    late = made.person()
    back = late.back_from("ann")
    made.providers["id"].kill()
    assert late.finish(back).status == 503
    made.gateway.ahead += 3700
    # Longer than its token, and shorter than the outage that sessions outlive.
    assert lee.get("/api/v1/andon/calls").status == 200
    made.gateway.ahead += 3700
    until(lambda: lee.get("/api/v1/andon/calls").status == 401)


def test_a_session_ends_when_its_time_is_over(house: Callable[..., House]) -> None:
    made = house()
    lee = made.person()
    lee.sign_in("lee")
    made.gateway.ahead += 12 * 3600 + 1
    said = lee.get("/api/v1/andon/calls")
    assert said.status == 401
    assert "sign in again" in str(said.body)
    assert lee.user is None
    # The cookie was taken back, and so nobody is refused any more for showing it.
    assert lee.secret == ""


def test_without_a_refresh_token_a_session_ends_with_its_token(house: Callable[..., House]) -> None:
    made = house(refresh=False)
    lee = made.person()
    lee.sign_in("lee")
    made.gateway.ahead += 3500
    assert lee.get("/api/v1/andon/calls").status == 200
    made.gateway.ahead += 200
    assert lee.get("/api/v1/andon/calls").status == 401


def test_keys_may_change_between_two_sign_ins(house: Callable[..., House]) -> None:
    at_id = house()
    assert at_id.person().sign_in("lee").status == 303
    at_id.providers["id"].do("rotate")
    assert at_id.person().sign_in("lee").status == 303


def test_a_client_with_a_secret_proves_who_it_is(house: Callable[..., House]) -> None:
    made = house(secret="with: signs & more")  # noqa: S106
    lee = made.person()
    settings = IssuerSettings(issuer=made.providers["id"].url, discovery=True, client="andond")
    assert lee.sign_in("lee").status == 503
    access = made.gateway.present.settings.access
    proved = replace(settings, client_secret=Secret("with: signs & more"))
    made.gateway.present.settings = replace(
        made.gateway.present.settings, access=replace(access, issuers={"id": proved})
    )
    assert lee.sign_in("lee").status == 303


def test_signing_out_ends_the_session_and_leads_to_the_providers_own_end(at_id: House) -> None:
    lee = at_id.person()
    lee.sign_in("lee")
    with lee.stream() as stream:
        connect(stream)
        secret = lee.secret
        said = lee.post("/auth/logout")
        assert said.status == 200
        leave = said.body["leave"]
        assert leave.startswith(at_id.providers["id"].url)
        assert "eyJ" not in leave
        assert parse_qs(urlsplit(leave).query)["post_logout_redirect_uri"] == [at_id.gateway.url]
        assert close_code(stream) == 4004
    assert lee.secret == ""
    lee.cookies[f"127.0.0.1:{at_id.gateway.port}"][f"andond-{at_id.gateway.port}"] = secret
    assert lee.get("/api/v1/andon/calls").status == 401


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/session", "/api/v1/andon/calls"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "null"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_no_other_page_can_do_anything_with_the_cookie(at_id: House, path: str, headers: dict[str, str]) -> None:
    lee = at_id.person()
    lee.sign_in("lee")
    assert lee.post(path, {"username": "lee", "password": "x"}, **headers).status in (401, 403)
    assert lee.user == "lee"


def test_no_other_page_can_open_a_stream_with_the_cookie(at_id: House) -> None:
    lee = at_id.person()
    lee.sign_in("lee")
    with lee.stream(sec_fetch_site="same-site") as stream:
        assert connect(stream)["error"]["code"] == 101


def test_a_token_of_the_provider_opens_every_door_as_a_bearer(house: Callable[..., House]) -> None:
    at_id = house()
    lee = at_id.person()
    token = access_token(at_id, lee)
    tool = at_id.person()
    assert tool.get("/api/v1/andon/calls", authorization=f"Bearer {token}").status == 200
    with tool.stream(authorization=f"Bearer {token}") as stream:
        assert "connect" in connect(stream)
    at_id.providers["id"].do("rotate")
    newer = access_token(at_id, lee)
    until(lambda: tool.get("/api/v1/andon/calls", authorization=f"Bearer {newer}").status == 200)
    at_id.gateway.ahead += 3700
    said = tool.get("/api/v1/andon/calls", authorization=f"Bearer {newer}")
    assert said.status == 401
    assert "expired" in said.headers["www-authenticate"]


def access_token(at_id: House, lee: Person) -> str:
    """A token that a tool of the plant got from the provider by itself."""
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = lee.sign_in_there(changed(lee.begin().location, code_challenge=challenge), "lee").location
    fields = {
        "grant_type": "authorization_code", "code": parse_qs(urlsplit(back).query)["code"][0], "client_id": "andond",
        "redirect_uri": at_id.gateway.callback, "code_verifier": verifier,
    }  # fmt: skip
    url = at_id.providers["id"].url + "/token"
    said = lee.ask("POST", url, urlencode(fields), content_type="application/x-www-form-urlencoded")
    return said.body["access_token"]
