"""The public keys of the issuers whose tokens are taken: fetched, fetched again, and kept while a provider is away.

Rules of this file:

* Keys are put where the verifier has them at hand. What cannot be fetched or used changes nothing: the last good keys
  stay in force, for as long as nobody can say that they are none any more.
* When to fetch is decided by ``KeySchedule``: from time to time, and soon after a token named a key that is not there.
* The body of an answer is bounded, redirects are not followed, and what came is read in a thread: a provider that has
  gone mad costs the clients nothing.
* What fails is told and tried again. The rings outlive the actor, and so do their keys.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

import msgspec
import trio

from actors.providers.trouble import told
from actors.runtime import TrioActor
from config import IssuerSettings, is_address
from domain import JsonValue, Priority
from domain.access import WELL_KNOWN, KeySchedule, provider_of
from telemetry import events
from transport import Fetcher, KeyRing, Refused, TokenVerifier, Unfetched, decode_json, public_keys

BODY_LIMIT = 256 * 1024
"""Bytes of a set of keys, or of a provider's document, at most."""

DEADLINE = 10.0


class ApplyIssuers(msgspec.Struct, frozen=True):
    """Trust what the present settings say, and fetch the keys of that."""

    priority: ClassVar[Priority] = Priority.HIGH


class Keys(TrioActor):
    """Fetches the keys of the issuers that ``present`` returns, for ``verifier``."""

    has_tasks = True

    def __init__(self, present: Callable[[], Mapping[str, IssuerSettings]], verifier: TokenVerifier) -> None:
        super().__init__()
        self._present = present
        self._verifier = verifier
        self._errands: dict[str, Errand] = {}

    async def setup(self) -> None:
        """Begin to fetch; nobody waits for it."""
        self._apply()

    def on_receive(self, message: object) -> object:
        """Apply a reload.

        Raises:
            TypeError: if it is another message.
        """
        if not isinstance(message, ApplyIssuers):
            raise TypeError(f"{type(message).__name__} is not for this actor")
        self._apply()
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """What is at hand of each issuer, and what went wrong with it last."""
        return {name: errand.describe() for name, errand in self._errands.items()}

    def _apply(self) -> None:
        present = self._present()
        self._verifier.apply(present)
        wanted = {name: settings for name, settings in present.items() if settings.secret is None}
        for name, errand in list(self._errands.items()):
            if wanted.get(name) != errand.settings or self._verifier.ring(name) is not errand.ring:
                errand.scope.cancel()
                del self._errands[name]
        for name, settings in wanted.items():
            if name not in self._errands:
                errand = self._errands[name] = Errand(name, settings, self._verifier.ring(name))
                self.start_task(errand.run)


class Errand:
    """Keeps the keys of one issuer fresh in its ``ring``."""

    def __init__(self, name: str, settings: IssuerSettings, ring: KeyRing) -> None:
        self.settings = settings
        self.ring = ring
        self.scope = trio.CancelScope()
        self._name = name
        self._schedule = KeySchedule(settings.refresh)
        self._wake = trio.Event()
        self._context: ssl.SSLContext | None = None
        self._trouble = ""
        self._left_out: tuple[str, ...] = ()
        self._fetched_at: float | None = None

    def describe(self) -> Mapping[str, JsonValue]:
        """How many keys there are, how old they are, and why they are no newer."""
        age = None if self._fetched_at is None else round(trio.current_time() - self._fetched_at, 3)
        return {"keys": len(self.ring.keys), "age": age, "trouble": self._trouble or None}

    async def run(self) -> None:
        """Fetch whenever it is due, until cancelled."""
        with self.scope:
            # Whoever comes after in an errand of this ring takes its place.
            self.ring.missed = self._missed
            while True:
                await self._until_due()
                await self._attempt()

    def _missed(self, key_id: str) -> float | None:
        delay = self._schedule.missed(key_id, trio.current_time())
        self._wake.set()
        return delay

    async def _until_due(self) -> None:
        await trio.lowlevel.checkpoint()
        while trio.current_time() < self._schedule.due:
            self._wake = trio.Event()
            with trio.move_on_at(self._schedule.due):
                await self._wake.wait()

    async def _attempt(self) -> None:
        self._schedule.began(trio.current_time())
        try:
            document = await self._document()
            keys, left_out = await trio.to_thread.run_sync(partial(public_keys, document, self.settings.taken))
        except (Unfetched, Refused, OSError, ValueError) as error:
            self._failed(error)
            return
        self.ring.keys = keys
        self._fetched_at = trio.current_time()
        self._trouble = ""
        self._schedule.fetched(self._fetched_at)
        events.keys_fetched(issuer=self._name, keys=len(keys))
        if left_out and left_out != self._left_out:
            events.keys_skipped(issuer=self._name, reason="; ".join(left_out))
        self._left_out = left_out

    def _failed(self, error: Exception) -> None:
        now = trio.current_time()
        self._schedule.failed(now)
        # What the system trusts may have been mended meanwhile.
        self._context = None
        self._trouble = told(error)
        delay = self._schedule.due - now
        events.keys_unfetched(issuer=self._name, reason=self._trouble, kept=len(self.ring.keys), delay=delay)

    async def _document(self) -> JsonValue:
        """The set of keys, wherever the settings say that it is."""
        if self.settings.discovery:
            issuer = self.settings.issuer
            provider = provider_of(await self._get(issuer.rstrip("/") + WELL_KNOWN), issuer)
            document = await self._get(provider.jwks)
            self.ring.provider = provider
            return document
        if is_address(self.settings.jwks):
            return await self._get(self.settings.jwks)
        return decode_json(await trio.to_thread.run_sync(_read, Path(self.settings.jwks)))

    async def _get(self, address: str) -> JsonValue:
        if self._context is None:
            make = partial(ssl.create_default_context, cafile=self.settings.authority)
            self._context = await trio.to_thread.run_sync(make)
        fetcher = Fetcher(address, deadline=DEADLINE, body_limit=BODY_LIMIT, context=self._context, connections=1)
        async with fetcher:
            return await fetcher.get("")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(BODY_LIMIT + 1)
    if len(content) > BODY_LIMIT:
        raise ValueError(f"a set of keys has at most {BODY_LIMIT} bytes")
    return content
