"""``andond run``: builds the daemon, tells the service manager, obeys signals, ends in order.

Rules of this file: it starts and stops, and decides nothing about events. Exit codes: 0 asked to end, 1 gave up or
could not listen, 78 settings.

* SIGTERM, SIGINT: not ready any more, no new clients, the present ones leave, then the actors end from the last to
  the first. A second signal ends it at once.
* SIGHUP: the configuration is read again; what can change without a restart does, and what cannot is said.
* SIGUSR1: the actor tree goes to the log.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import trio
from msgspec.structs import replace

from actors import Apply, ApplyIssuers, AuditTrail, Drain, Front, access_faults, beat
from actors.notifier import chain_faults
from actors.places import GATEWAY, KEYS, LISTENER, SOURCES, Address
from actors.runtime import (
    ActorDead,
    ActorRef,
    ActorSystem,
    AskTimeout,
    Supervisor,
    TooManyRestarts,
    ask,
)
from actors.sources import ApplySources, watched_faults
from andond import audited
from andond.api.health import Condition, Health
from andond.api.health_tree import unanswered
from andond.checks import EX_CONFIG, flags, report
from andond.entrance import Entrance
from andond.exposed import IN_CLEAR, comes_in_clear
from andond.installed import install
from andond.mending import refusal
from andond.observer import TelemetryObserver
from andond.openable import url_at
from andond.standing import OPEN_WORDS, reached_at
from andond.systemd import Notifier, forget_sockets, inherited_sockets
from andond.tree import GATEWAY_POLICY, Present, gateway
from andond.version import VERSION
from config import Loaded, Settings, SettingsError, StorageSettings, changed, in_force, load
from storage import is_held
from telemetry import configure, describe_build, events
from transport import address_of, open_listeners

SPARE_DESCRIPTORS = 256
READY_INTERVAL = 1.0
STATUS_INTERVAL = 10.0
RENEW_INTERVAL = 1.0
APPLY_TIMEOUT = 10.0
DRAIN_MARGIN = 2.0
FAILED = 1
EX_TEMPFAIL = 75
"""Exit code where another daemon must end first (sysexits.h); the service manager tries again."""
ENDING = (signal.SIGTERM, signal.SIGINT)


def main(options: Namespace) -> int:
    """Run the daemon until a signal ends it; returns the exit code."""
    try:
        loaded = load_settings(options)
    except SettingsError as error:
        report(error.faults)
        return EX_CONFIG
    configure(loaded.settings.log.format, loaded.settings.log.level)
    describe_build(VERSION, "")
    events.daemon_started(version=VERSION, path=options.config or "")
    events.settings_loaded(path=options.config or "", sources=len(loaded.settings.sources))
    directory = loaded.settings.storage.directory
    if directory is not None and is_held(directory):
        print(f"andond: another andond holds storage.path {directory}: stop it, or name another one", file=sys.stderr)
        return EX_TEMPFAIL
    _allow_descriptors(loaded.settings.server.connections)
    # Who is handed sockets does not listen where the settings say.
    is_handed = bool(os.environ.get("LISTEN_FDS"))
    fault = "" if is_handed else refusal(loaded, options)
    if fault:
        return _refuse(fault)
    try:
        sockets = _listen(loaded.settings)
    except OSError as error:
        print(f"andond: cannot listen on {loaded.settings.server.listen}: {error.strerror or error}", file=sys.stderr)
        return FAILED
    fault = refusal(loaded, options, reached_at(sockets), is_handed=is_handed)
    if fault:
        _close(sockets)
        return _refuse(fault)
    if comes_in_clear(loaded.settings, reached_at(sockets)):
        events.gateway_exposed(address=", ".join(reached_at(sockets)), meaning=IN_CLEAR)
    daemon = Daemon(options, loaded, sockets)
    with audited.lifetime(daemon.settings):
        return trio.run(daemon.run)


class Daemon:
    """One running daemon: its settings in force, its tree, its end."""

    def __init__(self, options: Namespace, loaded: Loaded, sockets: Sequence[socket.socket]) -> None:
        self._options = options
        self._present = Present(loaded.settings, install(loaded.settings))
        self._sockets = sockets
        self._began = time.monotonic()
        self._entrance = Entrance(self._present, reached_at(sockets))
        self._condition = Condition(
            time.time(),
            self._present.sources,
            policy=self._present.policy,
            standing=self._entrance.standing,
            meaning=OPEN_WORDS,
        )
        self._front = Front()
        self._notifier = Notifier()
        self._root: ActorRef | None = None
        self._is_ready = False
        self._left = 0
        self._health = Health(self._top, self._front, self._condition)

    def settings(self) -> Settings:
        """Those in force."""
        return self._present.settings

    async def run(self) -> int:
        """Live until a signal, or until the root supervisor gives up; returns the exit code."""
        try:
            async with ActorSystem.open(observer=TelemetryObserver()) as system:
                await self._live(system)
        except TooManyRestarts as error:
            events.daemon_failed(error=error)
            return FAILED
        finally:
            _close(self._sockets)
        events.daemon_stopped(duration=time.monotonic() - self._began, left=self._left)
        return 0

    async def _live(self, system: ActorSystem) -> None:
        environment = system.environment
        self._listener = Address(environment, LISTENER)
        self._sources = Address(environment, SOURCES)
        self._keys = Address(environment, KEYS)
        self._trail = AuditTrail(environment)
        ways = self._entrance.open(environment, self._health, self._trail)
        specs = gateway(self._present, self._sockets, ways.routes, ways.doors, self._front, ways.trust)
        with trio.open_signal_receiver(*ENDING, signal.SIGHUP, signal.SIGUSR1) as signals:
            self._root = system.start(Supervisor, GATEWAY, specs, GATEWAY_POLICY)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._serve, system, self._root)
                async for number in signals:
                    if number in ENDING:
                        await self._end(signal.Signals(number).name, signals)
                        break
                    await self._obey(number)
                nursery.cancel_scope.cancel()

    async def _serve(self, system: ActorSystem, root: ActorRef) -> None:
        """Wait until everybody is set up and answers, and let the service manager know from then on."""
        await system.settled(root)
        # Set up is not well yet: whoever gave up over it, or hangs, does not answer.
        while unanswered(await self._health.tree()):  # noqa: ASYNC110 - it is known only by asking
            await trio.sleep(READY_INTERVAL)
        # What was made by now lives as long as the process: no collection needs to look at it again.
        gc.collect()
        gc.freeze()
        self._say_ready()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_service_manager)
            nursery.start_soon(self._feed_watchdog)
            nursery.start_soon(self._keep_guarded)

    def _top(self) -> ActorRef:
        if self._root is None:
            raise ActorDead("the tree is not there yet")
        return self._root

    # -- signals ------------------------------------------------------------------------------------------

    async def _obey(self, number: int) -> None:
        if number == signal.SIGHUP:
            await self._reload()
        else:
            await self._dump_tree()

    async def _end(self, name: str, signals: AsyncIterator[int]) -> None:
        """Drain, unless a second signal says that there is no time for it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_at_next, signals, nursery.cancel_scope)
            await self._drain(name)
            nursery.cancel_scope.cancel()

    async def _drain(self, reason: str) -> None:
        timeout = self._present.settings.server.drain_timeout
        self._condition.draining = True
        self._notifier.stopping("draining")
        self._notifier.extend_timeout(timeout + DRAIN_MARGIN)
        events.daemon_draining(reason=reason, connections=self._front.open_links(), timeout=timeout)
        _close(self._sockets)
        # Nobody answers for those who are cut by a second signal, or by a listener that is away.
        self._left = self._front.open_links()
        if not self._is_ready:
            return
        with suppress(ActorDead, AskTimeout):
            cut = await ask(self._listener.ref, Drain(timeout), timeout + DRAIN_MARGIN)
            self._left = cut if isinstance(cut, int) else 0

    async def _reload(self) -> None:
        path = self._options.config or ""
        self._notifier.reloading()
        try:
            wanted = load_settings(self._options).settings
        except SettingsError as error:
            audited.refused(self._trail, path, error.faults)
            events.settings_refused(path=path, faults=[str(fault) for fault in error.faults])
        else:
            await self._change(wanted, path)
        self._notifier.ready(self._summary())

    async def _change(self, wanted: Settings, path: str) -> None:
        """Put in force what a reload can; if any of it fails, what was in force before."""
        before = self._present.settings
        after = in_force(before, wanted)
        applied, needs_restart = changed(before, wanted)
        faults: list[str] = []
        for old, new in ((before, after), (after, before)):
            try:
                await self._apply(old, new)
            except Exception as error:  # noqa: BLE001 - whatever a new setting does, the daemon goes on
                faults.append(str(error) or type(error).__name__)
            else:
                break
        if faults:
            audited.refused(self._trail, path, faults)
            events.settings_refused(path=path, faults=faults)
        else:
            await self._entrance.renew()
            self._entrance.review(before.access)
            audited.reloaded(self._trail, path, *audited.changes(before, after, applied))
            events.settings_reloaded(path=path, applied=applied, needs_restart=needs_restart)

    async def _apply(self, old: Settings, new: Settings) -> None:
        self._present.settings = new
        # A certificate can be renewed under the same name, so the port is told every time.
        await ask(self._listener.ref, Apply(new.server), APPLY_TIMEOUT)
        if new.log != old.log:
            configure(new.log.format, new.log.level)
        if new.sources != old.sources:
            await ask(self._sources.ref, ApplySources(), APPLY_TIMEOUT)
        if new.access.issuers != old.access.issuers:
            await ask(self._keys.ref, ApplyIssuers(), APPLY_TIMEOUT)

    async def _dump_tree(self) -> None:
        tree = await self._health.tree()
        for actor in tree.walk() if tree is not None else ():
            depth = sum(actor.depth.values())
            events.tree_dumped(
                actor=actor.path, state=actor.state, depth=depth, handled=actor.handled, restarts=actor.restarts
            )

    # -- the service manager ------------------------------------------------------------------------------

    def _say_ready(self) -> None:
        self._is_ready = True
        duration = time.monotonic() - self._began
        for listening in self._sockets:
            events.daemon_ready(address=address_of(listening), duration=duration)
        if self._entrance.standing.is_open:
            events.gateway_opened(meaning=OPEN_WORDS)
        self._notifier.ready(self._summary())
        if not self._notifier.is_managed:
            is_secure = bool(self._present.settings.server.certificate)
            url = url_at(address_of(self._sockets[0]), is_secure=is_secure)
            print(f"andond {VERSION} is ready: open {url}/", flush=True)

    async def _tell_service_manager(self) -> None:
        while True:
            await beat(STATUS_INTERVAL)
            self._notifier.status(self._summary())

    async def _keep_guarded(self) -> None:
        """Notice that somebody is known by now: the users are another process's to make."""
        while self._entrance.standing.is_open:
            await beat(RENEW_INTERVAL)
            await self._entrance.renew()

    async def _feed_watchdog(self) -> None:
        """Feed it only while every permanent actor answers."""
        interval = self._notifier.watchdog_interval
        while interval is not None:
            began = trio.current_time()
            missing = unanswered(await self._health.tree())
            # Draining keeps the listener busy, for a time that has its own limit.
            if missing and not self._condition.draining:
                events.watchdog_withheld(reason="; ".join(missing))
            else:
                self._notifier.feed_watchdog()
            await trio.sleep_until(began + interval)

    def _summary(self) -> str:
        return f"{self._front.open_links()} connections, {len(self._present.settings.sources)} sources"


