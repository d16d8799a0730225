"""The daemon in this very process: what its parts do to its end. The signals are real."""

from __future__ import annotations

import math
import os
import signal
import socket
from argparse import Namespace
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from actors.runtime import ActorSystem, ChildSpec, TrioActor
from andond import run
from andond.run import Daemon
from config import load
from storage import Journal, is_held
from telemetry import counters
from transport import open_listeners


class Fails(TrioActor):
    """Never gets as far as its first message."""

    async def setup(self) -> None:
        raise RuntimeError("planted")


class Hangs(TrioActor):
    """Takes for ever to be set up, or to handle a message."""

    def __init__(self, *, at_once: bool = False, busy: float = 0.0) -> None:
        super().__init__()
        self._at_once = at_once
        self._busy = busy

    async def setup(self) -> None:
        if self._at_once:
            await trio.sleep_forever()
        self.actor_ref.tell(self._busy)

    async def on_receive(self, message: object) -> None:
        await trio.sleep(math.inf if message == "hang" else self._busy)


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """The service manager's socket; it wants to be fed every five seconds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        path = str(tmp_path / "notify")
        channel.bind(path)
        channel.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        monkeypatch.setenv("WATCHDOG_USEC", "10000000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        yield Manager(channel)


class Manager:
    """What the service manager was told."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def heard(self) -> list[str]:
        told: list[str] = []
        while True:
            try:
                told += self._channel.recv(4096).decode().split("\n")
            except BlockingIOError:
                return told


class Rig:
    """A daemon, its configuration file, and how it ended."""

    def __init__(self, daemon: Daemon, path, system: list[ActorSystem]) -> None:
        self.daemon = daemon
        self.path = path
        self.code: int | None = None
        self._system = system

    def tell(self, path: str, message: object) -> None:
        self._system[0].environment.registry.get(path).tell(message)

    async def settle(self) -> None:
        await trio.testing.wait_all_tasks_blocked(0.01)

    async def signal(self, number: int) -> None:
        os.kill(os.getpid(), number)
        await self.settle()


@pytest.fixture
def running(tmp_path, monkeypatch):
    """``async with running(specs...)``: a daemon, with a tree of its own if there are specs; ended by SIGTERM."""
    for name in [name for name in os.environ if name.upper().startswith("ANDOND__")]:
        monkeypatch.delenv(name)
    systems: list[ActorSystem] = []
    opened = ActorSystem.open

    @asynccontextmanager
    async def noted(**options):
        async with opened(**options) as system:
            systems.append(system)
            yield system

    monkeypatch.setattr(run.ActorSystem, "open", noted)

    @asynccontextmanager
    async def starting(*specs: ChildSpec, text: str = "", ends: bool = True):
        path = tmp_path / "andond.toml"
        path.write_text(text)
        if specs:
            monkeypatch.setattr(run, "gateway", lambda *_args: list(specs))
        options = Namespace(config=str(path), listen="127.0.0.1:0", data_dir=None)
        loaded = load(path, {}, run.flags(options))
        rig = Rig(Daemon(options, loaded, open_listeners("127.0.0.1:0", 16384)), path, systems)

        async def live() -> None:
            rig.code = await rig.daemon.run()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(live)
            await rig.settle()
            yield rig
            if ends:
                await rig.signal(signal.SIGTERM)

    return starting


# -- how it ends ------------------------------------------------------------------------------------------


async def test_a_signal_ends_it_well(running, capsys):
    async with running() as rig:
        assert rig.code is None
    assert rig.code == 0
    assert "is ready: open http://127.0.0.1:" in capsys.readouterr().out


async def test_a_part_that_always_fails_ends_it_with_1(running, autojump_clock, capsys):
    async with running(ChildSpec("channels", Fails), ends=False) as rig:
        pass
    assert rig.code == 1
    told = capsys.readouterr()
    assert "daemon.failed" in told.err
    assert "is ready" not in told.out


