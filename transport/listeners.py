"""Sockets that listen, and the loop that accepts.

Rules of this file: what every connection needs is set on the listener, whose connections inherit it on Linux. A burst
is accepted in pieces, each after the handshakes of the one before: who waits in the kernel's queue costs nobody time.
Out of descriptors or memory the loop says so and pauses: the listener stays readable, so that it would spin otherwise.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
import trio

from config import split_address
from telemetry import events
from transport.addresses import ClientAddress, peer_address

BACKLOG = 4096
# More at once are accepted no faster and cost the others twice the delay.
_ACCEPT_AT_ONCE = 16
_TURNS_FOR_EACH = 8  # of the loop; where it has much to do they are long, and fewer are let in
_PAUSE = 0.25
_LOOPBACK = "127.0.0.1"
_PROBE_TIMEOUT = 1.0

# Longest that handshakes which hang can keep a plain request waiting to be accepted.
_QUEUE_PATIENCE = 0.05

_EXHAUSTED = {
    errno.EMFILE: "descriptors",
    errno.ENFILE: "descriptors",
    errno.ENOBUFS: "memory",
    errno.ENOMEM: "memory",
}

# A name may have an address of a family that this machine does not speak.
_ABSENT = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}

Admit = Callable[[socket.socket, ClientAddress], None]


def open_listeners(listen: str, notsent_lowat: int) -> list[socket.socket]:
    """Listen on ``HOST:PORT``; a name with several addresses gives several sockets, with the same port.

    Raises:
        OSError: if the name is not known or an address cannot be listened on.
    """
    host, port = split_address(listen)
    found = dict.fromkeys(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE))
    listeners: list[socket.socket] = []
    absent: OSError | None = None
    for family, _, _, _, address in found:
        try:
            listener = _listen(family, (address[0], port, *address[2:]), alone=len(found) == 1)
        except OSError as error:
            if error.errno in _ABSENT:
                absent = error
                continue
            for opened in listeners:
                opened.close()
            raise
        listeners.append(listener)
        port = listener.getsockname()[1]
    if not listeners and absent is not None:
        raise absent
    return configure_listeners(listeners, notsent_lowat)


def _listen(family: int, address: tuple[str | int, ...], *, alone: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and not alone:
            # The other addresses of the name have sockets of their own.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def configure_listeners(listeners: Sequence[socket.socket], notsent_lowat: int) -> list[socket.socket]:
    """Set on listening sockets, ours or inherited, what their connections are to have."""
    for listener in listeners:
        listener.setblocking(False)
        if is_tcp(listener):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Whether connections come to have it is found out by ``check_unsent_limit``, once.
            with suppress(OSError):
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, notsent_lowat)
    return list(listeners)


def is_tcp(listener: socket.socket) -> bool:
    """Whether a socket is of the internet's families."""
    return listener.family in {socket.AF_INET, socket.AF_INET6}


class UnsentLimit(msgspec.Struct, frozen=True):
    """Whether the kernel holds at most ``size`` unsent bytes of a connection; ``fault`` says why not, if it does not.

    Everything that it takes beyond is ahead of a critical frame.
    """

    size: int
    fault: str = ""


def check_unsent_limit(size: int) -> UnsentLimit:
    """Try, on a connection of this machine with itself, whether a connection has the limit of its listener."""
    try:
        with socket.create_server((_LOOPBACK, 0), backlog=1) as listener:
            listener.settimeout(_PROBE_TIMEOUT)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, size)
            with socket.create_connection(listener.getsockname(), _PROBE_TIMEOUT):
                accepted, _ = listener.accept()
                with accepted:
                    taken = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
    except OSError as error:
        return UnsentLimit(size, error.strerror or str(error))
    return UnsentLimit(size, "" if taken == size else f"asked for {size}, got {taken}")


def address_of(listener: socket.socket) -> str:
    """Where a socket listens, as one writes it."""
    name = listener.getsockname()
    return name if isinstance(name, str) else str(peer_address(name))


async def accept_connections(listener: socket.socket, admit: Admit, turns: trio.CapacityLimiter) -> None:
    """Give each connection of ``listener``, non-blocking, to ``admit``, until the listener is closed.

    ``turns`` are those of the handshakes: who came before is served before more are accepted. Behind a burst the loop
    turns some times for each of them: however many come, a turn has few of them to do beside what others wait for.
    """
    address = address_of(listener)
    while listener.fileno() >= 0:
        try:
            await trio.lowlevel.wait_readable(listener)
        except trio.ClosedResourceError:
            return
        count, reason = _accept_waiting(listener, admit)
        if reason:
            events.listener_paused(address=address, reason=reason, delay=_PAUSE)
            await trio.sleep(_PAUSE)
        with trio.move_on_after(_QUEUE_PATIENCE):
            async with turns:
                pass
        for _ in range(_TURNS_FOR_EACH * count):
            await trio.lowlevel.checkpoint()


def _accept_waiting(listener: socket.socket, admit: Admit) -> tuple[int, str]:
    """Accept what waits, a burst in pieces; returns how many came, and what ran out, if something did."""
    for count in range(_ACCEPT_AT_ONCE):
        try:
            sock, name = listener.accept()
        except BlockingIOError:
            return count, ""
        except OSError as error:
            if error.errno in _EXHAUSTED:
                return count, _EXHAUSTED[error.errno]
            # A client that left before it was accepted; the listener itself is well.
            continue
        sock.setblocking(False)
        admit(sock, peer_address(name))
    return _ACCEPT_AT_ONCE, ""


def close_listener(listener: socket.socket) -> None:
    """Stop listening; the accepting loop ends."""
    trio.lowlevel.notify_closing(listener)
    listener.close()
