"""Who has to wait before a password is looked at again: growing delays for a user, and for an address.

Rules of this file:

* Pure: moments (Unix seconds) are arguments. A delay ends by itself: nobody can lock another out for good.
* A name is counted whether there is such a user or not, so that an answer tells nothing of who there is.
* An attempt counts as failed until it is told to have succeeded, so that many at once are no way around it. One that
  has to wait is not counted: who asks too early makes nothing worse.
* Who has logged in from an address has a count of its own there: strangers who guess elsewhere do not keep it out.
* A success does not forgive its address: a guesser may have an account too. Successes of a name have a pace, wherever
  they come from: looking at a password is dear, and one who knows one is not to use that up.
* Of counts there are at most ``KEPT``; the least harmful make room.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

import msgspec

KEPT = 10_000
TRUSTED_FOR = 30 * 86_400.0

_PREFIX = 64
_HALVES = 128 - _PREFIX
_MOST_DOUBLINGS = 32


class Patience(msgspec.Struct, frozen=True):
    """``free`` failures cost nothing, then each doubles the delay from ``first`` to ``longest`` seconds.

    One failure is forgiven every ``forgives`` seconds.
    """

    free: int
    first: float
    longest: float
    forgives: float

    def delay(self, count: float) -> float:
        """Seconds to wait after ``count`` failures."""
        # What has faded by a moment is still a failure.
        whole = round(count)
        if whole < self.free:
            return 0.0
        return min(self.longest, self.first * 2.0 ** min(whole - self.free, _MOST_DOUBLINGS))


USER_PATIENCE = Patience(free=5, first=1.0, longest=900.0, forgives=720.0)
ADDRESS_PATIENCE = Patience(free=20, first=1.0, longest=60.0, forgives=30.0)
LOGIN_PACE = Patience(free=30, first=2.0, longest=2.0, forgives=2.0)
"""Of good logins of a name; its delay does not grow."""


class _Count(msgspec.Struct):
    """Failures up to ``at``; they fade from then on. ``until`` is when the next attempt is looked at."""

    failures: float
    at: float
    until: float = 0.0

    def faded(self, at: float, patience: Patience) -> float:
        return max(0.0, self.failures - max(0.0, at - self.at) / patience.forgives)

    def forgive_one(self, at: float, patience: Patience) -> None:
        self.failures, self.at = max(0.0, self.faded(at, patience) - 1), at
        self.until = min(self.until, at + patience.delay(self.failures))


class Lockout:
    """The failures of the present, in memory: a restart forgives them."""

    def __init__(self, user: Patience = USER_PATIENCE, address: Patience = ADDRESS_PATIENCE, kept: int = KEPT) -> None:
        self._user = user
        self._address = address
        self._kept = kept
        self._users: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._addresses: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._good: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._trusted: OrderedDict[tuple[str, str], float] = OrderedDict()

    def attempt(self, user: str, host: str, at: float) -> float:
        """Begin an attempt for the name ``user`` from ``host``: 0, or the seconds after which it may be made."""
        place = network_of(host)
        by_user, by_place = self._key(user, place, at), ("", place)
        counts = self._users.get(by_user), self._addresses.get(by_place), self._good.get((user, ""))
        waits = max(_wait(count, at) for count in counts)
        if waits > 0:
            return waits
        self._count(self._users, by_user, at, self._user)
        self._count(self._addresses, by_place, at, self._address)
        return 0.0

    def succeeded(self, user: str, host: str, at: float) -> None:
        """The attempt for ``user`` from ``host`` was good: forgive it, and know the two together from now on."""
        place = network_of(host)
        self._users.pop(self._key(user, place, at), None)
        self._uncount(place, at)
        self._count(self._good, (user, ""), at, LOGIN_PACE)
        self._trusted[user, place] = at
        self._trusted.move_to_end((user, place))
        if len(self._trusted) > self._kept:
            self._trusted.popitem(last=False)

    def is_familiar(self, user: str, host: str, at: float) -> bool:
        """Whether the name ``user`` has logged in from ``host`` not long ago."""
        since = self._trusted.get((user, network_of(host)))
        return since is not None and at - since < TRUSTED_FOR

    def undone(self, user: str, host: str, at: float) -> None:
        """The attempt for ``user`` from ``host`` was not looked at, by no fault of its own."""
        place = network_of(host)
        found = self._users.get(self._key(user, place, at))
        if found is not None:
            found.forgive_one(at, self._user)
        self._uncount(place, at)

    def forgive(self, user: str) -> None:
        """Nobody waits for ``user`` any more: it has got a new password, or was let in again."""
        for key in [key for key in self._users if key[0] == user]:
            del self._users[key]
        self._good.pop((user, ""), None)

    def __len__(self) -> int:
        return len(self._users) + len(self._addresses) + len(self._good) + len(self._trusted)

    def _key(self, user: str, place: str, at: float) -> tuple[str, str]:
        return (user, place) if self.is_familiar(user, place, at) else (user, "")

    def _uncount(self, place: str, at: float) -> None:
        found = self._addresses.get(("", place))
        if found is not None:
            found.forgive_one(at, self._address)

    def _count(
        self, counts: OrderedDict[tuple[str, str], _Count], key: tuple[str, str], at: float, by: Patience
    ) -> None:
        found = counts.get(key)
        if found is None:
            if len(counts) >= self._kept:
                self._make_room(counts, at, by)
            found = counts[key] = _Count(0.0, at)
        found.failures, found.at = found.faded(at, by) + 1, at
        found.until = at + by.delay(found.failures)
        counts.move_to_end(key)

    def _make_room(self, counts: OrderedDict[tuple[str, str], _Count], at: float, by: Patience) -> None:
        """Forget what has faded; if nothing has, the count that holds off the least, the oldest of those."""
        for key in [key for key, count in counts.items() if count.faded(at, by) <= 0]:
            del counts[key]
        if len(counts) >= self._kept:
            del counts[min(counts, key=lambda key: counts[key].faded(at, by))]


def network_of(host: str) -> str:
    """What counts as one address: an IPv4 address, or the 64 bits of an IPv6 one that its owner cannot choose."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(IPv6Address(int(address) >> _HALVES << _HALVES))


def _wait(count: _Count | None, at: float) -> float:
    return 0.0 if count is None else max(0.0, count.until - at)
