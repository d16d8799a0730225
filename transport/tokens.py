"""JSON Web Tokens as bytes: taken apart, their signatures checked, made. The only file that imports jwt.

Rules of this file:

* jwt and cryptography are imported when the first key is made: a box that takes no tokens pays nothing for them.
* Nothing that a token says chooses how it is checked: its algorithm must be one that its key is for, and a key is for
  algorithms of one kind. What its header names by address (``jku``, ``x5u``) or brings along (``jwk``, ``x5c``) is not
  looked at (RFC 8725, sections 3.1 and 3.10).
* A header that says something is critical, or that the payload is not encoded, is refused: neither is done here
  (RFC 7515, section 4.1.11; RFC 7797).
* A published key that is symmetric or private is no key: everybody has it.
* What comes from outside is bounded before it is looked at: ``TOKEN_LIMIT``, ``KEYS_LIMIT``, and the size of each key.
* No message holds anything of a token or a key.

Source: RFC 7515 (JWS), RFC 7517 (JWK), RFC 7518 (JWA), RFC 7638 (thumbprint), RFC 8037 (Ed25519).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias

from config import Secret
from domain import JsonObject, JsonValue
from domain.access import TokenFault, TokenRefused
from transport.codec import CodecError, decode_json, encode_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt import PyJWS

    PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
    SigningKey: TypeAlias = bytes | Ed25519PrivateKey

TOKEN_LIMIT = 8192
"""Characters of a token at most."""

KEYS_LIMIT = 64
"""Keys of one issuer at most."""

KEY_ID_LIMIT = 256

SEED_SIZE = 32
"""Bytes that are a private key of Ed25519."""

_HMAC = frozenset({"HS256", "HS384", "HS512"})
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_EDWARDS = frozenset({"EdDSA"})
ALGORITHMS = _HMAC | _RSA | frozenset(_CURVES.values()) | _EDWARDS
"""All that are known here."""

_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "k")
_RSA_BITS = range(2048, 8193)
_MEMBER_LIMIT = 2048
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True)
class Compact:
    """A token taken apart; nothing in it is to be believed yet.

    ``key_id`` is None where the header names no key. ``print`` tells tokens apart that have no id of their own.
    """

    algorithm: str
    key_id: str | None
    type_: str
    claims: JsonObject = field(repr=False)
    print: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """A key and what it is for. ``id`` is the issuer's name for it, None where it has none."""

    id: str | None
    algorithms: frozenset[str]
    material: bytes | PublicKey = field(repr=False, compare=False)


def has_libraries() -> bool:
    """Whether what checks and makes signatures is installed (``andond[auth]``)."""
    return all(find_spec(name) is not None for name in ("jwt", "cryptography"))


def load_libraries() -> None:
    """Import what is installed of it now: the first token would hold up everybody for as long as that takes."""
    if has_libraries():
        for name in ("jwt", "cryptography.hazmat.primitives.asymmetric.ed25519"):
            import_module(name)


class KeyFault(ValueError):
    """A key, or a set of them, that cannot be used; says why."""


def take_apart(token: str) -> Compact:
    """The parts of ``token``: a JSON Web Signature in its compact form, with claims in it.

    Raises:
        TokenRefused: if it is none, or one that is signed with what is no signature.
    """
    found = _COMPACT.fullmatch(token) if len(token) <= TOKEN_LIMIT else None
    if found is None:
        raise TokenRefused(TokenFault.MALFORMED)
    header, claims = _object(found[1]), _object(found[2])
    if "crit" in header or "b64" in header:
        raise TokenRefused(TokenFault.MALFORMED, "the header of the token asks for what is not done here")
    algorithm, key_id, type_ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenRefused(TokenFault.ALGORITHM)
    if not isinstance(type_, str) or not (key_id is None or (isinstance(key_id, str) and _is_key_id(key_id))):
        raise TokenRefused(TokenFault.MALFORMED)
    digest = hashlib.sha256(f"{found[1]}.{found[2]}".encode()).digest()
    return Compact(algorithm, key_id, type_, claims, f"sha256:{_encoded(digest[:16])}")


