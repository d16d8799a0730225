"""``/ws/tokens``: who is let in there, and what it is told when its token ends.

Rules of this file: who shows no token, or one that does not count, is closed with the predecessor's code (1008). A
client is told of its own token alone, and closed with the same code behind that. Where nobody is asked who they are
there is nothing to tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from actors import Opening, Withdrawn
from andond.floor_doors import POLICY_VIOLATION, Denied, DeniedSession
from andond.guard import token_refused
from andond.identities import Identities
from domain.access import Identity, Proof, Scope, TokenRefused, Why, Withdrawal
from transport import Door, Link, Request, Response, Session, bearer_word
from transport.dialects.portal import TOKENS_PATH, TOKENS_WORD, TokenEnd, TokensSession

_KNOWN = frozenset({Proof.TOKEN, Proof.LOCAL, Proof.OPEN})

_ENDS = {
    Why.PASSWORD: TokenEnd.PASSWORD,
    Why.LOCKED: TokenEnd.LOGOUT_ALL,
    Why.REMOVED: TokenEnd.LOGOUT_ALL,
    Why.EVERYWHERE: TokenEnd.LOGOUT_ALL,
}


class TokenDoor:
    """Finds the door of a request; ``withdrawn`` knows of the ends of tokens, ``clock`` gives the Unix seconds."""

    def __init__(self, identities: Identities, withdrawn: Withdrawn, clock: Callable[[], float] = time.time) -> None:
        self._identities = identities
        self._withdrawn = withdrawn
        self._clock = clock
        self._leaving: dict[str, list[Callable[[], None]]] = {}

    def __len__(self) -> int:
        return len(self._leaving)

    def __call__(self, request: Request) -> Door | Response | None:
        """The door that ``request`` asks for, or why it is closed; None if it is another one."""
        if request.path != TOKENS_PATH:
            return None
        try:
            rights = self._identities.of_request(request, may_query=True)
        except TokenRefused as refused:
            return token_refused(refused) if refused.retry_after is not None else _denied(request, refused.message)
        identity = rights.identity
        if identity.proof not in _KNOWN:
            self._identities.shut_out(request)
            return _denied(request, "authentication is required")
        # It is told of the end of its token, and then closed, here.
        lasting = self._identities.of_identity(replace(identity, expires_at=None))
        opening = Opening(lambda link, _request: self._session(link, identity), ended=self._ended, rights=lasting)
        return Door(TOKENS_WORD, bearer_word(request.headers), opening)

    def _session(self, link: Link, identity: Identity) -> Session:
        session = TokensSession(identity.subject)

        def end(how: TokenEnd) -> None:
            if link.closing is None:
                if session.is_told:
                    link.stream.send(session.end(how, self._clock()))
                link.close(POLICY_VIOLATION, how.value)

        def told(withdrawal: Withdrawal) -> None:
            if _covers(withdrawal, identity):
                end(_ENDS.get(withdrawal.why, TokenEnd.REVOKED))

        leaving = [self._withdrawn.follow(told, identity.subject)]
        if identity.expires_at is not None:
            leaving.append(self._withdrawn.remind(identity.expires_at, lambda: end(TokenEnd.EXPIRED)))
        self._leaving[link.id] = leaving
        return session

    def _ended(self, link: Link) -> None:
        for leave in self._leaving.pop(link.id, ()):
            leave()


def _covers(withdrawal: Withdrawal, identity: Identity) -> bool:
    row = withdrawal.row
    names = {Scope.TOKEN: identity.token_id, Scope.SESSION: identity.session, Scope.SUBJECT: identity.subject}
    return names[row.scope] == row.id and row.covers(identity.issued_at, withdrawal.at)


def _denied(request: Request, reason: str) -> Door:
    denied = Denied(POLICY_VIOLATION, reason)
    return Door(TOKENS_WORD, bearer_word(request.headers), Opening(lambda _link, _request: DeniedSession(denied)))
