"""A gateway with a floor desk that keeps what it is told, and hooks made by the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import asynccontextmanager

import pytest
import trio

from actors.acts import Act, Acted
from actors.hooks import Found, HookRules, Installed, Taps
from actors.runtime import ChildSpec, Supervisor, TrioActor
from config import HooksSettings
from domain import Event, Grounds, Refused
from domain.hooks import Draft, Hook, Intent

PATIENCE = 10.0


class Rule:
    """Answers each event with what ``react`` makes of it."""

    def __init__(self, react: Callable[[Event], Iterable[Draft | Intent]], *types: str) -> None:
        self.types = types or ("equipment",)
        self._react = react

    def take(self, event: Event) -> Iterable[Draft | Intent]:
        return self._react(event)


class Calls(TrioActor):
    """The desk of calls: keeps the acts, refuses those of type ``andon.refused``."""

    def __init__(self, kept: list[Act]) -> None:
        super().__init__()
        self._kept = kept

    def on_receive(self, message: object) -> object:
        if message.type == "andon.refused":
            raise Refused(Grounds.CONFLICT, "there is one already")
        self._kept.append(message)
        return Acted(None, is_kept=True)


class Rig:
    """Rules at work; ``told`` is what came to the floor desk, ``acts`` what was wanted of the desk of calls."""

    def __init__(self, tree, installed: Installed, taps: Taps, told: list, acts: list[Act]) -> None:
        self.tree = tree
        self.installed = installed
        self.taps = taps
        self._told = told
        self.acts = acts

    @property
    def told(self) -> list[Event]:
        return [message.event for message in self._told]

    def part(self, path: str):
        return next(part for part in self.installed.parts if part.path == path)

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until it holds: a rule answers from a thread, so nobody knows when."""
        with trio.fail_after(PATIENCE):
            while not holds():  # noqa: ASYNC110 - there is nothing to wait for but the thread
                await trio.sleep(0.002)


@pytest.fixture
def rule() -> type[Rule]:
    return Rule


@pytest.fixture
def working(grow, keeper) -> Callable[..., object]:
    """``async with working(hook, timeout=...) as rig``: the rules of ``hook``, installed as ``line4``."""

    @asynccontextmanager
    async def work(hook: Hook | None, error: BaseException | None = None, **settings: object) -> Iterator[Rig]:
        told: list = []
        acts: list[Act] = []
        taps = Taps()
        installed = Installed([Found("line4", hook, error)], HooksSettings(**settings), 1_800_000_000.0)
        desks = [ChildSpec("floor", keeper, (told,)), ChildSpec("calls", Calls, (acts,))]
        specs = [ChildSpec("desks", Supervisor, (desks,)), ChildSpec("hooks", HookRules, (installed, taps))]
        async with grow(specs) as tree:
            yield Rig(tree, installed, taps, told, acts)

    return work
