"""The pages of the reference that come from this package: every metric, every event.

Rules of this file: a page is made from the code alone, so a test can tell when it is out of date;
``python -m telemetry.reference metrics`` (or ``events``) prints one.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator

import msgspec

from telemetry import events
from telemetry.metrics import METRICS

_METRICS_HEAD = """\
# Metrics

What `/metrics` shows, in the Prometheus text format, or in OpenMetrics when it is asked for. Generated from
`telemetry/metrics.py`: `python -m telemetry.reference metrics`. A gauge that nothing feeds is absent. Beside these
there are `andond_build_info` (`version`, `commit`, `python`), `process_*` and `python_gc_*`.

| Metric | Kind | Label | Meaning |
|---|---|---|---|
"""
_EVENTS_HEAD = """\
# Log events

Every line the daemon logs begins with one of these names. Generated from `telemetry/events.py`:
`python -m telemetry.reference events`. What libraries log comes as `library.logged` with `logger` and `message`.
"Sparing" lines are written at most five times a second; the next one says in `suppressed` how many were left out.

| Event | Level | Fields | Meaning |
|---|---|---|---|
"""


class Event(msgspec.Struct, frozen=True):
    """A named event as its function in ``telemetry.events`` defines it."""

    name: str
    function: str
    level: str
    fields: tuple[str, ...]
    meaning: str


def metrics_page() -> str:
    """Return the reference of metrics as Markdown."""
    rows = (
        f"| `{row.name}` | {row.kind} | {f'`{row.label}`' if row.label else ''} | {row.meaning} |" for row in METRICS
    )
    return _METRICS_HEAD + "\n".join(rows) + "\n"


def events_page() -> str:
    """Return the reference of log events as Markdown."""
    rows = (
        f"| `{event.name}` | {event.level} | {', '.join(f'`{field}`' for field in event.fields)} | {event.meaning} |"
        for event in catalogue()
    )
    return _EVENTS_HEAD + "\n".join(rows) + "\n"


def catalogue() -> Iterator[Event]:
    """Read every event out of the functions of ``telemetry.events``, in their order."""
    for node in ast.parse(inspect.getsource(events)).body:
        if isinstance(node, ast.FunctionDef):
            yield from _events_of(node)


def _events_of(function: ast.FunctionDef) -> Iterator[Event]:
    meaning = " ".join((ast.get_docstring(function) or "").replace("``", "`").split())
    for call in ast.walk(function):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        if isinstance(call.func.value, ast.Name) and call.func.value.id == "log":
            words = [str(argument.value) for argument in call.args if isinstance(argument, ast.Constant)]
            name = words[-1]
            level = f"{words[0]}, sparing" if call.func.attr == "sparing" else call.func.attr
            fields = tuple(str(keyword.arg) for keyword in call.keywords)
            yield Event(name, function.name, level, fields, meaning)


if __name__ == "__main__":
    sys.stdout.write({"metrics": metrics_page, "events": events_page}[sys.argv[1]]())
