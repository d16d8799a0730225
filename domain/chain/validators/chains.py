"""All chains under watch: what is said of each goes to its own watch, and what changed of it is kept.

Rules of this file: a row for each chain and one for each validator; what is written together with the events that tell
of it is written whole. What was kept and cannot be read is left out and counted: the next look at the chain brings it.
A chain, and a node, that the settings do not name any more is neither looked at nor told of (``aside``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from domain.chain.observations import JailSeen, Observation, SetChanged
from domain.chain.validators.aside import CHAIN, VALIDATOR, Aside, Kept, sorted_out
from domain.chain.validators.halts import Halts, chain_of
from domain.chain.validators.now import ValidatorsNow
from domain.chain.validators.outcome import Outcome
from domain.chain.validators.states import Status
from domain.chain.validators.surveillance import Chain
from domain.chain.validators.telling import status
from domain.chain.validators.terms import Terms
from domain.chain.validators.validator import Claim, Validator, validator_of
from domain.chain.validators.watch import Watch
from domain.decision import Row
from domain.json import JsonObject
from domain.kept import Unreadable

KINDS = (CHAIN, VALIDATOR)

Rows = Iterable[tuple[str, JsonObject]]

Named = Mapping[str, frozenset[str]]
"""The nodes of each chain that is to be watched, by its name."""


class Chains:
    """Watches the chains that ``named`` has, every one that is spoken of if that is None, by the ``terms`` in force."""

    def __init__(self, terms: Callable[[], Terms] = Terms, named: Callable[[], Named | None] = lambda: None) -> None:
        self._terms = terms
        self._named = named
        self._aside = Aside()
        self._in_force = terms()
        self._watches: dict[str, Watch] = {}
        self._halts: dict[str, Halts] = {}

    def take(self, observations: Iterable[Observation], at: float) -> Outcome:
        """Learn what nodes said, received and judged at ``at`` (Unix seconds)."""
        out = Outcome()
        self._renew()
        named = self._named()
        for observation in _in_order(observations):
            told = observation.provenance
            # What is still on its way from a source that was taken away makes no chain.
            if named is None or told.source in named.get(told.chain, ()):
                self._watch(told.chain, at).take(observation, at, out)
        self._keep(out)
        return out

    def look(self, at: float) -> Outcome:
        """See what time has done."""
        out = Outcome()
        self._renew()
        self._part(self._named(), at, out)
        for watch in self._watches.values():
            watch.look(at, out)
        self._keep(out)
        return out

    def now(self, at: float) -> ValidatorsNow:
        """What is known at ``at``."""
        # Whoever reads a chain that is named again asks first where to go on.
        for name in self._named() or ():
            if name in self._aside:
                self._watch(name, at)
        return ValidatorsNow({name: watch.chain for name, watch in self._watches.items()}, at)

    def aside(self) -> list[JsonObject]:
        """The chains of which something is kept although nobody names them any more."""
        return self._aside.document()

    def restore(self, kept: Mapping[str, Rows], at: float) -> int:
        """Take up what was ``kept``, by its kind; how many rows could not be read."""
        chains, lost = sorted_out(kept[CHAIN], kept[VALIDATOR])
        named = self._named()
        for name, rows in chains.items():
            if named is None or name in named:
                lost += self._take_up(name, rows, at)
            else:
                self._aside.put(name, rows)
        return lost

    def _watch(self, name: str, at: float) -> Watch:
        watch = self._watches.get(name)
        if watch is None:
            kept = self._aside.take(name)
            if kept is not None:
                self._take_up(name, kept, at)
                return self._watches[name]
            halts = self._halts.setdefault(chain_of(name), Halts())
            watch = self._watches[name] = Watch(name, self._in_force, halts)
        return watch

    def _take_up(self, name: str, kept: Kept, at: float) -> int:
        """Watch the chain ``name`` from where it was ``kept``; how many rows could not be read."""
        chain, lost = self._watch(name, at).chain, 0
        try:
            if kept.chain is not None:
                chain.restore(kept.chain)
        except Unreadable:
            lost += 1
        for value in kept.validators.values():
            try:
                _take_up(chain, value, at)
            except Unreadable:
                lost += 1
        return lost

    def _part(self, named: Named | None, at: float, out: Outcome) -> None:
        """Put aside what is not ``named`` any more, and forget what was aside for long."""
        if named is None:
            return
        for name in [name for name in self._watches if name not in named]:
            chain = self._watches.pop(name).chain
            rows = {each.address: _row_of(name, each) for each in chain.validators.values()}
            self._aside.put(name, Kept(chain.kept(), rows))
            known = [each for each in chain.validators.values() if each.status is not Status.UNKNOWN]
            out.seen += [status(chain.scene(at), each, is_stale=True) for each in known]
            if not any(chain_of(other) == chain_of(name) for other in self._watches):
                self._halts.pop(chain_of(name), None)
        for name, watch in self._watches.items():
            watch.chain.part_with(named[name])
        out.rows += self._aside.forget(at)

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
                    out.rows.append(Row(VALIDATOR, f"{name} {validator.address}", _row_of(name, validator)))
            if chain.has_changed:
                chain.has_changed = False
                out.rows.append(Row(CHAIN, name, chain.kept()))


def _row_of(name: str, validator: Validator) -> JsonObject:
    return {"chain": name, **validator.kept()}


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
