import math
import tracemalloc

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.codec import (
    DEPTH_LIMIT,
    MESSAGE_ITEMS,
    CodecError,
    convert,
    decode_json,
    decode_msgpack,
    encode_json,
    encode_msgpack,
    plain,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


def nested(depth: int, innermost: object, *, maps: bool = False) -> object:
    value = innermost
    for _ in range(depth):
        value = {"k": value} if maps else [value]
    return value


@given(VALUES)
def test_what_is_encoded_as_json_is_decoded_as_it_was(value):
    assert decode_json(encode_json(value)) == value


@given(VALUES)
def test_what_is_encoded_as_messagepack_is_decoded_as_it_was(value):
    assert decode_msgpack(encode_msgpack(value)) == value


def test_json_is_compact_and_utf_8():
    assert encode_json({"a": [1, True, None, "ä"]}) == '{"a":[1,true,null,"ä"]}'.encode()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_becomes_null_in_json(value):
    assert encode_json([value]) == b"[null]"


def test_json_may_come_as_text_or_bytes():
    assert decode_json('{"a":1}') == decode_json(b' {"a": 1}\r\n') == {"a": 1}


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30])
def test_an_integer_of_any_size_is_exact_in_json(number):
    assert decode_json(encode_json(number)) == number


@pytest.mark.parametrize(("number", "packed"), [(2**64, 2.0**64), (-(2**64), -(2.0**64)), (10**400, None)])
def test_an_integer_that_messagepack_has_no_room_for_is_narrowed(number, packed):
    assert decode_msgpack(encode_msgpack([number])) == [packed]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"{'a':1}",
        b"{a:1}",
        b"1 2",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e999",
        b"1" * 5000,
        b"01",
        b"// x\n1",
        b"\xef\xbb\xbf1",
        b"\xff\xfe1\x00",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"\\udc00"',
        b'{"\\ud800":1}',
        b'"\\x41"',
        b'"a\nb"',
        b'"a\x00b"',
        b"nul",
        "\ud800",
        '"\ud800"',
    ],
    ids=lambda data: ascii(data)[:24],
)
def test_what_is_no_json_is_a_codec_error(data):
    with pytest.raises(CodecError, match=r"not valid JSON: .+"):
        decode_json(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x91",
        b"\xdd\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xffx",
        b"\xc6\xff\xff\xff\xff",
        b"\x01\x01",
        b"\xa1\xff",
        b"\xa3\xed\xa0\x80",
        b"\xc4\x01a",
        b"\x91\xc4\x01a",
        b"\x81\xa1a\xc4\x01a",
        b"\x81\xc4\x01a\x01",
        b"\x81\x01\x01",
        b"\x81\xc0\x01",
        b"\x81\x90\x01",
        b"\x81\x80\x01",
        b"\xd4\x01\x00",
        b"\xd6\xff\x00\x00\x00\x01",
        b"\x81\xa1a\xd6\xff\x00\x00\x00\x01",
        b"\xd4\xff\x00",
        b"\xc7\x05\xff\x00\x00\x00\x00\x00",
    ],
    ids=lambda data: data.hex()[:24],
)
def test_what_is_no_such_messagepack_is_a_codec_error(data):
    with pytest.raises(CodecError, match=r"not valid MessagePack: .+"):
        decode_msgpack(data)


@pytest.mark.parametrize("innermost", [1, []], ids=["scalar", "empty"])
@pytest.mark.parametrize("maps", [False, True])
def test_so_deep_and_no_deeper(innermost, maps):
    levels = DEPTH_LIMIT - (innermost == [])
    deepest = nested(levels, innermost, maps=maps)
    assert decode_json(encode_json(deepest)) == deepest
    assert decode_msgpack(encode_msgpack(deepest)) == deepest
    deeper = nested(levels + 1, innermost, maps=maps)
    for decode, data in ((decode_json, encode_json(deeper)), (decode_msgpack, encode_msgpack(deeper))):
        with pytest.raises(CodecError, match=f"deeper than {DEPTH_LIMIT}"):
            decode(data)


@pytest.mark.parametrize("depth", [500, 100_000])
@pytest.mark.parametrize("opening", [b"[", b'{"k":'])
def test_a_bottomless_json_is_refused(depth, opening):
    with pytest.raises(CodecError):
        decode_json(opening * depth + (b"1" if opening != b"[" else b"") + (b"]" if opening == b"[" else b"}") * depth)


@pytest.mark.parametrize("depth", [500, 100_000])
@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1k"])
def test_a_bottomless_messagepack_is_refused(depth, opening):
    with pytest.raises(CodecError):
        decode_msgpack(opening * depth + b"\x01")


def test_depth_is_what_is_nested_and_not_what_is_long():
    wide = [[number] for number in range(10_000)]
    assert decode_json(encode_json(wide)) == wide


