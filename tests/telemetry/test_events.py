"""Named events: each one writes one line, counts once, and is in the reference."""

import inspect
import re
from pathlib import Path

import pytest
import structlog

from telemetry import counters, events
from telemetry.logs import log, set_level
from telemetry.reference import catalogue, events_page

ROOT = Path(__file__).parents[2]
FUNCTIONS = {
    name: function
    for name, function in vars(events).items()
    if inspect.isfunction(function) and function.__module__ == events.__name__
}
EVENTS = {event.function: event for event in catalogue()}
VALUES = {
    "error": ValueError("boom"),
    "applied": ["log.level"],
    "needs_restart": ["server.listen"],
    "faults": ["server.listen (a.toml:1): expected HOST:PORT"],
}


@pytest.fixture(autouse=True)
def _everything_is_logged():
    log._seconds.clear()
    log._suppressed.clear()
    set_level("debug")
    yield
    set_level("info")


def arguments(function):
    """Make a value for each parameter from its annotation."""
    made = {"str": "word", "int": 3, "float": 1.25, "bool": True, "int | None": 3, "float | None": 1.25}
    return {
        name: VALUES.get(name, made.get(str(parameter.annotation)))
        for name, parameter in inspect.signature(function).parameters.items()
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_event_writes_exactly_its_line_with_the_fields_it_was_given(name):
    function = FUNCTIONS[name]
    given = arguments(function)
    with structlog.testing.capture_logs() as lines:
        function(**given)
    (line,) = lines
    assert line["event"] == EVENTS[name].name
    fields = set(line) - {"event", "log_level", "exc_info"}
    # The id of an event that came in: the line's own name has the word already.
    assert fields == {"id" if name == "event" else name for name in given} - {"error"}
    assert ("exc_info" in line) == ("error" in given)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_event_is_a_noun_and_what_happened_to_it(name):
    event = EVENTS[name]
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)?", event.name)
    assert event.name.replace(".", "_") == name
    assert event.meaning.endswith(".")
    parameters = inspect.signature(FUNCTIONS[name]).parameters.values()
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)


def test_every_function_has_one_event_and_no_event_two_functions():
    assert set(EVENTS) == set(FUNCTIONS)
    names = [event.name for event in catalogue()]
    assert len(names) == len(set(names)) == len(FUNCTIONS)


def test_an_event_can_be_told_without_its_optional_fields():
    with structlog.testing.capture_logs() as lines:
        for function in FUNCTIONS.values():
            parameters = inspect.signature(function).parameters.values()
            required = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
            function(**{name: value for name, value in arguments(function).items() if name in required})
    assert len(lines) == len(FUNCTIONS)


COUNTED = [
    (
        "actor_failed",
        {"actor": "/a", "kind": "Channel", "error": ValueError()},
        lambda: counters.actor_failures["Channel"],
    ),
    (
        "actor_quarantined",
        {"actor": "/a", "kind": "X", "message": "Tick", "reason": "ValueError()"},
        lambda: counters.messages_quarantined["X"],
    ),
    ("actor_buried", {"actor": "/a", "kind": "X", "reason": "temporary"}, lambda: counters.actors_buried["X"]),
    (
        "connection_refused",
        {"client": "::1", "reason": "limit", "status": 503},
        lambda: counters.connections_refused["limit"],
    ),
    ("handshake_failed", {"client": "::1", "reason": "tls"}, lambda: counters.handshakes_failed["tls"]),
    ("channel_retired", {"channel": "a/b", "idle": 60.0}, lambda: counters.channels_retired),
    ("source_lost", {"source": "p", "kind": "host", "reason": "refused"}, lambda: counters.source_losses["p"]),
    ("settings_refused", {"path": "a.toml", "faults": []}, lambda: counters.reloads["refused"]),
    ("watchdog_withheld", {"reason": "recorder"}, lambda: counters.watchdog_withheld),
    (
        "message_dead_lettered",
        {"actor": "/a", "message": "M", "reason": "stopped"},
        lambda: counters.dead_letters["stopped"],
    ),
]


@pytest.mark.parametrize(("name", "fields", "count"), COUNTED, ids=[name for name, *_ in COUNTED])
def test_an_event_counts_once(name, fields, count):
    before = count()
    with structlog.testing.capture_logs():
        FUNCTIONS[name](**fields)
    assert count() == before + 1


def test_dead_letters_count_as_many_as_they_are():
    before = counters.dead_letters["overflow"]
    with structlog.testing.capture_logs():
        events.message_dead_lettered(actor="/a", message="Tick", reason="overflow", count=7)
    assert counters.dead_letters["overflow"] == before + 7


def test_an_event_is_counted_also_when_its_line_is_below_the_level():
    set_level("error")
    before = counters.channels_retired
    with structlog.testing.capture_logs() as lines:
        events.channel_retired(channel="a/b", idle=60.0)
    assert lines == []
    assert counters.channels_retired == before + 1


def test_long_text_of_a_machine_is_cut():
    with structlog.testing.capture_logs() as lines:
        events.reading_rejected(source="press3", key="k", reason="no number", text="x" * 10_000)
    assert len(lines[0]["text"]) == 200


def test_the_reference_of_events_is_what_the_code_generates():
    assert (ROOT / "docs/reference/events.md").read_text(encoding="utf-8") == events_page()
