"""A changeover: from the last good piece of one product to the first good piece of the next, at one place.

Rules of this file:

* It begins with the last good piece of what was made and ends with the first good piece of what is made next; where no
  count tells either, the word of a person stands for it, and it is said which of the two it was.
* Its phases are clean-up, set-up, first piece, and ramp; the ramp comes behind the first good piece, so it is no part
  of the changeover's length. Phases may follow each other in any order up to the first good piece.
* A step is internal (the machine must stand for it) or external (it can be done while the machine makes pieces); steps
  may overlap, and external ones lie before the beginning too. The time in which internal ones were done is summed apart
  from that of external ones, and time in which two of a kind were done counts once.
* The target is of the pair of products; the overrun is what is beyond it, never less than nothing. Without a target
  there is none.

Source: last good piece of A to first good piece of B is the Lean Lexicon's "changeover"; internal and external steps
are Shingo's single-minute exchange of die.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from domain.arguments import Arguments, is_number
from domain.json import JsonObject, JsonValue
from domain.plant.word import moment


class Phase(StrEnum):
    """Where a changeover is."""

    CLEAN_UP = "clean_up"
    SET_UP = "set_up"
    FIRST_PIECE = "first_piece"
    RAMP = "ramp"
    ENDED = "ended"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether it still goes on."""
        return self not in (Phase.ENDED, Phase.CANCELLED)


class Cause(StrEnum):
    """What moves a changeover."""

    TO_CLEAN_UP = "clean_up"
    TO_SET_UP = "set_up"
    TO_FIRST_PIECE = "first_piece"
    GOOD_PIECE = "good_piece"
    """The first good piece of the next product was counted."""
    END = "end"
    CANCEL = "cancel"


_BEFORE = (Phase.CLEAN_UP, Phase.SET_UP, Phase.FIRST_PIECE)

PHASES: Mapping[tuple[Phase, Cause], Phase] = MappingProxyType(
    {
        **{(phase, Cause(other.value)): other for phase in _BEFORE for other in _BEFORE if phase is not other},
        **{(phase, Cause.GOOD_PIECE): Phase.RAMP for phase in _BEFORE},
        **{(phase, Cause.END): Phase.ENDED for phase in (*_BEFORE, Phase.RAMP)},
        **{(phase, Cause.CANCEL): Phase.CANCELLED for phase in _BEFORE},
    }
)
"""What leads where; a pair that is not here is impossible."""


class Stage(msgspec.Struct, frozen=True):
    """A phase that lasted from ``begin`` until ``end`` (Unix seconds), None while it lasts."""

    phase: Phase
    begin: float
    end: float | None = None


class Step(msgspec.Struct, frozen=True):
    """One thing that was done, ``is_internal`` if the machine must stand for it."""

    name: str
    is_internal: bool
    begin: float
    end: float | None = None


class Changeover(msgspec.Struct, frozen=True):
    """The changeover ``id`` at ``equipment``; moments are Unix seconds, lengths seconds.

    ``is_begun_by_count`` and ``is_ended_by_count`` say that a counted piece, not a person, tells the moment. ``step``
    is the number of things that happened to it; ``is_overdue``: it was told that its target is used up.
    """

    id: str
    equipment: str
    before: str | None
    after: str
    begun: float
    is_begun_by_count: bool
    target: float | None = None
    job: str | None = None
    phase: Phase = Phase.CLEAN_UP
    stages: tuple[Stage, ...] = ()
    steps: tuple[Step, ...] = ()
    first_good: float | None = None
    is_ended_by_count: bool = False
    over: float | None = None
    step: int = 1
    is_overdue: bool = False

    def moved(self, cause: Cause, at: float) -> Changeover | None:
        """The changeover after ``cause`` at ``at``; None if that is impossible."""
        phase = PHASES.get((self.phase, cause))
        if phase is None:
            return None
        last = self.stages[-1]
        at = max(at, last.begin)
        stages = (*self.stages[:-1], replace(last, end=at))
        if phase.is_open:
            stages = (*stages, Stage(phase, at))
        changeover = replace(self, phase=phase, stages=stages, step=self.step + 1)
        if cause is Cause.GOOD_PIECE:
            changeover = replace(changeover, first_good=at, is_ended_by_count=True)
        if not phase.is_open:
            changeover = replace(changeover, over=at).with_steps_closed()
        return changeover

    def with_steps_closed(self) -> Changeover:
        """With no step that outlasts it."""
        if self.over is None:
            return self
        return replace(self, steps=tuple(_closed(step, self.over) for step in self.steps))

    def length(self, at: float) -> float:
        """How long it took, or takes so far: until the first good piece, or else until a person ended it."""
        return max(0.0, self._end(at) - self.begun)

    def overrun(self, at: float) -> float | None:
        """How much longer than its target; None without a target."""
        return None if self.target is None else max(0.0, self.length(at) - self.target)

    @property
    def due(self) -> float | None:
        """When its target is used up and that must be told; None if it has none, or its length is settled."""
        if self.target is None or self.is_overdue or self.first_good is not None or self.over is not None:
            return None
        return self.begun + self.target

    def _end(self, at: float) -> float:
        if self.first_good is not None:
            return self.first_good
        return at if self.over is None else self.over

    def done(self, name: str, *, is_internal: bool, begin: float, end: float | None) -> Changeover:
        """With the step ``name``, which ends if it has begun and not ended yet."""
        going = next((step for step in self.steps if step.name == name and step.end is None), None)
        if going is not None:
            steps = tuple(replace(step, end=end or begin) if step is going else step for step in self.steps)
        else:
            steps = (*self.steps, Step(name, is_internal, begin, end))
        return replace(self, steps=steps, step=self.step + 1)

    def to_members(self, at: float) -> dict[str, JsonValue]:
        """What is told of it at ``at``."""
        overrun = self.overrun(at)
        return {
            "id": self.id,
            "equipment": self.equipment,
            "job": self.job,
            "from": self.before,
            "to": self.after,
            "phase": self.phase.value,
            "startedAt": moment(self.begun),
            "startedBy": "count" if self.is_begun_by_count else "person",
            "firstGoodAt": moment(self.first_good),
            "endedAt": moment(self.over),
            "endedBy": _ended_by(self),
            "length": round(self.length(at), 3),
            "target": self.target,
            "overrun": None if overrun is None else round(overrun, 3),
            "internal": round(_together(self.steps, at, is_internal=True), 3),
            "external": round(_together(self.steps, at, is_internal=False), 3),
            "phases": [_stage(stage, at) for stage in self.stages],
            "steps": [_step(step, at) for step in self.steps],
        }