async def test_it_can_be_ended_while_a_part_is_not_set_up_yet(running, autojump_clock, capsys):
    hangs = ChildSpec("channels", Hangs, kwargs={"at_once": True})
    async with running(hangs) as rig:
        assert rig.code is None
        before = trio.current_time()
    assert rig.code == 0
    assert trio.current_time() - before < 10
    assert "is ready" not in capsys.readouterr().out


async def test_it_is_ready_only_when_every_permanent_actor_has_answered(running, manager, autojump_clock):
    async with running(ChildSpec("channels", Hangs, kwargs={"busy": 5.0})):
        assert manager.heard() == []
        await trio.sleep(10)
        assert manager.heard()[0] == "READY=1"


# -- the service manager ----------------------------------------------------------------------------------


async def test_the_service_manager_is_told_how_it_goes(running, manager, autojump_clock, capsys):
    async with running(ChildSpec("channels", Hangs)) as rig:
        assert manager.heard() == ["READY=1", "STATUS=0 connections, 0 sources", "WATCHDOG=1"]
        await trio.sleep(11)
        told = manager.heard()
        assert "STATUS=0 connections, 0 sources" in told
        assert told.count("WATCHDOG=1") == 2
        await rig.signal(signal.SIGHUP)
        assert [line.partition("=")[0] for line in manager.heard()][:3] == ["RELOADING", "MONOTONIC_USEC", "READY"]
    assert manager.heard()[:2] == ["STOPPING=1", "STATUS=draining"]
    # Who is managed has nobody at a terminal.
    assert capsys.readouterr().out == ""


async def test_the_watchdog_is_fed_only_while_every_permanent_actor_answers(running, manager, autojump_clock, capsys):
    withheld = counters.watchdog_withheld
    async with running(ChildSpec("channels", Hangs), ChildSpec("pulse", Hangs)) as rig:
        await trio.sleep(21)
        assert manager.heard().count("WATCHDOG=1") == 5
        rig.tell("gateway/pulse", "hang")
        await trio.sleep(20)
        assert "WATCHDOG=1" not in manager.heard()
        assert counters.watchdog_withheld - withheld in {3, 4}
        assert "gateway/pulse is stuck" in capsys.readouterr().err


async def test_looking_at_the_actors_makes_no_feeding_late(running, manager, autojump_clock):
    async with running(ChildSpec("channels", Hangs), ChildSpec("pulse", Hangs)) as rig:
        await trio.sleep(1)
        rig.tell("gateway/pulse", "hang")
        withheld = counters.watchdog_withheld
        # Each look takes the whole second that an actor has to answer.
        await trio.sleep(100)
        assert counters.watchdog_withheld - withheld >= 19


# -- reload -----------------------------------------------------------------------------------------------


async def test_a_reload_of_a_file_with_faults_changes_nothing(running, capsys):
    async with running(text="[server]\nconnections = 500\n") as rig:
        rig.path.write_text("[server]\nconnections = 'many'\n[log]\nlevel = 'loud'\n")
        await rig.signal(signal.SIGHUP)
        told = capsys.readouterr().err
        assert "settings.refused" in told
        assert "server.connections" in told
        assert "log.level" in told
        assert rig.daemon._present.settings.server.connections == 500
    assert rig.code == 0


