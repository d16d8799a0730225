"""The nodes of a chain: which are fresh, and whose word does not count for a while.

Rules of this file:

* ``catching_up: false`` does not mean fresh: only the age of the newest block and the others' heights tell.
* A node is silent when it has not answered for some block times, and longer than it usually takes between two answers.
  It is heard again with its first answer.
* A node that is behind the others, that says itself that it is catching up, or whose newest block is old although new
  ones come, is put in quarantine and let out when it is there. So is one whose height is ahead of what the others and
  the clock allow, and one whose word the others overruled.
* A node that goes back a few blocks is several nodes behind one address: the lower answers are not heard. One that goes
  back far has begun again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from domain.chain.observations import Provenance
from domain.chain.validators.terms import Terms
from domain.json import JsonObject, JsonValue
from domain.kept import maybe_number, text

_PATIENCE = 1.5
_CADENCE_KEPT = 60.0
"""Seconds in which the longest time between two answers is forgotten by half."""
_FASTEST = 5.0
_USUAL = 4.0
_LEAST = 2.0
_CLAIM_HOLDS = 600.0
"""Seconds for which a height that cannot be keeps a node out, if nobody asks again by the method that told it."""
_OLD_BLOCKS = 3
"""Blocks in a row that are old: the first one behind a halt has the time of the votes before it."""


class Fault(StrEnum):
    """Why a node's word does not count."""

    SILENT = "silent"
    BEHIND = "behind"
    CATCHING_UP = "catching_up"
    OLD = "old"
    AHEAD = "ahead"
    CONTRADICTED = "contradicted"


_BLOCKS_COUNT = frozenset({None, Fault.SILENT, Fault.BEHIND, Fault.CATCHING_UP, Fault.OLD})


class Claim(msgspec.Struct, frozen=True):
    """A ``height`` that cannot be, told by ``method`` and ``observed`` then."""

    height: int
    method: str
    observed: float


class Node(msgspec.Struct):
    """One node: what it said last. ``rose`` is when its newest block came, ``heard`` when it answered last."""

    name: str
    began: float
    height: int | None = None
    head_at: float | None = None
    rose: float | None = None
    heard: float | None = None
    refusal: str | None = None
    is_catching_up: bool = False
    round_trip: float | None = None
    reads: dict[str, int] = msgspec.field(default_factory=dict)
    """The highest height that it answered for, by the method."""
    fault: Fault | None = None
    claim: Claim | None = None
    """Why it is ``ahead``."""
    cadence: float = 0.0
    """The longest that it lately took between two answers, in seconds."""
    climbed: float | None = None
    """When its height last rose while we looked."""
    ignored: int = 0
    old_blocks: int = 0
    """Newest blocks in a row that were old when they came."""

    @property
    def last_heard(self) -> float:
        """When it answered last, or when we began to listen."""
        return self.began if self.heard is None else max(self.began, self.heard)

    def answer(self, at: float, longest: float) -> None:
        """It answered at ``at``; what is longer than ``longest`` seconds is no cadence."""
        # Who owed an answer was away; who was asked nothing was only quiet, as nodes of a chain that stands still are.
        if self.heard is not None and at > self.heard and self.refusal is None:
            step = at - self.heard
            self.cadence = max(min(step, longest), self.cadence * 0.5 ** (step / _CADENCE_KEPT))
        self.heard = at if self.heard is None else max(self.heard, at)
        self.refusal = None

    def document(self, at: float) -> JsonObject:
        """For people and programs."""
        heard, rose = self.heard, self.rose
        return {
            "name": self.name,
            "state": "fresh" if self.fault is None else self.fault.value,
            "height": self.height,
            "claimedHeight": None if self.claim is None else self.claim.height,
            "headAgeMs": None if self.head_at is None else round(max(0.0, at - self.head_at) * 1000),
            "silenceMs": None if heard is None else round(max(0.0, at - heard) * 1000),
            "blockAgeMs": None if rose is None else round(max(0.0, at - rose) * 1000),
            "roundTripMs": None if self.round_trip is None else round(self.round_trip * 1000, 3),
            "fault": self.refusal,
            "ignored": self.ignored,
        }

    def kept(self) -> JsonObject:
        """For the disk."""
        return {
            "name": self.name,
            "height": self.height,
            "head_at": self.head_at,
            "reads": {**self.reads},
            "fault": None if self.fault is None else self.fault.value,
        }


