"""What a provider of OpenID Connect says of itself: where its keys are, where a user signs in.

Rules of this file: pure. The document is a stranger's word until it names the issuer that it was asked of; it never
leads from an encrypted address to one that is not.

Source: OpenID Connect Discovery 1.0, sections 3, 4.1 and 4.3; RFC 8414.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from domain.json import JsonValue

WELL_KNOWN = "/.well-known/openid-configuration"
"""Where the document is, below the issuer."""

URL_LIMIT = 2048


class ProviderFault(ValueError):
    """A document that cannot be used; says why."""


class Provider(msgspec.Struct, frozen=True):
    """The addresses of a provider; empty: it has none. ``challenges`` are its methods of PKCE (RFC 7636).

    ``names_itself`` says that each of its answers has its name (RFC 9207).
    """

    issuer: str
    jwks: str
    authorization: str = ""
    token: str = ""
    end_session: str = ""
    challenges: frozenset[str] = frozenset()
    names_itself: bool = False


def provider_of(document: JsonValue, issuer: str) -> Provider:
    """What ``document`` says, which was fetched from ``issuer``.

    Raises:
        ProviderFault: if it is none, or that of another one.
    """
    if not isinstance(document, Mapping):
        raise ProviderFault("what is at the well-known address is no document of a provider")
    if document.get("issuer") != issuer:
        raise ProviderFault("the provider calls itself otherwise than the setting issuer does, which must be the same")
    is_secure = urlsplit(issuer).scheme == "https"
    address = {
        name: _address(document.get(name), name, is_secure=is_secure)
        for name in ("jwks_uri", "authorization_endpoint", "token_endpoint", "end_session_endpoint")
    }
    if not address["jwks_uri"]:
        raise ProviderFault("the provider does not say where its keys are (jwks_uri)")
    methods = document.get("code_challenge_methods_supported")
    return Provider(
        issuer,
        address["jwks_uri"],
        address["authorization_endpoint"],
        address["token_endpoint"],
        address["end_session_endpoint"],
        frozenset(each for each in methods if isinstance(each, str)) if isinstance(methods, list) else frozenset(),
        document.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(value: JsonValue, name: str, *, is_secure: bool) -> str:
    if value is None:
        return ""
    try:
        parts = urlsplit(value) if isinstance(value, str) and len(value) <= URL_LIMIT and value.isprintable() else None
        host = parts.hostname if parts is not None else None
    except ValueError:
        parts = host = None
    wanted = ("https",) if is_secure else ("https", "http")
    if parts is None or not host or parts.scheme not in wanted or "@" in parts.netloc or parts.fragment:
        raise ProviderFault(f"the provider's {name} is no address that can be asked ({' or '.join(wanted)})")
    return str(value)
