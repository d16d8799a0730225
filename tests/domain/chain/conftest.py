"""Events as the tests of the chain need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

import pytest

from domain import Event, JsonValue, Priority, rfc3339

EventMaker = Callable[..., Event]


@pytest.fixture
def event() -> EventMaker:
    """Make an event: ``event("chain.block", blockHeight=1)``; ``told_at`` is its own time, ``source`` who says it."""
    numbers = count(1)

    def make(
        type_: str,
        members: Mapping[str, JsonValue] | None = None,
        *,
        told_at: float | None = None,
        source: str = "/chain/node1",
        **more: JsonValue,
    ) -> Event:
        return Event(
            id=str(next(numbers)),
            source=source,
            type=type_,
            data={**(members or {}), **more},
            recorded=1000.0,
            priority=Priority.NORMAL,
            time=None if told_at is None else rfc3339(told_at),
        )

    return make
