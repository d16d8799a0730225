"""The page of the reference about alarms: their states and what leads from one to another.

Rules of this file: the page is made from the code alone, so a test can tell when it is out of date;
``python -m domain.plant.alarms.reference`` prints it.
"""

from __future__ import annotations

import sys

from domain.plant.alarms.acts import ACTS
from domain.plant.alarms.performance import FLEETING
from domain.plant.alarms.rates import BEGINS_ABOVE, CHATTER_COUNT, CHATTER_WINDOW, ENDS_BELOW, SECOND, WINDOW
from domain.plant.alarms.rationale import AlarmPriority
from domain.plant.alarms.states import TRANSITIONS, Cases, State, Trigger, diagram
from domain.plant.alarms.view import STALE

_HEAD = """\
# Alarms

The states of an alarm after ISA-18.2-2016 and what leads from one to another. Generated from
`domain/plant/alarms/states.py`: `python -m domain.plant.alarms.reference`. A pair that is empty here is impossible: an
act is refused with 409. Where a pair has several targets the first holds whose facts (in brackets) are all true.

| Letter | State | On the operator's list | Acknowledged |
|---|---|---|---|
"""

_TABLE = """
## Transitions

"""

_DIAGRAM = """
```mermaid
{diagram}```

## Acts

{acts}. An alarm is named by `alarm` (its id), or by `equipment`, `key` and `code`. `alarm.shelve` needs a
`reason` and a `duration` in seconds, or `one_shot`; `alarm.remove` a `permit` and a `reason`; `alarm.suppress` a
`reason`. Every act may have a `comment`.

## Priorities

The priority of an alarm is what the rationalised list says ([[floor.alarms.list]] in the configuration), never what its
words suggest. An alarm that is not in the list is medium and marked as not rationalised.

| Priority | Severity (OPC UA) |
|---|---|
{priorities}
## Figures

* The trailing window holds the alarms of an operating position in (t - {window:g} s, t]. A flood begins when it holds
  more than {begins} and ends when it holds fewer than {ends}. The board and the live warnings go by it.
* Reports go by the clock: intervals of {window:g} s, a flood begins with one of more than {begins} and ends with one of
  fewer than {ends}. It finds other floods in the same log; where one is shown it is said which it is.
* An alarm chatters when it becomes active {chatter} times or more within {minute:g} s. It is fleeting when it was
  active for less than {fleeting:g} s and did not come again within the minute, and stale when it has been active on
  the list for more than {stale:g} hours.
"""


def alarms_page() -> str:
    """The page as Markdown."""
    states = "".join(
        f"| {state.letter} | {state.value.replace('_', ' ')} | {_yes(state.is_annunciated)} "
        f"| {_yes(state.is_acknowledged)} |\n"
        for state in State
    )
    head = f"| Trigger | {' | '.join(state.letter for state in State)} |\n|---|{'---|' * len(State)}\n"
    rows = "".join(
        f"| {trigger.value.replace('_', ' ')} "
        f"| {' | '.join(_cases(TRANSITIONS.get((state, trigger), ())) for state in State)} |\n"
        for trigger in Trigger
    )
    tail = _DIAGRAM.format(
        diagram=diagram(),
        acts=", ".join(f"`{each}`" for each in ACTS),
        priorities="".join(f"| {each.value} | {each.severity} |\n" for each in AlarmPriority),
        window=WINDOW / SECOND,
        begins=BEGINS_ABOVE,
        ends=ENDS_BELOW,
        chatter=CHATTER_COUNT,
        minute=CHATTER_WINDOW / SECOND,
        fleeting=FLEETING,
        stale=STALE / 3600,
    )
    return f"{_HEAD}{states}{_TABLE}{head}{rows}{tail}"


def _cases(cases: Cases) -> str:
    return ", ".join(
        target.letter + (f" ({', '.join(sorted(fact.value.replace('_', ' ') for fact in facts))})" if facts else "")
        for facts, target in cases
    )


def _yes(value: bool | None) -> str:  # noqa: FBT001 - it is what is to be written
    return "-" if value is None else "yes" if value else "no"


if __name__ == "__main__":
    sys.stdout.write(alarms_page())
