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
from pathlib import Path
from typing import TypeAlias

import trio
from trio.lowlevel import wait_readable, wait_writable

from config import OutgoingTlsSettings, Secret, ServerSettings, file_at_fault
from transport.codes import ProtocolError

_Wait: TypeAlias = Callable[[socket.socket], Awaitable[None]]

_HANDSHAKE = 0x16
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: forward secrecy and authenticated encryption (RFC 9325, section 4.2); 1.3 has no others."""

_VERIFY = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}

# The short names of RFC 4514, section 3, and of what else stands in subjects.
_ATTRIBUTES = {
    "commonName": "CN", "localityName": "L", "stateOrProvinceName": "ST", "organizationName": "O",
    "organizationalUnitName": "OU", "countryName": "C", "streetAddress": "STREET", "domainComponent": "DC",
    "userId": "UID",
}  # fmt: skip


def server_context(certificate: str, key: str, password: Secret | None = None) -> ssl.SSLContext:
    """A context for TLS 1.2 and 1.3 with a certificate chain and its key (PEM files).

    Raises:
        OSError: if a file cannot be read, or the two do not belong together (``ssl.SSLError``).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    # Without a callback OpenSSL asks the terminal, where nobody sits.
    try:
        context.load_cert_chain(certificate, key, password=(password.reveal() if password is not None else ""))
    except ssl.SSLError as error:
        raise ssl.SSLError(error.errno or 0, file_at_fault(certificate, key, error)) from None
    return context


def context_of(settings: ServerSettings) -> ssl.SSLContext | None:
    """The context that ``settings`` ask for, None where they want no TLS.

    Raises:
        OSError: if the certificate, its key, or the authority of clients cannot be used.
    """
    if settings.certificate is None or settings.key is None:
        return None
    context = server_context(settings.certificate, settings.key, settings.key_password)
    if settings.client_ca is not None:
        context.load_verify_locations(settings.client_ca)
    context.verify_mode = _VERIFY[settings.client_certificates]
    return context


def outgoing_context(settings: OutgoingTlsSettings) -> ssl.SSLContext:
    """A context to connect to others with: whom ``settings`` trust, and what is shown to those who ask.

    Raises:
        OSError: if a file cannot be used.
    """
    context = ssl.create_default_context(cafile=settings.authority or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.certificate:
        context.load_cert_chain(settings.certificate, settings.key or None, "")
    return context


Mark = tuple[tuple[int, int, int, int] | None, ...]
"""What tells whether files have changed; None for one that is away."""


def mark_of(settings: ServerSettings) -> Mark:
    """What the file system says now of the files that ``context_of`` reads."""
    files = (settings.certificate, settings.key, settings.client_ca) if settings.certificate and settings.key else ()
    return tuple(_mark(file) for file in files if file is not None)


def _mark(file: str) -> tuple[int, int, int, int] | None:
    try:
        found = Path(file).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev


def subject_of(sock: socket.socket) -> str:
    """The subject of the certificate that the other side proved to hold (RFC 4514); empty if it showed none."""
    found = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    names = [name for name in (found or {}).get("subject", ()) if isinstance(name, tuple)]
    # The text begins with the last one, as one names a place.
    return ",".join("+".join(_attribute(*each) for each in name if isinstance(each, tuple)) for name in reversed(names))


def _attribute(kind: str, value: str) -> str:
    escaped = "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in value)
    if escaped[:1] in (" ", "#"):
        escaped = f"\\{escaped}"
    if escaped.endswith(" ") and not escaped.endswith("\\ "):
        escaped = f"{escaped[:-1]}\\ "
    return f"{_ATTRIBUTES.get(kind, kind)}={escaped}"


_SPECIAL = frozenset('",+;<>\\\0')


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
