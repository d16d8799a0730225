"""The keeper of the local users: logs in, renews, logs out, and tells what was taken back.

Rules of this file:

* The file is used by one thread at a time; who shows a password waits in the ``PasswordQueue``.
* Whoever there is not is answered as whoever there is, with a wrong password or locked, in the same time.
* ``andond user`` writes the same file: every ``LOOK_INTERVAL`` it is looked whether it has.
* A file that cannot be used lets nobody in, ends nobody's life, and is opened anew at the next use.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import trio
from msgspec.structs import replace

from actors.accounts.notes import AccountNotes, Notes, in_short
from actors.accounts.queue import BUSY_RETRY, Applicant, PasswordQueue
from actors.accounts.tokens import Tokens
from actors.accounts.users_file import UsersFile
from actors.accounts.words import (
    ChangePassword,
    Denial,
    Denied,
    Done,
    Known,
    LoggedIn,
    LogIn,
    LogOut,
    Renew,
    WhoIs,
)
from actors.audit.words import AuditTrail
from actors.beats import beat
from actors.recorder.disk import at_once, in_thread
from actors.runtime import TrioActor
from config import Secret, UserSettings
from domain import JsonValue
from domain.access import (
    Family,
    Identity,
    Proof,
    Revocation,
    Scope,
    SessionFault,
    SessionTerms,
    TokenKind,
    TokenRefused,
    TooManyRevocations,
    User,
    Why,
    Withdrawal,
    folded,
    identity_of,
    weakness,
)
from storage import (
    Found,
    PasswordsMissing,
    StorageError,
    hashed_password,
    password_is_outdated,
)
from telemetry import events

LOOK_INTERVAL = 1.0
RETAIN_INTERVAL = 3600.0

WRONG = "the name or the password is wrong, or the user may not log in"
ENDED = "the token is not good any more: log in again"
AWAY = "the users cannot be looked up now"

_ID_SIZE = 16


class _Reply(Protocol):
    def set(self, value: object = None) -> None:
        """Answer."""


class Accounts(TrioActor):
    """Keeps the users in ``directory`` (None: there are none) as the ``present`` settings say.

    What is taken back of ``tokens`` is put into their list and told; ``notes`` is told of every login.
    """

    has_tasks = True

    def __init__(
        self,
        directory: Path | None,
        present: Callable[[], UserSettings],
        tokens: Tokens,
        *,
        notes: Notes | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._file = UsersFile(directory, in_thread if directory else at_once)
        self._present = present
        self._tokens = tokens
        self._noted = AccountNotes(AuditTrail(self.life.environment, clock))
        self._notes = notes or self._noted
        self._clock = clock
        self._queue = PasswordQueue(clock)

    async def setup(self) -> None:
        """Know what was taken back, before anybody's token is looked at."""
        await self._look(is_told=bool(self._tokens.seen))
        await self._forgive()
        self.start_task(self._keep_looking)

    async def close(self) -> None:
        """Close the file."""
        with trio.CancelScope(shield=True):
            await self._file.close()

    async def on_receive(self, message: object) -> object:
        """Log in, renew, log out, say who it is."""
        try:
            return await self._answer(message)
        except StorageError as error:
            return self._away(error)

    async def _answer(self, message: object) -> object:
        match message:
            case LogIn():
                return await self._log_in(message)
            case ChangePassword():
                return await self._change_password(message)
            case Renew():
                return await self._renew(message)
            case LogOut():
                return await self._log_out(message)
            case WhoIs(token=token):
                return await self._who_is(token)
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """Whether the file can be used, how many wait, who is held off, what is taken back."""
        return {
            "fault": self._file.fault or None,
            "waiting": self._queue.waiting,
            "counted": self._queue.counted,
            "withdrawn": len(self._tokens.seen),
        }

    # -- passwords ------------------------------------------------------------------------------------------

    async def _log_in(self, message: LogIn) -> Denied | None:
        found = await self._file.use(lambda users: users.find(message.login))
        # By what was written: that a name and an address are one user's would show otherwise.
        applicant = Applicant(folded(message.login), found, message.host, message.door)
        return self._let_wait(applicant, lambda: self._admit(applicant, message.password))

    async def _change_password(self, message: ChangePassword) -> Denied | None:
        identity = self._own(message.token)
        found = None if identity is None else await self._file.use(lambda users: users.of_id(identity.subject))
        if identity is None or found is None:
            return Denied(Denial.ENDED, ENDED)
        user = found.user
        weak = weakness(message.wanted.reveal(), user.name, user.email, self._present().password_length)
        if weak:
            return Denied(Denial.WEAK, weak)
        applicant = Applicant(folded(user.name), found, message.host, message.door)
        return self._let_wait(applicant, lambda: self._exchange(applicant, message, identity.session))

    def _let_wait(self, applicant: Applicant, work: Callable[[], Awaitable[object]]) -> Denied | None:
        """Let ``work`` answer when it is its turn, unless it is not to be done at all."""
        denied = self._queue.enter(applicant)
        if denied is not None:
            return self._denied(applicant, denied)
        self.start_task(self._work, applicant, work, self.defer_reply())
        return None

    async def _work(self, applicant: Applicant, work: Callable[[], Awaitable[object]], reply: _Reply | None) -> None:
        answer: object = Denied(Denial.AWAY, AWAY, BUSY_RETRY)
        try:
            answer = await work()
        except StorageError as error:
            self._queue.undo(applicant)
            answer = self._away(error)
        except (PasswordsMissing, ImportError) as missing:
            answer = Denied(Denial.AWAY, AWAY)
            events.users_failed(path="", operation="hash", reason=str(missing))
        finally:
            self._queue.leave(applicant)
            if reply is not None:
                reply.set(answer)

    async def _admit(self, applicant: Applicant, password: Secret) -> LoggedIn | Denied:
        found = applicant.found
        if not await self._queue.is_good(applicant, password) or found is None:
            return self._denied(applicant, Denied(Denial.CREDENTIALS, WRONG))
        now = self._clock()
        family = Family(secrets.token_hex(_ID_SIZE), found.user.id, now, now, host=applicant.host, door=applicant.door)
        await self._file.use(lambda users: users.begin(family, self._terms()))
        await self._look()
        self.start_task(self._upgrade, found, password)
        self._notes("login", "succeeded", found.user, applicant.host, applicant.door, session=family.id)
        return self._logged_in(found.user, family, now)

    async def _exchange(self, applicant: Applicant, message: ChangePassword, session: str) -> Done | Denied:
        found = applicant.found
        if not await self._queue.is_good(applicant, message.present) or found is None:
            return self._denied(applicant, Denied(Denial.CREDENTIALS, "the present password is wrong"))
        kept = await self._queue.hash(lambda: hashed_password(message.wanted.reveal()))
        now = self._clock()
        await self._file.use(lambda users: users.set_password(found.user.id, kept, now, but=session))
        await self._look()
        self._notes("password", "changed", found.user, message.host, message.door)
        return Done()

    async def _upgrade(self, found: Found, password: Secret) -> None:
        """Keep a password by the parameters of now, whoever has logged in meanwhile."""
        try:
            if await self._queue.hash(lambda: password_is_outdated(found.kept)):
                kept = await self._queue.hash(lambda: hashed_password(password.reveal()))
                await self._file.use(lambda users: users.upgrade_password(found.user.id, found.kept, kept))
        except StorageError as error:
            self._away(error)

    # -- tokens ---------------------------------------------------------------------------------------------

    async def _renew(self, message: Renew) -> LoggedIn | Denied:
        now = self._clock()
        try:
            shown = self._tokens.issuer.renewing(message.token.reveal(), now)
        except TokenRefused:
            self._notes("renewal", "ended", None, message.host, message.door)
            return Denied(Denial.ENDED, ENDED)
        terms = self._terms()
        renewal = await self._file.use(lambda users: users.renew(shown.session, shown.token_id, now, terms))
        if isinstance(renewal.became, SessionFault) or renewal.user is None:
            await self._look()
            why = str(renewal.became) if isinstance(renewal.became, SessionFault) else "unknown"
            self._notes("renewal", "ended", renewal.user, message.host, message.door, why)
            return Denied(Denial.ENDED, ENDED)
        self._notes("renewal", "renewed", renewal.user, message.host, message.door)
        return self._logged_in(renewal.user, renewal.became, now)

    async def _log_out(self, message: LogOut) -> Done | Denied:
        now, token = self._clock(), message.token.reveal()
        try:
            identity = self._tokens.issuer.renewing(token, now)
        except TokenRefused:
            try:
                identity = self._tokens.verifier.verify(token, now)
            except TokenRefused:
                return Denied(Denial.ENDED, ENDED)
        if identity.proof is not Proof.LOCAL:
            row = Revocation(Scope.TOKEN, identity.token_id, until=identity.expires_at)
            taken_back = Withdrawal(row, identity.subject, Why.LOGOUT, now)
            await self._file.use(lambda users: users.withdraw(taken_back))
        elif message.is_everywhere:
            await self._file.use(lambda users: users.end_all(identity.subject, Why.EVERYWHERE, now))
        else:
            await self._file.use(lambda users: users.end(identity.session, Why.LOGOUT, now))
        await self._look()
        user = User(identity.subject, identity.name, ())
        self._notes("logout", "ended", user, message.host, message.door, session=identity.session)
        return Done()

    async def _who_is(self, token: Secret) -> Known | Denied:
        now = self._clock()
        try:
            identity = self._tokens.verifier.verify(token.reveal(), now)
        except TokenRefused as refused:
            why = Denial.ENDED if refused.retry_after is None else Denial.AWAY
            return Denied(why, refused.message, refused.retry_after)
        life = 0.0 if identity.expires_at is None else identity.expires_at - now
        if identity.proof is not Proof.LOCAL:
            return Known(_user_of(identity), "", life)
        found = await self._file.use(lambda users: users.of_id(identity.subject))
        return Denied(Denial.ENDED, ENDED) if found is None else Known(found.user, identity.session, life)

    def _own(self, token: Secret) -> Identity | None:
        """Whose access token of our own this is."""
        try:
            identity = self._tokens.verifier.verify(token.reveal(), self._clock())
        except TokenRefused:
            return None
        return identity if identity.proof is Proof.LOCAL else None

    def _logged_in(self, user: User, family: Family, at: float) -> LoggedIn:
        terms = self._terms()
        bearer = identity_of(user, family, at, terms)
        renewer = replace(bearer, expires_at=family.ends_at(terms))
        return LoggedIn(
            Secret(self._tokens.issuer.issue(bearer, TokenKind.ACCESS, at)),
            Secret(self._tokens.issuer.issue(renewer, TokenKind.REFRESH, at)),
            user,
            family.id,
            (bearer.expires_at or at) - at,
        )

    def _terms(self) -> SessionTerms:
        present = self._present()
        return SessionTerms(present.token_life, present.session_life, present.session_idle, present.sessions)

    # -- what was taken back --------------------------------------------------------------------------------

    async def _keep_looking(self) -> None:
        due = trio.current_time()
        while True:
            await beat(LOOK_INTERVAL)
            self._tokens.withdrawn.pass_by(self._clock())
            try:
                if await self._file.has_changed():
                    await self._look()
                    await self._forgive()
                if trio.current_time() >= due:
                    due = trio.current_time() + RETAIN_INTERVAL
                    await self._retain()
            except StorageError as error:
                self._away(error)

    async def _forgive(self) -> None:
        """Hold off nobody any more whom the command line unlocked, changed, or gave a password."""
        if self._file.is_empty:
            return
        try:
            for user in await self._file.changed_users():
                self._queue.forgive(user)
        except StorageError as error:
            self._away(error)

    async def _retain(self) -> None:
        now, terms = self._clock(), self._terms()
        self._tokens.revocations.lapse(now)
        if not self._file.is_empty:
            await self._file.use(lambda users: users.retain(now, terms))

    async def _look(self, *, is_told: bool = True) -> None:
        """Put in force what was taken back since the last look, by whomever."""
        if self._file.is_empty:
            return
        try:
            withdrawals = await self._file.use(lambda users: users.withdrawals())
        except StorageError as error:
            self._away(error)
            return
        new = [each for each in withdrawals if self._tokens.seen.get((each.row.scope, each.row.id)) != each.at]
        self._tokens.seen.clear()
        self._tokens.seen.update({(each.row.scope, each.row.id): each.at for each in withdrawals})
        for each in new:
            self._take_back(each)
            if is_told:
                self._noted.taken_back(each)
                self._tokens.withdrawn.tell(each)
        if is_told and new:
            await self._tell_ends(new)

    async def _tell_ends(self, withdrawals: Sequence[Withdrawal]) -> None:
        ids = {each.user_id for each in withdrawals}
        try:
            found = await self._file.use(lambda users: [user for id_ in ids if (user := users.of_id(id_))])
        except StorageError as error:
            found = []
            self._away(error)
        names = {each.user.id: each.user.name for each in found}
        for each in withdrawals:
            session = in_short(each.row.id) if each.row.scope is Scope.SESSION else ""
            events.session_ended(user=names.get(each.user_id, each.user_id), session=session, reason=each.why)

    def _take_back(self, withdrawal: Withdrawal) -> None:
        try:
            self._tokens.revocations.revoke(withdrawal.row, self._clock())
        except TooManyRevocations as full:
            events.users_failed(path="", operation="take a token back", reason=str(full))

    # -- no -------------------------------------------------------------------------------------------------

    def _denied(self, applicant: Applicant, denied: Denied) -> Denied:
        self._notes("login", denied.why, applicant.user, applicant.host, applicant.door)
        return denied

    def _away(self, error: StorageError) -> Denied:
        events.users_failed(path=str(error.path or ""), operation=error.operation, reason=error.reason)
        return Denied(Denial.AWAY, AWAY, BUSY_RETRY)


def _user_of(identity: Identity) -> User:
    """What is known of the user of another issuer."""
    return User(
        id=identity.subject,
        name=identity.name,
        roles=tuple(sorted(identity.roles)),
        tenant=identity.tenant,
        places=identity.places,
        department=identity.department,
        shift=identity.shift,
    )
