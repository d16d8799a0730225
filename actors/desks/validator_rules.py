"""The settings of ``[chain]`` and of the sources that are chains, as the rules for validators take them.

Rules of this file: nothing is decided here; the same settings make the same terms, made once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from config import ChainRuleSettings, SourceSettings, nodes_by_chain
from domain.chain.validators import Named, Terms


class TermsInForce:
    """The terms by the settings that ``present`` returns.

    ``watched`` are the validators that have metrics, ``turn`` the seconds in which each node is read once.
    """

    def __init__(
        self,
        present: Callable[[], ChainRuleSettings] = ChainRuleSettings,
        watched: Callable[[], frozenset[str]] = frozenset,
        turn: Callable[[], float] = float,
    ) -> None:
        self._present = present
        self._watched = watched
        self._turn = turn
        self._made_of: tuple[ChainRuleSettings, frozenset[str], float] | None = None
        self._terms = Terms()

    def __call__(self) -> Terms:
        """The terms in force; others only when the settings are others."""
        made_of = (self._present(), self._watched(), self._turn())
        if made_of != self._made_of:
            self._made_of = made_of
            self._terms = terms_of(*made_of)
        return self._terms


class NodesNamed:
    """The nodes that the sources which ``present`` returns name, by chain."""

    def __init__(self, present: Callable[[], Mapping[str, SourceSettings]]) -> None:
        self._present = present
        self._made_of: Mapping[str, SourceSettings] | None = None
        self._nodes: Named = {}

    def __call__(self) -> Named:
        """The nodes in force; made anew only when the settings are others."""
        sources = self._present()
        if sources is not self._made_of:
            self._made_of = sources
            self._nodes = nodes_by_chain(sources)
        return self._nodes


def terms_of(settings: ChainRuleSettings, watched: frozenset[str] = frozenset(), turn: float = 0.0) -> Terms:
    """How validators are judged by ``settings``, where each node is read once in ``turn`` seconds."""
    return Terms(
        stale_after=settings.stale_after,
        halted_after=max(settings.halted_after, settings.stale_after),
        rounds=settings.rounds,
        silence=settings.silence,
        lag=settings.lag,
        lead=settings.lead,
        clock_tolerance=settings.clock_tolerance,
        history_after=settings.history_after,
        stands_for=max(settings.stands_for, turn),
        risk=settings.risk,
        imminent=settings.imminent,
        watched=watched,
    )
