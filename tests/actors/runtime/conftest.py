"""Both runtimes behind one fixture, and an observer that a test can wait on.

Rules of this file: a test that holds for both runtimes asks for ``runtime`` and builds its actors on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from threading import active_count

import pykka
import pytest
import trio

from actors.runtime import Actor, LoggingObserver, ThreadingActor, TrioActor


@dataclass(frozen=True)
class Runtime:
    name: str
    actor: type[Actor]


class Recorder(LoggingObserver):
    """Notes what it is told; ``until()`` waits for it."""

    def __init__(self) -> None:
        self.events: list[tuple[str, tuple[object, ...]]] = []
        self._news = trio.Event()

    def __getattribute__(self, name: str) -> object:
        if not name.startswith(("actor_", "message_", "messages_", "supervisor_")):
            return super().__getattribute__(name)

        def note(*values: object) -> None:
            self.events.append((name, values))
            self._news.set()

        return note

    def of(self, name: str) -> list[tuple[object, ...]]:
        return [values for event, values in self.events if event == name]

    async def until(self, name: str, count: int = 1) -> list[tuple[object, ...]]:
        while len(self.of(name)) < count:
            self._news = trio.Event()
            await self._news.wait()
        return self.of(name)


@pytest.fixture(params=["trio", "threading"])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    return Runtime(request.param, {"trio": TrioActor, "threading": ThreadingActor}[request.param])


@pytest.fixture
def observer() -> Recorder:
    return Recorder()


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    before = active_count()
    yield
    assert pykka.ActorRegistry.get_all() == []
    # trio keeps threads of its own for to_thread.run_sync(); an actor's are named by its path.
    assert active_count() <= before + 4