def test_what_is_no_json_value_cannot_be_packed():
    with pytest.raises(TypeError, match="set"):
        encode_msgpack({1, 2})


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_a_codec_error(data):
    for decode, encode in ((decode_json, encode_json), (decode_msgpack, encode_msgpack)):
        try:
            value = decode(data)
        except CodecError:
            continue
        assert encode(value)


@given(st.recursive(VALUES | st.binary(max_size=4), lambda inner: st.lists(inner, max_size=3), max_leaves=6))
def test_bytes_are_found_wherever_they_hide(value):
    def holds_bytes(one):
        return isinstance(one, bytes) or (isinstance(one, list) and any(map(holds_bytes, one)))

    if holds_bytes(value):
        with pytest.raises(CodecError, match="bytes"):
            decode_msgpack(msgpack.packb(value))
    else:
        assert decode_msgpack(msgpack.packb(value)) == value


class Inner(msgspec.Struct):
    size: int


class Outer(msgspec.Struct):
    inner: Inner
    name: str = ""
    extra: int | msgspec.UnsetType = msgspec.UNSET


def test_a_value_becomes_a_message_and_members_it_does_not_have_are_left_out():
    assert convert({"inner": {"size": 1, "x": 2}, "y": 3}, Outer) == Outer(Inner(1))


def test_a_message_becomes_members_and_what_is_not_set_is_absent():
    assert plain(Outer(Inner(1))) == {"inner": {"size": 1}, "name": ""}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (None, "object"),
        ([], "object"),
        ({}, "inner"),
        ({"inner": {"size": "1"}}, r"\$\.inner\.size"),
        ({"inner": {"size": 1.0}}, r"\$\.inner\.size"),
        ({"inner": {"size": True}}, r"\$\.inner\.size"),
        ({"inner": {"size": 1}, "name": None}, r"\$\.name"),
    ],
)
def test_what_is_no_such_message_says_where(value, place):
    with pytest.raises(CodecError, match=place):
        convert(value, Outer)


@pytest.mark.parametrize("opening", [b"\xdc\xff\xf0", b"\xde\x7f\xf0\xa1k"], ids=["arrays", "maps"])
def test_what_is_declared_and_never_comes_takes_no_room(opening):
    bomb = opening * 900
    bomb += b"\x01" * (65_536 - len(bomb))
    tracemalloc.start()
    with pytest.raises(CodecError, match="MessagePack"):
        decode_msgpack(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


# -- how many values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wide",
    [
        b"[" + b"1," * 5000 + b"1]",
        b"[" + b"[]," * 5000 + b"1]",
        b"[" + b"{}," * 5000 + b"1]",
        b"{" + b",".join(b'"%d":1' % number for number in range(5000)) + b"}",
        b"[" + b",".join([b"[[[[[[[]]]]]]]"] * 700) + b"]",
    ],
)
def test_json_of_too_many_values_is_refused_before_it_is_built(wide):
    for data in (wide, wide.decode()):
        with pytest.raises(CodecError, match="more than 4096 values"):
            decode_json(data, MESSAGE_ITEMS)
    assert decode_json(wide) == decode_json(wide, limit=None)


def test_what_separates_values_may_stand_in_a_text_as_often_as_it_is_ever_written():
    text = "a, b, [c], {d} " * 600
    assert decode_json(encode_json({"description": text}), MESSAGE_ITEMS) == {"description": text}


@pytest.mark.parametrize(
    "bomb",
    [
        b"\xdc\xff\xff" + b"\x80" * 65_535,
        b"\xdd\x00\x00\xff\xff" + b"\xc0" * 65_535,
        b"\x9f" + (b"\xdc\x0f\xff" + b"\x01" * 4095) * 15,
        b"\xde\x20\x00" + b"".join(b"\xa4%04x\x01" % number for number in range(8192)),
    ],
)
def test_messagepack_of_too_many_values_is_refused(bomb):
    with pytest.raises(CodecError, match=r"more than 4096 values|not valid MessagePack: .*4096"):
        decode_msgpack(bomb, MESSAGE_ITEMS)


@pytest.mark.parametrize(
    "bomb",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xdc\xff\xff\x01",
    ],
)
def test_messagepack_that_only_says_that_it_is_large_costs_nothing(bomb):
    tracemalloc.start()
    with pytest.raises(CodecError):
        decode_msgpack(bomb, MESSAGE_ITEMS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


def test_a_message_of_usual_size_takes_no_more_memory_than_its_limit_of_values():
    """The largest message of the default settings, all of it empty maps: what it costs at most."""
    tracemalloc.start()
    with pytest.raises(CodecError):
        decode_json(b"[" + b"{}," * 21_000 + b"1]", MESSAGE_ITEMS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000
