"""How large a message is that is coming in, seen from the frame headers alone.

Rules of this file: pure, and a second opinion only: the WebSocket library decides what is valid. It counts a message in
characters, after decoding, and does not count its frames; a client could make it keep four times the limit, or an
endless row of empty frames. So sizes are counted here in bytes, before anything is decoded, and a frame that says of
itself that it is too large is not waited for. Counts of invalid bytes do not matter; they end the connection.

Pongs are read here too: the library throws away what they say, and what they say is the client's credit. A piece of
input that is nothing but Pongs need not be shown to the library at all.
"""

from __future__ import annotations

from transport.codes import MESSAGE_TOO_BIG, ProtocolError

_FIN = 0x80
_OPCODE = 0x0F
_CONTROL = 0x08
_CLOSE = 0x08
_PONG = 0x0A
_MASK = 0x80
_LENGTH = 0x7F
_TWO_BYTES = 126
_EIGHT_BYTES = 127
_POLICY = 1008
_WHOLE_PONG = bytes((_FIN | _PONG,))
_MASKED = 6  # bytes of the header of a short masked frame

# Pieces smaller than this are no way to send a message.
_SMALLEST_PIECE = 16
_PIECES = 1024


class Meter:
    """Follows the frames of one connection; ``limit`` is in bytes for each message."""

    __slots__ = (
        "_ended",
        "_final",
        "_header",
        "_limit",
        "_mask",
        "_pieces",
        "_pong",
        "_remaining",
        "_size",
        "frames",
        "pongs",
    )

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._header = b""
        self._remaining = 0
        self._size = 0
        self._pieces = 0
        self._final = False
        self._ended = False
        # The payload of a Pong that is coming in, still masked; None while there is none.
        self._pong: bytes | None = None
        self._mask = b""
        self.pongs: list[bytes] = []
        # Frames that are neither a whole message nor a Pong; whoever counts them takes them away.
        self.frames = 0

    @property
    def has_ended(self) -> bool:
        """Whether a Close frame has come, behind which nothing counts."""
        return self._ended

    def take_pongs(self, data: bytes) -> bytes:
        """What is left of ``data`` when the whole Pongs at its beginning are taken into ``pongs``."""
        if self._remaining or self._header or self._ended:
            return data
        position = 0
        while data[position : position + 1] == _WHOLE_PONG and len(data) >= position + _MASKED:
            second = data[position + 1]
            end = position + _MASKED + (second & _LENGTH)
            if not second & _MASK or second & _LENGTH >= _TWO_BYTES or end > len(data):
                break
            start = position + _MASKED
            self.pongs.append(_unmasked(data[start:end], data[start - 4 : start]))
            position = end
        return data[position:]

    def feed(self, data: bytes) -> int:
        """Count ``data``, the next bytes from the client; returns how many messages are complete with it.

        Raises:
            ProtocolError: 1009 if a message is larger than the limit, 1008 if it is in too many pieces.
        """
        position = complete = 0
        size = len(data)
        while position < size and not self._ended:
            if self._remaining:
                step = min(self._remaining, size - position)
                self._remaining -= step
                if self._pong is not None:
                    self._pong += data[position : position + step]
                position += step
            else:
                if self._header:
                    data, position = self._header + data[position:], 0
                    size = len(data)
                length = _header_size(data, position, size)
                if length > size - position:
                    self._header = data[position:]
                    return complete
                self._header = b""
                self._take(data, position)
                position += length
            if self._pong is not None and not self._remaining:
                self.pongs.append(_unmasked(self._pong, self._mask))
                self._pong = None
            if self._final and not self._remaining:
                self._final = False
                complete += 1
        return complete

    def _take(self, data: bytes, position: int) -> None:
        """Note the frame whose header is at ``position``."""
        first = data[position]
        payload = data[position + 1] & _LENGTH
        if payload == _TWO_BYTES:
            payload = int.from_bytes(data[position + 2 : position + 4], "big")
        elif payload == _EIGHT_BYTES:
            payload = int.from_bytes(data[position + 2 : position + 10], "big")
        self._remaining = payload
        opcode = first & _OPCODE
        if opcode & _CONTROL:
            self._ended = opcode == _CLOSE
            if opcode == _PONG and payload < _TWO_BYTES and data[position + 1] & _MASK:
                self._pong, self._mask = b"", data[position + 2 : position + 6]
            else:
                self.frames += 1
            return
        if self._pieces or not first & _FIN:
            self.frames += 1
        self._size += payload
        self._pieces += 1
        if self._size > self._limit:
            raise ProtocolError(MESSAGE_TOO_BIG, f"a message is larger than {self._limit} bytes")
        if self._pieces > max(_PIECES, self._limit // _SMALLEST_PIECE):
            raise ProtocolError(_POLICY, f"a message comes in more than {self._pieces - 1} frames")
        if first & _FIN:
            self._final = True
            self._size = self._pieces = 0


def _header_size(data: bytes, position: int, size: int) -> int:
    """Bytes of the frame header at ``position``, as far as they can be told: at least 2."""
    if size - position < 2:  # noqa: PLR2004 - opcode and first length
        return 2
    second = data[position + 1]
    length = second & _LENGTH
    extended = 2 if length == _TWO_BYTES else 8 if length == _EIGHT_BYTES else 0
    return 2 + extended + (4 if second & _MASK else 0)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    """``payload`` of a client's frame in clear (RFC 6455, section 5.3); at most 125 bytes."""
    size = len(payload)
    pattern = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")
