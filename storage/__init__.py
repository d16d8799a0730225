"""Bytes on disk: the journal of events and what the desks know."""

from storage.errors import StorageError
from storage.journal import RESERVE, Journal, Statistics
from storage.opening import Begun
from storage.proof import Finding
from storage.records import Entry, Kept, Recorded
from storage.retention import Keep, Retained, keep_of
from storage.rows import KeptState
from storage.series import Series, SeriesRead
from storage.state import is_held
from storage.subscriptions import load_memory, save_memory
from storage.verification import Report, verify

__all__ = [
    "RESERVE",
    "Begun",
    "Entry",
    "Finding",
    "Journal",
    "Keep",
    "Kept",
    "KeptState",
    "Recorded",
    "Report",
    "Retained",
    "Series",
    "SeriesRead",
    "Statistics",
    "StorageError",
    "is_held",
    "keep_of",
    "load_memory",
    "save_memory",
    "verify",
]
