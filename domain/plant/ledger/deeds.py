"""What a person can do with downtime and the ledger: arguments in, a decision out.

Rules of this file: every argument is read with care, all faults at once; an unknown reason is refused with those there
are. A moment may have microseconds, and is taken with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from domain.arguments import Arguments
from domain.decision import Decision
from domain.json import JsonObject, JsonValue
from domain.plant.ledger import telling
from domain.plant.ledger.downtime import Downtime, assign, merge, split, undo
from domain.plant.ledger.instants import parse_us, rfc3339_us, us_of
from domain.plant.ledger.ledgers import Ledgers
from domain.plant.ledger.mapping import PLAIN, StateMap
from domain.plant.ledger.saying import MODELS, Saying


class Deed(msgspec.Struct, frozen=True):
    """``by`` wants something done ``now`` (microseconds of ours)."""

    arguments: JsonObject
    by: str
    now: int


def downtime_assign(ledgers: Ledgers, deed: Deed) -> Decision[JsonValue]:
    """Explain a stop, or the piece of it that ``at`` lies in.

    Raises:
        Refused: if it is not done.
    """
    given = Arguments(deed.arguments)
    id_, at = given.text("id"), _moment(given, deed, "at")
    reason = given.choice("reason_code", ledgers.terms.reasons.table)
    comment = given.optional_text("comment") or given.optional_text("notes")
    if reason is None and not given.faults:
        given.fault("reason_code", "is required")
    given.check()
    before = ledgers.downtime(id_)
    after = assign(before, at, reason or "", comment or "", deed.by, deed.now)
    return ledgers.changed(before, after, telling.ASSIGNED, deed.by, deed.now)


def downtime_split(ledgers: Ledgers, deed: Deed) -> Decision[JsonValue]:
    """Cut a stop at an instant.

    Raises:
        Refused: if it is not done.
    """
    return _at_instant(ledgers, deed, split, telling.SPLIT)


def downtime_merge(ledgers: Ledgers, deed: Deed) -> Decision[JsonValue]:
    """Join the pieces that meet at an instant.

    Raises:
        Refused: if it is not done.
    """
    return _at_instant(ledgers, deed, merge, telling.MERGED)


def downtime_undo(ledgers: Ledgers, deed: Deed) -> Decision[JsonValue]:
    """Take back the last act on a stop; what it is told as follows from what it took back.

    Raises:
        Refused: if it is not done.
    """
    given = Arguments(deed.arguments)
    id_ = given.text("id")
    given.check()
    before = ledgers.downtime(id_)
    after = undo(before, deed.by, deed.now)
    pieces = len(after.pieces) - len(before.pieces)
    type_ = telling.ASSIGNED if not pieces else telling.SPLIT if pieces > 0 else telling.MERGED
    return ledgers.changed(before, after, type_, deed.by, deed.now)


def equipment_correct(ledgers: Ledgers, deed: Deed) -> Decision[JsonValue]:
    """Say what a unit did from an instant on.

    Raises:
        Refused: if it is not done.
    """
    given = Arguments(deed.arguments)
    name, state = given.text("equipment"), given.text("state", 64)
    model, mode = given.choice("model", MODELS), given.optional_text("mode", 64)
    at = _moment(given, deed, "at")
    if at is None and not given.faults:
        given.fault("at", "is required")
    saying, states = Saying(model or PLAIN, state, mode or ""), ledgers.terms.states
    if not given.faults and not states.knows(*saying):
        given.fault("state", _unknown(saying, states))
    given.check()
    present = ledgers.unit(name).present(deed.now)
    if at is not None and at > present:
        given.fault("at", f"is yet to come, there it is {rfc3339_us(present)}: say what was, not what is to be")
    given.check()
    return ledgers.correct(name, at or 0, saying, deed.by, deed.now)


Method = Callable[[Ledgers, Deed], Decision[JsonValue]]

DEEDS: Mapping[str, Method] = {
    "downtime.assign": downtime_assign,
    "downtime.split": downtime_split,
    "downtime.merge": downtime_merge,
    "downtime.undo": downtime_undo,
    "equipment.correct": equipment_correct,
}
"""The acts, by their types."""


def _at_instant(
    ledgers: Ledgers, deed: Deed, act: Callable[[Downtime, int, str, int], Downtime], type_: str
) -> Decision[JsonValue]:
    given = Arguments(deed.arguments)
    id_, at = given.text("id"), _moment(given, deed, "at")
    if at is None and not given.faults:
        given.fault("at", "is required")
    given.check()
    before = ledgers.downtime(id_)
    return ledgers.changed(before, act(before, at or 0, deed.by, deed.now), type_, deed.by, deed.now)


def _unknown(saying: Saying, states: StateMap) -> str:
    known = ", ".join(states.words(saying.model))
    return (
        f"{saying.word!r} is no state of the model {saying.model}: say one of {known}, "
        "or have the administrator say in [[floor.oee.states]] what it means"
    )


def _moment(given: Arguments, deed: Deed, name: str) -> int | None:
    """The argument ``name`` in microseconds."""
    seconds = given.moment(name)
    text = deed.arguments.get(name)
    if seconds is not None and isinstance(text, str):
        return parse_us(text)
    return None if seconds is None else us_of(seconds)
