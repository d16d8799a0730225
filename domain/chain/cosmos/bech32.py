"""Bech32, in which chains of the Cosmos write addresses for people.

Rules of this file: no address of any particular chain. A text with a fault is a ``CosmosFault``; Cosmos uses the
first checksum constant (BIP-173), never that of Bech32m.

Source of the format and the generator of its checksum: BIP-173, "Base32 address format for native v0-16 witness
outputs".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.chain.cosmos.fault import CosmosFault, excerpt

SIGNS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
LENGTH_LIMIT = 90
CHECKSUM_SIZE = 6

_VALUES = {sign: value for value, sign in enumerate(SIGNS)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def encode(prefix: str, payload: bytes) -> str:
    """``payload`` as Bech32 under ``prefix``."""
    values = _regroup(payload, 8, 5, pad=True)
    remainder = _checksum([*_spread(prefix), *values, *([0] * CHECKSUM_SIZE)]) ^ 1
    check = [remainder >> 5 * (CHECKSUM_SIZE - 1 - place) & 31 for place in range(CHECKSUM_SIZE)]
    return f"{prefix}1{''.join(SIGNS[value] for value in (*values, *check))}"


def decode(written: str) -> tuple[str, bytes]:
    """The prefix and the payload of ``written``.

    Raises:
        CosmosFault: if it is no Bech32; the text says why.
    """
    if len(written) > LENGTH_LIMIT:
        raise CosmosFault(f"longer than the {LENGTH_LIMIT} characters of a Bech32 address: {excerpt(written)}")
    lower = written.lower()
    prefix, separator, body = lower.rpartition("1")
    if written not in (lower, written.upper()) or not separator or not prefix.isascii() or not prefix.isprintable():
        raise CosmosFault(f"no Bech32 address: {excerpt(written)}")
    if not prefix or len(body) < CHECKSUM_SIZE or not _VALUES.keys() >= set(body):
        raise CosmosFault(f"no Bech32 address: {excerpt(written)}")
    values = [_VALUES[sign] for sign in body]
    if _checksum([*_spread(prefix), *values]) != 1:
        raise CosmosFault(f"the checksum does not fit: {excerpt(written)}")
    return prefix, bytes(_regroup(values[:-CHECKSUM_SIZE], 5, 8, pad=False))


def _spread(prefix: str) -> Iterable[int]:
    codes = prefix.encode("ascii")
    return (*(code >> 5 for code in codes), 0, *(code & 31 for code in codes))


def _checksum(values: Iterable[int]) -> int:
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for place, term in enumerate(_GENERATOR):
            if top >> place & 1:
                remainder ^= term
    return remainder


def _regroup(values: Sequence[int], before: int, after: int, *, pad: bool) -> list[int]:
    """The bits of ``values``, ``before`` of them in each, in groups of ``after``."""
    held = bits = 0
    groups: list[int] = []
    for value in values:
        held = (held << before | value) & 0xFFFF
        bits += before
        while bits >= after:
            bits -= after
            groups.append(held >> bits & (1 << after) - 1)
    if pad and bits:
        groups.append(held << after - bits & (1 << after) - 1)
    # What is left over must be padding: less than a group of the input, and zeros.
    if not pad and (bits >= before or held & (1 << bits) - 1):
        raise CosmosFault("a Bech32 address whose padding is not empty")
    return groups
