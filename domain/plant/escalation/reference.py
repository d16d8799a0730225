"""The page of the reference about escalation: its states, and the chains that are built in.

Rules of this file: the page is made from the code alone, so a test can tell when it is out of date;
``python -m domain.plant.escalation.reference`` prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from domain.json import JsonValue
from domain.plant.escalation.course import TRANSITIONS, Phase, Trigger
from domain.plant.escalation.defaults import MINUTE, Defaults
from domain.plant.escalation.words import write_chain

_HEAD = """\
# Escalation

Generated from `domain/plant/escalation`: `python -m domain.plant.escalation.reference`. A pair that is empty changes
nothing; `escalated` (a person wants the next level now) is refused there with 409. The level is no state: a call is
acknowledged and at level 2.

"""

_CHAINS = """
## The chains that are built in

Minutes and recipients are settings (`[floor.escalation]`). A level is told by the first of `notifications.channels`
that gives a receipt. Behind the last level all of it comes again, nine times at most.

| Priority | Acknowledge within | Resolve within | Levels | When it is not resolved |
|---|---|---|---|---|
"""


def escalation_page() -> str:
    """The page as Markdown."""
    return "".join([_HEAD, *_transitions(), _CHAINS, *_chains()])


def _transitions() -> Iterator[str]:
    yield f"| Trigger | {' | '.join(phase.value for phase in Phase)} |\n"
    yield f"|---|{'---|' * len(Phase)}\n"
    for trigger in Trigger:
        cells = (TRANSITIONS.get((phase, trigger)) for phase in Phase)
        yield f"| `{trigger.value}` | {' | '.join('' if cell is None else cell.value for cell in cells)} |\n"


def _chains() -> Iterator[str]:
    for chain in Defaults().chains():
        members = write_chain(chain)
        levels = "; ".join(_told(members["unacknowledged"]))
        late = "; ".join(_told(members["unresolved"]))
        times = f"{chain.acknowledge / MINUTE:g} min | {chain.resolve / MINUTE:g} min"
        yield f"| {chain.priorities[0]} | {times} | {levels} | {late} |\n"


def _told(steps: JsonValue) -> Iterator[str]:
    for step in steps if isinstance(steps, Sequence) else ():
        names = step.get("notify") if isinstance(step, dict) else None
        if isinstance(names, list):
            yield ", ".join(str(name) for name in names)


if __name__ == "__main__":
    sys.stdout.write(escalation_page())
