"""Talking to the service manager: readiness, status, watchdog, and sockets handed over.

Rules of this file: without a service manager every call does nothing and says so (``notify`` returns False); no
library, no thread; the environment is an argument. The protocol is that of sd_notify(3) and sd_listen_fds(3).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, MutableMapping

import msgspec

FIRST_DESCRIPTOR = 3


class Notifier:
    """Sends the service manager what it should know. Cheap enough to be called on the loop: one datagram."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self.watchdog_interval = watchdog_interval(environ, os.getpid())

    @property
    def is_managed(self) -> bool:
        """Whether a service manager wants to know."""
        return self._address is not None

    def notify(self, **fields: str | int) -> bool:
        """Send ``FIELD=value`` lines, empty ones left out; False if nobody asked for them or the manager is gone."""
        if self._address is None:
            return False
        lines = "\n".join(f"{name}={_one_line(value)}" for name, value in fields.items() if value != "")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                # A manager that does not read must not hold the loop; what it misses is said again by the next one.
                channel.setblocking(False)
                channel.sendto(lines.encode(), self._address)
        except OSError:
            return False
        return True

    def ready(self, status: str = "") -> bool:
        """Say that the daemon answers, after a start or a reload."""
        return self.notify(READY=1, STATUS=status)

    def status(self, text: str) -> bool:
        """Say in one line how the daemon is."""
        return self.notify(STATUS=text)

    def reloading(self) -> bool:
        """Say that a reload began; ``ready`` says that it is done."""
        return self.notify(RELOADING=1, MONOTONIC_USEC=time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)

    def stopping(self, status: str = "") -> bool:
        """Say that the daemon is about to end."""
        return self.notify(STOPPING=1, STATUS=status)

    def feed_watchdog(self) -> bool:
        """Say that the daemon is well. To be called only when that was asked and answered."""
        return self.notify(WATCHDOG=1)

    def extend_timeout(self, seconds: float) -> bool:
        """Ask for ``seconds`` more to start or to stop."""
        return self.notify(EXTEND_TIMEOUT_USEC=int(seconds * 1_000_000))


class Inherited(msgspec.Struct, frozen=True):
    """A listening socket that the service manager opened for us."""

    name: str
    listener: socket.socket


def watchdog_interval(environ: Mapping[str, str], pid: int) -> float | None:
    """Return how often the watchdog wants to be fed (seconds), None if there is none for this process.

    It is half of the time after which the manager acts, as sd_watchdog_enabled(3) advises.
    """
    duration = _number(environ.get("WATCHDOG_USEC", ""))
    if not duration or _number(environ.get("WATCHDOG_PID", str(pid))) != pid:
        return None
    return duration / 1_000_000 / 2


def inherited_sockets(environ: Mapping[str, str], pid: int) -> list[Inherited]:
    """Take over the listening sockets of socket activation; empty if there are none for this process.

    Each is set non-blocking and is not passed on to programs we start.

    Raises:
        OSError: if a descriptor that was announced is not a listening stream socket.
    """
    count = _number(environ.get("LISTEN_FDS", ""))
    if not count or _number(environ.get("LISTEN_PID", "")) != pid:
        return []
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    names += ["unknown"] * (count - len(names))
    return [Inherited(names[index], _listener(FIRST_DESCRIPTOR + index)) for index in range(count)]


def forget_sockets(environ: MutableMapping[str, str]) -> None:
    """Remove the variables of socket activation, so that no program we start takes the sockets for its own."""
    for variable in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"):
        environ.pop(variable, None)


def _listener(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    listener = socket.socket(fileno=descriptor)
    is_listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if listener.type != socket.SOCK_STREAM or not is_listening:
        listener.detach()
        raise OSError(f"descriptor {descriptor} is not a listening stream socket")
    listener.setblocking(False)
    return listener


def _address(text: str) -> str | bytes | None:
    if text.startswith("@"):
        # An abstract socket: its name begins with a null byte where the variable has an at sign.
        return b"\0" + os.fsencode(text[1:])
    return text if text.startswith("/") else None


def _one_line(value: str | int) -> str:
    return " ".join(str(value).split("\n"))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None  # noqa: PLR2004
