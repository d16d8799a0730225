"""How one dialect writes a publication: once, for all who speak it.

Rules of this file: no I/O. An encoder is one object for all sessions of a dialect, because a channel encodes once for
each of them; two encoders are never equal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from domain import Publication, conflation_key
from transport.frames import TEXT, Frame, frame_bytes


class Encoder:
    """Writes publications as messages of one ``opcode``; ``payload`` is None where the dialect has no word for one.

    ``sampled`` writes one that stands for several, given how many; None where the dialect cannot say so.
    """

    __slots__ = ("_opcode", "_payload", "_sampled")

    def __init__(
        self,
        payload: Callable[[Publication], bytes | None],
        *,
        sampled: Callable[[Publication, int], bytes] | None = None,
        opcode: int = TEXT,
    ) -> None:
        self._payload = payload
        self._sampled = sampled
        self._opcode = opcode

    def __call__(self, publication: Publication) -> bytes | None:
        """The payload of the message that tells ``publication``."""
        return self._payload(publication)

    def frame(self, publication: Publication, rate: int = 1) -> Frame | None:
        """The frame that tells ``publication``, in place of ``rate`` of them; None where the dialect has no word."""
        payload = self._payload(publication)
        if payload is None:
            return None
        event = publication.event
        key = conflation_key(event)
        again = None if key is None or self._sampled is None else partial(self._again, publication)
        data = frame_bytes(self._opcode, payload) if rate == 1 or again is None else again(rate)
        place = None if key is None else (publication.channel, *key)
        return Frame(data, event.priority, place, publication, again, rate)

    def _again(self, publication: Publication, rate: int) -> bytes:
        if self._sampled is None:
            raise TypeError("this dialect has no word for a sampled rate")
        return frame_bytes(self._opcode, self._sampled(publication, rate))
