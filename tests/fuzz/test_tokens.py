"""What strangers show as a token, and what a provider gone mad publishes as keys. Nothing but a stated refusal may come
of it, and nobody comes in whom nobody trusted has signed for.

``fuzz_token()`` and ``fuzz_keys()`` are the entries for any fuzzer; the corpus beside this file holds what once was
worth a thought. A name of a token begins with what becomes of it, "good" or the fault; one of a set of keys with "good"
or "bad". The signatures in it are of the key of RFC 8037, appendix A, and of the secret below, which guard nothing.
"""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import IssuerSettings, Secret
from domain.access import ROLES, TokenFault, TokenRefused
from transport import KeyFault, TokenVerifier, decode_json, public_keys, shown_token
from transport.codec import CodecError
from transport.tokens import ALGORITHMS

HERE = Path(__file__).parent / "corpus"
TOKENS = sorted((HERE / "tokens").iterdir())
KEYS = sorted((HERE / "keys").iterdir())
MUTATIONS = 200
AT = 1_795_240_800.0
SECRET = "a secret of the corpus, which guards nothing at all"  # noqa: S105 - as said above
PUBLIC = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k1"}
PIECES = [
    *[b".", b"..", b"=", b"-", b"_", b"A", b"\x00", b"\xff", b" ", b"\n", b"eyJ", b"e30", b"W10", b"bnVsbA"],
    *[base64.urlsafe_b64encode(each).rstrip(b"=") for each in (b'{"alg":"none"}', b'{"alg":"HS256"}', b'{"crit":[]}')],
    *[b'"kty":', b'"oct"', b'"d":"AA",', b'"keys":', b"[", b"]", b"{", b"}", b"null", b"1e400", b"\\ud800", b'"AQAB"'],
]


def verifier() -> TokenVerifier:
    made = TokenVerifier(known=lambda: ROLES)
    public = IssuerSettings(issuer="https://id.example", jwks="https://id.example/jwks")
    made.apply({"id": public, "floor": IssuerSettings(audience=(), secret=Secret(SECRET))})
    made.ring("id").keys = public_keys({"keys": [PUBLIC]}, public.taken)[0]
    return made


VERIFIER = verifier()
GOOD = {path.read_text("latin-1") for path in TOKENS if path.name.startswith("good")}


def fuzz_token(data: bytes) -> str:
    """Show ``data`` in every place where a token may stand; returns what becomes of it."""
    text = data.decode("latin-1")
    for headers in ({"authorization": f"Bearer {text}"}, {"sec-websocket-protocol": f"andond.v1.json, bearer, {text}"}):
        try:
            shown = shown_token(headers, {"token": [text]}, takes_query=True)
        except TokenRefused as refused:
            assert refused.reason is TokenFault.MALFORMED  # noqa: PT017 - it may be taken as well
        else:
            assert shown is None or shown.token in {text, text.strip(), text.split(",")[0].strip()}
    try:
        identity = VERIFIER.verify(text, AT)
    except TokenRefused as refused:
        said = f"{refused}"
        assert not [part for part in text.split(".") if len(part) > 16 and part in said]
        return refused.reason.value
    assert text in GOOD, "nobody signed that"
    assert identity.roles
    return "good"


def fuzz_keys(data: bytes) -> bool:
    """Publish ``data`` as a set of keys; returns whether there is a key in it that can be used."""
    try:
        keys, _ = public_keys(decode_json(data), ALGORITHMS)
    except (CodecError, KeyFault):
        return False
    assert keys
    assert not [
        key for key in keys if isinstance(key.material, bytes) or not key.algorithms or "HS256" in key.algorithms
    ]
    return True


def mutated(chance: random.Random, data: bytes, others: list[Path]) -> bytes:
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutant) + 1)
        what = chance.randrange(5)
        if what == 0:
            mutant[at : at + chance.randint(1, 8)] = b""
        elif what == 1:
            mutant[at:at] = chance.choice(PIECES)
        elif what == 2:
            mutant[at : at + 1] = bytes((chance.randrange(256),))
        elif what == 3:
            # A part of one token in the place of a part of another.
            parts, more = bytes(mutant).split(b"."), chance.choice(others).read_bytes().split(b".")
            parts[chance.randrange(len(parts))] = chance.choice(more)
            mutant = bytearray(b".".join(parts))
        else:
            mutant[at : at + 16] = mutant[at : at + 16].swapcase()
    return bytes(mutant)


@pytest.mark.parametrize("path", TOKENS, ids=lambda path: path.name)
def test_the_corpus_of_tokens_is_what_its_names_say(path):
    assert fuzz_token(path.read_bytes()) == path.name.split("-")[0]


@pytest.mark.parametrize("path", TOKENS, ids=lambda path: path.name)
def test_no_mutation_of_a_token_raises_anything_or_lets_anybody_in(path):
    chance = random.Random(path.name)
    data = path.read_bytes()
    for _ in range(MUTATIONS):
        fuzz_token(mutated(chance, data, TOKENS))


@pytest.mark.parametrize("path", KEYS, ids=lambda path: path.name)
def test_the_corpus_of_keys_is_what_its_names_say(path):
    assert fuzz_keys(path.read_bytes()) is path.name.startswith("good")


@pytest.mark.parametrize("path", KEYS, ids=lambda path: path.name)
def test_no_mutation_of_keys_raises_anything_but_a_stated_fault(path):
    chance = random.Random(path.name)
    data = path.read_bytes()
    for _ in range(MUTATIONS):
        fuzz_keys(mutated(chance, data, KEYS))


@given(st.binary(max_size=200))
def test_no_noise_raises_anything_or_lets_anybody_in(data):
    fuzz_token(data)
    fuzz_keys(data)


members = st.sampled_from(["kty", "crv", "n", "e", "x", "y", "d", "k", "kid", "alg", "use", "key_ops"])
words = st.sampled_from(["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "AQAB", PUBLIC["x"], "sig", "RS256", "EdDSA"])


@given(st.lists(st.dictionaries(members, words | st.text(max_size=3) | st.integers() | st.lists(words, max_size=2))))
def test_no_key_however_it_is_put_together_raises_anything_but_a_stated_fault(keys):
    fuzz_keys(json.dumps({"keys": keys}).encode())