def check_signature(token: str, algorithm: str, key: Key) -> None:
    """Check that ``token``, which was taken apart, is signed with ``key``.

    Raises:
        TokenRefused: if it is not, or ``key`` is not for ``algorithm``.
    """
    import jwt  # noqa: PLC0415 - a rule of this file

    if algorithm not in key.algorithms:
        raise TokenRefused(TokenFault.ALGORITHM)
    try:
        _signatures().decode(token, key.material, algorithms=[algorithm])
    except (jwt.PyJWTError, ValueError, TypeError):
        # The cause would hold the token in its frames.
        raise TokenRefused(TokenFault.SIGNATURE) from None


def secret_key(secret: Secret, algorithms: Iterable[str]) -> Key:
    """The key that both sides have.

    Raises:
        KeyFault: if it is for other algorithms than HMAC, or none at all.
    """
    material, named = secret.reveal().encode(), frozenset(algorithms)
    if not named or not named <= _HMAC or not material:
        raise KeyFault("a secret is for HS256, HS384 and HS512 alone")
    return Key(None, named, material)


def public_keys(document: JsonValue, algorithms: Iterable[str]) -> tuple[tuple[Key, ...], tuple[str, ...]]:
    """The keys of a JWK set that ``algorithms`` can be checked with, and why others were left out.

    Raises:
        KeyFault: if it is no such set, too large, or has no key that can be used.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise KeyFault("it is no JWK set: an object with a list of keys")
    if len(listed) > KEYS_LIMIT:
        raise KeyFault(f"it has more than {KEYS_LIMIT} keys")
    wanted = frozenset(algorithms) - _HMAC
    keys, left_out = list[Key](), list[str]()
    for number, each in enumerate(listed, 1):
        try:
            keys.append(_public_key(each, wanted))
        except KeyFault as fault:
            left_out.append(f"key {number}: {fault}")
    if not keys:
        raise KeyFault("it has no key that can be used" + (f" ({'; '.join(left_out[:3])})" if left_out else ""))
    return tuple(keys), tuple(left_out)


def _public_key(member: JsonValue, wanted: frozenset[str]) -> Key:
    if not isinstance(member, Mapping):
        raise KeyFault("it is no object")
    if member.get("kty") == "oct" or any(name in member for name in _PRIVATE):
        raise KeyFault("it is a secret or a private key, which is not to be published")
    if member.get("use", "sig") != "sig" or "verify" not in _strings(member.get("key_ops", ["verify"])):
        raise KeyFault("it is not for signatures")
    named = member.get("kid")
    if named is not None and not (isinstance(named, str) and _is_key_id(named)):
        raise KeyFault("its name is no text, or too long")
    algorithms = _algorithms_of(member) & wanted
    if "alg" in member:
        algorithms &= {member["alg"]} if isinstance(member["alg"], str) else set()
    if not algorithms:
        raise KeyFault("it is for no algorithm that is taken")
    return Key(named, algorithms, _material(member))


def _algorithms_of(member: JsonObject) -> frozenset[str]:
    kind, curve = member.get("kty"), member.get("crv")
    if kind == "RSA":
        return _RSA
    if kind == "EC" and isinstance(curve, str) and curve in _CURVES:
        return frozenset({_CURVES[curve]})
    return _EDWARDS if kind == "OKP" and curve == "Ed25519" else frozenset()


def _material(member: JsonObject) -> PublicKey:
    import jwt  # noqa: PLC0415 - as above

    numbers = {name: member[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in member}
    if not all(isinstance(value, str) and len(value) <= _MEMBER_LIMIT for value in numbers.values()):
        raise KeyFault("its numbers are none, or too large")
    if member.get("kty") == "RSA":
        _check_rsa(member)
    try:
        loaded = jwt.PyJWK.from_dict(dict(numbers)).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        raise KeyFault("its numbers are none of such a key") from None
    material: PublicKey = loaded
    return material


def _check_rsa(member: JsonObject) -> None:
    """A small key can be broken, a large one costs us more than it costs who publishes it."""
    sizes = {name: int.from_bytes(_decoded(str(member.get(name, "")).rstrip("="))) for name in ("n", "e")}
    if sizes["n"].bit_length() not in _RSA_BITS:
        raise KeyFault(f"it has not from {_RSA_BITS.start} to {_RSA_BITS.stop - 1} bits")
    if sizes["e"].bit_length() > 32 or sizes["e"] < 3:  # noqa: PLR2004 - what is in use, and more is only slow
        raise KeyFault("its exponent is not one in use")


# -- tokens of our own ------------------------------------------------------------------------------------------------


class Signer:
    """What tokens of our own are signed with; ``make`` is called when the first one is made or checked."""

    __slots__ = ("_made", "_make", "algorithm")

    def __init__(self, algorithm: str, make: Callable[[], tuple[Key, SigningKey]]) -> None:
        self.algorithm = algorithm
        self._make = make
        self._made: tuple[Key, SigningKey] | None = None

    def __repr__(self) -> str:
        return f"<Signer {self.algorithm}>"

    @property
    def key(self) -> Key:
        """What its tokens are checked with."""
        return self._both()[0]

    @property
    def material(self) -> SigningKey:
        """What they are signed with."""
        return self._both()[1]

    def _both(self) -> tuple[Key, SigningKey]:
        if self._made is None:
            self._made = self._make()
        return self._made


def secret_signer(secret: Secret) -> Signer:
    """Sign by HS256 with ``secret``."""
    return Signer("HS256", lambda: (secret_key(secret, ("HS256",)), secret.reveal().encode()))


def seed_signer(seed: bytes) -> Signer:
    """Sign by EdDSA with the Ed25519 key that the 32 bytes of ``seed`` are (RFC 8032, section 5.1.5).

    Raises:
        KeyFault: if they are not as many.
    """
    if len(seed) != SEED_SIZE:
        raise KeyFault(f"a key of Ed25519 has {SEED_SIZE} bytes")
    return Signer("EdDSA", partial(_key_pair, seed))


def _key_pair(seed: bytes) -> tuple[Key, Ed25519PrivateKey]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above

    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key()
    return Key(_thumbprint(public), _EDWARDS, public), private


def sign(claims: JsonObject, signer: Signer) -> str:
    """A token of ``claims``, in its compact form."""
    named = {} if signer.key.id is None else {"kid": signer.key.id}
    return _signatures().encode(encode_json(claims), signer.material, algorithm=signer.algorithm, headers=dict(named))


def published(signer: Signer) -> JsonObject | None:
    """The JWK set by which others can check what ``signer`` signs; None where that is nobody's business."""
    if isinstance(signer.key.material, bytes):
        return None
    more = {"kid": signer.key.id, "use": "sig", "alg": signer.algorithm}
    return {"keys": [{**_members_of(signer.key.material), **more}]}


