"""Tenants: who share a gateway and must not know of each other.

Rules of this file: a tenant is the roots of its ISA-95 paths, and the channels without a place that it sees too. Roots
of two tenants are never within each other. Without any tenant there is one, which has no name and everything. Once
there are some, who names none, or one that is not there, has nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

import msgspec

from domain.access.grants import ANY, fits_any, meet
from domain.access.identity import EVERY_TENANT
from domain.access.places import common, is_path, path_of, place_of, topmost
from domain.names import PLACELESS_KINDS


class TenantFault(ValueError):
    """Tenants contradict each other; the message says which."""


class Misnamed(NamedTuple):
    """What was expected of a ``tenant``, in ``words``."""

    tenant: str
    words: str


class Tenant(msgspec.Struct, frozen=True):
    """``places`` are the roots of its paths, ``channels`` patterns of those without a place that it sees too."""

    name: str
    places: tuple[str, ...]
    channels: tuple[str, ...] = ()


class Realm(msgspec.Struct, frozen=True):
    """How far somebody's rights can reach at all: what is of their tenant.

    ``roots`` is None where everything is; ``foreign`` are the roots of the other tenants. ``lack`` says why there is
    nothing in it, and is empty where something is.
    """

    name: str
    roots: tuple[str, ...] | None = ()
    channels: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    lack: str = ""

    @property
    def has_everything(self) -> bool:
        """Whether nothing is beyond it."""
        return self.roots is None

    def has(self, path: str | None) -> bool:
        """Whether ``path`` is in it; None is the gateway as a whole."""
        if self.roots is None:
            return True
        return path is not None and place_of(path_of(path), self.roots) is not None

    def shows(self, channel: str) -> bool:
        """Whether ``channel`` is one of it."""
        if self.roots is None:
            return True
        kind, _, path = channel.partition("/")
        if not is_path(path):
            return False
        if kind not in PLACELESS_KINDS:
            if place_of(path, self.roots) is not None:
                return True
            if place_of(path, self.foreign) is not None:
                return False
        return fits_any(self.channels, channel)

    def own(self, places: Iterable[str]) -> tuple[str, ...]:
        """What of ``places`` is in it: what is no part of a tenant is nobody's own there, whatever a token says."""
        return topmost(places) if self.roots is None else common(places, self.roots)

    def trees(self, kind: str) -> list[str]:
        """Patterns that every channel of ``kind`` which it shows is one of."""
        if self.roots is None:
            return [f"{kind}/{ANY}"]
        below = (
            [] if kind in PLACELESS_KINDS else [f"{kind}/{root}{rest}" for root in self.roots for rest in ("", "/*")]
        )
        return [*below, *self.channels]

    @property
    def words(self) -> str:
        """What it is called."""
        if self.name == EVERY_TENANT:
            return "all tenants"
        return f"tenant {self.name}" if self.name else "the gateway"


EVERYTHING = Realm("", None)


class Tenants:
    """The tenants of a gateway."""

    def __init__(self, tenants: Iterable[Tenant] = ()) -> None:
        """Take them.

        Raises:
            TenantFault: if two have one name or places within each other's, or one has no place that is a path.
        """
        named = list(tenants)
        if fault := next(tenant_faults(named), None):
            raise TenantFault(f"tenant {fault.tenant!r}: expected {fault.words}")
        self._realms = {
            tenant.name: Realm(
                tenant.name,
                topmost(tenant.places),
                tuple(sorted(set(tenant.channels))),
                topmost(place for other in named if other.name != tenant.name for place in other.places),
            )
            for tenant in named
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._realms)

    def __len__(self) -> int:
        return len(self._realms)

    def realm(self, name: str) -> Realm:
        """What somebody whose tenant is called ``name`` can reach at all."""
        if not self._realms:
            return EVERYTHING
        if name == EVERY_TENANT:
            return Realm(EVERY_TENANT, None)
        known = self._realms.get(name)
        if known is not None:
            return known
        named = f"tenant {name}, which is not known here" if name else "none"
        return Realm(name, lack=f"this gateway has tenants, and the identity names {named}")


def tenant_faults(tenants: Iterable[Tenant]) -> Iterator[Misnamed]:
    """What is wrong with ``tenants``, each fault with the tenant that it is of."""
    named = list(tenants)
    for tenant in named:
        if not tenant.name or tenant.name == EVERY_TENANT:
            yield Misnamed(tenant.name, "a name, which is not the word for all tenants")
        if not tenant.places and not tenant.channels:
            yield Misnamed(tenant.name, "places, or channels: without both it has nothing")
        for place in tenant.places:
            if path_of(place) is None:
                yield Misnamed(tenant.name, f"paths, and {place!r} is none")
    for one, other in combinations(named, 2):
        yield from _clashes(one, other)
        yield from _intrusions(one, other)
        yield from _intrusions(other, one)


def _clashes(one: Tenant, other: Tenant) -> Iterator[Misnamed]:
    if one.name == other.name:
        yield Misnamed(other.name, "a name that no other tenant has")
    for here in topmost(one.places):
        for there in topmost(other.places):
            if place_of(here, (there,)) or place_of(there, (here,)):
                yield Misnamed(other.name, f"places of its own, and {there} is not apart from {here} of {one.name}")


def _intrusions(one: Tenant, other: Tenant) -> Iterator[Misnamed]:
    """Where a channel of ``one`` could be one of a place of ``other``."""
    for pattern in one.channels:
        kind = pattern.partition("/")[0]
        trees = (f"{kind}/{place}{rest}" for place in topmost(other.places) for rest in ("", "/*"))
        if pattern == ANY or (kind not in PLACELESS_KINDS and any(meet(pattern, tree) for tree in trees)):
            yield Misnamed(one.name, f"channels without a place, and {pattern} is also of {other.name}")
