"""The settings of tokens: whose are taken, how their signatures are checked, what their claims are called.

Rules of this file: a token is taken only from an issuer that is named here, and never by both a shared secret and a
public key: who has the public key could else sign with it. An address is shown by ``andond config``, so that none holds
a password. What is wrong between two of the settings is told by ``config.issuer_relations``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from config import rules
from config.meta import means
from config.secrets import Secret

HMAC = ("HS256", "HS384", "HS512")
"""Algorithms with a secret that both sides have."""

PUBLIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Algorithms with a public key."""

USUAL_PUBLIC = ("RS256", "PS256", "ES256", "EdDSA")
"""Those that are taken from an issuer with public keys unless it says otherwise."""

Algorithm = Literal[
    "HS256", "HS384", "HS512",
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
]  # fmt: skip

_WEB = ("https://", "http://")


def is_address(text: str) -> bool:
    """Whether ``text`` is meant for an address, and not for a file."""
    return text.lower().startswith(_WEB)


def key_place(value: object) -> str | None:
    """Expect an address of keys, or a file of them, or nothing."""
    text = str(value)
    if not text:
        return None
    if not is_address(text):
        return None if rules.readable_file(text) is None else "a URL, or a file that can be read"
    try:
        parts = urlsplit(text)
        is_right = parts.hostname is not None and parts.port != 0 and "@" not in parts.netloc and not parts.fragment
    except ValueError:
        is_right = False
    if is_right and text.isascii() and text.isprintable() and " " not in text:
        return None
    return "a URL such as https://id.example/realms/acme/protocol/openid-connect/certs, without a name and a password"


def claim_path(value: object) -> str | None:
    """Expect where a claim is, or nothing."""
    text = str(value)
    return None if not text or _is_path(text) else "a claim, or the way to it such as realm_access.roles"


def claim_paths(value: object) -> str | None:
    """Expect where claims are, at least one."""
    paths = [str(each) for each in value] if isinstance(value, tuple | list) else []
    return None if paths and all(map(_is_path, paths)) else 'ways to claims such as ["realm_access.roles"]'


def role_names(value: object) -> str | None:
    """Expect a table of an issuer's roles to ours."""
    if isinstance(value, Mapping) and all(str(key).strip() and str(role).strip() for key, role in value.items()):
        return None
    return 'a table such as { "plant-lead" = "shift_manager" } of the issuer\'s roles to ours'


def scopes(value: object) -> str | None:
    """Expect scopes (RFC 6749, section 3.3)."""
    words = [str(each) for each in value] if isinstance(value, tuple | list) else [""]
    return None if all(map(_SCOPE.fullmatch, words)) else 'scopes such as ["profile", "email"]'


_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def _is_path(text: str) -> bool:
    return text.isprintable() and all(text.split("."))


class IssuerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose tokens are taken. One of `secret`, `jwks` and `discovery` says how they are checked."""

    issuer: Annotated[
        str, means("What its tokens have in `iss`, letter by letter; empty: its tokens name no issuer", reload=True)
    ] = ""
    audience: Annotated[
        tuple[str, ...],
        means("Its tokens have one of these in `aud`; []: they name nobody whom they are for", reload=True),
    ] = ("andond",)
    algorithms: Annotated[
        tuple[Algorithm, ...],
        means(
            "How it signs; []: HS256 with a secret, else RS256, PS256, ES256 and EdDSA", unit="algorithms", reload=True
        ),
    ] = ()
    secret: Annotated[Secret | None, means("What both sides sign with (HS256), 32 bytes at least", reload=True)] = None
    jwks: Annotated[
        str, means("Where its public keys are, as a JWK set", unit="URL or path", reload=True, rule=key_place)
    ] = ""
    discovery: Annotated[
        bool, means("It is a provider of OpenID Connect, and says below `issuer` where its keys are", reload=True)
    ] = False
    authority: Annotated[
        str | None,
        means(
            "Certificate that its TLS is trusted by, PEM, in place of the system's",
            unit="path",
            reload=True,
            rule=rules.readable_file,
        ),
    ] = None
    plain_http: Annotated[
        bool, means("Its keys may come without TLS from another machine: who can change them is admin", reload=True)
    ] = False
    refresh: Annotated[
        float, means("Time between two fetches of its keys", unit="seconds", within=(10, 86_400), reload=True)
    ] = 300.0
    leeway: Annotated[float, means("How far its clock may be off", unit="seconds", within=(0, 300), reload=True)] = 30.0
    roles: Annotated[
        tuple[str, ...], means("Where its tokens have roles", unit="claims", reload=True, rule=claim_paths)
    ] = ("realm_access.roles", "resource_access.andond.roles", "roles", "role")
    role_map: Annotated[
        Mapping[str, str],
        means(
            "Its roles and what they are called here; where there are any, others count for nothing",
            reload=True,
            rule=role_names,
        ),
    ] = msgspec.field(default_factory=dict)
    tenant: Annotated[str, means("The tenant of all its tokens; empty: they say it", reload=True)] = ""
    tenant_claim: Annotated[
        str, means("Where its tokens have their tenant; empty: nowhere", unit="claim", reload=True, rule=claim_path)
    ] = "tenant"
    tenants: Annotated[
        tuple[str, ...],
        means("Tenants that it may speak for; []: each, but not for all of them at a time, which is `*`", reload=True),
    ] = ()
    places_claim: Annotated[
        str,
        means(
            "Where its tokens have the places of one's own; empty: nowhere",
            unit="claim",
            reload=True,
            rule=claim_path,
        ),
    ] = "places"
    requires_type: Annotated[
        bool, means("Its tokens must say that they are access tokens, by `type`, `typ` or at+jwt", reload=True)
    ] = False
    client: Annotated[
        str, means("What it knows this gateway as (client id); people can sign in on the page then", reload=True)
    ] = ""
    client_secret: Annotated[
        Secret | None, means("What this gateway proves with that it is `client`; none: a public client", reload=True)
    ] = None
    scopes: Annotated[
        tuple[str, ...], means("What is asked for when somebody signs in, besides `openid`", reload=True, rule=scopes)
    ] = ("profile",)
    title: Annotated[str, means("What the page calls it; empty: as it is called here", reload=True)] = ""

    @property
    def taken(self) -> tuple[str, ...]:
        """The algorithms that are taken from it."""
        return self.algorithms or (HMAC[:1] if self.secret is not None else USUAL_PUBLIC)


class OwnTokenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens that this gateway gives to users of its own."""

    issuer: Annotated[str, means("What they have in `iss`")] = "andond"
    audience: Annotated[str, means("What they have in `aud`")] = "andond"
    secret: Annotated[
        Secret | None,
        means("They are signed with it (HS256), 32 bytes at least; none: with a key made in the data directory"),
    ] = None
