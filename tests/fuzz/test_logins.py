"""What strangers post to log in, renew and log out, at the doors of both predecessors: any bytes, of any media type.

``fuzz_one()`` is the entry for any fuzzer; the corpus beside this file holds what once was worth a thought. The first
byte says which path it is, the second as which media type the rest is posted. A name begins with "good" where the
keeper of the users is asked, with "bad" where nobody needs to be.

Whatever comes is answered by a problem or by what the keeper says, never with an exception, in few bytes, not to be
kept, and nothing that was posted is said back: it may be a password in the wrong place.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors import ChangePassword, Denial, Denied, LogIn, LogOut, Renew, WhoIs
from andond.api import floor_login, portal_login
from andond.api.logins import LOGIN_LIMIT, TOKEN_LIMIT, Logins, NotDone
from config import Secret
from domain.access import PASSWORD_LIMIT
from transport import ClientAddress, Request, Response, Routes

CORPUS = sorted((Path(__file__).parent / "corpus" / "logins").iterdir())
MUTATIONS = 200
MARK = "hunter2-in-the-open"
PATHS = (
    "/api/v1/auth/login",
    "/api/v1/auth/refresh",
    "/api/v1/auth/logout",
    "/api/v1/auth/change-password",
    "/api/v11/login/authenticate",
    "/api/v11/login/refresh",
    "/api/v11/login/logout",
    "/api/v12/auth/login",
)
MEDIA = ("application/json", "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", "")
ANSWER_SIZE = 4096
TOKENS = [
    *[b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1e400", b"\\ud800", b"\\u0000", b"\xff", b"\x00"],
    *[b'"username":', b'"email":', b'"password":', b'"refresh_token":', b'"current_password":', b'"new_password":'],
    *[MARK.encode(), b"' OR 1=1 --", b"${jndi:ldap://x}", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\xf0\x9f\x92\xa9"],
]


class Keeper:
    """Says no to everybody, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    async def ask(self, message: object) -> object:
        await trio.lowlevel.checkpoint()
        self.asked.append(message)
        raise NotDone(Denied(Denial.CREDENTIALS, "name or password is wrong"))


KEEPER = Keeper()


def routes() -> Routes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Logins, "__init__", lambda logins, _environment, door: setattr(logins, "door", door))
        made = Routes()
        floor_login.register(made, None)
        portal_login.register(made, None)
    return made


ROUTES = routes()


@pytest.fixture(autouse=True)
def keeper(monkeypatch):
    monkeypatch.setattr(Logins, "ask", lambda _logins, message: KEEPER.ask(message))


def fuzz_one(data: bytes) -> bool:
    """Post ``data``; returns whether the keeper of the users was asked."""
    path = PATHS[data[0] % len(PATHS)] if data else PATHS[0]
    media = MEDIA[data[1] % len(MEDIA)] if data[1:] else MEDIA[0]
    headers = {"content-type": media} if media else {}
    KEEPER.asked.clear()
    address = ClientAddress("192.0.2.7", 5)
    request = Request("POST", path, {}, headers, data[2:], address, secure=True, target=path)
    check_answer(trio.run(ROUTES, request))
    for message in KEEPER.asked:
        check_question(message)
    return bool(KEEPER.asked)


def check_answer(answer: Response) -> None:
    assert answer.status in {401, 422}
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.body) < ANSWER_SIZE
    assert MARK not in answer.body.decode()
    assert not any(MARK in value or "\n" in value or "\r" in value for value in answer.headers.values())
    said = json.loads(answer.body)
    assert said["status"] == answer.status
    assert said["message"]
    assert (answer.status == 401) == ("www-authenticate" in answer.headers)


def check_question(message: object) -> None:
    """What the keeper is asked is bounded, and shows no secret."""
    match message:
        case LogIn(login=login, password=password):
            assert len(login) <= LOGIN_LIMIT
            secrets = [(password, PASSWORD_LIMIT)]
        case ChangePassword(token=token, password=present, wanted=wanted):
            secrets = [(token, TOKEN_LIMIT), (present, PASSWORD_LIMIT), (wanted, PASSWORD_LIMIT)]
        case Renew(token=token) | LogOut(token=token) | WhoIs(token=token):
            secrets = [(token, TOKEN_LIMIT)]
        case _:
            raise AssertionError(message)
    for secret, limit in secrets:
        assert isinstance(secret, Secret)
        assert len(secret.reveal()) <= limit
        assert MARK not in f"{secret!r}{secret}"


def mutated(chance: random.Random, data: bytes) -> bytes:
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutant) + 1)
        what = chance.randrange(4)
        if what == 0:
            mutant[at : at + chance.randint(1, 8)] = b""
        elif what == 1:
            mutant[at:at] = chance.choice(TOKENS)
        elif what == 2:
            mutant[at : at + 1] = bytes((chance.randrange(256),))
        else:
            other = chance.choice(CORPUS).read_bytes()
            start = chance.randrange(len(other) + 1)
            mutant[at : at + 16] = other[start : start + 16]
    return bytes(mutant)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_corpus_is_what_its_names_say(path):
    kind = path.name.split("-")[0]
    assert kind in {"good", "bad"}
    assert fuzz_one(path.read_bytes()) is (kind == "good")


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_no_mutation_of_a_body_raises_anything_or_is_said_back(path):
    chance = random.Random(path.name)
    data = path.read_bytes()
    if len(data) < 5000:
        for _ in range(MUTATIONS):
            fuzz_one(mutated(chance, data))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_noise_raises_anything(data):
    fuzz_one(data)


members = st.sampled_from(
    ["username", "email", "password", "refresh_token", "refreshToken", "current_password", "new_password", "everywhere"]
)
words = st.sampled_from([MARK, f"{MARK}\r\nSet-Cookie: a=b", f"{MARK}\u202e", "", "x" * 9000]) | st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
bodies = st.dictionaries(members | words, values, max_size=5) | values


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 255), st.integers(0, 4), bodies)
def test_whatever_is_posted_is_answered_and_not_said_back(path, media, body):
    fuzz_one(bytes((path, media)) + json.dumps(body).encode())
