"""A chain whose blocks come every six seconds, and nodes that say what they are told to."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from domain.chain.observations import (
    BlockSeen,
    BlocksMissed,
    Finalized,
    HeadSeen,
    JailSeen,
    NodeHeard,
    Provenance,
    Reorganized,
    RoundSeen,
    SetChanged,
    SlashingRules,
    ValidatorRow,
    ValidatorsRead,
)
from domain.chain.validators import KINDS, Chains, Terms

CHAIN = "testing-1"
BLOCK_TIME = 6.0
GENESIS = 1_800_000_000.0
ALICE, BOB, CAROL = "AA" * 20, "BB" * 20, "CC" * 20
JAIL_TIME = 600.0


def time_of(height: int) -> float:
    return GENESIS + height * BLOCK_TIME


def record(address=ALICE, *, jailed=False, bond="bonded", **more) -> ValidatorRow:
    return ValidatorRow(address, bond=bond, is_jailed=jailed, **more)


class Rig:
    """One life after another of the rules; ``rows`` and ``events`` are the disk."""

    def __init__(self, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        self.rows: dict[tuple[str, str], object] = {}
        self.events: list = []
        self.told: list = []
        self.seen: list = []
        self.at = time_of(100) + 1.0
        self.named = None
        self.chains = self.begun()

    def begun(self):
        return Chains(lambda: self.terms, lambda: self.named)

    # -- what nodes say

    def place(self, height, node="n1", method="NewBlockEvents", *, history=False, at=None, observed=None):
        moment = time_of(height) if at is None and height is not None else at
        return Provenance(CHAIN, node, method, self.at if observed is None else observed, height, moment, history)

    def head(self, height, node="n1", **more):
        at = more.pop("at", time_of(height))
        return HeadSeen(self.place(height, node, "NewBlockHeader", at=at), height, at, **more)

    def block(self, height, node="n1", *, history=False, **more):
        return BlockSeen(self.place(height, node, history=history), height, time_of(height), **more)

    def jail(self, height, address=ALICE, reason="downtime", node="n1", **place):
        return JailSeen(self.place(height, node, **place), address, reason)

    def change(self, height, powers=((ALICE, 0),), node="n1", **place):
        return SetChanged(self.place(height, node, "ValidatorSetUpdates", **place), tuple(powers))

    def read(self, height, *rows, node="n1", complete=False, method="staking/validators"):
        return ValidatorsRead(self.place(height, node, method), rows or (record(),), complete)

    def missed(self, height, missed, address=ALICE, node="n1"):
        return BlocksMissed(self.place(height, node), address, missed)

    def rules(self, window=2000, least_signed=0.5, jail_time=JAIL_TIME):
        return SlashingRules(self.place(None, method="slashing/params"), window, least_signed, jail_time)

    def round(self, height, number, node="n1"):
        return RoundSeen(self.place(None, node, "NewRound"), height, number)

    def heard(self, node="n1", fault=None):
        return NodeHeard(self.place(None, node, "health"), None if fault else 0.01, fault)

    def back(self, height, depth, node="n1"):
        return Reorganized(self.place(height, node), height, depth)

    def final(self, height, node="n1"):
        return Finalized(self.place(height, node), height)

    # -- what happens

    def say(self, *observations):
        """Have these said now; what was told because of them."""
        return self._done(self.chains.take(observations, self.at))

    def grow(self, first, last, *nodes):
        """The blocks from ``first`` to ``last`` come to ``nodes``, one every six seconds."""
        told = []
        for height in range(first, last + 1):
            self.at = max(self.at, time_of(height) + 1.0)
            told += self.say(*(self.head(height, node) for node in nodes or ("n1",)))
            told += self.look()
        return told

    def look(self):
        return self._done(self.chains.look(self.at))

    def wait(self, seconds, step=0.5, *answers):
        """Time passes; ``answers`` are the nodes that answer meanwhile, without a new block."""
        told = []
        end = self.at + seconds
        while self.at < end:
            self.at = min(end, self.at + step)
            told += self.say(*(self.heard(node) for node in answers)) if answers else []
            told += self.look()
        return told

    def restart(self, chains=None):
        """The process ends here and another begins with what is on the disk."""
        self.chains = chains or self.begun()
        kept = {kind: [(key, value) for (k, key), value in self.rows.items() if k == kind] for kind in KINDS}
        lost = self.chains.restore(kept, self.at)
        assert lost == 0

    def _done(self, outcome):
        self.events += outcome.events
        self.told += outcome.told
        self.seen += outcome.seen
        for row in outcome.rows:
            if row.value is None:
                self.rows.pop((row.kind, row.key), None)
            else:
                self.rows[row.kind, row.key] = row.value
        return list(outcome.events)

    # -- what there is to see

    def validator(self, address=ALICE):
        return self.chains.now(self.at).validator(address)

    def status(self, address=ALICE):
        return self.validator(address)["status"]

    @property
    def chain(self):
        return next(each for each in self.chains.now(self.at).chains() if each["chain"] == CHAIN)

    @property
    def types(self):
        return [event.type for event in self.events]

    def of(self, type_, address=None):
        return [
            event
            for event in self.events
            if event.type == type_ and (address is None or event.data["validator"] == address)
        ]

    def alerts(self, address=None):
        """What was told as jailed, each once."""
        told = self.of("validator.status", address)
        return [event for event in told if event.data["status"] in ("JAILED", "TOMBSTONED")]

    def begin(self, *rows, nodes=("n1",)):
        """Blocks 100 to 105 and the records of 105, in which nobody is jailed."""
        self.say(self.rules())
        self.grow(100, 105, *nodes)
        for node in nodes:
            self.say(self.read(105, *(rows or (record(), record(BOB))), node=node))
        self.events.clear()
        self.told.clear()
        self.seen.clear()
        return self

    def with_terms(self, **terms):
        self.terms = replace(self.terms, **terms)
        return self


@pytest.fixture
def rig():
    return Rig()


@pytest.fixture
def make_rig():
    return Rig


@pytest.fixture
def make_record():
    return record


@pytest.fixture
def chain_time():
    return time_of
