"""How the ledger and the downtimes are kept: rows, and back.

Rules of this file: what is read back is what was written. A row that is none of ours is left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.json import JsonObject, JsonValue
from domain.plant.ledger.bucket import Bucket
from domain.plant.ledger.downtime import Done, Downtime, Piece
from domain.plant.ledger.instants import SECOND_US
from domain.plant.ledger.ledger import Entry, Kind

BLOCK, UNIT, SEEN, DOWNTIME = "ledger.block", "ledger.unit", "ledger.seen", "downtime"
KINDS = (BLOCK, UNIT, SEEN, DOWNTIME)
BLOCK_US = 600 * SECOND_US


def entry_values(entry: Entry) -> JsonValue:
    """``entry`` as it is kept."""
    return [entry.at, entry.revision, entry.kind.value, entry.said, entry.word, entry.bucket.value]


def entries_of(block: JsonObject) -> Iterator[Entry]:
    """The entries of a kept block."""
    for values in _list(block.get("entries")):
        match values:
            case [int(at), int(revision), int(kind), int(said), str(word), str(bucket)]:
                yield Entry(at, revision, Kind(kind), said, word, Bucket(bucket))


def downtime_row(downtime: Downtime) -> JsonObject:
    """``downtime`` as it is kept."""
    return {
        "unit": downtime.unit,
        "begin": downtime.begin,
        "end": downtime.end,
        "open": downtime.is_open,
        "word": downtime.word,
        "pieces": _pieces(downtime.pieces),
        "history": [[done.at, done.by, done.act, _pieces(done.before)] for done in downtime.history],
        "told": downtime.told,
    }


def downtime_of(id_: str, row: JsonObject) -> Downtime | None:
    """The downtime that ``row`` keeps; None if it is none of ours."""
    match row:
        case {"unit": str(unit), "begin": int(begin), "end": int(end), "word": str(word), "told": int(told)}:
            pieces = tuple(_pieces_of(row.get("pieces"))) or (Piece(begin, end),)
            history = tuple(_history_of(row.get("history")))
            return Downtime(id_, unit, begin, end, bool(row.get("open")), word, pieces, history, told)
    return None


def _pieces(pieces: Iterable[Piece]) -> list[JsonValue]:
    return [list(piece) for piece in pieces]


def _pieces_of(values: JsonValue) -> Iterator[Piece]:
    for each in _list(values):
        match each:
            case [int(begin), int(end), str(reason), str(comment), str(by)]:
                yield Piece(begin, end, reason, comment, by)


def _history_of(values: JsonValue) -> Iterator[Done]:
    for each in _list(values):
        match each:
            case [int(at), str(by), str(act), before]:
                yield Done(at, by, act, tuple(_pieces_of(before)))


def _list(value: JsonValue) -> Iterable[JsonValue]:
    return value if isinstance(value, list | tuple) else ()
