"""Which channels somebody sees.

Rules of this file: a channel is seen when a grant's pattern names it and it is of the tenant, or of the own places for
a grant that reaches no further. It is asked for each channel and each follower, so what was found is remembered, as
much of it as fits: names come from clients. Two sights that show the same are equal: who has them can share frames.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.access.grants import ANY, fewest, fits_any, meet
from domain.access.places import place_of
from domain.access.tenants import Realm
from domain.names import PLACELESS_KINDS

REMEMBERED = 20_000
"""Channels of which a sight remembers whether it shows them."""

Key = tuple[object, ...]


class Sight:
    """What a ``realm`` has of the channels that ``wide`` names, and its ``places`` of those that ``own`` names."""

    __slots__ = ("__weakref__", "_hash", "_known", "_own", "_places", "_realm", "_wide", "key", "sees_everything")

    def __init__(
        self, realm: Realm, wide: Iterable[str] = (), own: Iterable[str] = (), places: Iterable[str] = ()
    ) -> None:
        self._realm = realm
        self._wide = () if realm.lack else fewest(wide)
        own_places = realm.own(places)
        self._own = fewest(own, self._wide) if own_places else ()
        self._places = own_places if self._own else ()
        self._known: dict[str, bool] = {}
        self.sees_everything = realm.has_everything and self._wide == (ANY,)
        reach = (realm.roots, realm.channels, realm.foreign) if self._wide else ()
        self.key: Key = (self._wide, self._own, self._places, reach)
        """What it shows; the same for the same."""
        self._hash = hash(self.key)

    def sees(self, channel: str) -> bool:
        """Whether it shows ``channel``."""
        known = self._known.get(channel)
        if known is None:
            known = self._look(channel)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[channel] = known
        return known

    def sees_any(self, kind: str) -> bool:
        """Whether there could be a channel of ``kind`` that it shows."""
        kin = f"{kind}/{ANY}"
        wide = [pattern for pattern in self._wide if meet(pattern, kin)]
        if any(meet(pattern, tree) for pattern in wide for tree in self._realm.trees(kind) if meet(tree, kin)):
            return True
        if kind in PLACELESS_KINDS:
            return False
        below = [f"{kind}/{place}{rest}" for place in self._places for rest in ("", "/*")]
        return any(meet(pattern, tree) for pattern in self._own for tree in below)

    def _look(self, channel: str) -> bool:
        if fits_any(self._wide, channel) and self._realm.shows(channel):
            return True
        kind, _, path = channel.partition("/")
        if kind in PLACELESS_KINDS or not fits_any(self._own, channel):
            return False
        return place_of(path, self._places) is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sight) and other.key == self.key

    def __hash__(self) -> int:
        return self._hash
