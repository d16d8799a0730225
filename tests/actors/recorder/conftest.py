"""A recorder on real SQLite files; where time is virtual the journal is used in the loop's own thread."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio

from actors.messages import Publish, Record
from actors.recorder.batch import Standing
from actors.recorder.disk import in_thread
from actors.recorder.recorder import Recorder
from actors.runtime import ChildSpec, Policy, Strategy, ask
from config import JournalSettings
from domain import Priority
from storage import Journal, StorageError

PATH = "gateway/recorder"


class Gate:
    """Runs what is asked of the disk, in the loop's own thread; ``hold()`` keeps it from doing so until ``open()``."""

    def __init__(self) -> None:
        self._open = trio.Event()
        self._open.set()
        self.waiting = 0
        self.most = 0

    async def __call__(self, function, /):
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self._open.wait()
        self.waiting -= 1
        return function()

    def hold(self) -> None:
        self._open = trio.Event()

    def open(self) -> None:
        self._open.set()


@dataclass
class Rig:
    """A recorder, what it told, and what its journal was asked for."""

    tree: object
    told: list[Publish]
    commits: list[list[str]]
    disk: object
    standing: Standing
    settled: list[tuple[str, bool]] = field(default_factory=list)

    def put(self, *events, wait: bool = True) -> None:
        for event in events:
            settled = (lambda kept, id_=event.id: self.settled.append((id_, kept))) if wait else None
            self.ref.tell(Record(event, settled, trio.current_time()))

    async def settle(self, count: int) -> None:
        """Wait until so many were told."""
        with trio.fail_after(20):
            while len(self.told) < count:
                await trio.lowlevel.checkpoint()

    async def answers(self, count: int) -> None:
        """Wait until so many were answered for, and everybody waits."""
        with trio.fail_after(20):
            while len(self.settled) < count:
                await trio.lowlevel.checkpoint()
        await self.tree.settle()

    async def ask(self, message):
        return await ask(self.ref, message, 20)

    async def says(self):
        return (await self.tree.status(PATH)).description

    @property
    def ref(self):
        return self.tree.ref(PATH)

    @property
    def ids(self) -> list[str]:
        return [message.event.id for message in self.told]

    @property
    def numbers(self) -> list[int | None]:
        return [message.critical and message.critical.offset for message in self.told]


@pytest.fixture
def gate() -> type[Gate]:
    return Gate


@pytest.fixture
def commits(monkeypatch):
    """The ids of what each transaction wrote."""
    seen: list[list[str]] = []
    append = Journal.append

    def counted(self, entries, rows=(), **options):
        done = append(self, entries, rows, **options)
        seen.append([entry.event.id for entry in entries])
        return done

    monkeypatch.setattr(Journal, "append", counted)
    return seen


@pytest.fixture
def run(grow, keeper, commits, tmp_path):
    @asynccontextmanager
    async def running(
        path: Path | None = tmp_path, disk=in_thread, channels=None, standing=None, *, is_first=True, **settings
    ):
        told: list[Publish] = []
        standing = standing or Standing()
        present = JournalSettings(**{"reserve": 0, "commit_delay": 0.0, **settings})
        clock = lambda: 1_800_000_000.0  # noqa: E731
        recorder = ChildSpec("recorder", Recorder, (path, lambda: present, standing, clock, disk), redeliver=True)
        policy = Policy(strategy=Strategy.ONE_FOR_ONE, backoff=0.05)
        specs = [recorder, channels or ChildSpec("channels", keeper, (told,))]
        async with grow(specs if is_first else specs[::-1], policy) as tree:
            yield Rig(tree, told, commits, disk, standing)

    return running


@pytest.fixture
def call(make_event):
    """Makes a critical event."""

    def make(id: str = "", source: str = "/acme/line3", **members):  # noqa: A002
        return make_event(id, Priority.CRITICAL, "andon.call.raised", source, **members)

    return make


@pytest.fixture
def broken(monkeypatch):
    """Whether and how the journal fails; every act on it raises ``fault[0]`` unless that is None."""
    fault: list[StorageError | None] = [None]
    kinds = {
        "append": Journal.append,
        "critical_since": Journal.critical_since,
        "newest": Journal.newest,
        "state": Journal.state,
    }

    def failing(name):
        def act(self, *args, **options):
            if fault[0] is not None and (name == "append" or not fault[0].full):
                raise fault[0]
            return kinds[name](self, *args, **options)

        return act

    for name in kinds:
        monkeypatch.setattr(Journal, name, failing(name))
    opened = Journal.open

    def opening(*args):
        if fault[0] is not None and not fault[0].full:
            raise fault[0]
        return opened(*args)

    monkeypatch.setattr(Journal, "open", opening)
    return fault
