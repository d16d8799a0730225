"""Who shows a password waits here for its turn: held off, turned away, or looked at.

Rules of this file:

* One password is hashed at a time, in a thread, so that logins take one core at most. Of those that wait there are at
  most ``WAITING``, ``WAITING_OF_ONE`` of one address and ``WAITING_OF_NAME`` of one name.
* Who has logged in from its address before finds places that strangers cannot take: ``KEPT_FOR_FAMILIAR`` of all, and
  as many again of its name.
* Whoever there is and whoever there is not are counted alike, by what they wrote, and take the same time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import msgspec
import trio

from actors.accounts.words import Denial, Denied
from config import Secret
from domain.access import Lockout, User, folded, network_of
from storage import Found, hash_of_nobody, password_matches

WAITING = 24
WAITING_OF_ONE = 8
WAITING_OF_NAME = 2
KEPT_FOR_FAMILIAR = 8
BUSY_RETRY = 2.0
"""Seconds after which a client may ask again that was not looked at."""

T = TypeVar("T")


class Applicant(msgspec.Struct, frozen=True):
    """Who shows a password: ``key`` is what its failures are counted by, ``found`` is None where there is nobody."""

    key: str
    found: Found | None
    host: str
    door: str

    @property
    def user(self) -> User | None:
        """The user, if there is one."""
        return None if self.found is None else self.found.user


class PasswordQueue:
    """The applicants of the present; ``clock`` gives the Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lockout = Lockout()
        self._hashing = trio.CapacityLimiter(1)
        self._waiting: Counter[str] = Counter()
        self._names: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._waiting.total()

    @property
    def counted(self) -> int:
        """How many failures and familiar addresses are kept."""
        return len(self._lockout)

    def enter(self, applicant: Applicant) -> Denied | None:
        """Let ``applicant`` wait for its turn, or say why not; who was let in must ``leave``."""
        now = self._clock()
        delay = self._lockout.attempt(applicant.key, applicant.host, now)
        if delay > 0:
            wait = max(1, round(delay))
            unit = "second" if wait == 1 else "seconds"
            words = f"too many attempts: it is looked at again in {wait} {unit} at the earliest"
            return Denied(Denial.HELD_OFF, words, delay)
        if not self._has_place(applicant, now):
            self.undo(applicant)
            return Denied(Denial.BUSY, "too many log in at the same time", BUSY_RETRY)
        self._waiting[network_of(applicant.host)] += 1
        self._names[applicant.key] += 1
        return None

    def leave(self, applicant: Applicant) -> None:
        """``applicant`` was answered."""
        for counts, key in ((self._waiting, network_of(applicant.host)), (self._names, applicant.key)):
            counts[key] -= 1
            if not counts[key]:
                del counts[key]

    def forgive(self, user: User) -> None:
        """Whoever looks after the users has let ``user`` in again: nobody waits for what was guessed before."""
        for login in filter(None, (user.name, user.email)):
            self._lockout.forgive(folded(login))

    def undo(self, applicant: Applicant) -> None:
        """What ``applicant`` showed was not looked at."""
        self._lockout.undone(applicant.key, applicant.host, self._clock())

    def _has_place(self, applicant: Applicant, at: float) -> bool:
        all_, of_name = WAITING - KEPT_FOR_FAMILIAR, WAITING_OF_NAME
        if self._lockout.is_familiar(applicant.key, applicant.host, at):
            all_, of_name = WAITING, 2 * WAITING_OF_NAME
        return (
            self.waiting < all_
            and self._waiting[network_of(applicant.host)] < WAITING_OF_ONE
            and self._names[applicant.key] < of_name
        )

    async def is_good(self, applicant: Applicant, password: Secret) -> bool:
        """Whether ``password`` is that of ``applicant``, who is a user that may log in.

        Raises:
            PasswordsMissing: if no password can be hashed here.
        """
        # Asked for by everybody, so that the first who needs it takes no longer than who does not.
        nobody = await self.hash(hash_of_nobody)
        kept = nobody if applicant.found is None else applicant.found.kept
        is_good = await self.hash(lambda: password_matches(kept, password.reveal()))
        if not is_good or applicant.found is None or not applicant.found.user.is_active:
            return False
        self._lockout.succeeded(applicant.key, applicant.host, self._clock())
        return True

    async def hash(self, work: Callable[[], T]) -> T:
        """Do ``work`` in a thread, when it is its turn."""
        return await trio.to_thread.run_sync(work, limiter=self._hashing)
