"""The records that nodes have of validators: the look that reconciles what blocks told.

Rules of this file:

* A node whose word does not count is not read, nor one that answers for a height below an earlier answer of its own.
* A record without a height is as high as its node's newest block.
* A complete read has a word on each validator: who is not in it is not in the set.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from domain.chain.observations import Provenance, ValidatorRow, ValidatorsRead
from domain.chain.validators import telling
from domain.chain.validators.countdown import level_of
from domain.chain.validators.evidence import SET_DELAY, Evidence
from domain.chain.validators.judging import Court, Told, Verdict, judge, learn_term
from domain.chain.validators.nodes import Fault, Node
from domain.chain.validators.outcome import Outcome
from domain.chain.validators.states import JAILING, TRANSITIONS, Kind, Status, kind_of, reason_of
from domain.chain.validators.surveillance import Chain
from domain.chain.validators.validator import Validator

Rule = Callable[[Validator, list[Verdict], float, Outcome], None]


class Sitting(msgspec.Struct, frozen=True):
    """One reading: where it comes from, the ``height`` that it is about, what it is judged by, and when."""

    told: Provenance
    height: int
    court: Court
    at: float


class Reading:
    """Reads records into ``chain``; ``rule`` tells what was decided about a validator."""

    def __init__(self, chain: Chain, rule: Rule) -> None:
        self._chain = chain
        self._rule = rule

    def take(self, node: Node, read: ValidatorsRead, at: float, out: Outcome) -> None:
        """Learn what ``node`` has on record."""
        chain = self._chain
        height = read.provenance.height if read.provenance.height is not None else node.height
        if height is None or height < node.reads.get(read.provenance.method, -1) or chain.is_ahead(height):
            node.ignored += 1
            return
        if node.fault is Fault.CONTRADICTED and self._agrees(read):
            chain.nodes.absolve(node)
        if node.fault is not None:
            node.ignored += 1
            return
        method = read.provenance.method
        node.reads[method] = height
        court = chain.court(is_behind=height < chain.watermarks.get(method, -1))
        scene = Sitting(read.provenance, height, court, at)
        present = [found for row in read.rows if (found := self._take_row(row, scene, out)) is not None]
        if read.is_complete:
            self._miss({row.address for row in read.rows}, scene, out)
        if not court.is_behind:
            chain.has_changed = chain.has_changed or height > chain.watermarks.get(method, -1)
            chain.watermarks[method] = height
            if read.is_complete:
                chain.complete = height
            self._show(present, at, out)

    def weigh_risk(self, validator: Validator, told: Provenance, at: float, out: Outcome) -> None:
        """Tell how far ``validator`` is from jail if another threshold was passed."""
        chain = self._chain
        scene = chain.scene(at)
        way = telling.way_to_jail(scene, validator)
        if way is None or chain.is_halted:
            return
        level, was_imminent = validator.risk, validator.is_imminent
        validator.risk = level_of(way.share, scene.terms.risk, level)
        is_near = validator.goes_by(scene.terms.watched) and way.is_within(scene.terms.imminent, again=was_imminent)
        validator.is_imminent = validator.risk > 0 and is_near
        if (validator.risk, validator.is_imminent) == (level, was_imminent):
            return
        validator.has_changed = True
        # Behind the word that jail is near a further share tells nothing.
        is_worse = validator.is_imminent > was_imminent or (validator.risk > level and not was_imminent)
        if is_worse or (validator.risk < level and not validator.risk):
            out.events.append(telling.risk(scene, validator, way, told))

    def forget_risk(self, validator: Validator) -> None:
        """``validator`` is something else now: what was told of its risk is over."""
        if validator.status is not Status.ACTIVE:
            validator.risk, validator.is_imminent = 0, False

    def _take_row(self, row: ValidatorRow, sitting: Sitting, out: Outcome) -> Validator | None:
        chain, told, at = self._chain, sitting.told, sitting.at
        validator = chain.find(row.address)
        if validator is None:
            return None
        validator.take_figures(row, sitting.height)
        kind = kind_of(row)
        if row.power is not None:
            # The set of a block has the power of those in it as it was some blocks before.
            validator.take_power(row.power, sitting.height - (SET_DELAY if kind is Kind.READ_IN_SET else 0))
        if kind is not None:
            evidence = Evidence.of(kind, told, sitting.height)
            beside = _told(row, validator, told) if TRANSITIONS[validator.status][kind] in JAILING else Told()
            self._rule(validator, judge(validator, evidence, sitting.court, beside), at, out)
        elif row.jailed_until is not None:
            evidence = Evidence.of(Kind.READ_JAILED, told, sitting.height)
            self._rule(validator, learn_term(validator, evidence, row.jailed_until, _moment(told)), at, out)
        if row.missed is not None:
            self.weigh_risk(validator, told, at, out)
        return validator

    def _miss(self, present: set[str], sitting: Sitting, out: Outcome) -> None:
        evidence = Evidence.of(Kind.READ_ABSENT, sitting.told, sitting.height)
        for validator in self._chain.validators.values():
            if validator.address not in present:
                validator.take_power(0, sitting.height - SET_DELAY)
                self._rule(validator, judge(validator, evidence, sitting.court), sitting.at, out)

    def _agrees(self, read: ValidatorsRead) -> bool:
        for row in read.rows:
            kind, validator = kind_of(row), self._chain.validators.get(row.address)
            if kind is None or validator is None or validator.status is Status.UNKNOWN:
                continue
            if TRANSITIONS[validator.status][kind] is not validator.status:
                return False
        return True

    def _show(self, present: list[Validator], at: float, out: Outcome) -> None:
        chain = self._chain
        if chain.is_stale:
            return
        scene = chain.scene(at)
        for validator in present:
            if validator.status is Status.UNKNOWN:
                continue
            (out.told if validator.has_new_figures else out.seen).append(
                telling.status(scene, validator, is_routine=True)
            )
            validator.has_new_figures = False


def _told(row: ValidatorRow, validator: Validator, told: Provenance) -> Told:
    standing = validator.standing
    has_left = (
        standing.status is Status.INACTIVE
        and any(each.kind is Kind.SET_LEFT for each in standing.evidence)
        and validator.read < (standing.since or 0)
    )
    until = None if row.is_tombstoned else row.jailed_until
    return Told(reason_of(row, _moment(told), has_left=has_left), until)


def _moment(told: Provenance) -> float:
    return told.observed if told.at is None else told.at