async def test_a_reload_that_fails_half_way_puts_back_what_was_in_force(running, capsys, monkeypatch):
    text = "[server]\nconnections = 500\n"
    async with running(text=text) as rig:
        applied: list[int] = []

        class Refuses:
            def apply(self, settings) -> None:
                applied.append(settings.connections)

        listener = rig._system[0].environment.registry.get("gateway/listeners/listener").actor_inbox.owner
        with monkeypatch.context() as patch:
            patch.setattr(listener, "_server", Refuses())
            patch.setattr("actors.sources.sources.Sources._spec", lambda *_args: 1 / 0)
            rig.path.write_text("[server]\nconnections = 700\n[sources.door]\nkind = 'http'\n")
            await rig.signal(signal.SIGHUP)
        assert applied == [700, 500]
        assert rig.daemon._present.settings.server.connections == 500
        assert dict(rig.daemon._present.sources()) == {}
        told = capsys.readouterr().err
        assert "settings.refused" in told
        assert "settings.reloaded" not in told
        # The next one finds everything as it was.
        await rig.signal(signal.SIGHUP)
        assert list(rig.daemon._present.sources()) == ["door"]
        assert "settings.reloaded" in capsys.readouterr().err
    assert rig.code == 0


async def test_a_reload_says_what_it_applied_and_what_waits_for_a_restart(running, capsys):
    async with running() as rig:
        rig.path.write_text("[server]\nconnections = 700\nhead_size = 4096\n[channels]\nidle = 9\n")
        await rig.signal(signal.SIGHUP)
        told = capsys.readouterr().err
        assert "applied=server.connections " in told
        assert 'needs_restart="server.head_size, channels.idle"' in told
        assert rig.daemon._present.settings.server.head_size == 16384
        assert rig.daemon._present.settings.server.connections == 700


async def test_the_tree_goes_to_the_log_when_it_is_asked_for(running, capsys):
    async with running() as rig:
        await rig.signal(signal.SIGUSR1)
        told = capsys.readouterr().err
        for actor in ("gateway", "gateway/channels", "gateway/desks/floor", "gateway/listeners/listener"):
            assert f"tree.dumped actor={actor} state=running" in told


def test_files_may_be_open_as_many_as_connections_need(monkeypatch):
    limits = [(1024, 4096)]
    monkeypatch.setattr(run.resource, "getrlimit", lambda _what: limits[-1])
    monkeypatch.setattr(run.resource, "setrlimit", lambda _what, wanted: limits.append(wanted))
    run._allow_descriptors(12_000)
    assert limits[1:] == [(4096, 4096)]
    run._allow_descriptors(100)
    assert limits[2:] == []
    limits.append((1024, run.resource.RLIM_INFINITY))
    run._allow_descriptors(12_000)
    assert limits[-1] == (12_256, run.resource.RLIM_INFINITY)


# -- where data is kept -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "flag", "made", "expected"), [
    ("", None, "", ""), ("", None, "made", "made"), ("", None, "made:other", "made"),
    ("[storage]\npath = 'told'", None, "made", "told"), ("[storage]\npath = 'told'", "flagged", "made", "flagged"),
])  # fmt: skip
def test_without_a_word_data_is_kept_where_the_service_manager_has_made_room(
    tmp_path, monkeypatch, text, flag, made, expected
):
    monkeypatch.chdir(tmp_path)
    for name in ("made", "told", "flagged"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("STATE_DIRECTORY", made)
    monkeypatch.delenv("ANDOND__STORAGE__PATH", raising=False)
    path = tmp_path / "andond.toml"
    path.write_text(text)
    loaded = run.load_settings(Namespace(config=str(path), listen=None, data_dir=flag))
    assert loaded.settings.storage.path == expected
    assert ("$STATE_DIRECTORY" in loaded.origins.values()) == (expected == "made")


def test_a_second_daemon_on_the_same_data_does_not_start_and_says_why(tmp_path, capsys):
    file = tmp_path / "andond.toml"
    file.write_text(f'[server]\nlisten = "127.0.0.1:0"\n[storage]\npath = "{tmp_path}"\n')
    options = Namespace(config=str(file))
    journal = Journal.open(tmp_path, {})
    try:
        assert run.main(options) == run.EX_TEMPFAIL == 75
    finally:
        journal.close()
    assert f"another andond holds storage.path {tmp_path}" in capsys.readouterr().err
    assert not is_held(tmp_path)
    assert not is_held(tmp_path / "nowhere")
