"""How the gateway stands towards those who do not say who they are: open, guarded, or not to be started.

Rules of this file: what counts is where the sockets are, whoever opened them, not where the settings wanted them. A
Unix socket is reached from this machine alone, as its files are. A proxy brings others here, so with one the gateway
is reached from other machines wherever it listens. Once it stands it is never opened by a reload, only guarded.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from config import AccessSettings, ServerSettings, Settings, Standing, is_loopback, standing_of
from storage import StorageError, has_users, users_stamp
from telemetry import events
from transport import address_of, is_tcp

ANYWHERE = "0.0.0.0:0"

OPEN_WORDS = "nothing says who may do what: whoever reaches this port, from this machine alone, may do everything"
"""What is told while the gateway is open: in the log, in /statusz, and on the page."""


GUARDED_WORDS = "there is a way for clients to say who they are: from now on it decides what they may"


def reached_at(sockets: Sequence[socket.socket]) -> tuple[str, ...]:
    """Where ``sockets`` that listen can be reached from other machines; nothing if nowhere."""
    return tuple(address for each in sockets if is_tcp(each) and not is_loopback(address := address_of(each)))


def is_told(settings: Settings) -> bool:
    """Whether there is a way for clients to say who they are: tokens, users, or certificates."""
    access, server = settings.access, settings.server
    shows_certificates = server.client_certificates != "none" and bool(access.certificates)
    return bool(access.issuers) or shows_certificates or is_told_of_users(settings)


def is_told_of_users(settings: Settings) -> bool:
    """Whether the gateway has users of its own, as far as anybody can tell."""
    try:
        return has_users(settings.storage.directory)
    except StorageError:
        # Somebody made it, and nobody is let in because it cannot be read.
        return True


def standing(settings: Settings, reached: Sequence[str]) -> Standing:
    """How a gateway with ``settings`` stands that is ``reached`` from other machines there."""
    return _standing(settings.access, settings.server, reached, told=is_told(settings))


def unguarded(settings: Settings, reached: Sequence[str] | None = None) -> str:
    """Why a gateway with ``settings`` must not start; empty if it may.

    Without ``reached`` it is judged by where it is to listen.
    """
    if reached is None:
        listen = settings.server.listen
        reached = () if is_loopback(listen) else (listen,)
    if standing(settings, reached) is not Standing.UNGUARDED:
        return ""
    where = ", ".join(reached) or f"server.trusted_proxies ({', '.join(settings.server.trusted_proxies)})"
    return f"{where} is reached from other machines, and nothing says who may do what."


class StandingInForce:
    """The standing by the settings that ``present`` returns: what was open is guarded once somebody is known.

    It is asked for each request, so users are looked for only when ``renew`` is called, from any thread.
    """

    def __init__(self, present: Callable[[], Settings], reached: Sequence[str]) -> None:
        self._present = present
        self._reached = tuple(reached)
        self._looked_at = self._sight()
        self._now = standing(present(), self._reached)

    @property
    def is_open(self) -> bool:
        """Whether everybody may do everything."""
        return self._now is Standing.OPEN

    def __call__(self) -> Standing:
        """The standing now."""
        return self._now

    def renew(self) -> Standing:
        """Look again, after a reload or when a user was added: what is guarded stays so."""
        sight = self._sight()
        if self._now is Standing.OPEN and sight != self._looked_at:
            self._looked_at = sight
            if standing(self._present(), self._reached) is not Standing.OPEN:
                self._now = Standing.GUARDED
                events.gateway_guarded(meaning=GUARDED_WORDS)
        return self._now

    def _sight(self) -> tuple[Settings, tuple[tuple[int, int], ...]]:
        """What it follows from, at the price of a look at two names: to open the users takes a millisecond."""
        settings = self._present()
        return settings, users_stamp(settings.storage.directory)


def _standing(access: AccessSettings, server: ServerSettings, reached: Sequence[str], *, told: bool) -> Standing:
    at = ANYWHERE if server.trusted_proxies else next(iter(reached), "127.0.0.1:0")
    return standing_of(access, at, is_told=told)
