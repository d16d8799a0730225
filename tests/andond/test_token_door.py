from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from actors import Withdrawn
from andond.floor_doors import DeniedSession
from andond.identities import OPEN, Identities, Terms
from andond.token_door import TokenDoor
from domain.access import (
    AccessPolicy,
    Family,
    Identity,
    Proof,
    TokenFault,
    TokenRefused,
    Why,
    ended,
    superseded,
)
from transport import ClientAddress, Close, Request, Response

AT = 1_800_000_000.0
ANNA = Identity(
    "u1", "anna", frozenset({"viewer"}), Proof.LOCAL, session="f1", expires_at=AT + 1800, issued_at=AT
)  # fmt: skip


def decoded(data: bytes) -> dict[str, object]:
    return json.loads(data[{126: 4, 127: 10}.get(data[1], 2) :])


class Verifier:
    def verify(self, token: str, _at: float) -> Identity:
        if token == "away":  # noqa: S105
            raise TokenRefused(TokenFault.UNKNOWN_KEY, retry_after=1.0)
        if token != "good":  # noqa: S105
            raise TokenRefused(TokenFault.EXPIRED)
        return ANNA


class Link:
    def __init__(self) -> None:
        self.id = "c1"
        self.closing = None
        self.sent: list[dict[str, object]] = []
        self.stream = SimpleNamespace(send=lambda frame: self.sent.append(decoded(frame.data)))

    def close(self, code: int, reason: str) -> None:
        self.closing = (code, reason)


class Rig:
    def __init__(self, terms: Terms) -> None:
        self.withdrawn = Withdrawn()
        self.door = TokenDoor(Identities(lambda: terms, lambda: AT), self.withdrawn, lambda: AT)
        self.link = Link()

    def open(self, **headers: str):
        request = Request(
            "GET", "/ws/tokens", {}, headers, b"", ClientAddress("192.0.2.7"), secure=False, target="/ws/tokens"
        )
        self.found = self.door(request)
        assert not isinstance(self.found, Response)
        self.session = self.found.context.session(self.link, request)
        return self.session.opened(AT)

    @property
    def told(self) -> list[object]:
        return [each["type"] for each in self.link.sent]


@pytest.fixture
def rig():
    return Rig(Terms(AccessPolicy(), verifier=Verifier()))


def family(name: str = "f1", user: str = "u1") -> Family:
    return Family(name, user, AT, AT)


def test_another_path_is_left_to_others(rig):
    request = Request("GET", "/ws/x", {}, {}, b"", ClientAddress("192.0.2.7"), secure=False, target="/ws/x")
    assert rig.door(request) is None


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer bad"}, {"sec-websocket-protocol": "bearer, bad"}])
def test_who_shows_no_good_token_is_closed_with_the_predecessor_s_code(rig, headers):
    (step,) = rig.open(**headers)
    assert isinstance(rig.session, DeniedSession)
    assert isinstance(step, Close)
    assert step.code == 1008
    assert len(rig.withdrawn) == 0


def test_a_browser_s_handshake_names_what_was_agreed_on(rig):
    rig.open(**{"sec-websocket-protocol": "bearer, good"})
    assert rig.found.subprotocols == ("bearer",)


def test_while_keys_are_fetched_a_client_is_told_to_come_again(rig):
    headers = {"authorization": "Bearer away"}
    request = Request(
        "GET", "/ws/tokens", {}, headers, b"", ClientAddress("192.0.2.7"), secure=False, target="/ws/tokens"
    )
    answer = rig.door(request)
    assert isinstance(answer, Response)
    assert answer.status == 503


@pytest.mark.parametrize(
    ("withdrawal", "word"),
    [
        (ended(family(), Why.LOGOUT, AT), "TOKEN_REVOKED"),
        (ended(family(), Why.REUSED, AT), "TOKEN_REVOKED"),
        (superseded("u1", Why.CHANGED, AT + 1), "TOKEN_REVOKED"),
        (ended(family(), Why.PASSWORD, AT), "PASSWORD_CHANGED"),
        (ended(family(), Why.EVERYWHERE, AT), "LOGOUT_ALL"),
        (superseded("u1", Why.LOCKED, AT + 1), "LOGOUT_ALL"),
        (superseded("u1", Why.REMOVED, AT + 1), "LOGOUT_ALL"),
    ],
)
def test_a_client_is_told_why_its_token_ends_and_is_closed(rig, withdrawal, word):
    rig.open(authorization="Bearer good")
    rig.withdrawn.tell(withdrawal)
    rig.withdrawn.tell(withdrawal)
    assert (rig.told, rig.link.closing) == ([word], (1008, word))


@pytest.mark.parametrize(
    "withdrawal",
    [
        ended(family("f2"), Why.LOGOUT, AT),
        ended(family(user="u2"), Why.LOGOUT, AT),
        superseded("u1", Why.CHANGED, AT - 1),
        superseded("u2", Why.LOCKED, AT + 1),
    ],
)
def test_of_other_tokens_nothing_is_told(rig, withdrawal):
    rig.open(authorization="Bearer good")
    rig.withdrawn.tell(withdrawal)
    assert (rig.told, rig.link.closing) == ([], None)


def test_a_token_s_time_is_told_when_it_is_over(rig):
    rig.open(authorization="Bearer good")
    # Nobody else closes it before that.
    assert rig.found.context.rights.expires_at is None
    rig.withdrawn.pass_by(AT + 1799)
    assert rig.told == []
    rig.withdrawn.pass_by(AT + 1800)
    assert (rig.told, rig.link.closing) == (["TOKEN_EXPIRED"], (1008, "TOKEN_EXPIRED"))


def test_who_does_not_want_to_be_told_is_only_closed(rig):
    rig.open(authorization="Bearer good")
    rig.session.received('{"action": "UNSUBSCRIBE"}', AT)
    rig.withdrawn.tell(ended(family(), Why.LOGOUT, AT))
    assert (rig.told, rig.link.closing) == ([], (1008, "TOKEN_REVOKED"))


def test_of_a_client_that_is_gone_nothing_is_kept(rig):
    rig.open(authorization="Bearer good")
    assert (len(rig.door), len(rig.withdrawn)) == (1, 2)
    rig.found.context.ended(rig.link)
    assert (len(rig.door), len(rig.withdrawn)) == (0, 0)


def test_where_nobody_is_asked_who_they_are_the_door_is_open_and_has_nothing_to_tell():
    rig = Rig(replace(OPEN))
    rig.open()
    rig.withdrawn.tell(ended(family(), Why.LOGOUT, AT))
    assert rig.told == []
