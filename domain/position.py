"""Where a thing stands in a log: the life of the log, and a number within it.

Rules of this file: no I/O. A position means something only within its epoch; two epochs cannot be compared.
"""

from __future__ import annotations

import re

import msgspec

EPOCH_LIMIT = 64

_POSITION = re.compile(rf"([A-Za-z0-9._-]{{1,{EPOCH_LIMIT}}}):(0|[1-9][0-9]{{0,15}})", re.ASCII)


class Position(msgspec.Struct, frozen=True):
    """``offset`` in the log whose life is ``epoch``; 0 is before the first."""

    epoch: str
    offset: int

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position that the wire writes as ``epoch:offset``.

        Raises:
            ValueError: if ``text`` is none.
        """
        match = _POSITION.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:EPOCH_LIMIT]!r} is no position: epoch:offset")
        return cls(match[1], int(match[2]))

    def __str__(self) -> str:
        return f"{self.epoch}:{self.offset}"
