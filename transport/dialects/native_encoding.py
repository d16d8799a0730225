"""How the native protocol is written: the same members as JSON in text messages, or as MessagePack in binary ones.

Rules of this file: no I/O. A publication is encoded once for each encoding, whatever its followers want to be spared:
the encoders of one encoding, one for each least priority, share what was written last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import UNSET, Struct, UnsetType

from domain import Gap, JsonObject, JsonValue, Position, Priority, Publication
from transport.codec import MESSAGE_ITEMS, CodecError, decode_json, decode_msgpack, encode_json, encode_msgpack, plain
from transport.dialects import native_frames as wire
from transport.dialects.cloudevents import members_of
from transport.encoder import Encoder
from transport.frames import BINARY, TEXT, Frame, frame_bytes


class Encoding:
    """One of the two: its ``subprotocol``, and how a message is read and written."""

    __slots__ = ("_decode", "_encode", "_opcode", "encoders", "subprotocol")

    def __init__(
        self,
        subprotocol: str,
        opcode: int,
        decode: Callable[[str | bytes], JsonValue],
        encode: Callable[[JsonValue], bytes],
    ) -> None:
        self.subprotocol = subprotocol
        self._opcode = opcode
        self._decode = decode
        self._encode = encode
        payload = _Latest(encode)
        self.encoders: Mapping[Priority, Encoder] = MappingProxyType(
            {least: Encoder(payload.down_to(least), sampled=self._sampled, opcode=opcode) for least in Priority}
        )
        """The encoder for who wants everything down to a priority."""

    def takes(self, message: str | bytes) -> bool:
        """Whether ``message`` came in the kind of frame that this encoding uses."""
        return isinstance(message, str) is (self._opcode == TEXT)

    def members(self, message: str | bytes) -> JsonObject:
        """The object that ``message`` holds.

        Raises:
            CodecError: if it holds none.
        """
        value = self._decode(message)
        if not isinstance(value, Mapping):
            raise CodecError("a message is an object")
        return value

    def frame(self, message: Struct, priority: Priority = Priority.HIGH) -> Frame:
        """The frame that says ``message``, a reply or a push."""
        return Frame(frame_bytes(self._opcode, self._encode(plain(message))), priority)

    def gap(self, gap: Gap) -> Frame:
        """The push that tells a hole."""
        return self.frame(wire.GapPush(gap.channel, gap.first, gap.last, gap.reason, gap.count))

    def disconnect(self, code: int, reason: str, delay: float, resume: Position | None) -> Frame:
        """The push that tells the end, and from where to resume not sooner than in ``delay`` seconds."""
        position = None if resume is None else str(resume)
        return self.frame(wire.DisconnectPush(code, reason, round(delay * 1000), position))

    def _sampled(self, publication: Publication, rate: int) -> bytes:
        return self._encode(_push(publication, {"sampledrate": rate}))


class _Latest:
    """Writes publications with ``encode``, and keeps what it wrote last."""

    __slots__ = ("_encode", "_payload", "_publication")

    def __init__(self, encode: Callable[[JsonValue], bytes]) -> None:
        self._encode = encode
        self._publication: Publication | None = None
        self._payload = b""

    def down_to(self, least: Priority) -> Callable[[Publication], bytes | None]:
        """What writes a publication that is at least as urgent as ``least``, and returns None for another."""
        return lambda publication: None if publication.event.priority > least else self._write(publication)

    def _write(self, publication: Publication) -> bytes:
        # The same object, not an equal one: comparing events costs as much as writing them.
        if self._publication is not publication:
            self._payload = self._encode(_push(publication, {}))
            self._publication = publication
        return self._payload


def hole(gap: Gap | None) -> wire.Hole | UnsetType:
    """What a confirmation says of ``gap``; nothing if there is none."""
    return UNSET if gap is None else wire.Hole(gap.first, gap.last, gap.count, gap.reason)


def _push(publication: Publication, more: JsonObject) -> JsonObject:
    event = members_of(publication)
    # It stands beside the event, where a client finds it without looking into every event.
    priority = event.pop("priority")
    return {"push": "event", "priority": priority, "event": {**event, **more}}


def _packed(message: str | bytes) -> JsonValue:
    if isinstance(message, str):
        raise CodecError("MessagePack comes in binary messages")
    return decode_msgpack(message, MESSAGE_ITEMS)


def _read(message: str | bytes) -> JsonValue:
    return decode_json(message, MESSAGE_ITEMS)


JSON = Encoding("andond.v1.json", TEXT, _read, encode_json)
MSGPACK = Encoding("andond.v1.msgpack", BINARY, _packed, encode_msgpack)
ENCODINGS = (JSON, MSGPACK)