def begun(id_: str, equipment: str, products: tuple[str | None, str], at: float, last_good: float | None) -> Changeover:
    """A changeover from the first of ``products`` to the second, told of at ``at``."""
    begin = at if last_good is None else min(at, last_good)
    return Changeover(
        id=id_,
        equipment=equipment,
        before=products[0],
        after=products[1],
        begun=begin,
        is_begun_by_count=last_good is not None,
        stages=(Stage(Phase.CLEAN_UP, begin),),
    )


def _closed(step: Step, at: float) -> Step:
    return step if step.end is not None else replace(step, end=max(at, step.begin))


def _ended_by(changeover: Changeover) -> str | None:
    if changeover.first_good is not None:
        return "count"
    return None if changeover.over is None else "person"


def _together(steps: tuple[Step, ...], at: float, *, is_internal: bool) -> float:
    """The time in which at least one step of that kind was done."""
    times = sorted(
        (step.begin, at if step.end is None else step.end) for step in steps if step.is_internal is is_internal
    )
    together = 0.0
    done = times[0][0] if times else 0.0
    for begin, end in times:
        together += max(0.0, end - max(begin, done))
        done = max(done, end)
    return together


def _stage(stage: Stage, at: float) -> dict[str, JsonValue]:
    end = at if stage.end is None else stage.end
    return {
        "phase": stage.phase.value,
        "startedAt": moment(stage.begin),
        "endedAt": moment(stage.end),
        "length": round(max(0.0, end - stage.begin), 3),
    }


def _step(step: Step, at: float) -> dict[str, JsonValue]:
    end = at if step.end is None else step.end
    return {
        "name": step.name,
        "kind": "internal" if step.is_internal else "external",
        "startedAt": moment(step.begin),
        "endedAt": moment(step.end),
        "length": round(max(0.0, end - step.begin), 3),
    }


def to_row(changeover: Changeover) -> dict[str, JsonValue]:
    """``changeover`` as it is kept."""
    return {
        "equipment": changeover.equipment,
        "before": changeover.before,
        "after": changeover.after,
        "begun": changeover.begun,
        "isBegunByCount": changeover.is_begun_by_count,
        "target": changeover.target,
        "job": changeover.job,
        "phase": changeover.phase.value,
        "stages": [[stage.phase.value, stage.begin, stage.end] for stage in changeover.stages],
        "steps": [[step.name, step.is_internal, step.begin, step.end] for step in changeover.steps],
        "firstGood": changeover.first_good,
        "isEndedByCount": changeover.is_ended_by_count,
        "over": changeover.over,
        "step": changeover.step,
        "isOverdue": changeover.is_overdue,
    }


def of_row(id_: str, row: JsonObject) -> Changeover:
    """The changeover that was kept as ``row``.

    Raises:
        Refused: if it is none of ours.
    """
    kept = Arguments(row)
    changeover = Changeover(
        id=id_,
        equipment=kept.text("equipment"),
        before=kept.optional_text("before"),
        after=kept.text("after"),
        begun=kept.number("begun") or 0.0,
        is_begun_by_count=kept.flag("isBegunByCount") or False,
        target=kept.number("target"),
        job=kept.optional_text("job"),
        phase=Phase(kept.choice("phase", Phase) or Phase.ENDED),
        stages=tuple(_stages_of(row.get("stages"))),
        steps=tuple(_steps_of(row.get("steps"))),
        first_good=kept.number("firstGood"),
        is_ended_by_count=kept.flag("isEndedByCount") or False,
        over=kept.number("over"),
        step=kept.count("step") or 1,
        is_overdue=kept.flag("isOverdue") or False,
    )
    kept.check()
    return changeover


def _stages_of(rows: JsonValue) -> Iterator[Stage]:
    for row in rows if isinstance(rows, list | tuple) else ():
        match row:
            case [str(phase), float(begin) | int(begin), end]:
                yield Stage(Phase(phase), float(begin), float(end) if is_number(end) else None)


def _steps_of(rows: JsonValue) -> Iterator[Step]:
    for row in rows if isinstance(rows, list | tuple) else ():
        match row:
            case [str(name), bool(is_internal), float(begin) | int(begin), end]:
                yield Step(name, is_internal, float(begin), float(end) if is_number(end) else None)
