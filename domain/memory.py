"""What each client follows, kept for its return: for clients that do not ask again by themselves.

Rules of this file:

* No I/O, no clock: the time is an argument, in Unix seconds.
* Bounded: the newest ``CAPACITY`` clients, ``NAMES_LIMIT`` names each, for ``MEMORY_AGE`` after they were last here.
* A client is known by a name that whoever lets it in makes for it. Two that have the same name cannot be told apart,
  and are remembered as one: who returns under it gets what any of them followed, rather too much than too little. So
  a subscribe is remembered always, an unsubscribe only of one that is here alone.
* Who has never asked for anything is not remembered: it gets the default of its door.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping

import msgspec

CAPACITY = 10_000
NAMES_LIMIT = 256
MEMORY_AGE = 86_400.0


class Remembered(msgspec.Struct):
    """What a client follows, by the words of its door; ``at`` is when it was last heard of."""

    names: frozenset[str]
    at: float


class Memory:
    """The clients that asked for something, those heard of last at the end."""

    __slots__ = ("_age", "_capacity", "_clients", "_here", "changes")

    def __init__(self, capacity: int = CAPACITY, age: float = MEMORY_AGE) -> None:
        self._capacity = capacity
        self._age = age
        # Taking the first of a plain dict again and again walks over all that was taken before.
        self._clients: OrderedDict[str, Remembered] = OrderedDict()
        self._here: Counter[str] = Counter()
        self.changes = 0

    def __len__(self) -> int:
        return len(self._clients)

    def arrive(self, client: str, at: float) -> Recollection:
        """``client`` is here; what it is found to follow, it followed when it was last here."""
        self._forget_old(at)
        found = self._clients.get(client)
        self._here[client] += 1
        return Recollection(self, client, None if found is None else found.names)

    def depart(self, client: str, at: float) -> None:
        """One connection of ``client`` is over: its time begins to run."""
        self._here[client] -= 1
        if self._here[client] <= 0:
            del self._here[client]
        found = self._clients.get(client)
        if found is not None:
            self._keep(client, found.names, at)

    def note(self, client: str, names: frozenset[str], left: str, at: float) -> None:
        """One connection of ``client`` follows ``names`` now, and no more what it has ``left``, if anything."""
        found = self._clients.get(client)
        kept = names if found is None else names | found.names
        if self._here[client] <= 1:
            kept -= {left}
        elif left:
            kept |= {left}
        self._keep(client, kept if len(kept) <= NAMES_LIMIT else names, at)

    def contents(self) -> Mapping[str, Remembered]:
        """Everything, those heard of last at the end; a copy."""
        return dict(self._clients)

    def restore(self, contents: Iterable[tuple[str, Remembered]]) -> None:
        """Take in what ``contents`` of an earlier life had; what is here already is newer."""
        for client, remembered in sorted(contents, key=lambda item: item[1].at, reverse=True):
            if client not in self._clients and len(self._clients) < self._capacity:
                self._clients[client] = remembered
                self._clients.move_to_end(client, last=False)

    def _keep(self, client: str, names: frozenset[str], at: float) -> None:
        self._clients[client] = Remembered(names, at)
        self._clients.move_to_end(client)
        self.changes += 1
        if len(self._clients) > self._capacity:
            self._clients.popitem(last=False)

    def _forget_old(self, at: float) -> None:
        while self._clients:
            client, oldest = next(iter(self._clients.items()))
            if at - oldest.at <= self._age:
                return
            if client in self._here:
                # It is old because nothing happened, not because it has gone.
                self._keep(client, oldest.names, at)
            else:
                del self._clients[client]


class Recollection:
    """What one connection knows of its client: ``names`` it followed when it was last here, None if it never asked."""

    __slots__ = ("_client", "_memory", "names")

    def __init__(self, memory: Memory, client: str, names: frozenset[str] | None) -> None:
        self._memory = memory
        self._client = client
        self.names = names

    def note(self, names: Iterable[str], at: float, left: str = "") -> None:
        """Keep that this connection follows ``names``, because its client has said so, and no more what it ``left``."""
        self._memory.note(self._client, frozenset(names), left, at)

    def end(self, at: float) -> None:
        """Let go: this connection is over."""
        self._memory.depart(self._client, at)
