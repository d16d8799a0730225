"""TLS on a non-blocking socket: the context, the handshake and the goodbye.

Rules of this file: the socket stays non-blocking and ours. trio's own SSLStream has no write that returns at once,
which is what a broadcast needs, and costs seven times as much. OpenSSL's two "want" errors are ``OSError`` but no
``BlockingIOError``; after either the same call must be made again.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

import trio
from trio.lowlevel import wait_readable, wait_writable

from config import Secret
from transport.codes import ProtocolError

_Wait: TypeAlias = Callable[[socket.socket], Awaitable[None]]

_HANDSHAKE = 0x16


def server_context(certificate: str, key: str, password: Secret | None = None) -> ssl.SSLContext:
    """A context for TLS 1.2 and 1.3 with a certificate chain and its key (PEM files).

    Raises:
        OSError: if a file cannot be read, or the two do not belong together (``ssl.SSLError``).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    # Without a callback OpenSSL asks the terminal, where nobody sits.
    context.load_cert_chain(certificate, key, password=(password.reveal() if password is not None else ""))
    return context


async def secure(sock: socket.socket, context: ssl.SSLContext, turns: trio.CapacityLimiter) -> ssl.SSLSocket:
    """Make a TLS connection of ``sock`` (non-blocking), which belongs to the result from then on.

    Each step of the handshake, half a millisecond of arithmetic, waits for one of ``turns``, so that a thousand
    clients who come at once do not stop everybody else. The caller bounds the time.

    Raises:
        ProtocolError: 400, if the client speaks plain HTTP; the socket stays plain and can carry the answer.
        OSError: if the client spoke something else, or went away.
    """
    await wait_readable(sock)
    first = sock.recv(1, socket.MSG_PEEK)
    if first and first[0] != _HANDSHAKE:
        raise ProtocolError(400, "this port speaks TLS only; use https:// or wss://")
    secured = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True)
    try:
        while True:
            async with turns:
                wait = _step(secured)
            if wait is None:
                return secured
            await wait(secured)
    except BaseException:
        secured.close()
        raise


def _step(secured: ssl.SSLSocket) -> _Wait | None:
    try:
        secured.do_handshake()
    except ssl.SSLWantReadError:
        return wait_readable
    except ssl.SSLWantWriteError:
        return wait_writable
    return None


def half_close(sock: socket.socket) -> None:
    """Say that nothing more will come: close_notify on TLS, FIN on plain TCP. What the client still sends is read."""
    with suppress(OSError, ValueError):
        if isinstance(sock, ssl.SSLSocket):
            # Sends ours; that the client's has not come yet is an error to OpenSSL, not to us.
            sock.unwrap()
        else:
            sock.shutdown(socket.SHUT_WR)
