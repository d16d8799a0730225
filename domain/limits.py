"""How much one connection, address, user or tenant may take: token buckets and counts.

Rules of this file:

* No clock: the moment is an argument, in seconds of any clock. Who takes of one thing always uses the same clock.
* A bucket is a mean rate with a burst. What is asked for strictly is taken whole or not at all; what has been read
  already is taken in any case, and whoever took it waits until the debt is paid.
* Something is taken of all who are concerned, or of none: a user's limit costs the address nothing.
* Memory is bounded however many addresses there are. Buckets beyond ``remembered`` are forgotten, the longest unused
  first: that one has had the most time to fill, and a full bucket is the same as none. Counts belong to connections,
  which are bounded elsewhere.
* One household has a whole IPv6 network of 64 bits, so that is one address (RFC 6177).
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import IPv6Address, IPv6Network, ip_address

import msgspec

PREFIX = 64
"""Bits of an IPv6 address that name one household."""


class Holder(StrEnum):
    """Whose limit it is."""

    CONNECTION = "connection"
    ADDRESS = "address"
    USER = "user"
    TENANT = "tenant"


class Metered(StrEnum):
    """Of what there is a limit."""

    CONNECTIONS = "connections"
    HANDSHAKES = "handshakes"
    COMMANDS = "commands"
    SUBSCRIPTIONS = "subscriptions"
    MESSAGES = "messages"
    FRAMES = "frames"
    BYTES = "bytes"


class Rate(msgspec.Struct, frozen=True):
    """``per_second`` on average, ``burst`` at once after quiet; both above 0."""

    per_second: float
    burst: float


class Allotment(msgspec.Struct, frozen=True):
    """What one holder may have: ``counts`` at a time, and ``rates``; what is absent is free."""

    counts: Mapping[Metered, int] = msgspec.field(default_factory=dict)
    rates: Mapping[Metered, Rate] = msgspec.field(default_factory=dict)


class Excess(msgspec.Struct, frozen=True):
    """A limit that was met: whose, of what, how much it is, and the seconds until there is room.

    ``wait`` is 0 where time alone gives no room.
    """

    holder: Holder
    kind: Metered
    limit: float
    wait: float = 0.0

    @property
    def words(self) -> str:
        """What whoever met it is told."""
        if self.kind in _COUNTED:
            return f"this {self.holder} has {self.limit:g} {self.kind}, all that one may have; end some first"
        return f"this {self.holder} may have {self.limit:g} {self.kind} a second; slow down"


_COUNTED = frozenset({Metered.CONNECTIONS, Metered.SUBSCRIPTIONS})


class Bucket:
    """What is left of a rate; a new one is full."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._at = float("-inf")
        self._left = 0.0

    def wait(self, rate: Rate, cost: float, at: float) -> float:
        """Seconds from ``at`` until ``cost`` could be taken, 0 if now; of what costs more than a burst, a full one."""
        self._fill(rate, at)
        return max(0.0, (min(cost, rate.burst) - self._left) / rate.per_second)

    def take(self, rate: Rate, cost: float, at: float) -> float:
        """Take ``cost`` in any case; returns the seconds until the debt is paid, 0 if there is none."""
        self._fill(rate, at)
        self._left -= cost
        return max(0.0, -self._left / rate.per_second)

    def _fill(self, rate: Rate, at: float) -> None:
        # A clock that is set back gives nothing and takes nothing.
        if at > self._at:
            self._left = min(rate.burst, self._left + (at - self._at) * rate.per_second)
        else:
            self._left = min(rate.burst, self._left)
        self._at = at


Key = tuple[Holder, str, Metered]


