"""Escalation chains as data: the steps there are, and a chain as a program of them.

Rules of this file: nothing is executed here; times are seconds. ``words`` reads chains out of plain data and writes
them back.

* A chain has two programs. One runs until somebody acknowledges; the other one from then on until the call is
  resolved, and begins with the wait that the chain's ``resolve`` says.
* A condition has two branches; they are laid out as one list with jumps, so that a place in a chain is a number.
* ``repeat`` is the last step, if it is there: it begins the program anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import time
from enum import StrEnum
from typing import TypeAlias, Union

import msgspec
from msgspec.structs import replace

REPEATS = 9
"""How often a program may begin anew."""

PRIORITIES = ("low", "medium", "high", "critical")
BELOW = "/*"
ACKNOWLEDGER = "@acknowledger"
RAISER = "@raiser"


class Importance(StrEnum):
    """How a notification is to be shown by the program that receives it."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Notify(msgspec.Struct, frozen=True):
    """Tell each target (person, role, team) on the first of ``channels`` that gives a receipt.

    ``importance`` of None follows the priority of the call.
    """

    targets: tuple[str, ...]
    channels: tuple[str, ...]
    importance: Importance | None = None


class NotifyOnCall(msgspec.Struct, frozen=True):
    """Tell who is on call by ``schedule``."""

    schedule: str
    channels: tuple[str, ...]
    importance: Importance | None = None


class RoundRobin(msgspec.Struct, frozen=True):
    """Tell one of ``people``, each time the next one who is on duty."""

    people: tuple[str, ...]
    channels: tuple[str, ...]
    importance: Importance | None = None


class Webhook(msgspec.Struct, frozen=True):
    """Post to the webhook of this name."""

    name: str


class Signal(msgspec.Struct, frozen=True):
    """Set a stack light or a siren near the call; either may be empty."""

    light: str
    sound: str
    channels: tuple[str, ...]


class Wait(msgspec.Struct, frozen=True):
    """Go on after ``delay`` seconds; at once if nobody of this level could be told."""

    delay: float


class IfTime(msgspec.Struct, frozen=True):
    """Whether the wall clock of the site is within hours on certain days, or a shift runs.

    ``days`` are weekdays (0 is Monday); ``ends`` not later than ``begins`` is on the next day.
    """

    days: frozenset[int]
    begins: time
    ends: time
    shift: str
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...]


class IfRate(msgspec.Struct, frozen=True):
    """Whether more than ``count`` calls came from the same place in the last ``within`` seconds, this one included."""

    count: int
    within: float
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...]


class IfLevel(msgspec.Struct, frozen=True):
    """Whether the call has reached ``level``."""

    level: int
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...]


class SetSeverity(msgspec.Struct, frozen=True):
    """Give the call another priority."""

    priority: str


class Repeat(msgspec.Struct, frozen=True):
    """Begin anew, at most ``times`` times."""

    times: int


class Resolve(msgspec.Struct, frozen=True):
    """Resolve the call."""


Condition: TypeAlias = IfTime | IfRate | IfLevel
Telling: TypeAlias = Notify | NotifyOnCall | RoundRobin | Webhook | Signal
Step = Union["Telling", Wait, "Condition", SetSeverity, Repeat, Resolve]

TELLING = (Notify, NotifyOnCall, RoundRobin, Webhook, Signal)
CONDITIONS = (IfTime, IfRate, IfLevel)


class Jump(msgspec.Struct, frozen=True):
    """Go on at place ``to``."""

    to: int


class Test(msgspec.Struct, frozen=True):
    """Go on behind this if the condition holds, else at place ``otherwise``."""

    condition: Condition
    otherwise: int


Instruction: TypeAlias = Telling | Wait | SetSeverity | Repeat | Resolve | Jump | Test
Program: TypeAlias = tuple[Instruction, ...]


class Chain(msgspec.Struct, frozen=True):
    """What happens to a call until it is acknowledged, and then until it is resolved.

    It is for calls of ``priorities``, ``types`` and ``paths`` (``acme/plant1/*`` is everything below); each of them
    empty is for all. ``acknowledge`` and ``resolve`` are seconds; ``version`` is the same for the same content alone.
    """

    name: str
    version: str
    acknowledge: float
    resolve: float
    unacknowledged: tuple[Step, ...]
    unresolved: tuple[Step, ...]
    priorities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def fits(self, priority: str, type_: str, path: str) -> bool:
        """Whether the chain is for such a call."""
        return (
            (not self.priorities or priority in self.priorities)
            and (not self.types or type_ in self.types)
            and (not self.paths or any(_is_of(path, pattern) for pattern in self.paths))
        )

    def at(self, path: str) -> Chain:
        """The same for ``path``: of the places that it is for, those alone that ``path`` is of."""
        here = tuple(pattern for pattern in self.paths if _is_of(path, pattern))
        return replace(self, paths=here) if here and here != self.paths else self

    def seen(self, sees: Callable[[str], bool]) -> Chain | None:
        """The same for places that ``sees``; None if it is for other places alone."""
        shown = tuple(pattern for pattern in self.paths if sees(pattern.removesuffix(BELOW)))
        return replace(self, paths=shown) if shown or not self.paths else None

    @property
    def first_program(self) -> Program:
        """What runs until somebody acknowledges."""
        return laid_out(self.unacknowledged)

    @property
    def second_program(self) -> Program:
        """What runs from the acknowledgement until the call is resolved."""
        return laid_out((Wait(self.resolve), *self.unresolved))


def laid_out(steps: Iterable[Step]) -> Program:
    """The steps as one list in which conditions are tests and jumps."""
    program: list[Instruction] = []
    _lay_out(steps, program)
    return tuple(program)


def _lay_out(steps: Iterable[Step], program: list[Instruction]) -> None:
    for step in steps:
        if not isinstance(step, CONDITIONS):
            program.append(step)
            continue
        test = len(program)
        program.append(Jump(0))
        _lay_out(step.then, program)
        leap = len(program)
        program.append(Jump(0))
        program[test] = Test(step, len(program))
        _lay_out(step.otherwise, program)
        program[leap] = Jump(len(program))


def every(steps: Sequence[Step]) -> Iterator[Step]:
    """All steps, those within conditions too."""
    for step in steps:
        yield step
        if isinstance(step, CONDITIONS):
            yield from every(step.then)
            yield from every(step.otherwise)


def _is_of(path: str, pattern: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith(BELOW) else path == pattern
