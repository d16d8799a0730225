"""The branch that one node says is the chain: what joins it, what is taken back, what must still be asked.

Rules of this file:

* A block belongs where its parent's hash says, whatever its number. Numbers only grow along a branch; on a beacon
  chain they are slots and may leave some out.
* A head whose parent is on the branch but not its tip takes back what is above the parent: a reorganization.
* A head whose parent is not known waits, and its parent is asked for by hash (``wanted``), and the parent's parent,
  until one is on the branch. That fills gaps and finds the depth of a reorganization alike. Only the newest such line
  waits: a node has one chain.
* After ``fill`` blocks, or when the node cannot tell (``give_up``), the line becomes the branch as it is. What lies
  between is ``missed``, and what the line certainly replaces is taken back.
* A head that is on the branch already is no news: a node behind a balancer says such things.
* Memory is bounded: ``remember`` blocks of the branch, ``fill`` that wait, and ``HASHES_LIMIT`` hashes of
  transactions in all of them; the oldest blocks forget theirs first.

One tracker follows one node: two nodes may see two branches, and both be right for a while.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from domain.chain.ethereum.blocks import Head
from domain.chain.ethereum.reading import AnswerFault

REMEMBERED = 128
"""Blocks of the branch that are kept: the deepest reorganization whose depth can be told."""

HASHES_LIMIT = 50_000
"""Hashes of transactions that are kept, to say which of them a reorganization took out."""


class Linked(msgspec.Struct, frozen=True):
    """A block that joined the branch, ``interval`` seconds after its parent; None if the parent is not known.

    Dev chains repeat their whole seconds, so an interval may be 0. ``is_filled`` says that it was asked for.
    """

    head: Head
    interval: float | None
    is_filled: bool


class Advance(msgspec.Struct, frozen=True):
    """What became of a head: blocks that joined and blocks taken back (lowest first), heights that nobody told."""

    linked: tuple[Linked, ...] = ()
    taken_back: tuple[Head, ...] = ()
    missed: tuple[int, int] | None = None

    @property
    def dropped(self) -> tuple[str, ...]:
        """Hashes of the transactions that were in the blocks taken back and are not in those that joined.

        Only as far as the transactions of both are known by now: a head need not tell them.
        """
        still = {hash_ for linked in self.linked for hash_ in linked.head.transactions or ()}
        taken = dict.fromkeys(hash_ for head in self.taken_back for hash_ in head.transactions or ())
        return tuple(hash_ for hash_ in taken if hash_ not in still)


PACE_BLOCKS = 16
"""Newest blocks that say how fast the chain is: a pause among them is no pace."""

NOTHING = Advance()


class HeadTracker:
    """Follows one node's chain by the hashes of parents."""

    def __init__(self, fill: int, remember: int = REMEMBERED, hashes: int = HASHES_LIMIT) -> None:
        self._fill = fill
        self._remember = remember
        self._hashes = hashes
        # By hash, lowest first: dictionaries keep the order in which they were filled.
        self._branch: dict[str, Head] = {}
        self._line: deque[Head] = deque()
        self._filled: set[str] = set()

    @property
    def tip(self) -> Head | None:
        """The newest block of the branch."""
        return next(reversed(self._branch.values()), None)

    @property
    def wanted(self) -> str | None:
        """The hash of the block that must be asked for before the newest head can join; None if none is missing."""
        return self._line[0].parent if self._line else None

    @property
    def block_time(self) -> float | None:
        """Seconds between two blocks, the middle one of the newest intervals; None if there is none."""
        newest = list(self._branch.values())[-PACE_BLOCKS:]
        steps = sorted((after.at - one.at) / (after.number - one.number) for one, after in pairwise(newest))
        return steps[len(steps) // 2] if steps else None

    def __contains__(self, hash_: object) -> bool:
        return hash_ in self._branch

    def news(self, head: Head) -> Advance:
        """The node says that ``head`` is its newest block.

        Raises:
            AnswerFault: if its number is not above its parent's.
        """
        tip = self.tip
        if tip is None:
            return self._restart([head])
        if head.hash in self._branch:
            if head.hash == tip.hash:
                self._forget_line()
            return NOTHING
        if head.parent in self._branch:
            _check_order(self._branch[head.parent], head)
            self._forget_line()
            return self._join([head])
        self._wait(head)
        return self._overflow() if len(self._line) > self._fill else NOTHING

    def fill(self, head: Head) -> Advance:
        """The node told the block that was ``wanted``; any other is no news.

        Raises:
            AnswerFault: if its number does not fit between its parent's and its child's.
        """
        if head.hash != self.wanted:
            return NOTHING
        parent = self._branch.get(head.parent)
        try:
            _check_order(head, self._line[0])
            if parent is not None:
                _check_order(parent, head)
        except AnswerFault:
            # Who asks again gets the same answer: without this line nothing is asked for.
            self._forget_line()
            raise
        self._line.appendleft(head)
        self._filled.add(head.hash)
        if parent is not None:
            return self._join(list(self._line))
        if len(self._line) > self._fill or head.number <= self._lowest():
            return self._overflow()
        self._bound_hashes()
        return NOTHING

    def learn(self, head: Head) -> None:
        """The transactions of a block on the branch, of which the head said nothing."""
        if head.hash in self._branch:
            self._branch[head.hash] = replace(self._branch[head.hash], transactions=head.transactions)
            self._bound_hashes()

    def give_up(self) -> Advance:
        """The node cannot tell the block that was ``wanted``: go on without it."""
        return self._overflow() if self._line else NOTHING

    def _lowest(self) -> int:
        return next(iter(self._branch.values())).number

    def _wait(self, head: Head) -> None:
        if any(head.hash == waiting.hash for waiting in self._line):
            return
        if not self._line or self._line[-1].hash != head.parent or self._line[-1].number >= head.number:
            self._forget_line()
        self._line.append(head)
        self._bound_hashes()

    def _forget_line(self) -> None:
        self._line.clear()
        self._filled.clear()

    def _join(self, heads: list[Head]) -> Advance:
        """Put ``heads`` on the branch, where the parent of the first one is."""
        taken: deque[Head] = deque()
        while (tip := self.tip) is not None and tip.hash != heads[0].parent:
            taken.appendleft(self._branch.pop(tip.hash))
        return Advance(self._append(heads), tuple(taken))

    def _overflow(self) -> Advance:
        """Take the line as the branch, though nobody knows how the two are connected."""
        heads, tip = list(self._line), self.tip
        first = heads[0].number
        missed: tuple[int, int] | None = None
        taken: tuple[Head, ...] = ()
        if tip is not None and first > tip.number + 1:
            missed = (tip.number + 1, first - 1)
        elif tip is not None:
            # The child of the tip would have the tip as its parent: this one does not.
            taken = tuple(head for head in self._branch.values() if head.number >= min(first, tip.number))
        return replace(self._restart(heads), taken_back=taken, missed=missed)

    def _restart(self, heads: list[Head]) -> Advance:
        self._branch.clear()
        return Advance(self._append(heads))

    def _append(self, heads: list[Head]) -> tuple[Linked, ...]:
        linked = []
        for head in heads:
            before = self.tip
            self._branch[head.hash] = head
            interval = None if before is None else head.at - before.at
            usable = interval is not None and interval >= 0
            linked.append(Linked(head, interval if usable else None, head.hash in self._filled))
        self._forget_line()
        while len(self._branch) > self._remember:
            del self._branch[next(iter(self._branch))]
        self._bound_hashes()
        return tuple(linked)

    def _bound_hashes(self) -> None:
        kept = sum(len(head.transactions or ()) for head in (*self._branch.values(), *self._line))
        if kept <= self._hashes:
            return
        for hash_, head in self._branch.items():
            if kept <= self._hashes:
                return
            kept -= len(head.transactions or ())
            self._branch[hash_] = replace(head, transactions=None)
        for index, head in enumerate(self._line):
            if kept <= self._hashes:
                return
            kept -= len(head.transactions or ())
            self._line[index] = replace(head, transactions=None)


def _check_order(parent: Head, child: Head) -> None:
    if child.number <= parent.number:
        raise AnswerFault("/number", "must be above the number of the block's parent")
