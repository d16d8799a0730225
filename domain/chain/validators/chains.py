"""All chains under watch: what is said of each goes to its own watch, and what changed of it is kept.

Rules of this file: a row for each chain and one for each validator; what is written together with the events that tell
of it is written whole. What was kept and cannot be read is left out and counted: the next look at the chain brings it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from domain.chain.observations import JailSeen, Observation, SetChanged
from domain.chain.validators.fields import Unreadable, text
from domain.chain.validators.now import ValidatorsNow
from domain.chain.validators.outcome import Outcome
from domain.chain.validators.surveillance import Chain
from domain.chain.validators.terms import Terms
from domain.chain.validators.validator import Claim, validator_of
from domain.chain.validators.watch import Watch
from domain.decision import Row
from domain.json import JsonObject

CHAIN, VALIDATOR = "chain.watch", "chain.validator"
KINDS = (CHAIN, VALIDATOR)

Kept = Iterable[tuple[str, JsonObject]]


class Chains:
    """Watches every chain that is spoken of, by the ``terms`` in force."""

    def __init__(self, terms: Callable[[], Terms] = Terms) -> None:
        self._terms = terms
        self._in_force = terms()
        self._watches: dict[str, Watch] = {}

    def take(self, observations: Iterable[Observation], at: float) -> Outcome:
        """Learn what nodes said, received and judged at ``at`` (Unix seconds)."""
        out = Outcome()
        self._renew()
        for observation in _in_order(observations):
            self._watch(observation.provenance.chain).take(observation, at, out)
        self._keep(out)
        return out

    def look(self, at: float) -> Outcome:
        """See what time has done."""
        out = Outcome()
        self._renew()
        for watch in self._watches.values():
            watch.look(at, out)
        self._keep(out)
        return out

    def now(self, at: float) -> ValidatorsNow:
        """What is known at ``at``."""
        return ValidatorsNow({name: watch.chain for name, watch in self._watches.items()}, at)

    def restore(self, kept: Mapping[str, Kept], at: float) -> int:
        """Take up what was ``kept``, by its kind; how many rows could not be read."""
        lost = 0
        for name, value in kept[CHAIN]:
            try:
                self._watch(name).chain.restore(value)
            except Unreadable:
                lost += 1
        for _, value in kept[VALIDATOR]:
            try:
                chain = self._watch(text(value, "chain")).chain
                _take_up(chain, value, at)
            except Unreadable:
                lost += 1
        return lost

    def _watch(self, name: str) -> Watch:
        watch = self._watches.get(name)
        if watch is None:
            watch = self._watches[name] = Watch(name, self._in_force)
        return watch

    def _renew(self) -> None:
        terms = self._terms()
        if terms is not self._in_force:
            self._in_force = terms
            for watch in self._watches.values():
                watch.chain.head.terms = terms

    def _keep(self, out: Outcome) -> None:
        for name, watch in self._watches.items():
            chain = watch.chain
            touched, chain.touched = chain.touched, set()
            for validator in [chain.validators[each] for each in sorted(touched) if each in chain.validators]:
                if validator.has_changed:
                    validator.has_changed = False
                    value: JsonObject = {"chain": name, **validator.kept()}
                    out.rows.append(Row(VALIDATOR, f"{name} {validator.address}", value))
            if chain.has_changed:
                chain.has_changed = False
                out.rows.append(Row(CHAIN, name, chain.kept()))


def _take_up(chain: Chain, value: JsonObject, at: float) -> None:
    validator = validator_of(value)
    # A complete reading had a word on everyone, and only what it changed was written down.
    if validator.checked is not None and not validator.is_conflicting:
        validator.checked = max(validator.checked, chain.complete)
    # Who stood by the state has until its word would end anyway to say so again.
    validator.witnesses = {each.source: Claim(each.height, at) for each in validator.standing.evidence}
    chain.validators[validator.address] = validator


def _in_order(observations: Iterable[Observation]) -> list[Observation]:
    """What says why before what only says that: a jailing is not to be told as a mere leaving first."""
    taken = list(observations)
    jailed = [each for each in taken if isinstance(each, JailSeen)]
    if not jailed or not any(isinstance(each, SetChanged) for each in taken):
        return taken
    return [*jailed, *(each for each in taken if not isinstance(each, JailSeen))]
