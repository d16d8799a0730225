"""The tables of the local users: their statements, and what a row is in words of ours.

Rules of this file: no statement is carried out here. A row that a disk has made something else of raises what its
values raise; ``storage.users`` says what that means.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from domain.access import Family, Revocation, Scope, SessionFault, User, Why, Withdrawal, folded
from storage.database import Value

_USER = "id, name, roles, email, tenant, places, department, shift, is_active, created_at, changed_at, password_at"
ADD = (
    f"INSERT INTO users ({_USER}, name_key, email_key, password) "  # noqa: S608 - our own names
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
CHANGE = (
    "UPDATE users SET name = ?, roles = ?, email = ?, tenant = ?, places = ?, department = ?, shift = ?, "
    "is_active = ?, changed_at = ?, name_key = ?, email_key = ? WHERE id = ?"
)
PASSWORD = "UPDATE users SET password = ?, password_at = ? WHERE id = ?"  # noqa: S105 - a statement
UPGRADE = "UPDATE users SET password = ? WHERE id = ? AND password = ?"
ALL = f"SELECT {_USER} FROM users ORDER BY name_key"  # noqa: S608
BY_ID = f"SELECT {_USER}, password FROM users WHERE id = ?"  # noqa: S608
BY_NAME = f"SELECT {_USER}, password FROM users WHERE name_key = ?"  # noqa: S608
BY_EMAIL = f"SELECT {_USER}, password FROM users WHERE email_key = ?"  # noqa: S608
_FAMILY = "id, user_id, began_at, renewed_at, number, host, door"
FAMILIES = f"SELECT {_FAMILY} FROM families"  # noqa: S608
PUT_FAMILY = f"INSERT OR REPLACE INTO families ({_FAMILY}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
END = "DELETE FROM families WHERE id = ?"
_WITHDRAWAL = "scope, id, issued_before, until, user_id, why, at"
WITHDRAWALS = f"SELECT {_WITHDRAWAL} FROM withdrawals ORDER BY at"  # noqa: S608
WITHDRAW = f"INSERT OR REPLACE INTO withdrawals ({_WITHDRAWAL}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608

_encode = msgspec.json.Encoder().encode
_texts = msgspec.json.Decoder(tuple[str, ...]).decode


class Taken(Exception):
    """Another user has this name, or this address."""


class Found(msgspec.Struct, frozen=True):
    """A user, and what is kept of its password."""

    user: User
    kept: str

    def __repr__(self) -> str:
        return f"Found({self.user.name!r})"


class Renewal(msgspec.Struct, frozen=True):
    """What became of a login whose refresh token was shown, and its user as far as it is known."""

    user: User | None
    became: Family | SessionFault


class Row(Protocol):
    """A row of a table, by the names of its columns."""

    def __getitem__(self, name: str) -> Value:
        """The value in the column ``name``."""


def user_of(row: Row) -> User:
    """The user in a row."""
    return User(
        id=str(row["id"]),
        name=str(row["name"]),
        roles=_texts(str(row["roles"])),
        email=str(row["email"]),
        tenant=str(row["tenant"]),
        places=_texts(str(row["places"])),
        department=str(row["department"]),
        shift=str(row["shift"]),
        is_active=row["is_active"] == 1,
        created_at=_moment(row["created_at"]),
        changed_at=_moment(row["changed_at"]),
        password_at=_moment(row["password_at"]),
    )


def user_values(user: User) -> tuple[Value, ...]:
    """The columns of a user, but its keys and its password."""
    return (
        user.id,
        user.name,
        _encode(user.roles).decode(),
        user.email,
        user.tenant,
        _encode(user.places).decode(),
        user.department,
        user.shift,
        int(user.is_active),
        user.created_at,
        user.changed_at,
        user.password_at,
    )


def family_values(family: Family) -> tuple[Value, ...]:
    """The columns of a login."""
    return (
        family.id,
        family.user_id,
        family.began_at,
        family.renewed_at,
        family.number,
        family.host,
        family.door,
    )


def family_of(row: Row) -> Family:
    """The login in a row."""
    return Family(
        id=str(row["id"]),
        user_id=str(row["user_id"]),
        began_at=_moment(row["began_at"]),
        renewed_at=_moment(row["renewed_at"]),
        number=_number(row["number"]),
        host=str(row["host"]),
        door=str(row["door"]),
    )


def withdrawal_values(withdrawal: Withdrawal) -> tuple[Value, ...]:
    """The columns of what was taken back."""
    row = withdrawal.row
    return (row.scope, row.id, row.before, row.until, withdrawal.user_id, withdrawal.why, withdrawal.at)


def withdrawal_of(row: Row) -> Withdrawal:
    """What was taken back, by its row."""
    before, until = row["issued_before"], row["until"]
    return Withdrawal(
        Revocation(
            Scope(str(row["scope"])),
            str(row["id"]),
            None if before is None else _moment(before),
            None if until is None else _moment(until),
        ),
        str(row["user_id"]),
        Why(str(row["why"])),
        _moment(row["at"]),
    )


def _moment(value: Value) -> float:
    if not isinstance(value, int | float):
        raise TypeError("no moment")
    return float(value)


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError("no number")
    return value


def email_key(user: User) -> str | None:
    """The address of a user as it is compared, None if it has none."""
    return folded(user.email) if user.email else None
