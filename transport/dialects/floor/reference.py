"""The documents' tables of the floor's frames, made from the dialect's own tables.

Rules of this file: pure, but for its own command. The page's words are a person's; between the marks of a table stands
what the code says. ``python -m transport.dialects.floor.reference PAGE`` brings the tables of a page up to date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from transport.dialects.floor.following import everything
from transport.dialects.floor.kinds import KINDS, NOT_OURS, TOLD, Kind
from transport.dialects.floor.topics import DEFAULT_TYPES, TARGETED, TOPICS
from transport.dialects.floor.welcome import DOORS

Row = tuple[str, ...]

_TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """``page`` with its tables as they are now.

    Raises:
        KeyError: if it wants a table that there is not.
    """
    return _TABLE.sub(lambda found: f"{found[1]}{tables()[found[2]]}\n{found[3]}", page)


def tables() -> dict[str, str]:
    """Every table by its name."""
    events = ("`type`", "`priority`", "Id beside `data`", "Wrapper", "Comes to", "Made of", "Other names")
    return {
        "doors": _table(("Path", "First frame", "Then", "Followed at once, without a query"), _doors()),
        "events": _table(events, _events()),
        "fields": _table(("`type`", "Fields of `data`, and why each may be null"), _fields()),
        "subscriptions": _table(("Type", "Target", "Events"), _subscriptions()),
    }


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def _doors() -> Iterator[Row]:
    default = ", ".join(topic.type for topic in everything())
    followed = {
        "production": ", ".join(DEFAULT_TYPES),
        "andon": "andon, escalation",
        "equipment": "state and faults of all equipment",
        "production_v1": f"{default}, and what happens to jobs",
        "line_v1": "the line",
        "equipment_v1": "the equipment",
    }
    for door in DOORS.values():
        path = f"`{door.path}{{{door.rest}}}`" if door.rest else f"`{door.path}`, `{door.path}/`"
        first = f"`{door.greeting}`" if door.word != "main" else f"none; `{door.greeting}` to who has a token"
        yield path, first, f"`{door.initial}`" if door.initial else "-", followed.get(door.word, default)


def _events() -> Iterator[Row]:
    for kind in KINDS.values():
        topics = "everybody" if kind.is_for_everybody else ", ".join(kind.topics)
        if kind.escalates:
            topics += "; if high or critical also escalation of that priority"
        made_of = [type_ for type_, told in TOLD.items() if any(each.kind is kind for each in told)]
        yield (
            f"`{kind.type}`",
            str(kind.priority.seed),
            f"`{kind.id}`",
            f"`{kind.wrapper}`",
            topics,
            ", ".join(f"`{type_}`{' *' if type_ in NOT_OURS else ''}" for type_ in made_of),
            ", ".join(f"`{name}`" for name in _names(kind)) or "-",
        )


def _names(kind: Kind) -> Iterable[str]:
    """Every other name under which an event of ``kind`` can come."""
    told = [each for tellings in TOLD.values() for each in tellings if each.kind is kind]
    return dict.fromkeys(name for each in told for name in each.names[1:])


def _fields() -> Iterator[Row]:
    for kind in KINDS.values():
        by_reason: dict[str, list[str]] = {}
        for field in kind.fields:
            by_reason.setdefault(field.why, []).append(f"`{field.name}`")
        yield f"`{kind.type}`", "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())


def _subscriptions() -> Iterator[Row]:
    for type_ in TOPICS:
        target = "`all` (default), `line:L`, `equipment:E`, an id, or an object"
        if type_ in TARGETED:
            target = "an id, required"
        elif type_ == "escalation":
            target = "`all` (default), `escalation:ID`, `priority:P`, an id, a priority, or an object"
        kinds = [kind.type for kind in KINDS.values() if type_ in kind.topics]
        yield f"`{type_}`", target, ", ".join(f"`{name}`" for name in kinds)


def main(path: Path) -> None:
    """Bring the tables of the page at ``path`` up to date."""
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
