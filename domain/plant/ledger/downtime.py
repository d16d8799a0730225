"""Downtime: the stops of a unit as they are explained, cut, joined again, and accounted for.

Rules of this file:

* A stop comes from the ledger; when the ledger is rewritten the stop follows it, and its pieces with it. Nobody alters
  when a machine stood still.
* A stop is cut at any instant into pieces, each with its own reason and comment. Pieces follow each other without a
  gap: they sum to the stop. Neighbours can be joined again.
* Every act is on record with who did it and what was before; ``undo`` brings that back and is on record itself.
* Shifts, jobs and days cut the accounting (``within``), never the stop.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2s
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from domain.decision import Grounds, Refused
from domain.plant.ledger.instants import rfc3339_us
from domain.plant.ledger.reasons import UNKNOWN
from domain.plant.ledger.stops import Stop

PIECE_LIMIT = 100
ACT_LIMIT = 100
"""Acts on one stop that can be undone; the journal has all of them."""


class Piece(NamedTuple):
    """A part of a stop with its explanation."""

    begin: int
    end: int
    reason: str = UNKNOWN
    comment: str = ""
    by: str = ""

    @property
    def length(self) -> int:
        """Its microseconds."""
        return self.end - self.begin


class Done(msgspec.Struct, frozen=True):
    """An act on a stop: who did what ``at`` (microseconds), and the pieces there were before."""

    at: int
    by: str
    act: str
    before: tuple[Piece, ...]


class Downtime(msgspec.Struct, frozen=True):
    """One stop of ``unit`` and its explanation; while it is open it ends at the present."""

    id: str
    unit: str
    begin: int
    end: int
    is_open: bool
    word: str
    pieces: tuple[Piece, ...]
    history: tuple[Done, ...] = msgspec.field(default=())
    told: int = 0
    """How often something was told of it: the number of its next event."""

    @property
    def length(self) -> int:
        """Its microseconds."""
        return self.end - self.begin


def downtime_id(unit: str, begin: int) -> str:
    """What the stop of ``unit`` that began at ``begin`` is called, whoever notices it, however often."""
    return "dt-" + blake2s(f"{unit}\x1f{begin}".encode(), digest_size=8).hexdigest()


def begun(unit: str, stop: Stop, heirs: Iterable[Piece] = ()) -> Downtime:
    """A stop as it is first noticed; ``heirs`` are pieces that explained its time before."""
    pieces = fitted(heirs, stop.begin, stop.end) or (Piece(stop.begin, stop.end),)
    return Downtime(downtime_id(unit, stop.begin), unit, stop.begin, stop.end, stop.is_open, stop.word, pieces)


def followed(downtime: Downtime, stop: Stop) -> Downtime:
    """The same stop as the ledger has it now."""
    pieces = fitted(downtime.pieces, stop.begin, stop.end) or (Piece(stop.begin, stop.end),)
    return replace(downtime, begin=stop.begin, end=stop.end, is_open=stop.is_open, word=stop.word, pieces=pieces)


def fitted(pieces: Iterable[Piece], begin: int, end: int) -> tuple[Piece, ...]:
    """``pieces`` as they explain [``begin``, ``end``): those outside are gone, the others close up and fill it."""
    inside = sorted(piece for piece in pieces if piece.begin < end and begin < piece.end)
    if not inside:
        return ()
    cuts = [begin, *(max(piece.begin, begin) for piece in inside[1:]), end]
    cut = zip(inside, cuts, cuts[1:], strict=False)
    return tuple(piece._replace(begin=start, end=stop) for piece, start, stop in cut if start < stop)


def split(downtime: Downtime, at: int, by: str, when: int) -> Downtime:
    """Cut the piece that ``at`` lies in; both parts keep its reason.

    Raises:
        Refused: if ``at`` is not inside of a piece, or there are too many.
    """
    index = _index_at(downtime, at)
    piece = downtime.pieces[index]
    if at <= piece.begin:
        raise Refused(Grounds.CONFLICT, "there is a cut at that instant already", {"at": rfc3339_us(at)})
    if len(downtime.pieces) >= PIECE_LIMIT:
        raise Refused(Grounds.CONFLICT, f"a stop has at most {PIECE_LIMIT} pieces")
    parts = (piece._replace(end=at), piece._replace(begin=at, by=by))
    pieces = (*downtime.pieces[:index], *parts, *downtime.pieces[index + 1 :])
    return _done(downtime, pieces, "split", by, when)


def merge(downtime: Downtime, at: int, by: str, when: int) -> Downtime:
    """Join the two pieces that meet ``at``; the earlier one's reason holds for both.

    Raises:
        Refused: if no two pieces meet there.
    """
    index = next((number for number, piece in enumerate(downtime.pieces) if number and piece.begin == at), None)
    if index is None:
        cuts = [rfc3339_us(piece.begin) for piece in downtime.pieces[1:]]
        raise Refused(Grounds.CONFLICT, "no two pieces meet at that instant", {"at": rfc3339_us(at), "cuts": [*cuts]})
    joined = downtime.pieces[index - 1]._replace(end=downtime.pieces[index].end, by=by)
    pieces = (*downtime.pieces[: index - 1], joined, *downtime.pieces[index + 1 :])
    return _done(downtime, pieces, "merged", by, when)


def assign(downtime: Downtime, at: int | None, reason: str, comment: str, by: str, when: int) -> Downtime:
    """Explain the piece that ``at`` lies in, or the whole stop if that is None.

    Raises:
        Refused: if ``at`` is outside of the stop.
    """
    index = None if at is None else _index_at(downtime, at)
    pieces = tuple(
        piece._replace(reason=reason, comment=comment, by=by) if index is None or number == index else piece
        for number, piece in enumerate(downtime.pieces)
    )
    return _done(downtime, pieces, "assigned", by, when)


def undo(downtime: Downtime, by: str, when: int) -> Downtime:
    """Bring back what was before the last act that was not undone yet.

    Raises:
        Refused: if there is none.
    """
    steps = list(downtime.history)
    undone = 0
    while steps:
        last = steps.pop()
        if last.act == "undone":
            undone += 1
        elif undone:
            undone -= 1
        else:
            pieces = fitted(last.before, downtime.begin, downtime.end) or downtime.pieces
            return _done(downtime, pieces, "undone", by, when)
    raise Refused(Grounds.CONFLICT, "there is nothing to undo")


def within(downtime: Downtime, begin: int, end: int) -> list[Piece]:
    """The pieces as they lie in [``begin``, ``end``): what a shift, a job or a day accounts for."""
    cut = (piece._replace(begin=max(piece.begin, begin), end=min(piece.end, end)) for piece in downtime.pieces)
    return [piece for piece in cut if piece.begin < piece.end]


def _index_at(downtime: Downtime, at: int) -> int:
    for index, piece in enumerate(downtime.pieces):
        if piece.begin <= at < piece.end:
            return index
    begin, end = rfc3339_us(downtime.begin), rfc3339_us(downtime.end)
    raise Refused(Grounds.CONFLICT, f"the stop lasts from {begin} to {end}", {"at": rfc3339_us(at)})


def _done(downtime: Downtime, pieces: tuple[Piece, ...], act: str, by: str, when: int) -> Downtime:
    history = (*downtime.history, Done(when, by, act, downtime.pieces))[-ACT_LIMIT:]
    return replace(downtime, pieces=pieces, history=history)
