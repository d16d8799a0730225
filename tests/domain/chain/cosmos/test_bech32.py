"""Bech32: the vectors of its specification, and that nothing but one whole address is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain.cosmos import CosmosFault, bech32
from domain.chain.cosmos.bech32 import CHECKSUM_SIZE, SIGNS, decode, encode


def sealed(prefix: str, values: list[int]) -> str:
    """Groups of five bits with the checksum that they should have."""
    rest = bech32._checksum([*bech32._spread(prefix), *values, *[0] * CHECKSUM_SIZE]) ^ 1
    check = [rest >> 5 * place & 31 for place in reversed(range(CHECKSUM_SIZE))]
    return f"{prefix}1{''.join(SIGNS[value] for value in [*values, *check])}"


PREFIXES = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=20)


# The valid texts of BIP-173 whose payload is whole bytes.
@pytest.mark.parametrize(
    ("text", "prefix", "size"),
    [
        ("A12UEL5L", "a", 0),
        ("a12uel5l", "a", 0),
        ("an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs", None, 0),
        ("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef", 20),
    ],
)
def test_the_vectors_of_the_specification_are_read(text, prefix, size):
    found, payload = decode(text)
    assert found == (prefix or text[:-7])
    assert len(payload) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "x1b4n0q5v",
        "li1dgmt3",
        "A1G7SGD8",
        "10a06t8",
        "1qzzfhee",
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "a12UEL5L",
        "\x801eym55h",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w" + "q" * 60,
        "split1cheo2y9e2w",
        "\u0130" * 20,
        "\ud800",
    ],
)
def test_what_is_no_bech32_is_a_fault(text):
    with pytest.raises(CosmosFault):
        decode(text)


def test_padding_that_is_not_empty_is_a_fault():
    # Two signs hold a byte and two bits, which must be zero; one holds no byte at all, three a byte and a group more.
    assert decode(sealed("a", [0, 4])) == ("a", b"\x01")
    for values in ([0, 1], [0, 2], [0, 3], [0], [0, 4, 0]):
        with pytest.raises(CosmosFault, match="padding"):
            decode(sealed("a", values))


@given(PREFIXES, st.binary(min_size=1, max_size=32))
def test_what_was_written_is_read_back(prefix, payload):
    assert decode(encode(prefix, payload)) == (prefix, payload)
    assert decode(encode(prefix, payload).upper()) == (prefix, payload)


@given(st.binary(min_size=20, max_size=20), st.data())
def test_one_wrong_sign_is_always_noticed(payload, data):
    written = encode("cosmosvalcons", payload)
    place = data.draw(st.integers(len("cosmosvalcons1"), len(written) - 1))
    other = data.draw(st.sampled_from([sign for sign in SIGNS if sign != written[place]]))
    with pytest.raises(CosmosFault, match="checksum"):
        decode(written[:place] + other + written[place + 1 :])


@given(st.text(max_size=100))
def test_no_text_raises_anything_else(text):
    try:
        decode(text)
    except CosmosFault as fault:
        assert str(fault)  # noqa: PT017
