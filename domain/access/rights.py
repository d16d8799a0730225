"""What somebody may do and see: the answer to every question of access.

Rules of this file: no question is answered with yes unless a grant says so: that of a role of theirs, for that action
or channel, reaching that place. Every answer says why in words, which name the role, the grant and the tenant, and
nothing of other tenants. Time is not asked here: whoever holds rights looks at ``expires_at``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from domain.access.grants import ANY, Grant, Within, fewest, fits_any
from domain.access.identity import Identity, Proof
from domain.access.places import path_of, place_of
from domain.access.sight import Sight
from domain.access.tenants import EVERYTHING, Realm
from domain.names import PLACELESS_KINDS

OF_NOBODY = frozenset({"document.read"})
"""Actions that tell nothing of any tenant, so that they are not refused for being about no place."""


SHOWN = 5
"""Names of roles that nobody knows which a verdict says."""


class Verdict(msgspec.Struct, frozen=True):
    """Whether it is allowed, and ``why``, for ``andond explain``, the body of a 403 and the audit."""

    is_allowed: bool
    why: str


class Held(msgspec.Struct, frozen=True):
    """A grant that somebody has by a role."""

    role: str
    grant: Grant


class Rights:
    """What ``identity`` may do and see. Rights that allow the same are equal, whosever they are."""

    __slots__ = ("_held", "_key", "_places", "_realm", "_unknown", "identity", "sight")

    def __init__(
        self,
        identity: Identity,
        realm: Realm,
        held: Iterable[Held] = (),
        unknown: Iterable[str] = (),
        shared: Callable[[Sight], Sight] = lambda sight: sight,
    ) -> None:
        """``held`` is what its roles are granted, ``unknown`` are those of its roles that no policy names.

        ``shared`` returns the sight that others have too who see the same.
        """
        self.identity = identity
        self._realm = realm
        self._held = tuple(held)
        self._unknown = tuple(sorted(unknown))
        self._places = realm.own(identity.places)
        self.sight = shared(Sight(realm, self._patterns(Within.TENANT), self._patterns(Within.OWN), identity.places))
        wide, own = self._granted(Within.TENANT), self._granted(Within.OWN)
        self._key = (self.sight, realm.roots, _deeds(wide), _deeds(own), self._places if _deeds(own) else ())

    def of(self, identity: Identity) -> Rights:
        """The same of ``identity``, which has the same roles, tenant and places."""
        other = object.__new__(Rights)
        for name in Rights.__slots__:
            setattr(other, name, getattr(self, name))
        other.identity = identity
        return other

    @property
    def sees_everything(self) -> bool:
        """Whether there is no channel that it does not see."""
        return self.sight.sees_everything

    @property
    def expires_at(self) -> float | None:
        """Until when it is so, in Unix seconds; None without an end."""
        return self.identity.expires_at

    @property
    def lack(self) -> str:
        """Why there is nothing that it may do or see, in words; nothing where that depends on its roles."""
        return self._realm.lack

    def reach(self, action: str) -> Within | None:
        """How far ``action`` reaches for it; None if it may not do it anywhere."""
        granted = {held.grant.within for held in self._held if fits_any(held.grant.does, action)}
        if self._realm.lack or not granted:
            return None
        return Within.TENANT if Within.TENANT in granted else Within.OWN

    def places(self, action: str) -> tuple[str, ...]:
        """Where it may do ``action``: there and below. A star is everywhere; nothing where it may at no place."""
        reach = self.reach(action)
        if reach is Within.TENANT:
            return (ANY,) if self._realm.roots is None else self._realm.roots
        return () if reach is None else self._places

    def patterns(self, within: Within) -> tuple[str, ...]:
        """The channels that it sees ``within``, as its roles name them; those named for the tenant are seen anyway."""
        besides = () if within is Within.TENANT else self._patterns(Within.TENANT)
        return fewest(self._patterns(within), besides)

    def may(self, action: str, path: str | None) -> Verdict:
        """Whether ``action`` is allowed on what is at ``path``; None is the gateway as a whole."""
        if self._realm.lack:
            return Verdict(False, self._realm.lack)
        holding = [held for held in self._held if fits_any(held.grant.does, action)]
        if not holding:
            return Verdict(False, f"{self._role_words()} may {'' if self._has_many else 'not '}do {action}")
        if not self._realm.has(path) and not (path is None and action in OF_NOBODY):
            return Verdict(False, f"{_place_words(path)} is not of {self._realm.words}")
        for held in holding:
            if held.grant.within is Within.TENANT:
                return Verdict(True, f"role {held.role} may do {action} everywhere in {self._realm.words}")
        return self._own_verdict(holding[0].role, f"do {action}", path)

    def sees(self, channel: str) -> bool:
        """Whether it sees ``channel``."""
        return self.sight.sees(channel)

    def sees_any(self, kind: str) -> bool:
        """Whether there could be a channel of ``kind`` that it sees."""
        return self.sight.sees_any(kind)

    def sees_at(self, kind: str, path: str) -> bool:
        """Whether it sees what ``kind`` tells of ``path``: what lists are filtered with."""
        return self.sight.sees(f"{kind}/{path.removeprefix('/')}")

    def reaches(self, path: str | None) -> bool:
        """Whether ``path`` is of its tenant; of what is not, it is not even told that it is there.

        None is what is nowhere: whose tenant is not everything cannot tell that from what is another's.
        """
        return self._realm.has(path)

    def look(self, channel: str) -> Verdict:
        """Whether it sees ``channel``, and why."""
        if self._realm.lack:
            return Verdict(False, self._realm.lack)
        holding = [held for held in self._held if fits_any(held.grant.sees, channel)]
        if not holding:
            return Verdict(False, f"{self._role_words()} {'sees' if self._has_many else 'does not see'} {channel}")
        kind, _, path = channel.partition("/")
        if not self._realm.shows(channel):
            return Verdict(False, f"{channel} is not of {self._realm.words}")
        for held in holding:
            if held.grant.within is Within.TENANT:
                return Verdict(True, f"role {held.role} sees {channel} everywhere in {self._realm.words}")
        if kind in PLACELESS_KINDS:
            return Verdict(False, f"role {holding[0].role} sees {channel} of its own places only, and it has no place")
        return self._own_verdict(holding[0].role, f"see {kind}", path)

    def _own_verdict(self, role: str, deed: str, path: str | None) -> Verdict:
        place = None if path is None else place_of(path_of(path), self._places)
        if place is not None:
            return Verdict(True, f"role {role} may {deed} at its own places, and {path} is within {place}")
        own = f"its own places only, which are {', '.join(self._places)}" if self._places else "its own places only"
        beyond = f"and {_place_words(path)} is not one of them" if self._places else "and the identity has none"
        return Verdict(False, f"role {role} may {deed} at {own}, {beyond}")

    def _granted(self, within: Within) -> list[Grant]:
        return [held.grant for held in self._held if held.grant.within is within]

    def _patterns(self, within: Within) -> list[str]:
        return [pattern for grant in self._granted(within) for pattern in grant.sees]

    def _role_words(self) -> str:
        known = sorted({held.role for held in self._held})
        if known:
            named = f"none of the roles {', '.join(known)}" if self._has_many else f"role {known[0]}"
        else:
            named = "an identity without a role"
        return f"{named} (unknown here: {_listed(self._unknown)})" if self._unknown else named

    @property
    def _has_many(self) -> bool:
        return len({held.role for held in self._held}) > 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rights) and other._key == self._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Rights({self.identity!r})"


def _deeds(grants: Iterable[Grant]) -> frozenset[str]:
    return frozenset(pattern for grant in grants for pattern in grant.does)


def _listed(names: Sequence[str]) -> str:
    """``names`` in a row; they come from a token, which may have any number of them."""
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"


def _place_words(path: str | None) -> str:
    return "the gateway as a whole" if path is None else path


def held_by(role: str, grants: Iterable[Grant]) -> Iterator[Held]:
    """What somebody has by having ``role``."""
    return (Held(role, grant) for grant in grants)


OPEN_RIGHTS = Rights(
    Identity("open", "somebody", frozenset({"admin"}), Proof.OPEN),
    EVERYTHING,
    held_by("admin", [Grant(("*",), ("*",))]),
)
"""Everything: on loopback alone, where nothing is configured."""

NO_RIGHTS = Rights(Identity("", "nobody", frozenset(), Proof.ANONYMOUS), Realm("", lack="nobody said who they are"))
"""Nothing: whoever has not said who they are."""
