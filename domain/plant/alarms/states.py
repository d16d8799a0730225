"""The states of an alarm and what leads from one to another: one table.

Rules of this file: everything that decides about a state is in ``TRANSITIONS``. A pair of state and trigger that is not
in it is impossible. A pair leads to the state of its first case whose facts all hold. The diagram in the documents and
the tests are made from the table.

Source of the rules: ANSI/ISA-18.2-2016 / IEC 62682, state diagram; clause 11.7.3 for the two ways out of shelving: who
unshelves by hand has seen the alarm, when the time is over nobody has. Latching after OPC 10000-9, 5.8.2 and 5.8.5:
reset needs an alarm that was latched, is not active and is acknowledged. One-shot shelving after OPC 10000-9, 5.8.17.

What the diagram leaves open is decided here: a suppression that begins or ends while an alarm is shelved or out of
service is remembered and counts when that ends; a latch outlives shelving, suppression and service.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from types import MappingProxyType


class State(Enum):
    """The states, in the words of the wire."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    LATCHED_UNACKNOWLEDGED = "latched_unacknowledged"
    LATCHED_ACKNOWLEDGED = "latched_acknowledged"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"

    @property
    def letter(self) -> str:
        """The letter of the standard's diagram; those of the latched states are ours."""
        return LETTERS[self]

    @property
    def is_annunciated(self) -> bool:
        """Whether an alarm in this state is on the operator's list."""
        return self in ANNUNCIATED

    @property
    def is_acknowledged(self) -> bool | None:
        """Whether somebody has acknowledged it; None where the question does not arise."""
        if self in UNACKNOWLEDGED:
            return False
        return None if self in OUT_OF_SIGHT else True


_A, _B, _C, _D, _LU, _LA, _E, _F, _G = State

LETTERS: Mapping[State, str] = MappingProxyType(
    dict(zip(State, ("A", "B", "C", "D", "LTUN", "LTACK", "E", "F", "G"), strict=True))
)
ANNUNCIATED = frozenset({_B, _C, _D, _LU, _LA})
UNACKNOWLEDGED = frozenset({_B, _D, _LU})
OUT_OF_SIGHT = frozenset({_E, _F, _G})


class Trigger(Enum):
    """What can happen to an alarm."""

    OCCUR = "occur"
    """The condition is true and the on delay is over."""
    RETURN = "return"
    """The condition is false and the off delay is over."""
    REALARM = "re_alarm"
    """The condition is more severe than before, or the re-alarm time is over."""
    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    """The sound alone."""
    RESET = "reset"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    """By hand."""
    EXPIRE = "expire"
    """The time of the shelving is over."""
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    REMOVE = "remove"
    RESTORE = "restore"


class Fact(Enum):
    """What decides between the cases of a pair: of the alarm, and of its class."""

    ACTIVE = "active"
    LATCHED = "latched"
    """It was active since it was last reset; only an alarm of a latching class is."""
    SUPPRESSED = "suppressed"
    ONE_SHOT = "one_shot"
    LATCHING = "latching"
    SILENT = "silent"
    """The class is not annunciated."""
    AUTO_ACKNOWLEDGED = "auto_acknowledged"
    NO_ACKNOWLEDGE_ON_RETURN = "no_acknowledge_on_return"


Case = tuple[frozenset[Fact], State]
Cases = tuple[Case, ...]


class Impossible(Exception):
    """The pair of ``state`` and ``trigger`` is not in the table."""

    def __init__(self, state: State, trigger: Trigger) -> None:
        super().__init__(f"{trigger.value} is not possible while the alarm is {state.value.replace('_', ' ')}")
        self.state = state
        self.trigger = trigger


def _case(target: State, *facts: Fact) -> Case:
    return frozenset(facts), target


def _to(target: State) -> Cases:
    return (_case(target),)


# A new occurrence, as its class has it.
_OCCURRED: Cases = (_case(_A, Fact.SILENT), _case(_C, Fact.AUTO_ACKNOWLEDGED), _case(_B))
# Back in sight, and nobody has seen it.
_UNSEEN: Cases = (
    _case(_A, Fact.ACTIVE, Fact.SILENT),
    _case(_C, Fact.ACTIVE, Fact.AUTO_ACKNOWLEDGED),
    _case(_B, Fact.ACTIVE),
    _case(_LA, Fact.LATCHED, Fact.AUTO_ACKNOWLEDGED),
    _case(_LA, Fact.LATCHED, Fact.NO_ACKNOWLEDGE_ON_RETURN),
    _case(_LU, Fact.LATCHED),
    _case(_A),
)
# Back in sight, and who does it has seen it.
_SEEN: Cases = (
    _case(_A, Fact.ACTIVE, Fact.SILENT),
    _case(_C, Fact.ACTIVE),
    _case(_LA, Fact.LATCHED),
    _case(_A),
)
_UNLESS_SUPPRESSED = _case(_F, Fact.SUPPRESSED)
_OUT: Mapping[Trigger, Cases] = {Trigger.SHELVE: _to(_E), Trigger.SUPPRESS: _to(_F), Trigger.REMOVE: _to(_G)}

