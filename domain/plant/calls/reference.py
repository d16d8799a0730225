"""The page of the reference about Andon calls: states, words, events, intervals.

Rules of this file: the page is made from the code alone, so a test can tell when it is out of date;
``python -m domain.plant.calls.reference`` prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from domain.plant.calls.call import RAISE
from domain.plant.calls.kinds import KINDS
from domain.plant.calls.states import TRANSITIONS, State, Trigger, screen_status, service_status
from domain.plant.calls.telling import CONTESTED, TYPES
from domain.plant.calls.timers import ACKNOWLEDGE_WITHIN, INTERVALS, MINUTE, RESOLVE_WITHIN

_HEAD = """\
# Andon calls

Generated from `domain/plant/calls`: `python -m domain.plant.calls.reference`. What is empty is impossible and refused
with 409. The level of escalation, who a call is assigned to, its priority and its links are attributes: they leave its
state alone.

"""

_WORDS = """
## Types

The words below the line are the floor dashboard's; each stands for one of ours and is told beside it as `word`.

| Word | Type | Colour | Priority unless it is said | Stops the line |
|---|---|---|---|---|
"""

_STATUSES = """
## The dashboard's words for a state

| State | `status` (its service) | `screen_status` (its screens) |
|---|---|---|
"""

_EVENTS = f"""
## Events

On the channel `andon/<equipment path>`, each with `by`, `at` (the source's clock), `received` (ours), `station`,
`comment`, `level`. The event of a step has the id `<call>-<number of the step>`. `{CONTESTED}` tells of an act that
somebody else's had beaten.

| Step | Event |
|---|---|
"""

_INTERVALS = """
## Intervals

Each has a histogram, `andond_andon_interval_seconds`, and a target of its own (`[floor.calls] targets`). They are of
the present round: a call that is opened again is answered again; only `raise_to_close` counts from the first raising.

"""

_TIMES = """
| Priority | Acknowledge within | Resolve within, from the acknowledgement |
|---|---|---|
"""


def calls_page() -> str:
    """The page as Markdown."""
    parts = [_HEAD, *_transitions(), *_diagram(), _WORDS, *_words(), _STATUSES, *_statuses(), _EVENTS, *_events()]
    return "".join([*parts, _INTERVALS, *_intervals(), _TIMES, *_times()])


def _transitions() -> Iterator[str]:
    yield f"| Trigger | {' | '.join(state.value for state in State)} |\n"
    yield f"|---|{'---|' * len(State)}\n"
    for trigger in Trigger:
        cells = (TRANSITIONS.get((state, trigger)) for state in State)
        yield f"| `{trigger.value}` | {' | '.join('' if cell is None else cell.value for cell in cells)} |\n"


def _diagram() -> Iterator[str]:
    yield "\n```mermaid\nstateDiagram-v2\n"
    yield f"    [*] --> {State.RAISED.value}: {RAISE}\n"
    for (before, trigger), after in TRANSITIONS.items():
        if before is not after:
            yield f"    {before.value} --> {after.value}: {trigger.value}\n"
    yield "".join(f"    {state.value} --> [*]\n" for state in State if state.is_over)
    yield "```\n"


def _words() -> Iterator[str]:
    for kind in KINDS.values():
        stops = "yes" if kind.stops_line else ""
        yield f"| `{kind.word}` | {kind.type} | {kind.colour.value} | {kind.priority.value} | {stops} |\n"


def _statuses() -> Iterator[str]:
    for state in State:
        yield f"| {state.value} | {service_status(state).value} | {screen_status(state).value} |\n"


def _events() -> Iterator[str]:
    for step, type_ in TYPES.items():
        yield f"| `{step}` | `{type_}` |\n"


def _intervals() -> Iterator[str]:
    for name in INTERVALS:
        yield f"- `{name}`\n"


def _times() -> Iterator[str]:
    for priority, seconds in ACKNOWLEDGE_WITHIN.items():
        yield f"| {priority} | {seconds / MINUTE:g} min | {RESOLVE_WITHIN[priority] / MINUTE:g} min |\n"


if __name__ == "__main__":
    sys.stdout.write(calls_page())
