"""What the settings of one issuer of tokens owe each other.

Rules of this file: as in ``config.relations``. A secret is looked at here and nowhere told.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from ipaddress import ip_address
from urllib.parse import urlsplit

from config.issuers import HMAC, IssuerSettings, is_address
from config.relation import Broken
from config.secrets import Secret
from config.settings import Settings

SECRET_SIZES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""Bytes of a secret at least, by algorithm (RFC 7518, section 3.2)."""

OWN = "andond"
"""The issuer of the gateway's own users, by which they are told from anybody else's."""

_LIBRARIES = ("jwt", "cryptography")


def _one_way_to_check(settings: Settings) -> Iterator[Broken]:
    for prefix, issuer in _issuers(settings):
        ways = [name for name in ("secret", "jwks", "discovery") if getattr(issuer, name)]
        keys = tuple(f"{prefix}.{name}" for name in ways or ("jwks", "secret", "discovery"))
        if len(ways) != 1:
            yield Broken(keys, "one of secret (by secret_file), jwks and discovery = true, and no other")
        elif issuer.discovery and not is_address(issuer.issuer):
            yield Broken((f"{prefix}.issuer", *keys), "the URL of the provider, which discovery begins at")


def _one_kind_of_algorithm(settings: Settings) -> Iterator[Broken]:
    for prefix, issuer in _issuers(settings):
        shared = [name for name in issuer.taken if name in HMAC]
        wanted = len(issuer.taken) if issuer.secret is not None else 0
        if len(shared) != wanted:
            which = f"of {', '.join(HMAC)} with a secret" if wanted else "with public keys, none of them HS"
            yield Broken((f"{prefix}.algorithms", f"{prefix}.secret"), f"algorithms {which}")


def _strong_secrets(settings: Settings) -> Iterator[Broken]:
    for prefix, issuer in _issuers(settings):
        if issuer.secret is not None:
            size = max((SECRET_SIZES.get(name, 0) for name in issuer.taken), default=0)
            yield from _weakness(f"{prefix}.secret", issuer.secret, size)
    own = settings.access.own.secret
    if own is not None:
        yield from _weakness("access.own.secret", own, SECRET_SIZES["HS256"])


def _weakness(key: str, secret: Secret, size: int) -> Iterator[Broken]:
    text = secret.reveal()
    if "-----BEGIN" in text or text.lstrip().startswith(("{", "ssh-", "ecdsa-")):
        yield Broken((key,), "a secret, and no key or certificate: what is public is no secret")
    elif len(text.encode()) < size or len(set(text)) < size // 4:
        yield Broken((key,), f"at least {size} bytes of chance, such as `openssl rand -base64 48` makes")


def _encrypted_keys(settings: Settings) -> Iterator[Broken]:
    for prefix, issuer in _issuers(settings):
        name = "issuer" if issuer.discovery else "jwks"
        address = getattr(issuer, name)
        if not is_address(address) or issuer.plain_http:
            continue
        parts = urlsplit(address)
        if parts.scheme.lower() == "http" and not _is_here(parts.hostname or ""):
            expected = "an address with https; or plain_http = true, if nobody can get between"
            yield Broken((f"{prefix}.{name}", f"{prefix}.plain_http"), expected)


def _ways_to_sign_in(settings: Settings) -> Iterator[Broken]:
    for prefix, issuer in _issuers(settings):
        if issuer.client and not issuer.discovery:
            yield Broken(
                (f"{prefix}.client", f"{prefix}.discovery"),
                "a provider that says where people sign in: discovery = true",
            )
        if issuer.client and not settings.access.page.address:
            expected = "where people open the page, because the provider sends them back there"
            yield Broken(("access.page.address", f"{prefix}.client"), expected)
        if issuer.client_secret is not None and not issuer.client:
            yield Broken((f"{prefix}.client", f"{prefix}.client_secret"), "what the provider knows this gateway as")


def _different_names(settings: Settings) -> Iterator[Broken]:
    seen = {settings.access.own.issuer: "access.own"}
    if OWN in settings.access.issuers:
        yield Broken((f"access.issuers.{OWN}",), "another name: that one is of this gateway's own users")
    for prefix, issuer in _issuers(settings):
        other = seen.setdefault(issuer.issuer, prefix)
        if other != prefix:
            yield Broken((f"{prefix}.issuer", f"{other}.issuer"), f"another issuer than that of {other}")


def _libraries(settings: Settings) -> Iterator[Broken]:
    is_needed = bool(settings.access.issuers) or settings.access.own.secret is not None
    if is_needed and any(find_spec(name) is None for name in _LIBRARIES):
        install = f"{shlex.quote(sys.executable)} -m pip install 'andond[auth]'"
        yield Broken(("access.issuers",), f"PyJWT and cryptography beside andond ({install})")


def _issuers(settings: Settings) -> Iterator[tuple[str, IssuerSettings]]:
    for name, issuer in settings.access.issuers.items():
        yield f"access.issuers.{name}", issuer


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


ISSUER_RELATIONS = (
    _one_way_to_check,
    _one_kind_of_algorithm,
    _strong_secrets,
    _encrypted_keys,
    _ways_to_sign_in,
    _different_names,
    _libraries,
)
