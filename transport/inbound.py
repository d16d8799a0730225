"""How large a message is that is coming in, seen from the frame headers alone.

Rules of this file: pure, and a second opinion only: the WebSocket library decides what is valid. It counts a message in
characters, after decoding, and does not count its frames; a client could make it keep four times the limit, or an
endless row of empty frames. So sizes are counted here in bytes, before anything is decoded, and a frame that says of
itself that it is too large is not waited for. Counts of invalid bytes do not matter; they end the connection.
"""

from __future__ import annotations

from transport.codes import MESSAGE_TOO_BIG, ProtocolError

_FIN = 0x80
_OPCODE = 0x0F
_CONTROL = 0x08
_CLOSE = 0x08
_MASK = 0x80
_LENGTH = 0x7F
_TWO_BYTES = 126
_EIGHT_BYTES = 127
_POLICY = 1008

# Pieces smaller than this are no way to send a message.
_SMALLEST_PIECE = 16
_PIECES = 1024


class Meter:
    """Follows the frames of one connection; ``limit`` is in bytes for each message."""

    __slots__ = ("_ended", "_final", "_header", "_limit", "_pieces", "_remaining", "_size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._header = b""
        self._remaining = 0
        self._size = 0
        self._pieces = 0
        self._final = False
        self._ended = False

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
            return
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
