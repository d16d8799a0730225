"""The keeper of who is signed in on the page: takes a code for a session, renews sessions, ends them.

Rules of this file:

* What is kept outlives the actor: who is signed in stays so when it begins anew.
* A renewal is never made twice at a time: its token is good once.
* While a provider cannot be asked, sessions last on for as long as the settings say; what it refuses ends at once.
* The end of a session is told like that of a token: who is connected by it is sent away.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

import msgspec
import trio
from msgspec.structs import replace

from actors.accounts.notes import in_short
from actors.accounts.tokens import Tokens
from actors.accounts.words import Denial, Denied, Done, LoggedIn, LogOut, Renew
from actors.audit.words import AuditTrail
from actors.beats import beat
from actors.places import ACCOUNTS, Address
from actors.providers.page_words import FinishSignIn, KeepLogin, LeavePage, NotSignedIn, SettleSession, SignedIn
from actors.providers.talk import Granted, ProviderTalk
from actors.runtime import ActorDead, AskTimeout, MailboxFull, TrioActor, ask
from config import AccessSettings, Secret
from domain import JsonValue
from domain.access import (
    Identity,
    PageSession,
    PageSessions,
    Revocation,
    Scope,
    SignInFault,
    SignInRefused,
    SignIns,
    TokenRefused,
    TooManyRevocations,
    Why,
    Withdrawal,
    key_of,
    postponed,
    renewal_of,
    session_of,
)
from domain.audit import Entry, Outcome, Whence, Who
from telemetry import counters, events
from transport import TokenVerifier

DOOR = "page"
LOOK_INTERVAL = 1.0
TASKS = 16
"""Sign-ins and renewals that are under way at a time; a sign-in more is refused, a renewal waits."""

TIMEOUT = 15.0

Asked = TypeVar("Asked")
_SECRET_SIZE = 32
_KEY_SIZE = 32


class _Reply(Protocol):
    def set(self, value: object = None) -> None:
        """Answer."""


class PageVisits(msgspec.Struct, frozen=True):
    """Who is signed in, and the key by which sign-ins are begun: one for the life of the process."""

    sessions: PageSessions = msgspec.field(default_factory=PageSessions)
    sign_ins: SignIns = msgspec.field(default_factory=lambda: SignIns(secrets.token_bytes(_KEY_SIZE)))


class PageKeeper(TrioActor):
    """Keeps ``visits`` by the ``present`` settings.

    ``verifier`` reads tokens, ``tokens`` knows what was taken back; ``review`` is called when somebody's rights are
    others than they were.
    """

    has_tasks = True

    def __init__(
        self,
        visits: PageVisits,
        present: Callable[[], AccessSettings],
        verifier: TokenVerifier,
        tokens: Tokens,
        review: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._sessions = visits.sessions
        self._sign_ins = visits.sign_ins
        self._present = present
        self._verifier = verifier
        self._tokens = tokens
        self._review = review
        self._clock = clock
        self._talk = ProviderTalk(present, verifier, clock)
        self._accounts = Address(self.life.environment, ACCOUNTS)
        self._trail = AuditTrail(self.life.environment, clock)
        self._renewing: dict[bytes, trio.Event] = {}
        self._finishing = 0
        self._leave: Callable[[], None] | None = None

    async def setup(self) -> None:
        """Look after the sessions from now on."""
        self._leave = self._tokens.withdrawn.follow(self._taken_back)
        self.start_task(self._look_after)

    async def close(self) -> None:
        """Hear no more of what is taken back."""
        if self._leave is not None:
            self._leave()

    def on_receive(self, message: object) -> object:
        """Sign in, sign out, renew."""
        match message:
            case FinishSignIn():
                return self._begin_finish(message)
            case KeepLogin():
                return self._keep_login(message)
            case LeavePage():
                self._later(self._end_by_hand, message)
            case SettleSession(key=key):
                self._later(self._settle, key)
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """How many are signed in, and how many renewals are under way."""
        return {"sessions": len(self._sessions), "renewing": len(self._renewing), "finishing": self._finishing}

    # -- signing in -------------------------------------------------------------------------------------------

    def _begin_finish(self, message: FinishSignIn) -> NotSignedIn | None:
        if self._finishing >= TASKS:
            return self._refused(SignInRefused(SignInFault.AWAY), message.attempt.issuer, message.host)
        self._finishing += 1
        self._later(self._finish, message)
        return None

    async def _finish(self, message: FinishSignIn) -> SignedIn | NotSignedIn:
        attempt = message.attempt
        self._sign_ins.finish(attempt, self._clock())
        try:
            granted = await self._talk.exchange(attempt, message.code)
        except SignInRefused as refused:
            return self._refused(refused, attempt.issuer, message.host)
        finally:
            self._finishing -= 1
        # Under a name of our own, so that an end of this session ends no other one.
        identity = replace(granted.identity, session=f"page-{secrets.token_hex(16)}")
        return self._begin(attempt.issuer, dataclasses.replace(granted, identity=identity), message.host)

    def _keep_login(self, message: KeepLogin) -> SignedIn | NotSignedIn:
        login, now = message.login, self._clock()
        try:
            identity = self._verifier.verify(login.access.reveal(), now)
        except TokenRefused as refused:
            return self._refused(SignInRefused(SignInFault.TOKEN, refused.message), "", message.host)
        return self._begin("", Granted(identity, now + login.expires_in, login.refresh.reveal()), message.host)

    def _begin(self, issuer: str, granted: Granted, host: str) -> SignedIn:
        secret, now = secrets.token_urlsafe(_SECRET_SIZE), self._clock()
        session = session_of(
            key_of(secret),
            granted.identity,
            issuer,
            now,
            life=self._present().page.life,
            renewal=granted.renewal,
            good_until=granted.good_until,
        )
        for each in self._sessions.begin(session):
            self._tell_end(each, Why.CROWDED)
        named = in_short(session.identity.session)
        events.page_signed_in(user=session.identity.name, session=named, issuer=issuer, client=host)
        if issuer:
            self._note("login", Outcome.DONE, session.identity, host)
        return SignedIn(Secret(secret), session)

    def _refused(self, refused: SignInRefused, issuer: str, host: str) -> NotSignedIn:
        events.page_refused(reason=refused.fault.value, issuer=issuer, client=host, detail=refused.message)
        self._trail.refused("login", refused.message, f"sign-in {refused.fault}", Whence(host, DOOR))
        return NotSignedIn(refused.fault, refused.message, refused.name)

    # -- renewals ---------------------------------------------------------------------------------------------

    async def _look_after(self) -> None:
        while True:
            await beat(LOOK_INTERVAL)
            now = self._clock()
            self._sessions.over(now)
            for session in self._sessions.due(now):
                if len(self._renewing) >= TASKS:
                    break
                self._renew_soon(session)

    def _taken_back(self, _withdrawal: Withdrawal) -> None:
        for session in self._sessions:
            if self._is_revoked(session):
                self._mend(session)

    def _is_revoked(self, session: PageSession) -> bool:
        return self._verifier.is_revoked(session.identity, self._clock())

    def _mend(self, session: PageSession) -> None:
        """A user whose rights have changed has a login still; a person who was sent away signs in again."""
        if session.issuer:
            self._end(session, "revoked")
        else:
            self._renew_soon(session)

    async def _settle(self, key: bytes) -> None:
        session = self._sessions.find(key, self._clock())
        if session is not None and self._is_revoked(session):
            self._mend(session)
        if (underway := self._renewing.get(key)) is not None:
            await underway.wait()

    def _renew_soon(self, session: PageSession) -> None:
        if session.key not in self._renewing:
            self._renewing[session.key] = trio.Event()
            self.start_task(self._renew, session)

    async def _renew(self, session: PageSession) -> None:
        try:
            granted = await (self._renewed_there(session) if session.issuer else self._renewed_here(session))
        except SignInRefused as refused:
            self._not_renewed(session, refused)
        else:
            self._keep(session, granted)
        finally:
            self._renewing.pop(session.key).set()

    def _keep(self, session: PageSession, granted: Granted) -> None:
        now = self._clock()
        later = renewal_of(session, granted.identity, now, renewal=granted.renewal, good_until=granted.good_until)
        if self._sessions.renewed(later):
            events.page_renewed(user=later.identity.name, issuer=session.issuer)
            self._review()

    async def _renewed_there(self, session: PageSession) -> Granted:
        return await self._talk.renew(session.issuer, session.renewal, session.identity)

    async def _renewed_here(self, session: PageSession) -> Granted:
        answer = await self._ask_accounts(Renew(Secret(session.renewal), "", DOOR))
        if isinstance(answer, LoggedIn):
            now = self._clock()
            try:
                identity = self._verifier.verify(answer.access.reveal(), now)
            except TokenRefused as refused:
                raise SignInRefused(SignInFault.TOKEN, refused.message) from None
            return Granted(identity, now + answer.expires_in, answer.refresh.reveal())
        raise SignInRefused(SignInFault.CODE if answer is Denial.ENDED else SignInFault.AWAY)

    async def _ask_accounts(self, message: object) -> object:
        try:
            answer = await ask(self._accounts.ref, message, TIMEOUT)
        except (ActorDead, AskTimeout, MailboxFull):
            return Denial.AWAY
        return answer.why if isinstance(answer, Denied) else answer

    def _not_renewed(self, session: PageSession, refused: SignInRefused) -> None:
        now = self._clock()
        later = postponed(session, now, self._present().page.outage)
        if refused.fault is not SignInFault.AWAY or later is None:
            self._end(session, refused.fault.value)
            return
        self._sessions.renewed(later)
        events.page_unrenewed(issuer=session.issuer, reason=refused.message)

    # -- ends -------------------------------------------------------------------------------------------------

    async def _end_by_hand(self, message: LeavePage) -> None:
        session = self._sessions.find(message.key, self._clock())
        if session is None:
            return
        if (underway := self._renewing.get(message.key)) is not None:
            await underway.wait()
            session = self._sessions.find(message.key, self._clock()) or session
        # First, or the end of its login would be taken for one to be mended by a renewal.
        if self._sessions.end(session.key) is None:
            return
        answer: object = None
        try:
            if session.issuer:
                self._note("logout", Outcome.DONE, session.identity, message.host)
            else:
                answer = await self._ask_accounts(LogOut(Secret(session.renewal), message.host, DOOR))
        finally:
            self._tell_end(session, Why.LOGOUT)
        if isinstance(answer, Done):
            # The keeper of the users has said it, as the end of the login.
            counters.sign_ins.add("ended")
        else:
            self._log_end(session, "logout")

    def _end(self, session: PageSession, reason: str) -> None:
        if self._sessions.end(session.key) is not None:
            self._log_end(session, reason)
            self._tell_end(session, Why.LOGOUT)

    def _log_end(self, session: PageSession, reason: str) -> None:
        named = in_short(session.identity.session)
        events.page_ended(user=session.identity.name, session=named, issuer=session.issuer, reason=reason)

    def _tell_end(self, session: PageSession, why: Why) -> None:
        identity, now = session.identity, self._clock()
        row = Revocation(Scope.SESSION, identity.session, until=session.ends_at)
        try:
            self._verifier.revocations.revoke(row, now)
        except TooManyRevocations as full:
            events.users_failed(path="", operation="end a session of the page", reason=str(full))
        self._tokens.withdrawn.tell(Withdrawal(row, identity.subject, why, now))

    # -- words ------------------------------------------------------------------------------------------------

    def _note(self, what: str, outcome: Outcome, identity: Identity, host: str) -> None:
        self._trail.note(Entry(self._clock(), what, outcome, Who.of(identity), Whence(host, DOOR, identity.session)))

    def _later(self, work: Callable[[Asked], Awaitable[object]], argument: Asked) -> None:
        """Answer with what ``work`` returns, when it does."""
        self.start_task(self._work, work, argument, self.defer_reply())

    async def _work(self, work: Callable[[Asked], Awaitable[object]], argument: Asked, reply: _Reply | None) -> None:
        answer: object = NotSignedIn(SignInFault.AWAY, SignInRefused(SignInFault.AWAY).message)
        try:
            answer = await work(argument)
        finally:
            if reply is not None:
                reply.set(answer)
