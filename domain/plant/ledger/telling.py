"""What is told of ledger and downtime: events, and the documents that the floor's clients read.

Rules of this file: an event's id follows from what it tells, so that a repeat is a duplicate. Field names that the
floor dashboard has are kept beside ours; what nobody knows is null.
"""

from __future__ import annotations

from domain.event import Event
from domain.json import JsonObject, JsonValue
from domain.moment import rfc3339
from domain.plant.ledger.downtime import Downtime, Piece
from domain.plant.ledger.instants import SECOND_US, rfc3339_us
from domain.plant.ledger.ledger import Rewritten, Segment
from domain.plant.ledger.packml import IllegalTransition
from domain.plant.ledger.reasons import UNKNOWN, Reasons
from domain.plant.site import EquipmentModel
from domain.policy import BUILT_IN

STARTED, ENDED, ASSIGNED, SPLIT, MERGED = (
    f"downtime.{word}" for word in ("started", "ended", "assigned", "split", "merged")
)
OEE_UPDATED = "oee.updated"
OEE_REWRITTEN = "oee.ledger.rewritten"
LINE_STATUS = "line.status.changed"
ILLEGAL = "equipment.state.illegal"
QUARANTINED = "equipment.state.quarantined"
SEGMENTS = 50


def event(type_: str, path: str, id_: str, data: JsonObject, now: int, at: int | None = None) -> Event:
    """An event about ``path``; ``at`` is when what it tells happened, by default ``now`` (microseconds)."""
    source = f"/{path}"
    return Event(
        id=id_,
        source=source,
        type=type_,
        data=data,
        recorded=now / SECOND_US,
        priority=BUILT_IN.priority_of(type_, data, source),
        subject=path.rpartition("/")[2],
        time=rfc3339_us(now if at is None else at),
    )


def downtime_document(downtime: Downtime, reasons: Reasons, model: EquipmentModel, present: int) -> JsonObject:
    """One stop with its pieces; its reason is the one that explains most of it."""
    end = present if downtime.is_open else downtime.end
    main = _main(downtime)
    reason = reasons.of(main.reason)
    line = model.line_of(downtime.unit)
    explained = [done for done in downtime.history if done.act == "assigned"]
    return {
        "id": downtime.id,
        "equipment": downtime.unit,
        "line_id": None if line is None else line.code,
        "equipment_code": model.code_of(downtime.unit),
        "start_time": rfc3339_us(downtime.begin),
        "end_time": None if downtime.is_open else rfc3339_us(downtime.end),
        "duration_seconds": max(0, end - downtime.begin) / SECOND_US,
        "is_open": downtime.is_open,
        "state": downtime.word,
        "reason_code": main.reason,
        "reason_description": reason.description,
        "category": reason.category,
        "subcategory": reason.group,
        "is_assigned": main.reason != UNKNOWN,
        "reported_by": "andond",
        "confirmed_by": explained[-1].by if explained else None,
        "confirmed_at": rfc3339(explained[-1].at / SECOND_US) if explained else None,
        "notes": main.comment or None,
        "pieces": [_piece(piece, reasons) for piece in downtime.pieces],
        "history": [{"at": rfc3339_us(done.at), "by": done.by, "act": done.act} for done in downtime.history],
    }


def rewritten_document(rewritten: Rewritten, late: int) -> JsonObject:
    """What a late or corrected entry changed; ``late`` is how many microseconds after its moment it came."""
    return {
        "state": rewritten.entry.word,
        "kind": rewritten.entry.kind.name.lower(),
        "at": rfc3339_us(rewritten.entry.at),
        "revision": rewritten.entry.revision,
        "late": late / SECOND_US,
        "begin": rfc3339_us(rewritten.begin),
        "end": rfc3339_us(rewritten.end),
        "before": segments_document(rewritten.before[:SEGMENTS]),
        "after": segments_document(rewritten.after[:SEGMENTS]),
    }


def segments_document(segments: tuple[Segment, ...]) -> list[JsonValue]:
    """Segments of the ledger, in order."""
    return [
        {
            "begin": rfc3339_us(each.begin),
            "end": rfc3339_us(each.end),
            "state": each.word or None,
            "bucket": each.bucket.value,
            "seconds": each.length / SECOND_US,
        }
        for each in segments
    ]


def illegal_document(illegal: IllegalTransition) -> JsonObject:
    """A transition that the model does not have."""
    return {"previous": illegal.before, "state": illegal.now, "expected": [*illegal.expected]}


def _main(downtime: Downtime) -> Piece:
    spent: dict[str, int] = {}
    for piece in downtime.pieces:
        spent[piece.reason] = spent.get(piece.reason, 0) + piece.length
    return max(downtime.pieces, key=lambda piece: (spent[piece.reason], -piece.begin))


def _piece(piece: Piece, reasons: Reasons) -> JsonObject:
    return {
        "begin": rfc3339_us(piece.begin),
        "end": rfc3339_us(piece.end),
        "seconds": piece.length / SECOND_US,
        "reason_code": piece.reason,
        "category": reasons.of(piece.reason).category,
        "subcategory": reasons.of(piece.reason).group,
        "comment": piece.comment or None,
        "by": piece.by or None,
    }
