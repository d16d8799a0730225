"""When tokens were taken back: whoever is connected with one is sent away.

Rules of this file: nothing is decided here. Who is connected is known by the listener, what somebody may by now by the
policy, and whether its token was taken back by the list of those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial

from actors import Review
from actors.places import Receiver
from actors.runtime import ActorDead, MailboxFull
from andond.identities import Identities
from domain.access import NO_RIGHTS, Identity, Proof, Rights, Withdrawal
from transport import TokenVerifier

_UNKNOWN = frozenset({Proof.OPEN, Proof.ANONYMOUS})


class RightsReview:
    """Has ``listener`` look at all links again, whatever was taken back; ``clock`` gives the Unix seconds."""

    def __init__(
        self,
        listener: Receiver,
        identities: Identities,
        verifier: TokenVerifier,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._listener = listener
        self._identities = identities
        self._verifier = verifier
        self._clock = clock

    def __call__(self, _withdrawal: Withdrawal) -> None:
        """Look because of what was taken back."""
        self.look()

    def look(self, unsure: Collection[str] = ()) -> None:
        """Tell the listener; without one there are no links.

        Whom an issuer vouched for that is among the ``unsure``, by its name in the settings, is to show its proof anew.
        """
        with suppress(ActorDead, MailboxFull):
            self._listener.tell(Review(partial(self.rights_of, unsure=unsure)))

    def rights_of(self, identity: Identity, unsure: Collection[str] = ()) -> Rights | None:
        """What ``identity`` may by now; None if its token was taken back."""
        if identity.proof in _UNKNOWN:
            return self._identities.of_nobody()
        if identity.issuer in unsure:
            return NO_RIGHTS
        if self._verifier.is_revoked(identity, self._clock()):
            return None
        return self._identities.of_identity(identity)
