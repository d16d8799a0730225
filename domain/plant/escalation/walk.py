"""The interpreter: goes through a program as far as it can without waiting, and says what is to be sent.

Rules of this file: no clock, no chance; the same state, surroundings and moment give the same walk.

* Telling steps between two waits are one level. A level of which nobody could be told waits for nothing: those who are
  off shift are passed over at once, and so are those whom no channel reached.
* Before a program begins anew, the waits that were passed over are made up for: everybody was asked at once, and the
  next round comes when it would have come.
* A chain at whose end nobody was reached begins anew by itself, for as long as that is so: a call that nobody knows of
  is not given up.
* Every step is an event, with what it found.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.event import Event
from domain.json import JsonObject, JsonValue
from domain.moment import rfc3339
from domain.plant.escalation.chain import (
    ACKNOWLEDGER,
    RAISER,
    Condition,
    IfLevel,
    IfRate,
    IfTime,
    Importance,
    Instruction,
    Jump,
    Notify,
    NotifyOnCall,
    Repeat,
    Resolve,
    RoundRobin,
    SetSeverity,
    Signal,
    Telling,
    Test,
    Wait,
    Webhook,
)
from domain.plant.escalation.course import Attempt, Course, Fate, Phase, Trigger
from domain.plant.escalation.duty import CalendarOf, Directory, is_time
from domain.plant.escalation.memory import Rates, Rotas
from domain.plant.escalation.notification import Notification, Situation, subject_of, text_of
from domain.plant.escalation.words import write_step
from domain.plant.site import ShiftCalendar
from domain.policy import BUILT_IN

PATIENCE = 60.0
"""Seconds after which a notification without a receipt has failed, whatever its channel thinks."""

LEAST_PAUSE = 60.0
"""Seconds that at least lie between two rounds of a chain that has reached nobody."""

_IMPORTANCE = {"low": Importance.LOW, "medium": Importance.NORMAL}


class Ask(msgspec.Struct, frozen=True):
    """The chain wants something done to ``call``: that it gets ``priority``, or if that is empty is resolved."""

    call: str
    chain: str
    priority: str = ""


class World(msgspec.Struct, frozen=True):
    """What a chain can ask for: where people are reached, when they are there, how many calls there were, whose turn.

    ``patience`` is in seconds, see ``PATIENCE``.
    """

    directory: Directory
    calendar_of: CalendarOf
    rates: Rates
    rotas: Rotas
    patience: float = PATIENCE


class Walk:
    """What is done to ``course`` at ``at``, and what follows from it."""

    def __init__(self, course: Course, world: World, at: float, by: str = "") -> None:
        self._course = course
        self._world = world
        self._at = at
        self._by = by
        self.events: list[Event] = []
        self.notifications: list[Notification] = []
        self.asks: list[Ask] = []

    @property
    def _calendar(self) -> ShiftCalendar:
        return self._world.calendar_of(self._course.facts.path)

    # --- through the program

    def go(self) -> None:
        """Go on until there is something to wait for, or the end."""
        course = self._course
        program = course.program
        while course.is_running and course.wait_until is None:
            if course.place < len(program):
                self._execute(program[course.place])
            elif course.awaits_receipts:
                # It is at its end when it is known whom it reached.
                break
            elif course.has_reached_nobody:
                self._pause(max(LEAST_PAUSE, course.skipped or course.chain.acknowledge))
            else:
                self._end()

    def go_on(self, cause: str) -> None:
        """Wait no more, because of ``cause``, and go on."""
        course = self._course
        course.wait_until, course.cause = None, cause
        if course.is_pausing:
            self._begin_round()
        else:
            course.is_level_open = False
            course.place += 1
        self.go()

    def _advance_if_failed(self) -> None:
        """If nobody of this level can be told any more, do not wait for them."""
        course = self._course
        if course.is_running and course.wait_until is not None and not course.is_pausing and course.has_failed:
            course.skipped += max(0.0, course.wait_until - self._at)
            self.go_on(self._why())

    def _execute(self, instruction: Instruction) -> None:
        course = self._course
        match instruction:
            case Wait(delay=delay):
                self._wait(delay)
            case Jump(to=to):
                course.place = to
            case Test(condition=condition, otherwise=otherwise):
                holds = self._holds(condition)
                self._tell("advanced", {"step": write_step(_bare(condition)), "holds": holds})
                course.place = course.place + 1 if holds else otherwise
            case Repeat(times=times):
                self._repeat(times)
            case SetSeverity(priority=priority):
                self._ask(instruction, Ask(course.facts.id, course.chain.name, priority))
                course.place += 1
            case Resolve():
                self._ask(instruction, Ask(course.facts.id, course.chain.name))
                course.place = len(course.program)
            case _:
                self._notify(instruction)
                course.place += 1

    def _wait(self, delay: float) -> None:
        course = self._course
        if course.has_failed:
            course.skipped += delay
            course.cause = self._why()
            course.is_level_open = False
            course.place += 1
        else:
            course.wait_until = self._at + delay

    def _repeat(self, times: int) -> None:
        course = self._course
        if course.round >= times:
            course.place += 1
        elif course.skipped > 0:
            self._pause(course.skipped)
        else:
            self._begin_round()

    def _pause(self, delay: float) -> None:
        self._course.wait_until, self._course.is_pausing = self._at + delay, True

    def _begin_round(self) -> None:
        course = self._course
        course.is_pausing, course.is_level_open, course.skipped = False, False, 0.0
        course.round += 1
        course.place = 0
        self._tell("advanced", {"step": {"repeat": course.round}})

    def _end(self) -> None:
        course = self._course
        course.phase = course.next_phase(Trigger.ENDED) or course.phase
        self._tell("ended", {"reached": course.reached})

    def _holds(self, condition: Condition) -> bool:
        course = self._course
        match condition:
            case IfLevel(level=level):
                return course.level >= level
            case IfRate(count=count, within=within):
                return self._world.rates.count(course.facts.path, within, self._at) > count
            case IfTime():
                return is_time(condition, self._calendar, self._at)

    def _ask(self, instruction: SetSeverity | Resolve, ask: Ask) -> None:
        self.asks.append(ask)
        self._tell("advanced", {"step": write_step(instruction)})

    def _why(self) -> str:
        return "failed" if self._course.has_tried else "off_shift"

    # --- telling

    def _notify(self, step: Telling) -> None:
        course = self._course
        course.open_level()
        wanted, absent = self._wanted(step)
        told: list[JsonValue] = []
        for number, target in enumerate(wanted):
            channels = ("webhook",) if isinstance(step, Webhook) else step.channels
            attempt = self._attempt(f"{course.round}.{course.place}.{number}", target, channels, course.group)
            if isinstance(step, Signal):
                attempt.more = {"light": step.light, "sound": step.sound}
            elif not isinstance(step, Webhook) and step.importance is not None:
                attempt.importance = step.importance
            told.append(self._told(attempt))
            self.send(attempt)
        self._tell(
            "advanced",
            {"step": write_step(step), "cause": course.cause, "told": told, "off_shift": list(absent)},
        )

    def page(self, target: str, channels: tuple[str, ...]) -> None:
        """Tell ``target`` beside the chain."""
        course = self._course
        course.pages += 1
        wanted, absent = self._on_duty((target,))
        told: list[JsonValue] = []
        for number, name in enumerate(wanted):
            attempt = self._attempt(f"p{course.pages}.{number}", name, channels, 0)
            told.append(self._told(attempt))
            self.send(attempt)
        self._tell(
            "advanced", {"step": {"notify": [target]}, "cause": "asked", "told": told, "off_shift": list(absent)}
        )

    def _told(self, attempt: Attempt) -> JsonObject:
        return {"notification": attempt.notification, "target": attempt.target, "channel": attempt.channel}

    def _attempt(self, place: str, target: str, channels: tuple[str, ...], group: int) -> Attempt:
        course = self._course
        importance = _IMPORTANCE.get(course.facts.priority, Importance.HIGH)
        id_ = f"{course.facts.id}-{course.run}.{place}"
        expires = self._at + self._world.patience
        attempt = Attempt(id_, course.run, group, course.level, target, channels, importance, self._at, expires)
        course.attempts.append(attempt)
        course.has_tried = course.has_tried or group == course.group
        return attempt

    def _wanted(self, step: Telling) -> tuple[Sequence[str], Sequence[str]]:
        """Who is to be told, and who would be if they were on duty."""
        match step:
            case Notify(targets=targets):
                return self._on_duty(targets)
            case NotifyOnCall(schedule=schedule):
                person = self._world.directory.on_call(schedule, self._calendar, self._at)
                return ((), (schedule,)) if person is None else self._on_duty((person,))
            case RoundRobin(people=people):
                return self._next_of(people)
            case Webhook(name=name):
                return (name,), ()
            case Signal():
                return (self._course.facts.path,), ()

    def _on_duty(self, targets: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
        course, calendar = self._course, self._calendar
        known = {ACKNOWLEDGER: course.acknowledged_by, RAISER: course.facts.raised_by}
        names = [known.get(target, target) for target in targets]
        expanded = [each for name in names if name for each in self._world.directory.expanded(name, calendar)]
        everybody = list(dict.fromkeys(expanded))
        present = [name for name in everybody if calendar.on_duty(name, self._at)]
        return present, [name for name in everybody if name not in present]

    def _next_of(self, people: tuple[str, ...]) -> tuple[Sequence[str], Sequence[str]]:
        calendar = self._calendar
        first = self._world.rotas.turn(people)
        for number in range(len(people)):
            index = (first + number) % len(people)
            if calendar.on_duty(people[index], self._at):
                self._world.rotas.took(people, index)
                return (people[index],), ()
        return (), people

    # --- what becomes of a notification

    def send(self, attempt: Attempt) -> None:
        """Tell the target of ``attempt`` by its present channel."""
        course = self._course
        addresses = self._world.directory.reached_at(attempt.target, attempt.channel, self._calendar, self._at)
        situation = Situation(attempt.level, course.is_acknowledged, course.acknowledged_by, attempt.tries > 1)
        data = {**course.members(), "level": attempt.level, "raised": rfc3339(course.facts.raised_at), **attempt.more}
        self.notifications.append(
            Notification(
                attempt.notification,
                course.facts.id,
                course.facts.path,
                attempt.channel,
                attempt.target,
                addresses,
                subject_of(course.facts, situation),
                text_of(course.facts, situation),
                attempt.importance,
                data,
                self._at,
                attempt.expires,
                attempt.tries,
            )
        )

    def sent(self, attempt: Attempt, receipt: str) -> None:
        """There is a receipt."""
        course = self._course
        attempt.fate = Fate.SENT
        course.reached += 1
        course.has_delivered = course.has_delivered or attempt.group == course.group
        delay = max(0.0, self._at - attempt.begun)
        self._tell("step.sent", {**self._told(attempt), "receipt": receipt, "delay": delay, "attempt": attempt.tries})
        self.go()
        self._prune()

    def failed(self, attempt: Attempt, reason: str) -> None:
        """There is none, and there will be none: the next channel, or else the next level."""
        course = self._course
        failed = {**self._told(attempt), "reason": reason, "attempt": attempt.tries}
        is_wanted = attempt.run == course.run and course.phase is not Phase.STOPPED
        if is_wanted and attempt.index + 1 < len(attempt.channels):
            attempt.index += 1
            attempt.tries, attempt.is_orphan = 1, False
            attempt.begun, attempt.expires = self._at, self._at + self._world.patience
            self._tell("step.failed", {**failed, "next": attempt.channel})
            self.send(attempt)
            return
        attempt.fate = Fate.FAILED
        self._tell("step.failed", {**failed, "next": None})
        self._advance_if_failed()
        self.go()
        self._prune()

    def again(self, attempt: Attempt) -> None:
        """Nobody knows what became of it: tell the target again, marked."""
        attempt.tries += 1
        attempt.is_orphan = False
        attempt.expires = self._at + self._world.patience
        self.send(attempt)

    def _prune(self) -> None:
        course = self._course
        course.attempts = course.open_attempts

    # --- the journal

    def started(self, steps: JsonObject) -> None:
        """The chain began; ``steps`` is what it says."""
        self._tell("started", {"steps": steps, "raised_by": self._course.facts.raised_by})

    def stopped(self, reason: str) -> None:
        """The program that ran is stopped: acknowledged, arrived, resolved or cancelled."""
        more: dict[str, JsonValue] = {"reason": reason}
        if self._course.is_acknowledged:
            more["resolve_by"] = rfc3339(self._at + self._course.chain.resolve)
        self._tell("stopped", more)

    def _tell(self, word: str, more: JsonObject) -> None:
        course = self._course
        course.events += 1
        data = {**course.members(), **more}
        if self._by:
            data["by"] = self._by
        type_ = f"escalation.{word}"
        source = f"/{course.facts.path}"
        self.events.append(
            Event(
                id=f"{course.facts.id}-e{course.run}.{course.events}",
                source=source,
                type=type_,
                data=data,
                recorded=self._at,
                priority=BUILT_IN.priority_of(type_, data, source),
                subject=course.facts.id,
                time=rfc3339(self._at),
            )
        )


def _bare(condition: Condition) -> Condition:
    """The condition without its branches."""
    match condition:
        case IfTime():
            return IfTime(condition.days, condition.begins, condition.ends, condition.shift, (), ())
        case IfRate():
            return IfRate(condition.count, condition.within, (), ())
        case IfLevel():
            return IfLevel(condition.level, (), ())
