"""Bytes on disk: the journal of events, what the desks know, the users, the audit."""

from storage.audit import AuditLog
from storage.audit_proof import AuditReport, read_audit, verify_audit
from storage.errors import StorageError
from storage.journal import RESERVE, Journal, Statistics
from storage.opening import Begun
from storage.passwords import (
    PasswordsMissing,
    can_hash_passwords,
    hash_of_nobody,
    hashed_password,
    password_is_outdated,
    password_matches,
)
from storage.proof import Finding
from storage.records import Entry, Kept, Recorded
from storage.retention import Keep, Retained, keep_of
from storage.rows import KeptState
from storage.series import Series, SeriesRead
from storage.state import is_held
from storage.subscriptions import load_memory, save_memory
from storage.user_rows import Found, Renewal, Taken
from storage.users import Users, has_users, users_stamp
from storage.verification import Report, verify

__all__ = [
    "RESERVE",
    "AuditLog",
    "AuditReport",
    "Begun",
    "Entry",
    "Finding",
    "Found",
    "Journal",
    "Keep",
    "Kept",
    "KeptState",
    "PasswordsMissing",
    "Recorded",
    "Renewal",
    "Report",
    "Retained",
    "Series",
    "SeriesRead",
    "Statistics",
    "StorageError",
    "Taken",
    "Users",
    "can_hash_passwords",
    "has_users",
    "hash_of_nobody",
    "hashed_password",
    "is_held",
    "keep_of",
    "load_memory",
    "password_is_outdated",
    "password_matches",
    "read_audit",
    "save_memory",
    "users_stamp",
    "verify",
    "verify_audit",
]
