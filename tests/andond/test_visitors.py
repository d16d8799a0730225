"""Whose cookie counts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from andond.identities import Identities, Terms
from andond.visitors import Visitors
from domain.access import (
    AccessPolicy,
    Anonymous,
    Identity,
    PageSessions,
    Proof,
    TokenFault,
    TokenRefused,
    key_of,
    renewal_of,
    session_of,
)
from transport import ClientAddress, Request

AT = 1_800_000_000.0
SECRET, UNKNOWN = "s" * 43, "u" * 43
LEE = Identity("u1", "lee", frozenset({"viewer"}), Proof.TOKEN, session="page-1")


class Revoker:
    is_taken_back = False

    def is_revoked(self, _identity: Identity, _at: float) -> bool:
        return self.is_taken_back


class Rig:
    def __init__(self) -> None:
        self.now = AT
        self.sessions, self.revoker = PageSessions(), Revoker()
        self.session = session_of(key_of(SECRET), LEE, "id", AT, life=3600.0, renewal="r1", good_until=AT + 300)
        self.sessions.begin(self.session)
        self.visitors = Visitors(self.sessions, self.revoker, lambda: self.now)
        terms = Terms(AccessPolicy(anonymous=Anonymous(("andon/*",))))
        self.identities = Identities(lambda: terms, lambda: self.now, visitors=self.visitors)

    def name_of(self, request: Request) -> str:
        return self.identities.of_request(request).identity.name

    def fault_of(self, request: Request) -> TokenFault | None:
        try:
            self.identities.of_request(request)
        except TokenRefused as refused:
            return refused.reason
        return None


@pytest.fixture
def rig() -> Rig:
    return Rig()


def request(secret: str = SECRET, method: str = "GET", *, secure: bool = False, **headers: str) -> Request:
    name = "__Host-andond" if secure else "andond"
    shown = {"host": "a.example", "cookie": f"{name}={secret}", **{n.replace("_", "-"): v for n, v in headers.items()}}
    return Request(method, "/x", {}, shown, b"", ClientAddress("192.0.2.7"), secure, "/x")


def test_who_is_signed_in_is_known_by_the_cookie_alone(rig):
    assert rig.name_of(request()) == "lee"
    assert rig.name_of(request(secure=True)) == "lee"
    assert rig.name_of(request(method="POST", origin="http://a.example")) == "lee"


def test_over_tls_a_cookie_that_anybody_could_have_set_counts_for_nothing(rig):
    plain = request()
    assert rig.name_of(replace(plain, secure=True)) != "lee"


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"},
     {"upgrade": "websocket"}],
)  # fmt: skip
def test_where_another_page_asks_there_is_no_cookie(rig, headers):
    assert rig.name_of(request(**headers)) != "lee"
    assert rig.fault_of(request(**headers)) is None


def test_a_sign_in_that_has_ended_is_refused_and_not_taken_for_nobody(rig):
    assert rig.fault_of(request(UNKNOWN)) is TokenFault.EXPIRED
    rig.revoker.is_taken_back = True
    assert rig.fault_of(request()) is TokenFault.REVOKED
    rig.revoker.is_taken_back = False
    rig.now += 3600
    assert rig.fault_of(request()) is TokenFault.EXPIRED


def test_what_is_no_secret_of_ours_is_no_cookie(rig):
    for other in ("", "short", "x" * 44, "s" * 42 + "!"):
        assert rig.fault_of(request(other)) is None


def test_a_token_that_is_shown_counts_before_the_cookie(rig):
    assert rig.name_of(request(authorization="Bearer x")) != "lee"


def test_what_somebody_may_is_asked_of_the_session_as_it_is_now(rig):
    mightier = replace(LEE, roles=frozenset({"admin"}))
    before = rig.identities.of_identity(rig.session.identity)
    rig.sessions.renewed(renewal_of(rig.session, mightier, AT, renewal="r2", good_until=AT + 600))
    assert rig.identities.of_identity(rig.session.identity) != before
    other = replace(LEE, session="")
    assert rig.identities.of_identity(other).identity is other
