"""What is known of a chain as a whole: its newest block, whether it goes on, whether anybody hears it.

Rules of this file:

* A chain is stale when no node's word counts, and halted when nodes answer, one of them with the newest block, and no
  block comes to any of them for some block times, or rounds of consensus go by without one. Both are told once, and
  their end.
* A block that is lower than the newest and younger than it, when nobody has the newest any more, is of a chain that
  began anew: what was known of validators is known no more.
"""

from __future__ import annotations

from domain.chain.observations import Provenance
from domain.chain.validators import telling
from domain.chain.validators.evidence import NOTHING_KNOWN
from domain.chain.validators.halts import Halts
from domain.chain.validators.judging import Court
from domain.chain.validators.line import Line
from domain.chain.validators.nodes import Head, Moved, Node, Nodes, heights_of
from domain.chain.validators.outcome import Outcome
from domain.chain.validators.pace import Pace
from domain.chain.validators.rules import Rules, rules_of
from domain.chain.validators.signals import Signals
from domain.chain.validators.states import Status
from domain.chain.validators.terms import Terms
from domain.chain.validators.validator import Validator
from domain.json import JsonObject
from domain.kept import integer, maybe_integer, maybe_number

VALIDATORS_LIMIT = 10_000
_BEACON = "0x"


class Chain:
    """The chain ``name``, and what is remembered of it; its layers share ``halts``."""

    def __init__(self, name: str, terms: Terms, halts: Halts) -> None:
        self.name = name
        self.halts = halts
        self.head = Head(terms)
        self.nodes = Nodes()
        self.pace = Pace()
        self.signals = Signals()
        self.told = Line()
        self.validators: dict[str, Validator] = {}
        self.weighing: dict[str, None] = {}
        self.touched: set[str] = set()
        """Validators that may have changed since they were kept."""
        self.rules: Rules | None = None
        self.watermarks: dict[str, int] = {}
        self.complete = -1
        self.finalized: int | None = None
        self.has_finality = False
        self.is_stale = False
        self.is_halted = False
        self.is_heard = False
        self.has_changed = False
        self.left_out = 0
        self._round = (0, 0)

    @property
    def is_blind(self) -> bool:
        """Whether nobody can say what is so now."""
        return self.is_stale or not self.is_heard

    def scene(self, at: float) -> telling.Scene:
        """What it is like at ``at``."""
        return telling.Scene(self.name, at, self.head, self.head.terms, self.rules)

    def court(self, *, of_block: bool = False, is_behind: bool = False) -> Court:
        """What one judges by: what a block says, or a record that may be below the watermark."""
        terms = self.head.terms
        return Court(
            self.nodes.trusts_blocks if of_block else self.nodes.trusts,
            self.is_final,
            self.nodes.has_others,
            terms.history_after,
            terms.stands_for,
            None if self.rules is None else self.rules.jail_time,
            is_behind=is_behind,
        )

    def is_final(self, height: int) -> bool:
        """Whether ``height`` can be taken back no more."""
        return not self.has_finality or (self.finalized is not None and height <= self.finalized)

    def take_rules(self, rules: Rules) -> None:
        """The chain goes by ``rules``."""
        if rules != self.rules:
            self.rules = rules
            self.has_changed = True

    def find(self, address: str) -> Validator | None:
        """The validator at ``address``, made if it is new; None if there are too many."""
        self.touched.add(address)
        validator = self.validators.get(address)
        if validator is None:
            if len(self.validators) >= VALIDATORS_LIMIT:
                self.left_out += 1
                return None
            validator = self.validators[address] = Validator(address)
            # Validators of beacon chains are named by their keys, and a beacon chain takes blocks back.
            self.has_finality = self.has_finality or address.startswith(_BEACON)
        return validator

    def is_ahead(self, height: int) -> bool:
        """Whether no node can have records of ``height`` yet."""
        return self.head.height >= 0 and height > self.head.height + self.head.terms.lead

    def part_with(self, named: frozenset[str]) -> None:
        """Forget the nodes that are not ``named`` any more: nobody asks them, so they are not silent."""
        if self.nodes.keep(named):
            self.has_changed = True

    # -- the newest block -------------------------------------------------------------------------------------

    def advance(self, node: Node, height: int, head_at: float, observed: float, out: Outcome) -> None:
        """``node`` has the block of ``height``."""
        head = self.head
        if height <= head.height:
            return
        self.pace.note(height, head_at)
        head.height, head.at, head.rose = height, head_at, observed
        head.block_time = self.pace.block_time
        if self.is_halted:
            self.is_halted = False
            self.has_changed = True
            if self.halts.end(self.name, observed):
                scene = self.scene(observed)
                out.events.append(telling.of_chain(scene, telling.RESUMED, [node], f"block {height} was made"))

    def note_round(self, height: int, number: int) -> None:
        """The consensus on ``height`` is in its round ``number``."""
        self._round = max(self._round, (height, number))

    def has_begun_anew(self, node: Node, height: int, head_at: float) -> bool:
        """Whether a block says that the chain is another one than it was."""
        head = self.head
        if head.at is None or height >= head.height - head.terms.lag or head_at <= head.at:
            return False
        others = (each for each in self.nodes.trusted() if each is not node and each.height is not None)
        return all(each.height is None or each.height < head.height - head.terms.lag for each in others)

    def begin_anew(self, told: Provenance, height: int, out: Outcome) -> None:
        """Forget what was known: the newest block is that of ``height``."""
        depth = self.head.height - height
        data: JsonObject = {"first": height, "depth": depth, "why": "the chain began anew"}
        out.events.append(telling.of_observation(self.scene(told.observed), telling.REORGANIZED, told, data))
        self.take_back("", 0)
        self.finalized = None
        self.head.at = None
        for validator in self.validators.values():
            fresh = Validator(validator.address, validator.operator, validator.moniker)
            fresh.change(NOTHING_KNOWN)
            self.validators[validator.address] = fresh
        self.weighing.clear()
        self.touched |= self.validators.keys()

    def take_back(self, source: str, height: int) -> None:
        """The blocks from ``height`` on are no more, says ``source``; all say so if it is empty."""
        self.signals.forget(height)
        self.told.take_back(height)
        self.pace.begin_anew()
        self.head.height = min(self.head.height, height - 1)
        self.watermarks = {method: min(each, height - 1) for method, each in self.watermarks.items()}
        self.complete = min(self.complete, height - 1)
        for node in self.nodes:
            if source in ("", node.name):
                node.reads = {}
                if node.height is not None and node.height >= height:
                    node.height = height - 1
        self.has_changed = True

    # -- time -------------------------------------------------------------------------------------------------

    def look(self, at: float, out: Outcome) -> None:
        """See who is silent, and whether the chain goes on."""
        self._tell_moves(self.nodes.look(at, self.head), at, out)
        self.settle_freshness(at, out)
        self._look_for_a_halt(at, out)

    def settle_freshness(self, at: float, out: Outcome) -> None:
        """Tell that nobody hears the chain, or that somebody does again."""
        is_heard = any(node.heard is not None for node in self.nodes.trusted())
        is_stale = len(self.nodes) > 0 and not self.nodes.trusted()
        if is_stale is self.is_stale or not (is_stale or is_heard):
            return
        self.is_stale = is_stale
        self.has_changed = True
        scene = self.scene(at)
        why = "no node can be relied on" if is_stale else "a node can be relied on again"
        type_ = telling.STALE if is_stale else telling.FRESH
        out.events.append(telling.of_chain(scene, type_, list(self.nodes), why))
        known = [each for each in self.validators.values() if each.status is not Status.UNKNOWN]
        out.told += [telling.status(scene, validator, is_stale=is_stale) for validator in known]

    def _tell_moves(self, moves: list[Moved], at: float, out: Outcome) -> None:
        for moved in moves:
            self.has_changed = True
            out.events.append(telling.of_node(self.scene(at), moved))

    def _look_for_a_halt(self, at: float, out: Outcome) -> None:
        head, trusted = self.head, self.nodes.trusted()
        if self.halts.told_at(self.name) is not None or not trusted or head.height < 0:
            return
        # Nodes may stand still at heights of their own; but if nobody is there who had the newest block, it went on.
        if not any(node.height is not None and node.height >= head.height for node in trusted):
            return
        rose = max(self.halts.ended, *(node.began if node.rose is None else node.rose for node in trusted))
        quiet, heard = at - rose, max(node.last_heard for node in trusted)
        # An answer that came before the block was due says nothing about why it did not come.
        if heard - rose < head.patience:
            return
        terms = head.terms
        limit = 2 * terms.silence if head.block_time is None else terms.halted_after * head.block_time
        rounds = self._round[1] if self._round[0] > head.height else 0
        if quiet <= max(limit, head.patience) and rounds < terms.rounds:
            return
        self.has_changed = self.has_changed or not self.is_halted
        self.is_halted = True
        if self.halts.covers(head.at):
            return
        self.halts.tell(self.name, at)
        self.has_changed = True
        why = f"no block for {quiet:.0f} s, and {len(trusted)} nodes that answer are at {_heights(trusted)}"
        out.events.append(telling.of_chain(self.scene(at), telling.HALTED, trusted, why, {"round": rounds}))

    # -- the disk ---------------------------------------------------------------------------------------------

    def kept(self) -> JsonObject:
        """For the disk."""
        return {
            "head": self.head.height,
            "head_at": self.head.at,
            "told_to": self.told.height,
            "block_time": self.head.block_time,
            "watermarks": {**self.watermarks},
            "complete": self.complete,
            "finalized": self.finalized,
            "finality": self.has_finality,
            "stale": self.is_stale,
            "halted": self.is_halted,
            "halt_told": self.halts.told_at(self.name),
            "rules": None if self.rules is None else self.rules.kept(),
            "nodes": self.nodes.kept(),
        }

    def restore(self, value: JsonObject) -> None:
        """Take up what was kept.

        Raises:
            Unreadable: if it is nothing that was kept.
        """
        self.head.height = integer(value, "head")
        self.head.at = maybe_number(value, "head_at")
        told_to = maybe_integer(value, "told_to")
        # Before the first block that was told there is only the head where we began to look.
        self.told = Line(self.head.height if told_to is None or told_to < 0 else told_to)
        self.head.block_time = maybe_number(value, "block_time")
        self.pace = Pace(self.head.block_time)
        self.watermarks = heights_of(value.get("watermarks"))
        self.complete = integer(value, "complete")
        self.finalized = maybe_integer(value, "finalized")
        self.has_finality = value.get("finality") is True
        self.is_stale = value.get("stale") is True
        self.is_halted = value.get("halted") is True
        told_at = maybe_number(value, "halt_told")
        if told_at is not None:
            self.halts.tell(self.name, told_at)
        self.rules = rules_of(value.get("rules"))
        self.nodes.restore(value.get("nodes"))


def _heights(nodes: list[Node]) -> str:
    known = sorted({node.height for node in nodes if node.height is not None})
    return f"height {known[0]}" if len(known) == 1 else f"heights {known[0]} to {known[-1]}"
