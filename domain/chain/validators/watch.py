"""One chain under watch: its head, its nodes, its validators, and what follows from what the nodes say.

Rules of this file:

* Every answer of a node shows that the node lives; what it says of the chain counts as far as the node is trusted.
* Records are read monotonically: what a node says of a height below one it spoke of before is not heard, and below the
  watermark, the highest height that records were read at, an answer can only confirm or deny what is known.
* A chain that stands still, or that nobody hears, says nothing about its validators: it is told once, for the chain.
* What is known of the present outlives the process; nothing that was told is told again.
"""

from __future__ import annotations

from msgspec.structs import replace

from domain.chain.observations import (
    BlockSeen,
    BlocksMissed,
    Finalized,
    HeadSeen,
    HeightsMissed,
    JailSeen,
    NodeHeard,
    Observation,
    Provenance,
    Reorganized,
    RoundSeen,
    SetChanged,
    SlashingRules,
    ValidatorsRead,
)
from domain.chain.validators import telling
from domain.chain.validators.evidence import Evidence
from domain.chain.validators.halts import Halts
from domain.chain.validators.judging import Told, Verdict, Word, contest, judge, take_back
from domain.chain.validators.nodes import Node
from domain.chain.validators.outcome import Outcome
from domain.chain.validators.reading import Reading
from domain.chain.validators.rules import Rules
from domain.chain.validators.states import Kind
from domain.chain.validators.surveillance import Chain
from domain.chain.validators.terms import Terms
from domain.chain.validators.validator import Validator
from domain.json import JsonObject


