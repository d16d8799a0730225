"""What the tests of the journal share."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from domain import Event, Priority
from storage import Entry, Journal, Keep

LONG = 400 * 86_400.0
LARGE = 1 << 30
KEEP = {priority: Keep(LONG, LARGE) for priority in Priority}


@pytest.fixture
def keep() -> dict[Priority, Keep]:
    """Everything is kept."""
    return dict(KEEP)


@pytest.fixture
def entry() -> Callable[..., Entry]:
    """Makes entries, each another event unless it is given an id."""
    numbers = count(1)

    def make(
        priority: Priority = Priority.CRITICAL, at: float = 1_795_240_800.0, channel: str = "andon/acme/press3", **more
    ) -> Entry:
        number = next(numbers)
        members = {
            "id": f"{number:06}",
            "source": "/acme/press3",
            "type": "andon.call.raised",
            "data": {"call": number, "text": "Grüße"},
            "recorded": at + number / 7,
            "subject": "press3",
        } | more
        return Entry(Event(priority=priority, **members), channel, at)

    return make


@pytest.fixture
def opened(tmp_path, keep) -> Iterator[Callable[..., Journal]]:
    """Opens the journal in ``tmp_path``; what is still open after the test is closed."""
    journals = []

    def open_(path: Path | None = tmp_path / "data", **more) -> Journal:
        journal = Journal.open(path, **{"keep": keep, "at": 1_795_240_800.0, "reserve": 0} | more)
        journals.append(journal)
        return journal

    yield open_
    for journal in journals:
        journal.close()


@pytest.fixture
def tamper() -> Callable[..., None]:
    """Carries out statements on a journal's file behind its back; unique indexes do not stand in the way."""

    def carry_out(directory: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
        with closing(sqlite3.connect(directory / "journal.sqlite3")) as connection, connection:
            connection.execute("DROP INDEX IF EXISTS records_by_place")
            for statement, values in statements:
                connection.execute(statement, values)

    return carry_out
