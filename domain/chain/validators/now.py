"""What is known of chains, their nodes and validators at one moment, for who asks.

Rules of this file: it reads and changes nothing. While nobody can say what is so now a validator's status is UNKNOWN,
and what it was last stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from domain.chain.validators.states import Status
from domain.chain.validators.surveillance import Chain
from domain.chain.validators.telling import members, moment, way_to_jail
from domain.chain.validators.validator import Validator
from domain.chain.validators.wording import standing, who
from domain.json import JsonObject, JsonValue

AND = "\t"
"""Between the labels of a gauge that has two."""

JAILED_SHOWN = 50
"""How many jailed validators of a chain are shown, the watched ones first; a chain may have hundreds."""


class ValidatorsNow:
    """Chains by name at the moment ``at`` (Unix seconds)."""

    def __init__(self, chains: Mapping[str, Chain], at: float) -> None:
        self._chains = chains
        self.at = at

    @property
    def names(self) -> list[str]:
        """The chains that there are."""
        return list(self._chains)

    def chains(self) -> list[JsonObject]:
        """Each chain: its head, how it is, its nodes and how many validators it has of each status."""
        return [self._chain(name, chain) for name, chain in self._chains.items()]

    def told_to(self, name: str) -> int:
        """The height up to which all blocks of the chain ``name`` were told; -1 if none was."""
        chain = self._chains.get(name)
        return -1 if chain is None else chain.told.height

    def nodes(self, name: str) -> list[JsonObject]:
        """The nodes of the chain ``name``; none if there is no such chain."""
        chain = self._chains.get(name)
        return [] if chain is None else [node.document(self.at) for node in chain.nodes]

    def validators(self, name: str) -> list[JsonObject]:
        """The validators of the chain ``name`` in the order in which they were first told."""
        chain = self._chains.get(name)
        return [] if chain is None else [self._validator(chain, each) for each in chain.validators.values()]

    def validator(self, name: str) -> JsonObject | None:
        """The validator whose address or operator is ``name``, on whichever chain; None if there is none."""
        names = frozenset({name.lower()})
        for chain in self._chains.values():
            found = chain.validators.get(name)
            found = found or next((each for each in chain.validators.values() if each.goes_by(names)), None)
            if found is not None:
                return self._validator(chain, found)
        return None

    # -- what the metrics need --------------------------------------------------------------------------------

    def counts(self, name: str) -> dict[str, int]:
        """How many validators of the chain ``name`` there are of each status."""
        chain = self._chains[name]
        counted = Counter(_status(chain, each).value for each in chain.validators.values())
        return {status.value: counted[status.value] for status in Status}

    def levels(self) -> dict[str, dict[str, float]]:
        """The gauges of the chains by their name, each by its labels with ``AND`` between."""
        found: dict[str, dict[str, float]] = {
            "chain_validators": {},
            "chain_validators_jailed": {},
            "chain_node_height": {},
            "chain_node_head_age": {},
            "chain_nodes_quarantined": {},
            "chain_blocks_to_jail": {},
            "chain_halted": {},
            "chain_watched_jailed": {},
        }
        for name, chain in self._chains.items():
            counts = self.counts(name)
            found["chain_validators"] |= {f"{name}{AND}{status}": count for status, count in counts.items()}
            found["chain_validators_jailed"][name] = counts[Status.JAILED] + counts[Status.TOMBSTONED]
            found["chain_nodes_quarantined"][name] = sum(node.fault is not None for node in chain.nodes)
            for node in chain.nodes:
                if node.height is not None and node.head_at is not None:
                    found["chain_node_height"][f"{name}{AND}{node.name}"] = node.height
                    found["chain_node_head_age"][f"{name}{AND}{node.name}"] = max(0.0, self.at - node.head_at)
            found["chain_halted"][name] = float(chain.is_halted)
            found["chain_watched_jailed"] |= _terms_served(name, chain)
            found["chain_blocks_to_jail"] |= self._countdowns(name, chain)
        return found

    def _countdowns(self, name: str, chain: Chain) -> dict[str, float]:
        scene, watched = chain.scene(self.at), chain.head.terms.watched
        ways = {
            f"{name}{AND}{each.operator or each.address}": way_to_jail(scene, each)
            for each in chain.validators.values()
            if each.goes_by(watched)
        }
        return {label: way.blocks for label, way in ways.items() if way is not None}

    def _chain(self, name: str, chain: Chain) -> JsonObject:
        head, counts = chain.head, self.counts(name)
        by_status: dict[str, JsonValue] = {**counts}
        return {
            "chain": name,
            "state": _state(chain),
            "headHeight": None if head.height < 0 else head.height,
            "headAt": moment(head.at),
            "headAgeMs": None if head.at is None else round(max(0.0, self.at - head.at) * 1000),
            "blockTimeMs": None if head.block_time is None else round(head.block_time * 1000),
            "finalizedHeight": chain.finalized if chain.has_finality else None,
            "watermarks": {**chain.watermarks},
            "validators": by_status,
            "validatorsLeftOut": chain.left_out,
            "jailed": self._jailed(chain),
            "nodes": [node.document(self.at) for node in chain.nodes],
        }

    def _jailed(self, chain: Chain) -> list[JsonValue]:
        watched = chain.head.terms.watched
        found = [each for each in chain.validators.values() if each.standing.is_jailing]
        found.sort(key=lambda each: (not each.goes_by(watched), -(each.standing.since or 0)))
        shown = [members(chain.scene(self.at), each) for each in found[:JAILED_SHOWN]]
        names = ("validator", "operator", "name", "status", "reason", "since", "sinceAt", "jailedUntil", "watched")
        return [{**{name: each[name] for name in names}, "text": f"{who(each)} {standing(each)}"} for each in shown]

    def _validator(self, chain: Chain, validator: Validator) -> JsonObject:
        status = _status(chain, validator)
        return {
            **members(chain.scene(self.at), validator),
            "chain": chain.name,
            "status": status.value,
            "lastStatus": validator.status.value,
            "stale": chain.is_blind,
        }


def _status(chain: Chain, validator: Validator) -> Status:
    return Status.UNKNOWN if chain.is_blind else validator.status


def _terms_served(name: str, chain: Chain) -> dict[str, float]:
    """Of each validator that is watched, whether it was in jail when it was last known."""
    watched = chain.head.terms.watched
    found = [each for each in chain.validators.values() if each.goes_by(watched)]
    return {f"{name}{AND}{each.operator or each.address}": float(each.standing.is_jailing) for each in found}


def _state(chain: Chain) -> str:
    if chain.is_blind:
        return "stale"
    return "halted" if chain.is_halted else "live"
