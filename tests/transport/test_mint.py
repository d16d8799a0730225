"""The tokens that this gateway gives to users of its own."""

from __future__ import annotations

import jwt
import pytest
from msgspec.structs import replace

from config import Secret
from domain.access import OWN_ISSUER, Identity, Proof, TokenFault, TokenIssuer, TokenKind, TokenRefused
from tests.transport.forging import AT, SECRET
from transport import TokenMint, TokenVerifier, secret_signer, seed_signer

ANNA = Identity(
    subject="u1",
    name="anna",
    roles=frozenset({"operator", "viewer"}),
    proof=Proof.LOCAL,
    tenant="acme",
    places=("acme/plant1/line3",),
    expires_at=AT + 1800,
    token_id="f1.1",  # noqa: S106 - a name
    session="f1",
    department="press shop",
    shift="early",
    issued_at=AT,
)
SIGNERS = {"EdDSA": seed_signer(b"1" * 32), "HS256": secret_signer(Secret(SECRET))}


@pytest.fixture(params=SIGNERS)
def mint(request) -> TokenMint:
    return TokenMint(SIGNERS[request.param])


def verifier_of(mint: TokenMint) -> TokenVerifier:
    verifier = TokenVerifier()
    verifier.trust_own(mint.trusted)
    return verifier


def test_its_own_tokens_are_taken_for_what_was_written_into_them(mint):
    told = verifier_of(mint).verify(mint.issue(ANNA, TokenKind.ACCESS, AT), AT)
    assert told == replace(ANNA, issuer=OWN_ISSUER)


def test_a_token_has_the_claims_that_the_predecessors_clients_read(mint):
    token = mint.issue(ANNA, TokenKind.ACCESS, AT)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert {name: claims[name] for name in ("sub", "exp", "iat", "nbf", "jti", "type", "user_id", "role")} == {
        "sub": "u1", "exp": int(AT) + 1800, "iat": AT, "nbf": int(AT), "jti": "f1.1", "type": "access", "user_id": "u1",
        "role": "operator",
    }  # fmt: skip
    assert (claims["department"], claims["shift"], claims["is_active"]) == ("press shop", "early", True)
    assert (claims["tenant"], claims["places"], claims["iss"]) == ("acme", ["acme/plant1/line3"], "andond")


def test_a_refresh_token_renews_and_opens_nothing(mint):
    refresh, access = (mint.issue(ANNA, kind, AT) for kind in (TokenKind.REFRESH, TokenKind.ACCESS))
    assert mint.renewing(refresh, AT) == ANNA
    with pytest.raises(TokenRefused) as caught:
        verifier_of(mint).verify(refresh, AT)
    assert caught.value.reason is TokenFault.NOT_ACCESS
    with pytest.raises(TokenRefused) as caught:
        mint.renewing(access, AT)
    assert caught.value.reason is TokenFault.NOT_ACCESS


def test_a_token_ends_to_the_second(mint):
    token = mint.issue(ANNA, TokenKind.ACCESS, AT)
    verifier_of(mint).verify(token, AT + 1799)
    for check in (verifier_of(mint).verify, mint.renewing):
        with pytest.raises(TokenRefused) as caught:
            check(token, AT + 1800)
        assert caught.value.reason is TokenFault.EXPIRED


def test_a_token_of_another_gateway_is_none_of_ours(mint):
    other = TokenMint(seed_signer(b"2" * 32))
    for check in (verifier_of(mint).verify, mint.renewing):
        with pytest.raises(TokenRefused) as caught:
            check(other.issue(ANNA, TokenKind.REFRESH, AT), AT)
        assert caught.value.reason in {TokenFault.UNKNOWN_KEY, TokenFault.ALGORITHM, TokenFault.SIGNATURE}
        assert caught.value.retry_after is None


def test_a_token_of_another_issuer_renews_nothing(mint):
    other = TokenMint(SIGNERS["HS256"], issuer="other")
    with pytest.raises(TokenRefused) as caught:
        mint.renewing(other.issue(ANNA, TokenKind.REFRESH, AT), AT)
    assert caught.value.reason is TokenFault.ISSUER


def test_a_token_for_somebody_else_is_not_taken():
    token = TokenMint(SIGNERS["HS256"], audience="other").issue(ANNA, TokenKind.ACCESS, AT)
    with pytest.raises(TokenRefused) as caught:
        verifier_of(TokenMint(SIGNERS["HS256"])).verify(token, AT)
    assert caught.value.reason is TokenFault.AUDIENCE


def test_no_token_is_made_without_an_end(mint):
    with pytest.raises(ValueError, match="ends"):
        mint.issue(replace(ANNA, expires_at=None), TokenKind.ACCESS, AT)


def test_what_others_may_check_with_is_published_and_a_secret_is_not():
    (key,) = TokenMint(SIGNERS["EdDSA"]).keys["keys"]
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")
    assert "d" not in key
    assert TokenMint(SIGNERS["HS256"]).keys is None


def test_a_mint_is_what_issues_tokens_to_local_users(mint):
    issuer: TokenIssuer = mint
    assert issuer.renewing(issuer.issue(ANNA, TokenKind.REFRESH, AT), AT).session == "f1"