class Moved(msgspec.Struct, frozen=True):
    """``node`` was put in quarantine because of ``fault``, or let out of it when that is None."""

    node: Node
    fault: Fault | None
    before: Fault | None


class Nodes:
    """The nodes of one chain that were heard of, by name."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._kept: dict[str, JsonValue] = {}
        self._moved: list[Moved] = []

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def __len__(self) -> int:
        return len(self._nodes)

    def find(self, name: str, at: float) -> Node:
        """The node ``name``; one that is heard of for the first time at ``at`` begins with what was kept of it."""
        node = self._nodes.get(name)
        if node is None:
            node = self._nodes[name] = Node(name, at)
            kept = self._kept.pop(name, None)
            if isinstance(kept, Mapping):
                _take_up(node, kept)
        return node

    def keep(self, named: frozenset[str]) -> bool:
        """Forget the nodes that are not ``named``; whether there were any."""
        gone = (self._nodes.keys() | self._kept.keys()) - named
        for name in gone:
            self._nodes.pop(name, None)
            self._kept.pop(name, None)
        return bool(gone)

    def trusted(self) -> list[Node]:
        """Those whose word counts."""
        return [node for node in self._nodes.values() if node.fault is None]

    def trusts(self, name: str) -> bool:
        """Whether the word of the node ``name`` on the present counts."""
        node = self._nodes.get(name)
        return node is not None and node.fault is None

    def trusts_blocks(self, name: str) -> bool:
        """Whether the word of the node ``name`` on a block counts: a block is the same from one that is late."""
        node = self._nodes.get(name)
        return node is not None and node.fault in _BLOCKS_COUNT

    def has_others(self, name: str, method: str) -> bool:
        """Whether a node other than ``name``, whose word counts, answered for a height by ``method``."""
        heard = any(node.name != name and method in node.reads for node in self.trusted())
        # Who was not heard of since a restart may still deny it.
        return heard or any(other != name and _was_read(kept, method) for other, kept in self._kept.items())

    def answered(self, node: Node, at: float, longest: float) -> None:
        """``node`` answered: it is not silent; see ``Node.answer``."""
        node.answer(at, longest)
        if node.fault is Fault.SILENT:
            self._move(node, None)

    def refused(self, node: Node, why: str) -> None:
        """``node`` could not be asked."""
        node.refusal = why

    def take_head(self, node: Node, height: int, head_at: float, told: Provenance, head: Head) -> bool:
        """``node`` has the block of ``height`` made at ``head_at``; whether that is heard."""
        at = told.observed
        if head.is_impossible(height, head_at, at, self._others(node)):
            node.claim = Claim(height, told.method, at)
            self._move(node, Fault.AHEAD)
            return False
        if node.fault is Fault.AHEAD and _is_taken_back(node.claim, told):
            node.claim = None
            self._move(node, None)
        if node.height is not None and node.height - head.terms.lag <= height <= node.height:
            node.ignored += height < node.height
            return False
        if node.height is None or height > node.height:
            node.climbed = at if node.rose is not None else None
            node.rose = at
            node.old_blocks = node.old_blocks + 1 if at - head_at > head.old_after else 0
        else:
            node.reads = {}
        node.height, node.head_at = height, head_at
        return node.fault is None

    def look(self, at: float, head: Head) -> list[Moved]:
        """Who is put in quarantine and who is let out, now and since the last look."""
        for node in self._nodes.values():
            # Only an answer ends a silence.
            if node.fault is not Fault.SILENT:
                self._move(node, self._fault_of(node, at, head))
        moved, self._moved = self._moved, []
        return moved

    def distrust(self, name: str) -> None:
        """The others overruled the word of ``name``."""
        node = self._nodes.get(name)
        if node is not None:
            self._move(node, Fault.CONTRADICTED)

    def absolve(self, node: Node) -> None:
        """``node`` says what the others say again."""
        if node.fault is Fault.CONTRADICTED:
            self._move(node, None)

    def kept(self) -> list[JsonValue]:
        """For the disk; those that were not heard of yet stay as they were kept."""
        return [*(node.kept() for node in self._nodes.values()), *self._kept.values()]

    def restore(self, value: JsonValue) -> None:
        """Take up what was kept."""
        for each in value if isinstance(value, list) else ():
            self._kept[text(each, "name")] = each

    def _others(self, node: Node) -> bool:
        return any(each is not node and each.height is not None for each in self.trusted())

    def _fault_of(self, node: Node, at: float, head: Head) -> Fault | None:
        # These are lifted by what it says, and a silence says nothing.
        if node.fault in (Fault.AHEAD, Fault.CONTRADICTED):
            return node.fault
        if self._is_silent(node, at, head):
            return Fault.SILENT
        if node.height is None or node.head_at is None:
            return node.fault
        age, limit = at - node.head_at, head.old_after
        is_rising = node.climbed is not None and at - node.climbed <= head.patience
        behind = head.height - node.height
        # Nodes of a chain that stands still say so too, and have nothing to catch up with.
        is_on_its_way = is_rising or behind > 0 or node.fault is Fault.CATCHING_UP
        if node.is_catching_up and age > limit and is_on_its_way:
            return Fault.CATCHING_UP
        if behind > (head.terms.lag // 2 if node.fault is Fault.BEHIND else head.terms.lag):
            return Fault.BEHIND
        # One that has no new blocks at all may be right: then the chain stands still.
        return Fault.OLD if age > limit and is_rising and node.old_blocks >= _OLD_BLOCKS else None

    def _is_silent(self, node: Node, at: float, head: Head) -> bool:
        silence = at - node.last_heard
        if node.refusal is not None and silence > head.patience:
            return True
        return silence > max(head.patience, _PATIENCE * node.cadence)

    def _move(self, node: Node, fault: Fault | None) -> None:
        if node.fault is not fault:
            before, node.fault = node.fault, fault
            self._moved.append(Moved(node, fault, before))


class Head(msgspec.Struct):
    """The newest block that is believed: its ``height``, the chain's time of it, when it came (``rose``).

    ``block_time`` is None while it is not known.
    """

    terms: Terms
    height: int = -1
    at: float | None = None
    rose: float | None = None
    block_time: float | None = None

    @property
    def patience(self) -> float:
        """Seconds without a block, or an answer, after which something is wrong."""
        if self.block_time is None:
            return self.terms.silence
        return max(_LEAST, self.terms.stale_after * self.block_time)

    @property
    def old_after(self) -> float:
        """Seconds, by the chain's own clock, after which a newest block is old."""
        return self.patience + self.terms.clock_tolerance

    def is_impossible(self, height: int, head_at: float, at: float, has_others: bool) -> bool:  # noqa: FBT001
        """Whether no block of ``height`` can have been made by ``head_at``, by what the others say."""
        if not has_others or self.at is None:
            return False
        if head_at > at + self.terms.clock_tolerance:
            return True
        pace = _FASTEST if self.block_time is None else _USUAL / self.block_time
        return height - self.height > self.terms.lead + max(0.0, head_at - self.at) * pace


def _is_taken_back(claim: Claim | None, told: Provenance) -> bool:
    """Whether ``told``, a height that can be, ends a ``claim``: an honest block says nothing of a lying status."""
    return claim is None or claim.method == told.method or told.observed - claim.observed > _CLAIM_HOLDS


def _take_up(node: Node, kept: JsonObject) -> None:
    height = kept.get("height")
    node.height = height if isinstance(height, int) else None
    node.head_at = maybe_number(kept, "head_at")
    node.reads = heights_of(kept.get("reads"))
    fault = kept.get("fault")
    node.fault = next((each for each in Fault if each.value == fault), None)


def _was_read(kept: JsonValue, method: str) -> bool:
    return isinstance(kept, Mapping) and kept.get("fault") is None and method in heights_of(kept.get("reads"))


def heights_of(value: JsonValue) -> dict[str, int]:
    """Heights by the method that they were read by, as they were kept."""
    rows = value.items() if isinstance(value, Mapping) else ()
    return {method: height for method, height in rows if isinstance(height, int)}
