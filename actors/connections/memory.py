"""Where it is kept what clients follow that do not ask again when they return.

Rules of this file:

* The gate makes a client's name and hands its recollection to the session with the link; the peer tells of the end.
* A client is the same when it comes through the same door, from the same address, with the same User-Agent and, if it
  gives one, the same instance: ``?client=NAME`` or the cookie ``andond_client``; at the floor's doors also with the
  same path and query. Clients that all this does not tell
  apart are remembered as one (``domain.memory``). Only a digest of it is kept.
* The keeper brings the memory over a restart of the daemon. What cannot be read or written costs nobody anything but
  the memory itself, and is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from hashlib import blake2b
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

import trio

from actors.beats import beat
from actors.runtime import TrioActor
from domain import JsonValue, Memory, Recollection
from storage import StorageError, load_memory, save_memory
from telemetry import events
from transport import Door, Gate, Link, Peer, Request, Response

FLOOR = "floor"
REMEMBERED_DOORS = frozenset({"live", "floor"})
"""Doors whose clients ask for channels and do not ask again after a reconnect."""

PARAMETER = "client"
COOKIE = "andond_client"
SAVE_INTERVAL = 10.0
_DIGEST_SIZE = 16


def client_name(door: Door, request: Request) -> str:
    """The name of the client that sent ``request``: the same when it returns, as far as it can be told apart."""
    instance = request.query.get(PARAMETER, [""])[-1] or _cookie(request.headers.get("cookie", ""))
    parts = [door.name, request.client.host, request.headers.get("user-agent", ""), instance]
    if door.name == FLOOR:
        asked = sorted((name, values) for name, values in request.query.items() if name != "token")
        parts += [request.path.rstrip("/"), repr(asked)]
    return blake2b("\n".join(parts).encode(errors="replace"), digest_size=_DIGEST_SIZE).hexdigest()


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value


class RememberingPeer:
    """Minds a link as ``peer`` does, and has its client's time begin to run when it is over."""

    __slots__ = ("_clock", "_peer", "_recollection")

    def __init__(self, peer: Peer, recollection: Recollection, clock: Callable[[], float]) -> None:
        self._peer = peer
        self._recollection = recollection
        self._clock = clock

    async def received(self, message: str | bytes) -> None:
        """Hand on ``message``."""
        await self._peer.received(message)

    async def closed(self, code: int, reason: str) -> None:
        """Let go of the link."""
        self._recollection.end(self._clock())
        await self._peer.closed(code, reason)


class RememberingGate:
    """A gate at which clients of some doors are recognised."""

    def __init__(self, gate: Gate, memory: Memory, clock: Callable[[], float] = time.time) -> None:
        self._gate = gate
        self._memory = memory
        self._clock = clock

    def door(self, request: Request) -> Door | Response:
        """The door that ``request`` asks for, or the answer that says why there is none."""
        return self._gate.door(request)

    async def opened(self, door: Door, request: Request, link: Link) -> Peer:
        """Mind ``link``, which knows what its client followed when it was last here."""
        if door.name not in REMEMBERED_DOORS:
            return await self._gate.opened(door, request, link)
        recollection = self._memory.arrive(client_name(door, request), self._clock())
        link.recollection = recollection
        try:
            peer = await self._gate.opened(door, request, link)
        except BaseException:
            recollection.end(self._clock())
            raise
        return RememberingPeer(peer, recollection, self._clock)


class MemoryKeeper(TrioActor):
    """Loads ``memory`` from ``directory`` and saves it there; None: it lives as long as the process."""

    has_tasks = True

    def __init__(self, memory: Memory, directory: Path | None) -> None:
        super().__init__()
        self._memory = memory
        self._directory = directory
        self._saved = memory.changes

    async def setup(self) -> None:
        """Take in what an earlier process has saved, before anybody can come."""
        if self._directory is None:
            return
        try:
            # A few milliseconds, once; a thread would let the first clients in before it is done.
            self._memory.restore(load_memory(self._directory))
        except StorageError as error:
            events.memory_failed(path=str(error.path), operation=error.operation, reason=error.reason)
        self.start_task(self._save_for_ever)

    async def close(self) -> None:
        """Save what has changed since the last time."""
        await self._save()

    def describe(self) -> Mapping[str, JsonValue]:
        """How many clients are remembered, and whether that outlives the process."""
        return {"clients": len(self._memory), "lasting": self._directory is not None}

    async def _save_for_ever(self) -> None:
        while True:
            await beat(SAVE_INTERVAL)
            await self._save()

    async def _save(self) -> None:
        changes = self._memory.changes
        if self._directory is None or changes == self._saved:
            return
        try:
            await trio.to_thread.run_sync(save_memory, self._directory, self._memory.contents())
        except StorageError as error:
            events.memory_failed(path=str(error.path), operation=error.operation, reason=error.reason)
        else:
            self._saved = changes
