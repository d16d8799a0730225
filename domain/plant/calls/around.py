"""What else is going on where a call is: the stop and the job that share one incident with it.

Rules of this file: it is known from the events of other desks; what is not known is not guessed. A call is of the stop
and the job of its own place, or of the nearest place above. The incident of a call that is raised in a stop is the
stop's; a stop that begins while a call is open joins the call's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.decision import Row
from domain.event import Event
from domain.json import JsonObject, JsonValue

AROUND = "andon.around"

_BEGINS = {"downtime.started": "stop", "job.started": "job", "job.resumed": "job"}
_ENDS = {
    "downtime.ended": "stop",
    "job.completed": "job",
    "job.cancelled": "job",
    "job.paused": "job",
    "job.closed": "job",
    "job.removed": "job",
}
HEARD = frozenset({*_BEGINS, *_ENDS})
"""The types of events that tell of it."""


class Around:
    """The stop and the job at each place, by ISA-95 path."""

    def __init__(self) -> None:
        self._at: dict[str, dict[str, str]] = {}

    def restore(self, rows: Iterable[tuple[str, JsonObject]]) -> None:
        """Begin with what was kept."""
        self._at = {path: {name: str(value) for name, value in found.items()} for path, found in rows}

    def hear(self, event: Event) -> tuple[str, dict[str, str], tuple[Row, ...]]:
        """Learn from ``event``: the place, what began there, and what is to be kept."""
        path = event.source.strip("/")
        known = dict(self._at.get(path, {}))
        name, begun = _BEGINS.get(event.type), {}
        if name is not None:
            known[name] = _id(event)
            begun = {name: known[name]}
        ended = _ENDS.get(event.type)
        if ended is not None and known.get(ended) == _id(event):
            del known[ended]
        if known == self._at.get(path, {}):
            return path, begun, ()
        if known:
            self._at[path] = known
        else:
            self._at.pop(path, None)
        value: dict[str, JsonValue] | None = dict(known) or None
        return path, begun, (Row(AROUND, path, value),)

    def at(self, path: str) -> dict[str, str]:
        """The stop and the job at ``path``, each of the nearest place that has one."""
        found: dict[str, str] = {}
        while path:
            found = {**self._at.get(path, {}), **found}
            path = path.rpartition("/")[0]
        return found


def _id(event: Event) -> str:
    data = event.data if isinstance(event.data, Mapping) else {}
    return str(data.get("id") or event.subject or event.id)
