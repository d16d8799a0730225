"""A certificate that a client showed is an identity, where it is listed and nothing better was shown."""

from __future__ import annotations

import pytest

from andond.guard import Guard
from andond.identities import Identities, TermsInForce
from config import AccessSettings, AnonymousSettings, CertificateSettings
from domain import Allotment, Allotments, Holder, Metered, Rate, Throttle
from domain.access import CertificateHolder, Certificates, Identity, Proof
from transport import ClientAddress, ProtocolError, Request, Routes, json_response

PRESS = CertificateSettings(subject="CN=press3,O=Acme", roles=("operator",), places=("acme/line3",))
ACCESS = AccessSettings(
    certificates={"press3": PRESS}, anonymous=AnonymousSettings(enabled=True, channels=("andon/*",))
)


class Verifier:
    """Every token is lee's."""

    def verify(self, token, at):
        del token, at
        return Identity("u1", "lee", frozenset({"viewer"}), Proof.TOKEN)


def identities(*, is_open=False):
    return Identities(TermsInForce(lambda: ACCESS, Verifier(), is_open=lambda: is_open))


def request(certificate="", path="/api/v1/andon/calls", allowance=None, **headers):
    return Request(
        "GET", path, {}, headers, b"", ClientAddress("10.0.0.7"), secure=True, target=path,
        allowance=allowance, certificate=certificate,
    )  # fmt: skip


def test_who_shows_a_listed_certificate_is_whom_it_is_of():
    rights = identities().of_request(request("CN=press3,O=Acme"))
    assert rights.identity == Identity(
        "CN=press3,O=Acme",
        "press3",
        frozenset({"operator"}),
        Proof.CERTIFICATE,
        places=("acme/line3",),
        issuer="press3",
    )
    assert rights.may("andon.acknowledge", "acme/line3/press3").is_allowed
    assert not rights.may("andon.acknowledge", "acme/line4/press3").is_allowed


@pytest.mark.parametrize("subject", ["CN=press3", "cn=press3,O=Acme", "CN=press3,O=Acme,C=DE", "O=Acme,CN=press3"])
def test_a_certificate_that_is_not_listed_proves_nothing(subject):
    assert identities().of_request(request(subject)).identity.proof is Proof.ANONYMOUS


def test_a_token_says_more_than_a_certificate():
    shown = request("CN=press3,O=Acme", authorization="Bearer x")
    assert identities().of_request(shown).identity.name == "lee"


def test_of_two_with_one_subject_the_first_counts():
    known = Certificates([CertificateHolder("CN=a", "one", ()), CertificateHolder("CN=a", "two", ())])
    assert known.identity("CN=a").name == "one"
    assert len(known) == 1


async def test_a_user_that_is_too_fast_is_stopped_at_the_guard_whatever_it_asks_for():
    routes = Routes(Guard(identities(), lambda: 1000.0))

    async def answer(_request):
        return json_response({})

    routes.add("GET", "/api/v1/andon/calls", answer)
    limits = Throttle(Allotments({Holder.USER: Allotment({}, {Metered.COMMANDS: Rate(1.0, 2.0)})}))
    for _ in range(2):
        asked = request("CN=press3,O=Acme", allowance=limits.allow("10.0.0.7"))
        assert (await routes(asked)).status == 200
    with pytest.raises(ProtocolError, match="this user may have 1 commands a second") as refused:
        await routes(request("CN=press3,O=Acme", allowance=limits.allow("10.0.0.8")))
    assert refused.value.status == 429
    assert (await routes(request(allowance=limits.allow("10.0.0.7")))).status == 200, "others are not stopped"