_TABLE: Mapping[State, Mapping[Trigger, Cases]] = {
    _A: {
        Trigger.OCCUR: _OCCURRED,
        # Only of a class that is not annunciated.
        Trigger.RETURN: _to(_A),
        Trigger.REALARM: _to(_A),
        **_OUT,
    },
    _B: {
        Trigger.ACKNOWLEDGE: _to(_C),
        Trigger.SILENCE: _to(_B),
        Trigger.RETURN: (
            _case(_LA, Fact.LATCHING, Fact.NO_ACKNOWLEDGE_ON_RETURN),
            _case(_LU, Fact.LATCHING),
            _case(_A, Fact.NO_ACKNOWLEDGE_ON_RETURN),
            _case(_D),
        ),
        Trigger.REALARM: _to(_B),
        **_OUT,
    },
    _C: {
        Trigger.RETURN: (_case(_LA, Fact.LATCHING), _case(_A)),
        Trigger.REALARM: (_case(_C, Fact.AUTO_ACKNOWLEDGED), _case(_B)),
        **_OUT,
    },
    _D: {Trigger.ACKNOWLEDGE: _to(_A), Trigger.OCCUR: _OCCURRED, **_OUT},
    _LU: {Trigger.ACKNOWLEDGE: _to(_LA), Trigger.OCCUR: _OCCURRED, **_OUT},
    _LA: {Trigger.RESET: _to(_A), Trigger.OCCUR: _OCCURRED, **_OUT},
    _E: {
        Trigger.UNSHELVE: (_UNLESS_SUPPRESSED, *_SEEN),
        Trigger.EXPIRE: (_UNLESS_SUPPRESSED, *_UNSEEN),
        Trigger.OCCUR: _to(_E),
        Trigger.RETURN: (
            _case(_F, Fact.ONE_SHOT, Fact.SUPPRESSED),
            _case(_LA, Fact.ONE_SHOT, Fact.LATCHED),
            _case(_A, Fact.ONE_SHOT),
            _case(_E),
        ),
        Trigger.REALARM: _to(_E),
        Trigger.SUPPRESS: _to(_E),
        Trigger.UNSUPPRESS: _to(_E),
    },
    _F: {
        Trigger.UNSUPPRESS: _UNSEEN,
        Trigger.OCCUR: _to(_F),
        Trigger.RETURN: _to(_F),
        Trigger.REALARM: _to(_F),
    },
    _G: {
        Trigger.RESTORE: (_UNLESS_SUPPRESSED, *_UNSEEN),
        Trigger.OCCUR: _to(_G),
        Trigger.RETURN: _to(_G),
        Trigger.REALARM: _to(_G),
        Trigger.SUPPRESS: _to(_G),
        Trigger.UNSUPPRESS: _to(_G),
    },
}

TRANSITIONS: Mapping[tuple[State, Trigger], Cases] = MappingProxyType(
    {(state, trigger): cases for state, triggers in _TABLE.items() for trigger, cases in triggers.items()}
)
"""Where each pair leads, case by case; the first that fits holds."""


def next_state(state: State, trigger: Trigger, facts: Collection[Fact]) -> State:
    """The state that ``trigger`` leads to from ``state`` while ``facts`` hold.

    Raises:
        Impossible: if the pair is not in the table.
    """
    cases = TRANSITIONS.get((state, trigger))
    if cases is None:
        raise Impossible(state, trigger)
    return next(target for needed, target in cases if needed.issubset(facts))


def diagram() -> str:
    """The table as a Mermaid state diagram, without the pairs that lead nowhere else."""
    lines = ["stateDiagram-v2", f"    [*] --> {_A.letter}"]
    for (state, trigger), cases in TRANSITIONS.items():
        for needed, target in cases:
            if target is state:
                continue
            facts = ", ".join(sorted(fact.value for fact in needed))
            label = f"{trigger.value} [{facts}]" if facts else trigger.value
            lines.append(f"    {state.letter} --> {target.letter}: {label}")
    return "\n".join(lines) + "\n"
