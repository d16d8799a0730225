"""The envelope of the floor's frames: who gets them, how urgent they are, when they went out.

Rules of this file: no I/O. Every frame has ``type``, ``data``, ``timestamp`` (RFC 3339, UTC), ``priority`` (1 to 4) and
``connection_id``. What answers a client has its members flat as well as in ``data``: one client generation reads each
place. Answers leave in the order of the questions, whatever their number says; only what is critical overtakes them.

Source: the floor's contract, section 3.3, and its decisions 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain import JsonValue, Priority, Publication, conflation_key, rfc3339
from transport.codec import encode_json
from transport.dialects.floor.following import Following
from transport.dialects.floor.script import Script, tail
from transport.encoder import Encoder
from transport.frames import TEXT, Frame, frame_bytes, text_frame
from transport.session import Send

# Flat, these words are the frame's own.
_FRAME_WORDS = frozenset({"type", "data", "timestamp", "priority", "connection_id", "origin"})


class Envelope:
    """Writes the answers to one connection, the one with ``connection_id``."""

    __slots__ = ("connection_id",)

    def __init__(self, connection_id: str) -> None:
        self.connection_id = connection_id

    def frame(
        self,
        type_: str,
        data: Mapping[str, JsonValue],
        at: float,
        level: Priority = Priority.NORMAL,
        **own: JsonValue,
    ) -> Frame:
        """The frame of ``type_`` at ``at``; ``own`` members stand beside ``data`` and take the place of any other."""
        flat = {name: value for name, value in data.items() if name not in _FRAME_WORDS}
        members: dict[str, JsonValue] = {
            "type": type_,
            **flat,
            "data": data,
            "timestamp": rfc3339(at),
            "priority": level.seed,
            "connection_id": self.connection_id,
            **own,
        }
        return text_frame(encode_json(members), Priority.HIGH)

    def send(
        self,
        type_: str,
        data: Mapping[str, JsonValue],
        at: float,
        level: Priority = Priority.NORMAL,
        **own: JsonValue,
    ) -> Send:
        """The step that sends such a frame."""
        return Send(self.frame(type_, data, at, level, **own))


class Teller(Encoder):
    """Writes events for one connection: those that ``following`` takes, under the names that it wants.

    It is one connection's own, because it knows what that follows; what is written is written once for all of them.
    """

    __slots__ = ("_following", "_script", "_tail", "size", "told")

    def __init__(self, script: Script, following: Following, connection_id: str) -> None:
        super().__init__(self._first)
        self._script = script
        self._following = following
        self._tail = tail(connection_id)
        self.told = 0
        self.size = 0

    def frame(self, publication: Publication, rate: int = 1) -> Frame | None:
        """All frames that tell ``publication`` to this connection, as one piece; None if there is none."""
        del rate
        payloads = self._payloads(publication)
        if not payloads:
            return None
        data = b"".join([frame_bytes(TEXT, payload) for payload in payloads])
        self.told += len(payloads)
        self.size += len(data)
        event = publication.event
        key = conflation_key(event)
        place = None if key is None else (publication.channel, *key)
        return Frame(data, event.priority, place, publication)

    def _payloads(self, publication: Publication) -> list[bytes]:
        return [
            told.body(name) + self._tail
            for told in self._script.of(publication)
            for name in self._following.names_of(told)
        ]

    def _first(self, publication: Publication) -> bytes | None:
        return next(iter(self._payloads(publication)), None)
