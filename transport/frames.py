"""Frames: a publication encoded once, the same bytes for every subscriber.

Rules of this file: a server's frames are not masked and andond negotiates no extension, so a frame's
bytes depend on nothing but its payload (RFC 6455, section 5.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from domain import Priority, Publication

TEXT = 0x81
BINARY = 0x82
CLOSE = 0x88
PING = 0x89
PONG = 0x8A

_SHORT = 126
_MEDIUM = 65536


class Frame:
    """The bytes of one WebSocket message, its priority, and the key under which a newer one replaces it.

    ``publication`` is what it tells, where it tells one, in place of ``rate`` of them. ``again`` makes its bytes anew
    for a client that gets it in place of more, given how many; None where its dialect has no word for that.
    """

    __slots__ = ("again", "data", "key", "priority", "publication", "rate")

    def __init__(
        self,
        data: bytes,
        priority: Priority = Priority.NORMAL,
        key: Hashable = None,
        publication: Publication | None = None,
        again: Callable[[int], bytes] | None = None,
        rate: int = 1,
    ) -> None:
        self.data = data
        self.priority = priority
        self.key = key
        self.publication = publication
        self.again = again
        self.rate = rate

    def __repr__(self) -> str:
        return f"<Frame {self.priority.wire} {len(self.data)} bytes key={self.key!r}>"


class Batch:
    """Frames that go out in one write, joined once for all subscribers; none of them is critical.

    ``counts`` says how many there are of each priority. Where all are of one, and none may take the place of another,
    they can wait together: then ``lane`` is that priority.
    """

    __slots__ = ("blob", "counts", "frames", "lane")

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.frames = frames
        self.blob = b"".join([frame.data for frame in frames])
        self.counts = tuple(Counter([frame.priority for frame in frames]).items())
        is_alike = len(self.counts) == 1 and not any(frame.key for frame in frames)
        self.lane = self.counts[0][0] if is_alike else None

    def rest(self, count: int) -> tuple[int, bytes]:
        """How many frames the first ``count`` bytes have begun, and what of the last of them is left."""
        end = 0
        for index, frame in enumerate(self.frames):
            start, end = end, end + len(frame.data)
            if end > count:
                return (index + 1, frame.data[count - start :]) if count > start else (index, b"")
        return len(self.frames), b""


def frame_bytes(opcode: int, payload: bytes) -> bytes:
    """One whole unmasked frame; ``opcode`` is the first octet, with FIN set (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < _SHORT:
        return bytes((opcode, size)) + payload
    if size < _MEDIUM:
        return bytes((opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((opcode, 127)) + size.to_bytes(8, "big") + payload


def text_frame(payload: bytes, priority: Priority = Priority.NORMAL, key: Hashable = None) -> Frame:
    """``payload`` (UTF-8) as a text message."""
    return Frame(frame_bytes(TEXT, payload), priority, key)
