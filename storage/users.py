"""Local users on disk: who there is, their logins, the tokens that were taken back, what tokens are signed with.

Rules of this file:

* Plain blocking functions, called by one thread at a time. It is a file of its own, owner-only, which the daemon and
  ``andond user`` share: each sees at its next question what the other did, ``version`` says that there is something.
* Every change is on disk when its function returns, and with it all that it takes back. What is deleted is overwritten.
* What becomes of a login is decided by ``domain.access``; here it is carried out in one transaction, so that two
  processes cannot both renew it.
* A damaged file is not put aside: without it nobody logs in, and that is for an operator to see. It is refused.
* What is read of a user never has the password with it; ``find`` alone returns what was kept of that, beside it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from domain.access import (
    Family,
    SessionFault,
    SessionTerms,
    User,
    Why,
    Withdrawal,
    crowded_out,
    ended,
    folded,
    renewed,
    superseded,
)
from storage.database import Database
from storage.errors import StorageError
from storage.opening import make_private
from storage.user_rows import (
    ADD,
    ALL,
    BY_EMAIL,
    BY_ID,
    BY_NAME,
    CHANGE,
    END,
    FAMILIES,
    PASSWORD,
    PUT_FAMILY,
    UPGRADE,
    WITHDRAW,
    WITHDRAWALS,
    Found,
    Renewal,
    Row,
    Taken,
    email_key,
    family_of,
    family_values,
    user_of,
    user_values,
    withdrawal_of,
    withdrawal_values,
)

NAME = "access.db"
MIGRATIONS = "access_migrations"

KEY_SIZE = 32


class Users:
    """The users in a directory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, directory: Path | None) -> Users:
        """Open the file in ``directory``, a new one if there is none; None: in memory.

        Raises:
            StorageError: if it cannot be used, or is damaged.
        """
        path = None if directory is None else directory / NAME
        if path is not None:
            _make_ours(path)
        database = Database.open(path, MIGRATIONS)
        try:
            faults = database.faults(is_thorough=False)
            if faults:
                raise StorageError(path, "open", "; ".join(faults), damaged=True, needs_operator=True)  # noqa: TRY301
            database.rows("open", "PRAGMA secure_delete = ON")
        except BaseException:
            database.abandon()
            raise
        return cls(database)

    @staticmethod
    def are_in(directory: Path) -> bool:
        """Whether there is a file of users in ``directory``."""
        return (directory / NAME).exists()

    # -- users ----------------------------------------------------------------------------------------------

    def add(self, user: User, kept: str) -> None:
        """There is one more ``user``, of whose password this is ``kept``.

        Raises:
            Taken: if its name or address is another's.
            StorageError: with nothing added.
        """
        with self._database.transaction("add a user", is_synced=True):
            self._check_free(user)
            self._database.write(ADD, [(*user_values(user), folded(user.name), email_key(user), kept)])

    def change(self, user: User, why: Why | None = None) -> None:
        """What is known of the user with this id is from now on ``user``; its password stays.

        With ``why`` its access tokens are taken back; if it is not active any more, its logins end.

        Raises:
            Taken: if its name or address is another's.
            StorageError: with nothing changed.
        """
        with self._database.transaction("change a user", is_synced=True):
            self._check_free(user)
            _, *known, _created, changed, _password = user_values(user)
            self._database.write(CHANGE, [(*known, changed, folded(user.name), email_key(user), user.id)])
            if why is not None:
                self._withdraw(superseded(user.id, why, user.changed_at))
                if not user.is_active:
                    self._end_of(user.id, why, user.changed_at)

    def set_password(self, user_id: str, kept: str, at: float, *, but: str = "") -> None:
        """The user has a new password, and all its logins end, but the one that this ``but`` names.

        Raises:
            StorageError: with nothing changed.
        """
        with self._database.transaction("change a password", is_synced=True):
            self._database.write(PASSWORD, [(kept, at, user_id)])
            self._end_of(user_id, Why.PASSWORD, at, but)

    def upgrade_password(self, user_id: str, before: str, kept: str) -> None:
        """The same password is kept by other parameters, unless it is another one by now.

        Raises:
            StorageError: with nothing changed.
        """
        with self._database.transaction("upgrade a password", is_synced=True):
            self._database.write(UPGRADE, [(kept, user_id, before)])

    def remove(self, user_id: str, at: float) -> None:
        """There is no such user any more, and none of its logins.

        Raises:
            StorageError: with nothing removed.
        """
        with self._database.transaction("remove a user", is_synced=True):
            self._withdraw(superseded(user_id, Why.REMOVED, at))
            self._end_of(user_id, Why.REMOVED, at)
            self._database.write("DELETE FROM users WHERE id = ?", [(user_id,)])

    def all(self) -> tuple[User, ...]:
        """Every user, by name.

        Raises:
            StorageError: if the file cannot be read, or a row of it cannot be understood.
        """
        return tuple(self._user(row) for row in self._database.rows("read users", ALL))

    def find(self, login: str) -> Found | None:
        """The user who is called ``login``, or has this address; None if there is none.

        Raises:
            StorageError: as ``all``.
        """
        rows = self._database.rows("find a user", BY_EMAIL if "@" in login else BY_NAME, (folded(login),))
        return self._found(rows)

    def of_id(self, user_id: str) -> Found | None:
        """The user with this id; None if there is none.

        Raises:
            StorageError: as ``all``.
        """
        return self._found(self._database.rows("find a user", BY_ID, (user_id,)))

    # -- logins ---------------------------------------------------------------------------------------------

    def families(self, user_id: str) -> tuple[Family, ...]:
        """The logins of a user that have not ended, by their ids.

        Raises:
            StorageError: if the file cannot be read.
        """
        statement = f"{FAMILIES} WHERE user_id = ? ORDER BY id"
        rows = self._database.rows("read logins", statement, (user_id,))
        with self._understanding("logins"):
            return tuple(map(family_of, rows))

    def begin(self, family: Family, terms: SessionTerms) -> None:
        """A user has logged in; where it has too many logins the oldest end.

        Raises:
            StorageError: with nothing begun.
        """
        with self._database.transaction("begin a login", is_synced=True):
            crowd = {each.id: each for each in self.families(family.user_id)}
            self._end([crowd[id_] for id_ in crowded_out(crowd.values(), terms)], Why.CROWDED, family.began_at)
            self._database.write(PUT_FAMILY, [family_values(family)])

    def renew(self, family_id: str, token_id: str, at: float, terms: SessionTerms) -> Renewal:
        """A refresh token was shown: what becomes of its login, and whose it is.

        Raises:
            StorageError: with nothing done.
        """
        with self._database.transaction("renew a login", is_synced=True):
            family = self._family(family_id)
            found = None if family is None else self.of_id(family.user_id)
            user = None if found is None else found.user
            became = renewed(family if user is not None and user.is_active else None, token_id, at, terms)
            if isinstance(became, Family):
                self._database.write(PUT_FAMILY, [family_values(became)])
            elif family is not None:
                self._end([family], Why.REUSED if became is SessionFault.REUSED else Why.LOGOUT, at)
        return Renewal(user, became)

    def end(self, family_id: str, why: Why, at: float) -> bool:
        """End a login; whether there was one.

        Raises:
            StorageError: with nothing ended.
        """
        with self._database.transaction("end a login", is_synced=True):
            family = self._family(family_id)
            self._end([] if family is None else [family], why, at)
        return family is not None

    def end_all(self, user_id: str, why: Why, at: float) -> None:
        """End all logins of a user.

        Raises:
            StorageError: with nothing ended.
        """
        with self._database.transaction("end logins", is_synced=True):
            self._end_of(user_id, why, at)

    # -- tokens ---------------------------------------------------------------------------------------------

    def withdraw(self, withdrawal: Withdrawal) -> None:
        """Tokens are taken back.

        Raises:
            StorageError: with nothing done.
        """
        with self._database.transaction("take a token back", is_synced=True):
            self._withdraw(withdrawal)

    def withdrawals(self) -> tuple[Withdrawal, ...]:
        """What was taken back and has not lapsed, the oldest first.

        Raises:
            StorageError: if the file cannot be read, or a row of it cannot be understood.
        """
        rows = self._database.rows("read what was taken back", WITHDRAWALS)
        with self._understanding("what was taken back"):
            return tuple(map(withdrawal_of, rows))

    def retain(self, at: float, terms: SessionTerms) -> None:
        """Delete what has ended by itself at ``at``.

        Raises:
            StorageError: with nothing deleted.
        """
        with self._database.transaction("retain", is_synced=False):
            self._database.write("DELETE FROM withdrawals WHERE until <= ?", [(at,)])
            old = [(at - terms.life, at - terms.idle)]
            self._database.write("DELETE FROM families WHERE began_at <= ? OR renewed_at <= ?", old)
        self._database.move_log(is_due=False)

    def signing_key(self) -> bytes:
        """What our own tokens are signed with; made when it is first asked for.

        Raises:
            StorageError: if it can neither be read nor made.
        """
        with self._database.transaction("read the signing key", is_synced=True):
            statement = "INSERT OR IGNORE INTO keys (name, value) VALUES ('tokens', ?)"
            if self._database.read("SELECT 1 FROM keys WHERE name = 'tokens'", ()) is None:
                self._database.write(statement, [(secrets.token_bytes(KEY_SIZE),)])
            row = self._database.read("SELECT value FROM keys WHERE name = 'tokens'", ())
        value = b"" if row is None else row["value"]
        if not isinstance(value, bytes) or len(value) < KEY_SIZE:
            raise StorageError(self._database.path, "read the signing key", "it is too short", needs_operator=True)
        return value

    # -- the file -------------------------------------------------------------------------------------------

    def version(self) -> int:
        """A number that is another one after another process has changed something.

        Raises:
            StorageError: if the file cannot be read.
        """
        return int(self._database.rows("look for changes", "PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Close the file in order.

        Raises:
            StorageError: if the disk fails; it is closed all the same.
        """
        self._database.close()

    def _check_free(self, user: User) -> None:
        if self._database.read("SELECT 1 FROM users WHERE name_key = ? AND id <> ?", (folded(user.name), user.id)):
            raise Taken(f"there is a user {user.name} already")
        if self._database.read("SELECT 1 FROM users WHERE email_key = ? AND id <> ?", (email_key(user), user.id)):
            raise Taken(f"another user has the address {user.email}")

    def _end_of(self, user_id: str, why: Why, at: float, but: str = "") -> None:
        self._end([each for each in self.families(user_id) if each.id != but], why, at)

    def _end(self, families: Sequence[Family], why: Why, at: float) -> None:
        self._database.write(END, [(each.id,) for each in families])
        self._withdraw(*(ended(each, why, at) for each in families))

    def _withdraw(self, *withdrawals: Withdrawal) -> None:
        self._database.write(WITHDRAW, [withdrawal_values(each) for each in withdrawals])

    def _family(self, family_id: str) -> Family | None:
        row = self._database.read(f"{FAMILIES} WHERE id = ?", (family_id,))
        with self._understanding("a login"):
            return None if row is None else family_of(row)

    def _found(self, rows: Sequence[Row]) -> Found | None:
        return Found(self._user(rows[0]), str(rows[0]["password"])) if rows else None

    def _user(self, row: Row) -> User:
        with self._understanding("a user"):
            return user_of(row)

    @contextmanager
    def _understanding(self, what: str) -> Iterator[None]:
        try:
            yield
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            reason = "its row is damaged"
            raise StorageError(
                self._database.path, f"read {what}", reason, damaged=True, needs_operator=True
            ) from error


def has_users(directory: Path | None) -> bool:
    """Whether there is any user in ``directory``; without the file there is none.

    Raises:
        StorageError: if the file cannot be read.
    """
    if directory is None or not Users.are_in(directory):
        return False
    users = Users.open(directory)
    try:
        return bool(users.all())
    finally:
        users.close()


def users_stamp(directory: Path | None) -> tuple[tuple[int, int], ...]:
    """What is another one once somebody has written to the file of users: time and size of it and of its log."""
    if directory is None:
        return ()
    found: list[tuple[int, int]] = []
    for name in (NAME, f"{NAME}-wal"):
        try:
            state = (directory / name).stat()
        except OSError:
            found.append((0, 0))
        else:
            found.append((state.st_mtime_ns, state.st_size))
    return tuple(found)


def _make_ours(path: Path) -> None:
    """The file is its owner's alone, who is the owner of the directory if root makes it: that is whom we run as."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_new = not path.exists()
    except OSError as error:
        raise StorageError(path.parent, "make", error.strerror or str(error), needs_operator=True) from error
    make_private(path)
    if is_new and os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
