"""From the settings to the policy of access, and what is wrong with what a plant wrote.

Rules of this file: what is in force has no fault: ``andond check``, a start and a reload ask ``access_faults`` first. A
word that fits no action and no channel there is would grant nothing, and is a fault, since somebody meant something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from config import AccessSettings, Broken, RoleSettings, Settings, one_of
from domain import CHANNEL_KINDS
from domain.access import (
    ANY,
    EVERY_TENANT,
    ROLES,
    AccessPolicy,
    Anonymous,
    Grant,
    Role,
    Tenant,
    Within,
    actions,
    fits,
    role_name,
    tenant_faults,
)

_ROLES = "access.roles"
_TENANTS = "access.tenants"
_ANONYMOUS = "access.anonymous"
_TENANT = f"{_ANONYMOUS}.tenant"
NAME_SIZE = 128


def access_policy_of(settings: AccessSettings) -> AccessPolicy:
    """The policy that ``settings`` ask for: their roles, and those that are built in.

    Raises:
        TenantFault: if the tenants contradict each other.
    """
    own = {role_name(name): _role(name, role) for name, role in settings.roles.items()}
    told = settings.anonymous
    return AccessPolicy(
        {**ROLES, **own},
        _tenants(settings),
        Anonymous(told.channels, told.tenant) if told.enabled else None,
    )


def access_faults(settings: Settings) -> Iterator[Broken]:
    """What is wrong with roles and tenants: names, words that mean nothing, and who is given what is not there."""
    access = settings.access
    yield from _role_faults(access)
    yield from (Broken((f"{_TENANTS}.{fault.tenant}",), fault.words) for fault in tenant_faults(_tenants(access)))
    for name, tenant in access.tenants.items():
        yield from _channel_faults(f"{_TENANTS}.{name}.channels", tenant.channels)
    yield from _channel_faults(f"{_ANONYMOUS}.channels", access.anonymous.channels)
    yield from _anonymous_faults(access)
    yield from _stranger_faults(access)


def _tenants(settings: AccessSettings) -> list[Tenant]:
    return [Tenant(name, tenant.places, tenant.channels) for name, tenant in settings.tenants.items()]


def _role(name: str, said: RoleSettings) -> Role:
    like = (ROLES[role_name(each)] for each in said.like if role_name(each) in ROLES)
    own = (Grant(said.does, said.sees), Grant(said.own_does, said.own_sees, Within.OWN))
    grants = (*(grant for role in like for grant in role.grants), *(each for each in own if each.does or each.sees))
    return Role(role_name(name), said.title, grants)


def _role_faults(access: AccessSettings) -> Iterator[Broken]:
    seen: dict[str, str] = {}
    for name, role in access.roles.items():
        key = f"{_ROLES}.{name}"
        if not role_name(name) or len(name) > NAME_SIZE or not name.isprintable():
            yield Broken((key,), f"a name of at most {NAME_SIZE} characters that can be printed")
        first = seen.setdefault(role_name(name), name)
        if first != name:
            yield Broken((key,), f"a name that is not taken, and {first!r} is the same without case")
        for each in role.like:
            if role_name(each) not in ROLES:
                yield Broken((f"{key}.like",), f"{one_of(ROLES, role_name(each))}, in place of {each!r}")
        for part in ("does", "own_does"):
            yield from _action_faults(f"{key}.{part}", getattr(role, part))
        for part in ("sees", "own_sees"):
            yield from _channel_faults(f"{key}.{part}", getattr(role, part))


def _action_faults(key: str, patterns: Iterable[str]) -> Iterator[Broken]:
    for pattern in patterns:
        if not any(fits(pattern, action) for action in actions()):
            yield Broken((key,), f"{one_of(actions(), pattern)}, in place of {pattern!r}")


def _channel_faults(key: str, patterns: Iterable[str]) -> Iterator[Broken]:
    for pattern in patterns:
        kind = pattern.partition("/")[0]
        if pattern != ANY and kind not in CHANNEL_KINDS:
            yield Broken((key,), f"{one_of(sorted(CHANNEL_KINDS), kind)}, in place of {kind!r}")


def _anonymous_faults(access: AccessSettings) -> Iterator[Broken]:
    told = access.anonymous
    if told.enabled and not told.channels:
        yield Broken((f"{_ANONYMOUS}.channels", f"{_ANONYMOUS}.enabled"), "what such clients see, at least one channel")
    if told.enabled and access.tenants and not told.tenant:
        words = f"{one_of(_known_tenants(access), '')}, or such clients see nothing"
        yield Broken((_TENANT, _TENANTS), words)


def _stranger_faults(access: AccessSettings) -> Iterator[Broken]:
    """Roles and tenants that are given to somebody and are not there."""
    tenants = [(_TENANT, access.anonymous.tenant)]
    roles: list[tuple[str, str]] = []
    for name, holder in access.certificates.items():
        key = f"access.certificates.{name}"
        tenants.append((f"{key}.tenant", holder.tenant))
        roles += [(f"{key}.roles", role) for role in holder.roles]
    for name, issuer in access.issuers.items():
        key = f"access.issuers.{name}"
        tenants += [(f"{key}.tenant", issuer.tenant), *((f"{key}.tenants", tenant) for tenant in issuer.tenants)]
        roles += [(f"{key}.role_map", role) for role in issuer.role_map.values()]
    known = dict.fromkeys([*ROLES, *map(role_name, access.roles)])
    for key, role in roles:
        if role_name(role) not in known:
            yield Broken((key, _ROLES), f"{one_of(known, role_name(role))}, in place of {role!r}")
    for key, tenant in tenants:
        if tenant and access.tenants and tenant not in _known_tenants(access):
            yield Broken((key, _TENANTS), f"{one_of(_known_tenants(access), tenant)}, in place of {tenant!r}")


def _known_tenants(access: AccessSettings) -> tuple[str, ...]:
    return (*access.tenants, EVERY_TENANT)
