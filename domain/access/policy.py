"""The policy of access: roles and what they are granted, tenants and what is theirs.

Rules of this file: nothing that changes. It makes rights of an identity; a role that it does not know gives none. Who
sees the same by one policy has the same sight, so that what was found out for one is known for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from weakref import WeakValueDictionary

import msgspec

from domain.access.grants import Grant
from domain.access.identity import Identity, Proof
from domain.access.rights import NO_RIGHTS, Held, Rights
from domain.access.roles import ROLES, Role
from domain.access.sight import Key, Sight
from domain.access.tenants import Tenant, Tenants

ANONYMOUS = "anonymous"
REMEMBERED = 4096
"""Rights that are remembered, so that a request does not work out again what the one before it did."""


class Anonymous(msgspec.Struct, frozen=True):
    """What clients see who do not say who they are: ``channels`` of ``tenant``."""

    channels: tuple[str, ...]
    tenant: str = ""


class AccessPolicy:
    """Who may do and see what."""

    def __init__(
        self,
        roles: Mapping[str, Role] = ROLES,
        tenants: Iterable[Tenant] = (),
        anonymous: Anonymous | None = None,
    ) -> None:
        """Take the policy.

        Raises:
            TenantFault: if the tenants contradict each other.
        """
        self.roles: Mapping[str, Role] = {role_name(name): role for name, role in roles.items()}
        self.tenants = Tenants(tenants)
        self._rights: dict[tuple[frozenset[str], str, tuple[str, ...]], Rights] = {}
        self._sights: WeakValueDictionary[Key, Sight] = WeakValueDictionary()
        self.anonymous = NO_RIGHTS if anonymous is None else self._of_nobody(anonymous)
        """What clients may do and see who do not say who they are."""

    def rights(self, identity: Identity) -> Rights:
        """What ``identity`` may do and see."""
        key = (identity.roles, identity.tenant, identity.places)
        known = self._rights.get(key)
        if known is None:
            known = self._find(identity)
            if len(self._rights) >= REMEMBERED:
                self._rights.clear()
            self._rights[key] = known
        return known.of(identity)

    def knows(self, role: str) -> bool:
        """Whether there is such a role."""
        return role_name(role) in self.roles

    def _find(self, identity: Identity) -> Rights:
        known = {role_name(name): self.roles.get(role_name(name)) for name in identity.roles}
        return Rights(
            identity,
            self.tenants.realm(identity.tenant),
            [Held(role.name, grant) for _, role in sorted(known.items()) if role is not None for grant in role.grants],
            [name for name, role in known.items() if role is None],
            self._shared,
        )

    def _shared(self, sight: Sight) -> Sight:
        return self._sights.setdefault(sight.key, sight)

    def _of_nobody(self, anonymous: Anonymous) -> Rights:
        identity = Identity("", ANONYMOUS, frozenset({ANONYMOUS}), Proof.ANONYMOUS, anonymous.tenant)
        realm = self.tenants.realm(anonymous.tenant)
        return Rights(identity, realm, [Held(ANONYMOUS, Grant(("document.read",), anonymous.channels))])


def role_name(name: str) -> str:
    """``name`` as roles are compared: without case."""
    return name.strip().casefold()
