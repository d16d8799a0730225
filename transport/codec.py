"""Bytes to values and back: JSON and MessagePack, with limits.

Rules of this file: what comes from outside is bounded in depth before anybody walks it, and in MessagePack in what it
declares before anything is built. Every fault is a ``CodecError`` whose text can be shown to the sender. This is the
only file with ``Any``: the libraries' own words for "some value".
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgpack
import msgspec

from domain import JsonObject, JsonValue

Message = TypeVar("Message", bound=msgspec.Struct)

DEPTH_LIMIT = 32

_SCALARS = (str, int, float, bool, type(None))

_json_encoder = msgspec.json.Encoder()
_json_decoder = msgspec.json.Decoder()


class CodecError(ValueError):
    """Bytes that are no value, or one that andond does not take; says what is wrong with them."""


def encode_json(value: JsonValue) -> bytes:
    """``value`` as compact JSON (RFC 8259); what is not finite becomes null."""
    return _json_encoder.encode(value)


def decode_json(data: bytes | str) -> JsonValue:
    """The value that ``data`` (UTF-8 JSON, RFC 8259) describes.

    Raises:
        CodecError: if it is no JSON, or nested deeper than ``DEPTH_LIMIT``.
    """
    try:
        value: Any = _json_decoder.decode(data)
    except RecursionError:
        raise CodecError(f"nested deeper than {DEPTH_LIMIT} levels") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise CodecError(f"not valid JSON: {error}") from None
    _check_depth(value)
    return _plain(value)


def encode_msgpack(value: JsonValue) -> bytes:
    """``value`` as MessagePack; an integer beyond 64 bits becomes a float, or null where no float is so large."""
    packed: bytes = msgpack.packb(value, default=_narrowed)
    return packed


def decode_msgpack(data: bytes) -> JsonValue:
    """The value that ``data`` (MessagePack, with text keys and without extension types) describes.

    Raises:
        CodecError: if it is no such MessagePack, or nested deeper than ``DEPTH_LIMIT``.
    """
    try:
        _walk(data)
        value: Any = msgpack.unpackb(data, raw=False, strict_map_key=True)
    except (ValueError, RecursionError, msgpack.UnpackException) as error:
        raise CodecError(f"not valid MessagePack: {str(error) or type(error).__name__}") from None
    _check_depth(value)
    _check_types(value)
    return _plain(value)


def convert(value: JsonValue, shape: type[Message]) -> Message:
    """``value`` as the message that ``shape`` describes; members that it does not have are left out.

    Raises:
        CodecError: if it is none; the text names the place.
    """
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise CodecError(str(error)) from None


def plain(message: msgspec.Struct) -> JsonObject:
    """``message`` as an object with members that can be encoded; what is not set is absent."""
    members: JsonObject = msgspec.to_builtins(message)
    return members


def _walk(data: bytes) -> None:
    """Go over ``data`` and build nothing: who declares a million items and sends none must not cost us their room."""
    walker = msgpack.Unpacker(max_buffer_size=len(data))
    walker.feed(data)
    walker.skip()


def _narrowed(value: Any) -> float | None:
    if not isinstance(value, int):
        raise TypeError(f"{type(value).__name__} is no JSON value")
    try:
        return float(value)
    except OverflowError:
        return None


def _check_types(value: Any) -> None:
    """Refuse what MessagePack can say and JSON cannot: bytes, extension types, keys that are no text."""
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if type(item) is list:
            waiting += item
        elif type(item) is dict:
            waiting += item
            waiting += item.values()
        elif type(item) not in _SCALARS:
            raise CodecError(f"not valid MessagePack: {type(item).__name__} is not taken here")


def _check_depth(value: Any) -> None:
    level: list[Any] = [value] if type(value) in (dict, list) else []
    depth = 0
    while level:
        depth += 1
        if depth > DEPTH_LIMIT:
            raise CodecError(f"nested deeper than {DEPTH_LIMIT} levels")
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]


def _plain(value: Any) -> JsonValue:
    plain: JsonValue = value
    return plain
