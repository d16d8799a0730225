"""The chains of a plant, and who is who: which chain is for a call.

Rules of this file: it is data and the questions one asks of it. A chain that is for several places tells a call of its
own place alone: the others may be of somebody who must not be known there.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from domain.plant.escalation.chain import Chain, IfRate, every
from domain.plant.escalation.defaults import CHANNELS, Defaults
from domain.plant.escalation.duty import Directory
from domain.plant.escalation.notification import CallFacts
from domain.plant.escalation.walk import PATIENCE


def _built_in() -> tuple[Chain, ...]:
    return Defaults().chains()


class Rulebook(msgspec.Struct, frozen=True):
    """The chains of the plant in their order, those that are built in, and who is who.

    ``channels`` are tried where no chain says which. ``patience`` is in seconds, see ``walk.PATIENCE``.
    """

    chains: tuple[Chain, ...] = ()
    built_in: tuple[Chain, ...] = msgspec.field(default_factory=_built_in)
    directory: Directory = msgspec.field(default_factory=Directory)
    channels: tuple[str, ...] = CHANNELS
    patience: float = PATIENCE

    def chain_for(self, facts: CallFacts) -> Chain:
        """The first chain that fits, as it is for that place; for an unknown priority the one of a medium call."""
        chains = (*self.chains, *self.built_in)
        for priority in (facts.priority, "medium"):
            for chain in chains:
                if chain.fits(priority, facts.type, facts.path):
                    return chain.at(facts.path)
        return chains[0]

    def seen(self, sees: Callable[[str], bool]) -> Rulebook:
        """The same with the chains alone that are for calls everywhere or at a place that ``sees``."""
        return replace(self, chains=tuple(seen for chain in self.chains if (seen := chain.seen(sees)) is not None))

    @property
    def asks_for_rates(self) -> bool:
        """Whether some chain looks at how many calls there were."""
        programs = (program for chain in self.chains for program in (chain.unacknowledged, chain.unresolved))
        return any(isinstance(step, IfRate) for program in programs for step in every(program))