class Watch:
    """Watches the chain ``name``, one layer of which tells the halts of all of them."""

    def __init__(self, name: str, terms: Terms, halts: Halts) -> None:
        self.chain = Chain(name, terms, halts)
        self._reading = Reading(self.chain, self._rule)

    def take(self, observation: Observation, at: float, out: Outcome) -> None:
        """Learn what a node said, received and judged at ``at`` (Unix seconds)."""
        chain, told = self.chain, observation.provenance
        node = chain.nodes.find(told.source, at)
        if not told.is_history and not (isinstance(observation, NodeHeard) and observation.fault is not None):
            chain.nodes.answered(node, told.observed, chain.head.terms.silence)
            chain.is_heard = True
        match observation:
            case HeadSeen(height=height, at=head_at, is_catching_up=is_catching_up):
                node.is_catching_up = is_catching_up is True
                self._take_head(node, height, head_at, told, out)
            case BlockSeen():
                self._take_block(node, observation, out)
            case JailSeen():
                self._take_jail(observation, at, out)
            case SetChanged():
                self._take_set(observation, at, out)
            case BlocksMissed():
                self._take_missed(observation, at, out)
            case SlashingRules():
                chain.take_rules(Rules(observation.window, observation.least_signed, observation.jail_time))
            case ValidatorsRead():
                self._reading.take(node, observation, at, out)
            case _:
                self._take_other(node, observation, at, out)
        chain.settle_freshness(at, out)

    def look(self, at: float, out: Outcome) -> None:
        """See what time has done."""
        chain = self.chain
        chain.look(at, out)
        for address in list(chain.weighing):
            self._weigh(chain.validators[address], at, out)
        for validator in chain.validators.values():
            if not validator.was_freed and telling.can_unjail(validator.standing, at):
                validator.was_freed = True
                if not chain.is_blind:
                    out.told.append(telling.status(chain.scene(at), validator))

    # -- blocks -----------------------------------------------------------------------------------------------

    def _take_head(self, node: Node, height: int, head_at: float, told: Provenance, out: Outcome) -> None:
        chain = self.chain
        if chain.has_begun_anew(node, height, head_at):
            chain.begin_anew(told, height, out)
        if chain.nodes.take_head(node, height, head_at, told, chain.head):
            chain.advance(node, height, head_at, told.observed, out)

    def _take_block(self, node: Node, block: BlockSeen, out: Outcome) -> None:
        chain, told = self.chain, block.provenance
        if chain.nodes.trusts_blocks(node.name):
            chain.signals.note_block(block.height)
            chain.told.tell(block.height)
            proposer = None if block.proposer is None else chain.validators.get(block.proposer)
            if proposer is not None and (proposer.proposed is None or proposer.proposed < block.height):
                proposer.proposed = block.height
        if not told.is_history:
            self._take_head(node, block.height, block.at, told, out)

    def _take_jail(self, jail: JailSeen, at: float, out: Outcome) -> None:
        chain, told = self.chain, jail.provenance
        height = told.height
        validator = chain.find(jail.address)
        if height is None or validator is None:
            return
        kind = Kind.BLOCK_TOMBSTONED if jail.reason == "double_sign" else Kind.BLOCK_JAILED
        evidence = Evidence.of(kind, told, height)
        said = judge(validator, evidence, chain.court(of_block=True), Told(jail.reason))
        self._rule(validator, said, at, out)
        self._weigh(validator, at, out)

    def _take_set(self, change: SetChanged, at: float, out: Outcome) -> None:
        chain, told = self.chain, change.provenance
        height = told.height
        if height is None or not chain.nodes.trusts_blocks(told.source):
            return
        chain.signals.note_set(height, [address for address, power in change.powers if power == 0])
        court = chain.court(of_block=True)
        for address, power in change.powers:
            validator = chain.find(address)
            if validator is None:
                continue
            validator.take_power(power, height)
            kind = Kind.SET_JOINED if power else Kind.SET_LEFT
            self._rule(validator, judge(validator, Evidence.of(kind, told, height), court), at, out)
        for address in list(chain.weighing):
            self._weigh(chain.validators[address], at, out)

    def _weigh(self, validator: Validator, at: float, out: Outcome) -> None:
        """Compare the two signals of the block that jailed ``validator``, once both had the time to come."""
        chain = self.chain
        if validator.is_weighed:
            chain.weighing.pop(validator.address, None)
            return
        why = chain.signals.fault_of(validator, chain.head.height, at)
        if why is None:
            chain.weighing[validator.address] = None
            return
        validator.is_weighed = True
        chain.weighing.pop(validator.address, None)
        if why:
            self._rule(validator, contest(validator, validator.standing.evidence[-1], why), at, out)

    def _take_missed(self, said: BlocksMissed, at: float, out: Outcome) -> None:
        chain, told = self.chain, said.provenance
        validator = chain.find(said.address)
        if validator is None or told.height is None or not chain.nodes.trusts_blocks(told.source):
            return
        validator.take_missed(said.missed, told.height, said.window)
        if not told.is_history:
            self._reading.weigh_risk(validator, told, at, out)

    # -- the rest ---------------------------------------------------------------------------------------------

    def _take_other(self, node: Node, observation: Observation, at: float, out: Outcome) -> None:
        chain, told = self.chain, observation.provenance
        match observation:
            case RoundSeen(height=height, round=number):
                chain.note_round(height, number)
            case NodeHeard(round_trip=round_trip, fault=fault):
                node.round_trip = round_trip
                if fault is not None:
                    chain.nodes.refused(node, fault)
            case Reorganized(height=height, depth=depth):
                self._take_back(told, height, depth, at, out)
            case Finalized(height=height):
                self._finalize(told, height, at, out)
            case HeightsMissed(first=first, last=last, reason=reason):
                chain.told.tell(first, last)
                missed: JsonObject = {"first": first, "last": last, "count": last - first + 1, "reason": reason}
                out.events.append(
                    telling.of_observation(chain.scene(at), telling.MISSED, replace(told, height=last), missed)
                )

    def _take_back(self, told: Provenance, height: int, depth: int, at: float, out: Outcome) -> None:
        chain = self.chain
        if not chain.nodes.trusts_blocks(told.source):
            return
        taken: JsonObject = {"first": height, "depth": depth, "why": f"the chain took back {depth} blocks"}
        out.events.append(telling.of_observation(chain.scene(at), telling.REORGANIZED, told, taken))
        chain.take_back(told.source, height)
        chain.touched |= chain.validators.keys()
        evidence = Evidence.of(Kind.READ_ABSENT, told, height)
        court = chain.court(of_block=True)
        for validator in chain.validators.values():
            self._rule(validator, take_back(validator, told.source, height, court, evidence), at, out)

    def _finalize(self, told: Provenance, height: int, at: float, out: Outcome) -> None:
        chain = self.chain
        chain.has_finality = True
        if (chain.finalized is not None and height <= chain.finalized) or not chain.nodes.trusts(told.source):
            return
        chain.finalized = height
        chain.touched |= chain.validators.keys()
        chain.has_changed = True
        for validator in chain.validators.values():
            standing = validator.standing
            if standing.is_final or standing.since is None or standing.since > height:
                continue
            validator.amend(replace(standing, is_final=True))
            if standing.is_jailing:
                out.events.append(telling.final(chain.scene(at), validator, replace(told, height=height)))

    def _rule(self, validator: Validator, said: list[Verdict], at: float, out: Outcome) -> None:
        """Tell what was decided about ``validator``."""
        chain = self.chain
        if said:
            chain.touched.add(validator.address)
        for each in said:
            for source in each.distrusted:
                chain.nodes.distrust(source)
            out.events.append(telling.verdict(chain.scene(at), validator, each))
            if each.word in (Word.CONFIRMED, Word.RETRACTED):
                # Who shows the status alone is not to show what was said before.
                out.told.append(telling.status(chain.scene(at), validator))
            if each.word is Word.STATUS:
                self._reading.forget_risk(validator)
            if each.word in (Word.STATUS, Word.CONFIRMED) and validator.standing.is_jailing:
                why = chain.signals.unsaid(validator)
                self._rule(validator, [] if why is None else contest(validator, each.evidence, why), at, out)
