"""The settings of ``[chain]`` as the terms of the rules for validators.

Rules of this file: nothing is decided here; the same settings make the same terms, made once.
"""

from __future__ import annotations

from collections.abc import Callable

from config import ChainRuleSettings
from domain.chain.validators import Terms


class TermsInForce:
    """The terms by the settings that ``present`` returns; ``watched`` are the validators that have metrics."""

    def __init__(
        self,
        present: Callable[[], ChainRuleSettings] = ChainRuleSettings,
        watched: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._present = present
        self._watched = watched
        self._made_of: tuple[ChainRuleSettings, frozenset[str]] | None = None
        self._terms = Terms()

    def __call__(self) -> Terms:
        """The terms in force; others only when the settings are others."""
        made_of = (self._present(), self._watched())
        if made_of != self._made_of:
            self._made_of = made_of
            self._terms = terms_of(*made_of)
        return self._terms


def terms_of(settings: ChainRuleSettings, watched: frozenset[str] = frozenset()) -> Terms:
    """How validators are judged by ``settings``."""
    return Terms(
        stale_after=settings.stale_after,
        halted_after=max(settings.halted_after, settings.stale_after),
        rounds=settings.rounds,
        silence=settings.silence,
        lag=settings.lag,
        lead=settings.lead,
        clock_tolerance=settings.clock_tolerance,
        history_after=settings.history_after,
        stands_for=settings.stands_for,
        risk=settings.risk,
        watched=watched,
    )
