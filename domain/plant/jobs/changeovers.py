"""The changeovers of the floor: one at a time at a place, and the newest of those that are over.

Rules of this file: a count tells the beginning and the end where there is one, a person where there is none. Every
change is an event with its number in its id. Past ``capacity`` the oldest that are over are forgotten; the journal has
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from domain.arguments import Arguments
from domain.decision import Decision, Grounds, Refused, Row
from domain.event import Event
from domain.json import JsonObject, JsonValue
from domain.plant.jobs.changeover import PHASES, Cause, Changeover, Phase, begun, of_row, to_row
from domain.plant.jobs.tellings import NAME_LIMIT
from domain.plant.word import Word

KIND = "changeover"
CAPACITY = 500
STEPS = 200

Told = Decision[JsonObject]
Target = Callable[[str, str | None, str], float | None]

EVENTS = {
    Cause.TO_CLEAN_UP: "changeover.phase.changed",
    Cause.TO_SET_UP: "changeover.phase.changed",
    Cause.TO_FIRST_PIECE: "changeover.phase.changed",
    Cause.GOOD_PIECE: "changeover.phase.changed",
    Cause.END: "changeover.ended",
    Cause.CANCEL: "changeover.cancelled",
}


def _no_target(_equipment: str, _before: str | None, _after: str) -> float | None:
    return None


def no_changeover(id_: str) -> Refused:
    """What is said where there is no changeover ``id_``, or none that concerns who asks."""
    return Refused(Grounds.NOT_FOUND, f"there is no changeover {id_}", {"id": id_})


class Changeovers:
    """All changeovers by their id.

    ``target`` says how long one at a place may take from one product to another, in seconds; ``has_ramp`` whether the
    time behind the first good piece is watched until a person ends it.
    """

    def __init__(self, target: Target = _no_target, *, has_ramp: bool = False, capacity: int = CAPACITY) -> None:
        self._target = target
        self._has_ramp = has_ramp
        self._capacity = capacity
        self._known: dict[str, Changeover] = {}

    def __iter__(self) -> Iterator[Changeover]:
        return iter(self._known.values())

    def recall(self, rows: Iterable[tuple[str, JsonObject]]) -> int:
        """Know again what was kept; how many rows are none of ours."""
        faults = 0
        for id_, row in rows:
            try:
                self._known[id_] = of_row(id_, row)
            except (Refused, ValueError):
                faults += 1
        self._known = dict(sorted(self._known.items(), key=lambda item: (item[1].begun, item[0])))
        return faults

    def get(self, id_: str) -> Changeover:
        """The changeover ``id_``.

        Raises:
            Refused: if there is none.
        """
        known = self._known.get(id_)
        if known is None:
            raise no_changeover(id_)
        return known

    def seen(self, sees: Callable[[str], bool]) -> Changeovers:
        """The changeovers at places that ``sees``, for reading."""
        part = Changeovers(self._target, has_ramp=self._has_ramp, capacity=self._capacity)
        part._known = {id_: one for id_, one in self._known.items() if sees(one.equipment)}
        return part

    def open_at(self, equipment: str) -> Changeover | None:
        """The changeover that goes on at ``equipment``."""
        return next((one for one in self._known.values() if one.equipment == equipment and one.phase.is_open), None)

    def begin(
        self,
        new_id: str,
        equipment: str,
        products: tuple[str | None, str],
        word: Word,
        last_good: float | None,
        job: str | None = None,
    ) -> Told:
        """A changeover from the first of ``products`` to the second begins.

        Raises:
            Refused: if one goes on there.
        """
        going = self.open_at(equipment)
        if going is not None:
            raise Refused(Grounds.CONFLICT, f"changeover {going.id} goes on at {equipment}", {"id": going.id})
        changeover = begun(new_id, equipment, products, word.at, last_good)
        changeover = replace(changeover, target=self._target(equipment, *products), job=job)
        return self._told("changeover.started", changeover, word, self._make_room())

    def move(self, id_: str, cause: Cause, word: Word) -> Told:
        """Do what ``cause`` says with the changeover ``id_``.

        Raises:
            Refused: if there is none, or it is impossible in its phase.
        """
        known = self.get(id_)
        moved = known.moved(cause, word.at)
        if moved is None:
            possible: list[JsonValue] = [each.value for each in Cause if (known.phase, each) in PHASES]
            raise Refused(
                Grounds.CONFLICT,
                f"{cause.value} is not possible: changeover {id_} is {known.phase.value}",
                {"id": id_, "phase": known.phase.value, "possible": possible},
            )
        return self._told(EVENTS[cause], moved, word)

    def good_piece(self, equipment: str, product: str, word: Word) -> Told | None:
        """A good piece of ``product`` was made at ``equipment`` at ``word.at``; None if that ends no changeover."""
        going = self.open_at(equipment)
        if going is None or going.after != product or going.first_good is not None or word.at < going.begun:
            return None
        moved = going.moved(Cause.GOOD_PIECE, word.at)
        if moved is None:
            return None
        if not self._has_ramp:
            over = replace(moved, phase=Phase.ENDED, over=moved.first_good, stages=moved.stages[:-1])
            return self._told(EVENTS[Cause.END], over.with_steps_closed(), word)
        return self._told(EVENTS[Cause.GOOD_PIECE], moved, word)

    def do_step(self, id_: str, arguments: JsonObject, word: Word) -> Told:
        """Something is done, or was done, in the changeover ``id_``; a step that goes on ends when it is named again.

        Raises:
            Refused: if there is none, it is over, or the step is not well described.
        """
        known = self.get(id_)
        given = Arguments(arguments)
        name = given.text("step", NAME_LIMIT)
        kind = given.choice("kind", ("internal", "external"))
        begin, end = given.moment("begin"), given.moment("end")
        begin = word.at if begin is None else begin
        if end is not None and end < begin:
            given.fault("end", "must not be before begin")
        given.check()
        if not known.phase.is_open or len(known.steps) >= STEPS:
            raise Refused(Grounds.CONFLICT, f"changeover {id_} takes no more steps", {"phase": known.phase.value})
        done = known.done(name, is_internal=kind != "external", begin=begin, end=end)
        return self._told("changeover.step.changed", done, word)

    def due(self) -> float | None:
        """When the first target is used up that nobody was told of (Unix seconds)."""
        return min((at for one in self._known.values() if (at := one.due) is not None), default=None)

    def overdue(self, at: float, received: float) -> Told:
        """Tell of the changeovers whose target is used up at ``at``."""
        events: list[Event] = []
        rows: list[Row] = []
        for one in [one for one in self._known.values() if one.due is not None and one.due <= at]:
            told = self._told(
                "changeover.overran",
                replace(one, is_overdue=True, step=one.step + 1),
                Word("andond", one.due or at, received),
            )
            events += told.events
            rows += told.rows
        return Decision({}, tuple(events), tuple(rows))

    def _told(self, type_: str, changeover: Changeover, word: Word, gone: Iterable[str] = ()) -> Told:
        self._known[changeover.id] = changeover
        members = changeover.to_members(word.at)
        event = word.event(type_, changeover.equipment, changeover.id, f"{changeover.id}-{changeover.step}", members)
        rows = (Row(KIND, changeover.id, to_row(changeover)), *(Row(KIND, id_, None) for id_ in gone))
        return Decision(members, (event,), rows)

    def _make_room(self) -> list[str]:
        if len(self._known) < self._capacity:
            return []
        over = [id_ for id_, one in self._known.items() if not one.phase.is_open][:1]
        if not over:
            raise Refused(Grounds.CONFLICT, f"there are {len(self._known)} changeovers and none of them is over")
        for id_ in over:
            del self._known[id_]
        return over


def cause_of(phase: str) -> Cause:
    """What leads into ``phase``.

    Raises:
        Refused: if nobody can say so: the ramp begins with the first good piece.
    """
    if phase in (Phase.CLEAN_UP, Phase.SET_UP, Phase.FIRST_PIECE):
        return Cause(phase)
    words = "must be one of clean_up, set_up, first_piece"
    faults: list[JsonValue] = [{"pointer": "/phase", "message": words}]
    raise Refused(Grounds.INVALID, f"/phase: {words}", {"phase": phase, "faults": faults})
