"""The page of the reference that comes from the table of routes: every path of the floor's REST.

Rules of this file: the page is made from what the routes say of themselves, so a test can tell when it is out of date;
``python -m andond.api.reference`` prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import get_args

import trio

from actors.runtime import ActorSystem
from andond.api import floor, floor_elsewhere
from andond.api.describe import Operation
from domain.plant.site import Site
from transport import Route, Routes

_HEAD = """\
# The floor's REST

Generated from the table of routes: `python -m andond.api.reference`. `/openapi.json` has the same with the schema of
every body and answer, and the paths of all other resources. How to use it is in [rest.md](../rest.md). An act takes
`Idempotency-Key`; a list takes `limit` (1 to 1000, 100 if it is not said) and `offset`. Paths that only say
that this gateway does not do it are in [rest.md](../rest.md).
"""

_WORDS = {
    "site": "Site and shifts",
    "equipment": "Equipment",
    "andon": "Andon calls and escalation",
    "alarms": "Alarms",
    "oee": "OEE and the time ledger",
    "downtime": "Downtime",
    "jobs": "Jobs",
    "counts": "Production counts",
    "changeovers": "Changeovers",
    "quality": "Quality",
    "dashboard": "In the words of the floor dashboard's clients",
}


def rest_page(routes: Iterable[Route]) -> str:
    """Return the reference of the floor's REST as Markdown."""
    said = [(route, route.about) for route in routes if isinstance(route.about, Operation)]
    rows = [(route, about) for route, about in said if about.tag != floor_elsewhere.TAG]
    parts = [_HEAD]
    for tag in dict.fromkeys(about.tag for _, about in rows):
        lines = [f"## {_WORDS.get(tag, tag)}", "", "| Path | What | Filters | Answer |", "|---|---|---|---|"]
        lines += [_row(route, about) for route, about in rows if about.tag == tag]
        parts.append("\n".join([*lines, ""]))
    return "\n".join(parts)


def _row(route: Route, about: Operation) -> str:
    filters = ", ".join(f"`{each.name}`" for each in about.query if each.name not in ("limit", "offset"))
    return f"| `{route.method} {route.pattern}` | {about.summary} | {filters} | {_name(about.answer)} |"


def _name(answer: object) -> str:
    """The name of a type of answers, as ``/openapi.json`` has it."""
    if answer is None:
        return ""
    inner = [each for each in get_args(answer) if hasattr(each, "__struct_fields__")]
    if not inner:
        return f"`{answer.__name__}`" if isinstance(answer, type) and not get_args(answer) else "JSON"
    names = ", ".join(each.__name__ for each in inner)
    return f"a page of `{names}`" if "Page[" in repr(answer) else f"`{names}`, several"


def floor_routes() -> Iterator[Route]:
    """The routes of the floor."""

    async def made() -> Routes:
        routes = Routes()
        async with ActorSystem.open() as system:
            floor.register(routes, system.environment, Site)
        return routes

    return iter(trio.run(made))


if __name__ == "__main__":
    sys.stdout.write(rest_page(floor_routes()))
