"""All that signing in on the page is made of, put together once for a daemon.

Rules of this file: it decides nothing. What is kept lives as long as the process, and so do the sign-ins.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from actors import PageKeeper, PageVisits, ProviderTalk, Tokens
from actors.runtime import ChildSpec
from andond.api.sign_in import PageAccess
from andond.identities import Identities
from andond.standing import OPEN_WORDS, is_told_of_users
from andond.tree import Present
from andond.visitors import Visitors
from config import AccessSettings
from transport import TokenVerifier


class SigningIn:
    """The page's sign-in by the ``present`` settings; ``verifier`` reads tokens, ``tokens`` knows who took any back.

    ``clock`` gives the Unix seconds.
    """

    def __init__(
        self, present: Present, verifier: TokenVerifier, tokens: Tokens, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._present = present
        self._verifier = verifier
        self._tokens = tokens
        self._visits = PageVisits()
        self.sessions = self._visits.sessions
        self.visitors = Visitors(self._visits.sessions, verifier, clock)

    def access(self, identities: Identities) -> PageAccess:
        """What the paths of the page's sign-in lean on."""
        talk = ProviderTalk(self._settings, self._verifier, self._clock)
        return PageAccess(
            self._visits,
            self.visitors,
            identities,
            talk,
            self._settings,
            lambda: is_told_of_users(self._present.settings),
            OPEN_WORDS,
            keeps=lambda: self._present.data_directory() is not None,
            clock=self._clock,
        )

    def keeper(self, review: Callable[[], None]) -> ChildSpec:
        """Who keeps the sessions; ``review`` is called when somebody's rights are others than they were."""
        return ChildSpec(
            "page", PageKeeper, (self._visits, self._settings, self._verifier, self._tokens, review, self._clock)
        )

    def _settings(self) -> AccessSettings:
        return self._present.settings.access
