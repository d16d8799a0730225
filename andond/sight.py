"""What somebody with certain rights is shown of the floor, at whatever door: views that contain nothing else.

Rules of this file: nothing is taken out of an answer here. What a reader of a desk is handed has never had what is not
seen, so that every sum, mean, list and name that is made of it is of what is seen alone. What a desk keeps is seen by
who sees the channel that tells the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from weakref import WeakKeyDictionary

from domain.access import Rights
from domain.plant.alarms import AlarmsNow
from domain.plant.calls import CallsNow
from domain.plant.jobs import JobsNow
from domain.plant.ledger import LedgersNow
from domain.plant.site import Site

KINDS = (
    "equipment", "readings", "andon", "escalations", "alarms", "jobs", "production", "changeover", "quality", "oee",
    "downtime",
)  # fmt: skip
"""The kinds of channels that tell of places: who sees one of them of a place knows of the place."""

REMEMBERED = 256
"""Parts of a site that are remembered: to make one takes as long as there are places."""


class _Key(NamedTuple):
    """Whose part of a site it is, and what it is a part for."""

    rights: Rights
    kinds: tuple[str, ...]


class Views:
    """Makes the views of everybody."""

    def __init__(self) -> None:
        self._sites: WeakKeyDictionary[Site, dict[_Key, Site]] = WeakKeyDictionary()

    def of(self, rights: Rights) -> View:
        """What somebody with ``rights`` is shown."""
        return View(rights, self)

    def site(self, whole: Site, rights: Rights, kinds: tuple[str, ...]) -> Site:
        """What of the ``whole`` somebody with ``rights`` sees by ``kinds``."""
        if rights.sees_everything:
            return whole
        known = self._sites.setdefault(whole, {})
        key = _Key(rights, kinds)
        if key not in known:
            if len(known) >= REMEMBERED:
                known.clear()
            known[key] = whole.seen(lambda path: any(rights.sees_at(kind, path) for kind in kinds))
        return known[key]


class View:
    """What somebody with ``rights`` is shown."""

    __slots__ = ("_views", "rights")

    def __init__(self, rights: Rights, views: Views) -> None:
        self.rights = rights
        self._views = views

    def site(self, whole: Site, *kinds: str) -> Site:
        """Its places that are seen by one of ``kinds``, by default any."""
        return self._views.site(whole, self.rights, kinds or KINDS)

    def calls(self, now: CallsNow) -> CallsNow:
        """Calls and their escalations."""
        if self.rights.sees_everything:
            return now
        return now.seen(self._sees("andon"), self._sees("escalations"))

    def alarms(self, now: AlarmsNow) -> AlarmsNow:
        """Alarms."""
        return now if self.rights.sees_everything else now.seen(self._sees("alarms"))

    def jobs(self, now: JobsNow) -> JobsNow:
        """Jobs, what was counted, changeovers and quality."""
        return now if self.rights.sees_everything else now.seen(self.rights.sees_at, self.site(now.site))

    def production(self, now: LedgersNow) -> LedgersNow:
        """What units do, their stops and their figures."""
        return now if self.rights.sees_everything else now.seen(self.rights.sees_at, self.site(now.ledgers.site))

    def _sees(self, kind: str) -> Callable[[str], bool]:
        return partial(self.rights.sees_at, kind)
