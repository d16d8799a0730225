"""Who sent a request, or showed a token in a message, and what they may do and see: the one place where that is found.

Rules of this file: a token that is shown and does not count is refused, and its client is nobody, not anonymous: it
would be told less than it expects and not why. Who shows none is what the configuration says of such clients; where
nothing is configured and only this machine reaches the gateway, everybody may do everything. A token is never written
anywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from actors import AuditTrail, access_policy_of
from andond.visitors import Visitors
from config import AccessSettings
from domain.access import (
    NO_RIGHTS,
    OPEN_RIGHTS,
    AccessPolicy,
    CertificateHolder,
    Certificates,
    Identity,
    Rights,
    TokenRefused,
)
from domain.audit import NOWHERE, Whence
from telemetry import events
from transport import ProtocolError, Request, is_asked_here, shown_token


class Verifier(Protocol):
    """Finds out whose a token is."""

    def verify(self, token: str, at: float) -> Identity:
        """Whose ``token`` is ``at`` (Unix seconds).

        Raises:
            TokenRefused: if it is not taken.
        """


class Terms(msgspec.Struct, frozen=True):
    """How clients are told apart: the ``policy``, whether there is none (``is_open``), where tokens may stand.

    ``verifier`` is None where nobody's tokens are taken. ``certificates`` are those that prove who somebody is.
    """

    policy: AccessPolicy
    is_open: bool = False
    query_tokens: bool = False
    verifier: Verifier | None = None
    certificates: Certificates = msgspec.field(default_factory=Certificates)


ELSEWHERE = (
    "nothing says who may do what, so this gateway answers this machine alone: ask for it as localhost or 127.0.0.1, "
    "or say who may do what (docs/access.md): behind a proxy and by other names clients must be known"
)

OPEN = Terms(AccessPolicy(), is_open=True)
"""Where nothing is configured."""


class TermsInForce:
    """The terms by the settings that ``present`` returns; made anew when a reload brought others.

    ``is_open`` tells whether everybody may do everything; ``verifier`` finds out whose tokens are.
    """

    def __init__(
        self,
        present: Callable[[], AccessSettings],
        verifier: Verifier | None = None,
        *,
        is_open: Callable[[], bool] = bool,
    ) -> None:
        self._present = present
        self._verifier = verifier
        self._is_open = is_open
        self._settings: AccessSettings | None = None
        self._terms = OPEN

    def __call__(self) -> Terms:
        """The terms now."""
        settings = self._present()
        is_open = self._is_open()
        if settings is not self._settings or is_open != self._terms.is_open:
            policy, certificates = access_policy_of(settings), _certificates(settings)
            self._terms = Terms(policy, is_open, settings.query_tokens, self._verifier, certificates)
            self._settings = settings
        return self._terms


class Identities:
    """Finds out who clients are by the terms that ``present`` returns; ``clock`` gives the Unix seconds.

    Who is refused is noted by ``trail``. ``visitors`` are those who are signed in on the page.
    """

    def __init__(
        self,
        present: Callable[[], Terms] = lambda: OPEN,
        clock: Callable[[], float] = time.time,
        trail: AuditTrail | None = None,
        visitors: Visitors | None = None,
    ) -> None:
        self._present = present
        self._clock = clock
        self._visitors = visitors
        self._trail = AuditTrail() if trail is None else trail

    def of_request(self, request: Request, *, may_query: bool = False) -> Rights:
        """The rights of who sent ``request``; ``may_query`` at doors whose clients can put a token nowhere else.

        Raises:
            TokenRefused: if it shows a token that does not count.
            ProtocolError: 403, if the gateway is open to this machine alone and is asked for by another name.
        """
        terms = self._present()
        if terms.is_open:
            if not is_asked_here(request.headers):
                self.shut_out(request, "another name, or passed on, where the gateway is open to this machine alone")
                raise ProtocolError(403, ELSEWHERE)
            return OPEN_RIGHTS
        shown = shown_token(request.headers, request.query, takes_query=may_query and terms.query_tokens)
        if shown is not None:
            return self.of_token(shown.token, whence_of(request))
        visitor = None if self._visitors is None else self._visitors.identity(request)
        if visitor is not None:
            return terms.policy.rights(visitor)
        holder = terms.certificates.identity(request.certificate) if request.certificate else None
        return terms.policy.anonymous if holder is None else terms.policy.rights(holder)

    def of_token(self, token: str, whence: Whence = NOWHERE) -> Rights:
        """The rights of who has ``token`` and shows it from ``whence``.

        Raises:
            TokenRefused: if it does not count.
        """
        terms = self._present()
        if terms.is_open:
            return OPEN_RIGHTS
        if terms.verifier is None:
            return NO_RIGHTS
        try:
            return terms.policy.rights(terms.verifier.verify(token, self._clock()))
        except TokenRefused as refused:
            events.token_refused(reason=refused.reason.value, client=whence.address, door=whence.door)
            self._trail.refused("token", refused.message, refused.reason.value, whence)
            raise

    def shut_out(self, request: Request, why: str = "no token was shown", rights: Rights = NO_RIGHTS) -> None:
        """Note that who sent ``request`` is not let in; its ``rights`` are those of who is known."""
        identity = rights.identity if rights is not NO_RIGHTS else None
        self._trail.refused("entry", why, "entry", whence_of(request, rights), identity)

    def of_nobody(self) -> Rights:
        """The rights of who shows nothing."""
        terms = self._present()
        return OPEN_RIGHTS if terms.is_open else terms.policy.anonymous

    @property
    def are_open(self) -> bool:
        """Whether nobody is asked who they are."""
        return self._present().is_open

    def of_identity(self, identity: Identity) -> Rights:
        """What ``identity`` may by now; a token that was taken back is not looked at here."""
        terms = self._present()
        if terms.is_open:
            return OPEN_RIGHTS
        return terms.policy.rights(identity if self._visitors is None else self._visitors.current(identity))


def whence_of(request: Request, rights: Rights = NO_RIGHTS) -> Whence:
    """Where ``request`` came from: its path stands for a door."""
    return Whence(request.client.host, request.path, rights.identity.session)


def _certificates(settings: AccessSettings) -> Certificates:
    return Certificates(
        CertificateHolder(each.subject, name, each.roles, each.tenant, each.places)
        for name, each in settings.certificates.items()
    )
