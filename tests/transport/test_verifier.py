"""Whose a token is: issuers, their keys, and each way in which a token is not taken."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config import IssuerSettings, Secret
from domain.access import ROLES, Identity, Proof, Revocation, Revocations, Scope, TokenFault, TokenKind, TokenRefused
from telemetry import counters
from tests.transport.forging import AT, CLAIMS, SECRET, encoded, forged, jwk, jwks, private, public_pem, signed
from transport import KeyRing, TokenMint, TokenVerifier, public_keys, seed_signer
from transport.tokens import TOKEN_LIMIT, secret_key

PUBLISHED = IssuerSettings(issuer="https://id.example", jwks="https://id.example/jwks", leeway=30.0)
SHARED = IssuerSettings(issuer="https://floor.example", secret=Secret(SECRET))
NAMELESS = IssuerSettings(issuer="", audience=(), secret=Secret(SECRET), tenant="acme")
KEYS = jwks(jwk(private("ES256"), "k1"), jwk(private("RS256"), "k2"), jwk(private("EdDSA"), "k3"))
ANNA = Identity(
    "u1", "anna", frozenset({"operator"}), Proof.LOCAL, expires_at=AT + 60, token_id="f.1", session="f"  # noqa: S106
)  # fmt: skip


def verifier_of(
    issuers: Mapping[str, IssuerSettings] | None = None, revocations: Revocations | None = None
) -> TokenVerifier:
    verifier = TokenVerifier(revocations, lambda: ROLES)
    verifier.apply({"id": PUBLISHED, "floor": SHARED, "old": NAMELESS} if issuers is None else issuers)
    for name, settings in verifier.settings.items():
        if settings.secret is None:
            verifier.ring(name).keys = public_keys(KEYS, settings.taken)[0]
    return verifier


VERIFIER = verifier_of()


def refusal_of(token: str, verifier: TokenVerifier = VERIFIER, at: float = AT) -> TokenRefused | None:
    try:
        verifier.verify(token, at)
    except TokenRefused as refused:
        return refused
    return None


def fault_of(token: str, verifier: TokenVerifier = VERIFIER, at: float = AT) -> TokenFault | None:
    refused = refusal_of(token, verifier, at)
    return refused.reason if refused else None


# -- good ones --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token",
    [
        signed(CLAIMS, private("ES256"), "ES256", "k1"),
        signed(CLAIMS, private("RS256"), "RS256", "k2"),
        signed(CLAIMS, private("RS256"), "PS256", "k2"),
        signed(CLAIMS, private("EdDSA"), "EdDSA", "k3"),
        signed(CLAIMS, private("EdDSA"), "EdDSA", None),
        signed({**CLAIMS, "iss": "https://floor.example"}, SECRET, "HS256", None),
        signed({**CLAIMS, "iss": "https://floor.example"}, SECRET, "HS256", "any"),
    ],
)
def test_a_good_token_says_whose_it_is(token):
    before = counters.tokens_verified
    found = VERIFIER.verify(token, AT)
    assert (found.subject, found.roles, found.token_id) == ("anna", {"operator"}, "j1")
    assert counters.tokens_verified == before + 1


def test_who_vouches_for_somebody_goes_by_the_name_that_the_settings_have_for_it():
    found = {VERIFIER.verify(signed(CLAIMS, ES256, "ES256"), AT).issuer}
    bare = {name: value for name, value in CLAIMS.items() if name not in {"iss", "aud"}}
    found.add(VERIFIER.verify(signed(bare, SECRET, "HS256"), AT).issuer)
    claims = VERIFIER.id_claims(signed(ID_CLAIMS, ES256, "ES256"), AT, issuer="id", client="page", nonce="n1")
    opaque = signed({**CLAIMS, "aud": "somebody"}, ES256, "ES256")
    assert VERIFIER.signed_in(opaque, claims, AT, issuer="id", client="page").issuer == "id"
    assert found == {"id", "old"}


def test_a_token_without_an_issuer_is_its_who_was_configured_without_one():
    bare = {name: value for name, value in CLAIMS.items() if name not in {"iss", "aud"}}
    assert VERIFIER.verify(signed(bare, SECRET, "HS256"), AT).tenant == "acme"
    assert fault_of(signed(bare, SECRET, "HS256"), verifier_of({"floor": SHARED})) is TokenFault.ISSUER


# -- bad ones ---------------------------------------------------------------------------------------------------------

ES256 = private("ES256")
REFUSED = {
    "nothing": ("", TokenFault.MALFORMED),
    "no algorithm": (forged({"alg": "none"}, CLAIMS).rsplit(".", 1)[0] + ".", TokenFault.MALFORMED),
    "the algorithm none": (forged({"alg": "none"}, CLAIMS), TokenFault.ALGORITHM),
    "a secret where there are public keys": (signed(CLAIMS, SECRET, "HS256"), TokenFault.ALGORITHM),
    "the public key for a secret, PEM": (
        forged({"alg": "HS256", "kid": "k1"}, CLAIMS, public_pem(ES256)), TokenFault.ALGORITHM,
    ),
    "the public key for a secret, at an issuer with a secret": (
        forged({"alg": "HS256"}, {**CLAIMS, "iss": "https://floor.example"}, public_pem(ES256)), TokenFault.SIGNATURE,
    ),
    "a public key where there is a secret": (
        signed({**CLAIMS, "iss": "https://floor.example"}, ES256, "ES256"), TokenFault.ALGORITHM,
    ),
    "an algorithm of another key": (signed(CLAIMS, ES256, "ES256", "k2"), TokenFault.ALGORITHM),
    "an algorithm that is not taken": (signed(CLAIMS, private("RS256"), "RS512", "k2"), TokenFault.ALGORITHM),
    "another key by the same name": (signed(CLAIMS, private("ES256", 7), "ES256", "k1"), TokenFault.SIGNATURE),
    "a secret that somebody guessed": (
        forged({"alg": "HS256"}, {**CLAIMS, "iss": "https://floor.example"}, b"secret"), TokenFault.SIGNATURE,
    ),
    "an empty secret": (forged({"alg": "HS256"}, {**CLAIMS, "iss": "https://floor.example"}), TokenFault.SIGNATURE),
    "a name of a key that nobody has": (signed(CLAIMS, ES256, "ES256", "k9"), TokenFault.UNKNOWN_KEY),
    "a name of a key that is a path": (signed(CLAIMS, ES256, "ES256", "../../dev/null"), TokenFault.UNKNOWN_KEY),
    "a name of a key that is a query": (signed(CLAIMS, ES256, "ES256", "k1' OR '1'='1"), TokenFault.UNKNOWN_KEY),
    "a name of a key in another case": (signed(CLAIMS, ES256, "ES256", "K1"), TokenFault.UNKNOWN_KEY),
    "a key that it brings along": (
        signed(CLAIMS, private("ES256", 7), "ES256", "k1", jwk=jwk(private("ES256", 7))), TokenFault.SIGNATURE,
    ),
    "an address of keys of its own": (
        signed(CLAIMS, private("ES256", 7), "ES256", "k1", jku="https://evil.example/jwks"), TokenFault.SIGNATURE,
    ),
    "an issuer that nobody trusts": (signed({**CLAIMS, "iss": "https://evil.example"}, ES256, "ES256"),
                                     TokenFault.ISSUER),
    "an issuer that somebody else is": (
        signed({**CLAIMS, "iss": "https://id.example"}, SECRET, "HS256", None), TokenFault.ALGORITHM,
    ),
    "the gateway itself, where it makes none": (signed({**CLAIMS, "iss": "andond"}, ES256, "ES256"),
                                                TokenFault.ISSUER),
    "another audience": (signed({**CLAIMS, "aud": "page"}, ES256, "ES256"), TokenFault.AUDIENCE),
    "expired": (signed({**CLAIMS, "exp": AT - 30}, ES256, "ES256"), TokenFault.EXPIRED),
    "without an end": (signed({**CLAIMS, "exp": None}, ES256, "ES256"), TokenFault.MALFORMED),
    "not yet valid": (signed({**CLAIMS, "nbf": AT + 31}, ES256, "ES256"), TokenFault.NOT_YET_VALID),
    "a refresh token": (signed({**CLAIMS, "type": "refresh"}, ES256, "ES256"), TokenFault.NOT_ACCESS),
    "a logout token": (signed(CLAIMS, ES256, "ES256", typ="logout+jwt"), TokenFault.NOT_ACCESS),
    "nobody's": (signed({**CLAIMS, "sub": ""}, ES256, "ES256"), TokenFault.NO_SUBJECT),
    "an unknown role": (signed({**CLAIMS, "roles": ["root"]}, ES256, "ES256"), TokenFault.NO_ROLE),
    "every tenant": (signed({**CLAIMS, "tenant": "*"}, ES256, "ES256"), TokenFault.ISSUER),
    "something critical": (signed(CLAIMS, ES256, "ES256", crit=["x"], x=1), TokenFault.MALFORMED),
    "something very long": (signed({**CLAIMS, "x": "y" * TOKEN_LIMIT}, ES256, "ES256"), TokenFault.MALFORMED),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_not_to_be_taken_is_refused_for_what_it_is(why):
    token, fault = REFUSED[why]
    before = counters.tokens_refused[fault.value]
    assert fault_of(token) is fault
    assert counters.tokens_refused[fault.value] == before + 1


def test_every_fault_has_a_token_that_is_refused_for_it():
    assert {fault for _, fault in REFUSED.values()} | {TokenFault.REVOKED} == set(TokenFault)


@pytest.mark.parametrize("why", REFUSED)
def test_nothing_of_a_refused_token_is_in_what_is_said_of_it(why, capsys):
    token, _ = REFUSED[why]
    refused = refusal_of(token)
    said = f"{refused} {refused!r} {refused.__cause__} {capsys.readouterr()}"
    assert not [part for part in token.split(".") if len(part) > 8 and part in said]
    assert not [word for word in ("anna", "evil", SECRET) if word in said]


def test_claims_are_not_looked_at_before_the_signature_is():
    # Whoever cannot sign is told nothing of what would be wrong besides.
    stranger = private("ES256", 7)
    for change in ({"exp": 1}, {"aud": "page"}, {"sub": ""}, {"type": "refresh"}, {"roles": []}):
        assert fault_of(signed({**CLAIMS, **change}, stranger, "ES256", "k1")) is TokenFault.SIGNATURE


def test_a_token_is_good_until_its_end_and_the_leeway_of_its_issuer():
    token = signed(CLAIMS, ES256, "ES256")
    end = VERIFIER.verify(token, AT).expires_at
    assert end == CLAIMS["exp"] + PUBLISHED.leeway
    assert fault_of(token, at=end - 0.001) is None
    assert fault_of(token, at=end) is TokenFault.EXPIRED


# -- keys that are not there ------------------------------------------------------------------------------------------


def test_a_key_that_may_come_is_waited_for_and_asked_for_once_by_its_name():
    verifier = verifier_of()
    missed = list[str]()

    def ask(key_id: str) -> float | None:
        missed.append(key_id)
        return 1.0

    verifier.ring("id").missed = ask
    refused = refusal_of(signed(CLAIMS, ES256, "ES256", "new"), verifier)
    assert (refused.reason, refused.retry_after) == (TokenFault.UNKNOWN_KEY, 1.0)
    assert missed == ["new"]
    verifier.ring("id").missed = lambda _key_id: None
    assert refusal_of(signed(CLAIMS, ES256, "ES256", "new"), verifier).retry_after is None


def test_before_any_key_is_there_every_token_of_the_issuer_is_waited_for():
    verifier = verifier_of()
    verifier.ring("id").keys = ()
    for key_id in ("k1", None):
        assert refusal_of(signed(CLAIMS, ES256, "ES256", key_id), verifier).retry_after == 1.0
    assert fault_of(signed(CLAIMS, SECRET, "HS256"), verifier) is TokenFault.ALGORITHM


def test_of_keys_without_names_the_one_that_fits_is_found():
    verifier = verifier_of({"id": PUBLISHED})
    keys = jwks(jwk(private("ES256", 1), None), jwk(private("ES256", 2), None))
    verifier.ring("id").keys = public_keys(keys, PUBLISHED.taken)[0]
    for number in (1, 2):
        assert fault_of(signed(CLAIMS, private("ES256", number), "ES256", "any"), verifier) is None
    assert fault_of(signed(CLAIMS, private("ES256", 3), "ES256", "any"), verifier) is TokenFault.SIGNATURE


def test_keys_without_names_are_not_tried_without_an_end():
    ring = KeyRing(tuple(public_keys(jwks(*[jwk(ES256, None)] * 60), PUBLISHED.taken)[0]))
    assert len(ring.find(None, "ES256")) == 4


# -- taken back -------------------------------------------------------------------------------------------------------


def test_a_token_that_was_taken_back_is_refused_by_its_id_its_login_and_its_user():
    token = signed({**CLAIMS, "sid": "s1"}, ES256, "ES256")
    for scope, id_ in ((Scope.TOKEN, "j1"), (Scope.SESSION, "s1"), (Scope.SUBJECT, "anna")):
        revocations = Revocations()
        verifier = verifier_of(revocations=revocations)
        identity = verifier.verify(token, AT)
        assert not verifier.is_revoked(identity, AT)
        revocations.revoke(Revocation(scope, id_, before=AT), AT)
        assert fault_of(token, verifier) is TokenFault.REVOKED
        assert verifier.is_revoked(identity, AT)


def test_a_token_without_an_id_is_taken_back_by_its_print_however_it_is_signed_again():
    bare = {name: value for name, value in CLAIMS.items() if name != "jti"}
    revocations = Revocations()
    verifier = verifier_of(revocations=revocations)
    token, again = (signed(bare, ES256, "ES256") for _ in range(2))
    assert token != again
    identity = verifier.verify(token, AT)
    assert identity.token_id.startswith("sha256:")
    revocations.revoke(Revocation(Scope.TOKEN, identity.token_id), AT)
    assert fault_of(again, verifier) is TokenFault.REVOKED
    assert fault_of(signed({**bare, "exp": AT + 301}, ES256, "ES256"), verifier) is None


# -- a reload ---------------------------------------------------------------------------------------------------------


def test_a_reload_that_leaves_the_way_to_the_keys_leaves_the_keys():
    verifier = verifier_of()
    ring = verifier.ring("id")
    verifier.apply({"id": replace(PUBLISHED, audience=("page",))})
    assert verifier.ring("id") is ring
    assert fault_of(signed(CLAIMS, ES256, "ES256"), verifier) is TokenFault.AUDIENCE
    assert fault_of(signed({**CLAIMS, "iss": "https://floor.example"}, SECRET, "HS256"), verifier) is TokenFault.ISSUER


@pytest.mark.parametrize(
    "changed",
    [
        replace(PUBLISHED, jwks="https://id.example/other"),
        replace(PUBLISHED, algorithms=("RS256",)),
        replace(PUBLISHED, issuer="https://other.example"),
        replace(PUBLISHED, jwks="", secret=Secret(SECRET)),
    ],
)
def test_a_reload_that_changes_the_way_to_the_keys_trusts_none_of_the_old_ones(changed):
    verifier = verifier_of()
    ring = verifier.ring("id")
    verifier.apply({"id": changed})
    assert verifier.ring("id") is not ring
    assert fault_of(signed(CLAIMS, ES256, "ES256"), verifier) in {
        TokenFault.UNKNOWN_KEY, TokenFault.ALGORITHM, TokenFault.ISSUER,
    }  # fmt: skip


def test_a_secret_that_was_changed_is_the_only_one_from_then_on():
    verifier = verifier_of({"floor": SHARED})
    token = signed({**CLAIMS, "iss": SHARED.issuer}, SECRET, "HS256")
    assert fault_of(token, verifier) is None
    verifier.apply({"floor": replace(SHARED, secret=Secret(SECRET[::-1]))})
    assert fault_of(token, verifier) is TokenFault.SIGNATURE


# -- its own tokens, and ID tokens ------------------------------------------------------------------------------------


def test_nobody_else_is_trusted_by_the_name_of_the_gateway():
    verifier = verifier_of({"evil": replace(SHARED, issuer="andond")})
    token = signed({**CLAIMS, "iss": "andond", "type": "access"}, SECRET, "HS256")
    assert fault_of(token, verifier) is None
    mint = TokenMint(seed_signer(b"1" * 32))
    verifier.trust_own(mint.trusted)
    assert fault_of(token, verifier) is TokenFault.ALGORITHM
    assert verifier.verify(mint.issue(ANNA, TokenKind.ACCESS, AT), AT).proof is Proof.LOCAL


def test_a_verifier_says_whether_anybody_is_trusted():
    verifier = TokenVerifier()
    assert verifier.is_empty
    verifier.trust_own(TokenMint(seed_signer(b"2" * 32)).trusted)
    assert not verifier.is_empty


ID_CLAIMS = {**CLAIMS, "aud": ["page"], "nonce": "n1", "typ": "ID", "at_hash": "x"}


def test_an_id_token_is_taken_from_its_sign_in_alone():
    token = signed(ID_CLAIMS, ES256, "ES256")
    assert VERIFIER.id_claims(token, AT, issuer="id", client="page", nonce="n1")["sub"] == "anna"
    assert fault_of(token) is TokenFault.AUDIENCE
    assert fault_of(signed({**ID_CLAIMS, "aud": "andond"}, ES256, "ES256")) is TokenFault.NOT_ACCESS


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"aud": "other"}, TokenFault.AUDIENCE),
        ({"aud": ["page", "other"], "azp": "other"}, TokenFault.AUDIENCE),
        ({"nonce": "n2"}, TokenFault.MALFORMED),
        ({"nonce": None}, TokenFault.MALFORMED),
        ({"exp": AT - 60}, TokenFault.EXPIRED),
        ({"iss": "https://evil.example"}, TokenFault.ISSUER),
    ],
)
def test_an_id_token_of_somebody_else_is_none(change, fault):
    token = signed({**ID_CLAIMS, **change}, ES256, "ES256")
    with pytest.raises(TokenRefused) as caught:
        VERIFIER.id_claims(token, AT, issuer="id", client="page", nonce="n1")
    assert caught.value.reason is fault


def test_an_id_token_that_belongs_to_no_sign_in_is_none():
    token = signed({**ID_CLAIMS, "nonce": ""}, ES256, "ES256")
    with pytest.raises(TokenRefused):
        VERIFIER.id_claims(token, AT, issuer="id", client="page", nonce="")


# -- anything at all --------------------------------------------------------------------------------------------------

headers = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "zip"]),
    st.sampled_from(["HS256", "ES256", "none", "k1", "k2", "JWT", "../x"]) | st.none() | st.booleans() | st.integers(),
)


@given(headers, st.dictionaries(st.sampled_from([*CLAIMS, "type"]), st.text(max_size=5) | st.integers() | st.none()))
def test_nobody_is_let_in_by_a_token_that_nobody_trusted_has_signed(header, change):
    for secret in (b"", b"secret", public_pem(ES256), encoded(SECRET.encode()).encode()):
        refused = refusal_of(forged(header, {**CLAIMS, **change}, secret))
        assert refused is not None


def test_a_secret_is_a_key_for_its_algorithms():
    assert secret_key(Secret(SECRET), SHARED.taken).algorithms == {"HS256"}
