"""What is written down of a login: in the log, and by the auditor where there is one.

Rules of this file: who logs in is named only if there is such a user, because what was written in place of a name may
be a password.
"""

from __future__ import annotations

from typing import Protocol

from actors.audit.words import AuditTrail
from domain.access import Proof, User, Withdrawal
from domain.audit import Entry, Outcome, Target, Whence, Who
from telemetry import events

SHORT = 8
"""Characters of a login's name that the log has: enough to tell two apart."""


class Notes(Protocol):
    """Takes note of what came of a ``login``, ``renewal``, ``logout`` or ``password``."""

    def __call__(
        self, what: str, outcome: str, user: User | None, host: str, door: str, why: str = "", session: str = ""
    ) -> None:
        """``user`` is None where there is none such; ``outcome`` and ``why`` are words of few, ``session`` a login."""


def in_short(session: str) -> str:
    """The login ``session``, or that of the page, as the log names it."""
    return session.removeprefix("page-")[:SHORT]


def noted_in_log(
    what: str, outcome: str, user: User | None, host: str, door: str, why: str = "", session: str = ""
) -> None:
    """Write one line, and count."""
    del why
    name = "" if user is None else user.name
    if outcome == "succeeded":
        events.login_succeeded(user=name, session=in_short(session), client=host, door=door)
    elif outcome == "renewed":
        events.login_renewed(user=name, client=host, door=door)
    elif what in ("login", "renewal"):
        events.login_refused(reason=outcome, user=name, client=host, door=door)


_OUTCOMES = {"succeeded": Outcome.DONE, "renewed": Outcome.DONE, "changed": Outcome.DONE, "away": Outcome.FAILED}
_IN_MASS = frozenset({"login", "renewal"})


class AccountNotes:
    """Writes one line, and has the auditor write down what it tells, by ``trail``."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    def __call__(
        self, what: str, outcome: str, user: User | None, host: str, door: str, why: str = "", session: str = ""
    ) -> None:
        """Note what came of a login, a renewal, a logout or a change of a password."""
        noted_in_log(what, outcome, user, host, door, session=session)
        is_over = what == "logout" and outcome == "ended"
        came = Outcome.DONE if is_over else _OUTCOMES.get(outcome, Outcome.REFUSED)
        words = outcome if came is not Outcome.DONE else ""
        reason = f"{words}: {why}" if why else words
        # Who guesses does so in mass, and so does a client that renews in a loop; a login that succeeds is written.
        is_counted = what in _IN_MASS and outcome != "succeeded"
        word = f"{reason or outcome} {user.id if user else ''}".strip() if is_counted else ""
        at = self._trail.clock()
        self._trail.note(Entry(at, what, came, who_of(user), Whence(host, door, session), why=reason, together=word))

    def taken_back(self, withdrawal: Withdrawal) -> None:
        """Note that tokens are not good any more."""
        target = Target(id=f"{withdrawal.row.scope.value} {withdrawal.row.id}")
        what, why = "token.revoke", f"tokens of user {withdrawal.user_id}: {withdrawal.why}"
        self._trail.note(Entry(self._trail.clock(), what, Outcome.DONE, target=target, why=why))


def who_of(user: User | None) -> Who:
    """A local ``user``; nobody where there is none such."""
    if user is None:
        return Who()
    return Who(user.id, user.name, user.tenant, Proof.LOCAL.value, tuple(sorted(user.roles)))
