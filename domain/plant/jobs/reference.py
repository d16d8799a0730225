"""The page of the reference about jobs: their states and what leads from one to another.

Rules of this file: the page is made from the code alone, so a test can tell when it is out of date;
``python -m domain.plant.jobs.reference`` prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from domain.plant.jobs.changeover import PHASES, Cause, Phase
from domain.plant.jobs.jobs import EVENTS
from domain.plant.jobs.states import METHODS, REPORTS, TRANSITIONS, State, Trigger, status_of

_HEAD = """\
# Jobs

Generated from `domain/plant/jobs`: `python -m domain.plant.jobs.reference`. States and methods are those of OPC 10031-4
(OPC UA for ISA-95, job control) 2.0.0; the triggers in small letters are what the executing system itself reports, for
which the standard has no method. A pair that is empty is impossible: an act is refused with 409, and the answer says
what is possible.

"""

_STATES = """
| Letters | State | Status of the dashboard |
|---|---|---|
"""

_EVENTS = """
## Events and acts

| Trigger | Event |
|---|---|
"""

_PHASES = """
## Changeovers

"""

_LETTERS = dict(zip(State, "I NW NR NL AW AR AL R H S C Z X E".split(), strict=True))  # noqa: SIM905 - a row of letters


def jobs_page() -> str:
    """The page as Markdown."""
    states = "".join(f"| {_LETTERS[state]} | {state.value} | {_status(state)} |\n" for state in State)
    events = "".join(f"| `{trigger.value}` | `{EVENTS[trigger]}` |\n" for trigger in Trigger)
    phases = _grid(
        ("Cause", [phase.value for phase in Phase]),
        ((cause.value, [_phase(PHASES.get((phase, cause))) for phase in Phase]) for cause in Cause),
    )
    parts = [
        _HEAD,
        _transitions(METHODS),
        "\n",
        _transitions(REPORTS),
        _STATES,
        states,
        _EVENTS,
        events,
        _PHASES,
        phases,
    ]
    return "".join(parts)


def _transitions(triggers: Iterable[Trigger]) -> str:
    rows = ((trigger.value, [_state(TRANSITIONS.get((state, trigger))) for state in State]) for trigger in triggers)
    return _grid(("Trigger", list(_LETTERS.values())), rows)


def _grid(head: tuple[str, list[str]], rows: Iterable[tuple[str, list[str]]]) -> str:
    lines = [f"| {head[0]} | {' | '.join(head[1])} |", f"|---|{'---|' * len(head[1])}"]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows]
    return "".join(f"{line}\n" for line in lines)


def _state(state: State | None) -> str:
    return "" if state is None else _LETTERS[state]


def _phase(phase: Phase | None) -> str:
    return "" if phase is None else phase.value


def _status(state: State) -> str:
    return "" if state in (State.INITIAL, State.END) else status_of(state).value


if __name__ == "__main__":
    sys.stdout.write(jobs_page())
