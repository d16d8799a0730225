"""The running daemon, asked over HTTP by its own commands.

Rules of this file:

* A daemon of this machine is asked as its administrator: whoever can read what it signs tokens with could be anybody
  there, so a token of a minute is made with it. Where it cannot be read, a token is given in a file. No such token goes
  to another machine.
* Its certificate is known from the settings, so that no authority and no name is needed; that of any other URL is
  verified as usual, or by the authority that is named.
"""

from __future__ import annotations

import json
import ssl
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from andond.openable import url_at
from andond.own_tokens import kept_signer
from config import ServerSettings, Settings, is_loopback
from domain import JsonValue
from domain.access import EVERY_TENANT, OWN_ISSUER, Identity, Proof, TokenKind
from storage import StorageError, Users
from transport import KeyFault, TokenMint

TIMEOUT = 5.0
LIFETIME = 60.0

_STANDARD_INPUT = "-"
_HUNG_UP = ("EOF occurred", "Connection reset", "Broken pipe", "closed connection")
_UNKNOWN, _FORBIDDEN = 401, 403


class NoAnswer(Exception):
    """There is no answer that can be used; the message says why, and what mends it."""


def is_described(options: Namespace) -> bool:
    """Whether the settings say anything of the daemon that the ``options`` name: all of it where they name no URL."""
    return options.url is None or any(getattr(options, name, None) for name in ("config", "data_dir"))


class Daemon:
    """The daemon that the ``options`` name, or else the one of this machine by its ``settings``."""

    def __init__(self, options: Namespace, settings: Settings | None) -> None:
        self._options = options
        self._token_file: str | None = getattr(options, "token_file", None)
        self.url = str(options.url) if settings is None or options.url is not None else url_of(settings.server)
        is_own = options.url is None or (is_described(options) and _is_here(self.url))
        self._own = settings if is_own else None

    def get(self, path: str) -> Mapping[str, JsonValue]:
        """The JSON object at ``path``.

        Raises:
            NoAnswer: if there is none.
        """
        try:
            return self._get(path)
        except HTTPError as error:
            raise NoAnswer(f"no answer from {self.url}: HTTP {error.code}{self._advice(error.code)}") from None
        except (OSError, ValueError, HTTPException) as error:
            reason = str(getattr(error, "reason", None) or error) or type(error).__name__
            raise NoAnswer(f"no answer from {self.url}: {' '.join(reason.split())}{self._wanted(reason)}") from None

    def _get(self, path: str) -> Mapping[str, JsonValue]:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("a URL begins with http:// or https://")
        request = Request(self.url.rstrip("/") + path)  # noqa: S310 - looked at above
        token = self._token()
        if token:
            # Never shown to whoever is named by a redirect.
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        # A proxy that the environment names is for the world outside, not for a gateway.
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=self._trust()))
        with opener.open(request, timeout=TIMEOUT) as answer:
            document = json.load(answer)
        if not isinstance(document, dict):
            raise ValueError("the answer is no document of a gateway")  # noqa: TRY004 - the answer is wrong
        return document

    def _token(self) -> str:
        if self._token_file == _STANDARD_INPUT:
            return sys.stdin.readline().strip()
        if self._token_file is not None:
            return Path(self._token_file).read_text(encoding="ascii").strip()
        if self._own is None and self._named("data_dir"):
            raise ValueError(
                "a token made by --data-dir is shown to a gateway of this machine alone: --token-file FILE"
            )
        return "" if self._own is None else _made(self._own, time.time())

    def _trust(self) -> ssl.SSLContext | None:
        own = "" if self._own is None else self._own.server.certificate
        authority, certificate = self._named("authority"), self._named("certificate")
        if not (own or authority or certificate):
            return None
        with _using(authority or own or ""):
            context = ssl.create_default_context(cafile=authority or own or None)
        if own and not authority:
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            context.check_hostname = False
        if certificate:
            with _using(certificate):
                context.load_cert_chain(certificate, self._named("key") or None)
        return context

    def _named(self, option: str) -> str:
        return str(getattr(self._options, option, None) or "")

    def _wanted(self, reason: str) -> str:
        how = "show it one by --certificate FILE --key FILE"
        if "CERTIFICATE_REQUIRED" in reason.upper():
            return f": {how}"
        # It says what it lacks and hangs up (RFC 8446 section 4.4.2.4): who still speaks then hears the second alone.
        is_hung_up = any(word in reason for word in _HUNG_UP) and self.url.startswith("https:")
        return f": if it asks for a certificate, {how}" if is_hung_up and not self._named("certificate") else ""

    def _advice(self, status: int) -> str:
        if status == _FORBIDDEN:
            return ": whoever the token is of may not know this"
        if status != _UNKNOWN:
            return ""
        if self._token_file is not None:
            return ": it does not take the token"
        who = "" if self._own is None else "run this as the user of the daemon and name its data, or "
        return f": it asks who you are; {who}give a token by --token-file"


def url_of(server: ServerSettings) -> str:
    """Where a daemon of this machine with these settings answers."""
    return url_at(server.listen, is_secure=bool(server.certificate))


def _is_here(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return bool(host) and is_loopback(f"[{host}]:0" if ":" in host else f"{host}:0")


@contextmanager
def _using(path: str) -> Iterator[None]:
    """Name the file in what is said of it."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None


def _made(settings: Settings, at: float) -> str:
    """A token of a daemon with these settings; empty where it cannot be made."""
    own = settings.access.own
    directory = settings.storage.directory
    try:
        # Whoever asks makes no file: a daemon that is there has made its key.
        if own.secret is None and (directory is None or not Users.are_in(directory)):
            return ""
        signer = kept_signer(directory, own)
        if signer is None:
            return ""
        who = Identity(
            "andond",
            "andond",
            frozenset({"monitor"}),
            Proof.LOCAL,
            EVERY_TENANT,
            expires_at=at + LIFETIME,
            issuer=OWN_ISSUER,
        )
        return TokenMint(signer, own.issuer, own.audience).issue(who, TokenKind.ACCESS, at)
    except (ImportError, StorageError, KeyFault):
        return ""
