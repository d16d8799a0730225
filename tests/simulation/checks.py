"""What must hold of the gateway: while the day goes on, in the calm of a few moments of it, and at its end.

Rules of this file: a check says in words what is wrong, and the day goes on, so that one run tells
all there is to tell.
"""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from actors.runtime import ActorStatus
from domain import Priority, below
from storage import Journal, verify
from tests.simulation.clients import Client
from tests.simulation.dialects import Native, NativeClient, Vandal
from tests.simulation.faults import Fate
from tests.simulation.gateway import Gateway
from tests.simulation.plant import Plant
from tests.simulation.witness import Name, Said, Witness
from transport.ledger import imbalance

OURS = frozenset({"actors", "andond", "config", "domain", "storage", "telemetry", "transport"})
ROOM, SLACK = 2.0, 300
"""How much more of a type there may be than at the second check: some caches fill up later."""

# What is kept for days: there is more of it every hour.
KEPT = ("domain.plant.",)

NOTICED = 1.0
CHUNK = 10_000
PLANTED = frozenset({"Planted", "AttributeError"})


def ledgers(gateway: Gateway) -> list[str]:
    """Every connection's account of what it was given must balance."""
    found = []
    for link in gateway.links:
        entries = link.stream.ledger()
        if imbalance(entries):
            found.append(f"the ledger of {link} does not balance: {entries}")
    return found


def living(tree: ActorStatus | None) -> list[str]:
    """Everybody must be there and answer."""
    if tree is None:
        return ["the gateway is not there"]
    return [f"{each.path} is {each.state}" for each in tree.walk() if each.state not in {"running", "busy"}]


def idle(tree: ActorStatus | None) -> list[str]:
    """Nothing may wait in any mailbox."""
    return [
        f"{each.path} has {dict(each.depth)} waiting"
        for each in (tree.walk() if tree is not None else ())
        if any(each.depth.values())
    ]


def accounted(clients: Sequence[Client]) -> list[str]:
    """Seen and conflated and gaps make up what was published, for each channel whose position never broke."""
    found = []
    for client in clients:
        if not isinstance(client, NativeClient) or not client.is_open or client.native.least != "low":
            continue
        for following in client.following.values():
            if following.is_whole and following.published != following.total:
                found.append(
                    f"{client.profile.name} was told {following.total} of {following.published}"
                    f" publications of {following.channel}"
                )
            elif not following.is_whole and not {"epoch", "history"}.intersection(following.reasons):
                found.append(f"{client.profile.name} was not told why {following.channel} is not whole")
    return found


def present(gateway: Gateway, clients: Sequence[Client]) -> list[str]:
    """Every client is there, by a link of its own."""
    away = [client.profile.name for client in clients if not client.is_open and not isinstance(client, Vandal)]
    found = [f"{name} is not connected" for name in away]
    expected = sum(client.is_open for client in clients)
    if not expected <= len(gateway.links) + sum(isinstance(client, Vandal) for client in clients):
        found.append(f"{expected} clients are connected by {len(gateway.links)} links")
    return found


def census() -> Counter[str]:
    """How many objects of ours there are, by type."""
    gc.collect()
    types = Counter(map(type, gc.get_objects()))
    return Counter(
        {
            f"{kind.__module__}.{kind.__qualname__}": count
            for kind, count in types.items()
            if str(kind.__module__).partition(".")[0] in OURS
        }
    )


def grown(before: Counter[str], after: Counter[str]) -> list[str]:
    """Of no type may there be many more."""
    return [
        f"there are {count} {name}, and were {before[name]}"
        for name, count in after.items()
        if count > ROOM * before[name] + SLACK and not name.startswith(KEPT)
    ]


