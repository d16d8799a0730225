"""Bytes to values and back: JSON and MessagePack, with limits.

Rules of this file: what comes from outside is bounded in depth and in how many values it holds before anybody walks it,
and in MessagePack in what it declares before anything is built. Values are counted by what separates them, which also
stands in texts: a limit is far above what is ever said, so that no text is refused that somebody wrote. Every fault is
a ``CodecError`` whose text can be shown to the sender. This is the only file with ``Any``: the libraries' own words for
"some value".
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgpack
import msgspec

from domain import JsonObject, JsonValue

Message = TypeVar("Message", bound=msgspec.Struct)

DEPTH_LIMIT = 32
ITEM_LIMIT = 262_144
"""Values in one text: what a body of a MiB can hold that says something."""

MESSAGE_ITEMS = 4_096
"""Values in one message of a client on a WebSocket."""

_SCALARS = (str, int, float, bool, type(None))

_json_encoder = msgspec.json.Encoder()
_json_decoder = msgspec.json.Decoder()


class CodecError(ValueError):
    """Bytes that are no value, or one that andond does not take; says what is wrong with them."""


def encode_json(value: JsonValue) -> bytes:
    """``value`` as compact JSON (RFC 8259); what is not finite becomes null."""
    return _json_encoder.encode(value)


def decode_json(data: bytes | str, limit: int | None = ITEM_LIMIT) -> JsonValue:
    """The value that ``data`` (UTF-8 JSON, RFC 8259) describes, of at most ``limit`` values; None: any number.

    Raises:
        CodecError: if it is no JSON, has more values, or is nested deeper than ``DEPTH_LIMIT``.
    """
    if limit is not None and len(data) > limit and _separators(data) > limit:
        raise _too_many(limit)
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


def decode_msgpack(data: bytes, limit: int = ITEM_LIMIT) -> JsonValue:
    """The value that ``data`` (MessagePack, with text keys and without extension types) describes.

    Raises:
        CodecError: if it is no such MessagePack, has more than ``limit`` values, or is nested deeper than
            ``DEPTH_LIMIT``.
    """
    try:
        _walk(data)
        value: Any = msgpack.unpackb(data, raw=False, strict_map_key=True, max_array_len=limit, max_map_len=limit)
    except (ValueError, RecursionError, msgpack.UnpackException) as error:
        raise CodecError(f"not valid MessagePack: {str(error) or type(error).__name__}") from None
    _check_depth(value)
    _check_types(value, limit)
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


def _separators(data: bytes | str) -> int:
    """How many values ``data`` may have, and no fewer than it has but one."""
    if isinstance(data, str):
        return data.count(",") + data.count("[") + data.count("{")
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def _too_many(limit: int) -> CodecError:
    return CodecError(f"more than {limit} values")


def _check_types(value: Any, limit: int) -> None:
    """Refuse what MessagePack can say and JSON cannot: bytes, extension types, keys that are no text."""
    waiting: list[Any] = [value]
    count = 0
    while waiting:
        item = waiting.pop()
        count += 1
        if count > limit:
            raise _too_many(limit)
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
