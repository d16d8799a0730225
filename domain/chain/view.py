"""What is known of the chain: everything its events have told, in bounded memory.

Rules of this file:

* No clock: the time of receipt is an argument (Unix seconds).
* An event whose data has faults changes nothing and is counted in ``refused``.
* An event whose own ``time`` lies more than ``stale_after`` seconds before its receipt is history: it counts in the
  totals and stands in the lists, but says nothing about now (rate, latency, newest block, consensus).
* What is older than this life (``began``) was not watched: it counts in the totals of its own minute and in no rate of
  one, and not at all where an earlier life has counted it.
* A settled transaction stays so, unless an event says that its block was taken back (``takenBack``).
* The newest block is the highest; a lower one takes its place only once the newest is stale, as after a chain began
  anew.

``domain.chain.now`` reads it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from domain.chain.fields import BLOCK, CONSENSUS, PEER, TRANSACTION, VALIDATOR, faults_of, is_chain_event, known
from domain.chain.latencies import Latencies
from domain.chain.rate import Rate
from domain.chain.rosters import Entry, Peers, Recent, Validators
from domain.chain.series import Cell, Tally
from domain.chain.settlements import Settlements
from domain.chain.unknown import Document
from domain.chain.watch import Watch
from domain.event import Event
from domain.json import JsonValue
from domain.moment import parse_rfc3339

RECENT_LIMIT = 100
"""How many of the newest blocks and transactions are kept."""

HISTORY_LIMIT = 60
"""How many rows of history (one a second) are kept."""


_OF_ITS_STATE = ("reason", "since", "sinceAt", "jailedUntil")
"""What an event of a validator says by null too: who was released has no reason to be jailed."""

_OF_ITS_BLOCK = frozenset({"blockHeight", "gasUsed", "fee", "latencyMs", "finalityMs"})


class ChainView:
    """The state of one chain, fed by ``take``. Rates are over ``window`` seconds."""

    def __init__(self, window: float, stale_after: float, target_tps: int | None = None) -> None:
        self.window = window
        self.stale_after = stale_after
        self.target_tps = target_tps
        self.rate = Rate(window)
        self.latencies = Latencies(window)
        self.settlements = Settlements(stale_after, max(window, stale_after))
        self.tally = Tally()
        self.watch = Watch(stale_after)
        self.validators = Validators()
        self.peers = Peers()
        self.block: Entry | None = None
        self.consensus: Entry | None = None
        self.blocks = Recent[int](RECENT_LIMIT)
        self.transactions = Recent[str](RECENT_LIMIT)
        self.history: deque[Document] = deque(maxlen=HISTORY_LIMIT)
        self.heard: dict[str, float] = {}
        self.newest: dict[str, Event] = {}
        self.late: dict[str, float] = {}
        self.counted_at: float | None = None
        self.has_rate = False
        self.began = 0.0
        self._counted_to = -1
        self.refused = 0
        self._take = {
            TRANSACTION: self._take_transaction,
            VALIDATOR: self._take_validator,
            CONSENSUS: self._take_consensus,
            PEER: self._take_peer,
            BLOCK: self._take_block,
        }

    def take(self, event: Event, at: float) -> None:
        """Learn what ``event`` tells, received at ``at``; other events than the chain's are nothing to this view."""
        if not is_chain_event(event):
            return
        if faults_of(event):
            self.refused += 1
            return
        self.heard[event.type] = at
        self.newest[event.type] = event
        told = _told(event, at)
        is_late = at - told.at > self.stale_after
        if is_late:
            self.late[event.type] = at - told.at
        self.peers.forget(at)
        self._take[event.type](event, told, at, is_late=is_late)

    def recall(self, peaks: Iterable[tuple[float, float]], height: int | None) -> None:
        """Take up what an earlier life kept: ``peaks`` as ``Rate`` has them; it counted the blocks up to ``height``."""
        self.rate.restore(peaks)
        self._counted_to = -1 if height is None else height

    def note(self, row: Document) -> None:
        """Keep ``row`` as the newest of the history."""
        self.history.append(row)

    def _take_transaction(self, _event: Event, told: Entry, at: float, *, is_late: bool) -> None:
        name, height = str(told.members["txHash"]), _integer(told, "blockHeight")
        is_taken_back = told.members.get("takenBack") is True
        if is_taken_back:
            self.settlements.take_back(name)
        elif self.settlements.is_settled(name):
            return
        self.transactions.take(name, told, _OF_ITS_BLOCK if is_taken_back else ())
        if told.members["status"] == "PENDING":
            self.settlements.add_pending(name, at)
            return
        cell = self._cell_of(told, height, at, is_late=is_late)
        if not is_late:
            self._take_latency(name, told.members.get("latencyMs"), at, cell)
        has_succeeded = told.members["status"] == "SUCCESS"
        count = self.settlements.settle(name, succeeded=has_succeeded, height=height, at=at)
        cell.confirmed += has_succeeded
        cell.failed += not has_succeeded
        cell.transactions += count
        _take_finality(told, cell)
        if not is_late:
            self._count_live(cell, told, count)
            self.counted_at = at
            if count:
                self.has_rate = True
                self.rate.add(at, count)

    def _take_latency(self, name: str, carried: JsonValue, at: float, cell: Cell) -> None:
        waited = self.settlements.waited(name, at)
        latency = waited * 1000 if waited is not None else None
        if isinstance(carried, int | float):
            latency = carried
        if latency is not None:
            self.latencies.add(at, latency)
            cell.latency.add(latency)

    def _take_block(self, event: Event, told: Entry, at: float, *, is_late: bool) -> None:
        height, transactions = _height(told), _integer(told, "transactions")
        before = self.blocks.newest()
        interval = _interval(before, told)
        cell = self._cell_of(told, height, at, is_late=is_late)
        if self.blocks.get(height) is None:
            _note_block(cell, height, interval)
        _take_finality(told, cell)
        self.blocks.take(height, told)
        if transactions is not None:
            count = self.settlements.close_block(height, transactions, at)
            cell.transactions += count
            if not is_late:
                self.counted_at = at
                # The first block of a chain that does not say its block time tells a count, but of what interval?
                if interval is not None:
                    self._count_live(cell, told, count)
                    self._count_block(count, transactions, interval, told, at)
        if not is_late and self._is_newest(height, at):
            data = dict(event.data) if isinstance(event.data, Mapping) else {}
            if data.get("blockTime") is None and interval is not None and told.timed and before and before.timed:
                data["blockTime"] = round(interval * 1000)
            self.block = Entry(data, at, event.source)

    def _cell_of(self, told: Entry, height: int | None, at: float, *, is_late: bool) -> Cell:
        """Where what was ``told`` of the block at ``height`` is counted for the history."""
        if told.at >= self.began:
            return self.tally.at(told.at if is_late else at)
        was_counted = told.timed and height is not None and height <= self._counted_to
        return Cell() if was_counted else self.tally.at(told.at)

    def _count_live(self, cell: Cell, told: Entry, count: int) -> None:
        if told.at >= self.began:
            cell.live += count

    def _count_block(self, count: int, transactions: int, interval: float, told: Entry, at: float) -> None:
        # Transactions that came one by one make a smooth rate; their block must not hold the window's end.
        if count or not transactions:
            self.has_rate = True
            self.rate.add_block(told.at, count, interval, at)

    def _is_newest(self, height: int, at: float) -> bool:
        block = self.block
        return block is None or at - block.at > self.stale_after or height >= _height(block)

    def _take_validator(self, event: Event, told: Entry, _at: float, *, is_late: bool) -> None:
        del is_late
        data = event.data if isinstance(event.data, Mapping) else {}
        outdated = [name for name in _OF_ITS_STATE if name in data and data[name] is None]
        self.validators.take(str(told.members["validator"]), told, outdated)

    def _take_peer(self, _event: Event, told: Entry, _at: float, *, is_late: bool) -> None:
        del is_late
        self.peers.take(str(told.members["peerId"]), told)

    def _take_consensus(self, _event: Event, told: Entry, at: float, *, is_late: bool) -> None:
        if not is_late:
            self.consensus = Entry(told.members, at, told.source)


