"""Keys and tokens for tests: good ones, and such as nobody honest makes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import cache

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SECRET = "correct-horse-battery-staple-0123456789-and-more-of-it-for-the-longer-ones"  # noqa: S105 - of a test
AT = 1_795_240_800.0
CLAIMS = {
    "iss": "https://id.example",
    "aud": "andond",
    "sub": "anna",
    "exp": AT + 300,
    "iat": AT - 10,
    "roles": ["operator"],
    "jti": "j1",
}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@cache
def private(kind: str, number: int = 0) -> PrivateKey:
    """A key of the ``kind`` that an algorithm wants; one more for each ``number``."""
    del number
    if kind in {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}:
        return private_rsa(2048)
    curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    return ec.generate_private_key(curves[kind]) if kind in curves else ed25519.Ed25519PrivateKey.generate()


@cache
def private_rsa(size: int, number: int = 0) -> rsa.RSAPrivateKey:
    del number
    return rsa.generate_private_key(65537, size)


def public_pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip


def jwk(key: PrivateKey, key_id: str | None = "k1", **more: object) -> dict[str, object]:
    """The public half of ``key`` as it is published."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        members = jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        members = jwt.algorithms.ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        members = jwt.algorithms.OKPAlgorithm.to_jwk(public, as_dict=True)
    members.pop("key_ops", None)
    return {**members, **({} if key_id is None else {"kid": key_id}), **more}


def jwks(*keys: Mapping[str, object]) -> dict[str, object]:
    return {"keys": list(keys)}


def signed(
    claims: Mapping[str, object], key: object, algorithm: str, key_id: str | None = "k1", **header: object
) -> str:
    named = {} if key_id is None else {"kid": key_id}
    return jwt.encode(dict(claims), key, algorithm=algorithm, headers={**named, **header})


def encoded(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header: object, claims: object, secret: bytes = b"") -> str:
    """A token that no library would make: any header, signed with HMAC-SHA-256 of ``secret``."""
    body = f"{encoded(header)}.{encoded(claims)}"
    return f"{body}.{encoded(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"
