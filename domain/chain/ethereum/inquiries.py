"""Blocks that have joined the branch and of which not everything is known yet.

Rules of this file:

* Blocks are told in the order in which they joined, each once, when all that was asked about it was answered or
  refused. So a block is never told twice, and never before its parent.
* Only the first ``TOGETHER`` blocks are asked about at a time; the others wait for their turn, which bounds what is
  under way while a gap is filled. Beyond ``limit`` the oldest are told with what is known.
* ``failed`` is known only if every transaction's receipt says how it ended. One without a status says nothing.
* Where a node has no receipts by block they are asked one by one, at most ``RECEIPTS_LIMIT`` of a block.
"""

from __future__ import annotations

from collections import deque

from domain.chain.ethereum.blocks import Receipt, Transfer
from domain.chain.ethereum.calls import Call, block, block_receipts, receipt
from domain.chain.ethereum.heads import Linked
from domain.chain.observations import BlockSeen, Provenance, TransactionSeen

TOGETHER = 4
"""Blocks that are asked about at the same time."""

RECEIPTS_LIMIT = 64
"""Receipts of one block that are asked for one by one."""


class Inquiry:
    """One block: what is known of it, and which calls are still to be answered."""

    __slots__ = ("_begun", "_follow", "linked", "method", "open", "receipts", "transfers")

    def __init__(self, linked: Linked, method: str, *, follow: bool) -> None:
        self.linked = linked
        self.method = method
        self.transfers: tuple[Transfer, ...] | None = None
        self.receipts: dict[str, Receipt] = {}
        self.open: set[Call] = set()
        self._follow = follow
        self._begun = False
        hashes = linked.head.transactions
        # Of a block without transactions, or whose number alone is wanted, the head has said everything.
        if hashes is not None and (not hashes or not follow):
            self.transfers = tuple(Transfer(hash_) for hash_ in hashes)

    def begin(self, *, by_block: bool) -> list[Call]:
        """What to ask now; ``by_block`` if the node may have the receipts of whole blocks."""
        if self._begun:
            return []
        self._begun = True
        calls = []
        hash_ = self.linked.head.hash
        if self.transfers is None:
            calls.append(block(hash_, is_full=self._follow))
            if self._follow and by_block:
                calls.append(block_receipts(hash_))
        self.open |= set(calls)
        return calls

    def close(self, call: Call) -> None:
        """``call`` was answered, or never will be."""
        self.open.discard(call)

    def ask_receipts(self) -> list[Call]:
        """The receipts one by one, for a node that has none by block; none before the transactions are known."""
        if not self._follow or self.receipts:
            return []
        calls = [receipt(transfer.hash) for transfer in (self.transfers or ())[:RECEIPTS_LIMIT]]
        self.open |= set(calls)
        return calls

    def take_receipts(self, receipts: tuple[Receipt, ...]) -> None:
        """Keep the ``receipts`` that are of this block."""
        self.receipts |= {told.hash: told for told in receipts if told.block == self.linked.head.hash}

    @property
    def is_complete(self) -> bool:
        """Whether nothing more will be known."""
        return self._begun and not self.open

    def block_seen(self, provenance: Provenance) -> BlockSeen:
        """The block, as it is known."""
        head = self.linked.head
        hashes = head.transactions
        count = len(self.transfers) if self.transfers is not None else None if hashes is None else len(hashes)
        return BlockSeen(
            provenance,
            head.number,
            head.at,
            head.hash,
            head.parent,
            transactions=count,
            failed=self._failed(),
            interval=self.linked.interval,
        )

    def transactions_seen(self, provenance: Provenance) -> list[TransactionSeen]:
        """The transactions of the block whose receipts say how they ended."""
        sent = {transfer.hash: transfer for transfer in self.transfers or ()}
        seen = []
        for told in self.receipts.values():
            transfer = sent.get(told.hash)
            if told.outcome is None or (self.transfers is not None and transfer is None):
                continue
            value = None if transfer is None or transfer.value is None else str(transfer.value)
            seen.append(
                TransactionSeen(
                    provenance,
                    told.hash,
                    told.outcome,
                    told.sender or (transfer.sender if transfer else None),
                    told.recipient or (transfer.recipient if transfer else None),
                    value,
                    told.gas_used,
                    None if told.fee is None else str(told.fee),
                )
            )
        return seen

    def _failed(self) -> int | None:
        if self.transfers is None:
            return None
        outcomes = [told.outcome if (told := self.receipts.get(sent.hash)) else None for sent in self.transfers]
        return None if None in outcomes else outcomes.count("FAILED")


class Inquiries:
    """The blocks that wait to be told, in the order in which they joined."""

    def __init__(self, limit: int, *, follow: bool) -> None:
        self._limit = limit
        self._follow = follow
        self._waiting: deque[Inquiry] = deque()
        self._by_call: dict[Call, Inquiry] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, linked: Linked, method: str) -> None:
        """Wait for what is to be known of a block that joined; ``method`` is how it was heard of."""
        self._waiting.append(Inquiry(linked, method, follow=self._follow))

    def remove(self, hash_: str) -> None:
        """The block ``hash_`` was taken back before it was told."""
        for inquiry in [waiting for waiting in self._waiting if waiting.linked.head.hash == hash_]:
            self._waiting.remove(inquiry)
            self._release(inquiry)

    def of(self, call: Call) -> Inquiry | None:
        """The block that ``call`` was asked for."""
        return self._by_call.get(call)

    def begin(self, *, by_block: bool) -> list[Call]:
        """What is to be asked now."""
        calls = []
        for inquiry in list(self._waiting)[:TOGETHER]:
            begun = inquiry.begin(by_block=by_block)
            self._note(inquiry, begun)
            calls += begun
        return calls

    def ask_receipts(self, inquiry: Inquiry) -> list[Call]:
        """The receipts of a block one by one."""
        calls = inquiry.ask_receipts()
        self._note(inquiry, calls)
        return calls

    def close(self, call: Call) -> None:
        """``call`` was answered, or never will be."""
        inquiry = self._by_call.pop(call, None)
        if inquiry is not None:
            inquiry.close(call)

    def finished(self, *, is_lost: bool = False) -> list[Inquiry]:
        """The blocks whose turn it is to be told; all of them if the link is lost."""
        done = []
        while self._waiting and (is_lost or self._waiting[0].is_complete or len(self._waiting) > self._limit):
            inquiry = self._waiting.popleft()
            self._release(inquiry)
            done.append(inquiry)
        return done

    def _note(self, inquiry: Inquiry, calls: list[Call]) -> None:
        self._by_call |= dict.fromkeys(calls, inquiry)

    def _release(self, inquiry: Inquiry) -> None:
        for call in inquiry.open:
            self._by_call.pop(call, None)