def _told(event: Event, at: float) -> Entry:
    """What ``event`` tells: when it was so is the source's word if it gave one, but never after its receipt."""
    if event.time is None:
        return Entry(known(event), at, event.source)
    return Entry(known(event), min(parse_rfc3339(event.time), at), event.source, timed=True)


def _note_block(cell: Cell, height: int, interval: float | None) -> None:
    """Count a block that was not told of before, ``interval`` seconds after the one before it."""
    cell.blocks += 1
    cell.height = height if cell.height is None else max(height, cell.height)
    if interval is not None:
        cell.block_time.add(interval * 1000)


def _take_finality(told: Entry, cell: Cell) -> None:
    finality = told.members.get("finalityMs")
    if isinstance(finality, int | float):
        cell.finality.add(finality)


def _integer(told: Entry, name: str) -> int | None:
    value = told.members.get(name)
    return value if isinstance(value, int) else None


def _height(block: Entry) -> int:
    # Every block event has one: without it there are faults.
    return _integer(block, "blockHeight") or 0


def _interval(before: Entry | None, told: Entry) -> float | None:
    """Seconds between this block and the one before it: as told, or between the moments of the two."""
    block_time = _integer(told, "blockTime")
    if block_time is not None:
        return block_time / 1000
    if before is None or _height(told) <= _height(before):
        return None
    return max(0.0, told.at - before.at) / (_height(told) - _height(before))