class Buckets:
    """Buckets by whose and of what they are, at most ``capacity`` of them."""

    __slots__ = ("_buckets", "capacity")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._buckets: OrderedDict[Key, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def __getitem__(self, key: Key) -> Bucket:
        """The bucket of ``key``, made when there was none."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket()
            while len(self._buckets) > self.capacity:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket


class Allotments(msgspec.Struct, frozen=True):
    """All limits; a holder that is absent has none. ``remembered`` is how many buckets are kept."""

    of: Mapping[Holder, Allotment] = msgspec.field(default_factory=dict)
    remembered: int = 65_536

    def rate(self, holder: Holder, kind: Metered) -> Rate | None:
        """The rate of ``kind`` that ``holder`` has; None: any."""
        allotment = self.of.get(holder)
        return None if allotment is None else allotment.rates.get(kind)

    def count(self, holder: Holder, kind: Metered) -> int | None:
        """How many of ``kind`` ``holder`` may have; None: any number."""
        allotment = self.of.get(holder)
        return None if allotment is None else allotment.counts.get(kind)


class Throttle:
    """Keeps what everybody has taken; ``limits`` may be replaced at any time and hold from then on."""

    __slots__ = ("_buckets", "_held", "_limits")

    def __init__(self, limits: Allotments) -> None:
        self._limits = limits
        self._buckets = Buckets(limits.remembered)
        self._held: Counter[Key] = Counter()

    @property
    def limits(self) -> Allotments:
        """The limits in force."""
        return self._limits

    @limits.setter
    def limits(self, limits: Allotments) -> None:
        self._limits = limits
        self._buckets.capacity = limits.remembered

    @property
    def size(self) -> int:
        """How many buckets and counts are kept."""
        return len(self._buckets) + len(self._held)

    def allow(self, address: str = "") -> Allowance:
        """The allowance of a connection from ``address`` (``address_key``); empty: its address has no limits."""
        return Allowance(self, address)

    def take(self, holders: Mapping[Holder, str], kind: Metered, cost: float, at: float) -> Excess | None:
        """Take ``cost`` of ``kind`` of each of ``holders``, or of none and say whose limit was met."""
        found = list(self._rates(holders, kind))
        worst: Excess | None = None
        for holder, bucket, rate in found:
            wait = bucket.wait(rate, cost, at)
            if wait > 0 and (worst is None or wait > worst.wait):
                worst = Excess(holder, kind, rate.per_second, wait)
        if worst is None:
            for _, bucket, rate in found:
                bucket.take(rate, cost, at)
        return worst

    def spend(self, holders: Mapping[Holder, str], kind: Metered, cost: float, at: float) -> float:
        """Take ``cost`` of ``kind`` of each of ``holders`` in any case; returns the seconds until all is paid."""
        return max((bucket.take(rate, cost, at) for _, bucket, rate in self._rates(holders, kind)), default=0.0)

    def room(self, holders: Mapping[Holder, str], kind: Metered, count: int = 1) -> Excess | None:
        """Whether each of ``holders`` may have ``count`` more of ``kind``; who may not, if one may not."""
        for holder, key in holders.items():
            limit = self._limits.count(holder, kind)
            if limit is not None and self._held[holder, key, kind] + count > limit:
                return Excess(holder, kind, limit)
        return None

    def hold(self, holders: Mapping[Holder, str], kind: Metered, count: int = 1) -> None:
        """Count ``count`` more of ``kind`` for each of ``holders``, less if it is below 0."""
        for holder, key in holders.items():
            held = self._held[holder, key, kind] + count
            if held > 0:
                self._held[holder, key, kind] = held
            else:
                del self._held[holder, key, kind]

    def _rates(self, holders: Mapping[Holder, str], kind: Metered) -> Iterator[tuple[Holder, Bucket, Rate]]:
        for holder, key in holders.items():
            rate = self._limits.rate(holder, kind)
            if rate is not None:
                yield holder, self._buckets[holder, key, kind], rate


class Allowance:
    """What one connection may take, of its own limits and of those it shares with others."""

    __slots__ = ("_buckets", "_followed", "_holders", "_is_counted", "_throttle")

    def __init__(self, throttle: Throttle, address: str) -> None:
        self._throttle = throttle
        self._holders: dict[Holder, str] = {Holder.ADDRESS: address} if address else {}
        self._buckets: dict[Metered, Bucket] = {}
        self._followed: set[str] | None = None
        self._is_counted = False

    def handshake(self, at: float) -> Excess | None:
        """Take one handshake of the address."""
        return self._throttle.take(self._holders, Metered.HANDSHAKES, 1.0, at)

    def identify(self, user: str, tenant: str) -> Excess | None:
        """From now on the connection is that of ``user`` of ``tenant``, empty where there is none, and counts as one.

        Where one of them has as many as it may, nothing changes.
        """
        known = {Holder.USER: user, Holder.TENANT: tenant}
        wanted = {holder: key for holder, key in known.items() if key}
        if self._is_counted and wanted == self._shared():
            return None
        was_counted, before = self._is_counted, self._shared()
        self._let_go()
        followed = len(self._followed or ())
        excess = self._throttle.room(wanted, Metered.CONNECTIONS) or self._throttle.room(
            wanted, Metered.SUBSCRIPTIONS, followed
        )
        self._take_on(wanted if excess is None else before, is_counted=was_counted or excess is None)
        return excess

    def frames(self, cost: float, at: float) -> Excess | None:
        """Take ``cost`` frames of the connection, in any case; says so when a burst is used up."""
        return self._own(Metered.FRAMES, cost, at)

    def message(self, at: float) -> Excess | None:
        """Take one message of the connection, in any case; says so when a burst is used up."""
        return self._own(Metered.MESSAGES, 1.0, at)

    def read(self, size: int, at: float) -> float:
        """``size`` bytes were read; returns the seconds for which no more is to be read."""
        rate = self._throttle.limits.rate(Holder.CONNECTION, Metered.BYTES)
        own = 0.0 if rate is None else self._bucket(Metered.BYTES).take(rate, size, at)
        return max(own, self._throttle.spend(self._holders, Metered.BYTES, size, at))

    def command(self, cost: float, at: float) -> Excess | None:
        """Take a command that weighs ``cost`` of the address, the user and the tenant."""
        return self._throttle.take(self._holders, Metered.COMMANDS, cost, at)

    def request(self, user: str, tenant: str, at: float) -> Excess | None:
        """Take a command of ``user`` and ``tenant``: one connection brings requests of many."""
        known = {Holder.USER: user, Holder.TENANT: tenant}
        return self._throttle.take({holder: key for holder, key in known.items() if key}, Metered.COMMANDS, 1.0, at)

    def room(self, count: int = 1) -> Excess | None:
        """Whether ``count`` more channels could be followed."""
        return self._throttle.room(self._holders, Metered.SUBSCRIPTIONS, count)

    def follow(self, channel: str) -> Excess | None:
        """Count a subscription to ``channel``; one that there is already counts once."""
        if self._followed is None:
            self._followed = set()
        if channel in self._followed:
            return None
        excess = self.room()
        if excess is None:
            self._followed.add(channel)
            self._throttle.hold(self._holders, Metered.SUBSCRIPTIONS)
        return excess

    def leave(self, channel: str) -> None:
        """Count a subscription no more."""
        if self._followed is not None and channel in self._followed:
            self._followed.remove(channel)
            self._throttle.hold(self._holders, Metered.SUBSCRIPTIONS, -1)

    def end(self) -> None:
        """The connection is over: give back all that it held."""
        for channel in tuple(self._followed or ()):
            self.leave(channel)
        self._let_go()

    def _shared(self) -> dict[Holder, str]:
        return {holder: key for holder, key in self._holders.items() if holder is not Holder.ADDRESS}

    def _let_go(self) -> None:
        """Hold nothing of a user or a tenant any more."""
        shared = self._shared()
        if self._is_counted:
            self._throttle.hold(shared, Metered.CONNECTIONS, -1)
        if self._followed:
            self._throttle.hold(shared, Metered.SUBSCRIPTIONS, -len(self._followed))
        for holder in shared:
            del self._holders[holder]
        self._is_counted = False

    def _take_on(self, shared: Mapping[Holder, str], *, is_counted: bool) -> None:
        self._holders.update(shared)
        self._is_counted = is_counted
        if is_counted:
            self._throttle.hold(shared, Metered.CONNECTIONS)
        if self._followed:
            self._throttle.hold(shared, Metered.SUBSCRIPTIONS, len(self._followed))

    def _own(self, kind: Metered, cost: float, at: float) -> Excess | None:
        rate = self._throttle.limits.rate(Holder.CONNECTION, kind)
        if rate is None:
            return None
        wait = self._bucket(kind).take(rate, cost, at)
        return Excess(Holder.CONNECTION, kind, rate.per_second, wait) if wait else None

    def _bucket(self, kind: Metered) -> Bucket:
        bucket = self._buckets.get(kind)
        if bucket is None:
            bucket = self._buckets[kind] = Bucket()
        return bucket


def address_key(host: str) -> str:
    """What counts as one address: ``host`` itself, or the network of an IPv6 address."""
    if ":" not in host:
        return host
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, PREFIX), strict=False))
