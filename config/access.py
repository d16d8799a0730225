"""Who may see and do what: roles and what they are granted, tenants and what is theirs, clients that say no name.

Rules of this file: what is not granted is denied, so an empty table allows nothing. Names of roles are compared without
case, names of tenants with it. What the tables owe each other, and which actions and channels there are, is known by
``actors.access``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Literal

import msgspec

from config.certificates import CertificateSettings
from config.issuers import IssuerSettings, OwnTokenSettings
from config.meta import means
from config.page import PageSettings
from config.rules import named_equipment, split_address
from config.users import UserSettings

_ACTION = re.compile(r"\*|[a-z][a-z0-9_]*\.(?:\*|[a-z][a-z0-9_]*)")
_SEGMENT = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~:@+-]+"
_CHANNEL = re.compile(rf"\*|[a-z]+(?:/{_SEGMENT})*/(?:\*|{_SEGMENT})", re.ASCII)


def actions(value: object) -> str | None:
    """Expect patterns of actions."""
    if all(_ACTION.fullmatch(text) for text in _texts(value)):
        return None
    return 'actions such as ["andon.acknowledge", "job.*"], or ["*"] for every one'


def channels(value: object) -> str | None:
    """Expect patterns of channels."""
    if all(_CHANNEL.fullmatch(text) for text in _texts(value)):
        return None
    return 'channels such as ["andon/*", "chain/blocks"], or ["*"] for every one'


def places(value: object) -> str | None:
    """Expect ISA-95 paths."""
    expected = (named_equipment(text) for text in _texts(value))
    return next((each for each in expected if each), None)


class RoleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A role. One that is built in is replaced by it; to add to that, it is named in `like`."""

    title: Annotated[str, means("What it is for", reload=True)] = ""
    like: Annotated[
        tuple[str, ...], means("Built-in roles of which it is granted all", unit="names of roles", reload=True)
    ] = ()
    does: Annotated[
        tuple[str, ...], means("Actions everywhere in its tenant", unit="actions", reload=True, rule=actions)
    ] = ()
    sees: Annotated[
        tuple[str, ...], means("Channels of everything in its tenant", unit="channels", reload=True, rule=channels)
    ] = ()
    own_does: Annotated[
        tuple[str, ...], means("Actions at the places of one's own", unit="actions", reload=True, rule=actions)
    ] = ()
    own_sees: Annotated[
        tuple[str, ...], means("Channels of the places of one's own", unit="channels", reload=True, rule=channels)
    ] = ()


class TenantSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who shares the gateway and is not to know of the others. Without any, everything is one tenant's."""

    places: Annotated[
        tuple[str, ...],
        means("Roots of its paths; never within another tenant's", unit="ISA-95 paths", reload=True, rule=places),
    ] = ()
    channels: Annotated[
        tuple[str, ...],
        means("Channels without a place that it sees too, `chain/*`", unit="channels", reload=True, rule=channels),
    ] = ()


class AnonymousSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Clients that do not say who they are, as the predecessors' did: what they may read. They never do anything."""

    enabled: Annotated[bool, means("Whether they are let in", reload=True)] = False
    channels: Annotated[tuple[str, ...], means("What they see", unit="channels", reload=True, rule=channels)] = ()
    tenant: Annotated[str, means("The tenant of which they see it; `*`: all", reload=True)] = ""


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who may see and do what. On loopback alone, with nothing configured, everybody may do everything."""

    required: Annotated[
        Literal["auto", "always"],
        means("Whether clients must say who they are; auto: as soon as there is a way for them to", reload=False),
    ] = "auto"
    anonymous: Annotated[AnonymousSettings, means("Clients that do not say who they are", reload=True)] = (
        AnonymousSettings()
    )
    tenants: Annotated[Mapping[str, TenantSettings], means("Who shares the gateway, by name", reload=True)] = (
        msgspec.field(default_factory=dict)
    )
    roles: Annotated[
        Mapping[str, RoleSettings], means("Roles besides those built in, or in place of them, by name", reload=True)
    ] = msgspec.field(default_factory=dict)
    issuers: Annotated[Mapping[str, IssuerSettings], means("Whose tokens are taken, by name", reload=True)] = (
        msgspec.field(default_factory=dict)
    )
    own: Annotated[OwnTokenSettings, means("Tokens of users of this gateway")] = OwnTokenSettings()
    users: Annotated[UserSettings, means("Users of this gateway", reload=True)] = UserSettings()
    page: Annotated[PageSettings, means("Signing in on the page", reload=True)] = PageSettings()
    certificates: Annotated[
        Mapping[str, CertificateSettings],
        means("Clients that prove with a certificate who they are, by name", reload=True),
    ] = msgspec.field(default_factory=dict)
    query_tokens: Annotated[
        bool,
        means("At the predecessors' doors a token may be in the address, where proxies log it", reload=True),
    ] = False


class Standing(StrEnum):
    """How a gateway stands towards clients that do not say who they are."""

    OPEN = "open"
    """Everybody may do everything: nothing is configured, and only this machine reaches it."""
    GUARDED = "guarded"
    """Who somebody is decides what they may."""
    UNGUARDED = "unguarded"
    """Nothing is configured, and other machines reach it: it must not start."""


def standing_of(access: AccessSettings, listen: str, *, is_told: bool) -> Standing:
    """How a gateway stands that listens on ``listen``; ``is_told`` says that there are issuers or users."""
    if access.required == "always" or access.anonymous.enabled or is_told:
        return Standing.GUARDED
    if not is_loopback(listen):
        return Standing.UNGUARDED
    # Who wrote roles or tenants does not mean everybody.
    return Standing.GUARDED if access.tenants or access.roles else Standing.OPEN


def is_loopback(listen: str) -> bool:
    """Whether only this machine reaches ``listen``, which is ``HOST:PORT``."""
    host, _ = split_address(listen)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _texts(value: object) -> Iterable[str]:
    return (str(item) for item in value) if isinstance(value, tuple | list) else ()
