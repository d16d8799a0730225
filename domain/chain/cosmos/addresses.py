"""Who a validator is: the consensus address, out of whatever the node wrote instead of it.

Rules of this file: an address is the upper-case hexadecimal of 20 bytes, as CometBFT itself writes it. It is made of
a public key, of Bech32 of any prefix, or is there already.

Source of the address of a key: CometBFT ``spec/core/encoding.md`` ("Addresses": the first 20 bytes of the SHA-256 of
the key; for secp256k1 the RIPEMD-160 of the SHA-256); checked against recorded nodes.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from domain.chain.cosmos import bech32
from domain.chain.cosmos.fault import CosmosFault, excerpt
from domain.chain.cosmos.member import as_object, from_base64, inner, text
from domain.json import JsonObject

ADDRESS_SIZE = 20
KEY_LIMIT = 1024

_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{40}", re.ASCII)
# Word that the name of a key's kind holds, in any spelling -> the size of its keys in bytes.
_SHORTENED = {"ed25519": 32, "sr25519": 32, "bn254": 64, "bls12": 0}
_HASHED = re.compile(r"(?<!eth)secp256k1(\.pubkey)?", re.ASCII)
_HASHED_SIZE = 33


@lru_cache(maxsize=4096)
def address_of(written: str) -> str:
    """The consensus address that ``written`` (hexadecimal, or Bech32 of any prefix) names.

    Raises:
        CosmosFault: if it names none.
    """
    if _HEXADECIMAL.fullmatch(written):
        return written.upper()
    _, payload = bech32.decode(written)
    if len(payload) != ADDRESS_SIZE:
        raise CosmosFault(f"an address of {len(payload)} bytes, not of {ADDRESS_SIZE}: {excerpt(written)}")
    return payload.hex().upper()


def as_bech32(address: str, prefix: str) -> str:
    """``address`` as people write it: ``as_bech32(address, "cosmosvalcons")``."""
    return bech32.encode(prefix, bytes.fromhex(address))


def address_of_key(kind: str, key: str) -> str:
    """The consensus address of the public ``key`` (base64); ``kind`` is its type in any of the nodes' spellings.

    Raises:
        CosmosFault: if it is no such key, or of a kind whose addresses are not known here.
    """
    data = from_base64(key, "a public key")
    lower = kind.lower()
    for word, size in _SHORTENED.items():
        if word in lower:
            if size and len(data) != size:
                raise CosmosFault(f"a key of kind {excerpt(kind)} has {size} bytes, not {len(data)}")
            return hashlib.sha256(data).digest()[:ADDRESS_SIZE].hex().upper()
    found = _HASHED.search(lower)
    if found is not None and found.end() == len(lower) and len(data) == _HASHED_SIZE:
        return _hash160(data)
    raise CosmosFault(f"the address of a key of kind {excerpt(kind)} is not known")


def address_of_update(update: JsonObject) -> str:
    """Whose update, validator or record this is: its own ``address``, else that of its public key.

    Raises:
        CosmosFault: if it carries neither.
    """
    if update.get("address"):
        return address_of(text(update, "address"))
    if "pub_key_bytes" in update:
        return address_of_key(text(update, "pub_key_type"), text(update, "pub_key_bytes", KEY_LIMIT))
    return address_of_nested_key(inner(update, "pub_key"))


def address_of_nested_key(key: JsonObject) -> str:
    """The consensus address of a key as nodes nest it: ``Sum``, ``type`` and ``value``, ``@type`` and ``key``.

    Raises:
        CosmosFault: if it is none of these.
    """
    if "Sum" in key:
        key = inner(key, "Sum", "value")
    if "@type" in key:
        return address_of_key(text(key, "@type"), text(key, "key", KEY_LIMIT))
    if "type" in key:
        return address_of_key(text(key, "type"), text(key, "value", KEY_LIMIT))
    kinds = list(as_object(key, "pub_key"))
    if len(kinds) != 1:
        raise CosmosFault(f"a public key of {len(kinds)} kinds")
    return address_of_key(kinds[0], text(key, kinds[0], KEY_LIMIT))


def _hash160(key: bytes) -> str:
    try:
        digest = hashlib.new("ripemd160", hashlib.sha256(key).digest(), usedforsecurity=False)
    except ValueError:
        raise CosmosFault("the address of a secp256k1 key needs RIPEMD-160, which this Python lacks") from None
    return digest.hexdigest().upper()