async def _cancel_at_next(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for number in signals:
        if number in ENDING:
            scope.cancel()


def _refuse(fault: str) -> int:
    print(f"andond: {fault}", file=sys.stderr)
    return EX_CONFIG


def load_settings(options: Namespace) -> Loaded:
    """The settings; where none says where to keep data, the directory that the service manager made is taken.

    Raises:
        SettingsError: with everything that is wrong.
    """
    loaded = load(path_of(options), os.environ, flags(options), (chain_faults, access_faults, watched_faults))
    directory = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if loaded.settings.storage.path or not directory:
        return loaded
    settings = replace(loaded.settings, storage=StorageSettings(path=directory))
    return Loaded(settings, {**loaded.origins, "storage.path": "$STATE_DIRECTORY"})


def path_of(options: Namespace) -> Path | None:
    """The configuration that was named, None for the default one."""
    return Path(options.config) if options.config else None


def _listen(settings: Settings) -> Sequence[socket.socket]:
    """The sockets to serve: the service manager's, or our own.

    Raises:
        OSError: if the address cannot be listened on.
    """
    inherited = inherited_sockets(os.environ, os.getpid())
    forget_sockets(os.environ)
    if inherited:
        return [each.listener for each in inherited]
    return open_listeners(settings.server.listen, settings.server.notsent_lowat)


def _close(sockets: Sequence[socket.socket]) -> None:
    for each in sockets:
        each.close()


def _allow_descriptors(connections: int) -> None:
    """Raise the soft limit of open files as far as the connections need and the hard limit lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + SPARE_DESCRIPTORS
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
