"""JSON Web Tokens as bytes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import Secret
from domain.access import TokenFault, TokenRefused
from tests.transport.forging import CLAIMS, SECRET, encoded, forged, jwk, jwks, private, private_rsa, signed
from transport import KeyFault, has_libraries, public_keys, secret_signer, seed_signer, tokens
from transport.tokens import ALGORITHMS, TOKEN_LIMIT, check_signature, published, secret_key, sign, take_apart

PUBLIC = sorted(ALGORITHMS - {"HS256", "HS384", "HS512"})
GOOD = signed(CLAIMS, private("ES256"), "ES256")
# RFC 8037, appendix A.1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
HEADER = {"alg": "HS256", "typ": "JWT"}


def fault_of(token: str) -> TokenFault | None:
    try:
        take_apart(token)
    except TokenRefused as refused:
        return refused.reason
    return None


# -- taken apart ------------------------------------------------------------------------------------------------------


def test_a_token_is_taken_apart_and_nothing_of_it_is_shown():
    compact = take_apart(GOOD)
    assert (compact.algorithm, compact.key_id, compact.type_) == ("ES256", "k1", "JWT")
    assert compact.claims == CLAIMS
    assert "anna" not in repr(compact)


MALFORMED = {
    "nothing": "",
    "no dots": "abc",
    "one dot": "abc.def",
    "four": f"{GOOD}.abc",
    "five, encrypted": "a.b.c.d.e",
    "an empty header": "." + GOOD.split(".", 1)[1],
    "an empty signature": GOOD.rsplit(".", 1)[0] + ".",
    "a blank": GOOD.replace(".", ". "),
    "a line's end": GOOD + "\n",
    "padding": GOOD + "=",
    "a plus": GOOD[:-1] + "+",
    "letters of no alphabet": GOOD + "é",
    "too long by one": f"{encoded(HEADER)}.{encoded({'a': 'x' * TOKEN_LIMIT})}.abc",
    "a header that is a list": f"{encoded([1])}.{encoded(CLAIMS)}.abcd",
    "a header that is no JSON": f"{encoded(b'{alg}')}.{encoded(CLAIMS)}.abcd",
    "a header that is no UTF-8": f"{encoded(bytes([255, 254]))}.{encoded(CLAIMS)}.abcd",
    "claims that are a text": f"{encoded(HEADER)}.{encoded('x')}.abcd",
    "claims nested without an end": f"{encoded(HEADER)}.{encoded(b'[' * 3000 + b']' * 3000)}.abcd",
    "bits that mean nothing": f"{encoded(HEADER)}.{encoded({'a': 1})[:-1]}R.abcd",
    "something critical": forged({**HEADER, "crit": ["exp"], "exp": 1}, CLAIMS),
    "nothing critical": forged({**HEADER, "crit": []}, CLAIMS),
    "a payload that is not encoded": forged({**HEADER, "b64": False, "crit": ["b64"]}, CLAIMS),
    "a payload that is not encoded, not critical": forged({**HEADER, "b64": False}, CLAIMS),
    "a payload that is encoded all the same": forged({**HEADER, "b64": True}, CLAIMS),
    "a key's name that is a list": forged({**HEADER, "kid": ["k1"]}, CLAIMS),
    "a key's name that is empty": forged({**HEADER, "kid": ""}, CLAIMS),
    "a key's name without an end": forged({**HEADER, "kid": "k" * 300}, CLAIMS),
    "a key's name with a line's end": forged({**HEADER, "kid": "k1\r\nx"}, CLAIMS),
    "a type that is a number": forged({**HEADER, "typ": 1}, CLAIMS),
}


@pytest.mark.parametrize("why", MALFORMED)
def test_what_is_no_token_is_refused(why):
    assert fault_of(MALFORMED[why]) is TokenFault.MALFORMED


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "HS257", "hs256", "RS256 ", "dir", "ES256K"])
def test_an_algorithm_that_is_none_is_refused(name):
    assert fault_of(forged({**HEADER, "alg": name}, CLAIMS)) is TokenFault.ALGORITHM


@pytest.mark.parametrize("value", [None, 1, ["HS256"], {"alg": "HS256"}, True])
def test_an_algorithm_that_is_no_text_is_refused(value):
    assert fault_of(forged({**HEADER, "alg": value}, CLAIMS)) is TokenFault.ALGORITHM


@given(st.text() | st.binary().map(encoded) | st.tuples(*[st.binary().map(encoded)] * 3).map(".".join))
def test_garbage_is_refused_and_never_repeated(text):
    try:
        take_apart(text)
    except TokenRefused as refused:
        assert len(text) < 12 or text not in str(refused)  # noqa: PT017


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="ascii"))
def test_one_letter_changed_is_a_signature_broken(at, letter):
    token = GOOD[:at] + letter + GOOD[at + 1 :]
    (key,), _ = public_keys(jwks(jwk(private("ES256"))), PUBLIC)
    if token == GOOD:
        check_signature(token, "ES256", key)
        return
    with pytest.raises(TokenRefused):
        check_signature(token, take_apart(token).algorithm, key)


# -- signatures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_a_signature_is_good_by_its_own_key_and_by_no_other(algorithm):
    token = signed(CLAIMS, private(algorithm), algorithm)
    (key,), left_out = public_keys(jwks(jwk(private(algorithm))), PUBLIC)
    assert left_out == ()
    check_signature(token, algorithm, key)
    other = private(algorithm, 1) if algorithm[0] == "E" else private_rsa(2048, 1)
    (stranger,), _ = public_keys(jwks(jwk(other)), PUBLIC)
    with pytest.raises(TokenRefused) as caught:
        check_signature(token, algorithm, stranger)
    assert caught.value.reason is TokenFault.SIGNATURE


@pytest.mark.parametrize(("algorithm", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_signs_by_its_algorithm_if_it_is_long_enough(algorithm, size):
    key = secret_key(Secret(SECRET), ["HS256", "HS384", "HS512"])
    check_signature(signed(CLAIMS, SECRET, algorithm), algorithm, key)
    short = Secret(SECRET[: size - 1])
    with pytest.warns(UserWarning, match="below the minimum"):
        token = signed(CLAIMS, short.reveal(), algorithm)
    with pytest.raises(TokenRefused):
        check_signature(token, algorithm, secret_key(short, [algorithm]))


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_a_key_is_for_its_own_algorithms_alone(algorithm):
    (key,), _ = public_keys(jwks(jwk(private(algorithm), alg=algorithm)), PUBLIC)
    for other in ALGORITHMS - {algorithm}:
        with pytest.raises(TokenRefused) as caught:
            check_signature(GOOD, other, key)
        assert caught.value.reason is TokenFault.ALGORITHM


@pytest.mark.parametrize("algorithms", [["RS256"], ["HS256", "RS256"], [], ["none"]])
def test_a_secret_is_for_nothing_that_is_public(algorithms):
    with pytest.raises(KeyFault):
        secret_key(Secret(SECRET), algorithms)


# -- sets of keys -----------------------------------------------------------------------------------------------------

RSA = jwk(private("RS256"))
CURVE = jwk(private("ES256"))
LEFT_OUT = {
    "a secret": {"kty": "oct", "k": encoded(SECRET.encode()), "kid": "k1", "alg": "HS256"},
    "a secret that is called otherwise": {**RSA, "k": encoded(SECRET.encode())},
    "a private key": {**CURVE, "d": encoded(b"x" * 32)},
    "a key for encryption": {**RSA, "use": "enc"},
    "a key for other work": {**RSA, "key_ops": ["encrypt"]},
    "a key for a symmetric algorithm": {**RSA, "alg": "HS256"},
    "a key for none": {**RSA, "alg": "none"},
    "a key for a number": {**RSA, "alg": 7},
    "a curve for another algorithm": {**CURVE, "alg": "ES384"},
    "a curve that nobody has": {**CURVE, "crv": "P-1024"},
    "a curve without a point on it": {**CURVE, "y": CURVE["x"]},
    "a curve with half a point": {name: value for name, value in CURVE.items() if name != "y"},
    "a short number": {**CURVE, "x": "AQ"},
    "a kind that nobody has": {**RSA, "kty": "XYZ"},
    "no kind": {name: value for name, value in RSA.items() if name != "kty"},
    "a number that is a list": {**RSA, "n": [RSA["n"]]},
    "a number that is no Base64": {**RSA, "n": "!!!"},
    "an enormous number": {**RSA, "n": encoded(b"\xff" * 1400)},
    "a number larger than is looked at": {**RSA, "n": encoded(b"\xff" * 2000)},
    "a small key": jwk(private_rsa(1024)),
    "an exponent of one": {**RSA, "e": "AQ"},
    "an exponent without an end": {**RSA, "e": encoded(b"\xff" * 9)},
    "a name that is a number": {**RSA, "kid": 7},
    "a name without an end": {**RSA, "kid": "k" * 300},
    "a text": "key",
    "nothing": None,
}


@pytest.mark.parametrize("why", LEFT_OUT)
def test_a_key_that_is_no_use_is_left_out_and_the_others_are_taken(why):
    with pytest.raises(KeyFault):
        public_keys(jwks(LEFT_OUT[why]), PUBLIC)
    keys, left_out = public_keys(jwks(LEFT_OUT[why], jwk(private("ES256", 2), "k2")), PUBLIC)
    assert [key.id for key in keys] == ["k2"]
    assert len(left_out) == 1
    assert encoded(SECRET.encode()) not in left_out[0]


@pytest.mark.parametrize(
    "document", [None, [], "x", {}, {"keys": {}}, {"keys": []}, {"keys": None}, jwks(*[CURVE] * 65), {"jwks": [CURVE]}]
)
def test_what_is_no_set_of_keys_is_refused(document):
    with pytest.raises(KeyFault):
        public_keys(document, PUBLIC)


def test_a_key_is_for_what_is_taken_from_its_issuer_and_for_no_more():
    (key,), left_out = public_keys(jwks(RSA, CURVE), ["PS256", "HS256"])
    assert key.algorithms == {"PS256"}
    assert len(left_out) == 1


def test_a_key_shows_nothing_of_itself():
    assert SECRET not in repr(secret_key(Secret(SECRET), ["HS256"]))
    signer = seed_signer(SEED)
    assert "PRIVATE" not in repr(signer)
    assert "object at" not in repr(signer)


# -- tokens of our own ------------------------------------------------------------------------------------------------


def test_what_is_signed_here_is_checked_by_anybody_with_the_published_key():
    signer = seed_signer(SEED)
    token = sign(CLAIMS, signer)
    document = published(signer)
    (key,), left_out = public_keys(document, PUBLIC)
    assert left_out == ()
    assert take_apart(token).key_id == key.id
    check_signature(token, "EdDSA", key)


def test_a_name_of_a_key_is_its_thumbprint():
    # RFC 8037, appendix A.3.
    signer = seed_signer(SEED)
    assert published(signer)["keys"][0]["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert signer.key.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_secret_of_our_own_is_published_nowhere():
    signer = secret_signer(Secret(SECRET))
    check_signature(sign(CLAIMS, signer), "HS256", signer.key)
    assert published(signer) is None


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_what_is_no_key_is_none_to_sign_with(size):
    with pytest.raises(KeyFault):
        seed_signer(b"x" * size)


def test_a_box_that_takes_no_tokens_pays_nothing_for_them():
    program = (
        "import sys, andond.run\n"
        "from transport import TokenMint, TokenVerifier, seed_signer\n"
        "verifier = TokenVerifier()\n"
        "verifier.trust_own(TokenMint(seed_signer(bytes(32))).trusted)\n"
        "print([name for name in ('jwt', 'cryptography', 'argon2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_whoever_takes_tokens_loads_what_they_need_before_the_first_comes():
    program = (
        "import sys, transport\n"
        "assert 'jwt' not in sys.modules\n"
        "transport.load_libraries()\n"
        "print([name for name in ('jwt', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['jwt', 'cryptography']"


def test_whether_the_libraries_are_there_is_known_without_loading_them(monkeypatch):
    assert has_libraries()
    monkeypatch.setattr(tokens, "find_spec", lambda name: None if name == "cryptography" else object())
    assert not has_libraries()
