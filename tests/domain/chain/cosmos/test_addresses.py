"""Consensus addresses out of keys and Bech32, in every spelling of a key that nodes use."""

import hashlib
from base64 import b64encode

import pytest

from domain.chain.cosmos import CosmosFault, address_of, address_of_key, as_bech32
from domain.chain.cosmos.addresses import address_of_update

# The key and the address of a node, both as it answers them itself (tendermint-rs, kvstore_v0_38/status.json).
KEY = "bNNlGls5R25wC3Sd8720F/3+7IZBhXcD22MNFtPk/v0="
ADDRESS = "2DD9F44FD9067555C322243C3C913BA7B51D2BE0"


@pytest.mark.parametrize(
    "kind",
    [
        "tendermint/PubKeyEd25519",
        "tendermint.crypto.PublicKey_Ed25519",
        "cometbft.crypto.v1.PublicKey_Ed25519",
        "/cosmos.crypto.ed25519.PubKey",
        "ed25519",
    ],
)
def test_the_address_of_a_key_is_the_beginning_of_its_digest(kind):
    assert address_of_key(kind, KEY) == ADDRESS


@pytest.mark.parametrize(
    "update",
    [
        {"address": ADDRESS.lower()},
        {"address": as_bech32(ADDRESS, "cosmosvalcons")},
        {"address": "", "pub_key": {"type": "tendermint/PubKeyEd25519", "value": KEY}},
        {"pub_key": {"Sum": {"type": "tendermint.crypto.PublicKey_Ed25519", "value": {"ed25519": KEY}}}},
        {"pub_key": {"type": "tendermint/PubKeyEd25519", "value": KEY}},
        {"pub_key": {"@type": "/cosmos.crypto.ed25519.PubKey", "key": KEY}},
        {"pub_key": {"ed25519": KEY}},
        {"pub_key_bytes": KEY, "pub_key_type": "ed25519"},
    ],
)
def test_every_shape_of_an_update_names_the_same_validator(update):
    assert address_of_update(update) == ADDRESS


def test_an_address_is_read_in_hexadecimal_and_in_bech32_of_any_prefix():
    assert address_of(ADDRESS.lower()) == ADDRESS
    for prefix in ("cosmosvalcons", "crocnclcons", "ica", "injvalcons"):
        assert address_of(as_bech32(ADDRESS, prefix)) == ADDRESS


def test_other_kinds_of_keys_have_their_own_sizes_and_digests():
    assert address_of_key("cometbft/PubKeyBls12_381", b64encode(b"k" * 96).decode()) == (
        hashlib.sha256(b"k" * 96).hexdigest()[:40].upper()
    )
    key = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    # The key of the number one, whose hash160 everybody knows.
    expected = "751E76E8199196D454941C45D1B3A323F1433BD6"
    for kind in ("tendermint/PubKeySecp256k1", "/cosmos.crypto.secp256k1.PubKey", "secp256k1"):
        assert address_of_key(kind, b64encode(key).decode()) == expected


def test_a_digest_that_this_python_lacks_is_a_fault(monkeypatch):
    def lacking(name: str, *_: object, **__: object) -> None:
        raise ValueError(name)

    monkeypatch.setattr(hashlib, "new", lacking)
    with pytest.raises(CosmosFault, match="RIPEMD-160"):
        address_of_key("secp256k1", b64encode(b"k" * 33).decode())


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("ed25519", "not base64"),
        ("ed25519", b64encode(b"short").decode()),
        ("/ethermint.crypto.v1.ethsecp256k1.PubKey", b64encode(b"k" * 33).decode()),
        ("cometbft/PubKeySecp256k1eth", b64encode(b"k" * 65).decode()),
        ("secp256k1", b64encode(b"k" * 65).decode()),
        ("dilithium", KEY),
    ],
)
def test_a_key_that_cannot_be_addressed_is_a_fault(kind, key):
    with pytest.raises(CosmosFault):
        address_of_key(kind, key)


@pytest.mark.parametrize("written", ["", "12", "Z" * 40, as_bech32("AB" * 32, "cosmos"), "cosmosvalcons1", "\ud800"])
def test_what_names_nobody_is_a_fault(written):
    with pytest.raises(CosmosFault):
        address_of(written)


@pytest.mark.parametrize(
    "update", [{}, {"pub_key": None}, {"pub_key": {}}, {"pub_key": {"a": KEY, "b": KEY}}, {"pub_key": {"Sum": None}}]
)
def test_an_update_of_nobody_is_a_fault(update):
    with pytest.raises(CosmosFault):
        address_of_update(update)
