"""The login paths of both predecessors, answered by a real keeper of users; the bodies are held to their types."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import msgspec
import pytest

from actors import Accounts, Tokens
from actors.runtime import ActorSystem, ChildSpec, Policy, Supervisor
from andond.api import floor_login, portal_login
from andond.api.login_types import FloorDone, FloorLogin, FloorUser, PortalDone, PortalLogin, PortalVerified
from andond.api.problem_types import Problem
from andond.identities import Identities, Terms
from config import Secret, UserSettings
from domain.access import USER_PATIENCE, AccessPolicy, CertificateHolder, Certificates, Revocations, User
from storage import Users, hashed_password, passwords
from telemetry import events, logs
from transport import ClientAddress, Request, Routes, TokenMint, TokenVerifier, secret_signer

AT = 1_800_000_000.0
PASSWORD = "correct horse battery"  # noqa: S105
ANOTHER = "another horse battery"
WRONG = "wrong horse battery"
ANNA = User(
    "u1", "anna", ("operator", "quality"), "anna@example.com", places=("acme/p1/l3",), department="press", shift="early"
)
FLOOR, PORTAL = "/api/v1/auth/login", "/api/v11/login/authenticate"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    passwords._hasher.cache_clear()
    passwords.hash_of_nobody.cache_clear()
    monkeypatch.setattr(passwords, "PASSES", 1)
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    yield
    passwords._hasher.cache_clear()
    passwords.hash_of_nobody.cache_clear()


class Client:
    """Asks the table of routes; every answer says that it is not to be kept."""

    def __init__(self, routes: Routes, verifier: TokenVerifier) -> None:
        self._routes = routes
        self.verifier = verifier
        self.now = AT

    async def ask(
        self, method: str, path: str, body: object = None, token: str = "", certificate: str = "", **headers: str
    ):
        if token:
            headers["authorization"] = f"Bearer {token}"
        sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("content-type", "application/json")
        request = Request(
            method, path, {}, headers, sent, ClientAddress("192.0.2.7", 5), secure=False, target=path,
            certificate=certificate,
        )  # fmt: skip
        answer = await self._routes(request)
        assert answer.headers["cache-control"] == "no-store"
        return answer

    async def post(self, path: str, body: object = None, token: str = "", *, status: int = 200):
        answer = await self.ask("POST", path, body, token)
        assert answer.status == status, answer.body
        return json.loads(answer.body)

    async def get(self, path: str, token: str = "", *, status: int = 200):
        answer = await self.ask("GET", path, None, token)
        assert answer.status == status, answer.body
        return json.loads(answer.body)


@asynccontextmanager
async def serving(directory):
    users = Users.open(directory)
    users.add(ANNA, hashed_password(PASSWORD))
    users.close()
    mint, revocations = TokenMint(secret_signer(Secret("s" * 32))), Revocations()
    verifier = TokenVerifier(revocations)
    verifier.trust_own(mint.trusted)
    routes = Routes()
    client = Client(routes, verifier)
    async with ActorSystem.open() as system:
        args = (directory, UserSettings, Tokens(mint, verifier, revocations))
        spec = ChildSpec("accounts", Accounts, args, {"clock": lambda: client.now})
        root = system.start(Supervisor, "gateway", [ChildSpec("watches", Supervisor, ([spec],))], Policy())
        await system.settled(root)
        press = CertificateHolder("CN=press3,O=Acme", "press3", ("publisher",), "acme", ("acme/p1/l3",))
        terms = Terms(AccessPolicy(), certificates=Certificates([press]))
        floor_login.register(routes, system.environment, Identities(lambda: terms))
        portal_login.register(routes, system.environment)
        yield client


@pytest.fixture
async def client(tmp_path):
    async with serving(tmp_path) as client:
        yield client


def held(type_: type, said: object) -> None:
    """What is said has all members of ``type_``, and no other."""
    assert msgspec.to_builtins(msgspec.convert(said, type_)) == said


async def test_a_certificate_that_counts_says_who_its_client_is_unless_a_token_is_shown(client, monkeypatch):
    lines = []
    monkeypatch.setattr(events, "token_refused", lambda **said: lines.append(said))
    me = "/api/v1/auth/me"
    answer = await client.ask("GET", me, certificate="CN=press3,O=Acme")
    said = json.loads(answer.body)
    held(FloorUser, said)
    assert (answer.status, said["id"], said["name"]) == (200, "CN=press3,O=Acme", "press3")
    assert (said["roles"], said["tenant"], said["places"]) == (["publisher"], "acme", ["acme/p1/l3"])
    for options in ({"certificate": "CN=other"}, {}):
        assert (await client.ask("GET", me, **options)).status == 401
    assert lines == []
    assert (await client.ask("GET", me, token="bad", certificate="CN=press3,O=Acme")).status == 401  # noqa: S106
    assert lines == [{"reason": "ended", "client": "192.0.2.7", "door": me}]


# -- the floor ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [{"username": "Anna"}, {"email": "anna@example.com"}, {"username": "anna@example.com"}]
)
async def test_the_floor_s_clients_log_in_by_name_or_address(client, body):
    said = await client.post(FLOOR, {**body, "password": PASSWORD})
    held(FloorLogin, said)
    assert (said["token_type"], said["expires_in"], said["token"]) == ("bearer", 1800, said["access_token"])
    user = said["user"]
    assert (user["id"], user["username"], user["role"], user["roles"]) == (
        "u1",
        "anna",
        "operator",
        ["operator", "quality"],
    )
    assert (user["department"], user["shift"], user["is_active"]) == ("press", "early", True)
    assert client.verifier.verify(said["access_token"], AT).subject == "u1"


async def test_a_floor_s_login_is_renewed_in_the_body_or_in_the_header_and_once(client):
    first = await client.post(FLOOR, {"username": "anna", "password": PASSWORD})
    second = await client.post("/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    held(FloorLogin, second)
    third = await client.post("/api/v1/auth/refresh", token=second["refresh_token"])
    await client.post("/api/v1/auth/refresh", {"refresh_token": second["refresh_token"]}, status=401)
    await client.post("/api/v1/auth/refresh", {"refresh_token": third["refresh_token"]}, status=401)
    await client.get("/api/v1/auth/me", third["access_token"], status=401)


@pytest.mark.parametrize("path", ["me", "profile"])
async def test_who_is_there_is_told_to_who_shows_its_token(client, path):
    token = (await client.post(FLOOR, {"username": "anna", "password": PASSWORD}))["access_token"]
    said = await client.get(f"/api/v1/auth/{path}", token)
    held(FloorUser, said)
    assert (said["email"], said["places"]) == ("anna@example.com", ["acme/p1/l3"])


async def test_who_logs_out_of_the_floor_is_out(client):
    said = await client.post(FLOOR, {"username": "anna", "password": PASSWORD})
    other = await client.post(FLOOR, {"username": "anna", "password": PASSWORD})
    held(FloorDone, await client.post("/api/v1/auth/logout", token=said["access_token"]))
    await client.get("/api/v1/auth/me", said["access_token"], status=401)
    await client.get("/api/v1/auth/me", other["access_token"])
    await client.post("/api/v1/auth/logout", {"refresh_token": other["refresh_token"], "everywhere": True})
    await client.get("/api/v1/auth/me", other["access_token"], status=401)


async def test_another_password_is_taken_with_the_present_one(client):
    token = (await client.post(FLOOR, {"username": "anna", "password": PASSWORD}))["access_token"]

    async def change(present: str, wanted: str, status: int):
        body = {"current_password": present, "new_password": wanted}
        return await client.post("/api/v1/auth/change-password", body, token, status=status)

    wrong = await change(WRONG, ANOTHER, 422)
    assert wrong["details"]["faults"][0]["pointer"] == "/current_password"
    weak = await change(PASSWORD, "short", 422)
    assert weak["details"]["faults"][0]["pointer"] == "/new_password"
    held(FloorDone, await change(PASSWORD, ANOTHER, 200))
    await client.post(FLOOR, {"username": "anna", "password": PASSWORD}, status=401)
    await client.post(FLOOR, {"username": "anna", "password": ANOTHER})


# -- the portal -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v11", "v12"])
@pytest.mark.parametrize("path", ["login/authenticate", "auth/login"])
async def test_the_portal_s_clients_log_in(client, version, path):
    said = await client.post(f"/api/{version}/{path}", {"username": "anna", "password": PASSWORD})
    held(PortalLogin, said)
    roles = ["OPERATOR", "QUALITY"]
    assert said["user"] == {"id": "u1", "username": "anna", "email": "anna@example.com", "roles": roles}
    assert (said["success"], said["expiresIn"]) == (True, 1800)
    assert said["sessionId"] == client.verifier.verify(said["token"], AT).session


@pytest.mark.parametrize("version", ["v11", "v12"])
async def test_the_portal_s_way_through_a_login(client, version):
    base = f"/api/{version}/login"
    first = await client.post(f"{base}/authenticate", {"username": "anna", "password": PASSWORD})
    client.now += 300
    verified = await client.get(f"{base}/verify", first["token"])
    held(PortalVerified, verified)
    assert (verified["valid"], verified["expiresIn"], verified["sessionId"]) == (True, 1500, first["sessionId"])
    second = await client.post(f"{base}/refresh", token=first["refreshToken"])
    held(PortalLogin, second)
    held(PortalDone, await client.post(f"{base}/logout", token=second["token"]))
    said = await client.get(f"{base}/verify", second["token"], status=401)
    assert said["success"] is False
    await client.post(f"{base}/refresh", token=second["refreshToken"], status=401)


# -- how a no is said -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [FLOOR, PORTAL])
async def test_a_no_is_a_problem_in_the_words_of_both_and_asks_for_a_login(client, path):
    answer = await client.ask("POST", path, {"username": "anna", "password": WRONG})
    said = json.loads(answer.body)
    msgspec.convert(said, Problem)
    assert (answer.status, said["status"], said["error"], said["details"]) == (401, 401, "UNAUTHORIZED", {})
    assert said["message"] == said["detail"] != ""
    assert answer.headers["www-authenticate"] == 'Bearer realm="andond"'
    assert WRONG not in answer.body.decode()


@pytest.mark.parametrize("path", [FLOOR, PORTAL])
async def test_the_same_is_said_whoever_is_not_let_in(client, path):
    answers = [
        await client.ask("POST", path, {"username": name, "password": WRONG})
        for name in ("anna", "nobody", "a@b.example")
    ]
    assert len({(answer.status, answer.body, tuple(answer.headers.items())) for answer in answers}) == 1


async def test_who_is_held_off_is_told_when_to_come_again(client):
    for _ in range(USER_PATIENCE.free):
        await client.post(FLOOR, {"username": "anna", "password": WRONG}, status=401)
    answer = await client.ask("POST", FLOOR, {"username": "anna", "password": PASSWORD})
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    said = json.loads(answer.body)
    assert (said["error"], said["retry_after"], said["temporary"]) == ("TOO_MANY_REQUESTS", 1.0, True)
    client.now += 1
    await client.post(FLOOR, {"username": "anna", "password": PASSWORD})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/username"),
        ({"username": "anna"}, "/password"),
        ({"password": PASSWORD}, "/username"),
        ({"username": 1, "password": PASSWORD}, "/username"),
        ({"username": "anna", "password": ["x"]}, "/password"),
        ({"username": "x" * 257, "password": PASSWORD}, "/username"),
        ({"username": "anna", "password": "x" * 1025}, "/password"),
        ([], ""),
        (b"{", ""),
        (b'{"username": "\\ud800", "password": "x"}', ""),
    ],
)
@pytest.mark.parametrize("path", [FLOOR, PORTAL])
async def test_a_body_that_is_not_understood_is_422_at_its_member(client, path, body, pointer):
    said = await client.post(path, body, status=422)
    assert (said["error"], said["details"]["faults"][0]["pointer"]) == ("VALIDATION_ERROR", pointer)


async def test_a_page_of_another_origin_cannot_log_anybody_in_with_a_form(client):
    sent = b'{"username": "anna", "password": "correct horse battery"}'
    answer = await client.ask("POST", FLOOR, sent, **{"content-type": "text/plain"})
    assert answer.status == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/auth/refresh"),
        ("POST", "/api/v1/auth/logout"),
        ("GET", "/api/v1/auth/me"),
        ("GET", "/api/v1/auth/profile"),
        ("POST", "/api/v11/login/refresh"),
        ("POST", "/api/v11/login/logout"),
        ("GET", "/api/v11/login/verify"),
    ],
)
async def test_without_a_token_or_with_what_is_none_nothing_is_done(client, method, path):
    missing = await client.ask(method, path)
    assert (missing.status, missing.headers["www-authenticate"]) == (401, 'Bearer realm="andond"')
    for token in ("x", "a.b.c", "{}"):
        bad = await client.ask(method, path, token=token)
        assert bad.status == 401
        assert 'error="invalid_token"' in bad.headers["www-authenticate"]
        assert token not in json.loads(bad.body).values()


async def test_nothing_of_a_login_that_is_secret_gets_into_the_log(client, capsys, monkeypatch):
    monkeypatch.setattr(logs.log, "_seconds", {})
    logs.configure("logfmt", "debug")
    said = await client.post(FLOOR, {"username": "anna", "password": PASSWORD})
    await client.post(FLOOR, {"username": WRONG, "password": PASSWORD}, status=401)
    again = await client.post("/api/v1/auth/refresh", {"refresh_token": said["refresh_token"]})
    await client.post("/api/v1/auth/logout", token=again["access_token"])
    written = "".join(capsys.readouterr())
    assert "login.succeeded" in written
    assert "login.refused" in written
    for secret in (PASSWORD, WRONG, said["access_token"], said["refresh_token"], again["access_token"]):
        assert secret not in written


async def test_without_the_keeper_of_users_everybody_is_told_to_come_again():
    routes = Routes()
    async with ActorSystem.open() as system:
        floor_login.register(routes, system.environment)
        client = Client(routes, TokenVerifier())
        answer = await client.ask("POST", FLOOR, {"username": "anna", "password": PASSWORD})
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
