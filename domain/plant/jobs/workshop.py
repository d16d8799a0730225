"""Jobs, counts and changeovers of one floor together: what one of them means for the others.

Rules of this file:

* What a place works on follows from its job orders: a run begins when one begins and is over when it no longer runs.
* Every count that is taken tells what its job has come to by it (``production.updated``), and may end a changeover: the
  first good piece of the product that it leads to.
* Counts come from count events alone. What is told here is never taken for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from domain.arguments import Arguments
from domain.decision import Decision, Grounds, Refused, Row
from domain.event import Event
from domain.json import JsonObject, JsonValue
from domain.plant.jobs.changeover import Cause
from domain.plant.jobs.changeovers import KIND as CHANGEOVER
from domain.plant.jobs.changeovers import Changeovers, Target, cause_of
from domain.plant.jobs.counts import Count
from domain.plant.jobs.jobs import KIND as JOB
from domain.plant.jobs.jobs import Jobs, Told
from domain.plant.jobs.order import JobOrder
from domain.plant.jobs.production import KINDS as PRODUCTION
from domain.plant.jobs.production import Kept, Production
from domain.plant.jobs.runs import Runs
from domain.plant.jobs.states import REPORTS, State, Trigger
from domain.plant.jobs.tellings import COUNTED, NAME_LIMIT, telling_of
from domain.plant.site import is_within
from domain.plant.word import Word

SECOND_US = 1_000_000
UPDATED = "production.updated"
KINDS = (JOB, CHANGEOVER, *PRODUCTION)

PathOf = Callable[[str], str | None]
"""The path of the place that a path or alias means; None if there is no such place."""


class Done(msgspec.Struct, frozen=True):
    """What was decided, and who else is to know: of ``counts`` by place, and of places that work on something else."""

    decision: Decision[JsonObject]
    counts: tuple[tuple[str, Count], ...] = ()
    turned: tuple[str, ...] = ()


def _as_is(name: str) -> str | None:
    return name.strip("/") or None


@dataclass(slots=True)
class Workshop:
    """Everything that is made, by the configured ``path_of``, ``target`` and ``outputs``."""

    path_of: PathOf = _as_is
    target: Target = field(default=lambda _equipment, _before, _after: None)
    outputs: Mapping[str, str] = field(default_factory=dict)
    has_ramp: bool = False
    jobs: Jobs = field(init=False)
    production: Production = field(init=False)
    changeovers: Changeovers = field(init=False)

    def __post_init__(self) -> None:
        """Make the books."""
        self.jobs = Jobs(self._made, self._place)
        self.production = Production(Runs(), self.outputs)
        self.changeovers = Changeovers(self._target, has_ramp=self.has_ramp)

    def change(self, path_of: PathOf, target: Target, outputs: Mapping[str, str]) -> None:
        """Go on by another configuration."""
        self.path_of, self.target, self.outputs = path_of, target, outputs
        self.production.outputs = outputs

    def seen(self, sees: Callable[[str, str], bool]) -> Workshop:
        """What of it ``sees``, a kind of channel and a path, for reading.

        Who sees a job sees what was made for it, as everybody does who follows it.
        """
        part = Workshop(self.path_of, self.target, self.outputs, self.has_ramp)
        counted = self.production.seen(lambda path: sees("production", path) or sees("jobs", path))
        part.jobs = self.jobs.seen(lambda path: sees("jobs", path), lambda order: _made(counted, order))
        part.production = self.production.seen(lambda path: sees("production", path))
        part.changeovers = self.changeovers.seen(lambda path: sees("changeover", path))
        return part

    def recall(self, kept: Kept) -> int:
        """Know again what was kept; how many rows are none of ours."""
        faults = self.jobs.recall(row for _, row in kept.get(JOB, ()))
        return faults + self.changeovers.recall(kept.get(CHANGEOVER, ())) + self.production.recall(kept)

    # -- jobs ---------------------------------------------------------------------------------------------------

    def store(self, arguments: JsonObject, word: Word, new_id: str, *, may_start: bool = False) -> Done:
        """Take in a job order.

        Raises:
            Refused: see ``Jobs.store``.
        """
        told = self.jobs.store(arguments, word, new_id, may_start=may_start)
        gone = [row.key for row in told.rows if row.kind == JOB and row.value is None]
        return Done(_with(told, rows=(row for job in gone for row in self.production.forget_job(job))))

    def move(self, id_: str, trigger: Trigger, word: Word, reason: str | None = None) -> Done:
        """Do what ``trigger`` says with a job order.

        Raises:
            Refused: see ``Jobs.move``.
        """
        before = self.jobs.get(id_)
        told = self.jobs.move(id_, trigger, word, reason)
        rows, turned = self._turned(before, word)
        if trigger in (Trigger.CLEAR, Trigger.CANCEL):
            rows = (*rows, *self.production.forget_job(id_))
        return Done(_with(told, rows=rows), turned=turned)

    def report(self, arguments: JsonObject, word: Word) -> Done:
        """What the executing system says of a job order: one of the triggers that are no methods.

        Raises:
            Refused: if that is none of them, or see ``Jobs.move``.
        """
        given = Arguments(arguments)
        id_, what = given.text("id", NAME_LIMIT), given.choice("what", REPORTS)
        if what is None and not given.faults:
            given.fault("what", "is required")
        given.check()
        return self.move(id_, Trigger(str(what)), word, given.optional_text("reason"))

    # -- counts -------------------------------------------------------------------------------------------------

    def count(self, id_: str, equipment: str, members: JsonObject, word: Word, *, is_act: bool = False) -> Done:
        """Take a count; one that a person made is told as an event of its own.

        Raises:
            Refused: if it is not well told, is there already, or comes too late.
        """
        at = round(word.at * SECOND_US)
        telling = telling_of(id_, at, members, may_take_back=is_act)
        counted = self.production.take(equipment, telling)
        if counted.refused is not None:
            details: dict[str, JsonValue] = {"id": id_, "equipment": equipment, "reason": counted.refused}
            raise Refused(Grounds.CONFLICT, f"count {id_} is not taken: {counted.refused}", details)
        events: list[Event] = []
        rows: list[Row] = list(counted.rows)
        first = counted.counts[0]
        pieces: dict[str, JsonValue] = {
            **first.pieces.resolved().to_members(),
            "job": first.job,
            "product": first.product,
        }
        if is_act:
            data = {**pieces, "corrects": members.get("corrects")}
            events.append(word.event(COUNTED, equipment, equipment, id_, data))
        events.append(self._updated(equipment, first, word))
        for count in counted.counts:
            told = self._good_piece(equipment, count, word)
            if told is not None:
                events += told.events
                rows += told.rows
        answer = {"id": id_, "equipment": equipment, **pieces}
        counts = tuple((equipment, count) for count in counted.counts)
        return Done(Decision(answer, tuple(events), tuple(rows)), counts)

    # -- changeovers --------------------------------------------------------------------------------------------

    def begin_changeover(self, arguments: JsonObject, word: Word, new_id: str) -> Done:
        """A changeover begins: from what was made last, if nobody says from what, to what a job or the act names.

        Raises:
            Refused: if it is not well described, or one goes on there.
        """
        given = Arguments(arguments)
        equipment = given.text("equipment")
        path = self.path_of(equipment) if equipment else None
        if equipment and path is None:
            given.fault("equipment", "is no equipment of this site")
        job = given.optional_text("job", NAME_LIMIT)
        order = None if job is None else self.jobs.get(job)
        after = given.optional_text("to", NAME_LIMIT) or (None if order is None else order.product)
        if after is None and not given.faults:
            given.fault("to", "is required: what is made next")
        before = given.optional_text("from", NAME_LIMIT)
        given.check()
        place, at = path or equipment, round(word.at * SECOND_US)
        if before is None:
            last = self.production.runs.before(place, at, str(after))
            before = None if last is None else last.product
        last_good = None if before is None else self.production.last_good(place, before, at)
        seconds = None if last_good is None else last_good / SECOND_US
        return Done(self.changeovers.begin(new_id, place, (before, str(after)), word, seconds, job))

    def change_phase(self, arguments: JsonObject, word: Word) -> Done:
        """A changeover comes to another phase, or a step of it begins or ends.

        Raises:
            Refused: if it is not well described, or impossible in its phase.
        """
        given = Arguments(arguments)
        id_ = self._changeover(given)
        if "step" in given:
            return Done(self.changeovers.do_step(id_, arguments, word))
        phase = given.text("phase")
        given.check()
        return Done(self.changeovers.move(id_, cause_of(phase), word))

    def end_changeover(self, arguments: JsonObject, word: Word) -> Done:
        """A person says that a changeover is over, or (``cancelled``) that it was none.

        Raises:
            Refused: if there is none, or it is over already.
        """
        given = Arguments(arguments)
        id_ = self._changeover(given)
        is_cancelled = given.flag("cancelled")
        given.check()
        return Done(self.changeovers.move(id_, Cause.CANCEL if is_cancelled else Cause.END, word))

    # -- within -------------------------------------------------------------------------------------------------

    def _place(self, name: str) -> str | None:
        return self.path_of(name)

    def _target(self, equipment: str, before: str | None, after: str) -> float | None:
        return self.target(equipment, before, after)

    def _changeover(self, given: Arguments) -> str:
        """Which changeover is meant: by its id, or the one that goes on at the equipment."""
        id_ = given.optional_text("id", NAME_LIMIT)
        if id_ is not None:
            return id_
        equipment = given.text("equipment")
        given.check()
        going = self.changeovers.open_at(self.path_of(equipment) or equipment)
        if going is None:
            raise Refused(Grounds.NOT_FOUND, f"no changeover goes on at {equipment}", {"equipment": equipment})
        return going.id

    def _turned(self, before: JobOrder, word: Word) -> tuple[tuple[Row, ...], tuple[str, ...]]:
        """The run that begins or ends with a step of a job order."""
        running = self.jobs.running_at(before.equipment)
        is_running = running is not None and running.id == before.id
        was_running = before.state is State.RUNNING
        if is_running == was_running:
            return (), ()
        at = round(word.at * SECOND_US)
        if is_running:
            return (self.production.begin_run(before.equipment, before.id, before.product, at),), (before.equipment,)
        return (self.production.end_run(before.equipment, at),), (before.equipment,)

    def _made(self, order: JobOrder) -> JsonObject:
        return _made(self.production, order)

    def _updated(self, equipment: str, count: Count, word: Word) -> Event:
        """What the job of ``count`` has come to; a job that is made elsewhere is none of this place's business."""
        data: dict[str, JsonValue] = {"job": count.job, "product": count.product, "quantity": None}
        order = self.jobs.find(count.job or "")
        if order is None or not (is_within(equipment, order.equipment) or is_within(order.equipment, equipment)):
            data |= {"made": None, "madeReason": "no job", "progress": None}
        else:
            data |= {"jobEquipment": order.equipment, "quantity": order.quantity, **self._made(order)}
        return word.event(UPDATED, equipment, equipment, f"{count.id}-updated", data)

    def _good_piece(self, equipment: str, count: Count, word: Word) -> Told | None:
        if count.product is None or not count.pieces.resolved().good:
            return None
        told = Word("andond", count.at / SECOND_US, word.received)
        for place in _upwards(equipment):
            if place != equipment and self.outputs.get(place, equipment) != equipment:
                continue
            ended = self.changeovers.good_piece(place, count.product, told)
            if ended is not None:
                return ended
        return None


def _made(production: Production, order: JobOrder) -> JsonObject:
    pieces, reason = production.made_for(order.id, order.equipment)
    progress = None
    if order.quantity and pieces.good is not None:
        progress = round(100 * pieces.good / order.quantity, 2)
    return {"made": pieces.to_members(), "madeReason": reason, "progress": progress}


def _with(told: Told, rows: Iterable[Row]) -> Told:
    return Decision(told.answer, told.events, (*told.rows, *rows))


def _upwards(path: str) -> Iterable[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