class Verdict:
    """What is found at the end of the day, of a journal in ``path``."""

    def __init__(self, path: Path, witness: Witness, plant: Plant, fate: Fate, gateway: Gateway) -> None:
        self._path = path
        self._witness = witness
        self._plant = plant
        self._fate = fate
        self._gateway = gateway
        self._critical: list[tuple[int, str, Name]] = []
        self._epoch = ""

    def all(self, clients: Sequence[Client]) -> list[str]:
        """Everything that is wrong."""
        self._read()
        found = [*self._journal(), *self._answers(), *self._silences(), *self._lines()]
        found += [f"the gateway gave up: {reason}" for reason in self._gateway.fell]
        unplanned = [each for each in self._gateway.quarantined if not any(word in each for word in PLANTED)]
        found += [f"quarantined: {each}" for each in unplanned]
        for client in clients:
            if isinstance(client, NativeClient):
                found += self._critical_of(client)
            if isinstance(client, Vandal) and client.suffered:
                found.append(f"{client.profile.name} was suffered: {client.suffered}")
        return found

    @property
    def critical(self) -> int:
        """How many critical events the journal has."""
        return len(self._critical)

    def _read(self) -> None:
        journal = Journal.open(self._path, {}, 0, 0.0)
        try:
            self._epoch = journal.epoch
            while kept := journal.critical_since(len(self._critical), CHUNK):
                for one in kept:
                    self._critical.append((one.critical or 0, one.channel, (one.event.source, one.event.id)))
        finally:
            journal.close()

    def _journal(self) -> list[str]:
        found = [f"the journal: {finding}" for finding in verify(self._path).findings]
        numbers = [number for number, _, _ in self._critical]
        if numbers != list(range(1, len(numbers) + 1)):
            found.append("the critical numbers have holes")
        return found

    def _answers(self) -> list[str]:
        """What was answered for was written down, and what of it is critical is there still."""
        kept, there = self._witness.kept, {name for _, _, name in self._critical}
        lost = [name for name in self._plant.answered if kept.get(name) is Priority.CRITICAL and name not in there]
        return [f"answered for and lost: {name}" for name in lost]

    def _critical_of(self, client: NativeClient) -> list[str]:
        """The client has every critical event of its channels, in their order, once."""
        criticals, native = client.criticals, client.native
        if criticals.first is None:
            return [f"{native.name} never connected"]
        if criticals.first[0] != self._epoch:
            return [f"{native.name} began in the epoch {criticals.first[0]}, not {self._epoch}"]
        expected: dict[str, list[Name]] = defaultdict(list)
        for number, channel, name in self._critical:
            if number > criticals.first[1] and _is_followed(native, channel):
                expected[channel].append(name)
        found = []
        for channel, names in expected.items():
            wanted = set(names)
            got = [name for name in criticals.on(channel) if name in wanted and name not in criticals.ahead]
            ordered = [name for name in names if name not in criticals.ahead]
            if missing := [name for name in names if name not in criticals.got]:
                found.append(f"{native.name} misses {len(missing)} of {len(names)} on {channel}: {missing[:3]}")
            elif got != ordered:
                at = next(index for index, (one, other) in enumerate(zip(got, ordered, strict=True)) if one != other)
                found.append(f"{native.name} got {channel} in disorder: {got[at : at + 3]}, not {ordered[at : at + 3]}")
        return found

    def _silences(self) -> list[str]:
        found = []
        said = self._witness.chronicle.lines
        for silence in self._plant.silences:
            due = silence.began + 2 * silence.cadence
            if silence.ended < due + NOTICED or self._fate.is_disturbed(silence.began - 5.0, due + 5.0):
                continue
            if not _was_said(said, "source.silent", silence.source, due - 0.01, due + NOTICED):
                found.append(f"the silence of {silence.source} at {silence.began:.1f} was not said by {due + NOTICED}")
            elif not self._fate.is_disturbed(silence.ended - 5.0, silence.ended + 5.0) and not _was_said(
                said, "source.returned", silence.source, silence.ended - 0.01, silence.ended + NOTICED
            ):
                found.append(f"the return of {silence.source} at {silence.ended:.1f} was not said")
        return found

    def _lines(self) -> list[str]:
        """The gateway has said nothing of itself that it must never say."""
        found = []
        for line in self._witness.chronicle.lines:
            error = line.fields.get("error")
            if line.event == "ledger.unbalanced":
                found.append(f"at {line.at:.1f}: {line.event} {line.fields}")
            elif line.event == "actor.failed" and type(error).__name__ not in PLANTED and error is not None:
                found.append(f"at {line.at:.1f}: {line.fields['actor']} failed: {error!r}")
            elif line.event == "connection.failed" and type(error).__name__ not in _WHILE_RESTARTING:
                found.append(f"at {line.at:.1f}: {line.event} {error!r}")
        return found


# What a connection comes to grief over when those whom it needs begin anew.
_WHILE_RESTARTING = frozenset({"ActorDeadError", "AskTimeout", *PLANTED})


def _is_followed(native: Native, channel: str) -> bool:
    return any(below(channel, name) if name.endswith("/*") else name == channel for name in native.channels)


def _was_said(lines: Sequence[Said], event: str, source: str, begin: float, end: float) -> bool:
    return any(line.event == event and line.fields["source"] == source and begin <= line.at <= end for line in lines)