def _thumbprint(public: PublicKey) -> str:
    members = _members_of(public)
    return _encoded(hashlib.sha256(encode_json({name: members[name] for name in sorted(members)})).digest())


def _members_of(public: PublicKey) -> dict[str, JsonValue]:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above

    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": _encoded(raw)}


# -- pieces -----------------------------------------------------------------------------------------------------------


@cache
def _signatures() -> PyJWS:
    """What checks and makes signatures, of the known algorithms alone; a key that is too short is an error to it."""
    import jwt  # noqa: PLC0415 - as above

    return jwt.PyJWS(algorithms=sorted(ALGORITHMS), options={"enforce_minimum_key_length": True})


def _object(segment: str) -> JsonObject:
    """The object that is in one part of a token."""
    try:
        value = decode_json(_decoded(segment))
    except (KeyFault, CodecError):
        value = None
    if not isinstance(value, Mapping):
        raise TokenRefused(TokenFault.MALFORMED)
    return value


def _decoded(text: str) -> bytes:
    """The bytes that ``text`` is, in Base64 for addresses without its padding (RFC 7515, section 2)."""
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise KeyFault("it is not Base64") from None
    # Bits that mean nothing must be none, or one token would have many forms.
    if _encoded(found) != text:
        raise KeyFault("it is not Base64 in its one form")
    return found


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _is_key_id(text: str) -> bool:
    return 0 < len(text) <= KEY_ID_LIMIT and text.isprintable()


def _strings(value: JsonValue) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
